#!/bin/bash
# statistics in sysfs and in xentop equal what the guest did

guest_start main
guest_frontend main max_queues=4 max_ring_page_order=1
disk=$(volume disk 64)
plug main "phy:$disk,xvdb,w"
stat=$(backend_sysfs main xvdb)/statistics

# The guest's own account: reads, sectors read, writes, sectors written, flushes. It counts a flush as
# a write too.
in_guest() { guest_run main "awk '{ print \$1, \$3, \$5 - \$16, \$7, \$16 }' /sys/block/xvdb/stat"; }
ours() { (cd "$stat" && paste -d' ' rd_req rd_sect wr_req wr_sect f_req); }

guest_run main fio --name=io --filename=/dev/xvdb --size=48M --rw=randrw --bsrange=512-128k \
	--direct=1 --ioengine=libaio --iodepth=32 --fsync=16 --minimal >"$state/fio" ||
	error "fio: $(cat "$state/fio")"
note "guest: $(in_guest)"
expect "reads, sectors, writes, sectors, flushes" "$(in_guest)" "$(ours)"
pass "sysfs"

# Two rounds: xentop shows a difference to the round before in other columns, these are totals.
xentop -b -x -i 2 -d 1 >"$state/xentop"
# shellcheck disable=SC2034 # the names say what is read
read -r reads read_sectors writes written_sectors flushes < <(ours)
grep -q "VBD BlkBack.*RD: *$reads .*WR: *$writes .*RSECT: *$read_sectors .*WSECT: *$written_sectors" "$state/xentop" ||
	fail "xentop shows otherwise: $(grep VBD "$state/xentop")"
pass "xentop"

expect "physical_device" "$(stat -L -c %t:%T "$disk")" "$(cat "$stat/../physical_device")"
expect "mode" w "$(cat "$stat/../mode")"
pass "disk and mode"
detach main xvdb
