#!/bin/bash
# Measures, in dom0, what a disk costs that has nothing to do, and how long it takes to connect, with our
# module and with the in-tree one.
#
#   dom0-disks.sh MODULES     ours, stock or both, with a comma
#
# Four disks with a queue each, whose ring has 16 pages. Prints a line 'disk KEY=VALUE...'.
set -eu

here=/job/tests/bench
# shellcheck source=tests/bench/dom0-lib.sh
. "$here/dom0-lib.sh"
disks=(xvd{b..e})

# What is free, or would be if anybody wanted it: of /proc/meminfo, and pages that a CPU has at hand. Its own counts of
# either are to be in the sums.
free_kib() {
	local key value sum=0
	echo 1 >/proc/sys/vm/stat_refresh
	while read -r key value _; do
		case $key in
		MemFree: | Buffers: | Cached: | SReclaimable:) sum=$((sum + value)) ;;
		count:) sum=$((sum + 4 * value)) ;;
		esac
	done < <(cat /proc/meminfo /proc/zoneinfo)
	echo "$sum"
}

# vdev_number xvdX: its number in xenstore.
vdev_number() {
	local letter
	letter=$(printf %d "'${1#xvd}")
	echo $(((202 << 8) + (letter - 97) * 16))
}

# attach_timed DISK: appends to $state/connect how long it took.
attach_timed() {
	local watcher
	/guest/connect "$id" "$(vdev_number "$1")" >>"$state/connect" &
	watcher=$!
	attach main "phy:/dev/slow-$1,$1,w"
	wait "$watcher"
}

# Waits that are over when there is something to read, of which there is nothing, cost no process.
pause() { read -rt "$1" <>"$state/nothing" || :; }

# When what was used to connect has been given back.
settled_free() {
	sleep 3
	free_kib
}

# least_free: until the guest is finished.
least_free() {
	local now least=$idle_free
	until [ -e "$state/finished" ]; do
		now=$(free_kib)
		least=$((now < least ? now : least))
		pause 0.02
	done
	echo "$least"
}

# Each queue has 128 requests at a time, of 32 pages: the disks take five milliseconds for it.
busy_fio() {
	local files status=0
	files=$(printf '/dev/%s:' "${disks[@]}")
	guest_run main fio --name=busy --filename="${files%:}" --rw=randread --bs=128k --iodepth=512 --direct=1 \
		--ioengine=libaio --norandommap --number_ios=1500 >"$state/said" || status=$?
	touch "$state/finished"
	return "$status"
}

# busy_free: the least memory that was free meanwhile.
busy_free() {
	rm -f "$state/finished"
	busy_fio &
	least_free
	wait "$!"
}

measure() {
	local name one_free idle_free slept idle busy
	: >"$state/connect"
	for name in "${disks[@]}"; do
		attach_timed "$name"
		[ "$name" != xvdb ] || one_free=$(settled_free)
	done
	idle_free=$(settled_free)
	find_threads "$id.xvd"
	slept=$(wakeups)
	sleep 10
	slept=$(($(wakeups) - slept))
	idle=$(((one_free - idle_free) / (${#disks[@]} - 1)))
	busy=$(busy_free) || error "the load on all disks has failed: $(tail -n 1 "$state/said")"
	busy=$((idle + (idle_free - busy) / ${#disks[@]}))
	echo "disk module=$module idle_kib=$idle busy_kib=$busy" \
		"idle_wakeups=$slept" \
		"connect_us=$(sort -n "$state/connect" | sed -n 2p)"
}

# The first time all is slower, and something may be allocated for good.
for_module() {
	module_start "$module"
	attach main "phy:/dev/slow-xvdb,xvdb,w"
	detach main xvdb
	measure
	for name in "${disks[@]}"; do
		detach main "$name"
	done
	within 60 module_unload || error "the module does not unload"
}

set_up
mkfifo "$state/nothing"
for name in "${disks[@]}"; do
	null_disk "slow-$name" irqmode=2 completion_nsec=5000000 hw_queue_depth=1024
done
# For each of its rings the frontend allocates all pages that the requests could have: 66 MB.
start_bench_guest 1 memory=700
guest_frontend main max_ring_page_order=4
for module in ${1//,/ }; do
	for_module
done
guest_destroy main
