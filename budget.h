/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one guest may make dom0 spend, all its disks together.
 *
 * Each ring has a few pages of its own for what is in flight. More of them are the
 * guest's. A ring takes them in chunks and, unless they are scarce, keeps those while it
 * is busy: rings share nothing on the way of most requests. Where there are none left,
 * requests wait until others have been answered; but each disk may have one request of any
 * size out in any case, for which its rings take turns, so that nothing ever stops for
 * good. And no disk may take all of them, so that one that hangs leaves some to the guest's
 * others.
 * Pages that are kept mapped have limits of their own, that of their disk and one of the
 * guest. Only when a page comes to be kept, or is no longer, that is looked at.
 */
#ifndef BLKBACK_BUDGET_H
#define BLKBACK_BUDGET_H

#include <linux/atomic.h>
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

/**
 * struct blkback_chunks - pages that may be taken, a chunk at a time
 * @max: how many chunks
 * @left: how many of those have not been taken
 */
struct blkback_chunks {
	unsigned int max;
	atomic_t left;
};

/**
 * struct blkback_messages - what may be said in the log
 * @rate: how often; both under a lock of budget.c
 * @silent: the log has been told that it will not be told more for a while
 */
struct blkback_messages {
	struct ratelimit_state rate;
	bool silent;
};

struct blkback_dev;
struct blkback_ring;

/**
 * struct blkback_budget - of one guest
 * @ref: one for each of its disks
 * @all: in the list of all of them
 * @guest: whose it is
 * @max_queues: for all its disks together
 * @max_kept: pages that stay mapped, for all its rings together
 * @chunks: of pages, for all its rings together
 * @keepable: how many pages more may stay mapped
 * @queues: how many there are
 * @restarts: how often its frontends may start anew, for all its disks together
 * @messages: about all its disks together
 * @unsaid: messages that the log was not told
 */
struct blkback_budget {
	struct kref ref;
	struct list_head all;
	domid_t guest;
	unsigned int max_queues;
	unsigned int max_kept;
	struct blkback_chunks chunks;
	atomic_t keepable;
	atomic_t queues;
	struct ratelimit_state restarts;
	struct blkback_messages messages;
	atomic_t unsaid;
};

/**
 * budget_pages() - how many pages have been taken
 * @chunks: of a guest, or of a disk
 *
 * Context: any.
 * Return: the number; what is being taken just now may be among them.
 */
static inline unsigned int budget_pages(const struct blkback_chunks *chunks)
{
	return (chunks->max - atomic_read(&chunks->left)) * BUDGET_CHUNK;
}

struct blkback_budget *budget_get(domid_t guest);
void budget_put(struct blkback_budget *budget);
void budget_dev_init(struct blkback_dev *dev);
bool budget_says(struct blkback_dev *dev);
bool budget_restarts(struct blkback_budget *budget);
int budget_add_queues(struct blkback_dev *dev, unsigned int nr);
void budget_sub_queues(struct blkback_dev *dev, unsigned int nr);
unsigned int budget_keepable(const struct blkback_ring *ring);
bool budget_keep(struct blkback_ring *ring);
void budget_unkeep(struct blkback_ring *ring);
void budget_ring_init(struct blkback_ring *ring);
void budget_ring_exit(struct blkback_ring *ring);
bool budget_covers(struct blkback_ring *ring, unsigned int pages);
bool budget_turn_waits(const struct blkback_ring *ring);
bool budget_turn_ends(const struct blkback_ring *ring);
void budget_pass_on(struct blkback_ring *ring);
unsigned int budget_room(const struct blkback_ring *ring);
unsigned int budget_spare(const struct blkback_ring *ring);
void budget_trim(struct blkback_ring *ring, bool idle);

#endif /* BLKBACK_BUDGET_H */
