// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of requests, and the way it takes.
 *
 * If the frontend lets us keep its pages mapped, that is the way. Otherwise small
 * requests are copied and large ones mapped; what is small, the administrator
 * may say.
 */
#include "common.h"

/*
 * How long an idle ring keeps its spare pages, and a busy one memory for requests that it
 * does not need.
 */
#define SPARE_JIFFIES	HZ

static bool may_be_copied(const struct blkback_req *req)
{
	const struct blkback_ring *ring = req->ring;

	return READ_ONCE(ring->pool.out) + ring->batch->nr_copied +
	       req->nr_segs <= BLKBACK_MAX_COPIED;
}

/* How far a segment is filled is not known yet: each counts as a page. */
static enum blkback_data copied_or_mapped(const struct blkback_req *req)
{
	const struct blkback_ring *ring = req->ring;
	unsigned int max = req->operation == BLKIF_OP_READ ?
			   ring->copy_read_max : ring->copy_write_max;

	return req->nr_segs * BLKIF_PAGE_SIZE <= max && may_be_copied(req) ?
	       DATA_COPIED : DATA_MAPPED;
}

static enum blkback_data choose(const struct blkback_req *req)
{
	if (!req->nr_segs)
		return DATA_NONE;
	if (req->ring->conn->persistent)
		return DATA_KEPT;
	return copied_or_mapped(req);
}

static int reserve_copied(struct blkback_ring *ring, unsigned int pages)
{
	unsigned int wanted = ring->batch->nr_copied + pages;

	if (READ_ONCE(ring->pool.nr) < wanted && copy_reserve(ring, wanted))
		return -ENOMEM;
	ring->batch->nr_copied = wanted;
	return 0;
}

static int reserve_mapped(struct blkback_ring *ring, unsigned int pages)
{
	unsigned int wanted = ring->batch->nr_mapped + pages;

	if (ring->spare.num_pages < wanted && map_reserve(ring, wanted))
		return -ENOMEM;
	ring->batch->nr_mapped = wanted;
	return 0;
}

static int reserve(struct blkback_ring *ring, const struct blkback_req *req)
{
	switch (req->data) {
	case DATA_NONE:
		return 0;
	case DATA_COPIED:
		return reserve_copied(ring, req->nr_segs);
	default:
		return reserve_mapped(ring, req->nr_segs);
	}
}

/**
 * guest_pages_reserve() - see to it that there will be pages for a request
 * @ring: whose request it is; its batch does not count the request yet
 * @req: with @operation set; @data says how its data is to go
 *
 * Context: the ring's thread. May sleep.
 * Return: 0; or -ENOMEM: try again when a request of this ring has been
 * answered, or in a while.
 */
int guest_pages_reserve(struct blkback_ring *ring, struct blkback_req *req)
{
	req->data = choose(req);
	if (!reserve(ring, req))
		return 0;
	/* Pages of either kind may be had where those of the other are not. */
	if (req->data == DATA_COPIED)
		req->data = DATA_MAPPED;
	else if (may_be_copied(req))
		req->data = DATA_COPIED;
	else
		return -ENOMEM;
	return reserve(ring, req);
}

/*
 * What is kept has pages to map to reserved, so it can be mapped in any case. Pages to
 * copy to it may have only if no other request of the batch relies on them.
 */
static bool may_copy_kept(struct blkback_ring *ring, struct blkback_req *req)
{
	return !ring->batch->nr_copied &&
	       copied_or_mapped(req) == DATA_COPIED && copy_get_pages(ring, req);
}

/* If all that may be kept is in use, the request goes like any other. */
static void get_pages(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req->data == DATA_KEPT) {
		if (map_keep(ring, req))
			return;
		req->data = may_copy_kept(ring, req) ? DATA_COPIED : DATA_MAPPED;
	} else if (req->data == DATA_COPIED && !copy_get_pages(ring, req)) {
		req->data = DATA_NONE;
		req->status = BLKIF_RSP_ERROR;
	}
	if (req->data == DATA_MAPPED)
		map_get_pages(ring, req);
}

/*
 * Whether all it takes to answer the request may be done in any context, and soon. What
 * takes long is to copy what was read.
 */
static bool is_quick(const struct blkback_req *req)
{
	if (req->data == DATA_MAPPED || req->operation == BLKIF_OP_DISCARD)
		return false;
	return req->nr_segs <= BLKBACK_QUICK_SEGS || req->data == DATA_KEPT ||
	       req->operation != BLKIF_OP_READ;
}

/*
 * What cannot be mapped to stay may be copied nevertheless: Xen has room for so many
 * mappings of one domain, which other guests may use up; and a guest may have granted for
 * reading only what it wants to be written. Return whether there is any.
 */
static bool copy_instead(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	bool copies = false;
	unsigned int i;

	spin_lock_bh(&ring->lock);
	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		if (req->data != DATA_KEPT || req->status == BLKIF_RSP_OKAY)
			continue;
		map_unkeep(ring, req);
		req->data = DATA_NONE;
		if (!may_be_copied(req) || !copy_get_pages(ring, req))
			continue;
		req->data = DATA_COPIED;
		req->status = BLKIF_RSP_OKAY;
		req->quick = is_quick(req);
		copies = true;
	}
	spin_unlock_bh(&ring->lock);
	return copies;
}

/* No more than so many, nor than the ring has got of its guest's budget. */
static void drop_spare(struct blkback_ring *ring, unsigned int spare, unsigned int wanted)
{
	spare = min(spare, budget_spare(ring));
	copy_trim(ring, spare);
	map_trim(ring, spare - min(spare, READ_ONCE(ring->pool.nr)), wanted);
}

/**
 * guest_pages_get() - get the pages of a batch, and the data of its writes
 * @ring: whose batch it is; guest_pages_reserve() has passed all of it
 *
 * Requests that have failed already are left out. A request of which any page
 * cannot be had gets status ERROR.
 *
 * Context: the ring's thread. May sleep while the guest's memory is paged out, up
 * to a minute for each such page: half of it to map, and half of it to copy it instead.
 */
void guest_pages_get(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	bool copies = false;
	unsigned int i;

	spin_lock_bh(&ring->lock);
	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		if (req->status == BLKIF_RSP_OKAY)
			get_pages(ring, req);
		else
			req->data = DATA_NONE;
		copies |= req->data == DATA_COPIED;
		req->quick = is_quick(req);
	}
	spin_unlock_bh(&ring->lock);
	if (map_flush(ring))
		copies |= copy_instead(ring);
	if (!copies)
		return;
	copy_writes(ring);
	/* What was to be kept, and is copied, had pages to map to as well. */
	if (ring->conn->persistent)
		drop_spare(ring, ring->conn->max_spare_pages, 0);
}

/**
 * guest_pages_put() - give back the pages of a request
 * @ring: whose request it is
 * @req: done with; if MAPPED, map_unmap() has been there
 *
 * Context: under the ring's lock.
 */
void guest_pages_put(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req->data == DATA_COPIED)
		copy_put_pages(ring, req);
	else if (req->data == DATA_KEPT)
		map_put_kept(ring, req);
}

/**
 * guest_pages_timeout() - when guest_pages_trim() is due again
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: jiffies from now; MAX_SCHEDULE_TIMEOUT if there is nothing that would
 * have to go.
 */
long guest_pages_timeout(struct blkback_ring *ring)
{
	/* Whoever answers a request gives something back, and does not say so. */
	if (ring->untidy)
		return SPARE_JIFFIES;
	return map_timeout(ring);
}

/**
 * guest_pages_trim() - give back pages that are not needed, or needed elsewhere
 * @ring: the ring
 *
 * Context: the ring's thread.
 */
void guest_pages_trim(struct blkback_ring *ring)
{
	unsigned long now = jiffies;
	bool idle = time_after_eq(now, ring->taken_at + SPARE_JIFFIES);
	/* Once: who asks for pages meanwhile is to be heard the next time. */
	unsigned int wanted = guest_pages_wanted(ring) ? atomic_xchg(&ring->squeeze, 0) : 0;
	bool squeezed = wanted || guest_pages_squeezed(ring);
	unsigned int spare = ring->conn->max_spare_pages;

	/* A busy ring comes here for each batch: once in a jiffy will do for it. */
	if (now == ring->trimmed_at && !idle && !squeezed)
		return;
	ring->trimmed_at = now;
	if (idle || squeezed) {
		spare = 0;
		ring->untidy = in_flight(ring);
		req_trim(ring);
	} else if (time_after_eq(now, ring->round_at + SPARE_JIFFIES)) {
		ring->round_at = now;
		req_round(ring);
	}
	budget_trim(ring, idle || squeezed);
	drop_spare(ring, spare, wanted);
}

/**
 * guest_pages_settle() - end the turn of a ring that has had more pages than it has got
 * @ring: nothing of its batch is without its pages; it need not have a turn
 *
 * Context: the ring's thread.
 */
void guest_pages_settle(struct blkback_ring *ring)
{
	if (!budget_turn_ends(ring))
		return;
	/* First: the next ring will have as many. */
	drop_spare(ring, ring->conn->max_spare_pages, 0);
	budget_pass_on(ring);
}

/**
 * guest_pages_forget() - keep no pages at all
 * @ring: without requests
 *
 * Context: the ring's thread.
 * Return: false if somebody below still looks at a page of the guest's: try again in a while.
 */
bool guest_pages_forget(struct blkback_ring *ring)
{
	copy_trim(ring, 0);
	map_trim(ring, 0, UINT_MAX);
	budget_trim(ring, true);
	return !ring->persist.nr;
}
