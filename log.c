// SPDX-License-Identifier: GPL-2.0-only
/*
 * What people are told of a disk: in the log, as far as its guest's budget lets us, and in
 * xenstore what has gone wrong.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_helpers.h>

#include "common.h"
#include "trace.h"

/**
 * blkback_info() - say in the log what has become of a disk
 * @dev: the device
 * @fmt: what to say; the guest and the disk are put in front
 *
 * Context: the device's work.
 */
void blkback_info(struct blkback_dev *dev, const char *fmt, ...)
{
	struct xenbus_device *xdev = dev->xdev;
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (!budget_says(dev))
		return;
	va_start(args, fmt);
	vaf.va = &args;
	dev_info(&xdev->dev, "guest %d, disk %s: %pV\n", xdev->otherend_id,
		 dev->name, &vaf);
	va_end(args);
}

/**
 * blkback_what_to_do() - what to do about an error, whatever it was that failed
 * @err: negative errno
 *
 * Context: any.
 * Return: the end of a message; empty if that depends on what failed.
 */
const char *blkback_what_to_do(int err)
{
	return err == -ENOMEM ? ": free memory in this host, then attach the disk again" : "";
}

/**
 * blkback_error() - say what went wrong, in the log and in the device's error node
 * @dev: the device
 * @err: negative errno
 * @fmt: what to say, and what to do about it; the guest and the disk are put in front
 *
 * Context: the device's work, or its probe.
 */
void blkback_error(struct blkback_dev *dev, int err, const char *fmt, ...)
{
	struct xenbus_device *xdev = dev->xdev;
	struct va_format vaf = { .fmt = fmt };
	char *path, *text;
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	text = kasprintf(GFP_KERNEL, "%d guest %d, disk %s: %pV%s", -err,
			 xdev->otherend_id, dev->name, &vaf,
			 blkback_what_to_do(err));
	va_end(args);
	path = kasprintf(GFP_KERNEL, "error/%s", xdev->nodename);
	if (budget_says(dev))
		dev_err(&xdev->dev, "%s\n",
			text ?: "no memory to say what is wrong: free some in this host");
	if (text)
		trace_blkback_error(dev, err, text);
	/* The directory of that name may be another disk's by now. */
	if (text && path && !READ_ONCE(dev->removed))
		xenbus_write(XBT_NIL, path, "error", text);
	kfree(path);
	kfree(text);
}

/**
 * quote() - what others wrote as a message may have it: short and ASCII
 * @quoted: MAX_QUOTED bytes, for the text
 * @text: of more than MAX_QUOTE bytes, the first ones are taken
 *
 * A message that is too long for xenstore would not be written at all. (%pE would let
 * Latin-1 through.)
 *
 * Context: any.
 * Return: @quoted.
 */
const char *quote(char *quoted, const char *text)
{
	size_t size = strnlen(text, MAX_QUOTE + 1);
	int len = string_escape_mem(text, min_t(size_t, size, MAX_QUOTE), quoted,
				    MAX_QUOTED - sizeof("..."),
				    ESCAPE_NAP | ESCAPE_ANY, NULL);

	strscpy(quoted + len, size > MAX_QUOTE ? "..." : "", MAX_QUOTED - len);
	return quoted;
}
