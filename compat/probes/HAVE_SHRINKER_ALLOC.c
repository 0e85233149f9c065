// SPDX-License-Identifier: GPL-2.0-only
/*
 * shrinker_alloc(): since c42d50aefd17 "mm: shrinker: add infrastructure for
 * dynamically allocating shrinker", 6.7
 */
#include <linux/shrinker.h>

struct shrinker *probe(void);
struct shrinker *probe(void)
{
	return shrinker_alloc(0, "probe");
}
