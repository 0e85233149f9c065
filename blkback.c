// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen block backend: the module, and the thread that serves a ring.
 *
 * The way of a request:
 *
 *   fetch     copy the slot, decode and check it, find memory for it
 *   prepare   get the guest's data or pages, for a whole batch in one hypercall
 *   submit    one bio per request, one plug per batch
 *   complete  the disk is done: on to a list of the ring's
 *   respond   give data or pages back, write the response; one push for all that
 *             is ready, and at most one event
 *
 * A barrier stops fetching on all rings until it is done: see barrier.h.
 *
 * A ring's thread does all of it but "complete", unless the disk is one that it
 * asks: see iopoll.c. What completes elsewhere and is quickly answered is answered by a
 * tasklet of the ring, so that no thread needs to wake up for them; what it shares
 * with the thread is under the ring's lock.
 */
#include <linux/freezer.h>
#include <linux/ioprio.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <xen/events.h>
#include <xen/xen.h>

#include "common.h"
#include "trace.h"

/*
 * How long to wait before memory, pages of the guest's budget or a busy page are looked for
 * once more; twice as long each time that it was in vain, up to eight times as long.
 */
#define RETRY_JIFFIES	max(HZ / 100, 1)
#define MAX_RETRIES	3

/*
 * The disk's own requests are allocated so many at a time. More would not be found
 * in one piece where a disk has few: see __sbitmap_queue_get_batch().
 */
#define MAX_TAGS_AT_ONCE	8U

/* --- fetch ---------------------------------------------------------------- */

static struct blkback_req *req_get(struct blkback_ring *ring,
				   const struct wire_request *wire)
{
	struct blkback_req *req = req_alloc(ring, wire->nr_segs);

	if (!req)
		return NULL;
	req->id = wire->id;
	req->sector = wire->sector;
	req->nr_sectors = 0;
	req->operation = wire->operation;
	req->status = BLKIF_RSP_OKAY;
	req->secure = wire->secure;
	req->timed = false;
	req->given_at = 0;
	req->done_at = 0;
	if (wire->operation == BLKIF_OP_DISCARD)
		req->nr_sectors = wire->nr_sectors;
	if (!guest_pages_reserve(ring, req))
		return req;
	req_free_here(ring, req);
	return NULL;
}

/* Whether the request may be taken now, or has to wait for a barrier. */
static bool admitted(struct blkback_ring *ring, const struct wire_request *wire)
{
	bool is_barrier = wire->operation == BLKIF_OP_WRITE_BARRIER;

	return !barrier_concerns(&ring->barrier, is_barrier) ||
	       barrier_admits(&ring->conn->barrier, &ring->barrier, is_barrier,
			      ring->sring.req_cons, in_flight(ring));
}

/* Whether the guest's budget has pages for the request. */
static bool affordable(struct blkback_ring *ring, const struct wire_request *wire)
{
	if (ring->batch->nr_segs + wire->nr_segs <= ring->batch->room ||
	    budget_covers(ring, wire->nr_segs))
		return true;
	/* What the batch has now may count for less when it is at the disk. */
	if (!ring->batch->nr_reqs) {
		count(ring, STAT_OVER, 1);
		ring->retry = true;
	}
	return false;
}

static void refuse(struct blkback_ring *ring, const struct wire_request *wire,
		   int status)
{
	sring_take(&ring->sring);
	ring->worked = true;
	ring->refused = true;
	spin_lock_bh(&ring->lock);
	sring_respond(&ring->sring, wire->id, wire->operation, status);
	spin_unlock_bh(&ring->lock);
	count(ring, STAT_REFUSED, 1);
	trace_blkback_fetch(ring, wire, status);
}

static void take(struct blkback_ring *ring, const struct wire_request *wire,
		 struct blkback_req *req)
{
	struct blkback_batch *batch = ring->batch;

	sring_take(&ring->sring);
	ring->worked = true;
	ring->taken++;
	ring->taken_at = jiffies;
	ring->untidy = true;
	batch->nr_segs += req->nr_segs;
	batch->indirect |= wire->indirect;
	batch->reqs[batch->nr_reqs++] = req;
	trace_blkback_fetch(ring, wire, BLKIF_RSP_OKAY);
}

/*
 * Take the next request off the ring. Return false if it has to wait for the
 * next batch; nothing of what was read is kept then, and it is read anew.
 */
static bool fetch_one(struct blkback_ring *ring, const struct disk_limits *disk)
{
	struct blkback_batch *batch = ring->batch;
	struct wire_request *wire = &batch->wire[batch->nr_reqs];
	struct blkback_req *req;
	int status;

	sring_peek(&ring->sring, batch->slot);
	decode_request(batch->slot, ring->conn->abi, wire);
	status = check_request(wire, disk);
	if (status != BLKIF_RSP_OKAY) {
		refuse(ring, wire, status);
		return true;
	}
	if (batch->nr_segs + wire->nr_segs > BLKBACK_MAX_SEGMENTS)
		return false;
	if (!admitted(ring, wire) || !affordable(ring, wire))
		return false;
	req = req_get(ring, wire);
	if (!req) {
		count(ring, STAT_OO_REQ, 1);
		ring->retry = true;
		return false;
	}
	take(ring, wire, req);
	return true;
}

/* The frontend broke the rules of the ring: no more of it, ever. */
static void ring_break(struct blkback_ring *ring)
{
	WRITE_ONCE(ring->conn->broken, true);
	blkback_kick(ring->conn->dev);
}

static u64 known_since(struct blkback_ring *ring, int unread)
{
	u32 cons = ring->sring.req_cons;

	return arrival_look(&ring->arrival, cons, cons + max(unread, 0),
			    READ_ONCE(ring->event_at));
}

static void fetch(struct blkback_ring *ring, const struct disk_limits *disk)
{
	struct blkback_batch *batch = ring->batch;
	int unread = sring_unread(&ring->sring);

	if (unread < 0)
		ring_break(ring);
	batch->known_at = known_since(ring, unread);
	batch->nr_reqs = 0;
	batch->nr_segs = 0;
	batch->nr_copied = 0;
	batch->nr_mapped = 0;
	batch->indirect = false;
	batch->room = budget_room(ring);
	WRITE_ONCE(ring->wants_turn, false);
	while (unread-- > 0 && batch->nr_reqs < BLKBACK_BATCH_REQS)
		if (!fetch_one(ring, disk))
			break;
}

/* --- prepare -------------------------------------------------------------- */

/* Return BLKIF_RSP_OKAY, or the status to answer with: then what was taken means nothing. */
static int take_segments(struct blkback_req *req, const struct wire_request *wire,
			 const struct blkif_segment *desc,
			 const struct disk_limits *disk)
{
	unsigned int i, nr_segs = req->nr_segs;
	union blkback_seg *segs = req->segs;
	struct segment_sum sum = { 0 };
	int status;

	for (i = 0; i < nr_segs; i++) {
		unsigned int sectors = segment_add(&sum, &desc[i]);

		segs[i].gref = desc[i].gref;
		req->vecs[i].bv_offset = desc[i].first_sect * BLKIF_SECTOR_SIZE;
		req->vecs[i].bv_len = sectors * BLKIF_SECTOR_SIZE;
	}
	status = check_segments(wire, &sum, disk);
	if (status == BLKIF_RSP_OKAY)
		req->nr_sectors += sum.sectors;
	return status;
}

static void prepare(struct blkback_ring *ring, const struct disk_limits *disk)
{
	struct blkback_batch *batch = ring->batch;
	const struct blkif_segment *descs = batch->descs;
	unsigned int i;

	if (!batch->nr_reqs)
		return;
	if (batch->indirect)
		copy_descriptors(ring);
	for (i = 0; i < batch->nr_reqs; i++) {
		const struct wire_request *wire = &batch->wire[i];
		struct blkback_req *req = batch->reqs[i];
		const struct blkif_segment *desc = wire->seg;

		if (wire->indirect) {
			desc = descs;
			descs += wire->nr_segs;
		}
		if (req->status == BLKIF_RSP_OKAY)
			req->status = take_segments(req, wire, desc, disk);
	}
	guest_pages_get(ring);
}

/* --- submit --------------------------------------------------------------- */

/*
 * Whether a request of the batch goes on where the one before it ends, or the next one
 * goes on where it ends itself.
 */
static bool adjoins(const struct blkback_ring *ring, unsigned int i)
{
	const struct blkback_batch *batch = ring->batch;
	const struct blkback_req *req = batch->reqs[i];

	return req->sector == ring->next_sector ||
	       (i + 1 < batch->nr_reqs &&
		batch->reqs[i + 1]->sector == req->sector + req->nr_sectors);
}

static blk_opf_t submit_flags(struct blkback_ring *ring, unsigned int i,
			      blk_opf_t nomerge)
{
	struct blkback_req *req = ring->batch->reqs[i];
	blk_opf_t flags = adjoins(ring, i) ? 0 : nomerge;

	ring->next_sector = req->sector + req->nr_sectors;
	if (ring->batch->nr_reqs == 1 && ring->poll.max)
		flags |= iopoll_begin(ring, req);
	return flags;
}

/*
 * How many of the disk's own requests each of a batch will need: the block layer cuts up
 * what is too long. Guessed by the first one, as most batches are of one size.
 */
static unsigned int tags_each(const struct blkback_ring *ring)
{
	struct request_queue *q = bdev_get_queue(ring->conn->dev->vbd.bdev);
	const struct blkback_req *req = ring->batch->reqs[0];
	/* A discard goes its own way, and may be of more sectors than 32 bits can tell. */
	u32 sectors = req->nr_segs ? req->nr_sectors : 0, max = queue_max_sectors(q);

	return sectors <= max ? 1 : min(DIV_ROUND_UP(sectors, max), MAX_TAGS_AT_ONCE);
}

static void submit(struct blkback_ring *ring)
{
	const struct blkback_vbd *vbd = &ring->conn->dev->vbd;
	struct blkback_batch *batch = ring->batch;
	unsigned int i, waited, tags, step;
	struct blk_plug plug;
	blk_opf_t nomerge;
	u64 now;

	if (!batch->nr_reqs)
		return;
	ring->retries = 0;
	now = look_at_clock(ring);
	waited = latency_bucket(now - batch->known_at);
	nomerge = vbd_nomerge(vbd);
	tags = tags_each(ring);
	step = MAX_TAGS_AT_ONCE / tags;
	blk_start_plug(&plug);
	for (i = 0; i < batch->nr_reqs; i++) {
		struct blkback_req *req = batch->reqs[i];

		if (!(i & (step - 1)))	/* a power of two, as the quotient of 8 is */
			plug.nr_ios = min((batch->nr_reqs - i) * tags, MAX_TAGS_AT_ONCE);
		if (req->status != BLKIF_RSP_OKAY) {
			count(ring, STAT_REFUSED, 1);
			answer_req(req);
			continue;
		}
		req->known_at = batch->known_at;
		if (req->operation == BLKIF_OP_DISCARD) {
			discard_wait(ring, req);
			continue;
		}
		req_given(ring, req, now, waited);
		vbd_submit(vbd, req, submit_flags(ring, i, nomerge), answer_bio);
	}
	blk_finish_plug(&plug);
}

/* --- the thread ----------------------------------------------------------- */

static bool ring_ended(const struct blkback_ring *ring)
{
	return READ_ONCE(ring->conn->stopping) && !in_flight(ring);
}

/* Whether there may be more to do as soon as a request has been answered. */
static bool heeds_answers(const struct blkback_ring *ring)
{
	return ring->retry || ring_overdrawn(ring) ||
	       ring->barrier.phase != BARRIER_NONE;
}

static bool ring_has_work(const struct blkback_ring *ring)
{
	if (!llist_empty(&ring->finish) || ring->here || ring_ended(ring))
		return true;
	if (discard_due(ring) || guest_pages_wanted(ring) ||
	    READ_ONCE(ring->tidy) || settings_changed(ring))
		return true;
	if (heeds_answers(ring) && READ_ONCE(ring->answered) != ring->seen)
		return true;
	if (ring->asked || ring_stopped(ring))
		return false;
	if (barrier_news(&ring->conn->barrier, &ring->barrier) || budget_turn_waits(ring))
		return true;
	return !ring->retry && !ring->barrier.held && sring_unread(&ring->sring) != 0;
}

/* Not every resize comes with word of it: see capacity.c. */
static void look_at_disk(struct blkback_ring *ring, struct disk_limits *disk)
{
	*disk = vbd_limits(&ring->conn->dev->vbd);
	disk->max_indirect = ring->conn->max_indirect;
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

	if (barrier_step(&conn->barrier, &ring->barrier, ring->sring.req_cons,
			 in_flight(ring)))
		wake_rings(conn);
}

static void ring_take(struct blkback_ring *ring, const struct disk_limits *disk)
{
	look_at_barrier(ring);
	fetch(ring, disk);
	prepare(ring, disk);
	submit(ring);
}

static void ring_serve(struct blkback_ring *ring)
{
	struct disk_limits disk;
	bool takes;

	if (settings_changed(ring))
		settings_take(ring);
	ring->prio = ring->ioprio ?: get_current_ioprio();
	ring->retry = false;
	look_at_disk(ring, &disk);
	iopoll(ring);
	answer_all(ring);
	/* What was given back with the answers is seen along with them. */
	ring->seen = smp_load_acquire(&ring->answered);
	guest_pages_settle(ring);
	WRITE_ONCE(ring->tidy, false);
	guest_pages_trim(ring);
	takes = !ring->asked && !ring_stopped(ring);
	if (takes)
		ring_take(ring, &disk);
	discard_submit(ring, &disk);
	answer_all(ring);
	guest_pages_settle(ring);
	if (takes)
		step_barrier(ring);
	if (READ_ONCE(blkback_log_stats))
		stats_log(ring);
}

static bool found_awake(struct blkback_ring *ring)
{
	u64 left = iopoll_left(ring);

	/* A disk that is late is asked now and then, by whoever calls this. */
	if ((ring->asked && !left) || !poll_begin(&ring->poll, left))
		return false;
	while (poll_goes_on(&ring->poll)) {
		iopoll(ring);
		if (ring_has_work(ring)) {
			arrival_awake(&ring->arrival, ring->sring.req_cons,
				      ktime_get_ns());
			if (!left)	/* a request, not the disk's answer */
				poll_found(&ring->poll);
			count(ring, STAT_POLL_HITS, 1);
			return true;
		}
	}
	count(ring, STAT_POLL_MISSES, 1);
	return false;
}

/* A busy ring sleeps often: the timer is left alone unless it is due too late. */
static void set_timer(struct blkback_ring *ring)
{
	long timeout = guest_pages_timeout(ring);

	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return;
	if (!timer_pending(&ring->timer) ||
	    time_before(jiffies + timeout, READ_ONCE(ring->timer.expires)))
		mod_timer(&ring->timer, jiffies + timeout);
}

static void pause(struct blkback_ring *ring)
{
	if (!ring->retry && !ring->busy)
		schedule();
	else if (!schedule_timeout(RETRY_JIFFIES << ring->retries) && ring->retries < MAX_RETRIES)
		ring->retries++;
}

static void give_eoi(struct blkback_ring *ring)
{
	if (!READ_ONCE(ring->event))
		return;
	WRITE_ONCE(ring->event, false);
	/*
	 * A frontend that sends events for nothing is slowed down. Some kernels note on which
	 * CPU, and rely on staying there.
	 */
	preempt_disable();
	xen_irq_lateeoi(ring->irq, ring->worked ? 0 : XEN_EOI_FLAG_SPURIOUS);
	preempt_enable();
	ring->worked = false;
}

/*
 * Nothing to do just now: ask for an event at the next request, let the event
 * channel deliver it, and sleep. While there is work neither is done, so that
 * a busy ring sees no interrupts.
 *
 * Whoever has something to do for the ring says so first and wakes it then, and the ring
 * looks after it has said that it sleeps.
 */
static void ring_sleep(struct blkback_ring *ring)
{
	set_timer(ring);
	WRITE_ONCE(ring->heeds, heeds_answers(ring));
	prepare_to_rcuwait(&ring->wait);
	set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
	sring_arm(&ring->sring);
	if (!ring_has_work(ring)) {
		give_eoi(ring);
		if (!READ_ONCE(ring->event))
			pause(ring);
	}
	finish_rcuwait(&ring->wait);
	poll_slept(&ring->poll);
}

static void ring_wait(struct blkback_ring *ring)
{
	unsigned long slept;

	if (found_awake(ring))
		return;
	slept = current->nvcsw;
	if (ring->asked)
		iopoll_pause(ring);
	else
		ring_sleep(ring);
	/* Not if there was something to do after all. */
	count(ring, STAT_WAKEUPS, current->nvcsw - slept);
}

/**
 * ring_tidy() - it is time to look for what need not be kept
 * @timer: of the ring
 */
void ring_tidy(struct timer_list *timer)
{
	struct blkback_ring *ring = container_of(timer, struct blkback_ring,
						 timer);

	WRITE_ONCE(ring->tidy, true);
	ring_wake(ring);
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

	WRITE_ONCE(ring->event_at, ktime_get_ns());
	WRITE_ONCE(ring->events_in, ring->events_in + 1);
	WRITE_ONCE(ring->event, true);
	ring_wake(ring);
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
	arrival_init(&ring->arrival, ring->sring.req_cons, ktime_get_ns());
	while (!ring_ended(ring)) {
		ring_serve(ring);
		if (!ring_has_work(ring))
			ring_wait(ring);
		if (!iopoll_in_time(ring))
			try_to_freeze();
		cond_resched();
	}
	settings_leave();
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
	debug_init();
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
	debug_exit();
	pressure_exit();
	return err;
}
module_init(blkback_init);

static void __exit blkback_exit(void)
{
	/* First: it queues work, and the end of the work is waited for. */
	capacity_exit();
	blkback_xenbus_exit();
	debug_exit();
	pressure_exit();
}
module_exit(blkback_exit);

MODULE_DESCRIPTION("Xen block device backend");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:vbd");
