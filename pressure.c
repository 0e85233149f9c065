// SPDX-License-Identifier: GPL-2.0-only
/*
 * When memory is short: rings let go of guest pages they keep mapped and of spare
 * pages. They do so themselves, since nobody else touches what is theirs; here
 * they are only told.
 */
#include <linux/jiffies.h>
#include <linux/shrinker.h>

#include "common.h"

static struct shrinker *shrinker;

/* Kept pages that a ring could let go and has not been told to. */
static unsigned long kept_by(const struct blkback_ring *ring)
{
	unsigned long kept = READ_ONCE(ring->persist.nr_idle);
	unsigned long told = atomic_read(&ring->squeeze);

	return kept > told ? kept - told : 0;
}

/* Spare pages, unless they are to go already. */
static unsigned long spare_of(const struct blkback_ring *ring)
{
	if (guest_pages_squeezed(ring))
		return 0;
	return READ_ONCE(ring->spare.num_pages) + READ_ONCE(ring->pool.nr);
}

static void count_ring(struct blkback_ring *ring, unsigned long *sum)
{
	*sum += kept_by(ring) + spare_of(ring);
}

static void squeeze_ring(struct blkback_ring *ring, unsigned long *left)
{
	unsigned long kept = min(kept_by(ring), *left);
	unsigned long spare = min(spare_of(ring), *left - kept);

	if (!(kept + spare))
		return;
	*left -= kept + spare;
	if (spare)
		WRITE_ONCE(ring->squeezed_until,
			   jiffies + ring->conn->squeeze_jiffies);
	/* One at least: that is what wakes the ring. */
	atomic_add(max(kept, 1UL), &ring->squeeze);
	ring_wake(ring);
}

static unsigned long count_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long sum = 0;

	blkback_each_ring(count_ring, &sum);
	return sum ?: SHRINK_EMPTY;
}

static unsigned long scan_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long left = sc->nr_to_scan;

	blkback_each_ring(squeeze_ring, &left);
	blkback_rotate();	/* those that come first give most */
	return left < sc->nr_to_scan ? sc->nr_to_scan - left : SHRINK_STOP;
}

/**
 * pressure_init() - listen for word that memory is short
 *
 * Return: 0 or -ENOMEM.
 */
int pressure_init(void)
{
	shrinker = shrinker_alloc(0, "xen-blkback");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count_objects;
	shrinker->scan_objects = scan_objects;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return 0;
}

/**
 * pressure_exit() - undo pressure_init()
 */
void pressure_exit(void)
{
	shrinker_free(shrinker);
}
