#!/bin/bash
# a frontend whose keys make no sense is refused with the reason, nothing is left of it, and it may try again
# Takes long.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 32)
guest_start main
without_frontend main
by_hand main
name_disk "$disk"

# refused PATTERN KEY VALUE...: writes the keys; the error node must then match the pattern.
refused() {
	local pattern=$1
	shift
	await_state "$backend" 2
	xenstore-write -- "$@"
	frontend_state 3
	await_state "$backend" 5
	told "$pattern"
	expect "threads" "" "$(threads_of_backend)"
	frontend_state 6
	await_state "$backend" 6
	while [ $# -gt 0 ]; do
		xenstore-rm "$1"
		shift 2
	done
	frontend_state 1
}

queues=$frontend/multi-queue-num-queues
for number in 0 5 4294967295; do
	refused "queues is $number, and 1 to 4 were offered" "$queues" "$number"
done
for text in -1 '' abc 2x 0x2 +1 ' 2' 4294967297; do
	refused "is \"$text\", which is not a number" "$queues" "$text"
done
pass "multi-queue-num-queues"

for number in 5 31 4294967295; do
	refused "ring-page-order is $number, and 0 to 4 were offered" "$frontend/ring-page-order" "$number"
done
refused "not a number" "$frontend/ring-page-order" 4294967296
for number in 0 3 32 2147483648; do
	refused "num-ring-pages is $number, and powers of two up to 16 were offered" "$frontend/num-ring-pages" "$number"
done
refused "not a number" "$frontend/num-ring-pages" four
pass "ring-page-order, num-ring-pages"

refused "feature-persistent is \"yes\", which is not a number" "$frontend/feature-persistent" yes
pass "feature-persistent"

refused "did not write .*/ring-ref" "$frontend/event-channel" 1
refused "did not write .*/event-channel" "$frontend/ring-ref" 8
refused "did not write .*/queue-1/ring-ref" "$queues" 2 "$frontend/queue-0/ring-ref" 8 "$frontend/queue-0/event-channel" 1
refused "did not write .*/ring-ref1" "$frontend/ring-page-order" 1 "$frontend/ring-ref0" 8 "$frontend/event-channel" 1
pass "missing keys"

refused "protocol is \"sparc-abi\"" "$frontend/protocol" sparc-abi
pass "protocol"

refused "cannot map grant 60000, page 0 of ring 0: " "$frontend/ring-ref" 60000 "$frontend/event-channel" 1
refused "cannot map grant 4294967295, page 0 of ring 0: invalid grant reference" "$frontend/ring-ref" 4294967295 "$frontend/event-channel" 1
pass "grants that do not exist"

# After all this the real driver comes, and is served.
await_state "$backend" 2
with_frontend main max_queues=2
await_state "$backend" 4
wait_until 60 "the guest has xvdp" guest_run main test -b /dev/xvdp
guest_run main dd if=/dev/xvdp of=/dev/null bs=1M count=4 iflag=direct || fail "no I/O after refusals"
xenstore-write "$backend/online" 0 "$backend/state" 5
await_state "$backend" 6
pass "served after all"

# The log has as much of it as there may be about a disk. (The first word is the driver's name, the second one the device's.)
log_since "case $CASE" | grep ' vbd vbd-' >"$state/log"
[ "$(wc -l <"$state/log")" -ge 20 ] || fail "the log has only this: $(cat "$state/log")"
nameless=$(grep -vE ": ([0-9]+ )?guest $(domid main), disk xvdp: " "$state/log") || :
expect "lines of the log that do not name guest and disk" "" "$nameless"
# Errors begin with their number.
sed -nE 's/.*: [0-9]+ guest [0-9]+, disk xvdp: //p' "$state/log" >"$state/errors"
[ "$(wc -l <"$state/errors")" -ge 20 ] || fail "the log has only these errors: $(cat "$state/errors")"
expect "errors that do not say what to do" "" "$(grep -vE "$advice" "$state/errors" || :)"
pass "each message names the guest and the disk, and what to do"
