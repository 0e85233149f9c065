#!/bin/busybox sh
# shellcheck shell=dash
# First process of dom0, and of a storage domain: finds the root disk and the job, then hands over to the job's
# dom0-init.sh or storage-init.sh. Dom0 has the same disks as a storage domain, but for their names.

/bin/busybox mkdir -p /sbin /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# The debug kernels have built in what Debian's needs modules for.
[ ! -e "/modules-$(uname -r)" ] || while read -r module; do
	insmod "$module"
done <"/modules-$(uname -r)"
disk=/dev/vd init=dom0-init.sh
[ -b /dev/vda ] || disk=/dev/xvd init=storage-init.sh
mount -t ext4 -o noatime "${disk}a" /mnt
mkdir -p /mnt/job /mnt/guest /mnt/kernel
mount -t ext4 -o ro "${disk}b" /mnt/guest
# With another kernel than the root's come its modules.
[ ! -b "${disk}e" ] || mount -t ext4 -o ro "${disk}e" /mnt/kernel
[ -d "/mnt/lib/modules/$(uname -r)" ] || mount --bind /mnt/kernel /mnt/lib/modules
# A storage domain finds the job on its root.
[ "$disk" != /dev/vd ] || mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 job /mnt/job
for folder in proc sys dev; do
	mount --move "/$folder" "/mnt/$folder"
done
exec switch_root /mnt /bin/bash "/job/tests/xen/$init"
