#!/bin/bash
# a disk that cannot be opened is told in the error node, and is not connected

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

guest_start main

# told PATTERN NUMBER [KEY VALUE...]: names a disk by its number.
told() {
	local pattern=$1 number=$2
	shift 2
	by_hand main "$@"
	await_state "$backend" 2
	xenstore-write "$backend/physical-device" "$number"
	await_state "$backend" 6
	error_node | grep -q "$pattern" || fail "error node is '$(error_node)', which is not about '$pattern'"
	xenstore-rm "$backend"
	xenstore-rm "$frontend"
	wait_until 60 "the device is gone" test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number"
}

told "cannot open disk 240:77 for writing" f0:4d
pass "no such disk"

disk=$(loop_disk /tmp/empty 0)
told "has no size" "$(stat -c %t:%T "$disk")"
pass "empty disk"

disk=$(volume locked 16)
blockdev --setro "$disk"
told "is read-only" "$(stat -L -c %t:%T "$disk")"
pass "write-protected disk"
