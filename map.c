// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest pages that are mapped, for one request or for longer.
 *
 * Only the ring's thread maps and unmaps. A hypercall serves a whole batch, and
 * every element of it is looked at by itself: one bad grant costs the requests
 * that named it, and nobody else.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <xen/page.h>

#include "common.h"
#include "trace.h"

/* How long after its time a kept page may stay: many are let go together. */
#define SLACK_JIFFIES	HZ

/*
 * How long a ring keeps no further page after Xen's table of mappings was full: the kernel
 * complains each time, and it is to no avail.
 */
#define FULL_JIFFIES	(10 * HZ)

/* Grants are of pages of 4 KiB. With other pages here they need more care. */
static_assert(PAGE_SIZE == BLKIF_PAGE_SIZE);

/**
 * map_reserve() - see to it that there are enough pages to map to
 * @ring: the ring
 * @pages: how many
 *
 * Context: the ring's thread. May sleep.
 * Return: 0 or -ENOMEM.
 */
int map_reserve(struct blkback_ring *ring, unsigned int pages)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int missing;

	if (ring->spare.num_pages >= pages)
		return 0;
	missing = pages - ring->spare.num_pages;
	if (gnttab_alloc_pages(missing, batch->unmaps.pages))
		return -ENOMEM;
	gnttab_page_cache_put(&ring->spare, batch->unmaps.pages, missing);
	return 0;
}

/* A hypercall has been made. */
static void count_call(struct blkback_ring *ring, enum blkback_stat what,
		       unsigned int nr, unsigned int failed)
{
	count(ring, what, nr);
	count(ring, STAT_MAP_CALLS, 1);
	trace_blkback_grants(ring, what == STAT_MAPS ? GRANTS_MAP : GRANTS_UNMAP,
			     nr, failed);
}

/* Cannot fail: map_reserve() has been there. */
static struct page *spare_page(struct blkback_ring *ring)
{
	struct page *page = NULL;

	gnttab_page_cache_get(&ring->spare, &page);
	return page;
}

/* --- unmapping ------------------------------------------------------------ */

/*
 * Only handles that a map has returned come here, so none of it can fail but by
 * a bug of ours. A page that stayed mapped is then never used for anything else.
 * Return whether there was any.
 */
static bool unmap_flush(struct blkback_ring *ring)
{
	struct blkback_unmaps *unmaps = &ring->batch->unmaps;
	unsigned int i, good = 0;
	int err;

	if (!unmaps->nr)
		return false;
	err = gnttab_unmap_refs(unmaps->ops, NULL, unmaps->pages, unmaps->nr);
	for (i = 0; i < unmaps->nr; i++) {
		bool unmapped = !err && unmaps->ops[i].status == GNTST_okay;

		if (!WARN_ONCE(!unmapped, "%s: a guest's page stays mapped\n",
			       ring->name))
			unmaps->pages[good++] = unmaps->pages[i];
	}
	count_call(ring, STAT_UNMAPS, unmaps->nr, unmaps->nr - good);
	unmaps->nr = 0;
	gnttab_page_cache_put(&ring->spare, unmaps->pages, good);
	return true;
}

static void unmap_add(struct blkback_ring *ring, struct page *page,
		      grant_handle_t handle)
{
	struct blkback_unmaps *unmaps = &ring->batch->unmaps;

	if (unmaps->nr == ARRAY_SIZE(unmaps->ops))
		unmap_flush(ring);
	unmaps->pages[unmaps->nr] = page;
	gnttab_set_unmap_op(&unmaps->ops[unmaps->nr++], page_vaddr(page),
			    GNTMAP_host_map, handle);
}

static void unmap_segs(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	ring->mapped_out -= req->nr_segs;
	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = req->vecs[i].bv_page;

		if (req->segs[i].handle != INVALID_GRANT_HANDLE)
			unmap_add(ring, page, req->segs[i].handle);
		else	/* could not be mapped */
			gnttab_page_cache_put(&ring->spare, &page, 1);
	}
}

/**
 * map_unmap() - take the guest's pages away from completed requests
 * @ring: whose requests they are
 * @reqs: requests of any kind, linked by their @done; none of them busy
 *
 * Context: the ring's thread.
 * Return: whether there were any.
 */
bool map_unmap(struct blkback_ring *ring, struct llist_node *reqs)
{
	struct blkback_req *req;

	llist_for_each_entry(req, reqs, done)
		if (req->data == DATA_MAPPED)
			unmap_segs(ring, req);
	return unmap_flush(ring);
}

/**
 * map_busy() - whether somebody below still looks at a request's pages
 * @req: completed, its data MAPPED
 *
 * A network disk may have a page queued for sending once more when the answer
 * has already come. Unmapping it then would be read as a fault. A page that
 * stays mapped is no matter here: see persist_oldest().
 *
 * Return: if so, true: it has to stay mapped.
 */
bool map_busy(const struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		if (page_count(req->vecs[i].bv_page) > 1)
			return true;
	return false;
}

/* --- mapping -------------------------------------------------------------- */

static void map_add(struct blkback_ring *ring, struct blkback_req *req,
		    union blkback_seg *seg, struct page *page, u32 flags)
{
	struct blkback_maps *maps = &ring->batch->maps;
	unsigned int i = maps->nr++;

	maps->pages[i] = page;
	maps->segs[i] = seg;
	maps->reqs[i] = req;
	maps->ops[i].status = GNTST_general_error;	/* if Xen does not get to it */
	gnttab_set_map_op(&maps->ops[i], page_vaddr(page), flags, seg->gref,
			  ring->guest);
}

/**
 * map_get_pages() - have the pages of a request mapped for this request
 * @ring: whose request it is; map_reserve() has been there
 * @req: its pages are put into its @vecs; nothing is mapped before map_flush()
 *
 * Context: the ring's thread.
 */
void map_get_pages(struct blkback_ring *ring, struct blkback_req *req)
{
	u32 flags = GNTMAP_host_map;
	unsigned int i;

	/* The guest's memory is only written to by a READ. */
	if (req->operation != BLKIF_OP_READ)
		flags |= GNTMAP_readonly;
	ring->mapped_out += req->nr_segs;
	for (i = 0; i < req->nr_segs; i++) {
		struct page *page = spare_page(ring);

		map_add(ring, req, &req->segs[i], page, flags);
		req->segs[i].handle = INVALID_GRANT_HANDLE;
		req->vecs[i].bv_page = page;
	}
}

static void drop(struct blkback_ring *ring, struct blkback_kept *kept)
{
	persist_drop(&ring->persist, kept);
	budget_unkeep(ring);
}

/*
 * Make room for one page more, if there is any to be made. In the guest's budget it has
 * the place of the one that goes.
 */
static bool make_room(struct blkback_ring *ring)
{
	struct blkback_persist *persist = &ring->persist;
	struct blkback_kept *oldest;

	if (persist->nr < persist->max && budget_keep(ring))
		return true;
	oldest = persist_oldest(persist);
	if (!oldest)
		return false;
	unmap_add(ring, oldest->page, oldest->handle);
	persist_drop(persist, oldest);
	return true;
}

/*
 * A page that stays mapped may be for reads or for writes, next time: such
 * frontends grant it for both.
 */
static struct blkback_kept *keep_new(struct blkback_ring *ring,
				     struct blkback_req *req,
				     union blkback_seg *seg)
{
	struct blkback_kept *kept;
	struct page *page;

	if (!make_room(ring))
		return NULL;
	page = spare_page(ring);
	kept = persist_add(&ring->persist, seg->gref, page);
	if (kept) {
		map_add(ring, req, seg, page, GNTMAP_host_map);
		return kept;
	}
	gnttab_page_cache_put(&ring->spare, &page, 1);
	budget_unkeep(ring);
	return NULL;
}

static void put_kept(struct blkback_ring *ring, struct blkback_kept *kept)
{
	if (!persist_put(&ring->persist, kept) ||
	    kept->handle != INVALID_GRANT_HANDLE)
		return;
	/* It was never mapped. */
	gnttab_page_cache_put(&ring->spare, &kept->page, 1);
	drop(ring, kept);
}

/* Use those of a request's pages that are kept. Return how many are not. */
static unsigned int find_kept(struct blkback_ring *ring,
			      struct blkback_req *req)
{
	const struct persist_table table = ring->persist.table;
	unsigned int i, nr_segs = req->nr_segs, missing = 0, fresh = 0;
	union blkback_seg *segs = req->segs;

	for (i = 0; i < nr_segs; i++) {
		struct blkback_kept *kept = persist_look(&table, segs[i].gref);

		if (kept) {
			fresh += persist_use(kept);
			segs[i].kept = kept;
			req->vecs[i].bv_page = kept->page;
		} else {
			req->vecs[i].bv_page = NULL;
			missing++;
		}
	}
	ring->persist.nr_idle -= fresh;
	return missing;
}

/* The others; a page may be in a request more than once. Seldom: not to be inlined. */
static noinline bool keep_others(struct blkback_ring *ring,
				 struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		union blkback_seg *seg = &req->segs[i];
		struct blkback_kept *kept;

		if (req->vecs[i].bv_page)
			continue;
		kept = persist_find(&ring->persist, seg->gref) ?:
		       keep_new(ring, req, seg);
		if (!kept)
			return false;
		seg->kept = kept;
		req->vecs[i].bv_page = kept->page;
	}
	return true;
}

/* How many more pages can come to be kept now, since those that nobody uses may go for them. */
static unsigned int room(const struct blkback_ring *ring)
{
	const struct blkback_persist *persist = &ring->persist;

	if (time_before(jiffies, ring->full_until))
		return 0;
	return min(persist->max - persist->nr, budget_keepable(ring)) +
	       persist->nr_idle;
}

/* Pages that could not be mapped go. */
static void unkeep(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		struct blkback_kept *kept = req->segs[i].kept;

		if (!req->vecs[i].bv_page)
			continue;
		req->segs[i].gref = kept->gref;
		put_kept(ring, kept);
	}
}

/* Requests whose data is KEPT have that many pages more, or less. */
static void count_kept(struct blkback_ring *ring, int pages)
{
	WRITE_ONCE(ring->kept_out, ring->kept_out + pages);
}

/**
 * map_unkeep() - undo map_keep()
 * @ring: whose request it is
 * @req: it has failed in map_flush(), and has its grant references again
 *
 * Context: the ring's thread, under the ring's lock.
 */
void map_unkeep(struct blkback_ring *ring, struct blkback_req *req)
{
	count_kept(ring, -req->nr_segs);
	unkeep(ring, req);
}

/**
 * map_keep() - use pages that are mapped already, and have others kept, too
 * @ring: whose request it is; map_reserve() has been there
 * @req: its pages are put into its @vecs; nothing is mapped before map_flush()
 *
 * Context: the ring's thread, under the ring's lock.
 * Return: false, and nothing is done, if not all of its pages can be kept.
 */
bool map_keep(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int nr_maps = ring->batch->maps.nr;
	unsigned int missing = find_kept(ring, req);

	if (!missing || (missing <= room(ring) && keep_others(ring, req))) {
		count_kept(ring, req->nr_segs);
		return true;
	}
	ring->batch->maps.nr = nr_maps;
	unkeep(ring, req);
	return false;
}

/**
 * map_put_kept() - a request is done with the pages that stay mapped
 * @ring: whose request it is
 * @req: its data is KEPT
 *
 * Context: under the ring's lock.
 */
void map_put_kept(struct blkback_ring *ring, struct blkback_req *req)
{
	struct blkback_persist *persist = &ring->persist;
	struct list_head *last = persist->idle.prev;
	unsigned int i, nr_segs = req->nr_segs, left = 0;
	const union blkback_seg *segs = req->segs;
	unsigned long now = jiffies;

	for (i = 0; i < nr_segs; i++)
		left += persist_leave(segs[i].kept, now, &last);
	persist_left(persist, last, left);
	count_kept(ring, -nr_segs);
}

/* Another request of the batch may have relied on a page that was not mapped. */
static void fail_users(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int i, k;

	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		for (k = 0; req->data == DATA_KEPT && k < req->nr_segs; k++)
			if (req->segs[k].kept->handle == INVALID_GRANT_HANDLE)
				req->status = BLKIF_RSP_ERROR;
	}
}

static void take_handle(struct blkback_maps *maps, unsigned int i)
{
	if (maps->reqs[i]->data == DATA_KEPT)
		maps->segs[i]->kept->handle = maps->ops[i].handle;
	else
		maps->segs[i]->handle = maps->ops[i].handle;
}

/**
 * map_flush() - map and unmap what map_keep() and map_get_pages() ask for
 * @ring: whose batch it is
 *
 * A request of which any page cannot be mapped gets status ERROR; if it is KEPT, it is
 * to be undone.
 *
 * Context: the ring's thread; may sleep while the guest's memory is paged out.
 * Return: whether any page could not be mapped.
 */
bool map_flush(struct blkback_ring *ring)
{
	struct blkback_maps *maps = &ring->batch->maps;
	unsigned int i, failed = 0;
	int err;

	unmap_flush(ring);
	if (!maps->nr)
		return false;
	err = gnttab_map_refs(maps->ops, NULL, maps->pages, maps->nr);
	for (i = 0; i < maps->nr; i++) {
		/* What Xen has mapped must be unmapped in any case. */
		if (maps->ops[i].status == GNTST_okay)
			take_handle(maps, i);
		if (!err && maps->ops[i].status == GNTST_okay)
			continue;
		maps->reqs[i]->status = BLKIF_RSP_ERROR;
		failed++;
		if (maps->ops[i].status == GNTST_no_device_space)
			ring->full_until = jiffies + FULL_JIFFIES;
	}
	count_call(ring, STAT_MAPS, maps->nr, failed);
	maps->nr = 0;
	if (failed)
		fail_users(ring);
	return failed;
}

/* --- giving back ---------------------------------------------------------- */

/* Under the ring's lock, and only if a kept page is idle. */
static unsigned long expires(const struct blkback_ring *ring)
{
	return persist_since(&ring->persist) + ring->conn->unused_jiffies;
}

/**
 * map_timeout() - when a ring without work has to look at its kept pages again
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: jiffies from now; MAX_SCHEDULE_TIMEOUT if it has none, or none that
 * have to go by themselves.
 */
long map_timeout(struct blkback_ring *ring)
{
	long left = MAX_SCHEDULE_TIMEOUT;

	if (!ring->persist.nr || !ring->conn->unused_jiffies)
		return left;
	spin_lock_bh(&ring->lock);
	if (ring->persist.nr_idle)
		left = expires(ring) + SLACK_JIFFIES - jiffies;
	spin_unlock_bh(&ring->lock);
	return max(left, 1L);
}

/* Under the ring's lock. */
static bool too_old(const struct blkback_ring *ring)
{
	return ring->persist.nr_idle && ring->conn->unused_jiffies &&
	       time_after_eq(jiffies, expires(ring));
}

/* Look at one hypercall's worth. Return how many there are left to look at. */
static unsigned int drop_some(struct blkback_ring *ring, unsigned int left,
			      unsigned int *wanted)
{
	struct blkback_persist *persist = &ring->persist;
	unsigned int more = BLKBACK_MAX_SEGMENTS;

	spin_lock_bh(&ring->lock);
	for (; left && more && (*wanted || too_old(ring)); left--, more--) {
		struct blkback_kept *oldest = persist_oldest(persist);

		if (!oldest)
			continue;
		unmap_add(ring, oldest->page, oldest->handle);
		drop(ring, oldest);
		if (*wanted)
			(*wanted)--;
	}
	spin_unlock_bh(&ring->lock);
	unmap_flush(ring);
	return more ? 0 : left;
}

/*
 * Let go of the pages unused for longest: so many, and all that are too old; a
 * hypercall's worth at a time, so that others come to have the lock.
 */
static void drop_kept(struct blkback_ring *ring, unsigned int wanted)
{
	unsigned int left = READ_ONCE(ring->persist.nr_idle);

	while (left)
		left = drop_some(ring, left, &wanted);
}

/**
 * map_trim() - let go of pages that are not needed, or needed elsewhere
 * @ring: the ring
 * @spare: how many pages to map to may stay
 * @wanted: how many kept pages are to go, whatever their age
 *
 * Context: the ring's thread.
 */
void map_trim(struct blkback_ring *ring, unsigned int spare, unsigned int wanted)
{
	if (ring->persist.nr)
		drop_kept(ring, wanted);
	if (ring->spare.num_pages > spare)
		gnttab_page_cache_shrink(&ring->spare, spare);
}
