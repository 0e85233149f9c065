#!/bin/bash
# poll_us and a disk with queues for polling: it is asked for a request that is alone, if it is fast enough

# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

disk=/dev/polled
parameter=/sys/module/xen_blkback/parameters/poll_us

null_disk polled memory_backed=1 size=32 poll_queues=1
expect "the disk can be polled" 1 "$(cat /sys/block/polled/queue/io_poll)"
at_end sh -c "echo 0 >$parameter"
trace_calls null_poll
guest_start main

# asked POLL_US: sets $calls to how often the disk was asked while one job, then two, wrote and verified, and $hits
# and $misses to how often the queues waited awake for something, or in vain.
asked() {
	local in_guest
	echo "$1" >"$parameter"
	plug main "phy:$disk,xvdb,w"
	calls >/dev/null
	guest_run main 'fio --name=alone --filename=/dev/xvdb --size=512k --bs=4k --rw=randwrite --direct=1 \
			--verify=crc32c --verify_fatal=1 &&
		fio --name=two --filename=/dev/xvdb --numjobs=2 --offset_increment=8M --size=512k --bsrange=4k-128k \
			--rw=randrw --direct=1 --verify=crc32c --verify_fatal=1' ||
		fail "data is not what was written, with poll_us=$1"
	calls=$(calls) hits=$(sum poll_hits) misses=$(sum poll_misses)
	in_guest=$(guest_run main "sha256sum </dev/xvdb | cut -d' ' -f1")
	detach main xvdb
	expect "checksum of the whole disk, with poll_us=$1" "$(sum_of "$disk")" "$in_guest"
	note "poll_us=$1: asked $calls times, waited awake $hits times for something and $misses times in vain"
}

# sum FILE: over the disk's queues.
sum() { cat "$(backend_sysfs main xvdb)"/queues/*/"$1" | awk '{ sum += $1 } END { print sum }'; }

asked 0
expect "asked, and waited awake, without poll_us" "0 0 0" "$calls $hits $misses"
asked 1
expect "asked, though no request is done in a microsecond" 0 "$calls"
pass "not asked unless it is to be, and fast enough"

# Of the 256 requests of the first job each is alone. On a busy host many take too long.
asked 1000
[ "$calls" -ge 50 ] || fail "asked $calls times only"
[ "$hits" -ge 20 ] || fail "waited awake for something $hits times only"
pass "asked"

# Some are done in time and some are not. The disk's scheduler may hold up or merge what it is given.
for scheduler in none mq-deadline; do
	echo "$scheduler" >/sys/block/polled/queue/scheduler
	asked 80
done
pass "asked now and then"

# Errors come back that way, too; and who asks does not mind that the guest has gone.
echo 1000 >"$parameter"
echo +2048-2055 >/sys/kernel/config/nullb/polled/badblocks
attach main "phy:$disk,xvdb,w"
read_block() { guest_run main dd if=/dev/xvdb of=/dev/null bs=4k count=16 "skip=$1" iflag=direct 2>&1; }
calls >/dev/null
read_block 300 || fail "cannot read what is good"
if read_block 248; then fail "no error from a bad block"; fi
[ "$(calls)" -gt 0 ] || error "the disk was not asked"
guest_background main reads 'while :; do fio --name=reads --filename=/dev/xvdb --offset=8M --size=8M --bs=4k --rw=randread --direct=1; done'
reads() { cat "$(backend_sysfs main xvdb)/statistics/rd_req"; }
goes_on() { [ "$(reads)" -gt "$1" ]; }
wait_until 60 "the guest reads" goes_on "$(($(reads) + 100))"
guest_destroy main
wait_until 60 "nothing is left of it" nothing_left
pass "errors, and a guest destroyed meanwhile"
