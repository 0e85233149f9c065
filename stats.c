// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysfs shows of a disk, under /sys/bus/xen-backend/devices/vbd-*.
 * The names of what xentop and other tools have always read are those of old.
 */
#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/sysfs.h>

#include "common.h"

/* How often a ring logs its counters, with log_stats. */
#define LOG_JIFFIES	(10 * HZ)

static ssize_t physical_device_show(struct device *device,
				    struct device_attribute *attr, char *buf)
{
	dev_t devt = READ_ONCE(to_blkback(device)->vbd.devt);

	return sysfs_emit(buf, "%x:%x\n", MAJOR(devt), MINOR(devt));
}
static DEVICE_ATTR_RO(physical_device);

static ssize_t mode_show(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	const struct blkback_vbd *vbd = &to_blkback(device)->vbd;

	if (READ_ONCE(vbd->read_only))
		return sysfs_emit(buf, "r\n");
	return sysfs_emit(buf, "w%s\n", READ_ONCE(vbd->shared) ? "!" : "");
}
static DEVICE_ATTR_RO(mode);

static struct attribute *disk_attrs[] = {
	&dev_attr_physical_device.attr,
	&dev_attr_mode.attr,
	NULL,
};

/**
 * stats_sum() - add up some counters
 * @stats: all of them, by enum blkback_stat
 * @which: those to add, a bit for each
 *
 * Return: the sum.
 */
u64 stats_sum(const u64 *stats, u64 which)
{
	u64 sum = 0;

	static_assert(NR_BLKBACK_SUMS <= 64);
	for (; which; which &= which - 1)
		sum += READ_ONCE(stats[__ffs64(which)]);
	return sum;
}

/**
 * stats_fold() - add a ring's counters to a sum
 * @sum: NR_BLKBACK_SUMS counters
 * @ring: may be running
 */
void stats_fold(u64 *sum, const struct blkback_ring *ring)
{
	unsigned int i;

	for (i = 0; i < NR_BLKBACK_STATS; i++)
		sum[i] += READ_ONCE(ring->stats[i]);
	for (i = 0; i < NR_LATENCY_KINDS; i++)
		sum[STAT_ERRORS] += READ_ONCE(ring->account->errors[i]);
}

/**
 * stats_log() - log a ring's counters, now and then
 * @ring: busy
 *
 * Context: the ring's thread.
 */
void stats_log(struct blkback_ring *ring)
{
	const u64 *stats = ring->stats;

	if (time_before(jiffies, ring->log_at))
		return;
	ring->log_at = jiffies + LOG_JIFFIES;
	pr_info("%s: reads %llu, writes %llu, flushes %llu, discards %llu, waited for memory %llu, pages kept mapped %u of %u\n",
		ring->name, stats_sum(stats, STATS_READS),
		stats_sum(stats, STATS_WRITES),
		stats_sum(stats, STATS_FLUSHES | STATS_BARRIERS),
		stats_sum(stats, STATS_DISCARDS), stats[STAT_OO_REQ],
		ring->persist.nr, ring->persist.max);
}

static void dev_stats(struct blkback_dev *dev, u64 *sum)
{
	unsigned int i;

	mutex_lock(&dev->conn_lock);
	memcpy(sum, dev->past, sizeof(dev->past));
	for (i = 0; dev->conn && i < dev->conn->nr_rings; i++)
		stats_fold(sum, dev->conn->rings[i]);
	mutex_unlock(&dev->conn_lock);
}

/**
 * struct stat_attribute - a file that shows the sum of some counters
 * @attr: the file
 * @which: the counters, a bit for each
 */
struct stat_attribute {
	struct device_attribute attr;
	u64 which;
};

static ssize_t show_stat(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	struct stat_attribute *stat =
		container_of(attr, struct stat_attribute, attr);
	u64 sum[NR_BLKBACK_SUMS];

	dev_stats(to_blkback(device), sum);
	return sysfs_emit(buf, "%llu\n", stats_sum(sum, stat->which));
}

#define STAT_ATTR(name, counters)					\
static struct stat_attribute stat_##name = {				\
	.attr = __ATTR(name, 0444, show_stat, NULL),			\
	.which = (counters),						\
}

STAT_ATTR(oo_req, BIT_ULL(STAT_OO_REQ));
STAT_ATTR(rd_req, STATS_READS);
STAT_ATTR(wr_req, STATS_WRITES);
STAT_ATTR(f_req, STATS_FLUSHES | STATS_BARRIERS);
STAT_ATTR(ds_req, STATS_DISCARDS);
STAT_ATTR(rd_sect, STATS_READ_SECTORS);
STAT_ATTR(wr_sect, STATS_WRITE_SECTORS);
STAT_ATTR(ds_sect, STATS_DISCARD_SECTORS);
STAT_ATTR(refused, BIT_ULL(STAT_REFUSED));
STAT_ATTR(errors, BIT_ULL(STAT_ERRORS));

static ssize_t ring_errors_show(struct device *device,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_blkback(device)->ring_errors));
}
static DEVICE_ATTR_RO(ring_errors);

static struct attribute *stat_attrs[] = {
	&stat_oo_req.attr.attr,
	&stat_rd_req.attr.attr,
	&stat_wr_req.attr.attr,
	&stat_f_req.attr.attr,
	&stat_ds_req.attr.attr,
	&stat_rd_sect.attr.attr,
	&stat_wr_sect.attr.attr,
	&stat_ds_sect.attr.attr,
	&stat_refused.attr.attr,
	&stat_errors.attr.attr,
	&dev_attr_ring_errors.attr,
	NULL,
};

/* What is here is the guest's, but for what is of the disk: its own pages, waits, and restarts. */
static ssize_t pages_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  budget_pages(&to_blkback(device)->budget->chunks));
}

static ssize_t pages_max_show(struct device *device,
			      struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  to_blkback(device)->budget->chunks.max * BUDGET_CHUNK);
}

static ssize_t disk_pages_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", budget_pages(&to_blkback(device)->chunks));
}

static ssize_t disk_pages_max_show(struct device *device,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  to_blkback(device)->chunks.max * BUDGET_CHUNK);
}

static ssize_t queues_show(struct device *device, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  atomic_read(&to_blkback(device)->budget->queues));
}

static ssize_t queues_max_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_blkback(device)->budget->max_queues);
}

static ssize_t persistent_grants_show(struct device *device,
				      struct device_attribute *attr, char *buf)
{
	const struct blkback_budget *budget = to_blkback(device)->budget;
	int free = atomic_read(&budget->keepable);

	return sysfs_emit(buf, "%u\n", budget->max_kept - free);
}

static ssize_t persistent_grants_max_show(struct device *device,
					  struct device_attribute *attr,
					  char *buf)
{
	return sysfs_emit(buf, "%u\n", to_blkback(device)->budget->max_kept);
}

static ssize_t restarts_held_show(struct device *device,
				  struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(to_blkback(device)->restarts_held));
}

static ssize_t messages_held_show(struct device *device,
				  struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  atomic_read(&to_blkback(device)->budget->unsaid));
}

static DEVICE_ATTR_RO(pages);
static DEVICE_ATTR_RO(pages_max);
static DEVICE_ATTR_RO(disk_pages);
static DEVICE_ATTR_RO(disk_pages_max);
static DEVICE_ATTR_RO(queues);
static DEVICE_ATTR_RO(queues_max);
static DEVICE_ATTR_RO(persistent_grants);
static DEVICE_ATTR_RO(persistent_grants_max);
static DEVICE_ATTR_RO(restarts_held);
static DEVICE_ATTR_RO(messages_held);
STAT_ATTR(pages_waits, BIT_ULL(STAT_OVER));

static struct attribute *budget_attrs[] = {
	&dev_attr_pages.attr,
	&dev_attr_pages_max.attr,
	&dev_attr_disk_pages.attr,
	&dev_attr_disk_pages_max.attr,
	&stat_pages_waits.attr.attr,
	&dev_attr_queues.attr,
	&dev_attr_queues_max.attr,
	&dev_attr_persistent_grants.attr,
	&dev_attr_persistent_grants_max.attr,
	&dev_attr_restarts_held.attr,
	&dev_attr_messages_held.attr,
	NULL,
};

/* --- what was agreed with the frontend ------------------------------------- */

/* Calls @emit with the connection, or with NULL if there is none. */
static ssize_t show_conn(struct device *device, char *buf,
			 ssize_t (*emit)(char *buf, const struct blkback_conn *conn))
{
	struct blkback_dev *dev = to_blkback(device);
	ssize_t len;

	mutex_lock(&dev->conn_lock);
	len = emit(buf, dev->conn);
	mutex_unlock(&dev->conn_lock);
	return len;
}

static ssize_t emit_protocol(char *buf, const struct blkback_conn *conn)
{
	return sysfs_emit(buf, "%s\n", conn ? conn->abi->protocol : "-");
}

static ssize_t emit_queues(char *buf, const struct blkback_conn *conn)
{
	return sysfs_emit(buf, "%u\n", conn ? conn->nr_rings : 0);
}

static ssize_t emit_ring_pages(char *buf, const struct blkback_conn *conn)
{
	return sysfs_emit(buf, "%u\n", conn ? 1 << conn->ring_order : 0);
}

static ssize_t emit_features(char *buf, const struct blkback_conn *conn)
{
	int len = 0;

	if (conn) {
		const struct disk_limits *told = &conn->told;
		const struct {
			const char *name;
			bool there;
		} features[] = {
			{ "persistent", conn->persistent },
			{ "indirect", conn->max_indirect },
			{ "flush", !told->read_only },
			{ "barrier", !told->read_only },
			{ "discard", told->discard },
			{ "secure-discard", told->discard && told->secure_erase },
		};
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(features); i++)
			if (features[i].there)
				len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
						     features[i].name);
	}
	return len + sysfs_emit_at(buf, len, "%s\n", len ? "" : "-");
}

static ssize_t state_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	enum blkback_state state = READ_ONCE(to_blkback(device)->state);

	return sysfs_emit(buf, "%s\n", blkback_state_name(state));
}
static DEVICE_ATTR_RO(state);

#define CONN_ATTR(name)							\
static ssize_t conn_##name##_show(struct device *device,		\
				  struct device_attribute *attr, char *buf) \
{									\
	return show_conn(device, buf, emit_##name);			\
}									\
static struct device_attribute conn_##name =				\
	__ATTR(name, 0444, conn_##name##_show, NULL)

CONN_ATTR(protocol);
CONN_ATTR(queues);
CONN_ATTR(ring_pages);
CONN_ATTR(features);

static struct attribute *conn_attrs[] = {
	&dev_attr_state.attr,
	&conn_protocol.attr,
	&conn_queues.attr,
	&conn_ring_pages.attr,
	&conn_features.attr,
	NULL,
};

static const struct attribute_group conn_group = {
	.name = "connection",
	.attrs = conn_attrs,
};

static const struct attribute_group budget_group = {
	.name = "budget",
	.attrs = budget_attrs,
};

static const struct attribute_group disk_group = {
	.attrs = disk_attrs,
};

static const struct attribute_group stat_group = {
	.name = "statistics",
	.attrs = stat_attrs,
};

const struct attribute_group *blkback_groups[] = {
	&disk_group,
	&stat_group,
	&budget_group,
	&blkback_settings_group,
	&conn_group,
	NULL,
};
