/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one guest may make dom0 spend, all its disks together.
 *
 * Each ring has a few pages of its own for what is in flight. More of them are the
 * guest's. A ring takes them in chunks and keeps those while it is busy: rings share
 * nothing on the way of most requests. Where there are none left, requests wait until
 * others have been answered; but each disk may have one request of any size out in any
 * case, so that nothing ever stops for good.
 * Pages that are kept mapped have limits of their own, that of their disk and one of the
 * guest. Only when a page comes to be kept, or is no longer, that is looked at.
 */
#ifndef BLKBACK_BUDGET_H
#define BLKBACK_BUDGET_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/ratelimit.h>
#include <linux/types.h>
#include <xen/interface/xen.h>

/* The time in which frontends may start anew only so often. */
#define RESTARTS_SECONDS	10

/**
 * rate_init() - limit how often something may happen
 * @rate: to be asked with __ratelimit(), by one at a time
 * @seconds: the time for which the limit is
 * @most: so often in that time
 *
 * The kernel does not say in the log how often it was refused.
 */
static inline void rate_init(struct ratelimit_state *rate, unsigned int seconds,
			     unsigned int most)
{
	ratelimit_state_init(rate, seconds * HZ, most);
	ratelimit_set_flags(rate, RATELIMIT_MSG_ON_RELEASE);
}

/* Pages that a ring takes at a time. */
#define BUDGET_CHUNK	64U

struct blkback_dev;
struct blkback_ring;

/**
 * struct blkback_budget - of one guest
 * @ref: one for each of its disks
 * @all: in the list of all of them
 * @guest: whose it is
 * @max_chunks: of pages, for all its rings together
 * @max_queues: for all its disks together
 * @max_kept: pages that stay mapped, for all its rings together
 * @chunks: how many are left to be taken
 * @keepable: how many pages more may stay mapped
 * @queues: how many there are
 * @restarts: how often its frontends may start anew, for all its disks together
 * @messages: to the log
 * @silent: the log has been told that it will not be told more for a while
 * @unsaid: messages that it was not told
 */
struct blkback_budget {
	struct kref ref;
	struct list_head all;
	domid_t guest;
	unsigned int max_chunks;
	unsigned int max_queues;
	unsigned int max_kept;
	atomic_t chunks;
	atomic_t keepable;
	atomic_t queues;
	struct ratelimit_state restarts;
	struct ratelimit_state messages;
	bool silent;
	atomic_t unsaid;
};

struct blkback_budget *budget_get(domid_t guest);
void budget_put(struct blkback_budget *budget);
bool budget_says(struct blkback_budget *budget);
bool budget_restarts(struct blkback_budget *budget);
int budget_add_queues(struct blkback_dev *dev, unsigned int nr);
void budget_sub_queues(struct blkback_dev *dev, unsigned int nr);
unsigned int budget_keepable(const struct blkback_ring *ring);
bool budget_keep(struct blkback_ring *ring);
void budget_unkeep(struct blkback_ring *ring);
void budget_ring_init(struct blkback_ring *ring);
void budget_ring_exit(struct blkback_ring *ring);
bool budget_covers(struct blkback_ring *ring, unsigned int pages);
void budget_settle(struct blkback_ring *ring);
unsigned int budget_spare(const struct blkback_ring *ring);
void budget_trim(struct blkback_ring *ring, bool idle);

#endif /* BLKBACK_BUDGET_H */
