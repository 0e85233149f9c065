// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs shows of each queue of a disk, in xen-blkback/vbd-*, while there is a
 * connection: how long its requests take, and how things stand with its ring.
 *
 * Files that go are waited for until nobody is looking at what they show any more; who
 * reads them may take his time with the text.
 */
#include <linux/debugfs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "common.h"

static struct dentry *root;

/* --- latency -------------------------------------------------------------- */

static void show_stage(struct seq_file *m, const struct blkback_ring *ring,
		       unsigned int kind, unsigned int stage)
{
	static const char *const kinds[] = {
		[LATENCY_READ] = "read",
		[LATENCY_WRITE] = "write",
		[LATENCY_FLUSH] = "flush",
		[LATENCY_DISCARD] = "discard",
	};
	static const char *const stages[] = {
		[LATENCY_WAIT] = "wait",
		[LATENCY_DISK] = "disk",
		[LATENCY_ANSWER] = "answer",
		[LATENCY_TOTAL] = "total",
	};
	unsigned int i;

	for (i = 0; i < NR_LATENCY_BUCKETS; i++) {
		u64 n = READ_ONCE(ring->account->latency[stage][i][kind]);

		if (n)
			seq_printf(m, "%s %s %llu %llu\n", kinds[kind],
				   stages[stage], latency_from(i), n);
	}
}

static void show_latency(struct seq_file *m, struct blkback_ring *ring)
{
	unsigned int kind, stage;

	seq_puts(m, "# kind stage from_ns count\n");
	for (kind = 0; kind < NR_LATENCY_KINDS; kind++)
		for (stage = 0; stage < NR_LATENCY_STAGES; stage++)
			show_stage(m, ring, kind, stage);
}

/* --- the state of a ring -------------------------------------------------- */

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* What the guest has written is shown, and no more than that. */
static void show_indices(struct seq_file *m, const struct blkback_ring *ring)
{
	const struct sring *sr = &ring->sring;
	const struct blkif_sring *shared = sr->shared;

	seq_printf(m, "ours: req_cons %u, rsp_prod %u, published %u\n",
		   READ_ONCE(sr->req_cons), READ_ONCE(sr->rsp_prod),
		   READ_ONCE(sr->rsp_published));
	seq_printf(m, "shared: req_prod %u, req_event %u, rsp_prod %u, rsp_event %u\n",
		   READ_ONCE(shared->req_prod), READ_ONCE(shared->req_event),
		   READ_ONCE(shared->rsp_prod), READ_ONCE(shared->rsp_event));
	seq_printf(m, "slots: %u, of %u bytes, in %u pages\n", sr->nr_slots,
		   sr->stride, ring->nr_pages);
}

static void show_requests(struct seq_file *m, const struct blkback_ring *ring)
{
	u32 answered = smp_load_acquire(&ring->answered);	/* before what was taken */

	seq_printf(m, "requests: taken %u, answered %u; reserve used: %s\n",
		   READ_ONCE(ring->taken), answered,
		   yes_no(READ_ONCE(ring->reserve_used)));
	seq_printf(m, "waiting to be answered: by the tasklet: %s, by the thread: %s, for their pages: %s\n",
		   yes_no(!llist_empty(&ring->quick)),
		   yes_no(!llist_empty(&ring->finish)),
		   yes_no(READ_ONCE(ring->busy)));
	seq_printf(m, "discards: waiting: %s, at the disk %u\n",
		   yes_no(READ_ONCE(ring->discards)),
		   READ_ONCE(ring->discards_out));
}

static void show_thread(struct seq_file *m, const struct blkback_ring *ring)
{
	seq_printf(m, "thread: %s %d, state %c\n", ring->name,
		   ring_pid(ring),
		   data_race(task_state_to_char(ring->thread)));	/* it may end just now */
	seq_printf(m, "event: due for EOI: %s, came %llu, sent %llu\n",
		   yes_no(READ_ONCE(ring->event)), READ_ONCE(ring->events_in),
		   READ_ONCE(ring->account->events));
	seq_printf(m, "it waits for memory or budget: %s, asks the disk: %s, heeds answers: %s, has to tidy: %s, connection stops: %s, broke the rules: %s\n",
		   yes_no(READ_ONCE(ring->retry)), yes_no(READ_ONCE(ring->asked)),
		   yes_no(READ_ONCE(ring->heeds)), yes_no(READ_ONCE(ring->tidy)),
		   yes_no(READ_ONCE(ring->conn->stopping)),
		   yes_no(READ_ONCE(ring->conn->broken)));
}

static void show_barrier(struct seq_file *m, const struct blkback_ring *ring)
{
	static const char *const phases[] = {
		[BARRIER_NONE] = "none",
		[BARRIER_DRAIN] = "drain",
		[BARRIER_RUN] = "run",
	};
	const struct barrier *barrier = &ring->conn->barrier;
	const struct barrier_view *view = &ring->barrier;

	seq_printf(m, "barrier: phase %s, epoch %u, rings not quiet %u\n",
		   phases[READ_ONCE(barrier->phase)], READ_ONCE(barrier->epoch),
		   READ_ONCE(barrier->not_quiet));
	seq_printf(m, "barrier as this ring has seen it: phase %s, epoch %u, ends at %u, its own: %s, reported: %s, held a request: %s\n",
		   phases[READ_ONCE(view->phase)], READ_ONCE(view->epoch),
		   READ_ONCE(view->before), yes_no(READ_ONCE(view->owns)),
		   yes_no(READ_ONCE(view->reported)),
		   yes_no(READ_ONCE(view->held)));
}

static void show_pages(struct seq_file *m, const struct blkback_ring *ring)
{
	seq_printf(m, "pages: copied %u, mapped %u, kept %u, free %u and %u, budget %u\n",
		   READ_ONCE(ring->pool.out), READ_ONCE(ring->mapped_out),
		   READ_ONCE(ring->kept_out), READ_ONCE(ring->pool.nr),
		   READ_ONCE(ring->spare.num_pages), READ_ONCE(ring->credit));
	seq_printf(m, "pages kept mapped: %u of %u, not in use %u, to be let go %d\n",
		   READ_ONCE(ring->persist.nr), ring->persist.max,
		   READ_ONCE(ring->persist.nr_idle), atomic_read(&ring->squeeze));
}

/* Each number by itself: the ring goes on meanwhile. */
static void show_ring(struct seq_file *m, struct blkback_ring *ring)
{
	show_indices(m, ring);
	show_requests(m, ring);
	show_thread(m, ring);
	show_barrier(m, ring);
	show_pages(m, ring);
}

/* --- files ---------------------------------------------------------------- */

/*
 * The file is kept only for as long as it takes to write the text: neither the memory for
 * that nor whoever reads it is waited for when the ring goes.
 */
static int show(struct seq_file *m,
		void (*text)(struct seq_file *m, struct blkback_ring *ring))
{
	struct dentry *dentry = m->file->f_path.dentry;
	int err = debugfs_file_get(dentry);

	if (err)
		return err;
	text(m, m->private);
	debugfs_file_put(dentry);
	return 0;
}

static int latency_show(struct seq_file *m, void *unused)
{
	return show(m, show_latency);
}
DEFINE_SHOW_ATTRIBUTE(latency);

static int ring_show(struct seq_file *m, void *unused)
{
	return show(m, show_ring);
}
DEFINE_SHOW_ATTRIBUTE(ring);

/**
 * debug_add() - show the queues of a connection
 * @conn: ready to run
 *
 * What debugfs has no memory for is not shown.
 *
 * Context: the device's work, under the lock of the xenbus device.
 */
void debug_add(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	char name[sizeof("queue-") + 10];
	unsigned int i;

	dev->debug = debugfs_create_dir(dev_name(&dev->xdev->dev), root);
	for (i = 0; i < conn->nr_rings; i++) {
		struct blkback_ring *ring = conn->rings[i];
		struct dentry *dir;

		snprintf(name, sizeof(name), "queue-%u", i);
		dir = debugfs_create_dir(name, dev->debug);
		debugfs_create_file_unsafe("latency", 0400, dir, ring,
					   &latency_fops);
		debugfs_create_file_unsafe("ring", 0400, dir, ring, &ring_fops);
	}
}

/**
 * debug_remove() - undo debug_add()
 * @dev: whose connection it was, if there was one
 *
 * When it returns nobody looks at the rings any more.
 *
 * Context: under the lock of the xenbus device; may sleep.
 */
void debug_remove(struct blkback_dev *dev)
{
	debugfs_remove(dev->debug);
	dev->debug = NULL;
}

/**
 * debug_init() - make the folder for all disks
 */
void debug_init(void)
{
	root = debugfs_create_dir("xen-blkback", NULL);
}

/**
 * debug_exit() - undo debug_init()
 */
void debug_exit(void)
{
	debugfs_remove(root);
}
