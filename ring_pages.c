// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a ring, mapped for as long as there is a connection.
 *
 * The kernel's xenbus would map them one after the other in memory; but of a ring one
 * page of which cannot be mapped, it leaves those behind that page mapped for ever. So
 * they are mapped as pages of data are, and sring.h takes each from where it is.
 */
#include <xen/grant_table.h>
#include <xen/page.h>

#include "common.h"

static_assert(SRING_MAX_PAGES == XENBUS_MAX_RING_GRANTS);

static void refuse(const struct blkback_ring *ring, unsigned int i,
		   grant_ref_t ref, s16 status)
{
	static const char *const reasons[] = GNTTABOP_error_msgs;
	unsigned int reason = -status;

	blkback_error(ring->conn->dev, -EINVAL,
		      "cannot map grant %u, page %u of ring %u: %s; the frontend has to grant it to this domain, for writing",
		      ref, i, ring->index,
		      reason < ARRAY_SIZE(reasons) ? reasons[reason] : "?");
}

/* One hypercall, and each of its results. Return 0 or -EINVAL, which has been told. */
static int map(struct blkback_ring *ring, const grant_ref_t *refs)
{
	struct gnttab_map_grant_ref ops[SRING_MAX_PAGES];
	unsigned int i, bad = ring->nr_pages;
	int err;

	for (i = 0; i < ring->nr_pages; i++) {
		ops[i].status = GNTST_general_error;	/* if Xen does not get to it */
		gnttab_set_map_op(&ops[i], page_vaddr(ring->pages[i]),
				  GNTMAP_host_map, refs[i], ring->guest);
	}
	err = gnttab_map_refs(ops, NULL, ring->pages, ring->nr_pages);
	if (err)
		bad = 0;
	for (i = 0; i < ring->nr_pages; i++) {
		ring->handles[i] = INVALID_GRANT_HANDLE;
		if (ops[i].status == GNTST_okay)
			ring->handles[i] = ops[i].handle;
		else
			bad = min(bad, i);
	}
	if (bad == ring->nr_pages)
		return 0;
	refuse(ring, bad, refs[bad], err ? GNTST_general_error : ops[bad].status);
	return -EINVAL;
}

/**
 * ring_pages_map() - have the pages of a ring mapped
 * @ring: the ring, whose @sring is attached to them
 * @refs: grants of its pages
 *
 * Context: may sleep while the guest's memory is paged out.
 * Return: 0 or a negative errno, which has been told; in either case
 * ring_pages_unmap() is due at the end.
 */
int ring_pages_map(struct blkback_ring *ring, const grant_ref_t *refs)
{
	const struct blkback_conn *conn = ring->conn;
	unsigned int i, nr_pages = 1 << conn->ring_order;
	void *at[SRING_MAX_PAGES];
	int err;

	err = gnttab_alloc_pages(nr_pages, ring->pages);
	if (err) {
		blkback_error(conn->dev, err, "no memory to map ring %u",
			      ring->index);
		return err;
	}
	ring->nr_pages = nr_pages;
	err = map(ring, refs);
	if (err)
		return err;
	for (i = 0; i < nr_pages; i++)
		at[i] = (void *)page_vaddr(ring->pages[i]);
	if (sring_attach(&ring->sring, at, nr_pages, conn->abi))
		return 0;
	blkback_error(conn->dev, -EINVAL,
		      "ring %u has more requests in it than it can hold: the frontend has to begin with an empty one",
		      ring->index);
	return -EINVAL;
}

/* Of handles that a map has returned none can fail but by a bug of ours. */
static bool unmap(struct blkback_ring *ring)
{
	struct gnttab_unmap_grant_ref ops[SRING_MAX_PAGES];
	struct page *mapped[SRING_MAX_PAGES];
	unsigned int i, nr = 0;
	bool done;

	for (i = 0; i < ring->nr_pages; i++) {
		if (ring->handles[i] == INVALID_GRANT_HANDLE)
			continue;
		mapped[nr] = ring->pages[i];
		gnttab_set_unmap_op(&ops[nr++], page_vaddr(ring->pages[i]),
				    GNTMAP_host_map, ring->handles[i]);
	}
	done = !nr || !gnttab_unmap_refs(ops, NULL, mapped, nr);
	for (i = 0; i < nr; i++)
		done = done && ops[i].status == GNTST_okay;
	return done;
}

/**
 * ring_pages_unmap() - give a ring back to the guest
 * @ring: nobody uses its @sring any more
 *
 * Context: may sleep.
 */
void ring_pages_unmap(struct blkback_ring *ring)
{
	if (!ring->nr_pages)
		return;
	/* A page that stayed mapped is then never used for anything else. */
	if (!WARN_ONCE(!unmap(ring), "%s: the guest's ring stays mapped\n",
		       ring->name))
		gnttab_free_pages(ring->nr_pages, ring->pages);
}
