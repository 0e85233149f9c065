#!/bin/bash
# a disk detached while it hangs can be replaced at once, and coming back later does its successor no harm

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
echo "0 131072 linear /dev/ram0 0" | dmsetup create hung
at_end dmsetup remove hung
other=$(volume other 64)

guest_start main
attach main "phy:/dev/mapper/hung,xvdb,w"
dmsetup suspend --noflush --nolockfs hung
at_end dmsetup resume hung
# One request: stock blkfront would never end further ones that find the backend closed.
guest_background main load "dd if=/dev/zero of=/dev/xvdb bs=64k count=1 oflag=direct"
wrote() { [ "$(cat "$(backend_sysfs main xvdb)/statistics/wr_req")" -gt 0 ]; }
wait_until 60 "the request hangs at the disk" wrote

# The tool stack gives up waiting, as it must; an impatient administrator then removes what it knows.
backend=$(backend_path main xvdb)
xl block-detach main xvdb || note "xl block-detach gave up"
expect "state while requests are out" 5 "$(xs_read "$backend/state")"
xenstore-rm "$(xs_read "$backend/frontend")"
xenstore-rm "$backend"
xenstore-rm "/libxl/$(domid main)/device/vbd/${backend##*/}"
wait_until 60 "the device is gone" test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid main)-${backend##*/}"
expect "holders of the hung disk" 1 "$(dmsetup info -c --noheadings -o open hung)"

# The guest cannot look at it before its own request is done, but dom0 has it ready.
xl block-attach main "phy:$other,xvdb,w" || fail "no other disk can be attached"
wait_until 60 "another disk takes its place" backend_state_is main xvdb 2
pass "another disk takes its place"

released() { [ "$(dmsetup info -c --noheadings -o open hung)" = 0 ]; }
dmsetup resume hung
wait_until 60 "the hung disk is released" released
guest_finish main load || fail "the request that was out was not answered"
wait_until 60 "the second disk is connected" backend_state_is main xvdb 4
wait_until 60 "the guest has it" guest_run main test -b /dev/xvdb
ring=/sys/kernel/debug/xen-blkback/$(basename "$(backend_sysfs main xvdb)")/queue-0/ring
grep -q '^requests: taken' "$ring" || fail "the second disk is not in debugfs"
guest_run main dd if=/dev/zero of=/dev/xvdb bs=1M count=4 oflag=direct || fail "the second disk was harmed"
detach main xvdb

# The same while the disk is being opened, which takes as long as it hangs: somebody looks for partitions on it, and nobody
# else may open it meanwhile. What the tool stack writes next is of another disk, which is not open yet.
loop=$(losetup --show -f -P --direct-io=on /dev/mapper/hung)
at_end losetup -d "$loop"
dmsetup suspend --noflush --nolockfs hung
blockdev --rereadpt "$loop" &
rescan=$!
rescans() { grep -q bdev_disk_changed "/proc/$rescan/stack"; }
wait_until 60 "somebody looks for partitions" rescans
opens() { grep -ls blkdev_get /proc/[0-9]*/stack | grep -v "/$rescan/"; }
opens_no_more() { ! opens; }

by_hand main
name_disk "$loop"
wait_until 60 "the disk is being opened" opens
nodes_removed "$backend" "$frontend"
device=/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number
wait_until 60 "the device is gone" test ! -e "$device"
by_hand main
wait_until 60 "the next disk is offered" xs_read "$backend/multi-queue-max-queues"
written=$(xenstore-ls "$backend")
dmsetup resume hung
wait "$rescan" || :
wait_until 60 "the disk has been opened" opens_no_more
expect "what the next disk has in xenstore" "$written" "$(xenstore-ls "$backend")"
name_disk "$other"
await_state "$backend" 4
expect "whether the next disk is open" 1 "$(xs_read "$backend/opened")"
unplug main "$backend"
pass "what is opened too late says nothing of it to its successor"
