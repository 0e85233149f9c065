/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that the backend may map. */
#ifndef GRANTS_H
#define GRANTS_H

#include <linux/types.h>
#include <stdbool.h>

/**
 * struct page - a page of ours that is granted to the backend
 * @data: its memory
 * @gref: its grant reference
 */
struct page {
	unsigned char *data;
	__u32 gref;
};

/**
 * struct pages - some pages that follow each other in our memory
 * @page: each of them
 * @count: how many
 * @index: what the kernel calls the first
 */
struct pages {
	struct page *page;
	unsigned int count;
	__u64 index;
};

void pages_alloc(struct pages *pages, unsigned int count, unsigned int domid,
		 bool writable);

/* Takes the grants back; the kernel does so later where the backend still maps one. */
void pages_free(struct pages *pages);

/**
 * struct pool - pages for data, to be used again and again
 * @pages: all of them
 * @idle: those not in use
 * @nr_idle: how many those are
 * @oldest: hand out what was not used for longest, so that every grant is used
 */
struct pool {
	struct pages pages;
	struct page **idle;
	unsigned int nr_idle;
	bool oldest;
};

void pool_init(struct pool *pool, unsigned int count, unsigned int domid,
	       bool writable);
void pool_free(struct pool *pool);

/* NULL if all are in use. */
struct page *pool_get(struct pool *pool);
void pool_put(struct pool *pool, struct page *page);

#endif /* GRANTS_H */
