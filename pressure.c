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

/* Call @fn for the rings of a device, unless somebody is changing them. */
static void each_ring(struct blkback_dev *dev,
		      void (*fn)(struct blkback_ring *ring, unsigned long *arg),
		      unsigned long *arg)
{
	unsigned int i;

	if (!mutex_trylock(&dev->conn_lock))
		return;
	for (i = 0; dev->conn && i < dev->conn->nr_rings; i++)
		fn(dev->conn->rings[i], arg);
	mutex_unlock(&dev->conn_lock);
}

static void count_ring(struct blkback_ring *ring, unsigned long *sum)
{
	*sum += READ_ONCE(ring->persist.nr_idle) +
		READ_ONCE(ring->pages.num_pages);
}

static void count_dev(struct blkback_dev *dev, void *sum)
{
	each_ring(dev, count_ring, sum);
}

static void squeeze_ring(struct blkback_ring *ring, unsigned long *left)
{
	struct blkback_conn *conn = ring->conn;
	unsigned long kept = READ_ONCE(ring->persist.nr_idle);
	unsigned long spare = READ_ONCE(ring->pages.num_pages);

	if (!*left || !(kept + spare))
		return;
	kept = min(kept, *left);
	*left -= min(kept + spare, *left);
	WRITE_ONCE(conn->squeezed_until,
		   jiffies + msecs_to_jiffies(READ_ONCE(blkback_squeeze_ms)));
	/* One at least: that is what wakes the ring. */
	atomic_add(max(kept, 1UL), &ring->squeeze);
	wake_up(&ring->wait);
}

static void squeeze_dev(struct blkback_dev *dev, void *left)
{
	each_ring(dev, squeeze_ring, left);
}

static unsigned long count_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long sum = 0;

	blkback_for_each(count_dev, &sum);
	return sum ?: SHRINK_EMPTY;
}

static unsigned long scan_objects(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long left = sc->nr_to_scan;

	blkback_for_each(squeeze_dev, &left);
	return sc->nr_to_scan - left;
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
