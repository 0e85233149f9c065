/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Barriers: writes that all requests of a connection are on one side of.
 *
 * Before a barrier are the requests in front of it on its own ring, and on every
 * other ring what the frontend had put there by the time that ring heard of it;
 * but nothing that stands behind another barrier. (Of two requests that wait on
 * two rings nobody can tell which was put there first.) All others are held until
 * the barrier is done.
 *
 *   NONE ----> DRAIN ----> RUN ----> NONE, or DRAIN for the next barrier
 *
 * DRAIN: a ring has read a barrier and left it where it is. Each ring answers
 * what is before it, holds the rest, and reports that it is quiet.
 * RUN: all are quiet. The ring takes its barrier and sends it to the disk.
 *
 * A ring works in rounds: look (and mark), take what is admitted, step. It goes by the phase
 * it has seen at the start of a round; the phase cannot get ahead of a ring that
 * has something to do for it. No ring's thread waits for another: it sleeps as if
 * there were nothing to do until there is news, and whoever makes news wakes all.
 *
 * No kernel services but a lock, so that unit tests run the code of the driver.
 */
#ifndef BLKBACK_BARRIER_H
#define BLKBACK_BARRIER_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/spinlock.h>
#endif

enum barrier_phase {
	BARRIER_NONE,
	BARRIER_DRAIN,
	BARRIER_RUN,
};

/**
 * struct barrier_view - what one ring knows of its connection's barrier
 * @epoch: of the barrier, when last looked at
 * @phase: likewise
 * @before: index behind the last request of this ring that is before the barrier
 * @owns: the barrier is on this ring
 * @reported: in this phase there is nothing more to tell: in DRAIN, quiet; in
 *	RUN, the barrier is at the disk
 * @held: in this round, a request had to stay on the ring
 *
 * Of the ring's thread.
 */
struct barrier_view {
	unsigned int epoch;
	enum barrier_phase phase;
	__u32 before;
	bool owns;
	bool reported;
	bool held;
};

/**
 * struct barrier - the barrier that all rings of a connection heed
 * @lock: all of this
 * @phase: as drawn above
 * @epoch: changes with @phase; also read without the lock
 * @nr_rings: of the connection
 * @not_quiet: in DRAIN, how many of them have yet to report
 * @owner: who has the barrier, unless in NONE
 * @next: who has another one; or NULL
 */
struct barrier {
	spinlock_t lock; /* progress of the barrier */
	enum barrier_phase phase;
	unsigned int epoch;
	unsigned int nr_rings;
	unsigned int not_quiet;
	struct barrier_view *owner;
	struct barrier_view *next;
};

/**
 * barrier_news() - whether the phase is another one than a ring goes by
 * @b: the barrier
 * @view: of the ring
 *
 * Return: if so, true.
 */
static inline bool barrier_news(const struct barrier *b,
				const struct barrier_view *view)
{
	return READ_ONCE(b->epoch) != view->epoch;
}

void barrier_init(struct barrier *b, unsigned int nr_rings);
bool barrier_look(struct barrier *b, struct barrier_view *view);
void barrier_mark(struct barrier_view *view, __u32 end);
bool barrier_admits(struct barrier *b, struct barrier_view *view,
		    bool is_barrier, __u32 index, bool busy);
bool barrier_step(struct barrier *b, struct barrier_view *view, __u32 index,
		  bool busy);

/**
 * barrier_concerns() - whether barrier_admits() has to be asked for a request
 * @view: of the ring
 * @is_barrier: whether the request is a barrier
 *
 * Return: false, for nearly all: it may be taken off its ring.
 */
static inline bool barrier_concerns(const struct barrier_view *view,
				    bool is_barrier)
{
	return view->phase != BARRIER_NONE || is_barrier;
}

#endif /* BLKBACK_BARRIER_H */
