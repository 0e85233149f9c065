// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completed requests, and the answers to them.
 *
 * What the disk completes while the ring's thread is submitting it, the thread
 * answers, all together. What it completes later is answered right there, by a
 * tasklet, so that no thread has to wake up for it; unless that takes long or may
 * sleep, which is left to the thread.
 */
#include <linux/bio.h>
#include <xen/events.h>

#include "common.h"
#include "trace.h"

/* --- complete ------------------------------------------------------------- */

/*
 * A thread that completes requests must not be made to wait for another one to
 * be woken: what is scheduled here runs before it goes on.
 */
static void answer_soon(struct blkback_ring *ring)
{
	bool can_run = in_task() && !irqs_disabled();

	if (can_run)
		local_bh_disable();
	tasklet_schedule(&ring->answer);
	if (can_run)
		local_bh_enable();
}

/*
 * From any context. The ring is freed only after a grace period, so that whoever
 * comes to answer this request may find it, end the ring, and do no harm.
 *
 * Of those that the tasklet is to answer together the first one looks at the clock.
 */
static void complete_elsewhere(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;

	rcu_read_lock();
	if (!req->done_at && (!req->quick || llist_empty(&ring->quick)))
		req->done_at = ktime_get_ns();
	if (!req->quick) {
		if (llist_add(&req->done, &ring->finish))
			ring_wake(ring);
	} else if (llist_add(&req->done, &ring->quick)) {
		answer_soon(ring);
	}
	rcu_read_unlock();
}

/**
 * answer_req() - a request is completed, and to be answered soon
 * @req: with its status set
 *
 * What the thread completes while it submits is answered with the whole batch.
 *
 * Context: any.
 */
void answer_req(struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;

	if (!in_task() || current != ring->thread) {
		complete_elsewhere(req);
		return;
	}
	req->done.next = ring->here;
	ring->here = &req->done;
}

/**
 * answer_bio() - the disk is done with a request
 * @bio: of the request
 *
 * Context: any.
 */
void answer_bio(struct bio *bio)
{
	struct blkback_req *req = bio->bi_private;

	if (bio->bi_status)
		req->status = vbd_status(bio->bi_status);
	bio_uninit(bio);
	trace_blkback_complete(req);
	if (req->timed)
		iopoll_timed(req);
	answer_req(req);
}

/* --- respond -------------------------------------------------------------- */

static void put_back(struct llist_node **list, struct blkback_req *req)
{
	req->done.next = *list;
	*list = &req->done;
}

/**
 * struct moment - when requests are answered together
 * @done: when the disk was done with those that have no time of their own
 * @now: now
 */
struct moment {
	u64 done;
	u64 now;
};

/**
 * struct alike - requests that took the same time, one after the other in a list; none
 *	of them yet if @given_at is 0
 * @known_at: of all of them
 * @given_at: of all of them
 * @done_at: of all of them
 * @nr: how many, of each kind
 */
struct alike {
	u64 known_at;
	u64 given_at;
	u64 done_at;
	unsigned int nr[NR_LATENCY_KINDS];
};

static void count_alike(struct blkback_ring *ring, const struct alike *reqs,
			const struct moment *at)
{
	u64 done = time_done(reqs->done_at, reqs->given_at, at->done);
	unsigned int disk = latency_bucket(done - reqs->given_at);
	unsigned int answer = latency_bucket(at->now - done);
	unsigned int total = latency_bucket(at->now - reqs->known_at);
	struct blkback_account *account = ring->account;
	enum latency_kind kind;

	for (kind = 0; kind < NR_LATENCY_KINDS; kind++) {
		unsigned int nr = reqs->nr[kind];

		if (!nr)
			continue;
		latency_count(account, kind, LATENCY_DISK, disk, nr);
		latency_count(account, kind, LATENCY_ANSWER, answer, nr);
		latency_count(account, kind, LATENCY_TOTAL, total, nr);
	}
}

/* Those that were given to the disk together mostly come back together. */
static void count_time(struct blkback_ring *ring, const struct blkback_req *req,
		       struct alike *last, const struct moment *at)
{
	if (req->given_at != last->given_at || req->known_at != last->known_at ||
	    req->done_at != last->done_at) {
		if (last->given_at)
			count_alike(ring, last, at);
		*last = (struct alike){
			.known_at = req->known_at,
			.given_at = req->given_at,
			.done_at = req->done_at,
		};
	}
	last->nr[latency_kind(req->operation)]++;
}

/* What was not given to the disk has been counted by the ring's thread. */
static void count_answer(struct blkback_ring *ring, const struct blkback_req *req,
			 struct alike *last, const struct moment *at)
{
	trace_blkback_respond(req, at->done, at->now);
	if (req->status != BLKIF_RSP_OKAY) {
		if (!req->given_at)
			return;
		ring->account->errors[latency_kind(req->operation)]++;
	}
	count_time(ring, req, last, at);
}

/* The frontend may reuse a page as soon as it sees the response. */
static void give_answers(struct blkback_ring *ring, struct llist_node *reqs,
			 struct moment at, bool by_thread)
{
	struct blkback_req *req, *next;
	struct alike last = { };
	bool notify;
	u32 n = 0;

	spin_lock_bh(&ring->lock);
	llist_for_each_entry_safe(req, next, reqs, done) {
		count_answer(ring, req, &last, &at);
		guest_pages_put(ring, req);
		sring_respond(&ring->sring, req->id, req->operation,
			      req->status);
		if (by_thread)
			req_free_here(ring, req);
		else
			req_free(ring, req);
		n++;
	}
	if (last.given_at)
		count_alike(ring, &last, &at);
	/* Last, see in_flight(). */
	smp_store_release(&ring->answered, ring->answered + n);
	notify = sring_publish(&ring->sring);
	ring->account->events += notify;
	spin_unlock_bh(&ring->lock);
	if (notify)
		notify_remote_via_irq(ring->irq);
}

static bool anything_done(const struct blkback_ring *ring)
{
	return ring->here || ring->busy || !llist_empty(&ring->finish);
}

/*
 * Requests completed elsewhere that the thread has to finish, and those it has
 * completed itself; the oldest first, mostly. Busy ones wait.
 */
static struct llist_node *collect_done(struct blkback_ring *ring)
{
	struct llist_node *todo[] = {
		ring->busy, llist_del_all(&ring->finish), ring->here
	};
	struct llist_node *ready = NULL;
	struct blkback_req *req, *next;
	unsigned int i;

	/* What is asked for is all that was in flight. */
	if (todo[1] || todo[2])
		ring->asked = NULL;
	ring->busy = NULL;
	ring->here = NULL;
	for (i = 0; i < ARRAY_SIZE(todo); i++) {
		llist_for_each_entry_safe(req, next, todo[i], done) {
			if (req->operation == BLKIF_OP_DISCARD &&
			    discard_goes_on(ring, req))
				continue;
			if (req->data == DATA_MAPPED && map_busy(req))
				put_back(&ring->busy, req);
			else
				put_back(&ready, req);
		}
	}
	return ready;
}

/* Return whether there was any data to give back, or any page. */
static bool give_back(struct blkback_ring *ring, struct llist_node *reqs)
{
	bool any = false;

	if (READ_ONCE(ring->pool.out))
		any = copy_reads(&ring->batch->copies, reqs);
	if (ring->mapped_out)
		any |= map_unmap(ring, reqs);
	return any;
}

/**
 * answer_all() - give the frontend all answers that there are
 * @ring: the ring
 *
 * Those that the ring's tasklet is to give are left to that.
 *
 * Context: the ring's thread; may sleep while the guest's memory is paged out.
 */
void answer_all(struct blkback_ring *ring)
{
	struct llist_node *ready;
	struct moment at;

	if (!anything_done(ring) && !ring->refused)
		return;
	ready = collect_done(ring);
	if (!ready && !ring->refused)
		return;
	at.done = look_at_clock(ring);
	at.now = at.done;
	ring->refused = false;
	if (give_back(ring, ready))
		at.now = look_at_clock(ring);
	give_answers(ring, ready, at, true);
}

/* To copy a page takes more than sixteen times as long as to be done with it. */
static unsigned int effort_of(const struct blkback_req *req)
{
	if (req->data == DATA_COPIED && req->operation == BLKIF_OP_READ)
		return req->nr_segs;
	return DIV_ROUND_UP(req->nr_segs, 16);
}

/* What would take too long here is not quick any more. */
static struct llist_node *few(struct llist_node *reqs)
{
	struct blkback_req *req;
	unsigned int effort = 0;

	llist_for_each_entry(req, reqs, done) {
		effort += effort_of(req);
		if (effort > BLKBACK_QUICK_MAX)
			req->quick = false;
	}
	return reqs;
}

/* Those that cannot be answered here go to the thread. */
static struct llist_node *leave_to_thread(struct llist_node *reqs)
{
	struct llist_node *ready = NULL;
	struct blkback_req *req, *next;

	llist_for_each_entry_safe(req, next, reqs, done) {
		if (req->quick)
			put_back(&ready, req);
		else
			complete_elsewhere(req);
	}
	return ready;
}

/* When the first of them was; it has no time if others were answered just before. */
static u64 first_done(const struct llist_node *reqs)
{
	u64 done = 0;

	if (reqs)
		done = llist_entry(reqs, struct blkback_req, done)->done_at;
	return done ?: ktime_get_ns();
}

/**
 * answer_quick() - answer completed requests, without the ring's thread
 * @tasklet: of the ring
 */
void answer_quick(struct tasklet_struct *tasklet)
{
	struct blkback_ring *ring = from_tasklet(ring, tasklet, answer);
	struct llist_node *reqs;
	struct moment at;

	reqs = llist_reverse_order(llist_del_all(&ring->quick));
	at.done = first_done(reqs);
	reqs = leave_to_thread(few(reqs));
	copy_reads(&ring->copies, reqs);
	reqs = leave_to_thread(reqs);
	if (!reqs)
		return;
	at.now = ktime_get_ns();
	give_answers(ring, reqs, at, false);
	smp_mb();	/* what is answered before what the thread sleeps for */
	if (READ_ONCE(ring->heeds) || READ_ONCE(ring->conn->stopping))
		ring_wake(ring);
}
