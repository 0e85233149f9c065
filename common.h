/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of the driver, who owns them, and what each file offers.
 *
 *   blkback_dev   one disk of one guest, from probe to remove
 *    |- vbd       the block device behind it, while open
 *    `- conn      what was agreed with the frontend that is there now, or NULL
 *        `- ring  a queue: thread, event channel, requests, statistics
 *
 * Two kinds of thread work on them, and no field is written by both:
 *
 *  - The device's work item (xenbus.c). It alone moves the device from state to
 *    state, opens and closes the disk, makes and destroys connections. It never
 *    runs twice at a time for one device, and it may sleep. Callbacks that run
 *    on xenwatch, which serves all guests, only queue it.
 *
 *  - A ring's thread (blkback.c). It alone touches the shared ring and the
 *    requests, except for a request whose bio is out: that belongs to the
 *    block layer until it comes back on the ring's list of completions.
 */
#ifndef BLKBACK_COMMON_H
#define BLKBACK_COMMON_H

#include <linux/blkdev.h>
#include <linux/irqreturn.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "barrier.h"
#include "decode.h"
#include "sring.h"

/* Most requests prepared together: as many as a one-page ring holds. */
#define BLKBACK_BATCH_REQS	32

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

/* What is counted. The names in sysfs are in stats.c. */
enum blkback_stat {
	STAT_OO_REQ,	/* times a ring had to wait for memory */
	STAT_RD_REQ,	/* requests given to the disk, by kind */
	STAT_WR_REQ,
	STAT_F_REQ,
	STAT_DS_REQ,
	STAT_RD_SECT,	/* 512-byte sectors of those */
	STAT_WR_SECT,
	NR_BLKBACK_STATS,
};

/**
 * struct blkback_vbd - the block device behind a disk
 * @file: from the block layer; NULL while closed
 * @bdev: of @file
 * @devt: the number the toolstack gave; 0 before it did
 * @read_only: the guest may not write
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
	bool read_only;
	bool discard;
	unsigned int info;
	u64 told_sectors;
};

/**
 * struct blkback_dev - one disk of one guest
 * @ref: probe to remove, a queued @work, a connection
 * @xdev: pinned by us, for a connection may outlive remove
 * @frontend: copy of the path of the frontend's directory, which @xdev loses at
 *	remove
 * @name: how the guest calls the disk, for names of threads; never NULL
 * @work: moves the device through its states
 * @watch: on our own directory in xenstore
 * @watch_path: the path watched
 * @state: written by @work; other readers see some recent value
 * @told: what xenstore says of @state, as far as we could write it
 * @removed: set once, by remove: no frontend to talk to any more
 * @refused: this frontend, or its disk, was no good: it has to leave before it
 *	may try again
 * @max_queues: as offered to this frontend, whatever the parameter says now
 * @max_ring_order: likewise
 * @persistent: likewise
 * @vbd: the disk
 * @conn: written by @work under @conn_lock; NULL if not connected
 * @past: sums over the rings of past connections; under @conn_lock
 * @conn_lock: lets readers of statistics look at @conn and @past; also taken
 *	where memory is being freed, so nothing may be allocated under it
 * @all: in the list of devices, under the lock of that list, until closed for
 *	good
 */
struct blkback_dev {
	struct kref ref;
	struct xenbus_device *xdev;
	char *frontend;
	char *name;
	struct work_struct work;
	struct xenbus_watch watch;
	char *watch_path;
	enum blkback_state state;
	enum xenbus_state told;
	bool removed;
	bool refused;
	unsigned int max_queues;
	unsigned int max_ring_order;
	bool persistent;
	struct blkback_vbd vbd;
	struct blkback_conn *conn;
	u64 past[NR_BLKBACK_STATS];
	struct mutex conn_lock; /* conn and past, against readers */
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
 * @max_spare_pages: most free pages that a ring keeps
 * @squeeze_jiffies: for how long a ring keeps none when memory was short
 * @squeezed_until: time, in jiffies, until which a ring keeps none; set when
 *	memory is short
 * @stopping: set by the device's work: rings take no more requests
 * @running: ring threads that have not come to their end
 * @broken: set by any ring whose frontend broke the rules of the ring
 * @barrier: between the rings
 * @rings: each in memory of its own
 *
 * All but @squeezed_until, @stopping, @running, @broken and @barrier is fixed
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
	unsigned int max_spare_pages;
	unsigned long squeeze_jiffies;
	unsigned long squeezed_until;
	bool stopping;
	atomic_t running;
	bool broken;
	struct barrier barrier;
	struct blkback_ring *rings[] __counted_by(nr_rings);
};

/**
 * struct blkback_kept - a guest page that stays mapped between requests
 * @node: in the list of its head in the ring's table
 * @idle: in the ring's list of those that no request uses
 * @page: our page, with the guest's behind it
 * @handle: of the mapping
 * @gref: the guest's grant reference
 * @users: segments of requests that use it
 * @since: time, in jiffies, when the last of them was done
 */
struct blkback_kept {
	struct hlist_node node;
	struct list_head idle;
	struct page *page;
	grant_handle_t handle;
	grant_ref_t gref;
	unsigned int users;
	unsigned long since;
};

/**
 * struct blkback_persist - the guest pages that a ring keeps mapped
 * @heads: table of all of them, by grant reference
 * @mask: number of heads, a power of two, less 1
 * @salt: for finding the head
 * @idle: those not in use, the one used last at the end
 * @nr: of all of them
 * @nr_idle: entries of @idle; also read when memory is short
 * @max: most that may be kept
 */
struct blkback_persist {
	struct hlist_head *heads;
	u32 mask;
	u32 salt;
	struct list_head idle;
	unsigned int nr;
	unsigned int nr_idle;
	unsigned int max;
};

/**
 * struct blkback_seg - a piece of a guest's page, and where it is mapped
 * @page: our page, the guest's behind it while there is a mapping; or NULL
 * @kept: whose the mapping is, if it stays
 * @handle: of the mapping, if it does not; or INVALID_GRANT_HANDLE
 * @gref: the guest's grant reference
 * @offset: of the data in the page, in bytes
 * @len: of the data, in bytes
 */
struct blkback_seg {
	struct page *page;
	struct blkback_kept *kept;
	grant_handle_t handle;
	grant_ref_t gref;
	u16 offset;
	u16 len;
};

/**
 * struct blkback_req - a request between ring and disk
 * @done: on the ring's list of completions; before that, on its free list
 * @ring: whose it is
 * @segs: if @nr_segs is not 0
 * @nr_sectors: of a DISCARD: how many the disk has not been given yet
 * @id: to be echoed
 * @sector: start on the disk; of a DISCARD: of what it has not been given yet
 * @nr_segs: entries of @segs
 * @operation: enum blkif_op, never INDIRECT
 * @status: enum blkif_status, what to answer
 * @secure: a DISCARD is to leave no trace of the data
 */
struct blkback_req {
	struct llist_node done;
	struct blkback_ring *ring;
	union {
		struct blkback_seg *segs;
		u64 nr_sectors;
	};
	u64 id;
	u64 sector;
	u16 nr_segs;
	u8 operation;
	s8 status;
	bool secure;
};

/**
 * struct blkback_batch - the requests a ring is preparing together
 * @nr_reqs: entries of @reqs and of @wire
 * @nr_segs: of all these requests together; entries of @descs
 * @reqs: the requests
 * @wire: what they looked like in their slots
 * @descs: one page with the descriptors of all segments, in the order of
 *	@reqs; those of INDIRECT requests are copied straight here
 * @nr_unmaps: entries of @unmap
 * @pages: for the hypercalls below
 * @map: guest pages to map
 * @unmap: guest pages to unmap, at another time than @map
 * @copy: descriptors to copy in
 */
struct blkback_batch {
	unsigned int nr_reqs;
	unsigned int nr_segs;
	unsigned int nr_unmaps;
	struct blkback_req *reqs[BLKBACK_BATCH_REQS];
	struct wire_request wire[BLKBACK_BATCH_REQS];
	struct blkif_segment *descs;
	struct page *pages[BLKBACK_MAX_SEGMENTS];
	union {
		struct gnttab_map_grant_ref map[BLKBACK_MAX_SEGMENTS];
		struct gnttab_unmap_grant_ref unmap[BLKBACK_MAX_SEGMENTS];
		struct gnttab_copy copy[BLKBACK_BATCH_REQS];
	};
};

/**
 * struct blkback_ring - one queue of a connection
 * @conn: whose it is
 * @index: its number there
 * @name: of its thread and of its interrupt
 * @irq: of the event channel; 0 if not bound
 * @thread: serves the ring; a reference is held
 * @wait: where @thread sleeps
 * @mapped: the shared pages, NULL if not mapped
 * @sring: our view of them
 * @reqs: one request for each slot of the ring
 * @free: those of @reqs that are not in use
 * @in_flight: number of those that are
 * @reserve: segments for one request of any size, used when memory is short
 * @reserve_used: whether @reserve is taken
 * @retry: something was short or busy, and no event will say when it no longer
 *	is: look again in a while
 * @worked: a request was taken since the last EOI: the event was not for nothing
 * @capacity: size of the disk when last looked at, in 512-byte sectors
 * @discards: those that wait for their turn at the disk, linked by their @done
 * @discards_end: where to put the next one
 * @discards_out: number of those that are at the disk
 * @barrier: what this ring knows of the connection's barrier
 * @busy: completed requests whose pages somebody still looks at
 * @pages: spare pages to map guest pages to
 * @persist: guest pages that stay mapped, if the connection is @persistent
 * @log_at: time, in jiffies, when the counters may be logged again
 * @batch: requests being prepared
 * @stats: written by @thread only, see enum blkback_stat
 * @event: an event has come and its EOI is due; set by the interrupt handler,
 *	cleared by @thread before it gives the EOI
 * @done: completed requests; added to from any context
 * @squeeze: how many kept pages to let go, for memory is short; added to by
 *	whoever finds that, cleared by @thread
 *
 * From @sring to @stats all belongs to @thread, once that runs.
 */
struct blkback_ring {
	struct blkback_conn *conn;
	unsigned int index;
	char name[32];
	int irq;
	struct task_struct *thread;
	wait_queue_head_t wait;
	void *mapped;

	struct sring sring;
	struct blkback_req *reqs;
	struct llist_head free;
	unsigned int in_flight;
	struct blkback_seg *reserve;
	bool reserve_used;
	bool retry;
	bool worked;
	u64 capacity;
	struct llist_node *discards;
	struct llist_node **discards_end;
	unsigned int discards_out;
	struct barrier_view barrier;
	struct llist_node *busy;
	struct gnttab_page_cache pages;
	struct blkback_persist persist;
	unsigned long log_at;
	struct blkback_batch *batch;
	u64 stats[NR_BLKBACK_STATS];

	bool event ____cacheline_aligned_in_smp;
	struct llist_head done;
	atomic_t squeeze;
};

/* params.c: parameters of the module */
extern unsigned int blkback_max_queues;
extern unsigned int blkback_max_ring_order;
extern bool blkback_persistent;
extern unsigned int blkback_max_persistent;
extern unsigned int blkback_unused_seconds;
extern unsigned int blkback_max_spare_pages;
extern unsigned int blkback_squeeze_ms;
extern unsigned int blkback_log_stats;
void params_init(void);

/* blkback.c: the module and its ring threads */
int ring_thread(void *data);
irqreturn_t ring_event(int irq, void *data);

/* xenbus.c: devices and their states */
int blkback_xenbus_init(void);
void blkback_xenbus_exit(void);
void blkback_get(struct blkback_dev *dev);
void blkback_put(struct blkback_dev *dev);
void blkback_kick(struct blkback_dev *dev);
void blkback_each_ring(void (*fn)(struct blkback_ring *ring, unsigned long *arg),
		       unsigned long *arg);
void blkback_kick_disk(dev_t devt);
__printf(3, 4)
void blkback_error(struct blkback_dev *dev, int err, const char *fmt, ...);

/* negotiate.c: the keys in xenstore */

/**
 * no_answer() - whether xenstore could not be asked or told just now
 * @err: what a function of xenbus has returned
 *
 * Return: if so, true: try again. All else is an answer.
 */
static inline bool no_answer(int err)
{
	return err == -ENOMEM || err == -EIO || err == -EINTR || err == -EAGAIN;
}

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
int write_disk(struct blkback_dev *dev);
int announce_size(struct blkback_dev *dev);
int write_told(struct xenbus_device *xdev, enum xenbus_state state);
void confirm_closed(struct xenbus_device *xdev);
char *read_disk_name(struct xenbus_device *xdev);
int disk_named(struct blkback_dev *dev);
int read_disk(struct blkback_dev *dev);
struct blkback_conn *read_conn(struct blkback_dev *dev);
int read_ring(const struct blkback_conn *conn, unsigned int index,
	      struct ring_keys *keys);

/* conn.c: making and destroying connections */
struct blkback_conn *conn_create(struct blkback_dev *dev);
void conn_start(struct blkback_conn *conn);
void conn_stop(struct blkback_conn *conn);
bool conn_drained(const struct blkback_conn *conn);
void conn_destroy(struct blkback_conn *conn);

/* grant.c: guest pages */
void guest_copy_descriptors(struct blkback_ring *ring);
int guest_pages_alloc(struct blkback_ring *ring, struct blkback_req *req);
void guest_pages_map(struct blkback_ring *ring);
bool guest_pages_busy(const struct blkback_req *req);
void guest_pages_unmap(struct blkback_ring *ring, struct llist_node *reqs);
void guest_pages_free(struct blkback_ring *ring, struct blkback_req *req);
long guest_pages_timeout(const struct blkback_ring *ring);
void guest_pages_trim(struct blkback_ring *ring, bool idle);
bool guest_pages_forget(struct blkback_ring *ring);

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

/* persist.c: guest pages that stay mapped */
int persist_init(struct blkback_persist *persist, unsigned int max);
void persist_exit(struct blkback_persist *persist);
struct blkback_kept *persist_find(struct blkback_persist *persist,
				  grant_ref_t gref);
struct blkback_kept *persist_keep(struct blkback_persist *persist,
				  grant_ref_t gref, struct page *page,
				  grant_handle_t handle);
void persist_put(struct blkback_persist *persist, struct blkback_kept *kept);
struct blkback_kept *persist_oldest(struct blkback_persist *persist);
void persist_drop(struct blkback_persist *persist, struct blkback_kept *kept);

/* pressure.c: when memory is short */
int pressure_init(void);
void pressure_exit(void);

/* vbd.c: the block device */
int vbd_open(struct blkback_dev *dev);
void vbd_close(struct blkback_vbd *vbd);
struct disk_limits vbd_limits(const struct blkback_vbd *vbd);
void vbd_submit(const struct blkback_vbd *vbd, struct blkback_req *req,
		bio_end_io_t *end_io);
bool vbd_unfinished(const struct blkback_req *req);
int vbd_status(blk_status_t status);

/* capacity.c: word of disks that change their size */
int capacity_init(void);
void capacity_exit(void);

/* stats.c: sysfs */
extern const struct attribute_group *blkback_groups[];
void stats_fold(u64 *sum, const struct blkback_ring *ring);
void stats_log(struct blkback_ring *ring);

#endif /* BLKBACK_COMMON_H */
