// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest pages that are copied: Xen copies data between them and pages of ours.
 *
 * No page table is touched for that, in no TLB anything has to be forgotten, and
 * what a guest does to its page meanwhile is no matter. A hypercall serves a whole
 * batch, and every element of it is looked at by itself: one bad grant costs the
 * request that named it, and nobody else.
 */
#include <linux/mm.h>
#include <xen/page.h>

#include <asm/xen/hypercall.h>

#include "common.h"
#include "trace.h"

/* --- the copying ---------------------------------------------------------- */

static void copy_from(struct gnttab_copy *op, domid_t guest, grant_ref_t gref,
		      unsigned int guest_offset, struct page *page,
		      unsigned int offset, unsigned int len)
{
	op->source.u.ref = gref;
	op->source.domid = guest;
	op->source.offset = guest_offset;
	op->dest.u.gmfn = xen_page_to_gfn(page);
	op->dest.domid = DOMID_SELF;
	op->dest.offset = offset;
	op->len = len;
	op->flags = GNTCOPY_source_gref;
}

static void copy_to(struct gnttab_copy *op, domid_t guest, grant_ref_t gref,
		    const struct bio_vec *vec)
{
	op->source.u.gmfn = xen_page_to_gfn(vec->bv_page);
	op->source.domid = DOMID_SELF;
	op->source.offset = vec->bv_offset;
	op->dest.u.ref = gref;
	op->dest.domid = guest;
	op->dest.offset = vec->bv_offset;
	op->len = vec->bv_len;
	op->flags = GNTCOPY_dest_gref;
}

/* The data of a request; there is room for it. */
static void add_data(struct blkback_copies *copies, struct blkback_req *req)
{
	struct gnttab_copy *op = &copies->ops[copies->nr];
	struct blkback_req **owner = &copies->reqs[copies->nr];
	const union blkback_seg *segs = req->segs;
	const struct bio_vec *vec = req->vecs;
	unsigned int i, nr_segs = req->nr_segs;
	bool read = req->operation == BLKIF_OP_READ;
	domid_t guest = req->ring->guest;

	for (i = 0; i < nr_segs; i++, op++, vec++) {
		owner[i] = req;
		if (read)
			copy_to(op, guest, segs[i].gref, vec);
		else
			copy_from(op, guest, segs[i].gref, vec->bv_offset,
				  vec->bv_page, vec->bv_offset, vec->bv_len);
	}
	copies->nr += nr_segs;
}

/*
 * An element that was not copied. A guest's memory may be paged out: the thread waits for
 * it to come back; in other contexts that is impossible, so the request is left to the
 * thread.
 */
static void settle(struct gnttab_copy *op, struct blkback_req *req)
{
	if (op->status == GNTST_eagain && !in_task()) {
		req->quick = false;
		return;
	}
	if (op->status == GNTST_eagain)
		gnttab_batch_copy(op, 1);
	if (op->status != GNTST_okay)
		req->status = BLKIF_RSP_ERROR;
}

/* Return whether there was anything to be copied. */
static bool flush(struct blkback_copies *copies)
{
	unsigned int i, nr = copies->nr, failed = 0;
	struct gnttab_copy *ops = copies->ops;
	int err;

	if (!nr)
		return false;
	err = HYPERVISOR_grant_table_op(GNTTABOP_copy, ops, nr);
	copies->copied += nr;
	copies->calls++;
	for (i = 0; i < nr; i++) {
		if (!err && ops[i].status == GNTST_okay)
			continue;
		failed++;
		if (err)
			copies->reqs[i]->status = BLKIF_RSP_ERROR;
		else
			settle(&ops[i], copies->reqs[i]);
	}
	trace_blkback_grants(copies->reqs[0]->ring, GRANTS_COPY, nr, failed);
	copies->nr = 0;
	return true;
}

/*
 * A frontend whose pages stay mapped takes those for descriptors from where it takes those
 * for data, so this one may be mapped already.
 */
static bool copy_kept(struct blkback_ring *ring, grant_ref_t gref, void *to,
		      unsigned int len)
{
	struct blkback_persist *persist = &ring->persist;
	struct blkback_kept *kept;

	if (!persist->nr)	/* nor a table, maybe */
		return false;
	spin_lock_bh(&ring->lock);
	kept = persist_find(persist, gref);
	if (kept) {
		memcpy(to, (const void *)page_vaddr(kept->page), len);
		/* Whoever looks at the copy must not be made to look at the page. */
		barrier();
		persist_put(persist, kept);
	}
	spin_unlock_bh(&ring->lock);
	return kept;
}

/**
 * copy_descriptors() - fetch the segments of a batch's INDIRECT requests
 * @ring: whose batch it is
 *
 * They are copied, not mapped: the guest cannot change what has been checked,
 * and no page table is touched for a few bytes. Xen does that, unless their page is
 * one that stays mapped. A request whose descriptors cannot be had gets status ERROR.
 *
 * Context: the ring's thread; may sleep as gnttab_batch_copy() may.
 */
void copy_descriptors(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	struct blkback_copies *copies = &batch->copies;
	struct blkif_segment *to = batch->descs;
	struct page *page = virt_to_page(to);
	unsigned int i;

	for (i = 0; i < batch->nr_reqs; i++) {
		const struct wire_request *wire = &batch->wire[i];
		unsigned int len = wire->nr_segs * sizeof(*to);
		grant_ref_t gref;

		if (!wire->indirect)
			continue;
		gref = wire->indirect_gref[0];
		if (!copy_kept(ring, gref, to, len)) {
			copies->reqs[copies->nr] = batch->reqs[i];
			copy_from(&copies->ops[copies->nr++], ring->guest, gref,
				  0, page, offset_in_page(to), len);
		}
		to += wire->nr_segs;
	}
	flush(copies);
}

static bool is_copied(const struct blkback_req *req, bool read)
{
	return req->data == DATA_COPIED && req->status == BLKIF_RSP_OKAY &&
	       (req->operation == BLKIF_OP_READ) == read;
}

/**
 * copy_writes() - fetch the data of a batch's writes
 * @ring: whose batch it is
 *
 * A request whose data cannot be had gets status ERROR.
 *
 * Context: the ring's thread; may sleep as gnttab_batch_copy() may.
 */
void copy_writes(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	unsigned int i;

	for (i = 0; i < batch->nr_reqs; i++)
		if (is_copied(batch->reqs[i], false))
			add_data(&batch->copies, batch->reqs[i]);
	flush(&batch->copies);
}

/**
 * copy_reads() - give the guest the data that was read
 * @copies: with room for any of @reqs whose data it copies
 * @reqs: completed requests of any kind, linked by their @done
 *
 * A request whose data cannot be put in its place gets status ERROR. One that
 * only a thread can serve loses its @quick.
 *
 * Context: any but hard interrupts; in a thread, may sleep as
 * gnttab_batch_copy() may.
 * Return: whether there was any.
 */
bool copy_reads(struct blkback_copies *copies, struct llist_node *reqs)
{
	struct blkback_req *req;

	llist_for_each_entry(req, reqs, done) {
		if (!is_copied(req, true))
			continue;
		if (copies->nr + req->nr_segs > copies->max)
			flush(copies);
		add_data(copies, req);
	}
	return flush(copies);
}

/* --- the pool ------------------------------------------------------------- */

static void pool_add(struct blkback_pool *pool, struct page *page)
{
	set_page_private(page, (unsigned long)pool->first);
	pool->first = page;
	WRITE_ONCE(pool->nr, pool->nr + 1);
}

static struct page *next_page(const struct page *page)
{
	return (struct page *)page_private(page);
}

/*
 * The pages used last: they are most likely to be in the CPU's cache. Return how many
 * there were.
 */
static unsigned int pool_take(struct blkback_pool *pool, struct bio_vec *vecs,
			      unsigned int nr)
{
	struct page *page = pool->first;
	unsigned int i;

	for (i = 0; i < nr && page; i++) {
		vecs[i].bv_page = page;
		page = next_page(page);
	}
	pool->first = page;
	WRITE_ONCE(pool->nr, pool->nr - i);
	return i;
}

/*
 * A network disk may have a page queued for sending once more when the answer has
 * already come. Such a page is left to that.
 */
static void pool_put(struct blkback_pool *pool, struct bio_vec *vecs,
		     unsigned int nr)
{
	struct page *first = pool->first;
	unsigned int i, left = 0;

	for (i = 0; i < nr; i++) {
		struct page *page = vecs[i].bv_page;

		if (page_count(page) > 1) {
			put_page(page);
			left++;
			continue;
		}
		set_page_private(page, (unsigned long)first);
		first = page;
	}
	pool->first = first;
	WRITE_ONCE(pool->nr, pool->nr + nr - left);
}

/*
 * Zeroed: if a disk does not fill what it was to read to, the guest sees nothing that is
 * not its own.
 */
static struct page *new_page(gfp_t how)
{
	return alloc_page(how | __GFP_NOWARN | __GFP_ZERO);
}

/**
 * copy_reserve() - see to it that the pool has enough pages
 * @ring: the ring
 * @pages: how many
 *
 * Context: the ring's thread, which alone takes any out. May sleep.
 * Return: 0 or -ENOMEM.
 */
int copy_reserve(struct blkback_ring *ring, unsigned int pages)
{
	while (READ_ONCE(ring->pool.nr) < pages) {
		struct page *page = new_page(GFP_NOIO | __GFP_NORETRY);

		if (!page)
			return -ENOMEM;
		spin_lock_bh(&ring->lock);
		pool_add(&ring->pool, page);
		spin_unlock_bh(&ring->lock);
	}
	return 0;
}

/**
 * copy_get_pages() - take pages for the data of a request
 * @ring: whose request it is
 * @req: the pages are put into its @vecs
 *
 * Context: under the ring's lock.
 * Return: false if there are not enough; never after copy_reserve().
 */
bool copy_get_pages(struct blkback_ring *ring, struct blkback_req *req)
{
	struct blkback_pool *pool = &ring->pool;
	unsigned int i = pool_take(pool, req->vecs, req->nr_segs);

	for (; i < req->nr_segs; i++) {
		req->vecs[i].bv_page = new_page(GFP_NOWAIT);
		if (req->vecs[i].bv_page)
			continue;
		pool_put(pool, req->vecs, i);
		return false;
	}
	WRITE_ONCE(pool->out, pool->out + i);
	return true;
}

/**
 * copy_put_pages() - give back what copy_get_pages() took
 * @ring: whose request it is
 * @req: its pages
 *
 * Context: under the ring's lock.
 */
void copy_put_pages(struct blkback_ring *ring, struct blkback_req *req)
{
	pool_put(&ring->pool, req->vecs, req->nr_segs);
	WRITE_ONCE(ring->pool.out, ring->pool.out - req->nr_segs);
}

/**
 * copy_trim() - shrink the pool
 * @ring: the ring
 * @spare: how many pages may stay
 *
 * Context: the ring's thread, or nothing of the ring runs.
 */
void copy_trim(struct blkback_ring *ring, unsigned int spare)
{
	struct blkback_pool *pool = &ring->pool;
	struct page *gone, *last = NULL;

	if (READ_ONCE(pool->nr) <= spare)
		return;
	spin_lock_bh(&ring->lock);
	gone = pool->first;
	while (pool->nr > spare) {
		last = pool->first;
		pool->first = next_page(last);
		WRITE_ONCE(pool->nr, pool->nr - 1);
	}
	if (last)
		set_page_private(last, 0);
	spin_unlock_bh(&ring->lock);
	while (last && gone) {
		struct page *page = gone;

		gone = next_page(page);
		__free_page(page);
	}
}
