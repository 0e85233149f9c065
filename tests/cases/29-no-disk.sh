#!/bin/bash
# a disk that cannot be opened is told in the error node, and is not connected

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

guest_start main

# refused PATTERN NUMBER [KEY VALUE...]: names a disk by its number.
refused() {
	local pattern=$1 number=$2
	shift 2
	by_hand main "$@"
	await_state "$backend" 2
	xenstore-write "$backend/physical-device" "$number"
	await_state "$backend" 6
	told "$pattern"
	xenstore-rm "$backend"
	xenstore-rm "$frontend"
	wait_until 60 "the device is gone" test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number"
}

refused "cannot open disk 240:77 for writing" f0:4d
pass "no such disk"

disk=$(loop_disk /tmp/empty 0)
refused "has no size" "$(stat -c %t:%T "$disk")"
pass "empty disk"

disk=$(volume locked 16)
blockdev --setro "$disk"
refused "is read-only" "$(stat -L -c %t:%T "$disk")"
pass "write-protected disk"
