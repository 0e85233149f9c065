// SPDX-License-Identifier: GPL-2.0-only
/*
 * How xenstore is read and written. What the keys mean is in negotiate.c and settings.c.
 *
 * What belongs together appears at once, in a transaction; and keys that do not hold in a
 * state go along with it. Transactions are few, so whoever wants one waits for its turn.
 *
 * A key that cannot be read or written is told here, so that nobody else needs to. A state
 * is not: what is to be done about that is for the device's work to say.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/semaphore.h>
#include <linux/slab.h>

#include "common.h"

/* The toolstack writes to our directory too, but not for ever. */
#define MAX_TRIES	16

/*
 * Transactions that are open at a time. xenstored lets a domain that is not dom0 have
 * about ten, all its drivers and programs together, and refuses more: the many disks of
 * one guest must not use them up for those of others.
 */
#define MAX_OPEN	4
static struct semaphore transactions = __SEMAPHORE_INITIALIZER(transactions, MAX_OPEN);

/* Others in this domain may have used them up: how often to try again, before giving up. */
#define MAX_WAITS	100

static int write_keys(struct xenbus_transaction xbt, const char *dir,
		      const struct backend_key *keys, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = xenbus_printf(xbt, dir, keys[i].name, "%llu",
				    keys[i].value);
	return err;
}

static int write_state(struct xenbus_transaction xbt, const char *dir,
		       enum xenbus_state from, enum xenbus_state to)
{
	int state, err;

	err = xenbus_scanf(xbt, dir, "state", "%d", &state);
	if (no_answer(err))
		return err;
	/* A directory that has been removed must not be brought back. */
	if (err != 1)
		return -ENOENT;
	if (to == XenbusStateUnknown ||
	    (from != XenbusStateUnknown && state != from))
		return 0;
	return xenbus_printf(xbt, dir, "state", "%d", to);
}

/* To remove what is not there is no error; so the folders of queues are looked for. */
static int remove_threads(struct xenbus_transaction xbt, const char *dir)
{
	int err = xenbus_rm(xbt, dir, "kthread-pid");
	char queue[20], *found;
	unsigned int i;

	for (i = 0; !err; i++) {
		snprintf(queue, sizeof(queue), "queue-%u", i);
		found = xenbus_read(xbt, dir, queue, NULL);
		err = IS_ERR(found) ? PTR_ERR(found) : xenbus_rm(xbt, dir, queue);
		if (!IS_ERR(found))
			kfree(found);
	}
	return no_answer(err) ? err : 0;
}

/* What does not hold in that state. */
static int remove_keys(struct xenbus_transaction xbt, const char *dir,
		       enum xenbus_state state)
{
	int err = 0;

	if (state == XenbusStateClosing || state == XenbusStateClosed)
		err = remove_threads(xbt, dir);
	if (!err && state == XenbusStateClosed)
		err = xenbus_rm(xbt, dir, "opened");
	return no_answer(err) ? err : 0;
}

/* Whatever is in the way of it: xenstored takes no more just now. */
static int begin(struct xenbus_transaction *xbt)
{
	down(&transactions);
	if (!xenbus_transaction_start(xbt))
		return 0;
	up(&transactions);
	return -EBUSY;
}

static int end(struct xenbus_transaction xbt, int err)
{
	int failed = xenbus_transaction_end(xbt, err);

	up(&transactions);
	return failed;
}

/*
 * Write all keys, and state @to if it is @from, so that they appear at once.
 * With @from Unknown it may be any; with @to Unknown it is left as it is. Never on
 * xenwatch: others may have to be done with their transactions first.
 */
static int transact(const char *dir, const struct backend_key *keys,
		    unsigned int n, enum xenbus_state from,
		    enum xenbus_state to)
{
	struct xenbus_transaction xbt;
	unsigned int tries = 0;
	int err, failed;

	do {
		err = begin(&xbt);
		if (err)
			return err;
		err = write_state(xbt, dir, from, to) ?:
		      write_keys(xbt, dir, keys, n) ?:
		      remove_keys(xbt, dir, to);
		failed = end(xbt, err);
	} while (failed == -EAGAIN && ++tries < MAX_TRIES);
	return err ?: failed;
}

static const char *how_to_help(int err)
{
	switch (err) {
	case -ENOMEM:
		return "";	/* that is said in any case */
	case -EAGAIN:
	case -EBUSY:
		return ": see who keeps xenstore busy, then attach the disk again";
	default:
		return ": see whether xenstored runs, then attach the disk again";
	}
}

static void no_access(struct blkback_dev *dev, int err, const char *what,
		      const char *dir, const char *key)
{
	blkback_error(dev, err, "%s %s/%s (%pe)%s", what, dir, key,
		      ERR_PTR(err), how_to_help(err));
}

/**
 * xenstore_tell() - write keys to the directory of a disk, all at once
 * @dev: the disk
 * @keys: in a message the first one stands for all
 * @n: how many; at least 1
 * @from: @to is written only if the state is this one; Unknown: whatever it is
 * @to: state to be written, too; Unknown: it is left as it is
 *
 * Context: the device's work. Others may have to be done with their transactions first.
 * Return: 0; -ENODEV with nothing said if the device was removed; or another negative errno
 * that has been told to the toolstack.
 */
int xenstore_tell(struct blkback_dev *dev, const struct backend_key *keys,
		  unsigned int n, enum xenbus_state from, enum xenbus_state to)
{
	const char *dir = dev->xdev->nodename;
	unsigned int tries = 0;
	int err;

	/* What others have in hand is no reason to refuse a disk. */
	do {
		if (tries)
			msleep(XENSTORE_RETRY_MS);
		/* To open a disk may take long, and then the directory may be the next one's. */
		if (READ_ONCE(dev->removed))
			return -ENODEV;
		err = transact(dir, keys, n, from, to);
	} while (err == -EBUSY && tries++ < MAX_WAITS);
	if (err)
		no_access(dev, err, "cannot write", dir, keys[0].name);
	return err;
}

/**
 * write_told() - say which state we are in
 * @xdev: the device
 * @state: the state
 *
 * Unlike the core's function it tells whether it has been said.
 *
 * Context: the device's work.
 * Return: 0, -ENOENT if the directory is gone, or another negative errno.
 */
int write_told(struct xenbus_device *xdev, enum xenbus_state state)
{
	int err = transact(xdev->nodename, NULL, 0, XenbusStateUnknown, state);

	if (!err)
		data_race(xdev->state = state);	/* the core goes by it, and sysfs tells it */
	return err;
}

/**
 * write_closed_again() - say Closed once more where it says Closing again
 * @xdev: a device that has said Closed already
 *
 * Context: the device's work.
 * Return: 0, -ENOENT if the directory is gone, or another negative errno.
 */
int write_closed_again(struct xenbus_device *xdev)
{
	return transact(xdev->nodename, NULL, 0, XenbusStateClosing,
			XenbusStateClosed);
}

/* Digits and nothing else: no sign, no blank, no other base. */
static int parse_number(const char *text, unsigned int *value)
{
	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	return kstrtouint(text, 10, value);
}

/**
 * read_text() - the text of a key
 * @dev: whose it is
 * @dir: where the key is
 * @key: its name
 * @text: to be freed with kfree(); NULL if there is no such key
 *
 * Context: the device's work.
 * Return: 0, or a negative errno that has been told.
 */
int read_text(struct blkback_dev *dev, const char *dir, const char *key,
	      char **text)
{
	char *found = xenbus_read(XBT_NIL, dir, key, NULL);

	*text = IS_ERR(found) ? NULL : found;
	if (!IS_ERR(found) || PTR_ERR(found) == -ENOENT)
		return 0;
	no_access(dev, PTR_ERR(found), "cannot read", dir, key);
	return PTR_ERR(found);
}

/**
 * read_number() - the number that is in a key
 * @dev: whose it is
 * @dir: where the key is
 * @key: its name
 * @value: left alone if there is none
 *
 * Context: the device's work.
 * Return: 0, -ENOENT with nothing said if there is no such key, or another
 * negative errno that has been told.
 */
int read_number(struct blkback_dev *dev, const char *dir, const char *key,
		unsigned int *value)
{
	char quoted[MAX_QUOTED];
	char *text;
	int err;

	err = read_text(dev, dir, key, &text);
	if (err || !text)
		return err ?: -ENOENT;
	err = parse_number(text, value);
	if (err)
		blkback_error(dev, err,
			      "%s/%s is \"%s\", which is not a number up to 4294967295: write one",
			      dir, key, quote(quoted, text));
	kfree(text);
	return err;
}
