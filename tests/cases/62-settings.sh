#!/bin/bash
# what the toolstack sets for a disk holds for that disk; some of it can be changed in sysfs, and holds at once

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

parameter feature_persistent 1
null_disk polled memory_backed=1 size=32 poll_queues=1
# It allocates what has not been written yet, which a disk must not do when it is asked.
dd if=/dev/zero of=/dev/polled bs=1M count=32 oflag=direct status=none
guest_start main
own_frontend main
settings=/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number/settings

set_in_xenstore() { xenstore-write -- "$backend/settings/$1" "$2"; }
shown() { (cd "$settings" && grep . -- * | paste -sd' '); }

# --- In xenstore ---

by_hand main settings/max-queues 2 settings/max-ring-page-order 1 settings/feature-persistent 0 \
	settings/max-indirect-segments 8 settings/copy-read-max 16384 settings/copy-write-max 8192 \
	settings/persistent-grant-unused-seconds 5 settings/max-persistent-grants 10 settings/poll-us 7
name_disk /dev/polled
own_run main xvdp <<'END'
await 2
expect multi-queue-max-queues=2
expect max-ring-page-order=1
expect max-ring-pages=2
expect feature-persistent=0
expect feature-max-indirect-segments=8
set queues=3
refused
set queues=2 order=1 tell-persistent=1 persistent=1
connect
request op=indirect inner=read segs=8
request op=indirect inner=read segs=9 expect=error
request op=write segs=11
io count=50
END
told "multi-queue-num-queues is 3, and 1 to 2 were offered"
expect "shown in sysfs" "copy_read_max:16384 copy_write_max:8192 feature_persistent:0 ioprio:none max_indirect_segments:8 \
max_persistent_grants:10 max_queues:2 max_ring_page_order:1 persistent_grant_unused_seconds:5 poll_us:7" \
	"$(shown)"
pass "offered, shown, and enforced"

set_in_xenstore max-queues 256
set_in_xenstore max-persistent-grants 4294967295
set_in_xenstore feature-persistent 1
set_in_xenstore max-indirect-segments 0
own_run main xvdp <<'END'
state 1
await 2
expect multi-queue-max-queues=4
expect feature-persistent=1
expect feature-max-indirect-segments=0
connect
request op=indirect inner=read segs=1 expect=error
request op=read segs=11
END
expect "most kept pages" "$(cat "$parameters/max_persistent_grants")" \
	"$(cat "$settings/max_persistent_grants")"
order=$(cat "$parameters/max_ring_page_order")
parameter max_ring_page_order 2
parameter feature_persistent 0
set_in_xenstore max-ring-page-order 4
own_run main xvdp <<'END'
state 1
await 2
expect max-ring-page-order=2
expect max-ring-pages=4
expect feature-persistent=0
set order=3
refused
set order=2 tell-persistent=1 persistent=1
connect
request op=read segs=11
END
told "ring-page-order is 3, and 0 to 2 were offered"
expect "order of a ring, and whether pages stay mapped" "2 0" \
	"$(cat "$settings/max_ring_page_order" "$settings/feature_persistent" | paste -sd' ')"
parameter max_ring_page_order "$order"
parameter feature_persistent 1
pass "never more than the parameters of the module"

# refused PATTERN STATE KEY TEXT: the frontend comes to that state before it is refused.
refused() {
	set_in_xenstore "$3" "$4"
	frontend_state 1
	[ "$2" = 1 ] || await_state "$backend" 2
	frontend_state "$2"
	await_state "$backend" 5
	told "settings/$3 is $1"
	frontend_state 6
	await_state "$backend" 6
	xenstore-rm "$backend/settings/$3"
}

refused "0, and only 1 to 256 can be set" 1 max-queues 0
refused "\"two\", which is not a number" 1 max-queues two
refused "5, and only 0 to 4 can be set" 1 max-ring-page-order 5
refused "257, and only 0 to 256 can be set" 1 max-indirect-segments 257
refused "1001, and only 0 to 1000 can be set" 3 poll-us 1001
refused "\"\", which is not a number" 3 copy-write-max ''
pass "what cannot be is refused, with the reason"

# --- In sysfs ---

# step: the frontend goes on to its next mark. Sets $calls to how often the traced function was called meanwhile.
step() {
	calls >/dev/null
	guest_run main touch /tmp/go
	own_mark main mark
	calls=$(calls)
}

set_by_hand() { echo "$2" >"$settings/$1" || fail "$1 does not take $2 in sysfs"; }
not_by_hand() {
	if (echo "$2" >"$settings/$1") 2>/dev/null; then fail "$1 takes '$2' in sysfs"; fi
}

set_in_xenstore feature-persistent 0
set_in_xenstore max-persistent-grants 10
set_in_xenstore copy-read-max 16384
set_in_xenstore copy-write-max 8192
set_in_xenstore poll-us 0
own_start main xvdp <<'END'
connect
mark /tmp/mark
until /tmp/go
request op=read segs=4
mark /tmp/mark
until /tmp/go
request op=read segs=4
request op=write segs=3
mark /tmp/mark
until /tmp/go
request op=write segs=3
mark /tmp/mark
until /tmp/go
io count=200 depth=1 max=8
mark /tmp/mark
until /tmp/go
io count=200 depth=1 max=8
mark /tmp/mark
until /tmp/go
io count=20 depth=1 max=8
mark /tmp/mark
END
own_mark main mark
trace_calls gnttab_map_refs
step
expect "mappings for a read of 4 pages, copied up to 4" 0 "$calls"
set_by_hand copy_read_max 12288
step
expect "mappings for a read of 4 pages and a write of 3, copied up to 3 and 2" 2 "$calls"
set_by_hand copy_write_max 0x3000
step
expect "mappings for a write of 3 pages, copied up to 3" 0 "$calls"
trace_calls null_poll
step
expect "how often the disk was asked, with poll_us=0" 0 "$calls"
set_by_hand poll_us 1000
step
[ "$calls" -gt 0 ] || fail "the disk was not asked, with poll_us=1000"
set_by_hand poll_us 0
step
expect "how often the disk was asked, with poll_us=0 again" 0 "$calls"
own_finish main
pass "changed in sysfs: holds at once"

for text in 1001 -1 x '' 4294967296; do
	not_by_hand poll_us "$text"
done
for name in feature_persistent max_indirect_segments max_persistent_grants max_queues max_ring_page_order \
	persistent_grant_unused_seconds; do
	expect "mode of $name" 444 "$(stat -c %a "$settings/$name")"
done
set_in_xenstore copy-read-max 4096
set_in_xenstore persistent-grant-unused-seconds 6
xenstore-rm "$backend/settings/max-queues"
own_run main xvdp <<'END'
state 1
await 2
expect multi-queue-max-queues=4
connect
END
expect "shown in sysfs" "copy_read_max:12288 copy_write_max:12288 feature_persistent:0 ioprio:none max_indirect_segments:256 \
max_persistent_grants:10 max_queues:4 max_ring_page_order:4 persistent_grant_unused_seconds:6 poll_us:0" \
	"$(shown)"
pass "changed in sysfs: holds until the disk goes; in xenstore: for the next frontend"
with_frontend main
