#!/bin/busybox sh
# shellcheck shell=dash
# First process of dom0: finds the root disk and the job, then hands over to the job's dom0-init.sh.

/bin/busybox mkdir -p /sbin /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
	insmod "$module"
done </modules
mount -t ext4 -o noatime /dev/vda /mnt
mkdir -p /mnt/job /mnt/guest
mount -t ext4 -o ro /dev/vdb /mnt/guest
# With another kernel than the root's come its modules.
[ ! -b /dev/vdd ] || mount -t ext4 -o ro /dev/vdd /mnt/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 job /mnt/job
for folder in proc sys dev; do
	mount --move "/$folder" "/mnt/$folder"
done
exec switch_root /mnt /bin/bash /job/tests/xen/dom0-init.sh
