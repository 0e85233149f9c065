/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking for the next request for a while, before going to sleep.
 *
 * To be woken costs the guest an event and us a switch of threads, and the request
 * the time for both. Where the next one comes soon it is cheaper to wait for it
 * awake. So each ring has a window for which it does that. A sleep that was so
 * short that the largest window would have done makes the window grow; one that
 * was longer makes it shrink, until there is none.
 *
 * A guest that needs our CPU to send its request sends it soon after we sleep, and never
 * before. Who has found nothing so many times in a row stops for a while, each time a
 * longer one.
 *
 * What else is waited for meanwhile may make it wait for longer: see iopoll.c. It
 * ends early if another task wants the CPU.
 */
#ifndef BLKBACK_POLL_H
#define BLKBACK_POLL_H

#include <linux/types.h>

/**
 * struct blkback_poll - how long a ring waits awake
 * @max: at most, in ns; 0: never
 * @window: just now, in ns
 * @limit: this time, in ns: @window, or longer for what else it waits for
 * @since: when it had nothing to do any more, by ktime_get_ns()
 * @misses: times in a row that it has found nothing
 * @rest: for how many sleeps it stopped last, when that were too many; 0 when it has
 *	found something since
 * @resting: how many of them are left
 *
 * Of the ring's thread.
 */
struct blkback_poll {
	__u64 max;
	__u64 window;
	__u64 limit;
	__u64 since;
	unsigned int misses;
	unsigned int rest;
	unsigned int resting;
};

void poll_limit(struct blkback_poll *poll, __u64 max);
bool poll_begin(struct blkback_poll *poll, __u64 at_least);
bool poll_goes_on(const struct blkback_poll *poll);
void poll_found(struct blkback_poll *poll);
void poll_slept(struct blkback_poll *poll);

#endif /* BLKBACK_POLL_H */
