// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest pages: how the data of requests becomes reachable for the disk.
 *
 * All of it runs on the ring's thread. A hypercall serves a whole batch, and
 * every element of it is looked at by itself: one bad grant costs the request
 * that named it, and nobody else.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/page.h>

#include "common.h"

/* How long an idle ring keeps its spare pages. */
#define SPARE_JIFFIES	HZ

/* How long after its time a kept page may stay: many are let go together. */
#define SLACK_JIFFIES	HZ

/* Grants are of pages of 4 KiB. With other pages here they need more care. */
static_assert(PAGE_SIZE == BLKIF_PAGE_SIZE);

static domid_t guest_of(const struct blkback_ring *ring)
{
	return ring->conn->dev->xdev->otherend_id;
}

static void copy_in(struct gnttab_copy *op, grant_ref_t gref, domid_t guest,
		    void *to, unsigned int len)
{
	*op = (struct gnttab_copy){
		.source.u.ref = gref,
		.source.domid = guest,
		.dest.u.gmfn = virt_to_gfn(to),
		.dest.domid = DOMID_SELF,
		.dest.offset = xen_offset_in_page(to),
		.len = len,
		.flags = GNTCOPY_source_gref,
	};
}

/**
 * guest_copy_descriptors() - fetch the segments of a batch's INDIRECT requests
 * @ring: whose batch it is
 *
 * They are copied, not mapped: the guest cannot change what has been checked,
 * and no page table is touched for a few bytes. A request whose descriptors
 * cannot be had gets status ERROR.
 */
void guest_copy_descriptors(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	struct blkif_segment *to = batch->descs;
	unsigned int i, n = 0;

	for (i = 0; i < batch->nr_reqs; i++) {
		const struct wire_request *wire = &batch->wire[i];

		if (wire->indirect)
			copy_in(&batch->copy[n++], wire->indirect_gref[0],
				guest_of(ring), to,
				wire->nr_segs * sizeof(*to));
		to += wire->nr_segs;
	}
	if (!n)
		return;
	gnttab_batch_copy(batch->copy, n);
	for (i = 0, n = 0; i < batch->nr_reqs; i++)
		if (batch->wire[i].indirect &&
		    batch->copy[n++].status != GNTST_okay)
			batch->reqs[i]->status = BLKIF_RSP_ERROR;
}

static struct blkback_seg *alloc_segs(struct blkback_ring *ring, unsigned int n)
{
	struct blkback_seg *segs;

	segs = kmalloc_array(n, sizeof(*segs), GFP_NOWAIT | __GFP_NOWARN);
	if (!segs && !ring->reserve_used) {
		ring->reserve_used = true;
		segs = ring->reserve;
	}
	return segs;
}

static void free_segs(struct blkback_ring *ring, struct blkback_seg *segs)
{
	if (segs == ring->reserve)
		ring->reserve_used = false;
	else
		kfree(segs);
}

/* See to it that there are pages for all segments of the batch, and for more. */
static int want_pages(struct blkback_ring *ring, unsigned int more)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int wanted = batch->nr_segs + more;
	unsigned int missing;

	if (ring->pages.num_pages >= wanted)
		return 0;
	missing = wanted - ring->pages.num_pages;
	if (gnttab_alloc_pages(missing, batch->pages))
		return -ENOMEM;
	gnttab_page_cache_put(&ring->pages, batch->pages, missing);
	return 0;
}

/**
 * guest_pages_alloc() - get memory for the segments of a request
 * @ring: whose request it is; its batch does not count the request yet
 * @req: with @req->nr_segs set; @req->segs is filled in, nothing mapped yet
 *
 * Return: 0, or -ENOMEM with nothing held: try again when a request of this
 * ring has completed, or in a while.
 */
int guest_pages_alloc(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	if (!req->nr_segs)
		return 0;
	if (want_pages(ring, req->nr_segs))
		return -ENOMEM;
	req->segs = alloc_segs(ring, req->nr_segs);
	if (!req->segs)
		return -ENOMEM;
	for (i = 0; i < req->nr_segs; i++) {
		req->segs[i].page = NULL;
		req->segs[i].kept = NULL;
		req->segs[i].handle = INVALID_GRANT_HANDLE;
	}
	return 0;
}

/**
 * guest_pages_free() - give back what guest_pages_alloc() took
 * @ring: whose request it is
 * @req: with nothing mapped any more
 */
void guest_pages_free(struct blkback_ring *ring, struct blkback_req *req)
{
	if (req->nr_segs)
		free_segs(ring, req->segs);
}

static unsigned long page_vaddr(const struct page *page)
{
	return (unsigned long)pfn_to_kaddr(page_to_pfn(page));
}

/* --- unmapping ------------------------------------------------------------ */

/*
 * Only handles that a map has returned come here, so none of it can fail but by
 * a bug of ours. A page that stayed mapped is then never used for anything else.
 */
static void unmap_flush(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int i, n = batch->nr_unmaps, good = 0;
	int err;

	if (!n)
		return;
	batch->nr_unmaps = 0;
	err = gnttab_unmap_refs(batch->unmap, NULL, batch->pages, n);
	for (i = 0; i < n; i++) {
		bool unmapped = !err && batch->unmap[i].status == GNTST_okay;

		if (!WARN_ONCE(!unmapped, "a guest's page stays mapped\n"))
			batch->pages[good++] = batch->pages[i];
	}
	gnttab_page_cache_put(&ring->pages, batch->pages, good);
}

static void unmap_add(struct blkback_ring *ring, struct page *page,
		      grant_handle_t handle)
{
	struct blkback_batch *batch = ring->batch;

	if (batch->nr_unmaps == ARRAY_SIZE(batch->unmap))
		unmap_flush(ring);
	batch->pages[batch->nr_unmaps] = page;
	gnttab_set_unmap_op(&batch->unmap[batch->nr_unmaps++],
			    page_vaddr(page), GNTMAP_host_map, handle);
}

static void unmap_kept(struct blkback_ring *ring, struct blkback_kept *kept)
{
	unmap_add(ring, kept->page, kept->handle);
	persist_drop(&ring->persist, kept);
}

static void unmap_seg(struct blkback_ring *ring, struct blkback_seg *seg)
{
	if (seg->kept)
		persist_put(&ring->persist, seg->kept);
	else if (seg->handle != INVALID_GRANT_HANDLE)
		unmap_add(ring, seg->page, seg->handle);
	else if (seg->page)	/* could not be mapped */
		gnttab_page_cache_put(&ring->pages, &seg->page, 1);
	seg->page = NULL;
}

/**
 * guest_pages_unmap() - take the guest's pages away from completed requests
 * @ring: whose requests they are
 * @reqs: the requests, linked by their @done; none of them busy
 */
void guest_pages_unmap(struct blkback_ring *ring, struct llist_node *reqs)
{
	struct blkback_req *req;
	unsigned int i;

	llist_for_each_entry(req, reqs, done)
		for (i = 0; i < req->nr_segs; i++)
			unmap_seg(ring, &req->segs[i]);
	unmap_flush(ring);
}

/**
 * guest_pages_busy() - whether somebody below still looks at a request's pages
 * @req: completed
 *
 * A network disk may have a page queued for sending once more when the answer
 * has already come. Unmapping it then would be read as a fault. A page that
 * stays mapped is no matter here: see persist_oldest().
 */
bool guest_pages_busy(const struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		const struct blkback_seg *seg = &req->segs[i];

		if (seg->page && !seg->kept && page_count(seg->page) > 1)
			return true;
	}
	return false;
}

/* --- mapping -------------------------------------------------------------- */

/*
 * The guest's memory is only written to by a READ. But a page that stays mapped
 * may be for either, next time: such frontends grant it for both.
 */
static u32 map_flags(const struct blkback_req *req)
{
	if (req->operation == BLKIF_OP_READ || req->ring->conn->persistent)
		return GNTMAP_host_map;
	return GNTMAP_host_map | GNTMAP_readonly;
}

/* Cannot fail: want_pages() has been there. */
static struct page *spare_page(struct blkback_ring *ring)
{
	struct page *page = NULL;

	gnttab_page_cache_get(&ring->pages, &page);
	return page;
}

static bool mapped_already(struct blkback_ring *ring, struct blkback_seg *seg)
{
	if (!ring->conn->persistent)
		return false;
	seg->kept = persist_find(&ring->persist, seg->gref);
	if (seg->kept)
		seg->page = seg->kept->page;
	return seg->kept;
}

static unsigned int add_map_ops(struct blkback_ring *ring, unsigned int n,
				const struct blkback_req *req)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		struct blkback_seg *seg = &req->segs[i];

		if (mapped_already(ring, seg))
			continue;
		seg->page = spare_page(ring);
		batch->pages[n] = seg->page;
		gnttab_set_map_op(&batch->map[n++], page_vaddr(seg->page),
				  map_flags(req), seg->gref, guest_of(ring));
	}
	return n;
}

/*
 * A page counts as good only if the call as a whole went well too; but what
 * Xen has mapped must be unmapped in any case.
 */
static unsigned int take_map_results(const struct blkback_batch *batch,
				     unsigned int n, struct blkback_req *req,
				     int err)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++) {
		struct blkback_seg *seg = &req->segs[i];

		if (seg->kept)
			continue;
		if (batch->map[n].status == GNTST_okay)
			seg->handle = batch->map[n].handle;
		if (err || batch->map[n].status != GNTST_okay)
			req->status = BLKIF_RSP_ERROR;
		n++;
	}
	return n;
}

/* Keep a page that has just been mapped; the oldest one may have to go for it. */
static void keep_mapped(struct blkback_ring *ring, struct blkback_seg *seg)
{
	struct blkback_persist *persist = &ring->persist;
	struct blkback_kept *oldest = NULL;

	if (persist->nr >= persist->max) {
		oldest = persist_oldest(persist);
		if (!oldest)
			return;
	}
	seg->kept = persist_keep(persist, seg->gref, seg->page, seg->handle);
	if (seg->kept && oldest)
		unmap_kept(ring, oldest);
}

static void keep_all_mapped(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		if (req->segs[i].handle != INVALID_GRANT_HANDLE)
			keep_mapped(ring, &req->segs[i]);
}

/**
 * guest_pages_map() - map the data of a batch
 * @ring: whose batch it is
 *
 * Requests that have failed already are left out. A request of which any page
 * cannot be mapped gets status ERROR; it still goes through
 * guest_pages_unmap().
 *
 * Context: may sleep while the guest's memory is paged out, up to half a minute
 * for each such page.
 */
void guest_pages_map(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int i, n = 0;
	int err = 0;

	for (i = 0; i < batch->nr_reqs; i++)
		if (batch->reqs[i]->status == BLKIF_RSP_OKAY)
			n = add_map_ops(ring, n, batch->reqs[i]);
	if (!n)
		return;
	err = gnttab_map_refs(batch->map, NULL, batch->pages, n);
	for (i = 0, n = 0; i < batch->nr_reqs; i++)
		if (batch->reqs[i]->status == BLKIF_RSP_OKAY)
			n = take_map_results(batch, n, batch->reqs[i], err);
	if (!ring->conn->persistent)
		return;
	for (i = 0; i < batch->nr_reqs; i++)
		keep_all_mapped(ring, batch->reqs[i]);
	unmap_flush(ring);
}

/* --- giving back ---------------------------------------------------------- */

static unsigned long expires(const struct blkback_ring *ring,
			     const struct blkback_kept *kept)
{
	return kept->since + ring->conn->unused_jiffies;
}

/**
 * guest_pages_timeout() - when a ring without work has to look at its pages again
 * @ring: the ring
 *
 * Return: jiffies from now; MAX_SCHEDULE_TIMEOUT if it has none, or none that
 * have to go by themselves.
 */
long guest_pages_timeout(const struct blkback_ring *ring)
{
	struct blkback_kept *oldest;
	long left;

	if (ring->pages.num_pages)
		return SPARE_JIFFIES;
	if (!ring->persist.nr_idle || !ring->conn->unused_jiffies)
		return MAX_SCHEDULE_TIMEOUT;
	oldest = list_first_entry(&ring->persist.idle, struct blkback_kept,
				  idle);
	left = expires(ring, oldest) + SLACK_JIFFIES - jiffies;
	return max(left, 1L);
}

static bool too_old(const struct blkback_ring *ring)
{
	if (!ring->persist.nr_idle || !ring->conn->unused_jiffies)
		return false;
	return time_after_eq(jiffies,
			     expires(ring, list_first_entry(&ring->persist.idle,
							    struct blkback_kept,
							    idle)));
}

/* Let go of the pages unused for longest: so many, and all that are too old. */
static void drop_kept(struct blkback_ring *ring, unsigned int wanted)
{
	unsigned int n;

	for (n = ring->persist.nr_idle; n && (wanted || too_old(ring)); n--) {
		struct blkback_kept *oldest = persist_oldest(&ring->persist);

		if (!oldest)
			continue;
		unmap_kept(ring, oldest);
		if (wanted)
			wanted--;
	}
	unmap_flush(ring);
}

/**
 * guest_pages_trim() - give back pages that are not needed, or needed elsewhere
 * @ring: the ring
 * @idle: it has had nothing to do for a while
 */
void guest_pages_trim(struct blkback_ring *ring, bool idle)
{
	const struct blkback_conn *conn = ring->conn;
	unsigned int spare = conn->max_spare_pages;

	if (guest_pages_wanted(ring))
		drop_kept(ring, atomic_xchg(&ring->squeeze, 0));
	else if (too_old(ring))
		drop_kept(ring, 0);
	if (idle || time_before(jiffies, READ_ONCE(conn->squeezed_until)))
		spare = 0;
	if (ring->pages.num_pages > spare)
		gnttab_page_cache_shrink(&ring->pages, spare);
}

/**
 * guest_pages_forget() - keep nothing of the guest mapped
 * @ring: without requests
 *
 * Return: false if somebody below still looks at a page: try again in a while.
 */
bool guest_pages_forget(struct blkback_ring *ring)
{
	drop_kept(ring, UINT_MAX);
	return !ring->persist.nr;
}
