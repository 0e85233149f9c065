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
 * struct blkback_persist - the guest pages that a ring keeps mapped
 * @heads: table of all of them, by grant reference
 * @shift: how many bits of a hash to leave out to find the head
 * @salt: for the hash
 * @idle: those not in use, the one used last at the end
 * @nr: of all of them
 * @nr_idle: entries of @idle; also read, as an estimate, when memory is short
 * @max: most that may be kept
 */
struct blkback_persist {
	struct hlist_head *heads;
	u32 shift;
	u32 salt;
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

static inline struct hlist_head *persist_head(struct blkback_persist *persist,
					      grant_ref_t gref)
{
	/* The upper bits of a product with a random odd number are as good as random. */
	return &persist->heads[(gref * persist->salt) >> persist->shift];
}

/*
 * Out of the list, and to its end. Each happens once for each page of each request, so
 * not by list_del() and list_add_tail(), which many kernels have look at both neighbours
 * each time.
 */
static inline void persist_unlink(struct blkback_kept *kept)
{
	__list_del(kept->order.prev, kept->order.next);
}

static inline void persist_append(struct blkback_persist *persist,
				  struct blkback_kept *kept)
{
	struct list_head *end = &persist->idle, *last = end->prev;

	kept->order.prev = last;
	kept->order.next = end;
	last->next = &kept->order;
	end->prev = &kept->order;
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
	struct blkback_kept *kept;

	hlist_for_each_entry(kept, persist_head(persist, gref), node) {
		if (kept->gref != gref)
			continue;
		if (!kept->users++) {
			persist_unlink(kept);
			persist->nr_idle--;
		}
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
static inline bool persist_put(struct blkback_persist *persist,
			       struct blkback_kept *kept)
{
	if (--kept->users)
		return false;
	kept->since = jiffies;
	persist_append(persist, kept);
	persist->nr_idle++;
	return true;
}

#endif /* BLKBACK_PERSIST_H */
