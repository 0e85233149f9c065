// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: everything that exists only while a frontend is there.
 *
 * Runs in the device's work, except where noted. A connection is built as a
 * whole or not at all; conn_destroy() takes away what there is of one, so it is
 * also what a failed conn_create() ends with.
 */
#include <linux/irq.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/events.h>

#include "common.h"

/* The pages that a disk may keep are shared out evenly among its rings. */
static unsigned int persistent_share(const struct blkback_ring *ring)
{
	const struct blkback_conn *conn = ring->conn;
	unsigned int max = min(conn->max_persistent, conn->dev->budget->max_kept);

	return max / conn->nr_rings + (ring->index < max % conn->nr_rings);
}

static int batch_alloc(struct blkback_ring *ring)
{
	struct blkback_batch *batch;

	batch = kvzalloc(sizeof(*ring->batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	ring->batch = batch;
	batch->copies.max = BLKBACK_MAX_SEGMENTS;
	batch->copies.ops = kvcalloc(BLKBACK_MAX_SEGMENTS,
				     sizeof(*batch->copies.ops), GFP_KERNEL);
	batch->copies.reqs = kvcalloc(BLKBACK_MAX_SEGMENTS,
				      sizeof(*batch->copies.reqs), GFP_KERNEL);
	batch->descs = (void *)get_zeroed_page(GFP_KERNEL);
	if (!batch->copies.ops || !batch->copies.reqs || !batch->descs)
		return -ENOMEM;
	return 0;
}

static void batch_free(struct blkback_batch *batch)
{
	if (!batch)
		return;
	free_page((unsigned long)batch->descs);
	kvfree(batch->copies.reqs);
	kvfree(batch->copies.ops);
	kvfree(batch);
}

static int ring_alloc(struct blkback_ring *ring)
{
	ring->account = kzalloc(sizeof(*ring->account), GFP_KERNEL);
	if (!ring->account || req_reserve(ring) || batch_alloc(ring))
		return -ENOMEM;
	if (!ring->conn->persistent)
		return 0;
	return persist_init(&ring->persist, persistent_share(ring));
}

static void ring_init(struct blkback_ring *ring)
{
	rcuwait_init(&ring->wait);
	ring->discards_end = &ring->discards;
	gnttab_page_cache_init(&ring->spare);
	init_llist_head(&ring->finish);
	init_llist_head(&ring->quick);
	tasklet_setup(&ring->answer, answer_quick);
	ring->copies.max = BLKBACK_QUICK_SEGS;
	ring->copies.ops = ring->copy_ops;
	ring->copies.reqs = ring->copy_reqs;
	ring->took = U64_MAX;
	timer_setup(&ring->timer, ring_tidy, 0);
	budget_ring_init(ring);
	ring->taken_at = jiffies;
	ring->round_at = jiffies;
	ring->squeezed_until = jiffies;
	ring->full_until = jiffies;
	spin_lock_init(&ring->lock);
}

static int ring_bind(struct blkback_ring *ring, evtchn_port_t port)
{
	struct blkback_dev *dev = ring->conn->dev;
	int irq;

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(dev->xdev, port,
							    ring_event, 0,
							    ring->name, ring);
	if (irq < 0) {
		blkback_error(dev, irq,
			      "cannot bind event channel %u of ring %u (%pe): the frontend has to allocate it for this domain",
			      port, ring->index, ERR_PTR(irq));
		return irq;
	}
	ring->irq = irq;
	return 0;
}

/*
 * A thread has a long name for whoever looks at /proc, and a short one for whoever traces.
 * Of the first, cut off, the queue would be gone; so the short one has only what tells
 * threads apart: "7b0" for queue 0 of xvdb of guest 7. Where that is not enough, or too
 * much, it is the PID, which has no letter in it. A long name that is short enough is both:
 * the kernel keeps no other one then. What it has to change the short one is not for
 * modules.
 */
static void name_for_traces(const struct blkback_ring *ring)
{
	const char *disk = ring->conn->dev->name;
	size_t xvd = str_has_prefix(disk, "xvd");
	struct task_struct *thread = ring->thread;
	char comm[TASK_COMM_LEN];
	size_t len;

	if (strlen(ring->name) < sizeof(comm))
		return;
	len = snprintf(comm, sizeof(comm), "blkback.%d%s%u", ring->guest,
		       disk + xvd, ring->index);
	if (!xvd || !disk[xvd] || strpbrk(disk, "0123456789") || len >= sizeof(comm))
		snprintf(comm, sizeof(comm), "blkback.%d", task_pid_nr(thread));
	task_lock(thread);
	strscpy_pad(thread->comm, comm, sizeof(thread->comm));
	task_unlock(thread);
}

/* What to do where a thread cannot be made; for want of memory that is said anyway. */
static const char *thread_advice(int err)
{
	switch (err) {
	case -ENOMEM:
		return "";
	case -EAGAIN:
		return ": raise kernel.threads-max and kernel.pid_max, then attach the disk again";
	default:
		return ": attach the disk again";
	}
}

static int ring_make_thread(struct blkback_ring *ring)
{
	struct task_struct *thread;

	thread = kthread_create(ring_thread, ring, "%s", ring->name);
	if (IS_ERR(thread)) {
		blkback_error(ring->conn->dev, PTR_ERR(thread),
			      "cannot start the thread of ring %u (%pe)%s",
			      ring->index, thread, thread_advice(PTR_ERR(thread)));
		return PTR_ERR(thread);
	}
	/* It may end before we have stopped it. */
	ring->thread = get_task_struct(thread);
	name_for_traces(ring);
	return 0;
}

static int ring_create(struct blkback_conn *conn, unsigned int index,
		       struct ring_keys *keys)
{
	struct blkback_dev *dev = conn->dev;
	struct blkback_ring *ring;
	int err;

	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring) {
		blkback_error(dev, -ENOMEM, "no memory for ring %u", index);
		return -ENOMEM;
	}
	conn->rings[index] = ring;
	ring->conn = conn;
	ring->index = index;
	ring->guest = dev->xdev->otherend_id;
	snprintf(ring->name, sizeof(ring->name), "blkback.%d.%s-%u",
		 ring->guest, dev->name, index);
	ring_init(ring);

	err = ring_pages_map(ring, keys->refs);
	if (err)
		return err;
	err = ring_alloc(ring);
	if (err) {
		blkback_error(dev, err, "no memory for the requests of ring %u",
			      index);
		return err;
	}
	return ring_bind(ring, keys->port) ?: ring_make_thread(ring);
}

static void ring_end_thread(struct blkback_ring *ring)
{
	if (!ring->thread)
		return;
	kthread_stop(ring->thread);
	put_task_struct(ring->thread);
}

/* After this nothing of the ring runs, and the guest is rid of it. */
static void ring_detach(struct blkback_ring *ring)
{
	timer_delete_sync(&ring->timer);
	tasklet_kill(&ring->answer);
	if (ring->irq)
		unbind_from_irqhandler(ring->irq, ring);
	ring_pages_unmap(ring);
}

static void ring_free(struct blkback_ring *ring)
{
	budget_ring_exit(ring);
	req_trim(ring);
	copy_trim(ring, 0);
	gnttab_page_cache_shrink(&ring->spare, 0);
	persist_exit(&ring->persist);
	batch_free(ring->batch);
	kvfree(ring->reserve);
	kfree(ring->account);
	kfree(ring);
}

/* Statistics are those of the device, so they survive its connections. */
static void unpublish(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	unsigned int i;

	mutex_lock(&dev->conn_lock);
	if (dev->conn == conn) {
		for (i = 0; i < conn->nr_rings; i++)
			stats_fold(dev->past, conn->rings[i]);
		dev->conn = NULL;
	}
	mutex_unlock(&dev->conn_lock);
}

/* First all keys are read; nothing is mapped if any is missing. */
static int create_rings(struct blkback_conn *conn)
{
	struct ring_keys *keys;
	unsigned int i;
	int err = 0;

	keys = kcalloc(conn->nr_rings, sizeof(*keys), GFP_KERNEL);
	if (!keys) {
		blkback_error(conn->dev, -ENOMEM, "no memory for %u queues",
			      conn->nr_rings);
		return -ENOMEM;
	}
	for (i = 0; i < conn->nr_rings && !err; i++)
		err = read_ring(conn, i, &keys[i]);
	for (i = 0; i < conn->nr_rings && !err; i++)
		err = ring_create(conn, i, &keys[i]);
	kfree(keys);
	return err;
}

/**
 * conn_create() - build what the frontend asks for
 * @dev: its disk is open, and it has no connection
 *
 * Return: a connection whose rings are ready to run; or ERR_PTR() with the
 * reason told, and nothing left mapped, bound or allocated.
 */
struct blkback_conn *conn_create(struct blkback_dev *dev)
{
	struct blkback_conn *conn = read_conn(dev);
	int err;

	if (IS_ERR(conn))
		return conn;
	err = budget_add_queues(dev, conn->nr_rings);
	if (err)
		goto free;
	/* It may outlive the device's driver, but not the code it runs. */
	if (!try_module_get(THIS_MODULE)) {
		err = -ENODEV;
		blkback_error(dev, err,
			      "the module is about to be removed: load it again, then attach the disk again");
		goto give_back;
	}
	blkback_get(dev);
	barrier_init(&conn->barrier, conn->nr_rings);
	err = create_rings(conn);
	if (!err)
		return conn;
	conn_destroy(conn);
	return ERR_PTR(err);
give_back:
	budget_sub_queues(dev, conn->nr_rings);
free:
	kfree(conn);
	return ERR_PTR(err);
}

/*
 * What is to be seen of a connection. Not of a device that is being removed: the folder
 * that it is to be in may be going.
 */
static void show(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	struct device *device = &dev->xdev->dev;

	device_lock(device);
	if (!READ_ONCE(dev->removed)) {
		queues_add(conn);
		debug_add(conn);
	}
	device_unlock(device);
}

/* Readers are waited for, who wait for nothing. */
static void hide(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	struct device *device = &dev->xdev->dev;

	queues_remove(conn);
	device_lock(device);
	debug_remove(dev);
	device_unlock(device);
}

/**
 * conn_start() - let all rings run
 * @conn: from conn_create(); becomes the device's connection
 */
void conn_start(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	unsigned int i;

	mutex_lock(&dev->conn_lock);
	dev->conn = conn;
	mutex_unlock(&dev->conn_lock);
	atomic_set(&conn->running, conn->nr_rings);
	for (i = 0; i < conn->nr_rings; i++)
		wake_up_process(conn->rings[i]->thread);
	show(conn);
}

/**
 * conn_stop() - take no more requests
 * @conn: started
 *
 * Does not wait. When the last request has come home, the device's work is
 * queued and conn_drained() is true.
 */
void conn_stop(struct blkback_conn *conn)
{
	WRITE_ONCE(conn->stopping, true);
	wake_rings(conn);
}

/**
 * conn_drained() - whether a stopped connection has nothing in flight
 * @conn: started
 *
 * Return: true once all its threads have come to their end.
 */
bool conn_drained(const struct blkback_conn *conn)
{
	/* All that they have counted is seen along with it. */
	return !atomic_read_acquire(&conn->running);
}

/**
 * conn_destroy() - take away a connection, as far as there is one
 * @conn: never started, or drained
 */
void conn_destroy(struct blkback_conn *conn)
{
	unsigned int i;

	hide(conn);
	unpublish(conn);
	for (i = 0; i < conn->nr_rings; i++)
		if (conn->rings[i])
			ring_end_thread(conn->rings[i]);
	/* Whoever completed the last requests may still be about to say so. */
	synchronize_rcu();
	for (i = 0; i < conn->nr_rings; i++) {
		if (!conn->rings[i])
			continue;
		ring_detach(conn->rings[i]);
		ring_free(conn->rings[i]);
	}
	budget_sub_queues(conn->dev, conn->nr_rings);
	blkback_put(conn->dev);
	kfree(conn);
	module_put(THIS_MODULE);
}
