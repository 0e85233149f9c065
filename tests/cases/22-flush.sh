#!/bin/bash
# every flush of the guest reaches the disk, and a disk that can be written always takes flushes

guest_start main
modprobe nvme
wait_until 60 "the NVMe disk is there" test -b /dev/nvme0n1
plug main "phy:/dev/nvme0n1,xvdb,w"
expect "feature-flush-cache" 1 "$(xs_read "$(backend_path main xvdb)/feature-flush-cache")"

# Field 16 of a disk's statistics: flushes done.
flushes() { awk '{ print $16 }' /sys/block/nvme0n1/stat; }

sysfs=$(backend_sysfs main xvdb)
disk_before=$(flushes)
ours_before=$(cat "$sysfs/statistics/f_req")
guest_run main 'for i in 1 2 3 4 5 6 7 8 9 10; do dd if=/dev/zero of=/dev/xvdb bs=4k count=1 seek=$i conv=fsync; done' >/dev/null
expect "flushes that the driver counts" 10 $(($(cat "$sysfs/statistics/f_req") - ours_before))
[ $(($(flushes) - disk_before)) -ge 10 ] || fail "only $(($(flushes) - disk_before)) of 10 flushes reached the disk"
