#!/bin/bash
# a guest destroyed with I/O in flight leaves no zombie, and others go on while its disk hangs
# Takes long.

modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
echo "0 131072 linear /dev/ram0 0" | dmsetup create slow
at_end dmsetup remove slow
other=$(volume other 64)

open_count() { dmsetup info -c --noheadings -o open slow; }
in_flight() { guest_run "$1" awk "'{ exit !(\$9 >= 8) }'" /sys/block/xvdb/stat; }
no_domain() { ! xl list "$1"; }
released() { [ "$(open_count)" = 0 ]; }

# load GUEST: starts one with the slow disk, and keeps requests on it.
load() {
	guest_start "$1"
	attach "$1" "phy:/dev/mapper/slow,xvdb,w"
	guest_background "$1" load fio --name=load --filename=/dev/xvdb --rw=randwrite --bs=16k --direct=1 \
		--ioengine=libaio --iodepth=16 --time_based --runtime=3600
}

modprobe dm-delay
echo "0 131072 delay /dev/ram0 0 1500" | dmsetup load slow
dmsetup resume slow
load slow1
wait_until 120 "requests are in flight" in_flight slow1
id=$(domid slow1)
xl destroy slow1
wait_until 120 "the domain is gone" no_domain "$id"
wait_until 120 "the disk is released" released
pass "slow disk: no zombie, disk released"

load slow2
guest_start main
id=$(domid slow2)
wait_until 120 "requests are in flight" in_flight slow2
dmsetup suspend --noflush --nolockfs slow
at_end dmsetup resume slow
timeout 120 xl destroy slow2 || note "xl destroy gave up waiting, as it must while the disk hangs"
attach main "phy:$other,xvdb,w"
guest_run main dd if=/dev/zero of=/dev/xvdb bs=1M count=4 oflag=direct 2>&1 || fail "another guest cannot write"
detach main xvdb
expect "holders of the hung disk" 1 "$(open_count)"
pass "hung disk: others attach, write and detach"

dmsetup resume slow
wait_until 120 "the domain is gone" no_domain "$id"
wait_until 120 "the disk is released" released
pass "hung disk: all is released when it comes back"
