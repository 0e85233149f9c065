// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the keys in xenstore mean: what we offer, what the frontend chose, what the
 * toolstack wants. blkif.h explains them, xenstore.c reads and writes them.
 *
 * A frontend may rewrite its keys at any moment. Each is read once for a
 * connection, checked, and what was read is what holds.
 */
#include <linux/ctype.h>
#include <linux/kdev_t.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "common.h"

/* It only costs a frontend if no page may stay. */
static bool offers_persistent(const struct blkback_dev *dev)
{
	return setting(dev, SET_PERSISTENT) && setting(dev, SET_MAX_PERSISTENT) &&
	       dev->budget->max_kept;
}

static int tell_offer(struct blkback_dev *dev)
{
	unsigned int order = setting(dev, SET_MAX_RING_ORDER);
	const struct backend_key keys[] = {
		{ "multi-queue-max-queues", setting(dev, SET_MAX_QUEUES) },
		{ "max-ring-page-order", order },
		{ "max-ring-pages", 1 << order },
		{ "feature-persistent", offers_persistent(dev) },
		{ "feature-max-indirect-segments", setting(dev, SET_MAX_INDIRECT) },
	};

	return xenstore_tell(dev, keys, ARRAY_SIZE(keys), XenbusStateUnknown,
			     XenbusStateUnknown);
}

/**
 * write_offer() - tell the frontend how it may build its rings
 * @dev: its settings are as offered, then
 *
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int write_offer(struct blkback_dev *dev)
{
	return settings_read(dev, true) ?: tell_offer(dev);
}

/**
 * write_opened() - tell the toolstack that the disk is held
 * @dev: its disk is open
 *
 * The key goes when Closed is told.
 *
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int write_opened(struct blkback_dev *dev)
{
	const struct backend_key opened = { "opened", 1 };

	return xenstore_tell(dev, &opened, 1, XenbusStateUnknown, XenbusStateUnknown);
}

/**
 * write_disk() - tell the frontend what the disk is like
 * @conn: does not run yet; its @told is what was told
 *
 * A disk that may be written to always takes flushes, even one that has no
 * volatile cache today: the administrator may switch the cache on tomorrow,
 * and a guest that was told not to flush would lose data.
 *
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int write_disk(struct blkback_conn *conn)
{
	struct blkback_dev *dev = conn->dev;
	struct blkback_vbd *vbd = &dev->vbd;
	struct disk_limits limits = vbd_limits(vbd);
	const struct backend_key keys[] = {
		{ "sectors", limits.capacity },
		{ "sector-size", bdev_logical_block_size(vbd->bdev) },
		{ "physical-sector-size", bdev_physical_block_size(vbd->bdev) },
		{ "info", vbd->info },
		{ "feature-flush-cache", !limits.read_only },
		{ "feature-barrier", !limits.read_only },
		{ "feature-discard", limits.discard },
		/* Of a disk that cannot, there is nothing more to say. */
		{ "discard-granularity", bdev_discard_granularity(vbd->bdev) },
		{ "discard-alignment", bdev_discard_alignment(vbd->bdev) },
		{ "discard-secure", limits.secure_erase },
	};
	int err = xenstore_tell(dev, keys, ARRAY_SIZE(keys) - (limits.discard ? 0 : 3),
				XenbusStateUnknown, XenbusStateUnknown);

	if (err)
		return err;
	conn->told = limits;
	vbd->told_sectors = limits.capacity;
	return 0;
}

/**
 * write_threads() - tell the toolstack which threads serve a disk
 * @conn: has its threads
 *
 * The keys go when Closing is told.
 *
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int write_threads(const struct blkback_conn *conn)
{
	unsigned int i, nr = conn->nr_rings;
	struct backend_key *keys;
	int err;

	keys = kcalloc(nr + 1, sizeof(*keys), GFP_KERNEL);
	if (!keys) {
		blkback_error(conn->dev, -ENOMEM, "no memory for the PIDs of %u queues", nr);
		return -ENOMEM;
	}
	strscpy(keys[0].name, "kthread-pid", sizeof(keys[0].name));
	keys[0].value = task_pid_nr(conn->rings[0]->thread);
	for (i = 0; i < nr; i++) {
		snprintf(keys[i + 1].name, sizeof(keys[0].name), "queue-%u/kthread-pid", i);
		keys[i + 1].value = task_pid_nr(conn->rings[i]->thread);
	}
	/* The only queue has no folder, as on the frontend's side. */
	err = xenstore_tell(conn->dev, keys, nr > 1 ? nr + 1 : 1, XenbusStateUnknown,
			    XenbusStateUnknown);
	kfree(keys);
	return err;
}

/**
 * announce_size() - tell a connected frontend that its disk has another size
 * @dev: its disk is open
 * @sectors: how large it is, in sectors of 512 bytes
 *
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int announce_size(struct blkback_dev *dev, u64 sectors)
{
	const struct backend_key size = { "sectors", sectors };
	int err;

	/*
	 * Connected, written once more, makes frontends look at the size again;
	 * but not over a Closing that the toolstack may have written meanwhile.
	 */
	err = xenstore_tell(dev, &size, 1, XenbusStateConnected, XenbusStateConnected);
	if (!err)
		dev->vbd.told_sectors = sectors;
	return err;
}

/* Short, with nothing in it that a file's name may not have, and no mere number. */
static bool is_name(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i == BLKBACK_NAME_LEN - 1 || !isascii(text[i]) || !isalnum(text[i]))
			return false;
	return text[strspn(text, "0123456789")];
}

/**
 * read_disk_name() - how the guest calls a disk
 * @xdev: the device
 * @name: BLKBACK_NAME_LEN bytes, for the name; or for the disk's number, if some toolstack
 *	left it out or wrote something else
 */
void read_disk_name(struct xenbus_device *xdev, char *name)
{
	char *text = xenbus_read(XBT_NIL, xdev->nodename, "dev", NULL);

	strscpy(name, !IS_ERR(text) && is_name(text) ? text : kbasename(xdev->nodename),
		BLKBACK_NAME_LEN);
	if (!IS_ERR(text))
		kfree(text);
}

static int read_with_default(struct blkback_dev *dev, const char *dir,
			     const char *key, unsigned int *value)
{
	int err = read_number(dev, dir, key, value);

	return err == -ENOENT ? 0 : err;
}

/**
 * disk_named() - whether the toolstack has said which disk it means
 * @dev: the device
 *
 * Return: 1 if so, and read_disk() then knows which; 0 if not; or a negative
 * errno if xenstore could not be asked just now.
 */
int disk_named(struct blkback_dev *dev)
{
	char *text = xenbus_read(XBT_NIL, dev->xdev->nodename,
				 "physical-device", NULL);

	if (IS_ERR(text))
		return no_answer(PTR_ERR(text)) ? PTR_ERR(text) : 0;
	kfree(text);
	return 1;
}

/* Both parts hexadecimal, and no larger than the kernel has room for. */
static int parse_devt(const char *text, dev_t *devt)
{
	unsigned int major, minor;
	int end = 0;

	static_assert(MINORBITS == 20);
	if (text[strspn(text, "0123456789abcdefABCDEF:")] ||
	    sscanf(text, "%3x:%5x%n", &major, &minor, &end) != 2 || text[end])
		return -EINVAL;
	*devt = MKDEV(major, minor);
	return 0;
}

static int read_devt(struct blkback_dev *dev)
{
	const char *dir = dev->xdev->nodename;
	char quoted[MAX_QUOTED];
	dev_t devt = 0;
	char *text;
	int err;

	err = read_text(dev, dir, "physical-device", &text);
	if (err)
		return err;
	err = text ? parse_devt(text, &devt) : -EINVAL;
	WRITE_ONCE(dev->vbd.devt, devt);
	if (err)
		blkback_error(dev, err,
			      "%s/physical-device is \"%s\", which is not the number of a block device: write MAJOR:MINOR in hexadecimal, as stat -L -c %%t:%%T prints it",
			      dir, quote(quoted, text ?: ""));
	kfree(text);
	return err;
}

/* Of 0 there is no disk. */
static int read_diskseq(struct blkback_dev *dev)
{
	const char *dir = dev->xdev->nodename;
	char quoted[MAX_QUOTED];
	char *text;
	int err;

	dev->vbd.diskseq = 0;
	err = read_text(dev, dir, "diskseq", &text);
	if (err || !text)
		return err;
	if (text[strspn(text, "0123456789abcdefABCDEF")] ||
	    kstrtou64(text, 16, &dev->vbd.diskseq) || !dev->vbd.diskseq) {
		err = -EINVAL;
		blkback_error(dev, err,
			      "%s/diskseq is \"%s\", which is not the sequence number of a disk: write in hexadecimal what /sys/block/DISK/diskseq has, or leave the key out",
			      dir, quote(quoted, text));
	}
	kfree(text);
	return err;
}

/* "r" or none, "w", or "w!" for a disk that others in the host may use, too. */
static int read_mode(struct blkback_dev *dev)
{
	struct blkback_vbd *vbd = &dev->vbd;
	char *text;
	int err;

	err = read_text(dev, dev->xdev->nodename, "mode", &text);
	if (err)
		return err;
	WRITE_ONCE(vbd->read_only, !text || !strchr(text, 'w'));
	WRITE_ONCE(vbd->shared, text && strchr(text, '!'));
	kfree(text);
	return 0;
}

/* Some toolstacks write the type only where the guest could, too. */
static int read_type(struct blkback_dev *dev)
{
	char *text;
	int err;

	err = read_text(dev, dev->frontend, "device-type", &text);
	if (err)
		return err;
	dev->vbd.info = dev->vbd.read_only ? VDISK_READONLY : 0;
	if (text && *text == 'c')
		dev->vbd.info |= VDISK_CDROM;
	kfree(text);
	return 0;
}

/**
 * read_disk() - see which disk the toolstack means, and what it is to be
 * @dev: its @vbd gets the number, the mode and the kind of disk
 *
 * All is read anew each time the disk is opened, as it may be another one by then.
 *
 * Only a key that is not there has a default: what could not be read may be what
 * forbids something.
 *
 * Return: 0, or a negative errno with the reason told.
 */
int read_disk(struct blkback_dev *dev)
{
	unsigned int discard = 1;
	int err;

	err = read_devt(dev) ?: read_diskseq(dev) ?: read_mode(dev) ?:
	      read_type(dev) ?:
	      read_with_default(dev, dev->xdev->nodename, "discard-enable",
				&discard);
	dev->vbd.discard = discard;
	return err;
}

/* Return @err, of reading the key. */
static int tell_missing(struct blkback_dev *dev, int err, const char *dir, const char *key)
{
	if (err == -ENOENT)
		blkback_error(dev, err,
			      "the frontend did not write %s/%s: it has to before state 3",
			      dir, key);
	return err;
}

static int read_required(struct blkback_dev *dev, const char *dir,
			 const char *key, unsigned int *value)
{
	return tell_missing(dev, read_number(dev, dir, key, value), dir, key);
}

static const struct blkif_abi *read_abi(struct blkback_dev *dev)
{
	const struct blkif_abi *abi;
	char quoted[MAX_QUOTED];
	char *text;
	int err;

	err = read_text(dev, dev->frontend, "protocol", &text);
	if (err)
		return ERR_PTR(err);
	abi = blkif_find_abi(text);
	if (!abi)
		blkback_error(dev, -EINVAL,
			      "%s/protocol is \"%s\", which this host does not know: write x86_64-abi, x86_32-abi or arm-abi",
			      dev->frontend, quote(quoted, text));
	kfree(text);
	return abi ?: ERR_PTR(-EINVAL);
}

static int read_nr_rings(struct blkback_dev *dev, unsigned int *nr)
{
	unsigned int max = setting(dev, SET_MAX_QUEUES);
	int err;

	*nr = 1;
	err = read_with_default(dev, dev->frontend, "multi-queue-num-queues", nr);
	if (err || (*nr >= 1 && *nr <= max))
		return err;
	blkback_error(dev, -ERANGE,
		      "%s/multi-queue-num-queues is %u, and 1 to %u were offered: write one of these",
		      dev->frontend, *nr, max);
	return -ERANGE;
}

/* What some frontends write instead of ring-page-order. */
static int read_ring_pages(struct blkback_dev *dev, unsigned int *order)
{
	unsigned int max = setting(dev, SET_MAX_RING_ORDER), pages = 1;
	int err;

	err = read_with_default(dev, dev->frontend, "num-ring-pages", &pages);
	if (err)
		return err;
	if (is_power_of_2(pages) && ilog2(pages) <= max) {
		*order = ilog2(pages);
		return 0;
	}
	blkback_error(dev, -ERANGE,
		      "%s/num-ring-pages is %u, and powers of two up to %u were offered: write one of these",
		      dev->frontend, pages, 1 << max);
	return -ERANGE;
}

static int read_ring_order(struct blkback_dev *dev, unsigned int *order)
{
	unsigned int max = setting(dev, SET_MAX_RING_ORDER);
	int err;

	err = read_number(dev, dev->frontend, "ring-page-order", order);
	if (err == -ENOENT)
		return read_ring_pages(dev, order);
	if (err || *order <= max)
		return err;
	blkback_error(dev, -ERANGE,
		      "%s/ring-page-order is %u, and 0 to %u were offered: write one of these",
		      dev->frontend, *order, max);
	return -ERANGE;
}

static int read_persistent(struct blkback_dev *dev, unsigned int *persistent)
{
	*persistent = 0;
	return read_with_default(dev, dev->frontend, "feature-persistent", persistent);
}

/**
 * read_conn() - see what kind of connection the frontend wants
 * @dev: whose frontend
 *
 * Return: a connection without rings, to be freed with kfree(); or ERR_PTR()
 * with the reason told.
 */
struct blkback_conn *read_conn(struct blkback_dev *dev)
{
	const struct blkif_abi *abi = read_abi(dev);
	struct blkback_conn *conn;
	unsigned int nr, order, persistent;
	int err;

	if (IS_ERR(abi))
		return ERR_CAST(abi);
	err = settings_read(dev, false) ?: read_nr_rings(dev, &nr) ?:
	      read_ring_order(dev, &order) ?: read_persistent(dev, &persistent);
	if (err)
		return ERR_PTR(err);
	conn = kzalloc(struct_size(conn, rings, nr), GFP_KERNEL);
	if (!conn) {
		blkback_error(dev, -ENOMEM, "no memory for %u queues", nr);
		return ERR_PTR(-ENOMEM);
	}
	conn->dev = dev;
	conn->abi = abi;
	conn->ring_order = order;
	conn->nr_rings = nr;
	conn->persistent = persistent && offers_persistent(dev);
	conn->max_persistent = setting(dev, SET_MAX_PERSISTENT);
	conn->unused_jiffies = setting(dev, SET_UNUSED_SECONDS) *
			       (unsigned long)HZ;
	conn->max_indirect = setting(dev, SET_MAX_INDIRECT);
	conn->max_spare_pages = READ_ONCE(blkback_max_spare_pages);
	conn->squeeze_jiffies =
		msecs_to_jiffies(READ_ONCE(blkback_squeeze_ms));
	return conn;
}

/* Some frontends number even the only page of a ring. */
static int read_only_page(struct blkback_dev *dev, const char *dir,
			  unsigned int *ref)
{
	int err = read_number(dev, dir, "ring-ref", ref);

	if (err == -ENOENT)
		err = read_number(dev, dir, "ring-ref0", ref);
	return tell_missing(dev, err, dir, "ring-ref");
}

static int read_ring_keys(const struct blkback_conn *conn, const char *dir,
			  struct ring_keys *keys)
{
	unsigned int i, nr_pages = 1 << conn->ring_order;
	char key[sizeof("ring-ref") + 10];
	int err = 0;

	if (nr_pages == 1)
		err = read_only_page(conn->dev, dir, &keys->refs[0]);
	for (i = 0; nr_pages > 1 && i < nr_pages && !err; i++) {
		snprintf(key, sizeof(key), "ring-ref%u", i);
		err = read_required(conn->dev, dir, key, &keys->refs[i]);
	}
	return err ?: read_required(conn->dev, dir, "event-channel",
				    &keys->port);
}

/**
 * read_ring() - see where a ring is
 * @conn: from read_conn()
 * @index: which ring
 * @keys: filled in
 *
 * Return: 0, or a negative errno with the reason told.
 */
int read_ring(const struct blkback_conn *conn, unsigned int index,
	      struct ring_keys *keys)
{
	const char *frontend = conn->dev->frontend;
	char *dir;
	int err;

	/* The only ring of a frontend is where it was before there were more. */
	if (conn->nr_rings == 1)
		return read_ring_keys(conn, frontend, keys);
	dir = kasprintf(GFP_KERNEL, "%s/queue-%u", frontend, index);
	if (!dir) {
		blkback_error(conn->dev, -ENOMEM, "no memory for queue %u", index);
		return -ENOMEM;
	}
	err = read_ring_keys(conn, dir, keys);
	kfree(dir);
	return err;
}
