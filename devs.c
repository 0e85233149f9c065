// SPDX-License-Identifier: GPL-2.0-only
/*
 * All devices, so that word about a disk or from xenstore finds them, and so does whoever
 * is short of memory.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "common.h"

/* The lock is taken where memory is being freed: nothing may be allocated under it. */
static LIST_HEAD(devs);
static DEFINE_SPINLOCK(devs_lock);

/* Two disks of a guest; then the second one is called by its number. */
static bool have_same_name(const struct blkback_dev *dev,
			   const struct blkback_dev *new)
{
	return dev->xdev->otherend_id == new->xdev->otherend_id &&
	       !strcmp(dev->name, new->name);
}

/**
 * blkback_remember() - put a new device on the list
 * @new: the device; it may get another name, and what xenstore says of its state
 *
 * There may be one that was unbound from the same xenbus device and still has requests
 * out; two at a time would serve one ring.
 *
 * Context: the device's probe.
 * Return: 0, or -EBUSY if there is such a one.
 */
int blkback_remember(struct blkback_dev *new)
{
	struct blkback_dev *dev;
	int err = 0;

	spin_lock(&devs_lock);
	list_for_each_entry(dev, &devs, all) {
		if (dev->xdev == new->xdev)
			err = -EBUSY;
		if (have_same_name(dev, new))
			strscpy(new->name, kbasename(new->xdev->nodename),
				sizeof(new->name));
	}
	if (!err) {
		/* Nobody else tells any more. */
		new->told = new->xdev->state;
		list_add(&new->all, &devs);
	}
	spin_unlock(&devs_lock);
	return err;
}

/**
 * blkback_forget() - take a device off the list
 * @dev: the device; closed for good
 *
 * Context: the device's work.
 */
void blkback_forget(struct blkback_dev *dev)
{
	spin_lock(&devs_lock);
	list_del_init(&dev->all);
	spin_unlock(&devs_lock);
}

static bool is_within(const char *path, const char *dir)
{
	size_t len = str_has_prefix(path, dir);

	return len && (!path[len] || path[len] == '/');
}

/**
 * blkback_find_by_path() - whose directory in xenstore has a path in it
 * @path: where something has happened
 *
 * What happens above a directory is word for all below: these devices are kicked.
 *
 * Context: xenwatch.
 * Return: the device, to be given back with blkback_put(); or NULL.
 */
struct blkback_dev *blkback_find_by_path(const char *path)
{
	struct blkback_dev *dev, *found = NULL;

	spin_lock(&devs_lock);
	list_for_each_entry(dev, &devs, all) {
		if (READ_ONCE(dev->removed))
			continue;
		if (is_within(path, dev->xdev->nodename)) {
			found = dev;
			blkback_get(found);
			break;
		}
		if (is_within(dev->xdev->nodename, path))
			blkback_kick(dev);
	}
	spin_unlock(&devs_lock);
	return found;
}

/**
 * blkback_kick_disk() - have all devices on a disk look where things stand
 * @devt: number of the disk
 *
 * Context: any but interrupts.
 */
void blkback_kick_disk(dev_t devt)
{
	struct blkback_dev *dev;

	spin_lock(&devs_lock);
	list_for_each_entry(dev, &devs, all)
		if (READ_ONCE(dev->vbd.devt) == devt)
			blkback_kick(dev);
	spin_unlock(&devs_lock);
}

/**
 * blkback_each_ring() - call a function for each ring there is
 * @fn: must not sleep
 * @arg: passed on
 *
 * A device whose connection is being made or taken away just now is left out.
 *
 * Context: any but interrupts; also where memory is being freed.
 */
void blkback_each_ring(void (*fn)(struct blkback_ring *ring, unsigned long *arg),
		       unsigned long *arg)
{
	struct blkback_dev *dev;
	unsigned int i;

	spin_lock(&devs_lock);
	list_for_each_entry(dev, &devs, all) {
		/* Nobody who has it may be waited for under a spinlock. */
		if (!mutex_trylock(&dev->conn_lock))
			continue;
		for (i = 0; dev->conn && i < dev->conn->nr_rings; i++)
			fn(dev->conn->rings[i], arg);
		mutex_unlock(&dev->conn_lock);
	}
	spin_unlock(&devs_lock);
}

/**
 * blkback_rotate() - the next blkback_each_ring() is to begin with another device
 *
 * Context: any but interrupts; also where memory is being freed.
 */
void blkback_rotate(void)
{
	spin_lock(&devs_lock);
	list_rotate_left(&devs);
	spin_unlock(&devs_lock);
}
