// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk in memory that can erase, which no disk of the testbed can: /dev/erasable.
 *
 * SECURE_ERASE makes zeroes of its sectors, and DISCARD does nothing to them. So what
 * the disk has afterwards tells which of the two it was asked for, and of which
 * sectors. One that is longer than what the disk says it takes is an error: nobody
 * cuts that up for a disk that gets bios.
 *
 * For the kernel of the testbed only.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#define DISK_SECTORS	4096U
/* Some way from each other, so that it shows by which of the two something was cut. */
#define DISCARD_SECTORS	512U
#define ERASE_SECTORS	96U

static bool forgetful;
module_param(forgetful, bool, 0644);
MODULE_PARM_DESC(forgetful, "It does not know any more that it can discard or flush");

static struct gendisk *disk;
static void *memory;

static void copy(struct bio *bio)
{
	void *place = memory + (bio->bi_iter.bi_sector << SECTOR_SHIFT);
	struct bvec_iter iter;
	struct bio_vec bvec;

	bio_for_each_segment(bvec, bio, iter) {
		if (op_is_write(bio_op(bio)))
			memcpy_from_bvec(place, &bvec);
		else
			memcpy_to_bvec(&bvec, place);
		place += bvec.bv_len;
	}
}

static blk_status_t erase(struct bio *bio)
{
	if (bio_sectors(bio) > ERASE_SECTORS)
		return BLK_STS_IOERR;
	memset(memory + (bio->bi_iter.bi_sector << SECTOR_SHIFT), 0,
	       bio->bi_iter.bi_size);
	return BLK_STS_OK;
}

static void erasable_submit(struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		if (forgetful && op_is_flush(bio->bi_opf))
			bio->bi_status = BLK_STS_NOTSUPP;
		else
			copy(bio);
		break;
	case REQ_OP_DISCARD:
		if (forgetful)
			bio->bi_status = BLK_STS_NOTSUPP;
		else if (bio_sectors(bio) > DISCARD_SECTORS)
			bio->bi_status = BLK_STS_IOERR;
		break;
	case REQ_OP_SECURE_ERASE:
		bio->bi_status = erase(bio);
		break;
	default:
		bio->bi_status = BLK_STS_NOTSUPP;
	}
	bio_endio(bio);
}

static const struct block_device_operations erasable_ops = {
	.owner = THIS_MODULE,
	.submit_bio = erasable_submit,
};

static int __init erasable_init(void)
{
	int err = -ENOMEM;

	memory = vzalloc(DISK_SECTORS << SECTOR_SHIFT);
	if (!memory)
		return err;
	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!disk)
		goto free_memory;
	strscpy(disk->disk_name, "erasable", sizeof(disk->disk_name));
	disk->fops = &erasable_ops;
	disk->flags = GENHD_FL_NO_PART;
	set_capacity(disk, DISK_SECTORS);
	disk->queue->limits.discard_granularity = PAGE_SIZE;
	blk_queue_write_cache(disk->queue, true, true);
	blk_queue_max_discard_sectors(disk->queue, DISCARD_SECTORS);
	blk_queue_max_secure_erase_sectors(disk->queue, ERASE_SECTORS);
	err = add_disk(disk);
	if (!err)
		return 0;
	put_disk(disk);
free_memory:
	vfree(memory);
	return err;
}

static void __exit erasable_exit(void)
{
	del_gendisk(disk);
	put_disk(disk);
	vfree(memory);
}

module_init(erasable_init);
module_exit(erasable_exit);
MODULE_DESCRIPTION("A disk in memory that can erase, for tests");
MODULE_LICENSE("GPL");
