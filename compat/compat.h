/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver is written for the newest kernel. What older kernels lack is made
 * up for here, and nowhere else; Kbuild finds out what they lack by compiling
 * the files in probes/, because distributions carry changes back.
 */
#ifndef BLKBACK_COMPAT_H
#define BLKBACK_COMPAT_H

/* Before all headers, as this one is the first of each file: who says what is in the log. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#ifndef __counted_by
#define __counted_by(member)
#endif

#ifndef HAVE_BDEV_FILE
/**
 * struct compat_bdev_file - what a struct file is to newer kernels
 * @bdev: the device that was opened
 * @mode: how; has to be named again at closing
 *
 * Here no struct file stands for a block device opened inside the kernel. The
 * driver only passes the pointer on, so it may as well point to this.
 */
struct compat_bdev_file {
	struct block_device *bdev;
	fmode_t mode;
};

#define blk_mode_t	fmode_t
#define BLK_OPEN_READ	FMODE_READ
#define BLK_OPEN_WRITE	FMODE_WRITE

static inline struct file *bdev_file_open_by_dev(dev_t dev, blk_mode_t mode,
						 void *holder, const void *ops)
{
	struct compat_bdev_file *f = kmalloc(sizeof(*f), GFP_KERNEL);
	void *err;

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->mode = mode | (holder ? FMODE_EXCL : 0);
	f->bdev = blkdev_get_by_dev(dev, f->mode, holder);
	if (!IS_ERR(f->bdev))
		return (struct file *)f;
	err = f->bdev;
	kfree(f);
	return err;
}

static inline struct block_device *file_bdev(struct file *file)
{
	return ((struct compat_bdev_file *)file)->bdev;
}

static inline void bdev_file_close(struct file *file)
{
	struct compat_bdev_file *f = (struct compat_bdev_file *)file;

	blkdev_put(f->bdev, f->mode);
	kfree(f);
}
#else
/* What a kernel thread puts like others do is put off, and Closed means that it is done. */
static inline void bdev_file_close(struct file *file)
{
	__fput_sync(file);
}
#endif /* HAVE_BDEV_FILE */

#ifndef HAVE_SHRINKER_ALLOC
static inline struct shrinker *shrinker_alloc(unsigned int flags,
					      const char *name)
{
	return kzalloc(sizeof(struct shrinker), GFP_KERNEL);
}

static inline void shrinker_register(struct shrinker *s)
{
	if (register_shrinker(s, KBUILD_MODNAME))
		pr_warn("not told when memory is short, and gives none back then: free some, and load it anew\n");
}

static inline void shrinker_free(struct shrinker *s)
{
	unregister_shrinker(s);
	kfree(s);
}
#endif /* HAVE_SHRINKER_ALLOC */

/* Newer kernels never sleep between two questions. */
#ifndef BLK_POLL_NOSLEEP
#define BLK_POLL_NOSLEEP	0
#endif

/*
 * In newer kernels the feature only says that the driver knows such queues, and a bio
 * that is to be polled fails where there are none. Older ones clear its flag then.
 */
static inline bool disk_can_poll(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);

#ifdef BLK_FEAT_POLL
	if (!(q->limits.features & BLK_FEAT_POLL))
		return false;
	return !queue_is_mq(q) ||
	       (q->tag_set->nr_maps > HCTX_TYPE_POLL &&
		q->tag_set->map[HCTX_TYPE_POLL].nr_queues);
#else
	return test_bit(QUEUE_FLAG_POLL, &q->queue_flags);
#endif
}

#endif /* BLKBACK_COMPAT_H */
