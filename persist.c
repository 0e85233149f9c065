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
 * All of it is under the ring's lock.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "common.h"

/* For whoever sets max_persistent_grants to millions: a table has its limits. */
#define MAX_HEADS	4096U

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

	persist->heads = kvcalloc(heads, sizeof(*persist->heads), GFP_KERNEL);
	if (!persist->heads)
		return -ENOMEM;
	persist->shift = 32 - ilog2(heads);
	/* No guest is to know which pages share a head. */
	persist->salt = get_random_u32() | 1;
	persist->max = max;
	return 0;
}

/**
 * persist_exit() - undo persist_init()
 * @persist: keeps no page any more
 */
void persist_exit(struct blkback_persist *persist)
{
	kvfree(persist->heads);
}

static struct hlist_head *head_of(const struct blkback_persist *persist,
				  grant_ref_t gref)
{
	/* The upper bits of a product with a random odd number are as good as random. */
	return &persist->heads[(gref * persist->salt) >> persist->shift];
}

static void make_idle(struct blkback_persist *persist,
		      struct blkback_kept *kept)
{
	kept->since = jiffies;
	list_add_tail(&kept->idle, &persist->idle);
	WRITE_ONCE(persist->nr_idle, persist->nr_idle + 1);
}

static void end_idle(struct blkback_persist *persist, struct blkback_kept *kept)
{
	list_del(&kept->idle);
	WRITE_ONCE(persist->nr_idle, persist->nr_idle - 1);
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

	hlist_for_each_entry(kept, head_of(persist, gref), node) {
		if (kept->gref != gref)
			continue;
		if (!kept->users++)
			end_idle(persist, kept);
		return kept;
	}
	return NULL;
}

/**
 * persist_put() - a request does not use a kept page any more
 * @persist: of the ring
 * @kept: from persist_find() or persist_add()
 *
 * Return: whether nobody uses it now.
 */
bool persist_put(struct blkback_persist *persist, struct blkback_kept *kept)
{
	if (--kept->users)
		return false;
	make_idle(persist, kept);
	return true;
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
	hlist_add_head(&kept->node, head_of(persist, gref));
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
	return list_first_entry(&persist->idle, struct blkback_kept, idle)->since;
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
	kept = list_first_entry(&persist->idle, struct blkback_kept, idle);
	if (page_count(kept->page) == 1)
		return kept;
	end_idle(persist, kept);
	make_idle(persist, kept);
	return NULL;
}

/**
 * persist_drop() - keep a page no longer
 * @persist: of the ring
 * @kept: not used; freed. Its page is the caller's to unmap, who has noted it.
 */
void persist_drop(struct blkback_persist *persist, struct blkback_kept *kept)
{
	end_idle(persist, kept);
	hlist_del(&kept->node);
	persist->nr--;
	kfree(kept);
}
