// SPDX-License-Identifier: GPL-2.0-only
/*
 * Persistent grants: the table, and what goes first. See persist.h.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "persist.h"

/* For whoever sets max_persistent_grants to millions: a table has its limits. */
#define MAX_HEADS	65536U

/**
 * persist_init() - prepare a ring to keep pages
 * @persist: of the ring
 * @max: most pages to keep
 *
 * Return: 0 or -ENOMEM.
 */
int persist_init(struct blkback_persist *persist, unsigned int max)
{
	/* Two to a head, when all are kept. */
	unsigned int heads = roundup_pow_of_two(clamp(max / 2, 2U, MAX_HEADS));
	struct persist_table *table = &persist->table;

	table->heads = kvcalloc(heads, sizeof(*table->heads), GFP_KERNEL);
	if (!table->heads)
		return -ENOMEM;
	table->bits = ilog2(heads);
	persist->max = max;
	INIT_LIST_HEAD(&persist->idle);
	return 0;
}

/**
 * persist_exit() - undo persist_init()
 * @persist: keeps no page any more
 */
void persist_exit(struct blkback_persist *persist)
{
	kvfree(persist->table.heads);
}

/**
 * persist_add() - from now on keep a page
 * @persist: of the ring, with room for it
 * @gref: the guest's name of the page, not kept yet
 * @page: ours to map it to
 *
 * Return: the kept page, used by the caller as by persist_find(), to be mapped;
 * or NULL if there is no memory.
 */
struct blkback_kept *persist_add(struct blkback_persist *persist,
				 grant_ref_t gref, struct page *page)
{
	struct blkback_kept *kept;

	kept = kmalloc(sizeof(*kept), GFP_NOWAIT | __GFP_NOWARN);
	if (!kept)
		return NULL;
	kept->gref = gref;
	kept->page = page;
	kept->handle = INVALID_GRANT_HANDLE;
	kept->users = 1;
	hlist_add_head(&kept->node, persist_head(&persist->table, gref));
	persist->nr++;
	return kept;
}

/**
 * persist_since() - since when a page has not been used, at most
 * @persist: of the ring; has a page that is not used
 *
 * Return: the time, in jiffies.
 */
unsigned long persist_since(const struct blkback_persist *persist)
{
	return list_first_entry(&persist->idle, struct blkback_kept, order)->since;
}

/**
 * persist_oldest() - the page that has been unused for longest
 * @persist: of the ring
 *
 * A page that somebody below still looks at, as a network disk may, is not the
 * one: it counts as just used.
 *
 * Return: the page, or NULL if that cannot be let go just now.
 */
struct blkback_kept *persist_oldest(struct blkback_persist *persist)
{
	struct blkback_kept *kept;

	if (!persist->nr_idle)
		return NULL;
	kept = list_first_entry(&persist->idle, struct blkback_kept, order);
	if (page_count(kept->page) == 1)
		return kept;
	kept->since = jiffies;
	list_move_tail(&kept->order, &persist->idle);
	return NULL;
}

/**
 * persist_drop() - keep a page no longer
 * @persist: of the ring
 * @kept: not used; freed. Its page is the caller's to unmap, who has noted it.
 */
void persist_drop(struct blkback_persist *persist, struct blkback_kept *kept)
{
	list_del(&kept->order);
	hlist_del(&kept->node);
	persist->nr--;
	persist->nr_idle--;
	kfree(kept);
}
