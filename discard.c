// SPDX-License-Identifier: GPL-2.0-only
/*
 * Discards: they have no data, and may take long.
 *
 * A large one is given to the disk piece by piece, the next one when the last is
 * done; after each it is the others' turn. All of it runs on the ring's thread.
 */
#include "common.h"

/*
 * Most discards of a ring at the disk at a time. They may take long, and the
 * disk's queue is there for others, too.
 */
#define MAX_DISCARDS_OUT	4

/**
 * discard_wait() - have a discard wait for its turn at the disk
 * @ring: whose it is
 * @req: a DISCARD of which the disk has not been given all
 */
void discard_wait(struct blkback_ring *ring, struct blkback_req *req)
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

/**
 * discard_goes_on() - a piece of a discard is done
 * @ring: whose it is
 * @req: completed
 *
 * Return: whether there is more of it to do: it waits for its turn again.
 */
bool discard_goes_on(struct blkback_ring *ring, struct blkback_req *req)
{
	ring->discards_out--;
	if (!vbd_unfinished(req))
		return false;
	discard_wait(ring, req);
	return true;
}

/*
 * While one waits for its turn the disk may have been made read-only, or the ring stopped.
 * Return BLKIF_RSP_OKAY, or the status to answer with.
 */
static int check_again(const struct blkback_ring *ring,
		       const struct disk_limits *disk,
		       const struct blkback_req *req)
{
	if (ring_stopped(ring) || disk->read_only)
		return BLKIF_RSP_ERROR;
	return disk->discard && (!req->secure || disk->secure_erase) ?
	       BLKIF_RSP_OKAY : BLKIF_RSP_EOPNOTSUPP;
}

/* It begins with its first piece. */
static void discard_given(struct blkback_ring *ring, struct blkback_req *req)
{
	u64 now;

	if (req->given_at)
		return;
	now = look_at_clock(ring);
	req_given(ring, req, now, latency_bucket(now - req->known_at));
}

/**
 * discard_due() - whether there is a discard that can be given to the disk
 * @ring: the ring
 *
 * Return: if so, true: discard_submit() does it.
 */
bool discard_due(const struct blkback_ring *ring)
{
	return ring->discards && ring->discards_out < MAX_DISCARDS_OUT;
}

/**
 * discard_submit() - give the disk as many discards as it may have
 * @ring: the ring
 * @disk: what holds just now; a discard that it does not allow is refused
 *
 * Context: the ring's thread; may sleep until the disk takes more.
 */
void discard_submit(struct blkback_ring *ring, const struct disk_limits *disk)
{
	while (discard_due(ring)) {
		struct blkback_req *req = discard_next(ring);

		ring->discards_out++;
		req->done_at = 0;
		req->status = check_again(ring, disk, req);
		if (req->status == BLKIF_RSP_OKAY) {
			discard_given(ring, req);
			vbd_submit(&ring->conn->dev->vbd, req, 0, answer_bio);
			continue;
		}
		count(ring, STAT_REFUSED, !req->given_at);
		answer_req(req);
	}
}
