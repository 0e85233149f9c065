// SPDX-License-Identifier: GPL-2.0-only
/*
 * Barriers: writes that all requests of a connection are on one side of.
 */
#ifdef __KERNEL__
#include <linux/kernel.h>
#endif

#include "barrier.h"

/**
 * barrier_init() - no barrier
 * @b: filled in
 * @nr_rings: how many rings there are to heed it
 */
void barrier_init(struct barrier *b, unsigned int nr_rings)
{
	spin_lock_init(&b->lock);
	b->nr_rings = nr_rings;
}

static void enter_phase(struct barrier *b, enum barrier_phase phase)
{
	b->phase = phase;
	WRITE_ONCE(b->epoch, b->epoch + 1);
}

static void start(struct barrier *b, struct barrier_view *owner)
{
	b->owner = owner;
	b->next = NULL;
	b->not_quiet = b->nr_rings;
	enter_phase(b, BARRIER_DRAIN);
}

/**
 * barrier_look() - start a round
 * @b: the barrier
 * @view: of the ring
 *
 * Return: true if the phase is another one now: then barrier_mark() is due.
 */
bool barrier_look(struct barrier *b, struct barrier_view *view)
{
	view->held = false;
	if (!barrier_news(b, view))
		return false;
	spin_lock(&b->lock);
	view->epoch = b->epoch;
	view->phase = b->phase;
	view->owns = b->owner == view;
	spin_unlock(&b->lock);
	view->reported = false;
	return true;
}

/**
 * barrier_mark() - say where the ring's part of what is before a barrier ends
 * @view: of the ring
 * @end: index behind the last request on the ring; read from there after
 *	barrier_look(), or what had been put there earlier than the barrier on
 *	another ring might be missed
 */
void barrier_mark(struct barrier_view *view, __u32 end)
{
	view->before = end;
}

/* The ring has a barrier of its own. Its turn may come later. */
static void claim(struct barrier *b, struct barrier_view *view)
{
	spin_lock(&b->lock);
	if (b->phase == BARRIER_NONE)
		start(b, view);
	else if (!b->next && b->owner != view)
		b->next = view;
	spin_unlock(&b->lock);
}

/* Indices wrap, and a request may have been answered without being admitted. */
static bool is_before(const struct barrier_view *view, __u32 index)
{
	return (__s32)(view->before - index) > 0;
}

static bool may_go(const struct barrier_view *view, bool is_barrier,
		   __u32 index, bool busy)
{
	switch (view->phase) {
	case BARRIER_NONE:
		return !is_barrier;
	case BARRIER_DRAIN:
		return !is_barrier && !view->reported && is_before(view, index);
	case BARRIER_RUN:
		return is_barrier && view->owns && !view->reported && !busy;
	}
	return false;
}

/**
 * barrier_admits() - whether a request may be taken off its ring in this round
 * @b: the barrier
 * @view: of the ring
 * @is_barrier: whether the request is one
 * @index: of the request
 * @busy: whether other requests of the ring are at the disk
 *
 * Return: false if it has to stay where it is; then all behind it has to, too.
 */
bool barrier_admits(struct barrier *b, struct barrier_view *view,
		    bool is_barrier, __u32 index, bool busy)
{
	if (may_go(view, is_barrier, index, busy))
		return true;
	view->held = true;
	if (is_barrier)
		claim(b, view);
	return false;
}

static void step_drain(struct barrier *b, struct barrier_view *view,
		       __u32 index, bool busy)
{
	if (view->reported || busy)
		return;
	if (!view->held && is_before(view, index))
		return;
	view->reported = true;
	spin_lock(&b->lock);
	if (!--b->not_quiet)
		enter_phase(b, BARRIER_RUN);
	spin_unlock(&b->lock);
}

/*
 * It is over when nothing is at the disk: done; or not there any more; or there
 * was no memory for it, and it will be tried again from the start.
 */
static void step_run(struct barrier *b, struct barrier_view *view, bool busy)
{
	if (busy) {
		view->reported = true;
		return;
	}
	spin_lock(&b->lock);
	if (b->next)
		start(b, b->next);
	else
		enter_phase(b, BARRIER_NONE);
	spin_unlock(&b->lock);
}

/**
 * barrier_step() - end a round
 * @b: the barrier
 * @view: of the ring
 * @index: of the next request on the ring
 * @busy: whether requests of the ring are at the disk
 *
 * Return: true if there is news: all rings of the connection must be woken.
 */
bool barrier_step(struct barrier *b, struct barrier_view *view, __u32 index,
		  bool busy)
{
	if (view->phase == BARRIER_DRAIN)
		step_drain(b, view, index, busy);
	else if (view->phase == BARRIER_RUN && view->owns)
		step_run(b, view, busy);
	return barrier_news(b, view);
}
