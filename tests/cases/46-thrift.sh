#!/bin/bash
# a queue at rest wakes up for nothing and has no memory; a busy one wakes up once a request at most, merges, and has the spare pages it may
# Takes long.

# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

# What the threads of the disk's queues have gone to sleep. Processes of others may end meanwhile.
sleeps() {
	{ grep -slE '^blkback\..*xvdb' /proc/[0-9]*/comm || :; } | sed 's/comm$/status/' |
		xargs awk '$1 == "voluntary_ctxt_switches:" { sum += $2 } END { print sum }'
}

# load OPTION...: the guest's
load() { guest_run main "fio --name=load --filename=/dev/xvdb --direct=1 --ioengine=libaio --norandommap $*" >/dev/null; }

# What it does is done a tenth of a millisecond later, in an interrupt.
null_disk timed irqmode=2 completion_nsec=100000 size=1024 hw_queue_depth=256
null_disk beneath size=1024 hw_queue_depth=256
null_disk memory memory_backed=1 size=64 max_sectors=2560
guest_start main

plug main "phy:/dev/timed,xvdb,w"
load --rw=randread --bs=4k --number_ios=20
before=$(sleeps)
load --rw=randread --bs=4k --number_ios=400
each=$((($(sleeps) - before) * 100 / 400))
[ "$each" -lt 150 ] || fail "threads have slept $each times for 100 requests: they were woken up for answers"
pass "no thread is woken up for an answer: $each sleeps for 100 requests"

# More than a second after the last request there is nothing left to give back. (What stays mapped goes a
# minute later.)
sleep 3
before=$(sleeps)
sleep 10
expect "sleeps of a queue at rest, within ten seconds" 0 "$(($(sleeps) - before))"
pass "at rest"
detach main xvdb

# The guest is not to merge them itself.
plug main "phy:/dev/memory,xvdb,w"
guest_run main 'echo 2 >/sys/block/xvdb/queue/nomerges'
trace_disk /dev/memory block_rq_issue block_bio_backmerge
traced >/dev/null
load --rw=write --bs=4k --size=8M --iodepth=32 --iodepth_batch=16 --verify=crc32c --verify_fatal=1 ||
	fail "data is not what was written"
traced >"$state/trace"
merged=$(grep -c 'block_bio_backmerge' "$state/trace" || :)
[ "$merged" -ge 100 ] || fail "only $merged of 4096 requests that go on where another ends were merged"
pass "merged: $merged of 4096 requests"
detach main xvdb

# A ring full of requests is at a disk that hangs, and then goes on. The first time some things are allocated for good.
echo "0 2097152 linear /dev/beneath 0" | dmsetup create hung
at_end dmsetup remove hung
at_end dmsetup resume hung
parameter feature_persistent 0
for round in first second; do
	plug main "phy:/dev/mapper/hung,xvdb,w"
	queues=$(backend_sysfs main xvdb)/queues
	before=$(free_kib)
	dmsetup suspend --noflush --nolockfs hung
	guest_background main busy fio --name=busy --filename=/dev/xvdb --direct=1 --ioengine=libaio --norandommap \
		--rw=read --bs=128k --iodepth=64 --number_ios=300
	is_full() { [ "$(cat "$queues"/*/in_flight | awk '{ sum += $1 } END { print sum }')" -ge 32 ]; }
	wait_until 60 "a ring full of requests is at the disk" is_full
	used=$((before - $(free_kib)))
	dmsetup resume hung
	guest_finish main busy >/dev/null || fail "$round: the load has failed"
	rests() { [ "$((before - $(free_kib)))" -lt 1024 ]; }
	[ "$round" = first ] ||
		wait_until 20 "a queue at rest gives back its memory; it has $((before - $(free_kib))) KiB" rests
	note "$round: used $used KiB"
	detach main xvdb
done
# The data of 32 requests is 4 MiB.
[ "$used" -gt 3072 ] || error "so many requests cannot have $used KiB"
pass "memory of a busy queue, $used KiB, goes back when it rests"

# Pages to map to: how often some are given back while the disk is busy.
parameter copy_read_max 0
trace_calls gnttab_page_cache_shrink

# spare MAX_BUFFER_PAGES SQUEEZE_MS
spare() {
	parameter max_buffer_pages "$1"
	parameter buffer_squeeze_duration_ms "$2"
}

# given_back MAX_BUFFER_PAGES SQUEEZE_MS [MAX_BUFFER_PAGES SQUEEZE_MS]: memory is short for a moment in between; the
# latter are what the parameters are changed to while the disk is busy
given_back() {
	local stat
	spare "$1" "$2"
	plug main "phy:/dev/timed,xvdb,w"
	load --rw=read --bs=64k --number_ios=10
	stat=$(backend_sysfs main xvdb)/statistics/rd_req
	guest_background main busy fio --name=busy --filename=/dev/xvdb --direct=1 --ioengine=libaio --norandommap \
		--rw=read --bs=64k --iodepth=8 --time_based --runtime=600
	goes_on() { [ "$(cat "$stat")" -gt "$(($1))" ]; }
	wait_until 60 "the guest begins to read" goes_on "$(cat "$stat")"
	spare "${3-$1}" "${4-$2}"
	calls >/dev/null
	wait_until 60 "the guest reads" goes_on "$(cat "$stat") + 100"
	echo 2 >/proc/sys/vm/drop_caches
	wait_until 60 "the guest goes on to read" goes_on "$(cat "$stat") + 400"
	given=$(calls)
	guest_run main killall -9 fio
	guest_finish main busy >/dev/null || :
	detach main xvdb
	note "max_buffer_pages and buffer_squeeze_duration_ms $*: given back $given times"
}

given_back 1024 0
[ "$given" -le 8 ] || fail "spare pages were given back $given times, though 1024 may stay"
given_back 0 0
[ "$given" -ge 20 ] || fail "spare pages were given back $given times only, though none may stay"
pass "max_buffer_pages"
given_back 1024 60000
[ "$given" -ge 20 ] || fail "spare pages were given back $given times only, though memory was short"
pass "buffer_squeeze_duration_ms"
given_back 1024 0 0 60000
[ "$given" -le 8 ] || fail "spare pages were given back $given times, though 1024 might stay when the disk was connected"
given_back 0 60000 1024 0
[ "$given" -ge 20 ] || fail "spare pages were given back $given times only, though none might stay when the disk was connected"
pass "both as they were when the disk was connected"
