#!/bin/bash
# a disk unbound in sysfs is closed when its last request is done, and cannot be bound again before

modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
echo "0 131072 linear /dev/ram0 0" | dmsetup create slow
at_end dmsetup remove slow
driver=/sys/bus/xen-backend/drivers/vbd

guest_start main
attach main "phy:/dev/mapper/slow,xvdb,w"
backend=$(backend_path main xvdb)
device=$(basename "$(backend_sysfs main xvdb)")
dmsetup suspend --noflush --nolockfs slow
at_end dmsetup resume slow
# One request: stock blkfront would never end further ones that find the backend closed.
guest_background main load "dd if=/dev/zero of=/dev/xvdb bs=64k count=1 oflag=direct"
wrote() { [ "$(cat "/sys/bus/xen-backend/devices/$device/statistics/wr_req")" -gt 0 ]; }
wait_until 60 "the request hangs at the disk" wrote

echo "$device" >"$driver/unbind"
expect "state while requests are out" 4 "$(xs_read "$backend/state")"
if (echo "$device" >"$driver/bind") 2>/dev/null; then
	fail "bound again while requests are out"
fi
pass "busy: not closed, not bound again"

dmsetup resume slow
wait_until 60 "closed" backend_state_is main xvdb 6
guest_finish main load || fail "the request that was out was not answered"
no_threads() { [ -z "$(threads_of_backend)" ]; }
wait_until 60 "the thread is gone" no_threads
echo "$device" >"$driver/bind"
detach main xvdb
pass "done: closed, bound again"
