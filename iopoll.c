// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking the disk whether it is done, instead of waiting for its interrupt.
 *
 * Some disks have queues for that. Only a small read or write that is alone is asked
 * for: its answer is all that the guest waits for. Until it has come nothing else of
 * the ring is given to the disk, for a thread that waits until the disk takes more
 * cannot ask, and it might wait for the very request that it has to ask for.
 *
 * How long such a request takes is measured, asked for or not. If that was longer than
 * a ring may wait awake, the next one is not asked for. A request that takes longer
 * than expected is asked for less and less often: its answer comes later by as much
 * again as it took, or by MAX_PAUSE_NS, and by what timers are late, at most; and a
 * disk that hangs costs next to nothing.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "common.h"

/* Longest pause between two questions. */
#define MAX_PAUSE_NS	(100 * NSEC_PER_MSEC)

static u64 waiting_for(const struct blkback_ring *ring)
{
	return ktime_get_ns() - ring->lone_since;
}

static bool is_plain(const struct blkback_req *req)
{
	return (req->operation == BLKIF_OP_READ ||
		req->operation == BLKIF_OP_WRITE) &&
	       req->nr_segs <= BLKBACK_QUICK_SEGS;
}

/**
 * iopoll_begin() - a request is about to be given to the disk
 * @ring: whose request it is; it may wait awake
 * @req: the request
 *
 * Context: the ring's thread.
 * Return: flags for its bio; 0 if the disk is not to be asked for it.
 */
blk_opf_t iopoll_begin(struct blkback_ring *ring, struct blkback_req *req)
{
	if (in_flight(ring) != 1 || !is_plain(req) ||
	    !disk_can_poll(ring->conn->dev->vbd.bdev))
		return 0;
	req->timed = true;
	ring->lone_since = ktime_get_ns();
	if (READ_ONCE(ring->took) > ring->poll.max)
		return 0;
	req->quick = false;
	ring->asked = req;
	/* What is merged with others cannot be asked for. */
	return REQ_POLLED | REQ_NOMERGE;
}

/**
 * iopoll_timed() - the disk is done with a request that was alone
 * @req: its @timed is set
 *
 * Context: any.
 */
void iopoll_timed(const struct blkback_req *req)
{
	WRITE_ONCE(req->ring->took, waiting_for(req->ring));
}

/**
 * iopoll() - ask the disk once
 * @ring: the ring
 *
 * What the disk is done with is completed here, as answer_bio() does.
 *
 * Context: the ring's thread, running.
 */
void iopoll(struct blkback_ring *ring)
{
	if (!ring->asked)
		return;
	rcu_read_lock();	/* somebody else may complete it meanwhile */
	if (!ring->here && llist_empty(&ring->finish))
		bio_poll(&ring->asked->bio, NULL,
			 BLK_POLL_ONESHOT | BLK_POLL_NOSLEEP);
	rcu_read_unlock();
}

/**
 * iopoll_left() - for how long to go on asking without a pause
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: ns from now; 0 if the time is over, or there is nothing to ask for.
 */
u64 iopoll_left(const struct blkback_ring *ring)
{
	u64 waited = ring->asked ? waiting_for(ring) : U64_MAX;

	return waited < ring->poll.max ? ring->poll.max - waited : 0;
}

/**
 * iopoll_pause() - leave the CPU to others before the disk is asked again
 * @ring: a request is asked for
 *
 * Context: the ring's thread.
 */
void iopoll_pause(struct blkback_ring *ring)
{
	ktime_t pause = ns_to_ktime(min(waiting_for(ring), MAX_PAUSE_NS));

	prepare_to_rcuwait(&ring->wait);
	set_current_state(TASK_INTERRUPTIBLE);
	if (llist_empty(&ring->finish))
		schedule_hrtimeout(&pause, HRTIMER_MODE_REL);
	finish_rcuwait(&ring->wait);
}

/**
 * iopoll_in_time() - whether a request is asked for that should be done soon
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: if so, true: the thread has to stay awake, as nobody else asks.
 */
bool iopoll_in_time(const struct blkback_ring *ring)
{
	return ring->asked && waiting_for(ring) < MAX_PAUSE_NS;
}
