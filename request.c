// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for requests: each is as large as its number of segments demands.
 *
 * Those that are done with are kept for the next ones of about their size, the one used
 * last on top, for as long as they are needed: what has stayed below a mark for a whole
 * round is not.
 */
#include <linux/llist.h>
#include <linux/slab.h>

#include "common.h"

/* Most segments of a request of each size: from one to the next four times. */
static unsigned int capacity(unsigned int class)
{
	return 1U << (2 * class);
}

static unsigned int class_of(unsigned int nr_segs)
{
	unsigned int class = 0;

	static_assert(1 << (2 * (BLKBACK_REQ_SIZES - 1)) ==
		      BLKBACK_MAX_SEGMENTS);
	while (capacity(class) < nr_segs)
		class++;
	return class;
}

static size_t size_of(unsigned int class)
{
	return sizeof(struct blkback_req) +
	       capacity(class) * (sizeof(struct bio_vec) +
				  sizeof(union blkback_seg));
}

/* What others have freed goes on top: it was used last. */
static void gather(struct blkback_ring *ring, unsigned int class)
{
	struct llist_node *first, *last;

	if (llist_empty(&ring->freed[class]))
		return;
	first = llist_del_all(&ring->freed[class]);
	for (last = first; last->next; last = last->next)
		;
	last->next = ring->free[class];
	ring->free[class] = first;
}

/* Only the ring's thread takes any out. */
static struct blkback_req *used_before(struct blkback_ring *ring,
				       unsigned int class)
{
	struct llist_node **mine = &ring->free[class];
	struct blkback_req *req;

	gather(ring, class);
	if (!*mine)
		return NULL;
	req = llist_entry(*mine, struct blkback_req, done);
	*mine = req->done.next;
	if (ring->unused[class] == &req->done)
		ring->unused[class] = req->done.next;
	return req;
}

/* One request of any size has memory in any case; for its data there has to be some. */
static struct blkback_req *use_reserve(struct blkback_ring *ring)
{
	/* Whoever gave it back is done with it. */
	if (smp_load_acquire(&ring->reserve_used))
		return NULL;
	WRITE_ONCE(ring->reserve_used, true);
	return ring->reserve;
}

/**
 * req_alloc() - get memory for a request
 * @ring: whose request it is
 * @nr_segs: of the request
 *
 * Context: the ring's thread.
 * Return: the request, with @ring, @nr_segs and @segs set; or NULL: try again
 * when a request of this ring has been answered, or in a while.
 */
struct blkback_req *req_alloc(struct blkback_ring *ring, unsigned int nr_segs)
{
	unsigned int class = class_of(nr_segs);
	struct blkback_req *req;

	req = used_before(ring, class) ?:
	      kmalloc(size_of(class), GFP_NOWAIT | __GFP_NOWARN) ?:
	      use_reserve(ring);
	if (!req)
		return NULL;
	req->ring = ring;
	req->class = class;
	req->nr_segs = nr_segs;
	req->segs = (void *)&req->vecs[nr_segs];
	return req;
}

/**
 * req_free() - give back what req_alloc() took
 * @ring: whose request it is
 * @req: has no pages any more
 *
 * Context: any.
 */
void req_free(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req == ring->reserve)	/* all writes to it come first */
		smp_store_release(&ring->reserve_used, false);
	else
		llist_add(&req->done, &ring->freed[req->class]);
}

/**
 * req_free_here() - likewise, by the ring's thread
 * @ring: whose request it is
 * @req: has no pages any more
 *
 * Context: the ring's thread.
 */
void req_free_here(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req == ring->reserve) {
		WRITE_ONCE(ring->reserve_used, false);
		return;
	}
	req->done.next = ring->free[req->class];
	ring->free[req->class] = &req->done;
}

/**
 * req_reserve() - set one request of any size aside
 * @ring: the ring
 *
 * Return: 0 or -ENOMEM.
 */
int req_reserve(struct blkback_ring *ring)
{
	ring->reserve = kvmalloc(size_of(BLKBACK_REQ_SIZES - 1), GFP_KERNEL);
	return ring->reserve ? 0 : -ENOMEM;
}

/**
 * req_round() - free what was not needed since the last call
 * @ring: the ring
 *
 * Context: the ring's thread.
 */
void req_round(struct blkback_ring *ring)
{
	struct llist_node **end, *unused;
	struct blkback_req *req, *next;
	unsigned int class;

	for (class = 0; class < BLKBACK_REQ_SIZES; class++) {
		gather(ring, class);
		unused = ring->unused[class];
		for (end = &ring->free[class]; *end != unused; end = &(*end)->next)
			;
		*end = NULL;
		llist_for_each_entry_safe(req, next, unused, done)
			kfree(req);
		ring->unused[class] = ring->free[class];
	}
}

/**
 * req_trim() - keep no memory for requests
 * @ring: the ring
 *
 * Context: the ring's thread, or nothing of the ring runs.
 */
void req_trim(struct blkback_ring *ring)
{
	struct blkback_req *req;
	unsigned int class;

	for (class = 0; class < BLKBACK_REQ_SIZES; class++)
		while ((req = used_before(ring, class)))
			kfree(req);
}
