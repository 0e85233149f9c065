// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameters of the module. Names and meanings are those that the in-tree
 * module has always had. A connection keeps what it found when it was made, so a
 * change is for those that are made later. A guest's limits are what they were when it
 * got its first disk, those of a disk what they were when it came; log_stats may be
 * changed at any time.
 */
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "common.h"

unsigned int blkback_max_queues;
unsigned int blkback_max_ring_order = XENBUS_MAX_RING_GRANT_ORDER;
bool blkback_persistent = true;
/* Three rings of one page whose requests are all of 11 segments. */
unsigned int blkback_max_persistent = 3 * 32 * BLKIF_MAX_DIRECT_SEGMENTS;
unsigned int blkback_unused_seconds = 60;
unsigned int blkback_copy_read_max = BLKBACK_MAX_SEGMENTS * BLKIF_PAGE_SIZE;
unsigned int blkback_copy_write_max = BLKBACK_MAX_SEGMENTS * BLKIF_PAGE_SIZE;
unsigned int blkback_poll_us;
unsigned int blkback_max_spare_pages = 1024;
unsigned int blkback_squeeze_ms = 10;
unsigned int blkback_log_stats;
/* 64 MiB */
unsigned int blkback_max_guest_pages = 16384;
/* Half of that. */
unsigned int blkback_max_disk_pages = 8192;
/* See OWN_PAGES. */
unsigned int blkback_max_guest_queues = 512;
/* 64 MiB of the guest's; 15 disks with the most that each may have */
unsigned int blkback_max_guest_persistent = 16384;
unsigned int blkback_max_guest_messages = 30;
unsigned int blkback_max_disk_messages = 20;
unsigned int blkback_max_restarts = 20;
/* A hundred disks, each of which is left and taken twice when a guest changes its kernel. */
unsigned int blkback_max_guest_restarts = 200;

/**
 * struct number - a parameter that is a number
 * @value: where it is kept
 * @min: least that it can be changed to; when the module is loaded, 0 is taken too
 * @max: most that it can be
 */
struct number {
	unsigned int *value;
	unsigned int min;
	unsigned int max;
};

/* By then whoever sets a parameter can be told that it cannot be. */
static bool loaded;

/*
 * While the module is being loaded any number is taken: better than no disks for
 * guests, which is what a module that does not load means. To the in-tree module,
 * numbers below zero are without a limit, so they become the largest here.
 */
static int set_number(const char *val, const struct kernel_param *kp)
{
	const struct number *number = kp->arg;
	long long given;
	int err;

	err = kstrtoll(val, 0, &given);
	if (err)
		return err;
	if (given < (loaded ? number->min : 0) || given > number->max) {
		if (loaded)
			return -EINVAL;
		pr_warn("%s=%lld is not within %u to %u: set to %u\n", kp->name,
			given, number->min, number->max, number->max);
		given = number->max;
	}
	WRITE_ONCE(*number->value, given);
	return 0;
}

static int get_number(char *buffer, const struct kernel_param *kp)
{
	const struct number *number = kp->arg;

	return sysfs_emit(buffer, "%u\n", *number->value);
}

static const struct kernel_param_ops number_ops = {
	.set = set_number,
	.get = get_number,
};

#define NUMBER(name, variable, least, most)				\
	static struct number name = {					\
		.value = &(variable), .min = (least), .max = (most),	\
	};								\
	module_param_cb(name, &number_ops, &name, 0644);		\
	__MODULE_PARM_TYPE(name, "uint")

NUMBER(max_queues, blkback_max_queues, 1, BLKBACK_MAX_QUEUES);
MODULE_PARM_DESC(max_queues,
		 "Most queues a disk may have, 1 to 256 (default: one for each online CPU)");
NUMBER(max_ring_page_order, blkback_max_ring_order, 0, XENBUS_MAX_RING_GRANT_ORDER);
MODULE_PARM_DESC(max_ring_page_order,
		 "A ring may have up to 2^this pages, 0 to 4 (default: 4)");
module_param_named(feature_persistent, blkback_persistent, bool, 0644);
MODULE_PARM_DESC(feature_persistent,
		 "Offer to keep guest pages mapped between requests (default: Y)");
NUMBER(max_persistent_grants, blkback_max_persistent, 0, UINT_MAX);
MODULE_PARM_DESC(max_persistent_grants,
		 "Most guest pages that a disk keeps mapped, all its queues together (default: 1056)");
NUMBER(persistent_grant_unused_seconds, blkback_unused_seconds, 0, UINT_MAX);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "A page kept mapped is unmapped when unused for so long; 0: when memory is short (default: 60)");
NUMBER(copy_read_max, blkback_copy_read_max, 0, UINT_MAX);
MODULE_PARM_DESC(copy_read_max,
		 "Data of reads up to so many bytes is copied, of larger ones mapped (default: 1048576)");
NUMBER(copy_write_max, blkback_copy_write_max, 0, UINT_MAX);
MODULE_PARM_DESC(copy_write_max,
		 "The same for writes (default: 1048576)");
NUMBER(poll_us, blkback_poll_us, 0, BLKBACK_MAX_POLL_US);
MODULE_PARM_DESC(poll_us,
		 "For how many us a queue waits awake for requests and disks, 0 to 1000 (default: 0)");
NUMBER(max_buffer_pages, blkback_max_spare_pages, 0, UINT_MAX);
MODULE_PARM_DESC(max_buffer_pages,
		 "Most free pages that a busy queue keeps, to copy to and to map to (default: 1024)");
NUMBER(buffer_squeeze_duration_ms, blkback_squeeze_ms, 0, UINT_MAX);
MODULE_PARM_DESC(buffer_squeeze_duration_ms,
		 "How long queues keep no free pages after memory was short (default: 10)");
NUMBER(log_stats, blkback_log_stats, 0, UINT_MAX);
MODULE_PARM_DESC(log_stats,
		 "If not 0, busy queues log their counters every 10 seconds (default: 0)");

NUMBER(max_guest_pages, blkback_max_guest_pages, 0, UINT_MAX / 2);
MODULE_PARM_DESC(max_guest_pages,
		 "Most pages of a guest's requests at a time, beyond 32 for each queue, all its disks together (default: 16384)");
NUMBER(max_disk_pages, blkback_max_disk_pages, 0, UINT_MAX / 2);
MODULE_PARM_DESC(max_disk_pages,
		 "How many of these one disk may have at a time (default: 8192)");
NUMBER(max_guest_queues, blkback_max_guest_queues, 1, INT_MAX);
MODULE_PARM_DESC(max_guest_queues,
		 "Most queues of a guest, all its disks together (default: 512)");
NUMBER(max_guest_persistent_grants, blkback_max_guest_persistent, 0, INT_MAX);
MODULE_PARM_DESC(max_guest_persistent_grants,
		 "Most pages of a guest that are kept mapped, all its disks together (default: 16384)");
NUMBER(max_guest_messages, blkback_max_guest_messages, 0, INT_MAX);
MODULE_PARM_DESC(max_guest_messages,
		 "Most messages about a guest in the log within a minute, all its disks together (default: 30)");
NUMBER(max_disk_messages, blkback_max_disk_messages, 0, INT_MAX);
MODULE_PARM_DESC(max_disk_messages,
		 "How many of these may be about one disk (default: 20)");
NUMBER(max_restarts, blkback_max_restarts, 1, INT_MAX);
MODULE_PARM_DESC(max_restarts,
		 "How often a frontend may start anew within ten seconds, for each disk (default: 20)");
NUMBER(max_guest_restarts, blkback_max_guest_restarts, 1, INT_MAX);
MODULE_PARM_DESC(max_guest_restarts,
		 "How often a guest's frontends may start anew within ten seconds, all its disks together (default: 200)");

/**
 * params_init() - settle what was given at load, or was not
 */
void __init params_init(void)
{
	/* The files are there already. */
	kernel_param_lock(THIS_MODULE);
	if (!blkback_max_queues)
		blkback_max_queues = min(num_online_cpus(), BLKBACK_MAX_QUEUES);
	if (!blkback_max_guest_queues)
		blkback_max_guest_queues = 1;
	if (!blkback_max_restarts)
		blkback_max_restarts = 1;
	if (!blkback_max_guest_restarts)
		blkback_max_guest_restarts = 1;
	loaded = true;
	kernel_param_unlock(THIS_MODULE);
}
