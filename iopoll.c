// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking the disk whether it is done, instead of waiting for its interrupt.
 *
 * Some disks have queues for that. Only a request that is alone is asked for: its
 * answer is all that the guest waits for. Until it has come nothing else of the
 * ring is given to the disk, for a thread that waits until the disk takes more
 * cannot ask, and it might wait for the very request that it has to ask for.
 *
 * How long a request takes is measured each time that one is alone. The disk is
 * asked if that is worth while, and for twice as long as the last one took.
 */
#include <linux/blkdev.h>
#include <linux/ktime.h>

#include "common.h"

/* For how long to ask, in ns; 0: not at all. */
static u64 window(const struct blkback_ring *ring)
{
	u64 took = READ_ONCE(ring->took);

	return took <= ring->poll.max ? min(2 * took, ring->poll.max) : 0;
}

static bool is_plain(const struct blkback_req *req)
{
	return (req->operation == BLKIF_OP_READ ||
		req->operation == BLKIF_OP_WRITE) &&
	       req->nr_segs <= BLKBACK_QUICK_SEGS;
}

/**
 * iopoll_begin() - a request is about to be given to the disk
 * @ring: whose request it is
 * @req: the disk is to be asked for it if its @polled is set then
 *
 * Context: the ring's thread.
 */
void iopoll_begin(struct blkback_ring *ring, struct blkback_req *req)
{
	if (!ring->poll.max || in_flight(ring) != 1 || !is_plain(req))
		return;
	req->timed = true;
	ring->lone_since = ktime_get_ns();
	if (!window(ring) || !disk_can_poll(ring->conn->dev->vbd.bdev))
		return;
	req->polled = true;
	req->quick = false;
	ring->asked = req;
}

/**
 * iopoll_timed() - the disk is done with a request that was alone
 * @req: its @timed is set
 *
 * Context: any.
 */
void iopoll_timed(const struct blkback_req *req)
{
	struct blkback_ring *ring = req->ring;

	WRITE_ONCE(ring->took, ktime_get_ns() - ring->lone_since);
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
	if (ring->asked)
		bio_poll(&ring->asked->bio, NULL,
			 BLK_POLL_ONESHOT | BLK_POLL_NOSLEEP);
}

/**
 * iopoll_window() - for how long to ask
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: ns from when there is nothing else to do; 0 if there is nothing to ask for.
 */
u64 iopoll_window(const struct blkback_ring *ring)
{
	return ring->asked ? window(ring) : 0;
}

/**
 * iopoll_end() - a request is completed
 * @ring: whose request it is
 * @req: may be another one than that which is asked for
 *
 * Context: the ring's thread.
 */
void iopoll_end(struct blkback_ring *ring, const struct blkback_req *req)
{
	if (req == ring->asked)
		ring->asked = NULL;
}
