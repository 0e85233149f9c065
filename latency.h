/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long requests take, and where.
 *
 *   known    we may have known of it
 *    | wait    ... in its slot, and until we had its data or pages
 *   given    it is given to the disk
 *    | disk
 *   done     the disk is done with it
 *    | answer  ... until data and pages have been given back
 *   now      the frontend is about to see the response
 *
 * All of it is counted for every request. So that this costs next to nothing, the
 * clock is looked at only a few times for a batch, and all requests of a batch have
 * that in common; only what is done elsewhere, and not with others, has a time of
 * its own. See struct blkback_req, and blkback.c and answer.c for when.
 *
 * No kernel services, so that unit tests run the code of the driver.
 */
#ifndef BLKBACK_LATENCY_H
#define BLKBACK_LATENCY_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/minmax.h>
#endif

#include "blkif.h"

enum latency_kind {
	LATENCY_READ,
	LATENCY_WRITE,
	LATENCY_FLUSH,	/* and barriers */
	LATENCY_DISCARD,
	NR_LATENCY_KINDS,
};

enum latency_stage {
	LATENCY_WAIT,
	LATENCY_DISK,
	LATENCY_ANSWER,
	LATENCY_TOTAL,
	NR_LATENCY_STAGES,
};

/* Each holds times twice as long as the one before it; the last one, all above. */
#define NR_LATENCY_BUCKETS	30

/* The first one holds times below 2^this ns, the last one those of 2 minutes and more. */
#define LATENCY_SHIFT		9

/**
 * struct blkback_account - what became of a ring's requests, since the ring is there
 * @latency: how often they took how long; those of stage WAIT are counted by the
 *	ring's thread, the others under the ring's lock
 * @errors: how many were given to the disk and answered with an error; under the lock
 * @events: events sent with the answers; under the lock
 */
struct blkback_account {
	__u64 latency[NR_LATENCY_STAGES][NR_LATENCY_BUCKETS][NR_LATENCY_KINDS];
	__u64 errors[NR_LATENCY_KINDS];
	__u64 events;
};

/**
 * latency_kind() - which kind an operation is of
 * @operation: enum blkif_op, never INDIRECT
 *
 * Return: the kind.
 */
static inline enum latency_kind latency_kind(unsigned int operation)
{
	static const __u8 kinds[] = {
		[BLKIF_OP_READ] = LATENCY_READ,
		[BLKIF_OP_WRITE] = LATENCY_WRITE,
		[BLKIF_OP_WRITE_BARRIER] = LATENCY_FLUSH,
		[BLKIF_OP_FLUSH_DISKCACHE] = LATENCY_FLUSH,
		[BLKIF_OP_DISCARD] = LATENCY_DISCARD,
	};

	return kinds[operation];
}

/**
 * latency_bucket() - which bucket a time belongs to
 * @ns: the time
 *
 * Return: its number.
 */
static inline unsigned int latency_bucket(__u64 ns)
{
	return min(fls64(ns >> LATENCY_SHIFT), NR_LATENCY_BUCKETS - 1);
}

/**
 * latency_from() - where a bucket begins
 * @bucket: its number
 *
 * Return: the shortest time in it, in ns.
 */
static inline __u64 latency_from(unsigned int bucket)
{
	return bucket ? 1ULL << (LATENCY_SHIFT + bucket - 1) : 0;
}

/**
 * latency_count() - requests took so long
 * @account: of their ring
 * @kind: of the requests
 * @stage: where
 * @bucket: from latency_bucket()
 * @nr: how many
 *
 * Context: of stage WAIT the ring's thread, or else under the ring's lock.
 */
static inline void latency_count(struct blkback_account *account,
				 enum latency_kind kind,
				 enum latency_stage stage, unsigned int bucket,
				 unsigned int nr)
{
	account->latency[stage][bucket][kind] += nr;
}

/**
 * struct blkback_arrival - since when requests have been on a ring
 * @clock: the time when the ring's thread has last had a look at the clock, in ns
 * @found: @clock at the look at the ring that has found @end
 * @known: since when the requests up to @end may have been there, in ns
 * @end: index behind the last one that was there at that look
 *
 * What has come behind @end has come after that look or, if the ring was asleep, with the
 * event that woke it. So what waits while the ring's thread has something else to do, or
 * cannot go on, is not taken for new. The time is never too short. It is too long by what
 * is between two looks; where more waits than is taken at a time, by as long as it waits,
 * at most.
 *
 * Of the ring's thread.
 */
struct blkback_arrival {
	__u64 clock;
	__u64 found;
	__u64 known;
	__u32 end;
};

/**
 * arrival_init() - a ring begins to be looked at
 * @arrival: filled in
 * @cons: index of the first request that has not been taken
 * @now: time, in ns
 */
static inline void arrival_init(struct blkback_arrival *arrival, __u32 cons,
				__u64 now)
{
	arrival->clock = now;
	arrival->found = now;
	arrival->end = cons;
}

/**
 * arrival_look() - look at a ring
 * @arrival: of the ring, with a @clock from before the look
 * @cons: index of the first request that has not been taken
 * @end: index behind the last one
 * @event: when the last event of the frontend came, in ns
 *
 * Return: since when the requests that are there may have been, in ns.
 */
static inline __u64 arrival_look(struct blkback_arrival *arrival, __u32 cons,
				 __u32 end, __u64 event)
{
	if ((__s32)(cons - arrival->end) >= 0) {
		arrival->known = max(arrival->found, event);
		arrival->found = arrival->clock;
		arrival->end = end;
	}
	return arrival->known;
}

/**
 * arrival_awake() - the ring's thread has waited awake, and found something
 * @arrival: of the ring
 * @cons: index of the first request that has not been taken
 * @now: time, in ns
 *
 * If nothing was there at the last look, it has come just now.
 */
static inline void arrival_awake(struct blkback_arrival *arrival, __u32 cons,
				 __u64 now)
{
	arrival->clock = now;
	if (cons == arrival->end)
		arrival->found = now;
}

#endif /* BLKBACK_LATENCY_H */
