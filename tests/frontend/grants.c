// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the backend may map, from the kernel's gntalloc device. It is used
 * without libxengnttab, which cannot grant a page read-only in one piece with
 * others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xen/gntalloc.h>

#include "../../blkif.h"
#include "grants.h"
#include "util.h"

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		broken("/dev/xen/gntalloc: %s", strerror(errno));
	return fd;
}

static struct ioctl_gntalloc_alloc_gref *grant(unsigned int count,
					       unsigned int domid, bool writable)
{
	struct ioctl_gntalloc_alloc_gref *ask;

	ask = zalloc(sizeof(*ask) + count * sizeof(ask->gref_ids[0]));
	ask->domid = domid;
	ask->flags = writable ? GNTALLOC_FLAG_WRITABLE : 0;
	ask->count = count;
	if (ioctl(device(), IOCTL_GNTALLOC_ALLOC_GREF, ask))
		broken("no %u grants: %s", count, strerror(errno));
	return ask;
}

void pages_alloc(struct pages *pages, unsigned int count, unsigned int domid,
		 bool writable)
{
	struct ioctl_gntalloc_alloc_gref *got = grant(count, domid, writable);
	unsigned int i;
	char *memory;

	memory = mmap(NULL, (size_t)count * BLKIF_PAGE_SIZE,
		      PROT_READ | PROT_WRITE, MAP_SHARED, device(), got->index);
	if (memory == MAP_FAILED)
		broken("cannot map %u granted pages: %s", count, strerror(errno));
	pages->page = zalloc(count * sizeof(*pages->page));
	pages->count = count;
	pages->index = got->index;
	for (i = 0; i < count; i++) {
		pages->page[i].data = (void *)(memory + i * BLKIF_PAGE_SIZE);
		pages->page[i].gref = got->gref_ids[i];
	}
	free(got);
}

void pages_free(struct pages *pages)
{
	struct ioctl_gntalloc_dealloc_gref back = {
		.index = pages->index, .count = pages->count,
	};

	if (!pages->count)
		return;
	munmap(pages->page[0].data, (size_t)pages->count * BLKIF_PAGE_SIZE);
	if (ioctl(device(), IOCTL_GNTALLOC_DEALLOC_GREF, &back))
		broken("cannot give grants back: %s", strerror(errno));
	free(pages->page);
	memset(pages, 0, sizeof(*pages));
}

void pool_init(struct pool *pool, unsigned int count, unsigned int domid,
	       bool writable)
{
	pages_alloc(&pool->pages, count, domid, writable);
	pool->idle = zalloc(count * sizeof(*pool->idle));
	for (pool->nr_idle = 0; pool->nr_idle < count; pool->nr_idle++)
		pool->idle[pool->nr_idle] = &pool->pages.page[pool->nr_idle];
}

void pool_free(struct pool *pool)
{
	pages_free(&pool->pages);
	free(pool->idle);
	memset(pool, 0, sizeof(*pool));
}

struct page *pool_get(struct pool *pool)
{
	struct page *page;

	if (!pool->nr_idle)
		return NULL;
	pool->nr_idle--;
	if (!pool->oldest)
		return pool->idle[pool->nr_idle];
	page = pool->idle[0];
	memmove(pool->idle, pool->idle + 1, pool->nr_idle * sizeof(*pool->idle));
	return page;
}

void pool_put(struct pool *pool, struct page *page)
{
	pool->idle[pool->nr_idle++] = page;
}
