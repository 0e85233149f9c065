// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen block backend: the module, and the thread that serves a ring.
 *
 * The way of a request:
 *
 *   fetch     copy the slot, decode and check it, find memory for it
 *   prepare   get the guest's pages, for a whole batch in one hypercall
 *   submit    one bio per request, one plug per batch
 *   complete  the disk is done: on to the ring's list of completions
 *   respond   give the pages back, write the response; one push for all that
 *             is ready, and at most one event
 *
 * A barrier stops fetching on all rings until it is done: see barrier.h.
 *
 * One thread does all of it but "complete", so a ring needs no lock.
 */
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <xen/events.h>
#include <xen/xen.h>

#include "common.h"

/* How long to wait before memory or a busy page is asked for once more. */
#define RETRY_JIFFIES	max(HZ / 100, 1)

/*
 * Most discards of a ring at the disk at a time. They may take long, and the
 * disk's queue is there for others, too.
 */
#define MAX_DISCARDS_OUT	4

static void count(struct blkback_ring *ring, enum blkback_stat what, u64 n)
{
	/* We are the only writer; a 64-bit reader sees all of it or nothing. */
	WRITE_ONCE(ring->stats[what], ring->stats[what] + n);
}

static bool ring_stopped(const struct blkback_ring *ring)
{
	const struct blkback_conn *conn = ring->conn;

	return READ_ONCE(conn->stopping) || READ_ONCE(conn->broken);
}

/* --- fetch ---------------------------------------------------------------- */

static struct blkback_req *req_get(struct blkback_ring *ring,
				   const struct wire_request *wire)
{
	struct blkback_req *req;

	/* There are as many as slots: a ring within its bounds finds one. */
	req = llist_entry(ring->free.first, struct blkback_req, done);
	req->id = wire->id;
	req->sector = wire->sector;
	req->nr_segs = wire->nr_segs;
	req->operation = wire->operation;
	req->status = BLKIF_RSP_OKAY;
	req->secure = wire->secure;
	if (wire->operation == BLKIF_OP_DISCARD)
		req->nr_sectors = wire->nr_sectors;
	if (guest_pages_alloc(ring, req))
		return NULL;
	ring->free.first = req->done.next;
	ring->in_flight++;
	return req;
}

static void req_put(struct blkback_ring *ring, struct blkback_req *req)
{
	guest_pages_free(ring, req);
	req->done.next = ring->free.first;
	ring->free.first = &req->done;
	ring->in_flight--;
}

/* Whether the request may be taken now, or has to wait for a barrier. */
static bool admitted(struct blkback_ring *ring, const struct wire_request *wire)
{
	if (barrier_admits(&ring->conn->barrier, &ring->barrier,
			   wire->operation == BLKIF_OP_WRITE_BARRIER,
			   ring->sring.req_cons, ring->in_flight))
		return true;
	ring->worked = true;	/* not the frontend's fault */
	return false;
}

/*
 * Take the next request off the ring. Return false if it has to wait for the
 * next batch; nothing of what was read is kept then, and it is read anew.
 */
static bool fetch_one(struct blkback_ring *ring, const struct disk_limits *disk)
{
	struct blkback_batch *batch = ring->batch;
	struct wire_request *wire = &batch->wire[batch->nr_reqs];
	u8 slot[BLKIF_MAX_STRIDE];
	struct blkback_req *req;
	int status;

	sring_peek(&ring->sring, slot);
	decode_request(slot, ring->conn->abi, wire);
	status = check_request(wire, disk);
	if (status != BLKIF_RSP_OKAY) {
		sring_take(&ring->sring);
		ring->worked = true;
		sring_respond(&ring->sring, wire->id, wire->operation, status);
		return true;
	}
	if (batch->nr_segs + wire->nr_segs > BLKBACK_MAX_SEGMENTS)
		return false;
	if (!admitted(ring, wire))
		return false;
	req = req_get(ring, wire);
	if (!req) {
		count(ring, STAT_OO_REQ, 1);
		ring->retry = true;
		ring->worked = true;	/* not the frontend's fault */
		return false;
	}
	sring_take(&ring->sring);
	ring->worked = true;
	if (!wire->indirect)	/* no segments: nothing of this is used */
		memcpy(&batch->descs[batch->nr_segs], wire->seg,
		       wire->nr_segs * sizeof(wire->seg[0]));
	batch->nr_segs += wire->nr_segs;
	batch->reqs[batch->nr_reqs++] = req;
	return true;
}

/* The frontend broke the rules of the ring: no more of it, ever. */
static void ring_break(struct blkback_ring *ring)
{
	WRITE_ONCE(ring->conn->broken, true);
	blkback_kick(ring->conn->dev);
}

static void fetch(struct blkback_ring *ring, const struct disk_limits *disk)
{
	int unread = sring_unread(&ring->sring);

	if (unread < 0)
		ring_break(ring);
	ring->batch->nr_reqs = 0;
	ring->batch->nr_segs = 0;
	while (unread-- > 0 && ring->batch->nr_reqs < BLKBACK_BATCH_REQS)
		if (!fetch_one(ring, disk))
			break;
}

/* --- prepare -------------------------------------------------------------- */

static void take_segment(struct blkback_seg *seg,
			 const struct blkif_segment *desc)
{
	seg->gref = desc->gref;
	seg->offset = desc->first_sect * BLKIF_SECTOR_SIZE;
	seg->len = segment_sectors(desc) * BLKIF_SECTOR_SIZE;
}

static void prepare(struct blkback_ring *ring, const struct disk_limits *disk)
{
	struct blkback_batch *batch = ring->batch;
	const struct blkif_segment *desc = batch->descs;
	unsigned int i, k;

	guest_copy_descriptors(ring);
	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		if (req->status == BLKIF_RSP_OKAY)
			req->status = check_segments(&batch->wire[i], desc,
						     disk);
		if (req->status == BLKIF_RSP_OKAY)
			for (k = 0; k < req->nr_segs; k++)
				take_segment(&req->segs[k], &desc[k]);
		desc += req->nr_segs;
	}
	guest_pages_map(ring);
}

/* --- complete ------------------------------------------------------------- */

/*
 * From any context. The ring is freed only after a grace period, so that the
 * thread it wakes may find this request, end the ring, and do no harm.
 */
static void complete_req(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;

	rcu_read_lock();
	if (llist_add(&req->done, &ring->done))
		wake_up(&ring->wait);
	rcu_read_unlock();
}

static void bio_done(struct bio *bio)
{
	struct blkback_req *req = bio->bi_private;

	req->status = vbd_status(bio->bi_status);
	bio_put(bio);
	complete_req(req);
}

/* --- discards ------------------------------------------------------------- */

/*
 * A large one is given to the disk piece by piece, the next one when the last is
 * done; after each it is the others' turn.
 */
static void discard_wait(struct blkback_ring *ring, struct blkback_req *req)
{
	req->done.next = NULL;
	*ring->discards_end = &req->done;
	ring->discards_end = &req->done.next;
}

static struct blkback_req *discard_next(struct blkback_ring *ring)
{
	struct llist_node *node = ring->discards;

	ring->discards = node->next;
	if (!ring->discards)
		ring->discards_end = &ring->discards;
	return llist_entry(node, struct blkback_req, done);
}

/* A piece is done. Return whether there is more of it to do. */
static bool discard_goes_on(struct blkback_ring *ring, struct blkback_req *req)
{
	ring->discards_out--;
	if (!vbd_unfinished(req))
		return false;
	discard_wait(ring, req);
	return true;
}

/* Between two pieces the disk may have been made read-only, or the ring stopped. */
static bool discard_allowed(const struct blkback_ring *ring,
			    const struct disk_limits *disk,
			    const struct blkback_req *req)
{
	return !ring_stopped(ring) && disk->discard &&
	       (!req->secure || disk->secure_erase);
}

static void submit_discards(struct blkback_ring *ring,
			    const struct disk_limits *disk)
{
	while (ring->discards && ring->discards_out < MAX_DISCARDS_OUT) {
		struct blkback_req *req = discard_next(ring);

		ring->discards_out++;
		if (discard_allowed(ring, disk, req)) {
			vbd_submit(&ring->conn->dev->vbd, req, bio_done);
			continue;
		}
		req->status = BLKIF_RSP_ERROR;
		complete_req(req);
	}
}

/* --- submit --------------------------------------------------------------- */

static void count_req(struct blkback_ring *ring, const struct blkback_req *req)
{
	unsigned int i, sectors = 0;

	for (i = 0; i < req->nr_segs; i++)
		sectors += req->segs[i].len / BLKIF_SECTOR_SIZE;
	switch (req->operation) {
	case BLKIF_OP_READ:
		count(ring, STAT_RD_REQ, 1);
		count(ring, STAT_RD_SECT, sectors);
		break;
	case BLKIF_OP_WRITE:
		count(ring, STAT_WR_REQ, 1);
		count(ring, STAT_WR_SECT, sectors);
		break;
	case BLKIF_OP_WRITE_BARRIER:
	case BLKIF_OP_FLUSH_DISKCACHE:
		count(ring, STAT_F_REQ, 1);
		count(ring, STAT_WR_SECT, sectors);
		break;
	case BLKIF_OP_DISCARD:
		count(ring, STAT_DS_REQ, 1);
		break;
	}
}

static void submit(struct blkback_ring *ring)
{
	struct blkback_batch *batch = ring->batch;
	struct blk_plug plug;
	unsigned int i;

	blk_start_plug(&plug);
	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		if (req->status != BLKIF_RSP_OKAY) {
			complete_req(req);
			continue;
		}
		count_req(ring, req);
		if (req->operation == BLKIF_OP_DISCARD)
			discard_wait(ring, req);
		else
			vbd_submit(&ring->conn->dev->vbd, req, bio_done);
	}
	blk_finish_plug(&plug);
}

/* --- respond -------------------------------------------------------------- */

/* All completed requests but those still busy; the oldest first, mostly. */
static struct llist_node *collect_done(struct blkback_ring *ring)
{
	struct llist_node *todo[] = { ring->busy, llist_del_all(&ring->done) };
	struct llist_node *ready = NULL;
	struct blkback_req *req, *next;
	unsigned int i;

	ring->busy = NULL;
	for (i = 0; i < ARRAY_SIZE(todo); i++) {
		llist_for_each_entry_safe(req, next, todo[i], done) {
			struct llist_node **list = &ready;

			if (req->operation == BLKIF_OP_DISCARD &&
			    discard_goes_on(ring, req))
				continue;
			if (guest_pages_busy(req)) {
				list = &ring->busy;
				ring->retry = true;
			}
			req->done.next = *list;
			*list = &req->done;
		}
	}
	return ready;
}

static void respond(struct blkback_ring *ring)
{
	struct llist_node *ready = collect_done(ring);
	struct blkback_req *req, *next;

	/* A frontend may reuse a page as soon as it sees the response. */
	guest_pages_unmap(ring, ready);
	llist_for_each_entry_safe(req, next, ready, done) {
		sring_respond(&ring->sring, req->id, req->operation,
			      req->status);
		req_put(ring, req);
	}
}

/* --- the thread ----------------------------------------------------------- */

static bool ring_ended(const struct blkback_ring *ring)
{
	return READ_ONCE(ring->conn->stopping) && !ring->in_flight;
}

static bool ring_has_work(const struct blkback_ring *ring)
{
	if (!llist_empty(&ring->done) || ring_ended(ring))
		return true;
	if (guest_pages_wanted(ring))
		return true;
	if (ring->retry || ring_stopped(ring))
		return false;
	if (barrier_news(&ring->conn->barrier, &ring->barrier))
		return true;
	return !ring->barrier.held && sring_unread(&ring->sring) != 0;
}

/* Not every resize comes with word of it: see capacity.c. */
static void look_at_disk(struct blkback_ring *ring, struct disk_limits *disk)
{
	*disk = vbd_limits(&ring->conn->dev->vbd);
	if (disk->capacity == ring->capacity)
		return;
	ring->capacity = disk->capacity;
	blkback_kick(ring->conn->dev);
}

/* See how far a barrier is, before anything is taken. */
static void look_at_barrier(struct blkback_ring *ring)
{
	if (!barrier_look(&ring->conn->barrier, &ring->barrier))
		return;
	virt_rmb();	/* the phase before the index that goes with it */
	barrier_mark(&ring->barrier, ring->sring.req_cons +
		     max(sring_unread(&ring->sring), 0));
}

/* What has been taken may have brought a barrier further. */
static void step_barrier(struct blkback_ring *ring)
{
	struct blkback_conn *conn = ring->conn;
	unsigned int i;

	if (!barrier_step(&conn->barrier, &ring->barrier,
			  ring->sring.req_cons, ring->in_flight))
		return;
	for (i = 0; i < conn->nr_rings; i++)
		wake_up(&conn->rings[i]->wait);
}

static void ring_take(struct blkback_ring *ring, const struct disk_limits *disk)
{
	look_at_barrier(ring);
	fetch(ring, disk);
	prepare(ring, disk);
	submit(ring);
	step_barrier(ring);
}

static void ring_serve(struct blkback_ring *ring)
{
	struct disk_limits disk;

	ring->retry = false;
	look_at_disk(ring, &disk);
	respond(ring);
	guest_pages_trim(ring, false);
	if (!ring_stopped(ring))
		ring_take(ring, &disk);
	submit_discards(ring, &disk);
	if (sring_publish(&ring->sring))
		notify_remote_via_irq(ring->irq);
	if (READ_ONCE(blkback_log_stats))
		stats_log(ring);
}

/*
 * Nothing to do just now: ask for an event at the next request, let the event
 * channel deliver it, and sleep. While there is work neither is done, so that
 * a busy ring sees no interrupts.
 */
static void ring_sleep(struct blkback_ring *ring)
{
	long timeout = ring->retry ? RETRY_JIFFIES : guest_pages_timeout(ring);

	sring_arm(&ring->sring);
	if (!ring_has_work(ring) && READ_ONCE(ring->event)) {
		WRITE_ONCE(ring->event, false);
		/* A frontend that sends events for nothing is slowed down. */
		xen_irq_lateeoi(ring->irq,
				ring->worked ? 0 : XEN_EOI_FLAG_SPURIOUS);
		ring->worked = false;
	}
	timeout = wait_event_freezable_timeout(ring->wait,
					       ring_has_work(ring) ||
					       READ_ONCE(ring->event), timeout);
	if (!timeout && !ring->retry)
		guest_pages_trim(ring, true);
}

/**
 * ring_event() - the frontend has sent an event
 * @irq: of the ring's event channel
 * @data: the ring
 *
 * No further one is delivered before the ring's thread has said so.
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t ring_event(int irq, void *data)
{
	struct blkback_ring *ring = data;

	WRITE_ONCE(ring->event, true);
	wake_up(&ring->wait);
	return IRQ_HANDLED;
}

/**
 * ring_thread() - serve a ring until its connection stops
 * @data: the ring
 *
 * Ends when the connection is stopping and the last request has been answered.
 * The thread that ends last queues the device's work, which clears away.
 *
 * Return: 0.
 */
int ring_thread(void *data)
{
	struct blkback_ring *ring = data;
	struct blkback_dev *dev = ring->conn->dev;

	/* Memory that is freed by writing to this very disk is no help. */
	memalloc_noio_save();
	set_freezable();
	while (!ring_ended(ring)) {
		ring_serve(ring);
		if (!ring_has_work(ring))
			ring_sleep(ring);
		try_to_freeze();
		cond_resched();
	}
	while (!guest_pages_forget(ring)) {
		try_to_freeze();
		schedule_timeout_interruptible(RETRY_JIFFIES);
	}
	if (atomic_dec_and_test(&ring->conn->running))
		blkback_kick(dev);
	return 0;
}

/* --- the module ----------------------------------------------------------- */

static int __init blkback_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	params_init();
	err = pressure_init();
	if (err)
		return err;
	err = capacity_init();
	if (err)
		goto no_capacity;
	/* Last: from here on there are devices. */
	err = blkback_xenbus_init();
	if (err)
		goto no_xenbus;
	return 0;

no_xenbus:
	capacity_exit();
no_capacity:
	pressure_exit();
	return err;
}
module_init(blkback_init);

static void __exit blkback_exit(void)
{
	/* First: it queues work, and the end of the work is waited for. */
	capacity_exit();
	blkback_xenbus_exit();
	pressure_exit();
}
module_exit(blkback_exit);

MODULE_DESCRIPTION("Xen block device backend");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:vbd");
