// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameters of the module. Names and meanings are those that the in-tree
 * module has always had. A connection keeps what it found when it was made, so a
 * change is for those that are made later; all but log_stats.
 */
#include <linux/moduleparam.h>

#include "common.h"

/* Far more than any frontend has CPUs to use; keeps max_queues from typos. */
#define MAX_QUEUES	256U

unsigned int blkback_max_queues;
unsigned int blkback_max_ring_order = XENBUS_MAX_RING_GRANT_ORDER;
bool blkback_persistent = true;
/* Three rings of one page whose requests are all of 11 segments. */
unsigned int blkback_max_persistent = 3 * 32 * BLKIF_MAX_DIRECT_SEGMENTS;
unsigned int blkback_unused_seconds = 60;
unsigned int blkback_max_spare_pages = 1024;
unsigned int blkback_squeeze_ms = 10;
unsigned int blkback_log_stats;

/*
 * While the module is being loaded any number is taken, and settled by
 * params_init(): better than no disks for guests, which is what a module that
 * does not load means.
 */
static bool loaded;

static int set_number(const char *val, const struct kernel_param *kp,
		      unsigned int min, unsigned int max)
{
	return loaded ? param_set_uint_minmax(val, kp, min, max) :
			param_set_uint(val, kp);
}

static int set_max_queues(const char *val, const struct kernel_param *kp)
{
	return set_number(val, kp, 1, MAX_QUEUES);
}

static int set_max_ring_order(const char *val, const struct kernel_param *kp)
{
	return set_number(val, kp, 0, XENBUS_MAX_RING_GRANT_ORDER);
}

static const struct kernel_param_ops max_queues_ops = {
	.set = set_max_queues,
	.get = param_get_uint,
};

static const struct kernel_param_ops max_ring_order_ops = {
	.set = set_max_ring_order,
	.get = param_get_uint,
};

module_param_cb(max_queues, &max_queues_ops, &blkback_max_queues, 0644);
__MODULE_PARM_TYPE(max_queues, "uint");
MODULE_PARM_DESC(max_queues,
		 "Most queues a disk may have, 1 to 256 (default: one for each online CPU)");
module_param_cb(max_ring_page_order, &max_ring_order_ops,
		&blkback_max_ring_order, 0644);
__MODULE_PARM_TYPE(max_ring_page_order, "uint");
MODULE_PARM_DESC(max_ring_page_order,
		 "A ring may have up to 2^this pages, 0 to 4 (default: 4)");
module_param_named(feature_persistent, blkback_persistent, bool, 0644);
MODULE_PARM_DESC(feature_persistent,
		 "Offer to keep guest pages mapped between requests (default: Y)");
module_param_named(max_persistent_grants, blkback_max_persistent, uint, 0644);
MODULE_PARM_DESC(max_persistent_grants,
		 "Most guest pages that a disk keeps mapped, all its queues together (default: 1056)");
module_param_named(persistent_grant_unused_seconds, blkback_unused_seconds,
		   uint, 0644);
MODULE_PARM_DESC(persistent_grant_unused_seconds,
		 "A page kept mapped is unmapped when unused for so long; 0: never (default: 60)");
module_param_named(max_buffer_pages, blkback_max_spare_pages, uint, 0644);
MODULE_PARM_DESC(max_buffer_pages,
		 "Most free pages that a busy queue keeps to map guest pages to (default: 1024)");
module_param_named(buffer_squeeze_duration_ms, blkback_squeeze_ms, uint, 0644);
MODULE_PARM_DESC(buffer_squeeze_duration_ms,
		 "How long queues keep no free pages after memory was short (default: 10)");
module_param_named(log_stats, blkback_log_stats, uint, 0644);
MODULE_PARM_DESC(log_stats,
		 "If not 0, busy queues log their counters every 10 seconds (default: 0)");

static void __init limit(const char *name, unsigned int *value,
			 unsigned int max)
{
	if (*value <= max)
		return;
	pr_warn("%s=%u is more than there can be: set to %u\n", name, *value, max);
	*value = max;
}

/**
 * params_init() - settle what was given at load, or was not
 */
void __init params_init(void)
{
	if (!blkback_max_queues)
		blkback_max_queues = min(num_online_cpus(), MAX_QUEUES);
	limit("max_queues", &blkback_max_queues, MAX_QUEUES);
	limit("max_ring_page_order", &blkback_max_ring_order,
	      XENBUS_MAX_RING_GRANT_ORDER);
	loaded = true;
}
