// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block device behind a disk: opening it, its limits, bios to it.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/kdev_t.h>
#include <linux/math64.h>
#include <linux/sizes.h>

#include "common.h"
#include "trace.h"

/* Most of a discard given to the disk at once; a bio's length is 32 bits. */
#define MAX_DISCARD_SECTORS	(SZ_1G >> BLKIF_SECTOR_SHIFT)

/*
 * A disk that a guest writes is claimed, so that the host neither mounts it nor makes
 * it part of anything. All claims are one: a guest that migrates to its own host has
 * the disk twice. Whether two guests may have it is for the block script to say.
 */
static void *claim(const struct blkback_vbd *vbd)
{
	static char holder;

	return vbd->read_only || vbd->shared ? NULL : &holder;
}

static blk_mode_t open_mode(const struct blkback_vbd *vbd)
{
	return vbd->read_only ? BLK_OPEN_READ : BLK_OPEN_READ | BLK_OPEN_WRITE;
}

/* What to do about a disk that cannot be opened. */
static const char *advice(int err)
{
	switch (err) {
	case -EBUSY:
		return "this host uses it, see lsblk: end that, or share it in mode w!";
	case -EROFS:
	case -EACCES:
		return "attach it in mode r, or make it writable";
	case -ENOMEDIUM:
		return "insert a medium, then attach it again";
	default:
		return "see whether it exists, then attach it again";
	}
}

/* While a disk is open its number is its own. */
static int check_diskseq(struct blkback_dev *dev, struct block_device *bdev)
{
	u64 diskseq = bdev->bd_disk->diskseq;

	if (!dev->vbd.diskseq || dev->vbd.diskseq == diskseq)
		return 0;
	blkback_error(dev, -ESTALE,
		      "disk %pg is not the one that was meant: its diskseq is %llx, in hexadecimal, and that to open is %llx; attach it again",
		      bdev, diskseq, dev->vbd.diskseq);
	return -ESTALE;
}

/*
 * What to do about a disk that cannot be opened is said of the disk that was meant only:
 * nobody is to share another one, or to make it writable. For reading, and not claimed,
 * a disk can be opened whatever the host does with it.
 */
static int check_unopened(struct blkback_dev *dev)
{
	struct file *file;
	int err;

	if (!dev->vbd.diskseq)
		return 0;
	file = bdev_file_open_by_dev(dev->vbd.devt, BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(file))
		return 0;
	err = check_diskseq(dev, file_bdev(file));
	bdev_file_close(file);
	return err;
}

static int check_disk(struct blkback_dev *dev)
{
	struct block_device *bdev = dev->vbd.bdev;
	unsigned int block = bdev_logical_block_size(bdev);
	int err = check_diskseq(dev, bdev);

	if (err)
		return err;
	/* The block layer warns of writes to such a disk, and does them. */
	if (bdev_read_only(bdev) && !dev->vbd.read_only) {
		blkback_error(dev, -EROFS,
			      "disk %pg is read-only: attach it in mode r, or make it writable with blockdev --setrw",
			      bdev);
		return -EROFS;
	}
	if (!bdev_nr_sectors(bdev)) {
		blkback_error(dev, -ENOMEDIUM,
			      "disk %pg has no size: insert a medium or grow it, then attach it again",
			      bdev);
		return -ENOMEDIUM;
	}
	/* A segment never crosses a page, so it could not hold a block. */
	if (block > BLKIF_PAGE_SIZE) {
		blkback_error(dev, -EINVAL,
			      "disk %pg has blocks of %u bytes, and guests can address at most %u: use one with smaller ones",
			      bdev, block, BLKIF_PAGE_SIZE);
		return -EINVAL;
	}
	return 0;
}

static int refuse(struct blkback_dev *dev, int why)
{
	const struct blkback_vbd *vbd = &dev->vbd;
	int err = check_unopened(dev);

	if (err)
		return err;
	blkback_error(dev, why, "cannot open disk %u:%u %s (%pe): %s",
		      MAJOR(vbd->devt), MINOR(vbd->devt),
		      vbd->read_only ? "for reading" : "for writing",
		      ERR_PTR(why), advice(why));
	return why;
}

/**
 * vbd_open() - open the disk that the toolstack named
 * @dev: read_disk() has been there
 *
 * Context: the device's work; sleeps for as long as the disk takes.
 * Return: 0, or a negative errno that has been told to the toolstack.
 */
int vbd_open(struct blkback_dev *dev)
{
	struct blkback_vbd *vbd = &dev->vbd;
	struct file *file;
	int err;

	file = bdev_file_open_by_dev(vbd->devt, open_mode(vbd), claim(vbd),
				     NULL);
	if (IS_ERR(file))
		return refuse(dev, PTR_ERR(file));
	vbd->file = file;
	vbd->bdev = file_bdev(file);
	if (vbd->bdev->bd_disk->flags & GENHD_FL_REMOVABLE)
		vbd->info |= VDISK_REMOVABLE;
	if (disk_to_cdi(vbd->bdev->bd_disk))
		vbd->info |= VDISK_CDROM;
	err = check_disk(dev);
	if (err)
		vbd_close(vbd);
	return err;
}

/**
 * vbd_close() - let go of the disk
 * @vbd: open or not
 *
 * Context: the device's work, no connection left; may sleep.
 */
void vbd_close(struct blkback_vbd *vbd)
{
	if (vbd->file)
		bdev_file_close(vbd->file);
	vbd->file = NULL;
	vbd->bdev = NULL;
}

/**
 * vbd_limits() - what requests may ask of the disk just now
 * @vbd: open
 *
 * Context: any.
 * Return: what holds at this moment: a disk may grow, shrink, or be made
 * read-only.
 */
struct disk_limits vbd_limits(const struct blkback_vbd *vbd)
{
	struct block_device *bdev = vbd->bdev;
	bool read_only = vbd->read_only || bdev_read_only(bdev);

	return (struct disk_limits){
		.capacity = bdev_nr_sectors(bdev),
		.block_sectors = bdev_logical_block_size(bdev) >>
				 BLKIF_SECTOR_SHIFT,
		.read_only = read_only,
		.discard = !read_only && vbd->discard &&
			   bdev_max_discard_sectors(bdev),
		.secure_erase = bdev_max_secure_erase_sectors(bdev),
	};
}

static blk_opf_t disk_op(const struct blkback_req *req)
{
	/* Somebody waits for it: not a case for write-back throttling. */
	const blk_opf_t write = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;

	switch (req->operation) {
	case BLKIF_OP_WRITE:
		return write;
	case BLKIF_OP_FLUSH_DISKCACHE:
		return write | REQ_PREFLUSH;
	case BLKIF_OP_WRITE_BARRIER:
		return write | REQ_PREFLUSH | (req->nr_segs ? REQ_FUA : 0);
	case BLKIF_OP_DISCARD:
		return req->secure ? REQ_OP_SECURE_ERASE : REQ_OP_DISCARD;
	default:
		return REQ_OP_READ;
	}
}

/*
 * How much of a discard to give the disk at once. Left to itself the block layer
 * would cut it up while the ring's thread waits, and take all of the disk's queue.
 * It is cut where the disk's own units end: one that two pieces share would be
 * discarded by neither.
 */
static u32 discard_piece(struct block_device *bdev,
			 const struct blkback_req *req)
{
	u32 unit = bdev_discard_granularity(bdev) >> BLKIF_SECTOR_SHIFT ?: 1;
	u32 skew = bdev_discard_alignment(bdev) >> BLKIF_SECTOR_SHIFT;
	u32 most = min_not_zero(bdev_max_discard_sectors(bdev),
				MAX_DISCARD_SECTORS);
	u32 over;

	/* Some kernels cut both kinds by the same limit. */
	if (req->secure)
		most = min_not_zero(bdev_max_secure_erase_sectors(bdev), most);
	/* Of more than as many whole units the block layer cuts off the rest. */
	if (most > unit)
		most -= most % unit;
	if (req->nr_sectors <= most)
		return req->nr_sectors;
	div_u64_rem(req->sector + most - skew % unit, unit, &over);
	return over < most ? most - over : most;
}

/* Seldom: not to be inlined. */
static noinline void init_discard(struct block_device *bdev, struct blkback_req *req)
{
	u32 piece = discard_piece(bdev, req);

	bio_init(&req->bio, bdev, NULL, 0, disk_op(req));
	req->bio.bi_iter.bi_sector = req->sector;
	req->bio.bi_iter.bi_size = piece << BLKIF_SECTOR_SHIFT;
	req->sector += piece;
	req->nr_sectors -= piece;
}

static void init_data(struct block_device *bdev, struct blkback_req *req)
{
	static_assert(BLKBACK_MAX_SEGMENTS <= BIO_MAX_VECS);
	bio_init(&req->bio, bdev, req->vecs, req->nr_segs, disk_op(req));
	req->bio.bi_vcnt = req->nr_segs;
	req->bio.bi_iter.bi_size = req->nr_sectors << BLKIF_SECTOR_SHIFT;
	if (req->nr_segs)	/* a flush without data is at no place */
		req->bio.bi_iter.bi_sector = req->sector;
}

/**
 * vbd_nomerge() - what the disk is to know of a request that adjoins no other one
 * @vbd: open
 *
 * The block layer need not look for one to merge it with, unless it can be one that does
 * not come just before or after: a scheduler merges such, and a disk made of others may
 * have one below. That a disk which has no scheduler would have merged it with one that it
 * could not take at once is given up for that.
 *
 * Return: flags for its bio.
 */
blk_opf_t vbd_nomerge(const struct blkback_vbd *vbd)
{
	struct request_queue *q = bdev_get_queue(vbd->bdev);

	return queue_is_mq(q) && !READ_ONCE(q->elevator) ? REQ_NOMERGE : 0;
}

/**
 * vbd_submit() - give a request to the disk
 * @vbd: open
 * @req: checked, its pages in place; of a DISCARD, as much is given as the disk
 *	takes at once: see vbd_unfinished()
 * @flags: more of them for the bio
 * @end_io: called, from any context, when the disk is done; @req is the bio's
 *	bi_private, and the bio is to be given back with bio_uninit()
 *
 * Context: a ring's thread; may sleep until the disk takes more.
 */
void vbd_submit(const struct blkback_vbd *vbd, struct blkback_req *req,
		blk_opf_t flags, bio_end_io_t *end_io)
{
	if (req->operation == BLKIF_OP_DISCARD)
		init_discard(vbd->bdev, req);
	else
		init_data(vbd->bdev, req);
	req->bio.bi_private = req;
	req->bio.bi_end_io = end_io;
	req->bio.bi_ioprio = req->ring->prio;
	req->bio.bi_opf |= flags;
	trace_blkback_submit(req);
	submit_bio(&req->bio);
}

/**
 * vbd_unfinished() - whether a request has to be submitted once more
 * @req: completed
 *
 * Return: true if a part of it has yet to be given to the disk.
 */
bool vbd_unfinished(const struct blkback_req *req)
{
	return req->operation == BLKIF_OP_DISCARD && req->nr_sectors &&
	       req->status == BLKIF_RSP_OKAY;
}

/**
 * vbd_status() - what to tell the guest
 * @status: how the disk failed a bio
 *
 * Return: enum blkif_status.
 */
int vbd_status(blk_status_t status)
{
	switch (status) {
	case BLK_STS_NOTSUPP:
		return BLKIF_RSP_EOPNOTSUPP;
	default:
		return BLKIF_RSP_ERROR;
	}
}
