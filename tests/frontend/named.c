// SPDX-License-Identifier: GPL-2.0-only
/* Names for grants. */
#include <string.h>

#include "args.h"
#include "named.h"

/* A reference that no guest of ours has ever granted. */
#define BAD_GREF	4000000000u
/* No domain has such a number. */
#define ELSEWHERE	32000

static __u32 of_pool(const struct pool *pool, const char *number)
{
	__u64 i = number_from("page of the pool", number);

	if (i >= pool->pages.count)
		broken("the pool has only %u pages", pool->pages.count);
	return pool->pages.page[i].gref;
}

static __u32 of_ring(struct frontend *fe, const char *number)
{
	__u64 queue = number_from("queue", number);

	if (queue >= conn_current(fe)->set.queues)
		broken("there is no queue %llu", queue);
	return fe->conn->rings[queue].pages.page[0].gref;
}

static __u32 granted_elsewhere(struct frontend *fe)
{
	if (!fe->elsewhere.count)
		pages_alloc(&fe->elsewhere, 1, ELSEWHERE, true);
	return fe->elsewhere.page[0].gref;
}

/* As long as nothing else is granted, nothing else has this number. */
static __u32 revoked(struct frontend *fe)
{
	struct pages page;
	__u32 gref;

	pages_alloc(&page, 1, fe->vbd.domid, true);
	gref = page.page[0].gref;
	pages_free(&page);
	return gref;
}

__u32 grant_named(struct frontend *fe, const char *name)
{
	if (!strcmp(name, "bad"))
		return BAD_GREF;
	if (!strcmp(name, "elsewhere"))
		return granted_elsewhere(fe);
	if (!strcmp(name, "revoked"))
		return revoked(fe);
	if (!strncmp(name, "pool", 4))
		return of_pool(&fe->pool, name + 4);
	if (!strncmp(name, "ro", 2))
		return of_pool(&fe->readonly, name + 2);
	if (!strncmp(name, "ring", 4))
		return of_ring(fe, name + 4);
	return number_from("grant", name);
}
