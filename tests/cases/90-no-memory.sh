#!/bin/bash
# whatever allocation fails while a disk comes up or is used: nothing hangs, leaks or is lost, and the next try works
# Takes long. In a driver domain, too.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

debugfs=/sys/kernel/debug
there test -e "$debugfs/failslab/count" || skip "only the debug kernel can do that: make check-debug"

# knobs KIND VALUE...: of failslab or fail_page_alloc.
knobs() { there sh -ec "$(settings "$@")"; }

# settings KIND VALUE...: the commands for that.
settings() {
	local pair
	for pair in "${@:2}"; do
		echo "echo ${pair#*=} >$debugfs/$1/${pair%%=*}"
	done
}

# Only allocations that our module is behind, all of those, and none yet. The console tells of each.
# Those that kmemleak makes for itself each time are left alone: it has a reserve.
confine() {
	local size start end reject
	read -r _ size _ _ _ start _ < <(there grep '^xen_blkback ' /proc/modules)
	printf -v end 0x%x $((start + size))
	read -ra reject < <(there awk 'found { print found, "0x" $1; exit } $3 == "kmemleak_alloc" { found = "0x" $1 }' /proc/kallsyms) || :
	knobs "$1" times=0 probability=100 ignore-gfp-wait=N stacktrace-depth=32 \
		"require-start=$start" "require-end=$end" \
		"reject-start=${reject[0]-0}" "reject-end=${reject[1]-0}"
	[ "$1" = failslab ] || knobs "$1" min-order=0
	at_end there sh -c "echo 0 >$debugfs/$1/probability"
}

# by_hand takes many commands, and here it is to be done a hundred times: so all in one. What is new
# in xenstore belongs to whom its parent belongs to. The error node outlives the disk.
bring_up() {
	xenstore-write "$frontend/backend" "$backend" "$frontend/backend-id" "$home" \
		"$frontend/virtual-device" "$vbd_number" "$frontend/device-type" disk "$frontend/state" 1 \
		"$backend/frontend" "$frontend" "$backend/frontend-id" "$id" "$backend/online" 1 \
		"$backend/dev" xvdp "$backend/device-type" disk "$backend/mode" w \
		"$backend/discard-enable" 0 "$backend/physical-device" "$numbers" "$backend/state" 1 \
		"$(error_of "$backend")/error" ''
}

# Connected; or closed again, though the toolstack wants the disk.
has_settled() {
	states=$(xenstore-read "$backend/state" "$frontend/state")
	case $states in
	4$'\n'* | [56]$'\n'6) ;;
	*) return 1 ;;
	esac
}

use_disk() {
	guest_run main 'until [ -b /dev/xvdp ]; do sleep 0.1; done; dd if=/dev/xvdp of=/dev/null bs=64k count=4 iflag=direct' ||
		fail "round $round: connected, but there is no I/O"
}

# Until there is nothing of the disk in sysfs, no thread, no interrupt. Prints whether an allocation is still to fail, and
# has the n-th fail next.
finish() {
	there sh -ec "tries=0
		while [ -e $device ] || grep -qsE '(^|[ -])blkback\\.' /proc/[0-9]*/comm /proc/interrupts; do
			tries=\$((tries + 1))
			[ \$tries -lt $((600 * slow)) ]
			sleep 0.1
		done
		cat $debugfs/$1/times
		$(settings "$1" "interval=$2" count=0 times=1)"
}

# judge KIND: what came of it has to make sense.
judge() {
	local left mode
	{ read -r left; read -r mode; } < <(there sh -c "cat $debugfs/$1/times $device/mode; echo none" 2>/dev/null)
	if [ "${states%%$'\n'*}" = 4 ]; then
		served=$((served + 1))
		# What the toolstack wants must have been read, or not be taken for granted.
		expect "round $round: mode" w "$mode"
		expect "round $round: discard, which is forbidden" 0 "$(xs_read "$backend/feature-discard")"
		use_disk
	else
		refused=$((refused + 1))
		[ "$left" = 0 ] || fail "round $round: refused for no reason: $(error_node)"
		[ -n "$(error_node)" ] || fail "round $round: refused without a word"
	fi
}

# attempt KIND N: one disk, from nothing to nothing, with the n-th allocation failing. Sets $left to 0 if one has failed.
attempt() {
	local kind=$1
	round="$kind $2"
	bring_up
	wait_until 60 "round $round: served or refused" has_settled
	judge "$kind"
	xenstore-rm "$backend" "$frontend"
	left=$(finish "$kind" $(($2 + 1))) || fail "round $round: something is left of the disk"
	note "round $round: $left left, states ${states//$'\n'/ }"
}

# sweep KIND LEAST: until a disk comes up in fewer allocations than the one that would fail.
sweep() {
	local kind=$1 least=$2 n=0
	served=0 refused=0
	confine "$kind"
	finish "$kind" 1 >/dev/null
	while :; do
		n=$((n + 1))
		[ "$n" -le 500 ] || error "allocation $n of one connection: that cannot be"
		attempt "$kind" "$n"
		[ "$left" = 0 ] || break
	done
	knobs "$kind" times=0
	# All but the last one had a failure.
	[ "$n" -gt "$least" ] || error "$kind: only $((n - 1)) allocations have failed"
	pass "$kind: $((n - 1)) single failures, $refused disks refused, $served served"
}

disk=$(volume disk 32)
numbers=$(number_of "$disk")
guest_start main
guest_frontend main max_queues=2 max_ring_page_order=1
id=$(domid main) home=$(backend_id)
by_hand main
xenstore-chmod "${frontend%/*}" "n$id" "r$home"
xenstore-chmod "${backend%/*}" "n$home" "r$id"
xenstore-rm "$backend" "$frontend"
device=/sys/bus/xen-backend/devices/vbd-$id-$vbd_number
# The kernel's own code warns when an interrupt goes whose files in /proc it had no memory to make. A
# warning of others is an error still: the consoles are looked through.
console_expects 'WARNING: .* remove_proc_entry'
# kmemleak does so too when it is its own memory that fails.
console_expects 'kmemleak: Cannot allocate a scan area'
there sh -c 'echo 0 >/proc/sys/kernel/panic_on_warn'
at_end there sh -c 'echo 1 >/proc/sys/kernel/panic_on_warn'
sweep failslab 30
sweep fail_page_alloc 2

# Every tenth allocation fails, or more, again and again, while the guest writes and verifies, until a queue
# has had to wait: that takes several failures at a time.
attach main "phy:$disk,xvdb,w"
for probability in 10 25 50 75; do
	knobs failslab interval=1 "probability=$probability" times=-1
	knobs fail_page_alloc interval=1 "probability=$probability" times=-1
	guest_run main fio --name=work --filename=/dev/xvdb --size=8M --rw=randrw --bsrange=4k-256k --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 || fail "I/O without memory is wrong"
	knobs failslab times=0
	knobs fail_page_alloc times=0
	waits=$(there cat "$(backend_sysfs main xvdb)/statistics/oo_req")
	[ "$waits" = 0 ] || break
done
[ "$waits" -gt 0 ] || error "no queue ever had to wait for memory"
detach main xvdb
pass "I/O while allocations fail: waited for memory $waits times"
