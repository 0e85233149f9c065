/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Persistent grants: guest pages that stay mapped between requests.
 *
 * A frontend that offers this uses the same few pages again and again. Each ring
 * keeps those it has mapped, found by their grant reference. Those that no request
 * uses are in a list, the one used last at its end. So the one to let go first is
 * always at hand, and so is the time when that is due: nothing walks over those that
 * stay.
 *
 * All of it is under the ring's lock.
 */
#ifndef BLKBACK_PERSIST_H
#define BLKBACK_PERSIST_H

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <xen/grant_table.h>

/**
 * struct blkback_kept - a guest page that stays mapped between requests
 * @node: in the list of its head in the ring's table
 * @order: in the list of those not in use; not in use itself while the page is
 * @page: our page, with the guest's behind it
 * @handle: of the mapping; INVALID_GRANT_HANDLE before there is one
 * @gref: the guest's grant reference
 * @users: segments of requests that use it
 * @since: time, in jiffies, when the last of them was done
 */
struct blkback_kept {
	struct hlist_node node;
	struct list_head order;
	struct page *page;
	grant_handle_t handle;
	grant_ref_t gref;
	unsigned int users;
	unsigned long since;
};

/**
 * struct persist_table - where a ring finds a page that it keeps
 * @heads: of lists of all of them, by grant reference
 * @bits: of a reference's hash, which tell its head
 */
struct persist_table {
	struct hlist_head *heads;
	unsigned int bits;
};

/**
 * struct blkback_persist - the guest pages that a ring keeps mapped
 * @table: of all of them; fixed
 * @idle: those not in use, the one used last at the end
 * @nr: of all of them
 * @nr_idle: entries of @idle; also read, as an estimate, when memory is short
 * @max: most that may be kept
 */
struct blkback_persist {
	struct persist_table table;
	struct list_head idle;
	unsigned int nr;
	unsigned int nr_idle;
	unsigned int max;
};

int persist_init(struct blkback_persist *persist, unsigned int max);
void persist_exit(struct blkback_persist *persist);
struct blkback_kept *persist_add(struct blkback_persist *persist,
				 grant_ref_t gref, struct page *page);
unsigned long persist_since(const struct blkback_persist *persist);
struct blkback_kept *persist_oldest(struct blkback_persist *persist);
void persist_drop(struct blkback_persist *persist, struct blkback_kept *kept);

static inline struct hlist_head *persist_head(const struct persist_table *table,
					      grant_ref_t gref)
{
	/*
	 * Spreads references that follow each other, as those of a guest do, as evenly as
	 * can be. A guest may name its pages so that many share a head: it is its own that are
	 * looked for longer then, and a grant table of the usual size has no more than a few
	 * hundred such names.
	 */
	return &table->heads[hash_32(gref, table->bits)];
}

/*
 * The following three happen once for each page of each request. So they leave what is
 * to be counted to those who know of the whole request, and lists are not changed by
 * list_del() and list_add_tail(), which many kernels have look at both neighbours each
 * time.
 */

/**
 * persist_look() - look for a page that is mapped already
 * @table: of the ring, or a copy
 * @gref: the guest's name of the page
 *
 * Return: the page, or NULL.
 */
static inline struct blkback_kept *persist_look(const struct persist_table *table,
						grant_ref_t gref)
{
	struct blkback_kept *kept;

	hlist_for_each_entry(kept, persist_head(table, gref), node)
		if (kept->gref == gref)
			return kept;
	return NULL;
}

/**
 * persist_use() - a request uses a page
 * @kept: from persist_look()
 *
 * Return: whether nobody has: then there is one less in the list of those.
 */
static inline bool persist_use(struct blkback_kept *kept)
{
	if (kept->users++)
		return false;
	__list_del(kept->order.prev, kept->order.next);
	return true;
}

/**
 * persist_leave() - a request does not use a page any more
 * @kept: from persist_use()
 * @now: time, in jiffies
 * @last: end of the line of those that nobody uses, where it may join
 *
 * Return: whether nobody does now: it is the new @last.
 */
static inline bool persist_leave(struct blkback_kept *kept, unsigned long now,
				 struct list_head **last)
{
	if (--kept->users)
		return false;
	kept->since = now;
	kept->order.prev = *last;
	(*last)->next = &kept->order;
	*last = &kept->order;
	return true;
}

/**
 * persist_left() - after one or more persist_leave()
 * @persist: of the ring
 * @last: the end of the line, which was that of @persist's list
 * @nr: how many have joined it
 */
static inline void persist_left(struct blkback_persist *persist,
				struct list_head *last, unsigned int nr)
{
	last->next = &persist->idle;
	persist->idle.prev = last;
	persist->nr_idle += nr;
}

/**
 * persist_find() - look for a page that is mapped already, and use it
 * @persist: of the ring
 * @gref: the guest's name of the page
 *
 * Return: the page, to be given back with persist_put(); or NULL.
 */
static inline struct blkback_kept *persist_find(struct blkback_persist *persist,
						grant_ref_t gref)
{
	struct blkback_kept *kept = persist_look(&persist->table, gref);

	if (kept)
		persist->nr_idle -= persist_use(kept);
	return kept;
}

/**
 * persist_put() - a request does not use a kept page any more
 * @persist: of the ring
 * @kept: from persist_find() or persist_add()
 *
 * Return: whether nobody uses it now.
 */
static inline bool persist_put(struct blkback_persist *persist,
			       struct blkback_kept *kept)
{
	struct list_head *last = persist->idle.prev;
	bool left = persist_leave(kept, jiffies, &last);

	persist_left(persist, last, left);
	return left;
}

#endif /* BLKBACK_PERSIST_H */
