// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for one disk, where the parameters of the module hold for all.
 *
 * The toolstack writes it to the folder "settings" in our directory in xenstore. It is
 * read for each connection: what is part of the offer when that is made, all else when
 * the frontend connects. sysfs shows what holds, and some of it can be changed there.
 * What has been holds at once, and for as long as there is the disk.
 *
 * Rings have copies of what they need, and look before they take requests whether
 * anything has changed. Those that sleep are woken: a cgroup that is not to be charged any
 * more can go then.
 */
#include <linux/device.h>
#include <linux/ioprio.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "common.h"

/**
 * struct setting - what can be set
 * @key: its name in xenstore
 * @parameter: what holds if it is not set; NULL: see of_all_disks()
 * @min: least that it can be set to
 * @max: most that it can be set to
 * @limited: what holds is never more than @parameter
 * @offered: it is part of the offer
 */
struct setting {
	const char *key;
	const unsigned int *parameter;
	unsigned int min;
	unsigned int max;
	bool limited;
	bool offered;
};

static const struct setting settings[NR_BLKBACK_SETTINGS] = {
	[SET_MAX_QUEUES] = {
		.key = "max-queues",
		.parameter = &blkback_max_queues,
		.min = 1,
		.max = BLKBACK_MAX_QUEUES,
		.limited = true,
		.offered = true,
	},
	[SET_MAX_RING_ORDER] = {
		.key = "max-ring-page-order",
		.parameter = &blkback_max_ring_order,
		.max = XENBUS_MAX_RING_GRANT_ORDER,
		.limited = true,
		.offered = true,
	},
	[SET_PERSISTENT] = {
		.key = "feature-persistent",
		.max = 1,
		.limited = true,
		.offered = true,
	},
	[SET_MAX_PERSISTENT] = {
		.key = "max-persistent-grants",
		.parameter = &blkback_max_persistent,
		.max = UINT_MAX,
		.limited = true,
		.offered = true,
	},
	[SET_MAX_INDIRECT] = {
		.key = "max-indirect-segments",
		.max = BLKBACK_MAX_SEGMENTS,
		.offered = true,
	},
	[SET_UNUSED_SECONDS] = {
		.key = "persistent-grant-unused-seconds",
		.parameter = &blkback_unused_seconds,
		.max = UINT_MAX,
	},
	[SET_COPY_READ_MAX] = {
		.key = "copy-read-max",
		.parameter = &blkback_copy_read_max,
		.max = UINT_MAX,
	},
	[SET_COPY_WRITE_MAX] = {
		.key = "copy-write-max",
		.parameter = &blkback_copy_write_max,
		.max = UINT_MAX,
	},
	[SET_POLL_US] = {
		.key = "poll-us",
		.parameter = &blkback_poll_us,
		.max = BLKBACK_MAX_POLL_US,
	},
	[SET_IOPRIO] = {
		.key = "ioprio",	/* not a number: see parse_ioprio() */
	},
};

static unsigned int of_all_disks(enum blkback_setting what)
{
	switch (what) {
	case SET_PERSISTENT:
		return READ_ONCE(blkback_persistent);
	case SET_MAX_INDIRECT:
		return BLKBACK_MAX_SEGMENTS;
	case SET_IOPRIO:
		return IOPRIO_DEFAULT;
	default:
		return READ_ONCE(*settings[what].parameter);
	}
}

static bool allowed(enum blkback_setting what, unsigned int value)
{
	return value >= settings[what].min && value <= settings[what].max;
}

static int parse_ioprio(const char *text, unsigned int *value)
{
	unsigned int class, level = 0;
	int err = 0;

	if (sysfs_streq(text, "none")) {
		class = IOPRIO_CLASS_NONE;
	} else if (sysfs_streq(text, "idle")) {
		class = IOPRIO_CLASS_IDLE;
	} else {
		class = strstarts(text, "rt/") ? IOPRIO_CLASS_RT : IOPRIO_CLASS_BE;
		err = strstarts(text, "rt/") || strstarts(text, "be/") ?
		      kstrtouint(text + 3, 10, &level) : -EINVAL;
	}
	if (err || level >= IOPRIO_NR_LEVELS)
		return err ?: -ERANGE;
	*value = IOPRIO_PRIO_VALUE(class, level);
	return 0;
}

/* Takes over the path, unless it fails. */
static int set_cgroup(struct blkback_settings *mine, char *path)
{
	struct cgroup_subsys_state *css = NULL;

	if (path && *path)
		css = io_cgroup_get(path);
	if (IS_ERR(css))
		return PTR_ERR(css);
	io_cgroup_put(mine->charged);
	mine->charged = css;
	if (path != mine->cgroup)
		kfree(mine->cgroup);
	mine->cgroup = path;
	return 0;
}

/**
 * settings_init() - for a new device
 * @mine: its own
 */
void settings_init(struct blkback_settings *mine)
{
	unsigned int i;

	mutex_init(&mine->lock);
	mine->changes = 1;	/* which no ring has taken */
	for (i = 0; i < NR_BLKBACK_SETTINGS; i++)
		mine->values[i] = of_all_disks(i);
}

/**
 * settings_exit() - undo settings_init()
 * @mine: of a device that goes
 */
void settings_exit(struct blkback_settings *mine)
{
	io_cgroup_put(mine->charged);
	kfree(mine->cgroup);
	mutex_destroy(&mine->lock);
}

/* --- xenstore ------------------------------------------------------------- */

/* The folder, to be freed with kfree(); NULL if there is none. */
static int find_folder(struct blkback_dev *dev, char **dir)
{
	char *text;
	int err;

	*dir = NULL;
	err = read_text(dev, dev->xdev->nodename, "settings", &text);
	if (err || !text)
		return err;
	kfree(text);
	*dir = kasprintf(GFP_KERNEL, "%s/settings", dev->xdev->nodename);
	if (*dir)
		return 0;
	blkback_error(dev, -ENOMEM, "no memory for its settings");
	return -ENOMEM;
}

/* Return 0, with @value left alone if there is no such key, or an errno that was told. */
static int read_key(struct blkback_dev *dev, const char *dir,
		    enum blkback_setting what, unsigned int *value)
{
	const struct setting *setting = &settings[what];
	int err = read_number(dev, dir, setting->key, value);

	if (err || allowed(what, *value))
		return err == -ENOENT ? 0 : err;
	blkback_error(dev, -ERANGE, "%s/%s is %u, and only %u to %u can be set: write one of these",
		      dir, setting->key, *value, setting->min, setting->max);
	return -ERANGE;
}

static int read_ioprio(struct blkback_dev *dev, const char *dir,
		       unsigned int *value)
{
	char quoted[MAX_QUOTED];
	char *text;
	int err;

	err = read_text(dev, dir, "ioprio", &text);
	if (err || !text)
		return err;
	err = parse_ioprio(text, value);
	if (err)
		blkback_error(dev, err,
			      "%s/ioprio is \"%s\", and only rt/0 to rt/7, be/0 to be/7, idle and none can be set: write one of these",
			      dir, quote(quoted, text));
	kfree(text);
	return err;
}

static const char *cgroup_advice(int err)
{
	if (!IS_ENABLED(CONFIG_BLK_CGROUP))
		return "choose none, or build this host's kernel with CONFIG_BLK_CGROUP";
	switch (err) {
	case -EINVAL:
		return "begin it with /, which is /sys/fs/cgroup";
	case -EOPNOTSUPP:
		return "write +io to cgroup.subtree_control in the one above it";
	default:
		return "make it, below /sys/fs/cgroup";
	}
}

static int read_setting(struct blkback_dev *dev, const char *dir,
			enum blkback_setting what, unsigned int *value)
{
	unsigned int all = of_all_disks(what);
	int err = 0;

	*value = all;
	if (dir)
		err = what == SET_IOPRIO ? read_ioprio(dev, dir, value) :
					   read_key(dev, dir, what, value);
	if (settings[what].limited)
		*value = min(*value, all);
	return err;
}

/**
 * struct wanted - what the toolstack wants of a disk, read and checked
 * @values: by enum blkback_setting; only those that were to be read
 * @cgroup: path, to be freed with kfree(); NULL if there is none
 */
struct wanted {
	unsigned int values[NR_BLKBACK_SETTINGS];
	char *cgroup;
};

/* What was written in sysfs is not asked for: it holds whatever xenstore says. */
static int read_wanted(struct blkback_dev *dev, const char *dir, bool offered,
		       struct wanted *wanted)
{
	unsigned long by_hand = READ_ONCE(dev->settings.by_hand);
	unsigned int i;
	int err = 0;

	wanted->cgroup = NULL;
	for (i = 0; i < NR_BLKBACK_SETTINGS && !err; i++)
		if (settings[i].offered == offered && !(by_hand & BIT(i)))
			err = read_setting(dev, dir, i, &wanted->values[i]);
	if (!err && dir && !offered && !(by_hand & BIT(SET_CGROUP)))
		err = read_text(dev, dir, "cgroup", &wanted->cgroup);
	return err;
}

/* Nor does it give way if it was written meanwhile. */
static void take_values(struct blkback_settings *mine, const struct wanted *wanted,
			bool offered)
{
	unsigned int i;

	mutex_lock(&mine->lock);
	for (i = 0; i < NR_BLKBACK_SETTINGS; i++)
		if (settings[i].offered == offered && !(mine->by_hand & BIT(i)))
			WRITE_ONCE(mine->values[i], wanted->values[i]);
	mutex_unlock(&mine->lock);
}

/* Takes over the path. One that was written in sysfs may have been made anew since. */
static int take_cgroup(struct blkback_dev *dev, char *path)
{
	struct blkback_settings *mine = &dev->settings;
	char quoted[MAX_QUOTED];
	int err;

	mutex_lock(&mine->lock);
	if (mine->by_hand & BIT(SET_CGROUP)) {
		kfree(path);
		path = mine->cgroup;
	}
	err = set_cgroup(mine, path);
	if (err)
		quote(quoted, path);
	if (err && path != mine->cgroup)
		kfree(path);
	mutex_unlock(&mine->lock);
	if (err)
		blkback_error(dev, err, "I/O cannot be charged to the cgroup \"%s\" (%pe): %s",
			      quoted, ERR_PTR(err), cgroup_advice(err));
	return err;
}

/**
 * settings_read() - see what the toolstack wants of a disk
 * @dev: has no connection
 * @offered: only what is part of the offer; or else only what is not
 *
 * The lock is not held while xenstore is asked: who reads or writes sysfs does not wait
 * for that.
 *
 * Context: the device's work.
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int settings_read(struct blkback_dev *dev, bool offered)
{
	struct wanted wanted;
	char *dir;
	int err;

	err = find_folder(dev, &dir);
	if (err)
		return err;
	err = read_wanted(dev, dir, offered, &wanted);
	kfree(dir);
	if (err)
		return err;
	take_values(&dev->settings, &wanted, offered);
	return offered ? 0 : take_cgroup(dev, wanted.cgroup);
}

/* --- rings ---------------------------------------------------------------- */

/*
 * Each bio has it; but there are schedulers that go by who gives them a bio. If there is
 * no memory to tell them, they do without.
 */
static void take_ioprio(struct blkback_ring *ring, u16 ioprio)
{
	if (ring->ioprio != ioprio)
		set_task_ioprio(current, ioprio);
	ring->ioprio = ioprio;
}

/**
 * settings_take() - have a ring go by what holds now
 * @ring: the ring
 *
 * Context: the ring's thread.
 */
void settings_take(struct blkback_ring *ring)
{
	struct blkback_settings *mine = &ring->conn->dev->settings;

	mutex_lock(&mine->lock);
	ring->changes = mine->changes;
	ring->copy_read_max = mine->values[SET_COPY_READ_MAX];
	ring->copy_write_max = mine->values[SET_COPY_WRITE_MAX];
	poll_limit(&ring->poll, mine->values[SET_POLL_US] * NSEC_PER_USEC);
	take_ioprio(ring, mine->values[SET_IOPRIO]);
	/* All bios that the thread makes from here on are charged there. */
	kthread_associate_blkcg(mine->charged);
	mutex_unlock(&mine->lock);
}

/**
 * settings_leave() - undo settings_take()
 *
 * Context: a ring's thread that ends.
 */
void settings_leave(void)
{
	kthread_associate_blkcg(NULL);
}

/* --- sysfs ---------------------------------------------------------------- */

static struct blkback_settings *to_settings(struct device *device)
{
	return &to_blkback(device)->settings;
}

static enum blkback_setting to_setting(struct device_attribute *attr)
{
	return (uintptr_t)container_of(attr, struct dev_ext_attribute, attr)->var;
}

static ssize_t show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(to_settings(device)->values[to_setting(attr)]));
}

static void changed(struct blkback_settings *mine, enum blkback_setting what)
{
	WRITE_ONCE(mine->by_hand, mine->by_hand | BIT(what));
	WRITE_ONCE(mine->changes, mine->changes + 1);
}

/* The lock of the settings is not held: a ring that wakes takes it. */
static void tell_rings(struct blkback_dev *dev)
{
	mutex_lock(&dev->conn_lock);
	if (dev->conn)
		wake_rings(dev->conn);
	mutex_unlock(&dev->conn_lock);
}

static void change(struct blkback_dev *dev, enum blkback_setting what,
		   unsigned int value)
{
	struct blkback_settings *mine = &dev->settings;

	mutex_lock(&mine->lock);
	WRITE_ONCE(mine->values[what], value);
	changed(mine, what);
	mutex_unlock(&mine->lock);
	tell_rings(dev);
}

static ssize_t store(struct device *device, struct device_attribute *attr,
		     const char *buf, size_t count)
{
	enum blkback_setting what = to_setting(attr);
	unsigned int value;
	int err;

	err = kstrtouint(buf, 0, &value);
	if (err)
		return err;
	if (!allowed(what, value))
		return -EINVAL;
	change(to_blkback(device), what, value);
	return count;
}

static ssize_t ioprio_show(struct device *device, struct device_attribute *attr,
			   char *buf)
{
	static const char *const classes[] = { "none", "rt", "be", "idle" };
	unsigned int ioprio = READ_ONCE(to_settings(device)->values[SET_IOPRIO]);
	unsigned int class = IOPRIO_PRIO_CLASS(ioprio);
	unsigned int level = IOPRIO_PRIO_DATA(ioprio);

	if (class == IOPRIO_CLASS_RT || class == IOPRIO_CLASS_BE)
		return sysfs_emit(buf, "%s/%u\n", classes[class], level);
	return sysfs_emit(buf, "%s\n", classes[class]);
}

static ssize_t ioprio_store(struct device *device, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	unsigned int value;
	int err;

	err = parse_ioprio(buf, &value);
	if (err)
		return err;
	change(to_blkback(device), SET_IOPRIO, value);
	return count;
}
static DEVICE_ATTR_RW(ioprio);

/* A limit that does not hold any more must not look as if it did. */
static ssize_t cgroup_show(struct device *device, struct device_attribute *attr,
			   char *buf)
{
	struct blkback_settings *mine = to_settings(device);
	ssize_t len;

	mutex_lock(&mine->lock);
	len = sysfs_emit(buf, "%s%s\n", mine->cgroup ?: "",
			 io_cgroup_gone(mine->charged) ? " (deleted)" : "");
	mutex_unlock(&mine->lock);
	return len;
}

static ssize_t cgroup_store(struct device *device, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct blkback_settings *mine = to_settings(device);
	char *path = kstrndup(buf, strcspn(buf, "\n"), GFP_KERNEL);
	int err;

	if (!path)
		return -ENOMEM;
	mutex_lock(&mine->lock);
	err = set_cgroup(mine, path);
	if (!err)
		changed(mine, SET_CGROUP);
	mutex_unlock(&mine->lock);
	if (err) {
		kfree(path);
		return err;
	}
	tell_rings(to_blkback(device));
	return count;
}
static DEVICE_ATTR_RW(cgroup);

#define SETTING(name, mode, write, what)				\
static struct dev_ext_attribute setting_##name = {			\
	.attr = __ATTR(name, mode, show, write),			\
	.var = (void *)(what),						\
}

SETTING(max_queues, 0444, NULL, SET_MAX_QUEUES);
SETTING(max_ring_page_order, 0444, NULL, SET_MAX_RING_ORDER);
SETTING(feature_persistent, 0444, NULL, SET_PERSISTENT);
SETTING(max_persistent_grants, 0444, NULL, SET_MAX_PERSISTENT);
SETTING(max_indirect_segments, 0444, NULL, SET_MAX_INDIRECT);
SETTING(persistent_grant_unused_seconds, 0444, NULL, SET_UNUSED_SECONDS);
SETTING(copy_read_max, 0644, store, SET_COPY_READ_MAX);
SETTING(copy_write_max, 0644, store, SET_COPY_WRITE_MAX);
SETTING(poll_us, 0644, store, SET_POLL_US);

static struct attribute *setting_attrs[] = {
	&setting_max_queues.attr.attr,
	&setting_max_ring_page_order.attr.attr,
	&setting_feature_persistent.attr.attr,
	&setting_max_persistent_grants.attr.attr,
	&setting_max_indirect_segments.attr.attr,
	&setting_persistent_grant_unused_seconds.attr.attr,
	&setting_copy_read_max.attr.attr,
	&setting_copy_write_max.attr.attr,
	&setting_poll_us.attr.attr,
	&dev_attr_ioprio.attr,
	&dev_attr_cgroup.attr,
	NULL,
};

/* Files of sysfs, in the folder of a disk. */
const struct attribute_group blkback_settings_group = {
	.name = "settings",
	.attrs = setting_attrs,
};
