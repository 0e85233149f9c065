/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the driver, who owns them, and what each file offers.
 *
 *   blkback_dev   one disk of one guest, from probe to remove
 *    |- vbd       the block device behind it, while open
 *    `- conn      what was agreed with the frontend that is there now, or NULL
 *        `- ring  a queue: thread, event channel, requests, statistics
 *
 * Two kinds of thread work on them, and no field is written by both but by atomic
 * operations or under a lock:
 *
 *  - The device's work item (xenbus.c). It alone moves the device from state to
 *    state, opens and closes the disk, makes and destroys connections. It never
 *    runs twice at a time for one device, and it may sleep. Callbacks that run
 *    on xenwatch, which serves all guests, only queue it.
 *
 *  - A ring's thread (blkback.c). It takes requests off the ring and gives them
 *    to the disk; then they are the block layer's. When they come back they are
 *    answered: at once, in whatever context the disk has completed them, if that
 *    is quick; or else by the thread. What the two share is under the ring's lock.
 */
#ifndef BLKBACK_COMMON_H
#define BLKBACK_COMMON_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/irqreturn.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "barrier.h"
#include "budget.h"
#include "decode.h"
#include "latency.h"
#include "persist.h"
#include "poll.h"
#include "sring.h"

/* Most requests prepared together: as many as a one-page ring holds. */
#define BLKBACK_BATCH_REQS	32

/*
 * What is small: a READ of more segments that are copied is not answered in the context
 * that completes it.
 */
#define BLKBACK_QUICK_SEGS	16

/*
 * The most that the tasklet of a ring does at a time, in pages copied; sixteen pages that
 * are not copied count as one. It runs in the place of others.
 */
#define BLKBACK_QUICK_MAX	(4 * BLKBACK_QUICK_SEGS)

/*
 * Most pages of a ring that requests have at a time to be copied to or from. A
 * disk that hangs keeps them, so what goes beyond is mapped.
 */
#define BLKBACK_MAX_COPIED	1024

/* Far more than any frontend has CPUs to use; keeps max_queues from typos. */
#define BLKBACK_MAX_QUEUES	256U

/* Whoever wants to wait awake for longer than this wants a CPU for each ring. */
#define BLKBACK_MAX_POLL_US	1000U

/* Room for how a guest calls a disk. A number always fits. */
#define BLKBACK_NAME_LEN	14

/* Sizes of requests in memory: of 1, 4, 16, 64 and 256 segments. */
#define BLKBACK_REQ_SIZES	5

/**
 * enum blkback_state - where a device is; the way from one to the next is drawn
 *	in xenbus.c
 * @BLKBACK_INIT: just probed, nothing told yet
 * @BLKBACK_WAIT_BDEV: offer written; the toolstack has yet to name the disk
 * @BLKBACK_WAIT_FRONTEND: disk open; the frontend has yet to write its keys
 * @BLKBACK_CONNECTED: all rings run
 * @BLKBACK_CLOSING: the frontend wants to leave but still sends requests
 * @BLKBACK_DRAINING: rings stopped, what is in flight comes home; or the
 *	frontend was refused and has yet to leave
 * @BLKBACK_CLOSED: nothing mapped, nothing open
 */
enum blkback_state {
	BLKBACK_INIT,
	BLKBACK_WAIT_BDEV,
	BLKBACK_WAIT_FRONTEND,
	BLKBACK_CONNECTED,
	BLKBACK_CLOSING,
	BLKBACK_DRAINING,
	BLKBACK_CLOSED,
};

/**
 * enum blkback_data - how the data of a request gets between guest and disk
 * @DATA_NONE: there is none
 * @DATA_COPIED: Xen copies it from or to pages of ours
 * @DATA_MAPPED: the guest's pages are mapped for as long as the request lasts
 * @DATA_KEPT: they stay mapped, for later requests
 * @NR_DATA: number of these
 */
enum blkback_data {
	DATA_NONE,
	DATA_COPIED,
	DATA_MAPPED,
	DATA_KEPT,
	NR_DATA,
};

/* Operations that a request in our terms may have. */
#define NR_OPERATIONS	(BLKIF_OP_DISCARD + 1)

/* What a ring's thread counts. The names in sysfs are in stats.c and queues.c. */
enum blkback_stat {
	STAT_REQS,	/* requests given to the disk: plus enum blkif_op */
	STAT_SECTORS = STAT_REQS + NR_OPERATIONS, /* 512-byte sectors of those */
	STAT_DATA = STAT_SECTORS + NR_OPERATIONS, /* and again: plus enum blkback_data */
	STAT_REFUSED = STAT_DATA + NR_DATA, /* requests that were not given to the disk */
	STAT_OO_REQ,	/* times a ring had to wait for memory */
	STAT_OVER,	/* times a ring had to wait for the guest's budget */
	STAT_MAPS,	/* pages mapped, one by one */
	STAT_UNMAPS,	/* and unmapped */
	STAT_MAP_CALLS,	/* hypercalls for both */
	STAT_WAKEUPS,	/* times the thread slept and woke */
	STAT_POLL_HITS,	/* times it waited awake and was right to do so */
	STAT_POLL_MISSES, /* or not */
	NR_BLKBACK_STATS,
	STAT_ERRORS = NR_BLKBACK_STATS, /* only in sums, as others count it, by kind */
	NR_BLKBACK_SUMS,
};

/* Those that people ask for, a bit for each. */
#define STATS_OF(what, op)	BIT_ULL(STAT_##what + BLKIF_OP_##op)
#define STATS_READS		STATS_OF(REQS, READ)
#define STATS_WRITES		STATS_OF(REQS, WRITE)
#define STATS_BARRIERS		STATS_OF(REQS, WRITE_BARRIER)
#define STATS_FLUSHES		STATS_OF(REQS, FLUSH_DISKCACHE)
#define STATS_DISCARDS		STATS_OF(REQS, DISCARD)
#define STATS_READ_SECTORS	STATS_OF(SECTORS, READ)
#define STATS_WRITE_SECTORS						\
	(STATS_OF(SECTORS, WRITE) | STATS_OF(SECTORS, WRITE_BARRIER) |	\
	 STATS_OF(SECTORS, FLUSH_DISKCACHE))
#define STATS_DISCARD_SECTORS	STATS_OF(SECTORS, DISCARD)

/* What can be set for each disk. The names are in settings.c. */
enum blkback_setting {
	SET_MAX_QUEUES,
	SET_MAX_RING_ORDER,	/* a ring may have up to 2^this pages */
	SET_PERSISTENT,		/* guest pages may stay mapped */
	SET_MAX_PERSISTENT,	/* how many, all rings together */
	SET_MAX_INDIRECT,	/* segments of an INDIRECT request */
	SET_UNUSED_SECONDS,	/* for how long a page stays when not used */
	SET_COPY_READ_MAX,	/* bytes of a READ that is copied, not mapped */
	SET_COPY_WRITE_MAX,
	SET_POLL_US,		/* for how long a ring waits awake */
	SET_IOPRIO,		/* as the kernel has it; 0: none */
	NR_BLKBACK_SETTINGS,
	SET_CGROUP = NR_BLKBACK_SETTINGS,	/* has no number */
};

/**
 * struct blkback_settings - what holds for one disk, see settings.c
 * @lock: all below is written under it
 * @values: by enum blkback_setting. Those that are part of the offer are as they were
 *	offered last
 * @by_hand: bits of those that were written in sysfs, and hold whatever xenstore says
 * @cgroup: path of the cgroup that I/O is charged to; NULL or empty: that of the thread
 * @charged: the same as the kernel has it; NULL likewise
 * @changes: how often sysfs was written; rings look whether that is news
 */
struct blkback_settings {
	struct mutex lock; /* all of it, against other writers */
	unsigned int values[NR_BLKBACK_SETTINGS];
	unsigned long by_hand;
	char *cgroup;
	struct cgroup_subsys_state *charged;
	unsigned int changes;
};

/**
 * struct blkback_vbd - the block device behind a disk
 * @file: from the block layer; NULL while closed
 * @bdev: of @file
 * @devt: the number the toolstack gave; 0 before it did
 * @diskseq: which of the disks that have had this number; 0: any
 * @read_only: the guest may not write
 * @shared: the host may use the disk, too, although the guest may write
 * @discard: the toolstack has nothing against discards
 * @info: VDISK_* bits for the frontend
 * @told_sectors: the size the frontend knows, in 512-byte sectors
 *
 * Written by the device's work. Rings read @bdev, @read_only and @discard, which
 * do not change while there are rings.
 */
struct blkback_vbd {
	struct file *file;
	struct block_device *bdev;
	dev_t devt;
	u64 diskseq;
	bool read_only;
	bool shared;
	bool discard;
	unsigned int info;
	u64 told_sectors;
};

/**
 * struct blkback_dev - one disk of one guest
 * @ref: probe to remove, a queued @work, a connection; xenwatch while it looks
 * @xdev: pinned by us, for a connection may outlive remove
 * @frontend: copy of the path of the frontend's directory, which @xdev loses at
 *	remove
 * @name: how the guest calls the disk, for messages and names of threads; no other of
 *	its disks has it
 * @number: of the disk, as the last part of its folders in xenstore
 * @work: moves the device through its states
 * @state: written by @work; other readers see some recent value
 * @budget: of the guest
 * @chunks: of pages, how many of its guest's the disk may have; taken by its rings
 * @messages: about the disk
 * @restarts: how often the frontend may start anew
 * @held: the frontend, or all of the guest's together, has started anew too often, and
 *	waits; of @work
 * @may_restart: it may, but for the guest's other ones, which may be what it waits for;
 *	of @work
 * @restarts_held: how often it had to; written by @work
 * @ring_errors: connections that were ended as the frontend broke the rules of a ring;
 *	written by @work
 * @told: what xenstore says of @state, as far as we could write it
 * @removed: set once, by remove: no frontend to talk to any more
 * @refused: this frontend, or its disk, was no good: it has to leave before it
 *	may try again
 * @settings: what the administrator wants
 * @vbd: the disk
 * @conn: written by @work under @conn_lock; NULL if not connected
 * @past: sums over the rings of past connections; under @conn_lock
 * @conn_lock: lets others than @work look at @conn and @past; also taken
 *	where memory is being freed, so nothing may be allocated under it
 * @debug: its folder in debugfs; NULL while there is none; under the lock of @xdev
 * @all: in the list of devices, under the lock of that list, until closed for
 *	good
 */
struct blkback_dev {
	struct kref ref;
	struct xenbus_device *xdev;
	char *frontend;
	char name[BLKBACK_NAME_LEN];
	unsigned int number;
	struct delayed_work work;
	struct blkback_budget *budget;
	struct blkback_chunks chunks;
	struct blkback_messages messages;
	struct ratelimit_state restarts;
	bool held;
	bool may_restart;
	unsigned int restarts_held;
	unsigned int ring_errors;
	enum blkback_state state;
	enum xenbus_state told;
	bool removed;
	bool refused;
	struct blkback_settings settings;
	struct blkback_vbd vbd;
	struct blkback_conn *conn;
	u64 past[NR_BLKBACK_SUMS];
	struct mutex conn_lock; /* conn and past, against others than the work */
	struct dentry *debug;
	struct list_head all;
};

/**
 * struct blkback_conn - what was agreed with one incarnation of the frontend
 * @dev: kept alive by us
 * @abi: layout of the requests
 * @ring_order: each ring has 2^this pages
 * @nr_rings: entries of @rings
 * @persistent: both sides have agreed that guest pages may stay mapped
 * @max_persistent: how many, all rings together
 * @unused_jiffies: for how long, when not used; 0: until memory is short
 * @max_indirect: most segments of an INDIRECT request
 * @max_spare_pages: most free pages that a ring keeps, of either kind
 * @squeeze_jiffies: for how long a ring keeps none when memory was short
 * @told: what the frontend was told of the disk
 * @queues: folder in sysfs; NULL if there is none; of the device's work
 * @stopping: set by the device's work: rings take no more requests
 * @running: ring threads that have not come to their end
 * @broken: set by any ring whose frontend broke the rules of the ring
 * @barrier: between the rings
 * @overdrawn: the ring of which a request has, or may have, more pages than its @credit; NULL:
 *	none. Who has it passes it on: see budget_pass_on()
 * @rings: each in memory of its own
 *
 * All but @queues, @stopping, @running, @broken, @barrier and @overdrawn is fixed
 * before the rings start.
 */
struct blkback_conn {
	struct blkback_dev *dev;
	const struct blkif_abi *abi;
	unsigned int ring_order;
	unsigned int nr_rings;
	bool persistent;
	unsigned int max_persistent;
	unsigned long unused_jiffies;
	unsigned int max_indirect;
	unsigned int max_spare_pages;
	unsigned long squeeze_jiffies;
	struct disk_limits told;
	struct kobject *queues;
	bool stopping;
	atomic_t running;
	bool broken;
	struct barrier barrier;
	struct blkback_ring *overdrawn;
	struct blkback_ring *rings[] __counted_by(nr_rings);
};

/**
 * struct blkback_seg - where a segment's data is in the guest
 * @gref: the guest's grant reference, if the data is COPIED, or not yet KEPT
 * @handle: of the mapping if MAPPED, or INVALID_GRANT_HANDLE
 * @kept: the mapping if KEPT
 *
 * Where it is here says the bio_vec of the same number.
 */
union blkback_seg {
	struct {
		grant_ref_t gref;
		grant_handle_t handle;
	};
	struct blkback_kept *kept;
};

/**
 * struct blkback_req - a request between ring and disk
 * @done: in one of the lists of requests that are done, or wait for their turn
 * @ring: whose it is
 * @id: to be echoed
 * @sector: start on the disk; of a DISCARD: of what it has not been given yet
 * @nr_sectors: how many; of a DISCARD: what the disk has not been given yet
 * @nr_segs: segments
 * @class: its size in memory, see request.c
 * @operation: enum blkif_op, never INDIRECT
 * @status: enum blkif_status, what to answer
 * @data: enum blkback_data
 * @quick: may be answered in the context that completes it
 * @timed: no other was at the disk when that got it: see iopoll.c
 * @secure: a DISCARD is to leave no trace of the data
 * @known_at: time since when we know of it, by ktime_get_ns(); see latency.h
 * @given_at: when it was given to the disk; 0: it never was
 * @done_at: when the disk was done with it; 0: just before it is answered
 * @segs: @nr_segs of them, behind @vecs
 * @bio: the request as the disk sees it
 * @vecs: of @bio, @nr_segs of them
 *
 * As large as its number of segments demands, and there only while in flight.
 */
struct blkback_req {
	struct llist_node done;
	struct blkback_ring *ring;
	u64 id;
	u64 sector;
	u64 nr_sectors;
	u16 nr_segs;
	u8 class;
	u8 operation;
	s8 status;
	u8 data;
	bool quick;
	bool timed;
	bool secure;
	u64 known_at;
	u64 given_at;
	u64 done_at;
	union blkback_seg *segs;
	struct bio bio;
	struct bio_vec vecs[];
};

/**
 * struct blkback_copies - data for Xen to copy
 * @nr: entries of @ops and @reqs in use
 * @max: entries that there are
 * @ops: from where to where
 * @reqs: whose data it is
 * @copied: entries that Xen was given, ever
 * @calls: hypercalls for those
 *
 * Of the ring's thread or of its tasklet.
 */
struct blkback_copies {
	unsigned int nr;
	unsigned int max;
	u64 copied;
	u64 calls;
	struct gnttab_copy *ops;
	struct blkback_req **reqs;
};

/**
 * struct blkback_unmaps - guest pages for Xen to unmap
 * @nr: entries in use
 * @ops: the mappings
 * @pages: our pages
 */
struct blkback_unmaps {
	unsigned int nr;
	struct gnttab_unmap_grant_ref ops[BLKBACK_MAX_SEGMENTS];
	struct page *pages[BLKBACK_MAX_SEGMENTS];
};

/**
 * struct blkback_maps - guest pages for Xen to map
 * @nr: entries in use
 * @ops: the mappings
 * @pages: our pages
 * @segs: whose data is there
 * @reqs: of which requests
 */
struct blkback_maps {
	unsigned int nr;
	struct gnttab_map_grant_ref ops[BLKBACK_MAX_SEGMENTS];
	struct page *pages[BLKBACK_MAX_SEGMENTS];
	union blkback_seg *segs[BLKBACK_MAX_SEGMENTS];
	struct blkback_req *reqs[BLKBACK_MAX_SEGMENTS];
};

/**
 * struct blkback_batch - the requests a ring is preparing together
 * @nr_reqs: entries of @reqs and of @wire
 * @nr_segs: of all these requests together
 * @nr_copied: of these, segments that may need a page of the pool
 * @nr_mapped: of these, segments that may need a page to map to
 * @room: how many segments it may have before its guest's budget has to be asked
 * @indirect: there are INDIRECT requests among them
 * @known_at: since when we know of the requests, by ktime_get_ns()
 * @reqs: the requests
 * @wire: what they looked like in their slots
 * @slot: copy of the slot that is being looked at
 * @descs: one page, which the descriptors of INDIRECT requests are copied to
 * @copies: the ring's for its thread
 * @maps: to get the guest's pages
 * @unmaps: to give them back
 */
struct blkback_batch {
	unsigned int nr_reqs;
	unsigned int nr_segs;
	unsigned int nr_copied;
	unsigned int nr_mapped;
	unsigned int room;
	bool indirect;
	u64 known_at;
	struct blkback_req *reqs[BLKBACK_BATCH_REQS];
	struct wire_request wire[BLKBACK_BATCH_REQS];
	u8 slot[BLKIF_MAX_STRIDE];
	struct blkif_segment *descs;
	struct blkback_copies copies;
	struct blkback_maps maps;
	struct blkback_unmaps unmaps;
};

/**
 * struct blkback_pool - pages of our own for data that is copied
 * @first: the one used last; linked by their private
 * @nr: how many; also read when memory is short
 * @out: how many requests have
 */
struct blkback_pool {
	struct page *first;
	unsigned int nr;
	unsigned int out;
};

/**
 * struct blkback_ring - one queue of a connection
 * @conn: whose it is
 * @index: its number there
 * @guest: the frontend's domain
 * @name: of its thread and of its interrupt
 * @irq: of the event channel; 0 if not bound
 * @thread: serves the ring; a reference is held
 * @wait: where @thread sleeps
 * @nr_pages: of the ring; 0 before there are any
 * @pages: where they are mapped
 * @handles: what Xen calls that; INVALID_GRANT_HANDLE where one is not
 *
 * Of @thread, once that runs:
 *
 * @changes: of the device's settings, as far as they are taken
 * @copy_read_max: requests of up to so many bytes have their data copied
 * @copy_write_max: likewise
 * @ioprio: of its requests, if that is set
 * @prio: of its requests at this moment; otherwise the block layer looks for it each time
 * @sring: our view of the shared pages; the responses in it are under @lock
 * @taken: requests taken off the ring, ever
 * @seen: @answered when last looked at
 * @arrival: since when requests have been on the ring
 * @retry: memory was short, or pages of the guest's budget were, and no event will say
 *	when they no longer are: look again in a while
 * @retries: how often it has done so in vain, up to a limit
 * @wants_turn: a request waits for another ring of the disk, which has more than it has got
 * @worked: a request was taken since the last EOI: the event was not for nothing
 * @refused: a request was answered without having been taken, and the frontend
 *	has yet to see it
 * @untidy: a request was taken since guest_pages_trim() has last found the ring
 *	idle
 * @credit: pages that requests may have: its own, and what it has of its guest's
 * @mapped_out: pages that are mapped for requests
 * @trimmed_at: time, in jiffies, when guest_pages_trim() had last a look
 * @next_sector: of the disk, where the last request given to it ends
 * @capacity: size of the disk when last looked at, in 512-byte sectors
 * @discards: those that wait for their turn at the disk, linked by their @done
 * @discards_end: where to put the next one
 * @discards_out: number of those that are at the disk
 * @barrier: what this ring knows of the connection's barrier
 * @here: requests that were completed by @thread, while it submitted them
 * @busy: completed requests whose pages somebody still looks at
 * @free: memory of requests that are done with, by size
 * @unused: from where on in @free it has not been needed since req_round()
 * @round_at: time, in jiffies, when that was
 * @spare: pages to map guest pages to
 * @poll: how long it waits awake
 * @asked: request for which the disk is asked whether it is done; NULL: none
 * @lone_since: when the last request that was alone was given to the disk, by
 *	ktime_get_ns(); whoever completes that reads it
 * @taken_at: time, in jiffies, when a request was last taken
 * @full_until: time, in jiffies, until which no further page comes to stay mapped
 * @log_at: time, in jiffies, when the counters may be logged again
 * @batch: requests being prepared
 * @stats: written by @thread only, see enum blkback_stat
 * @queue: folder in sysfs; NULL if there is none; of the device's work
 *
 * Of all that complete requests:
 *
 * @event: an event has come and its EOI is due; set by the interrupt handler,
 *	cleared by @thread before it gives the EOI
 * @event_at: when the last one came, by ktime_get_ns(); of the interrupt handler
 * @events_in: how many have come, ever; likewise
 * @tidy: it is time to look for what need not be kept; set by @timer, cleared by
 *	@thread
 * @timer: pending only if there is something to look for
 * @heeds: @thread sleeps until a request has been answered; written by @thread
 * @reserve_used: whether @reserve is taken; set by @thread, cleared by whoever
 *	is done with it
 * @took: how long the last request that was alone took the disk, in ns; U64_MAX
 *	before there was one; set by whoever completes it
 * @finish: completed requests that the thread has to finish; added to from any
 *	context
 * @quick: those that @answer is to; added to from any context
 * @answer: answers those of @quick
 * @copies: of @answer
 * @copy_ops: of @copies
 * @copy_reqs: of @copies
 * @freed: goes on top of @free; added to by @answer
 * @squeeze: how many kept pages to let go, for memory is short, and 1 for all
 *	spare pages; added to by whoever finds that, cleared by @thread
 * @squeezed_until: time, in jiffies, until which no spare pages are kept; also
 *	set by whoever finds that
 * @lock: the responses, and what is given back when a request is answered
 * @answered: requests that were taken and answered, ever; under @lock
 * @account: what became of requests; see there for who writes what
 * @pool: pages to copy to, under @lock
 * @kept_out: pages that requests have whose data is KEPT, each time that one is named; under @lock
 * @persist: guest pages that stay mapped, if the connection is @persistent;
 *	under @lock
 * @reserve: memory for one request of any size, when there is no other
 */
struct blkback_ring {
	struct blkback_conn *conn;
	unsigned int index;
	domid_t guest;
	char name[sizeof("blkback.32767.-255") + BLKBACK_NAME_LEN];
	int irq;
	struct task_struct *thread;
	struct rcuwait wait;
	unsigned int nr_pages;
	struct page *pages[SRING_MAX_PAGES];
	grant_handle_t handles[SRING_MAX_PAGES];

	unsigned int changes;
	unsigned int copy_read_max;
	unsigned int copy_write_max;
	u16 ioprio;
	u16 prio;
	struct sring sring;
	u32 taken;
	u32 seen;
	struct blkback_arrival arrival;
	bool retry;
	bool wants_turn;
	u8 retries;
	bool worked;
	bool refused;
	bool untidy;
	unsigned int credit;
	unsigned int mapped_out;
	unsigned long trimmed_at;
	u64 next_sector;
	u64 capacity;
	struct llist_node *discards;
	struct llist_node **discards_end;
	unsigned int discards_out;
	struct barrier_view barrier;
	struct llist_node *here;
	struct llist_node *busy;
	struct llist_node *free[BLKBACK_REQ_SIZES];
	struct llist_node *unused[BLKBACK_REQ_SIZES];
	unsigned long round_at;
	struct gnttab_page_cache spare;
	struct blkback_poll poll;
	struct blkback_req *asked;
	u64 lone_since;
	unsigned long taken_at;
	unsigned long full_until;
	unsigned long log_at;
	struct blkback_batch *batch;
	u64 stats[NR_BLKBACK_STATS];
	struct blkback_queue *queue;

	bool event ____cacheline_aligned_in_smp;
	bool tidy;
	u64 event_at;
	u64 events_in;
	struct timer_list timer;
	bool heeds;
	bool reserve_used;
	u64 took;
	struct llist_head finish;
	struct llist_head quick;
	struct tasklet_struct answer;
	struct blkback_copies copies;
	struct gnttab_copy copy_ops[BLKBACK_QUICK_SEGS];
	struct blkback_req *copy_reqs[BLKBACK_QUICK_SEGS];
	struct llist_head freed[BLKBACK_REQ_SIZES];
	atomic_t squeeze;
	unsigned long squeezed_until;
	spinlock_t lock; /* responses, answered, what is counted of them, pool, kept_out, persist */
	u32 answered;
	struct blkback_account *account;
	struct blkback_pool pool;
	unsigned int kept_out;
	struct blkback_persist persist;
	struct blkback_req *reserve;
};

/**
 * in_flight() - how many requests a ring has out
 * @ring: the ring
 *
 * Return: requests that were taken and have not been answered.
 */
static inline u32 in_flight(const struct blkback_ring *ring)
{
	/* All that was given back with the answers is seen along with them. */
	return ring->taken - smp_load_acquire(&ring->answered);
}

/**
 * ring_overdrawn() - whether a request of a ring may have more pages than the ring
 * @ring: the ring
 *
 * Return: if so, true; as one ring of a disk may at a time.
 */
static inline bool ring_overdrawn(const struct blkback_ring *ring)
{
	return READ_ONCE(ring->conn->overdrawn) == ring;
}

/**
 * ring_stopped() - whether a ring takes no more requests
 * @ring: the ring
 *
 * Return: if so, true.
 */
static inline bool ring_stopped(const struct blkback_ring *ring)
{
	const struct blkback_conn *conn = ring->conn;

	return READ_ONCE(conn->stopping) || READ_ONCE(conn->broken);
}

/**
 * ring_wake() - have a ring look whether there is something to do
 * @ring: cannot go meanwhile
 *
 * Context: any.
 */
static inline void ring_wake(struct blkback_ring *ring)
{
	rcuwait_wake_up(&ring->wait);
}

/**
 * wake_rings() - have all rings of a connection look whether there is something to do
 * @conn: cannot go meanwhile
 *
 * Context: any.
 */
static inline void wake_rings(struct blkback_conn *conn)
{
	unsigned int i;

	for (i = 0; i < conn->nr_rings; i++)
		ring_wake(conn->rings[i]);
}

/**
 * ring_pid() - the number of a ring's thread
 * @ring: has had one
 *
 * Context: any.
 * Return: the number; 0 once the thread has ended, as another one may get it then.
 */
static inline pid_t ring_pid(const struct blkback_ring *ring)
{
	return task_pid_nr_ns(ring->thread, &init_pid_ns);
}

/* params.c: parameters of the module */
extern unsigned int blkback_max_queues;
extern unsigned int blkback_max_ring_order;
extern bool blkback_persistent;
extern unsigned int blkback_max_persistent;
extern unsigned int blkback_unused_seconds;
extern unsigned int blkback_copy_read_max;
extern unsigned int blkback_copy_write_max;
extern unsigned int blkback_poll_us;
extern unsigned int blkback_max_spare_pages;
extern unsigned int blkback_squeeze_ms;
extern unsigned int blkback_log_stats;
extern unsigned int blkback_max_guest_pages;
extern unsigned int blkback_max_disk_pages;
extern unsigned int blkback_max_guest_queues;
extern unsigned int blkback_max_guest_persistent;
extern unsigned int blkback_max_guest_messages;
extern unsigned int blkback_max_disk_messages;
extern unsigned int blkback_max_restarts;
extern unsigned int blkback_max_guest_restarts;
void params_init(void);

/* blkback.c: the module and its ring threads */
int ring_thread(void *data);
irqreturn_t ring_event(int irq, void *data);
void ring_tidy(struct timer_list *timer);

/* answer.c: completed requests */
void answer_req(struct blkback_req *req);
void answer_bio(struct bio *bio);
void answer_all(struct blkback_ring *ring);
void answer_quick(struct tasklet_struct *tasklet);

/* discard.c: discards */
void discard_wait(struct blkback_ring *ring, struct blkback_req *req);
bool discard_goes_on(struct blkback_ring *ring, struct blkback_req *req);
bool discard_due(const struct blkback_ring *ring);
void discard_submit(struct blkback_ring *ring, const struct disk_limits *disk);

/* iopoll.c: asking the disk whether it is done */
blk_opf_t iopoll_begin(struct blkback_ring *ring, struct blkback_req *req);
void iopoll_timed(const struct blkback_req *req);
void iopoll(struct blkback_ring *ring);
u64 iopoll_left(const struct blkback_ring *ring);
void iopoll_pause(struct blkback_ring *ring);
bool iopoll_in_time(const struct blkback_ring *ring);

/* xenbus.c: devices and their states */
int blkback_xenbus_init(void);
void blkback_xenbus_exit(void);
void blkback_get(struct blkback_dev *dev);
void blkback_put(struct blkback_dev *dev);
void blkback_kick(struct blkback_dev *dev);
const char *blkback_state_name(enum blkback_state state);

/* devs.c: the list of all devices */
int blkback_remember(struct blkback_dev *new);
void blkback_forget(struct blkback_dev *dev);
struct blkback_dev *blkback_find_by_path(const char *path);
void blkback_kick_disk(dev_t devt);
void blkback_each_ring(void (*fn)(struct blkback_ring *ring, unsigned long *arg),
		       unsigned long *arg);
void blkback_rotate(void);

/* log.c: messages */
const char *blkback_what_to_do(int err);
__printf(3, 4)
void blkback_error(struct blkback_dev *dev, int err, const char *fmt, ...);
__printf(2, 3)
void blkback_info(struct blkback_dev *dev, const char *fmt, ...);

/* How much of a text that others wrote goes into a message, and what that becomes. */
#define MAX_QUOTE	32
#define MAX_QUOTED	(4 * MAX_QUOTE + sizeof("..."))
const char *quote(char *quoted, const char *text);

/* xenstore.c: how xenstore is read and written */

/**
 * no_answer() - whether xenstore could not be asked or told just now
 * @err: what a function of xenbus has returned
 *
 * Return: if so, true: try again. All else is an answer.
 */
static inline bool no_answer(int err)
{
	return err == -ENOMEM || err == -EIO || err == -EINTR ||
	       err == -EAGAIN || err == -EBUSY;
}

/* How long to leave xenstore alone then. */
#define XENSTORE_RETRY_MS	100

/**
 * struct backend_key - one of the keys we write
 * @name: in our own directory
 * @value: written in decimal
 */
struct backend_key {
	char name[sizeof("feature-max-indirect-segments")];
	u64 value;
};

int xenstore_tell(struct blkback_dev *dev, const struct backend_key *keys,
		  unsigned int n, enum xenbus_state from, enum xenbus_state to);
int write_told(struct xenbus_device *xdev, enum xenbus_state state);
int write_closed_again(struct xenbus_device *xdev);
int read_text(struct blkback_dev *dev, const char *dir, const char *key,
	      char **text);
int read_number(struct blkback_dev *dev, const char *dir, const char *key,
		unsigned int *value);

/* negotiate.c: what the keys mean */

/**
 * struct ring_keys - where the frontend says a ring is
 * @refs: grant references of its pages, as many as there are
 * @port: the frontend's end of the event channel
 */
struct ring_keys {
	grant_ref_t refs[XENBUS_MAX_RING_GRANTS];
	evtchn_port_t port;
};

int write_offer(struct blkback_dev *dev);
int write_opened(struct blkback_dev *dev);
int write_disk(struct blkback_conn *conn);
int write_threads(const struct blkback_conn *conn);
int announce_size(struct blkback_dev *dev, u64 sectors);
void read_disk_name(struct xenbus_device *xdev, char *name);
int disk_named(struct blkback_dev *dev);
int read_disk(struct blkback_dev *dev);
struct blkback_conn *read_conn(struct blkback_dev *dev);
int read_ring(const struct blkback_conn *conn, unsigned int index,
	      struct ring_keys *keys);

/* settings.c: what holds for one disk */
extern const struct attribute_group blkback_settings_group;
void settings_init(struct blkback_settings *mine);
void settings_exit(struct blkback_settings *mine);
int settings_read(struct blkback_dev *dev, bool offered);
void settings_take(struct blkback_ring *ring);
void settings_leave(void);

/**
 * setting() - what holds for a disk
 * @dev: the disk
 * @what: of which setting
 *
 * Context: any.
 * Return: its value.
 */
static inline unsigned int setting(const struct blkback_dev *dev,
				   enum blkback_setting what)
{
	return READ_ONCE(dev->settings.values[what]);
}

/**
 * settings_changed() - whether a ring does not go yet by what holds now
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: if so, true: settings_take() is due.
 */
static inline bool settings_changed(const struct blkback_ring *ring)
{
	return READ_ONCE(ring->conn->dev->settings.changes) != ring->changes;
}

/* cgroup.c: to whom in the host I/O is charged */
#ifdef CONFIG_BLK_CGROUP
struct cgroup_subsys_state *io_cgroup_get(const char *path);
bool io_cgroup_gone(struct cgroup_subsys_state *css);
void io_cgroup_put(struct cgroup_subsys_state *css);
#else
static inline struct cgroup_subsys_state *io_cgroup_get(const char *path)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline bool io_cgroup_gone(struct cgroup_subsys_state *css)
{
	return false;
}

static inline void io_cgroup_put(struct cgroup_subsys_state *css)
{
}
#endif

/* conn.c: making and destroying connections */
struct blkback_conn *conn_create(struct blkback_dev *dev);
void conn_start(struct blkback_conn *conn);
void conn_stop(struct blkback_conn *conn);
bool conn_drained(const struct blkback_conn *conn);
void conn_destroy(struct blkback_conn *conn);

/* request.c: memory for requests */
struct blkback_req *req_alloc(struct blkback_ring *ring, unsigned int nr_segs);
void req_free(struct blkback_ring *ring, struct blkback_req *req);
void req_free_here(struct blkback_ring *ring, struct blkback_req *req);
int req_reserve(struct blkback_ring *ring);
void req_round(struct blkback_ring *ring);
void req_trim(struct blkback_ring *ring);

/* guest.c: the data of requests */
int guest_pages_reserve(struct blkback_ring *ring, struct blkback_req *req);
void guest_pages_get(struct blkback_ring *ring);
void guest_pages_put(struct blkback_ring *ring, struct blkback_req *req);
long guest_pages_timeout(struct blkback_ring *ring);
void guest_pages_trim(struct blkback_ring *ring);
void guest_pages_settle(struct blkback_ring *ring);
bool guest_pages_forget(struct blkback_ring *ring);

/* copy.c: guest pages that are copied */
void copy_descriptors(struct blkback_ring *ring);
int copy_reserve(struct blkback_ring *ring, unsigned int pages);
bool copy_get_pages(struct blkback_ring *ring, struct blkback_req *req);
void copy_put_pages(struct blkback_ring *ring, struct blkback_req *req);
void copy_writes(struct blkback_ring *ring);
bool copy_reads(struct blkback_copies *copies, struct llist_node *reqs);
void copy_trim(struct blkback_ring *ring, unsigned int spare);

/* ring_pages.c: the pages of a ring */
int ring_pages_map(struct blkback_ring *ring, const grant_ref_t *refs);
void ring_pages_unmap(struct blkback_ring *ring);

/* map.c: guest pages that are mapped */

/**
 * page_vaddr() - where Xen is to map something, as it wants to be told
 * @page: from gnttab_alloc_pages()
 *
 * Return: its address in the kernel.
 */
static inline unsigned long page_vaddr(const struct page *page)
{
	return (unsigned long)pfn_to_kaddr(page_to_pfn(page));
}

int map_reserve(struct blkback_ring *ring, unsigned int pages);
bool map_keep(struct blkback_ring *ring, struct blkback_req *req);
void map_get_pages(struct blkback_ring *ring, struct blkback_req *req);
void map_put_kept(struct blkback_ring *ring, struct blkback_req *req);
void map_unkeep(struct blkback_ring *ring, struct blkback_req *req);
bool map_flush(struct blkback_ring *ring);
bool map_busy(const struct blkback_req *req);
bool map_unmap(struct blkback_ring *ring, struct llist_node *reqs);
long map_timeout(struct blkback_ring *ring);
void map_trim(struct blkback_ring *ring, unsigned int spare, unsigned int wanted);

/**
 * guest_pages_wanted() - whether memory is short, and a ring has to give some back
 * @ring: the ring
 *
 * Return: if so, true: guest_pages_trim() is due.
 */
static inline bool guest_pages_wanted(const struct blkback_ring *ring)
{
	return atomic_read(&ring->squeeze);
}

/**
 * guest_pages_squeezed() - whether a ring has to do without spare pages
 * @ring: the ring
 *
 * Return: if so, true: memory is short, or has been a moment ago.
 */
static inline bool guest_pages_squeezed(const struct blkback_ring *ring)
{
	return guest_pages_wanted(ring) ||
	       time_before(jiffies, READ_ONCE(ring->squeezed_until));
}

/* pressure.c: when memory is short */
int pressure_init(void);
void pressure_exit(void);

/* vbd.c: the block device */
int vbd_open(struct blkback_dev *dev);
void vbd_close(struct blkback_vbd *vbd);
struct disk_limits vbd_limits(const struct blkback_vbd *vbd);
blk_opf_t vbd_nomerge(const struct blkback_vbd *vbd);
void vbd_submit(const struct blkback_vbd *vbd, struct blkback_req *req,
		blk_opf_t flags, bio_end_io_t *end_io);
bool vbd_unfinished(const struct blkback_req *req);
int vbd_status(blk_status_t status);

/* capacity.c: word of disks that change their size */
int capacity_init(void);
void capacity_exit(void);

/* stats.c: sysfs */
extern const struct attribute_group *blkback_groups[];

/**
 * to_blkback() - whose file it is in sysfs
 * @device: of the bus; its driver is ours
 *
 * Return: the disk.
 */
static inline struct blkback_dev *to_blkback(struct device *device)
{
	return dev_get_drvdata(device);
}

/**
 * count() - count what a ring's thread does
 * @ring: the ring
 * @what: enum blkback_stat
 * @n: how many
 *
 * Context: the ring's thread, the only writer; a 64-bit reader sees all of it or
 * nothing.
 */
static inline void count(struct blkback_ring *ring, unsigned int what, u64 n)
{
	ring->stats[what] += n;
}

/**
 * look_at_clock() - what time it is for all that is done together
 * @ring: the ring
 *
 * Context: the ring's thread.
 * Return: the time, by ktime_get_ns().
 */
static inline u64 look_at_clock(struct blkback_ring *ring)
{
	ring->arrival.clock = ktime_get_ns();
	return ring->arrival.clock;
}

/**
 * req_given() - count a request that is about to be given to the disk
 * @ring: whose it is
 * @req: with its @known_at set
 * @now: from look_at_clock()
 * @waited: bucket of what is between
 *
 * Context: the ring's thread.
 */
static inline void req_given(struct blkback_ring *ring, struct blkback_req *req,
			     u64 now, unsigned int waited)
{
	count(ring, STAT_REQS + req->operation, 1);
	count(ring, STAT_SECTORS + req->operation, req->nr_sectors);
	count(ring, STAT_DATA + req->data, req->nr_sectors);
	req->given_at = now;
	latency_count(ring->account, latency_kind(req->operation), LATENCY_WAIT,
		      waited, 1);
}

/**
 * time_done() - when the disk was done with a request
 * @done_at: of the request: when that was, or 0
 * @given_at: of the request
 * @done: when it was done with those that have no time of their own
 *
 * Of requests that are answered together another one may have been done before this one
 * was given to the disk.
 *
 * Return: the time, by ktime_get_ns().
 */
static inline u64 time_done(u64 done_at, u64 given_at, u64 done)
{
	return max(done_at ?: done, given_at);
}

u64 stats_sum(const u64 *stats, u64 which);
void stats_fold(u64 *sum, const struct blkback_ring *ring);
void stats_log(struct blkback_ring *ring);

/* queues.c: sysfs, for each queue */
void queues_add(struct blkback_conn *conn);
void queues_remove(struct blkback_conn *conn);

/* debugfs.c: what developers want to see */
void debug_init(void);
void debug_exit(void);
void debug_add(struct blkback_conn *conn);
void debug_remove(struct blkback_dev *dev);

#endif /* BLKBACK_COMMON_H */
