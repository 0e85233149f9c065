// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysfs shows of each queue of a disk, in queues/N below the disk's folder, while
 * there is a connection. docs/sysfs.md says what each file means.
 *
 * Whoever reads a file takes no lock and waits for nothing. So the folders can be
 * waited for when they go, which is before what they show goes.
 */
#include <linux/kobject.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "common.h"

/**
 * struct blkback_queue - the folder of a ring in sysfs
 * @kobj: the folder; its last reference frees us
 * @ring: outlives the folder, though perhaps not @kobj
 */
struct blkback_queue {
	struct kobject kobj;
	const struct blkback_ring *ring;
};

/**
 * struct queue_attribute - a file in the folder of a queue
 * @attr: the file
 * @value: what it shows
 * @arg: passed on to @value
 */
struct queue_attribute {
	struct attribute attr;
	u64 (*value)(const struct blkback_ring *ring, u64 arg);
	u64 arg;
};

/* --- values --------------------------------------------------------------- */

static u64 stats(const struct blkback_ring *ring, u64 which)
{
	return stats_sum(ring->stats, which);
}

static u64 bytes(const struct blkback_ring *ring, u64 way)
{
	return READ_ONCE(ring->stats[STAT_DATA + way]) << BLKIF_SECTOR_SHIFT;
}

static u64 errors(const struct blkback_ring *ring, u64 kind)
{
	return READ_ONCE(ring->account->errors[kind]);
}

static u64 out(const struct blkback_ring *ring, u64 unused)
{
	/* Read first, or more would seem to have been answered than taken. */
	u32 answered = smp_load_acquire(&ring->answered);

	return READ_ONCE(ring->taken) - answered;
}

static u64 copied(const struct blkback_ring *ring, u64 unused)
{
	return READ_ONCE(ring->batch->copies.copied) +
	       READ_ONCE(ring->copies.copied);
}

static u64 calls(const struct blkback_ring *ring, u64 unused)
{
	return READ_ONCE(ring->stats[STAT_MAP_CALLS]) +
	       READ_ONCE(ring->batch->copies.calls) +
	       READ_ONCE(ring->copies.calls);
}

static u64 kept(const struct blkback_ring *ring, u64 unused)
{
	return READ_ONCE(ring->persist.nr);
}

static u64 kept_max(const struct blkback_ring *ring, u64 unused)
{
	return ring->persist.max;
}

static u64 events_in(const struct blkback_ring *ring, u64 unused)
{
	return READ_ONCE(ring->events_in);
}

static u64 events_out(const struct blkback_ring *ring, u64 unused)
{
	return READ_ONCE(ring->account->events);
}

static u64 pid(const struct blkback_ring *ring, u64 unused)
{
	return ring_pid(ring);
}

/* --- files ---------------------------------------------------------------- */

#define QUEUE_ATTR(file, getter, argument)				\
static struct queue_attribute attr_##file = {				\
	.attr = { .name = __stringify(file), .mode = 0444 },		\
	.value = (getter),						\
	.arg = (argument),						\
}

QUEUE_ATTR(reads, stats, STATS_READS);
QUEUE_ATTR(writes, stats, STATS_WRITES);
QUEUE_ATTR(flushes, stats, STATS_FLUSHES);
QUEUE_ATTR(barriers, stats, STATS_BARRIERS);
QUEUE_ATTR(discards, stats, STATS_DISCARDS);
QUEUE_ATTR(read_sectors, stats, STATS_READ_SECTORS);
QUEUE_ATTR(write_sectors, stats, STATS_WRITE_SECTORS);
QUEUE_ATTR(discard_sectors, stats, STATS_DISCARD_SECTORS);
QUEUE_ATTR(read_errors, errors, LATENCY_READ);
QUEUE_ATTR(write_errors, errors, LATENCY_WRITE);
QUEUE_ATTR(flush_errors, errors, LATENCY_FLUSH);
QUEUE_ATTR(discard_errors, errors, LATENCY_DISCARD);
QUEUE_ATTR(refused, stats, BIT_ULL(STAT_REFUSED));
QUEUE_ATTR(in_flight, out, 0);
QUEUE_ATTR(out_of_memory, stats, BIT_ULL(STAT_OO_REQ));
QUEUE_ATTR(out_of_budget, stats, BIT_ULL(STAT_OVER));
QUEUE_ATTR(bytes_copied, bytes, DATA_COPIED);
QUEUE_ATTR(bytes_mapped, bytes, DATA_MAPPED);
QUEUE_ATTR(bytes_kept, bytes, DATA_KEPT);
QUEUE_ATTR(grant_maps, stats, BIT_ULL(STAT_MAPS));
QUEUE_ATTR(grant_unmaps, stats, BIT_ULL(STAT_UNMAPS));
QUEUE_ATTR(grant_copies, copied, 0);
QUEUE_ATTR(grant_calls, calls, 0);
QUEUE_ATTR(persistent_grants, kept, 0);
QUEUE_ATTR(persistent_grants_max, kept_max, 0);
QUEUE_ATTR(events_in, events_in, 0);
QUEUE_ATTR(events_out, events_out, 0);
QUEUE_ATTR(wakeups, stats, BIT_ULL(STAT_WAKEUPS));
QUEUE_ATTR(poll_hits, stats, BIT_ULL(STAT_POLL_HITS));
QUEUE_ATTR(poll_misses, stats, BIT_ULL(STAT_POLL_MISSES));
QUEUE_ATTR(pid, pid, 0);

static struct attribute *queue_attrs[] = {
	&attr_reads.attr,
	&attr_writes.attr,
	&attr_flushes.attr,
	&attr_barriers.attr,
	&attr_discards.attr,
	&attr_read_sectors.attr,
	&attr_write_sectors.attr,
	&attr_discard_sectors.attr,
	&attr_read_errors.attr,
	&attr_write_errors.attr,
	&attr_flush_errors.attr,
	&attr_discard_errors.attr,
	&attr_refused.attr,
	&attr_in_flight.attr,
	&attr_out_of_memory.attr,
	&attr_out_of_budget.attr,
	&attr_bytes_copied.attr,
	&attr_bytes_mapped.attr,
	&attr_bytes_kept.attr,
	&attr_grant_maps.attr,
	&attr_grant_unmaps.attr,
	&attr_grant_copies.attr,
	&attr_grant_calls.attr,
	&attr_persistent_grants.attr,
	&attr_persistent_grants_max.attr,
	&attr_events_in.attr,
	&attr_events_out.attr,
	&attr_wakeups.attr,
	&attr_poll_hits.attr,
	&attr_poll_misses.attr,
	&attr_pid.attr,
	NULL,
};
ATTRIBUTE_GROUPS(queue);

static ssize_t queue_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct queue_attribute *file =
		container_of(attr, struct queue_attribute, attr);
	const struct blkback_queue *queue =
		container_of(kobj, struct blkback_queue, kobj);

	return sysfs_emit(buf, "%llu\n", file->value(queue->ring, file->arg));
}

static const struct sysfs_ops queue_ops = {
	.show = queue_show,
};

static void queue_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct blkback_queue, kobj));
}

static const struct kobj_type queue_type = {
	.release = queue_release,
	.sysfs_ops = &queue_ops,
	.default_groups = queue_groups,
};

/* --- folders -------------------------------------------------------------- */

static int queue_add(struct blkback_ring *ring)
{
	struct blkback_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	int err;

	if (!queue)
		return -ENOMEM;
	queue->ring = ring;
	err = kobject_init_and_add(&queue->kobj, &queue_type, ring->conn->queues,
				   "%u", ring->index);
	if (err)
		kobject_put(&queue->kobj);
	else
		ring->queue = queue;
	return err;
}

static void folder_remove(struct kobject *kobj)
{
	kobject_del(kobj);	/* waits for whoever reads in it */
	kobject_put(kobj);
}

/**
 * queues_add() - show the queues of a connection
 * @conn: ready to run
 *
 * What cannot be shown for want of memory is served nevertheless.
 *
 * Context: the device's work, under the lock of the xenbus device.
 */
void queues_add(struct blkback_conn *conn)
{
	struct device *device = &conn->dev->xdev->dev;
	unsigned int i;
	int err = -ENOMEM;

	conn->queues = kobject_create_and_add("queues", &device->kobj);
	if (conn->queues)
		for (i = 0, err = 0; i < conn->nr_rings && !err; i++)
			err = queue_add(conn->rings[i]);
	if (err && budget_says(conn->dev))
		dev_warn(device, "guest %d, disk %s: no memory to show all queues in sysfs: attach it again to see them\n",
			 conn->dev->xdev->otherend_id, conn->dev->name);
}

/**
 * queues_remove() - undo queues_add()
 * @conn: as far as there is one
 *
 * When it returns nobody looks at the rings any more.
 *
 * Context: the device's work; may sleep.
 */
void queues_remove(struct blkback_conn *conn)
{
	unsigned int i;

	for (i = 0; i < conn->nr_rings; i++) {
		struct blkback_ring *ring = conn->rings[i];

		if (ring && ring->queue)
			folder_remove(&ring->queue->kobj);
	}
	if (conn->queues)
		folder_remove(conn->queues);
}
