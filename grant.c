// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest pages: how the data of requests becomes reachable for the disk.
 *
 * All of it runs on the ring's thread. A hypercall serves a whole batch, and
 * every element of it is looked at by itself: one bad grant costs the request
 * that named it, and nobody else.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/page.h>

#include "common.h"

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

/**
 * guest_pages_alloc() - get memory for the segments of a request
 * @ring: whose request it is
 * @req: with @req->nr_segs set; @req->segs is filled in, nothing mapped yet
 *
 * Return: 0, or -ENOMEM with nothing held: try again when a request of this
 * ring has completed, or in a while.
 */
int guest_pages_alloc(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i;

	req->segs = NULL;
	if (!req->nr_segs)
		return 0;
	req->segs = alloc_segs(ring, req->nr_segs);
	if (!req->segs)
		return -ENOMEM;
	for (i = 0; i < req->nr_segs; i++) {
		struct blkback_seg *seg = &req->segs[i];

		seg->handle = INVALID_GRANT_HANDLE;
		if (gnttab_page_cache_get(&ring->pages, &seg->page)) {
			req->nr_segs = i;
			guest_pages_free(ring, req);
			return -ENOMEM;
		}
	}
	return 0;
}

/* The guest's memory is only written to by a READ. */
static u32 map_flags(const struct blkback_req *req)
{
	if (req->operation == BLKIF_OP_READ)
		return GNTMAP_host_map;
	return GNTMAP_host_map | GNTMAP_readonly;
}

static unsigned long page_vaddr(const struct page *page)
{
	return (unsigned long)pfn_to_kaddr(page_to_pfn(page));
}

static unsigned int add_map_ops(struct blkback_batch *batch, unsigned int n,
				const struct blkback_req *req, domid_t guest)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++, n++) {
		const struct blkback_seg *seg = &req->segs[i];

		batch->pages[n] = seg->page;
		gnttab_set_map_op(&batch->map[n], page_vaddr(seg->page),
				  map_flags(req), seg->gref, guest);
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

	for (i = 0; i < req->nr_segs; i++, n++) {
		if (batch->map[n].status == GNTST_okay)
			req->segs[i].handle = batch->map[n].handle;
		if (err || batch->map[n].status != GNTST_okay)
			req->status = BLKIF_RSP_ERROR;
	}
	return n;
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
	int err;

	for (i = 0; i < batch->nr_reqs; i++)
		if (batch->reqs[i]->status == BLKIF_RSP_OKAY)
			n = add_map_ops(batch, n, batch->reqs[i],
					guest_of(ring));
	if (!n)
		return;
	err = gnttab_map_refs(batch->map, NULL, batch->pages, n);
	for (i = 0, n = 0; i < batch->nr_reqs; i++)
		if (batch->reqs[i]->status == BLKIF_RSP_OKAY)
			n = take_map_results(batch, n, batch->reqs[i], err);
}

/**
 * guest_pages_busy() - whether somebody below still looks at a request's pages
 * @req: completed
 *
 * A network disk may have a page queued for sending once more when the answer
 * has already come. Unmapping it then would be read as a fault.
 */
bool guest_pages_busy(const struct blkback_req *req)
{
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		if (page_count(req->segs[i].page) > 1)
			return true;
	return false;
}

/*
 * Only handles that a map has returned come here, so none of it can fail but by
 * a bug of ours. A page that stayed mapped is then never used for anything else.
 */
static void unmap_flush(struct blkback_batch *batch, unsigned int n)
{
	unsigned int i;
	int err;

	if (!n)
		return;
	err = gnttab_unmap_refs(batch->unmap, NULL, batch->pages, n);
	for (i = 0; i < n; i++) {
		bool unmapped = !err && batch->unmap[i].status == GNTST_okay;

		if (WARN_ONCE(!unmapped, "a guest's page stays mapped\n"))
			batch->segs[i]->page = NULL;
	}
}

/**
 * guest_pages_unmap() - take the guest's pages away from completed requests
 * @ring: whose requests they are
 * @reqs: the requests, linked by their @done; none of them busy
 */
void guest_pages_unmap(struct blkback_ring *ring, struct llist_node *reqs)
{
	struct blkback_batch *batch = ring->batch;
	struct blkback_req *req;
	unsigned int i, n = 0;

	llist_for_each_entry(req, reqs, done) {
		for (i = 0; i < req->nr_segs; i++) {
			struct blkback_seg *seg = &req->segs[i];

			if (seg->handle == INVALID_GRANT_HANDLE)
				continue;
			if (n == ARRAY_SIZE(batch->unmap)) {
				unmap_flush(batch, n);
				n = 0;
			}
			batch->segs[n] = seg;
			batch->pages[n] = seg->page;
			gnttab_set_unmap_op(&batch->unmap[n++],
					    page_vaddr(seg->page),
					    GNTMAP_host_map, seg->handle);
			seg->handle = INVALID_GRANT_HANDLE;
		}
	}
	unmap_flush(batch, n);
}

/**
 * guest_pages_free() - give back what guest_pages_alloc() took
 * @ring: whose request it is
 * @req: with nothing mapped any more
 */
void guest_pages_free(struct blkback_ring *ring, struct blkback_req *req)
{
	unsigned int i, n = 0;

	if (!req->segs)
		return;
	for (i = 0; i < req->nr_segs; i++)
		if (req->segs[i].page)
			ring->batch->pages[n++] = req->segs[i].page;
	gnttab_page_cache_put(&ring->pages, ring->batch->pages, n);
	gnttab_page_cache_shrink(&ring->pages, BLKBACK_SPARE_PAGES);
	free_segs(ring, req->segs);
	req->segs = NULL;
}
