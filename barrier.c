// SPDX-License-Identifier: GPL-2.0-only
/*
 * Barriers: a write that all of its disk's requests are on one side of.
 *
 * Before a barrier are the requests in front of it on its own ring, and on every
 * other ring of the connection whatever the frontend had put there when the
 * barrier was read. (Of two requests that wait on two rings nobody can tell which
 * was put there first.) All others wait until the barrier is done.
 *
 *   NONE ----> DRAIN ----> RUN ----> NONE
 *
 * DRAIN: a ring has read a barrier and left it where it is. Each ring answers
 * what is before it, holds the rest, and reports that it is quiet.
 * RUN: all are quiet, so the ring takes the barrier and sends it to the disk.
 *
 * Each step is taken by whichever ring's thread finds it due. A thread never
 * waits for another: it sleeps as if it had nothing to do, until the epoch, which
 * every step changes, is another one. Rings of which none ever sees a barrier
 * share nothing but a phase that nobody writes.
 */
#include "common.h"

/* The phase is another one: every ring has to look. */
static void enter_phase(struct blkback_conn *conn, enum barrier_phase phase)
{
	struct blkback_barrier *barrier = &conn->barrier;
	unsigned int i;

	lockdep_assert_held(&barrier->lock);
	WRITE_ONCE(barrier->phase, phase);
	WRITE_ONCE(barrier->epoch, barrier->epoch + 1);
	for (i = 0; i < conn->nr_rings; i++)
		wake_up(&conn->rings[i]->wait);
}

static bool admit_own(struct blkback_ring *ring, bool is_barrier)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;

	if (ring->in_flight || barrier->ran)
		return false;
	/* The frontend has taken it back meanwhile, which it must not. */
	if (!is_barrier) {
		enter_phase(ring->conn, BARRIER_NONE);
		return true;
	}
	return barrier->phase == BARRIER_RUN;
}

static bool admit_locked(struct blkback_ring *ring, bool is_barrier)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;

	if (barrier->phase == BARRIER_NONE) {
		if (!is_barrier)
			return true;
		barrier->owner = ring;
		barrier->ran = false;
		barrier->not_quiet = ring->conn->nr_rings;
		enter_phase(ring->conn, BARRIER_DRAIN);
		return false;
	}
	if (barrier->owner == ring)
		return admit_own(ring, is_barrier);
	if (barrier->phase == BARRIER_RUN || is_barrier)
		return false;
	/* Not noticed yet: what has been put on the ring till now is before it. */
	return ring->epoch != barrier->epoch ||
	       ring->sring.req_cons != ring->before_barrier;
}

/**
 * barrier_admits() - whether a request may be taken off its ring now
 * @ring: whose next request it is
 * @is_barrier: whether it is a barrier
 *
 * Context: the ring's thread.
 * Return: false if it has to stay where it is until the epoch changes, or until
 * this ring has nothing in flight.
 */
bool barrier_admits(struct blkback_ring *ring, bool is_barrier)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;
	bool admitted;

	if (!is_barrier && READ_ONCE(barrier->phase) == BARRIER_NONE)
		return true;
	spin_lock(&barrier->lock);
	admitted = admit_locked(ring, is_barrier);
	spin_unlock(&barrier->lock);
	return admitted;
}

static void step_drain(struct blkback_ring *ring, bool news)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;

	if (news) {
		ring->quiet = false;
		ring->before_barrier = sring_end(&ring->sring);
	}
	if (ring->quiet || ring->in_flight)
		return;
	if (!ring->held && ring->sring.req_cons != ring->before_barrier)
		return;
	ring->quiet = true;
	if (!--barrier->not_quiet)
		enter_phase(ring->conn, BARRIER_RUN);
}

static void step_run(struct blkback_ring *ring, bool news)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;

	/* With the news the ring has yet to try and take the barrier. */
	if (news || barrier->owner != ring)
		return;
	if (ring->in_flight)
		barrier->ran = true;
	else if (barrier->ran || !ring->retry)	/* done, or taken back */
		enter_phase(ring->conn, BARRIER_NONE);
}

/**
 * barrier_step() - do what a barrier wants of a ring
 * @ring: has just taken all requests that it may
 *
 * Context: the ring's thread.
 */
void barrier_step(struct blkback_ring *ring)
{
	struct blkback_barrier *barrier = &ring->conn->barrier;
	bool news;

	if (!barrier_news(ring) && READ_ONCE(barrier->phase) == BARRIER_NONE)
		return;
	spin_lock(&barrier->lock);
	news = barrier_news(ring);
	ring->epoch = barrier->epoch;
	if (news)
		ring->held = false;	/* try again */
	if (barrier->phase == BARRIER_DRAIN)
		step_drain(ring, news);
	else if (barrier->phase == BARRIER_RUN)
		step_run(ring, news);
	spin_unlock(&barrier->lock);
}
