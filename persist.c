// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent grants: guest pages that stay mapped between requests.
 *
 * A frontend that offers this uses the same few pages again and again. Each ring
 * keeps those it has mapped, found by their grant reference; those that no
 * request uses at the moment are also in a list, the one used last at its end.
 * So the one to let go first is always at hand, and so is the time when that is
 * due: nothing ever walks over all of them.
 *
 * All of it belongs to the ring's thread.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "common.h"

static const struct rhashtable_params by_gref = {
	.key_len = sizeof(grant_ref_t),
	.key_offset = offsetof(struct blkback_kept, gref),
	.head_offset = offsetof(struct blkback_kept, node),
	.automatic_shrinking = true,
};

/**
 * persist_init() - prepare a ring to keep pages
 * @persist: of the ring
 * @max: most pages to keep
 *
 * Return: 0 or -ENOMEM.
 */
int persist_init(struct blkback_persist *persist, unsigned int max)
{
	INIT_LIST_HEAD(&persist->idle);
	persist->max = max;
	return rhashtable_init(&persist->kept, &by_gref);
}

/**
 * persist_exit() - undo persist_init()
 * @persist: keeps no page any more
 */
void persist_exit(struct blkback_persist *persist)
{
	rhashtable_destroy(&persist->kept);
}

/**
 * persist_find() - look for a page that is mapped already, and use it
 * @persist: of the ring
 * @gref: the guest's name of the page
 *
 * Return: the page, to be given back with persist_put(); or NULL.
 */
struct blkback_kept *persist_find(struct blkback_persist *persist,
				  grant_ref_t gref)
{
	struct blkback_kept *kept;

	kept = rhashtable_lookup_fast(&persist->kept, &gref, by_gref);
	if (!kept)
		return NULL;
	if (!kept->users++) {
		list_del(&kept->idle);
		WRITE_ONCE(persist->nr_idle, persist->nr_idle - 1);
	}
	return kept;
}

/**
 * persist_put() - a request does not use a kept page any more
 * @persist: of the ring
 * @kept: from persist_find() or persist_keep()
 */
void persist_put(struct blkback_persist *persist, struct blkback_kept *kept)
{
	if (--kept->users)
		return;
	kept->since = jiffies;
	list_add_tail(&kept->idle, &persist->idle);
	WRITE_ONCE(persist->nr_idle, persist->nr_idle + 1);
}

/**
 * persist_keep() - from now on keep a page that has been mapped
 * @persist: of the ring, with room for it
 * @gref: the guest's name of the page
 * @page: the page
 * @handle: of the mapping
 *
 * Return: the kept page, used by the caller as by persist_find(); or NULL if
 * this one is not kept: there is no memory, or the same has been kept meanwhile.
 */
struct blkback_kept *persist_keep(struct blkback_persist *persist,
				  grant_ref_t gref, struct page *page,
				  grant_handle_t handle)
{
	struct blkback_kept *kept;

	kept = kmalloc(sizeof(*kept), GFP_NOWAIT | __GFP_NOWARN);
	if (!kept)
		return NULL;
	kept->gref = gref;
	kept->page = page;
	kept->handle = handle;
	kept->users = 1;
	if (rhashtable_insert_fast(&persist->kept, &kept->node, by_gref)) {
		kfree(kept);
		return NULL;
	}
	persist->nr++;
	return kept;
}

/**
 * persist_oldest() - the page that has been unused for longest
 * @persist: of the ring
 *
 * A page that somebody below still looks at, as a network disk may, is not the
 * one: it counts as just used.
 *
 * Return: the page, or NULL if none can be let go.
 */
struct blkback_kept *persist_oldest(struct blkback_persist *persist)
{
	struct blkback_kept *kept;

	if (!persist->nr_idle)
		return NULL;
	kept = list_first_entry(&persist->idle, struct blkback_kept, idle);
	if (page_count(kept->page) == 1)
		return kept;
	kept->since = jiffies;
	list_move_tail(&kept->idle, &persist->idle);
	return NULL;
}

/**
 * persist_drop() - keep a page no longer
 * @persist: of the ring
 * @kept: not used; freed. Its page is the caller's to unmap, who has noted it.
 */
void persist_drop(struct blkback_persist *persist, struct blkback_kept *kept)
{
	list_del(&kept->idle);
	WRITE_ONCE(persist->nr_idle, persist->nr_idle - 1);
	persist->nr--;
	rhashtable_remove_fast(&persist->kept, &kept->node, by_gref);
	kfree(kept);
}
