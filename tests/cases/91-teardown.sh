#!/bin/bash
# disks that come, go, are unbound, and lose guest and module, all at a time and while all is read, leave nothing behind
# Takes long.

# shellcheck source=tests/cases/lib.sh
. /job/tests/cases/lib.sh
# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

driver=/sys/bus/xen-backend/drivers/vbd
end=$((SECONDS + ${STRESS_SECONDS:-90} * slow))
late=$((end + 180 * slow))
loops=()

# loop NAME COMMAND: again and again until it is time, whether it succeeds or not; often the others are in its way. One
# that they have never let come to its end goes on when they are done.
loop() {
	{
		trap - ERR
		set +e
		tried=0 done=0
		while [ "$SECONDS" -lt "$end" ] || { [ "$done" -eq 0 ] && [ "$SECONDS" -lt "$late" ]; }; do
			tried=$((tried + 1))
			[ "$SECONDS" -lt "$end" ] || bind_all
			"$2" && done=$((done + 1))
		done
		echo "$1: $done of $tried" >"$state/$1.done"
	} >"$state/$1.log" 2>&1 &
	loops+=("$1")
}

# What was unbound, and could not be bound again at once.
bind_all() {
	local device
	module_loaded || module_load max_queues=4
	for device in /sys/bus/xen-backend/devices/vbd-*; do
		[ -e "$device/driver" ] || echo "${device##*/}" >"$driver/bind"
	done
}

# wrong_data TEXT: to fail is allowed when a disk has lost its backend, but not that.
wrong_data() { echo "$1" >>"$state/wrong-data"; }

# A disk for a guest with Linux's own frontend, and the same for one that lives until it can use it.
attach_and_detach() {
	local found status=0
	xl block-attach main "phy:$volume,xvdb,w"
	found=$(guest_run main 'i=0; until dd if=/dev/xvdb of=/tmp/found bs=64k count=16 iflag=direct 2>/dev/null; do
		i=$((i + 1)); [ $i -lt 20 ] || exit 1; sleep 0.1; done; sha256sum </tmp/found') || status=1
	[ "$status" -ne 0 ] || [ "$found" = "$written" ] || wrong_data "$volume has $found, not $written"
	xl block-detach main xvdb || xl block-detach --force main xvdb
	return "$status"
}

create_and_destroy() {
	local status=0
	guest_create brief memory=128 vcpus=1 "disk=['phy:$brief_volume,xvda,w']" || status=1
	within 40 backend_state_is brief xvda 4 || status=1
	sleep "0.$RANDOM"
	xl destroy brief
	return "$status"
}

# Our own frontend's two disks, which stay, are connected and closed without end. One whose frontend came to grief while
# it connected has to be seen to close before it may start anew.
connect_and_close() {
	local number
	for number in 51952 51968; do
		xenstore-write "/local/domain/$own/device/vbd/$number/state" 6
		comes_to_state "$(backend_home)/backend/vbd/$own/$number" 6 10 || return
		xenstore-write "/local/domain/$own/device/vbd/$number/state" 1
		guest_run own "frontend $number 'patience 2000' 'set queues=2' connect load 'io count=50' close" >"$state/own" 2>&1 || {
			cat "$state/own"
			# It may have been unbound at any moment, but not have done anything wrong.
			! grep 'WRONG: ' "$state/own" | grep -vE 'the backend (is|stays) in state|no response to|the disk has' >>"$state/wrong-data"
			return 1
		}
	done
}

rebind() {
	local device
	for device in "$driver"/vbd-*; do
		sleep 2
		echo "${device##*/}" >"$driver/unbind"
		sleep 0.3
		echo "${device##*/}" >"$driver/bind"
	done
}

reload() {
	local device status=1
	sleep 10
	for device in "$driver"/vbd-*; do
		echo "${device##*/}" >"$driver/unbind"
	done
	rmmod xen_blkback && status=0
	bind_all
	return "$status"
}

# read_all FOLDER...: whether anything was there. What goes meanwhile is no error.
read_all() {
	local bytes
	bytes=$(find "$@" -type f -exec cat {} + 2>/dev/null | wc -c)
	sleep 0.1
	[ "$bytes" -gt 0 ]
}

read_sysfs() { read_all /sys/bus/xen-backend/devices/vbd-*/; }

read_module() { read_all /sys/module/xen_blkback/; }

# Folders are there while a disk is connected.
read_debugfs() { read_all /sys/kernel/debug/xen-blkback/; }

volume=$(volume stressed 16)
own_volume=$(volume own 4)
brief_volume=$(volume brief 4)
dd if=/dev/urandom of="$volume" bs=1M count=1 oflag=direct status=none
written=$(head -c 1M "$volume" | sha256sum)
guest_start main
guest_start own memory=192 vcpus=2
own_frontend own
own=$(domid own)
for vbd_number in 51952 51968; do
	by_hand own
	name_disk "$own_volume"
	await_state "$backend" 2
done

loop attach attach_and_detach
loop create create_and_destroy
loop connect connect_and_close
loop rebind rebind
loop reload reload
loop sysfs read_sysfs
loop module read_module
loop debugfs read_debugfs
wait

never=''
for name in "${loops[@]}"; do
	note "--- $(cat "$state/$name.done")"
	tail -n 20 "$state/$name.log"
	[[ $(cat "$state/$name.done") != "$name: 0 of "* ]] || never+=" $name"
done
[ ! -s "$state/wrong-data" ] || fail "wrong data or answers: $(head -n 1 "$state/wrong-data")"
[ -z "$never" ] || error "these never came to their end in all the time:$never"
pass "$(cd "$state" && cat "${loops[@]/%/.done}" | paste -sd, | sed 's/,/, /g')"

module_as_usual || module_anew
xl destroy brief 2>/dev/null || :
xl destroy own
# The disk of the guest 'main' may be there still, and be bound or not.
xl destroy main
guest_start main
attach main "phy:$volume,xvdb,w"
guest_run main 'dd if=/dev/xvdb of=/dev/null bs=64k count=16 iflag=direct' || fail "a disk cannot be read afterwards"
detach main xvdb
