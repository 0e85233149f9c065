// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysfs shows of a disk, under /sys/bus/xen-backend/devices/vbd-*.
 * The names are those that xentop and other tools have always read.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/sysfs.h>

#include "common.h"

/* How often a ring logs its counters, with log_stats. */
#define LOG_JIFFIES	(10 * HZ)

static struct blkback_dev *to_blkback(struct device *device)
{
	return dev_get_drvdata(device);
}

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
 * stats_fold() - add a ring's counters to a sum
 * @sum: NR_BLKBACK_STATS counters
 * @ring: may be running
 */
void stats_fold(u64 *sum, const struct blkback_ring *ring)
{
	unsigned int i;

	for (i = 0; i < NR_BLKBACK_STATS; i++)
		sum[i] += READ_ONCE(ring->stats[i]);
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
		ring->name, stats[STAT_RD_REQ], stats[STAT_WR_REQ],
		stats[STAT_F_REQ], stats[STAT_DS_REQ], stats[STAT_OO_REQ],
		ring->persist.nr, ring->persist.max);
}

static void stats_sum(struct blkback_dev *dev, u64 *sum)
{
	unsigned int i;

	mutex_lock(&dev->conn_lock);
	memcpy(sum, dev->past, sizeof(dev->past));
	for (i = 0; dev->conn && i < dev->conn->nr_rings; i++)
		stats_fold(sum, dev->conn->rings[i]);
	mutex_unlock(&dev->conn_lock);
}

static ssize_t show_stat(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	struct dev_ext_attribute *stat =
		container_of(attr, struct dev_ext_attribute, attr);
	u64 sum[NR_BLKBACK_STATS];

	stats_sum(to_blkback(device), sum);
	return sysfs_emit(buf, "%llu\n", sum[(unsigned long)stat->var]);
}

#define STAT_ATTR(name, what)						\
static struct dev_ext_attribute stat_##name = {				\
	.attr = __ATTR(name, 0444, show_stat, NULL),			\
	.var = (void *)what,						\
}

STAT_ATTR(oo_req, STAT_OO_REQ);
STAT_ATTR(rd_req, STAT_RD_REQ);
STAT_ATTR(wr_req, STAT_WR_REQ);
STAT_ATTR(f_req, STAT_F_REQ);
STAT_ATTR(ds_req, STAT_DS_REQ);
STAT_ATTR(rd_sect, STAT_RD_SECT);
STAT_ATTR(wr_sect, STAT_WR_SECT);

static struct attribute *stat_attrs[] = {
	&stat_oo_req.attr.attr,
	&stat_rd_req.attr.attr,
	&stat_wr_req.attr.attr,
	&stat_f_req.attr.attr,
	&stat_ds_req.attr.attr,
	&stat_rd_sect.attr.attr,
	&stat_wr_sect.attr.attr,
	NULL,
};

/* What is here is the guest's, but for what is of the disk: waits, and restarts. */
static ssize_t pages_show(struct device *device, struct device_attribute *attr,
			  char *buf)
{
	const struct blkback_budget *budget = to_blkback(device)->budget;
	int free = atomic_read(&budget->chunks);

	return sysfs_emit(buf, "%u\n",
			  (budget->max_chunks - free) * BUDGET_CHUNK);
}

static ssize_t pages_max_show(struct device *device,
			      struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  to_blkback(device)->budget->max_chunks * BUDGET_CHUNK);
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
static DEVICE_ATTR_RO(queues);
static DEVICE_ATTR_RO(queues_max);
static DEVICE_ATTR_RO(restarts_held);
static DEVICE_ATTR_RO(messages_held);
STAT_ATTR(pages_waits, STAT_OVER);

static struct attribute *budget_attrs[] = {
	&dev_attr_pages.attr,
	&dev_attr_pages_max.attr,
	&stat_pages_waits.attr.attr,
	&dev_attr_queues.attr,
	&dev_attr_queues_max.attr,
	&dev_attr_restarts_held.attr,
	&dev_attr_messages_held.attr,
	NULL,
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
	NULL,
};
