// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking for the next request for a while, before going to sleep.
 */
#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#endif

#include "poll.h"

/* Smallest window, as a part of the largest. */
#define PARTS	8

/* To grow from nothing takes a window four misses: one, and log2(PARTS). */
#define MAX_MISSES	8

/* For how many sleeps not to wait awake then, so that it costs each of them next to nothing. */
#define MIN_REST	64U
#define MAX_REST	4096U

/**
 * poll_limit() - for how long to wait awake at most, from now on
 * @poll: of the ring
 * @max: in ns; 0: not at all
 */
void poll_limit(struct blkback_poll *poll, __u64 max)
{
	poll->max = max;
	if (poll->window > max)
		poll->window = max;
	/* What was in vain may not be any more. */
	poll->misses = 0;
	poll->rest = 0;
	poll->resting = 0;
}

/**
 * poll_begin() - there is nothing to do: from now on, wait awake
 * @poll: of the ring
 * @at_least: something else than the next request is worth waiting for so long, in
 *	ns
 *
 * Return: false if neither is worth while.
 */
bool poll_begin(struct blkback_poll *poll, __u64 at_least)
{
	if (!poll->max)
		return false;
	poll->since = ktime_get_ns();
	poll->limit = max(poll->window, at_least);
	return poll->limit;
}

/**
 * poll_goes_on() - whether to wait awake for a little longer
 * @poll: of the ring
 *
 * Return: if so, true.
 */
bool poll_goes_on(const struct blkback_poll *poll)
{
	cpu_relax();
	return !need_resched() && ktime_get_ns() - poll->since < poll->limit;
}

/**
 * poll_found() - the next request has come, and nobody has slept
 * @poll: of the ring
 */
void poll_found(struct blkback_poll *poll)
{
	poll->misses = 0;
	poll->rest = 0;
}

/* Return whether that was once too often. */
static bool missed(struct blkback_poll *poll)
{
	if (!poll->window || ++poll->misses < MAX_MISSES)
		return false;
	poll->misses = 0;
	poll->window = 0;
	poll->rest = clamp(2 * poll->rest, MIN_REST, MAX_REST);
	poll->resting = poll->rest;
	return true;
}

/**
 * poll_slept() - a sleep is over
 * @poll: of the ring; poll_begin() has been there before the sleep
 */
void poll_slept(struct blkback_poll *poll)
{
	if (!poll->max || missed(poll))
		return;
	if (poll->resting) {
		poll->resting--;
		return;
	}
	if (ktime_get_ns() - poll->since <= poll->max)
		poll->window = clamp(2 * poll->window, poll->max / PARTS,
				     poll->max);
	else
		poll->window /= 2;
	if (poll->window < poll->max / PARTS)
		poll->window = 0;
}
