// SPDX-License-Identifier: GPL-2.0-only
/* bdev_file_open_by_dev(): since f3a608827d1f "bdev: open block device as files", 6.9 */
#include <linux/blkdev.h>

struct file *probe(dev_t dev);
struct file *probe(dev_t dev)
{
	return bdev_file_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
}
