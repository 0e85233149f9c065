#!/bin/bash
# a disk that fails under load means errors in its guest, nothing hangs, and it can be attached again

modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
echo "0 131072 linear /dev/ram0 0" | dmsetup create failing
at_end dmsetup remove failing
other=$(volume other 64)

guest_start main
guest_start canary
attach main "phy:/dev/mapper/failing,xvdb,w"
attach canary "phy:$other,xvdb,w"

guest_background canary work 'while [ ! -e /tmp/stop ]; do
	fio --name=canary --filename=/dev/xvdb --size=16M --rw=randrw --bs=16k --direct=1 --ioengine=libaio \
		--iodepth=4 --verify=crc32c --verify_fatal=1 >/tmp/fio 2>&1 || { cat /tmp/fio; exit 1; }
done'
guest_background main load fio --name=load --filename=/dev/xvdb --rw=randrw --bs=4k-64k --direct=1 \
	--ioengine=libaio --iodepth=16 --time_based --runtime=3600
stat=$(backend_sysfs main xvdb)/statistics
under_load() { [ "$(cat "$stat/wr_req")" -gt 100 ]; }
wait_until 120 "load is on the disk" under_load

canary_writes() { cat "$(backend_sysfs canary xvdb)/statistics/wr_req"; }
canary_wrote() { [ "$(canary_writes)" -gt "$1" ]; }
wait_until 60 "the other guest writes" canary_wrote 0

dmsetup suspend --noflush failing
echo "0 131072 error" | dmsetup load failing
dmsetup resume failing
if guest_finish main load >"$state/load"; then
	fail "the guest saw no error"
fi
pass "errors reach the guest"
wait_until 60 "the other guest goes on" canary_wrote "$(canary_writes)"

echo "0 131072 linear /dev/ram0 0" | dmsetup load failing
dmsetup resume failing
detach main xvdb
attach main "phy:/dev/mapper/failing,xvdb,w"
guest_run main dd if=/dev/xvdb of=/dev/null bs=1M count=8 iflag=direct || fail "no I/O after the disk came back"
detach main xvdb
pass "can be attached again"

guest_run canary touch /tmp/stop
guest_finish canary work >"$state/work" || fail "the other guest was disturbed: $(cat "$state/work")"
detach canary xvdb
pass "another guest noticed nothing"
