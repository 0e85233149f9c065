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
			wake_up(&ring->wait);
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
 * @answer: bucket of what is between
 */
struct moment {
	u64 done;
	u64 now;
	unsigned int answer;
};

static struct moment moment(u64 done, u64 now)
{
	return (struct moment){
		.done = done,
		.now = now,
		.answer = latency_bucket(now - done),
	};
}

static void count_time(struct blkback_ring *ring, const struct blkback_req *req,
		       const struct moment *at)
{
	struct blkback_account *account = ring->account;
	enum latency_kind kind = latency_kind(req->operation);
	u64 done = req_done(req, at->done);

	latency_count(account, kind, LATENCY_DISK,
		      latency_bucket(done - req->given_at));
	latency_count(account, kind, LATENCY_ANSWER,
		      done == at->done ? at->answer :
					 latency_bucket(at->now - done));
	latency_count(account, kind, LATENCY_TOTAL,
		      latency_bucket(at->now - req->known_at));
}

/* What was not given to the disk has been counted by the ring's thread. */
static void count_answer(struct blkback_ring *ring, const struct blkback_req *req,
			 const struct moment *at)
{
	trace_blkback_respond(req, at->done, at->now);
	if (req->status != BLKIF_RSP_OKAY) {
		if (!req->given_at)
			return;
		ring->account->errors[latency_kind(req->operation)]++;
	}
	count_time(ring, req, at);
}

/* The frontend may reuse a page as soon as it sees the response. */
static void give_answers(struct blkback_ring *ring, struct llist_node *reqs,
			 struct moment at)
{
	struct blkback_req *req, *next;
	bool notify;
	u32 n = 0;

	spin_lock_bh(&ring->lock);
	llist_for_each_entry_safe(req, next, reqs, done) {
		count_answer(ring, req, &at);
		guest_pages_put(ring, req);
		sring_respond(&ring->sring, req->id, req->operation,
			      req->status);
		req_free(ring, req);
		n++;
	}
	/* Last, see in_flight(). */
	smp_store_release(&ring->answered, ring->answered + n);
	notify = sring_publish(&ring->sring);
	ring->account->events += notify;
	spin_unlock_bh(&ring->lock);
	if (notify)
		notify_remote_via_irq(ring->irq);
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
	struct llist_node *ready = collect_done(ring);
	bool copied, unmapped;
	u64 done;

	if (!ready && !ring->refused)
		return;
	done = look_at_clock(ring);
	ring->refused = false;
	copied = copy_reads(&ring->batch->copies, ready);
	unmapped = map_unmap(ring, ready);
	give_answers(ring, ready,
		     moment(done, copied || unmapped ? look_at_clock(ring) : done));
}

/* What would take too long here is not quick any more. */
static struct llist_node *few(struct llist_node *reqs)
{
	struct blkback_req *req;
	unsigned int segs = 0;

	llist_for_each_entry(req, reqs, done) {
		segs += req->nr_segs;
		if (segs > BLKBACK_QUICK_MAX)
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
	u64 done;

	reqs = llist_reverse_order(llist_del_all(&ring->quick));
	done = first_done(reqs);
	reqs = leave_to_thread(few(reqs));
	copy_reads(&ring->copies, reqs);
	reqs = leave_to_thread(reqs);
	if (!reqs)
		return;
	give_answers(ring, reqs, moment(done, ktime_get_ns()));
	smp_mb();	/* what is answered before what the thread sleeps for */
	if (READ_ONCE(ring->heeds) || READ_ONCE(ring->conn->stopping))
		wake_up(&ring->wait);
}
