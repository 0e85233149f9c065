// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one guest may make dom0 spend. See budget.h.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "common.h"

/*
 * Pages that each ring has, whatever its guest has spent: enough for a one-page ring that
 * is full of requests of a page each. With as many queues as a guest may have by default
 * that is as much as max_guest_pages is, 64 MiB.
 */
#define OWN_PAGES	32U

/*
 * What a busy ring keeps of its guest's pages beyond those that it uses, unless they are
 * scarce: enough for any request.
 */
#define SLACK_PAGES	BLKBACK_MAX_SEGMENTS

/* --- guests --------------------------------------------------------------- */

static LIST_HEAD(budgets);
static DEFINE_MUTEX(budgets_lock); /* budgets, and the last reference to each */
static DEFINE_MUTEX(rates_lock); /* restarts and messages of each, and messages of disks */

static struct blkback_budget *find(domid_t guest)
{
	struct blkback_budget *budget;

	list_for_each_entry(budget, &budgets, all)
		if (budget->guest == guest)
			return budget;
	return NULL;
}

static void chunks_init(struct blkback_chunks *chunks, unsigned int pages)
{
	chunks->max = DIV_ROUND_UP(pages, BUDGET_CHUNK);
	atomic_set(&chunks->left, chunks->max);
}

/* So many within a minute. */
static void messages_init(struct blkback_messages *messages, unsigned int most)
{
	rate_init(&messages->rate, 60, most);
}

static struct blkback_budget *create(domid_t guest)
{
	struct blkback_budget *budget = kzalloc(sizeof(*budget), GFP_KERNEL);

	if (!budget)
		return NULL;
	kref_init(&budget->ref);
	budget->guest = guest;
	chunks_init(&budget->chunks, READ_ONCE(blkback_max_guest_pages));
	budget->max_queues = READ_ONCE(blkback_max_guest_queues);
	budget->max_kept = READ_ONCE(blkback_max_guest_persistent);
	atomic_set(&budget->keepable, budget->max_kept);
	rate_init(&budget->restarts, RESTARTS_SECONDS,
		  READ_ONCE(blkback_max_guest_restarts));
	messages_init(&budget->messages, READ_ONCE(blkback_max_guest_messages));
	list_add(&budget->all, &budgets);
	return budget;
}

/**
 * budget_get() - the budget of a guest, for one more of its disks
 * @guest: whose
 *
 * What the parameters say holds from a guest's first disk until its last one is gone.
 *
 * Context: may sleep.
 * Return: to be given back with budget_put(); NULL if there is no memory.
 */
struct blkback_budget *budget_get(domid_t guest)
{
	struct blkback_budget *budget;

	mutex_lock(&budgets_lock);
	budget = find(guest);
	if (budget)
		kref_get(&budget->ref);
	else
		budget = create(guest);
	mutex_unlock(&budgets_lock);
	return budget;
}

/* Called with budgets_lock held, so that nobody finds what goes. */
static void release(struct kref *ref)
{
	struct blkback_budget *budget = container_of(ref, struct blkback_budget,
						     ref);

	list_del(&budget->all);
	mutex_unlock(&budgets_lock);
	kfree(budget);
}

/**
 * budget_put() - undo budget_get()
 * @budget: may be NULL
 *
 * Context: may sleep.
 */
void budget_put(struct blkback_budget *budget)
{
	if (budget)
		kref_put_mutex(&budget->ref, release, &budgets_lock);
}

/**
 * budget_dev_init() - what one disk may have of its guest's budget
 * @dev: the disk, which is new
 */
void budget_dev_init(struct blkback_dev *dev)
{
	chunks_init(&dev->chunks, READ_ONCE(blkback_max_disk_pages));
	messages_init(&dev->messages, READ_ONCE(blkback_max_disk_messages));
}

/**
 * budget_restarts() - whether one more frontend of a guest may start anew
 * @budget: of the guest
 *
 * Context: may sleep.
 * Return: if so, true.
 */
bool budget_restarts(struct blkback_budget *budget)
{
	bool may;

	/* It takes two at a time for too many. */
	mutex_lock(&rates_lock);
	may = __ratelimit(&budget->restarts);
	mutex_unlock(&rates_lock);
	return may;
}

enum speech {
	SPEAK,
	LAST_WORD,	/* that nothing more will be said for a while */
	SILENT,
};

/* Under rates_lock. */
static enum speech may_say(struct blkback_messages *messages)
{
	bool was_silent = messages->silent;

	messages->silent = !__ratelimit(&messages->rate);
	if (!messages->silent)
		return SPEAK;
	return was_silent ? SILENT : LAST_WORD;
}

/**
 * budget_says() - whether there may be one more message in the log about a disk
 * @dev: the disk
 *
 * The first one that there may not be is replaced by one that says so.
 *
 * Context: may sleep.
 * Return: if so, true.
 */
bool budget_says(struct blkback_dev *dev)
{
	struct blkback_budget *budget = dev->budget;
	enum speech disk, guest = SILENT;

	mutex_lock(&rates_lock);
	disk = may_say(&dev->messages);
	/* Also the last word about a disk is one about its guest. */
	if (disk != SILENT)
		guest = may_say(&budget->messages);
	if (disk == LAST_WORD && guest != SPEAK)
		dev->messages.silent = false;	/* it has yet to be said */
	mutex_unlock(&rates_lock);
	if (disk == SPEAK && guest == SPEAK)
		return true;
	atomic_inc(&budget->unsaid);
	if (guest == SPEAK)
		pr_warn("guest %u, disk %s: more than %u messages in a minute: those that follow are only in its error node in xenstore, see xenstore-ls -f error/backend/vbd/%u/%u\n",
			budget->guest, dev->name, dev->messages.rate.burst,
			budget->guest, dev->number);
	else if (guest == LAST_WORD)
		pr_warn("guest %u: more than %u messages in a minute: those that follow are only in the error nodes of its disks in xenstore, see xenstore-ls -f error/backend/vbd/%u\n",
			budget->guest, budget->messages.rate.burst, budget->guest);
	return false;
}

/* --- queues --------------------------------------------------------------- */

/**
 * budget_add_queues() - a disk is about to have queues
 * @dev: the disk
 * @nr: how many
 *
 * Return: 0; or -EDQUOT, with the reason told, if its guest would have too many.
 */
int budget_add_queues(struct blkback_dev *dev, unsigned int nr)
{
	struct blkback_budget *budget = dev->budget;
	int others = atomic_read(&budget->queues);

	/* What is too many is not added even for a moment: others look at the sum, too. */
	while (others + nr <= budget->max_queues)
		if (atomic_try_cmpxchg(&budget->queues, &others, others + nr))
			return 0;
	blkback_error(dev, -EDQUOT,
		      "no more queues: all disks of the guest would have %u, and %u is the most: give them fewer (max_queues), or raise max_guest_queues",
		      others + nr, budget->max_queues);
	return -EDQUOT;
}

/**
 * budget_sub_queues() - undo budget_add_queues()
 * @dev: the disk
 * @nr: as many
 */
void budget_sub_queues(struct blkback_dev *dev, unsigned int nr)
{
	atomic_sub(nr, &dev->budget->queues);
}

/* --- pages that stay mapped ----------------------------------------------- */

static struct blkback_budget *budget_of(const struct blkback_ring *ring)
{
	return ring->conn->dev->budget;
}

/**
 * budget_keepable() - how many more pages may stay mapped
 * @ring: one of the guest's
 *
 * Return: what holds at the moment; other rings may be quicker.
 */
unsigned int budget_keepable(const struct blkback_ring *ring)
{
	return atomic_read(&budget_of(ring)->keepable);
}

/**
 * budget_keep() - one more page is about to stay mapped
 * @ring: for which
 *
 * Context: any.
 * Return: whether it may.
 */
bool budget_keep(struct blkback_ring *ring)
{
	return atomic_dec_if_positive(&budget_of(ring)->keepable) >= 0;
}

/**
 * budget_unkeep() - undo budget_keep()
 * @ring: the same
 *
 * Context: any.
 */
void budget_unkeep(struct blkback_ring *ring)
{
	atomic_inc(&budget_of(ring)->keepable);
}

/* --- pages ---------------------------------------------------------------- */

/**
 * budget_ring_init() - for a new ring
 * @ring: the ring
 */
void budget_ring_init(struct blkback_ring *ring)
{
	ring->credit = OWN_PAGES;
}

/* Pages of ours that requests of the ring have. */
static unsigned int taken(const struct blkback_ring *ring)
{
	return READ_ONCE(ring->pool.out) + ring->mapped_out;
}

/*
 * What requests of the ring count for. A page that is kept mapped counts for each time
 * that one names it: it is there anyway, but the request takes memory that grows with it.
 */
static unsigned int used(const struct blkback_ring *ring)
{
	return taken(ring) + READ_ONCE(ring->kept_out);
}

/* Of what the ring has got, beyond so many pages. */
static unsigned int left_of(const struct blkback_ring *ring, unsigned int pages)
{
	return ring->credit > pages ? ring->credit - pages : 0;
}

/* All or none: what is not enough may be enough for another ring. */
static bool take(struct blkback_chunks *chunks, int nr)
{
	int left = atomic_read(&chunks->left);

	while (left >= nr)
		if (atomic_try_cmpxchg(&chunks->left, &left, left - nr))
			return true;
	return false;
}

/* Of the disk's share first: what it may not have is not taken from others even for a moment. */
static bool take_chunks(struct blkback_ring *ring, unsigned int nr)
{
	struct blkback_chunks *share = &ring->conn->dev->chunks;

	if (!take(share, nr))
		return false;
	if (!take(&budget_of(ring)->chunks, nr)) {
		atomic_add(nr, &share->left);
		return false;
	}
	ring->credit += nr * BUDGET_CHUNK;
	return true;
}

static void give_chunks(struct blkback_ring *ring, unsigned int nr)
{
	ring->credit -= nr * BUDGET_CHUNK;
	atomic_add(nr, &budget_of(ring)->chunks.left);
	atomic_add(nr, &ring->conn->dev->chunks.left);
}

/* Whether what is left is less than any one request may need. */
static bool scarce(const struct blkback_chunks *chunks)
{
	return atomic_read(&chunks->left) * BUDGET_CHUNK < BLKBACK_MAX_SEGMENTS;
}

/*
 * One ring of a disk may, at a time. Return whether it is this one. If not, it is given a
 * turn: see budget_pass_on().
 */
static bool overdraw(struct blkback_ring *ring)
{
	struct blkback_ring *who;

	WRITE_ONCE(ring->wants_turn, true);
	smp_mb();	/* it is seen to want one, or sees that nobody has it */
	who = cmpxchg(&ring->conn->overdrawn, NULL, ring);
	if (who && who != ring)
		return false;
	WRITE_ONCE(ring->wants_turn, false);
	return true;
}

/**
 * budget_turn_waits() - whether a ring has been given a turn, and has yet to take or to end it
 * @ring: the ring
 *
 * Also one that it has ceased to want just before: nobody else can end it.
 *
 * Context: the ring's thread.
 * Return: if so, true.
 */
bool budget_turn_waits(const struct blkback_ring *ring)
{
	return ring_overdrawn(ring) && (ring->wants_turn || used(ring) <= ring->credit);
}

/**
 * budget_turn_ends() - whether a ring has had more than it has got, and needs no more
 * @ring: nothing of its batch is without its pages
 *
 * Context: the ring's thread.
 * Return: if so, true: budget_pass_on() is due.
 */
bool budget_turn_ends(const struct blkback_ring *ring)
{
	return ring_overdrawn(ring) && !ring->wants_turn && used(ring) <= ring->credit;
}

/**
 * budget_pass_on() - give the next ring of the disk that wants it a turn
 * @ring: its own has ended
 *
 * The next one has it from then on, so that this one cannot be quicker.
 *
 * Context: the ring's thread.
 */
void budget_pass_on(struct blkback_ring *ring)
{
	struct blkback_conn *conn = ring->conn;
	unsigned int i;

	/* Who wants it now is seen to, or sees that nobody has it. */
	smp_store_mb(conn->overdrawn, NULL);
	for (i = 1; i < conn->nr_rings; i++) {
		struct blkback_ring *next = conn->rings[(ring->index + i) % conn->nr_rings];

		if (!READ_ONCE(next->wants_turn))
			continue;
		if (!cmpxchg(&conn->overdrawn, NULL, next))
			ring_wake(next);
		return;
	}
}

/**
 * budget_covers() - whether a request may have its pages
 * @ring: whose request it is; its batch does not count the request yet
 * @pages: how many
 *
 * Where a guest, or a disk of it, has spent all that it may have, each of its disks can
 * still have one request of any size out: so nothing stops for good, whatever others do.
 *
 * Context: the ring's thread.
 * Return: if so, true.
 */
bool budget_covers(struct blkback_ring *ring, unsigned int pages)
{
	unsigned int wanted = used(ring) + ring->batch->nr_copied +
			      ring->batch->nr_mapped + pages;

	if (!pages || ring->credit >= wanted ||
	    take_chunks(ring, DIV_ROUND_UP(wanted - ring->credit, BUDGET_CHUNK)))
		return true;
	return wanted == pages && overdraw(ring);
}

/**
 * budget_room() - how many pages requests may have without more being taken
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: what the ring has got and does not use.
 */
unsigned int budget_room(const struct blkback_ring *ring)
{
	return left_of(ring, used(ring));
}

/**
 * budget_spare() - how many free pages a ring may keep
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: what it has got, but for those that requests have.
 */
unsigned int budget_spare(const struct blkback_ring *ring)
{
	return left_of(ring, taken(ring));
}

/**
 * budget_trim() - give back what the ring does not need
 * @ring: the ring
 * @idle: all of it, as where others may have to go without; otherwise a little of it, if it is much
 *
 * Context: the ring's thread.
 */
void budget_trim(struct blkback_ring *ring, bool idle)
{
	bool needed = scarce(&ring->conn->dev->chunks) || scarce(&budget_of(ring)->chunks);
	unsigned int slack = idle || needed ? 0 : SLACK_PAGES;
	unsigned int keep = max(used(ring) + slack, OWN_PAGES);

	if (ring->credit >= keep + BUDGET_CHUNK)
		give_chunks(ring, slack ? 1 : (ring->credit - keep) / BUDGET_CHUNK);
}

/**
 * budget_ring_exit() - give back all that a ring has
 * @ring: nothing of it runs
 */
void budget_ring_exit(struct blkback_ring *ring)
{
	give_chunks(ring, (ring->credit - OWN_PAGES) / BUDGET_CHUNK);
}
