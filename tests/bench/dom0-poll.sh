#!/bin/bash
# Measures, in dom0, what waiting awake (poll_us) changes for a guest that waits for each of its reads.
#
#   dom0-poll.sh [ROUNDS]
#
# For a host with two CPUs or more and a clock that shows the time: 'host.sh -s 2', without -b. Two disks:
# null_blk, which is done at once, and NVMe with a queue for polling. They and the values of poll_us take turns,
# ROUNDS times (5); a table has the medians.
set -uo pipefail

# shellcheck source=tests/bench/dom0-lib.sh
. /job/tests/bench/dom0-lib.sh
rounds=${1:-5}
parameter=/sys/module/xen_blkback/parameters/poll_us

# Notifications that have come from the guest, to any CPU.
from_guest() { awk '/blkback\./ { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' /proc/interrupts; }

counters=()

# Requests that the backend has given to the disk are more than so many.
beyond() { [ "$(cat "${counters[@]}")" -gt "$1" ]; }

# In fio's terse output field 6 is KiB read, 8 IOPS; and there are percentiles of the latency. What dom0 uses is
# looked at for two of the seconds.
measure() {
	local slept notified line meter
	slept=$(wakeups) notified=$(from_guest)
	guest_background main fio "fio --name=poll --filename=/dev/xvdb --ioengine=libaio --direct=1 --norandommap \
		--rw=randread --bs=4k --time_based --runtime=4 --minimal"
	wait_until 60 "fio begins" beyond 0
	meter=$(/guest/meter "$(domid main)" 2 "${counters[@]}") || error "meter: $meter"
	line=$(guest_finish main fio) || error "fio: $line"
	awk -F';' -v "what=$1 $2" -v "slept=$(($(wakeups) - slept))" -v "notified=$(($(from_guest) - notified))" \
		-v "meter=$meter" '/;/ {
		for (i = 1; i <= NF && !p50; i++)
			if (sub(/^50\.000000%=/, "", $i)) p50 = $i
		ios = $6 / 4
		split(meter, m, /[ =]/)
		for (i = 1; i in m; i += 2) of[m[i]] = m[i + 1]
		printf "%s %d %d %.3f %.3f %d\n", what, $8, p50, slept / ios, notified / ios, of["dom0"] / of["count"] / 1000
	}' <<<"$line"
}

one_disk() {
	local poll_us
	for poll_us in 0 200 1000; do
		echo "$poll_us" >"$parameter"
		attach main "phy:/dev/$2,xvdb,w"
		find_threads "$(domid main).xvdb"
		counters=("$(backend_sysfs main xvdb)/statistics/rd_req")
		measure "$1" "$poll_us"
		detach main xvdb
	done
}

# median DISK POLL_US COLUMN: of all rounds
median() {
	awk -v "disk=$1" -v "poll_us=$2" -v "column=$3" '$1 == disk && $2 == poll_us { print $column }' "$state/measured" |
		sort -n | sed -n "$(((rounds + 1) / 2))p"
}

table() {
	local disk poll_us column line
	echo "| disk | poll_us | IOPS | p50, µs | wakeups per I/O | notifications from the guest | dom0's CPU, µs per I/O |"
	echo "|---|--:|--:|--:|--:|--:|--:|"
	for disk in null_blk NVMe; do
		for poll_us in 0 200 1000; do
			line="| $disk | $poll_us |"
			for column in 3 4 5 6 7; do
				line+=" $(median "$disk" "$poll_us" "$column") |"
			done
			echo "$line"
		done
	done
}

set_up
modprobe -r nvme
modprobe nvme poll_queues=1
null_disk plain
guest_start main vcpus=1
module_start ours
for ((round = 1; round <= rounds; round++)); do
	one_disk null_blk plain
	one_disk NVMe nvme0n1
done | tee "$state/measured" || exit
table
