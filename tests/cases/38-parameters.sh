#!/bin/bash
# a parameter changed at run time holds for disks offered later, and those that are there notice nothing

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 32)
other=$(volume other 32)
at_end module_load max_queues=4
at_end within 60 module_unload

guest_start main
guest_frontend main max_queues=2 max_ring_page_order=2

set_parameter() { echo "$2" >"$parameters/$1" || fail "$1 does not take $2 at run time"; }

threads_of() { threads_of_backend | grep -c "\.$1-"; }
keys_of() {
	xenstore-ls -f "$(backend_path main "$1")"
	xenstore-ls -f "$(frontend_path main "$1")"
}

connected() {
	name_disk "$other"
	await_state "$backend" 4
	await_state "$frontend" 4
	wait_until 60 "the guest has xvdp" guest_run main test -b /dev/xvdp
	guest_run main dd if=/dev/zero of=/dev/xvdp bs=64k count=64 oflag=direct 2>&1 || fail "no I/O on xvdp"
}

disconnect() {
	xenstore-write "$backend/online" 0 "$backend/state" 5
	await_state "$backend" 6
	xenstore-rm "$backend"
	xenstore-rm "$frontend"
}

set_parameter feature_persistent 1

# The disk that is there all the time, with little but steady I/O on both of its queues.
plug main "phy:$disk,xvdb,w"
expect "ring order of the first disk" 2 "$(xs_read "$(frontend_path main xvdb)/ring-page-order")"
keys=$(keys_of xvdb)
guest_background main load 'while [ ! -e /tmp/stop ]; do
	fio --name=load --filename=/dev/xvdb --numjobs=4 --size=256k --offset_increment=8M --rw=randrw --bs=16k \
		--direct=1 --verify=crc32c --verify_fatal=1 --thinktime=100000 >/tmp/fio 2>&1 || { cat /tmp/fio; exit 1; }
done'
writes() { cat "$(backend_sysfs main xvdb)/statistics/wr_req"; }
writes_on() { [ "$(writes)" -gt "$1" ]; }
wait_until 60 "the first disk is written to" writes_on 0

# This one has its offer already, and the frontend has chosen.
by_hand main
await_state "$frontend" 3
set_parameter max_queues 1
set_parameter max_ring_page_order 1
set_parameter max_persistent_grants 10
set_parameter persistent_grant_unused_seconds 5
set_parameter max_buffer_pages 64
set_parameter buffer_squeeze_duration_ms 100
connected
expect "queues, as chosen before the change" 2 "$(threads_of xvdp)"
expect "ring order, as chosen before the change" 2 "$(xs_read "$frontend/ring-page-order")"
disconnect
pass "what was offered holds"

by_hand main
connected
expect "offered queues" 1 "$(xs_read "$backend/multi-queue-max-queues")"
expect "offered ring order" 1 "$(xs_read "$backend/max-ring-page-order")"
expect "offered ring pages" 2 "$(xs_read "$backend/max-ring-pages")"
expect "queues" 1 "$(threads_of xvdp)"
expect "ring order" 1 "$(xs_read "$frontend/ring-page-order")"
pass "the next disk has the new numbers"

# How many pages may stay mapped is told to nobody but those who read the log.
set_parameter log_stats 1
log() {
	log_since "case $CASE" |
		sed -n 's/.* blkback\.[0-9]*\.\(xvd.-[0-9]\): .*pages kept mapped [0-9]* \(of [0-9]*\)$/\1 \2/p' |
		sort -u | paste -sd' '
}
all_logged() {
	guest_run main dd if=/dev/xvdp of=/dev/null bs=64k count=4 iflag=direct
	[ "$(log)" = "xvdb-0 of 528 xvdb-1 of 528 xvdp-0 of 10" ]
}
within 30 all_logged || fail "the log has '$(log)'"
set_parameter log_stats 0
disconnect
pass "busy queues log their counters, and kept pages have the limit of their time"

# first FILE...: their numbers in the folders of the first disk's queues, all together.
first() {
	local file
	for file; do
		cat "$(backend_sysfs main xvdb)"/queues/*/"$file"
	done | awk '{ sum += $1 } END { printf "%d\n", sum }'
}

features() { cat "$(backend_sysfs main xvdb)/connection/features"; }

features=$(features) kept=$(first bytes_kept) others=$(first bytes_copied bytes_mapped)
[ "$kept" -gt 0 ] || error "no page of the first disk is kept mapped"
set_parameter feature_persistent 0
by_hand main
connected
expect "feature-persistent" 0 "$(xs_read "$backend/feature-persistent")"
disconnect
wait_until 60 "the first disk is written to" writes_on $(($(writes) + 50))
expect "features of the first disk" "$features" "$(features)"
[ "$(first bytes_kept)" -gt "$kept" ] || fail "nothing goes by pages that are kept any more"
expect "bytes of the first disk that go another way" "$others" "$(first bytes_copied bytes_mapped)"
pass "feature_persistent"

expect "keys of the first disk" "$keys" "$(keys_of xvdb)"
expect "queues of the first disk" 2 "$(threads_of xvdb)"
wait_until 60 "the first disk is still written to" writes_on "$(writes)"
guest_run main touch /tmp/stop
guest_finish main load >"$state/load" || fail "the first disk was disturbed: $(cat "$state/load")"
guest_run main rm /tmp/stop
detach main xvdb
