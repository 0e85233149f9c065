#!/bin/bash
# a disk's I/O is charged to the cgroup that was chosen for it, with its priority; its threads are published, by unlike names

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

nvme=/dev/nvme0n1
cgroups=/sys/fs/cgroup
mountpoint -q "$cgroups" || {
	mount -t cgroup2 cgroup2 "$cgroups"
	at_end umount "$cgroups"
}
echo +io >"$cgroups/cgroup.subtree_control"

# cgroup NAME: until the case ends, unless it goes before.
cgroup() {
	mkdir "$cgroups/$1"
	at_end sh -c "! test -e $cgroups/$1 || rmdir $cgroups/$1"
}

limit() { echo "$(cat "/sys/block/${nvme#/dev/}/dev") rbps=1048576 wbps=1048576" >"$cgroups/limited/io.max"; }

modprobe nvme
wait_until 60 "the NVMe disk is there" test -b "$nvme"
cgroup limited
cgroup limited/below
limit

guest_start main
guest_frontend main max_queues=2
id=$(domid main)
sysfs=/sys/bus/xen-backend/devices/vbd-$id-$vbd_number

# charged rbytes|wbytes
charged() { awk -v RS='[ \n]' -F= -v what="$1" '$1 == what { sum += $2 } END { print sum + 0 }' "$cgroups/limited/io.stat"; }

# moves rbytes|wbytes OPERAND...: what the guest's dd does with these in blocks of 64 KiB, 3 MiB in all. Sets $took to how
# many milliseconds of dom0 that takes, and $charged to how many KiB the cgroup is charged for meanwhile.
moves() {
	local before start
	before=$(charged "$1")
	start=$(milliseconds)
	guest_run main "dd ${*:2} bs=64k count=48 2>/dev/null" || fail "dd ${*:2} fails in the guest"
	took=$(($(milliseconds) - start))
	charged=$((($(charged "$1") - before) / 1024))
	note "3 MiB ($1) took $took ms, $charged KiB are charged"
}

reads() { moves rbytes if=/dev/xvdp of=/dev/null iflag=direct; }

writes() { moves wbytes if=/dev/zero of=/dev/xvdp oflag=direct; }

milliseconds() { awk '{ print int(1000 * $1) }' /proc/uptime; }

# was_slow WITH: what has been moved.
was_slow() {
	expect "KiB charged with $1" 3072 "$charged"
	if [ "$took" -lt 2700 ] || [ "$took" -gt $((20000 * slow)) ]; then
		fail "3 MiB take $took ms with $1, and 1 MiB/s is allowed"
	fi
}

reads_slow() {
	reads
	was_slow "$1"
	limited=$took
}

# After reads_slow. A busy machine may take long for the first one, too.
reads_fast() {
	local round
	for round in 1 2 3; do
		reads
		expect "KiB charged without a cgroup, in round $round" 0 "$charged"
		[ "$took" -ge $((limited * 2 / 3)) ] || return 0
	done
	fail "3 MiB take $took ms without a limit, and $limited ms with one of 1 MiB/s"
}

by_hand main settings/cgroup /limited settings/ioprio be/2
name_disk "$nvme"
await_state "$frontend" 4
wait_until 60 "the guest has xvdp" guest_run main test -b /dev/xvdp
writes
was_slow "settings/cgroup in xenstore"
reads_slow "settings/cgroup in xenstore"
expect "cgroup in sysfs" /limited "$(cat "$sysfs/settings/cgroup")"
pass "io.max of the cgroup that the toolstack has chosen holds"

# --- Threads ---

pid() { xs_read "$backend/$1"; }
thread_of() { cat "/proc/$(pid "$1")/comm"; }
# As those who trace see it, of a thread that has given the disk something.
short_name_of() { awk -v pid="$(pid "$1")" '$1 == pid { print $2 }' "$tracing/saved_cmdlines"; }
is_traced() { [ -n "$(short_name_of "$1")" ]; }

trace_calls submit_bio
guest_run main 'fio --name=all --filename=/dev/xvdp --numjobs=4 --cpus_allowed=0-3 --cpus_allowed_policy=split \
	--size=32k --bs=4k --rw=read --direct=1' || fail "cannot read on all queues"

expect "the first one" "$(pid queue-0/kthread-pid)" "$(pid kthread-pid)"
for queue in 0 1; do
	expect "thread of queue $queue" "blkback.$id.xvdp-$queue" "$(thread_of "queue-$queue/kthread-pid")"
	expect "its short name" "blkback.${id}p$queue" "$(short_name_of "queue-$queue/kthread-pid")"
	expect "its priority" "best-effort: prio 2" "$(ionice -p "$(pid "queue-$queue/kthread-pid")")"
done
pass "kthread-pid"

# --- Changed while it runs ---

echo >"$sysfs/settings/cgroup"
reads_fast
expect "cgroup in sysfs" "" "$(cat "$sysfs/settings/cgroup")"
for queue in 0 1; do
	pid "queue-$queue/kthread-pid" >"$cgroups/limited/cgroup.procs"
done
reads_slow "threads in the cgroup"
for queue in 0 1; do
	pid "queue-$queue/kthread-pid" >"$cgroups/cgroup.procs"
done
echo /limited >"$sysfs/settings/cgroup"
reads_slow "settings/cgroup in sysfs"
pass "changed in sysfs, or by moving threads: holds at once"

for text in limited /none /limited/below; do
	if (echo "$text" >"$sysfs/settings/cgroup") 2>/dev/null; then fail "'$text' is taken for a cgroup"; fi
done
for text in be be/8 be/ rt/-1 idle/0 4 ''; do
	if (echo "$text" >"$sysfs/settings/ioprio") 2>/dev/null; then fail "'$text' is taken for a priority"; fi
done
for text in none rt/7 idle; do
	echo "$text" >"$sysfs/settings/ioprio"
	expect "priority in sysfs" "$text" "$(cat "$sysfs/settings/ioprio")"
done
expect "cgroup in sysfs" /limited "$(cat "$sysfs/settings/cgroup")"

have_priority() {
	local queue
	for queue in 0 1; do
		[ "$(ionice -p "$(pid "queue-$queue/kthread-pid")")" = "$1" ] || return 1
	done
}
echo rt/7 >"$sysfs/settings/ioprio"
wait_until 20 "idle queues have their new priority" have_priority "realtime: prio 7"
pass "changed in sysfs: idle queues do not wait for a request"

# A cgroup that has gone has no limit any more, and one of the same name is another one.
rmdir "$cgroups/limited/below" "$cgroups/limited"
expect "cgroup in sysfs, removed" "/limited (deleted)" "$(cat "$sysfs/settings/cgroup")"
cgroup limited
limit
expect "cgroup in sysfs, made anew" "/limited (deleted)" "$(cat "$sysfs/settings/cgroup")"
echo /limited >"$sysfs/settings/cgroup"
expect "cgroup in sysfs, written again" /limited "$(cat "$sysfs/settings/cgroup")"
reads_slow "a cgroup made anew"
echo -io >"$cgroups/cgroup.subtree_control"
expect "cgroup in sysfs, without its io controller" "/limited (deleted)" "$(cat "$sysfs/settings/cgroup")"
echo +io >"$cgroups/cgroup.subtree_control"
rmdir "$cgroups/limited"
pass "a cgroup that has gone is shown, and one made anew holds when it is written again"

guest_run main dd if=/dev/xvdp of=/dev/null bs=64k count=16 iflag=direct 2>&1 || fail "cannot read without the cgroup"
xenstore-write "$backend/online" 0 "$backend/state" 5
await_state "$backend" 6
for key in kthread-pid queue-0 queue-1; do
	if pid "$key"; then fail "$key is there after the end"; fi
done
xenstore-rm "$backend"
xenstore-rm "$frontend"
pass "a cgroup that goes harms nobody"

# --- Priority, as a scheduler sees it ---

null_disk slow irqmode=2 completion_nsec=100000000
echo mq-deadline >/sys/block/slow/queue/scheduler
by_hand main settings/ioprio idle
name_disk /dev/slow
await_state "$frontend" 4
wait_until 60 "the guest has xvdp" guest_run main test -b /dev/xvdp
guest_background main load dd if=/dev/xvdp of=/dev/null bs=4k count=100 iflag=direct
# Real time, best effort, idle.
wait_until 20 "a request is idle to the scheduler" grep -q '^0 0 1$' /sys/kernel/debug/block/slow/sched/queued
echo rt/1 >"$sysfs/settings/ioprio"
wait_until 20 "a request is of real time to the scheduler" grep -q '^1 0 0$' /sys/kernel/debug/block/slow/sched/queued
guest_finish main load || fail "cannot read"
xenstore-write "$backend/online" 0 "$backend/state" 5
await_state "$backend" 6
xenstore-rm "$backend"
xenstore-rm "$frontend"
pass "the disk's scheduler is told the priority"

# --- What cannot be ---

without_frontend main
by_hand main
name_disk "$nvme"

# refused WORDS KEY TEXT
refused() {
	xenstore-write "$backend/settings/$2" "$3"
	await_state "$backend" 2
	frontend_state 3
	await_state "$backend" 5
	told "$1"
	xenstore-rm "$backend/settings/$2"
	frontend_state 6
	await_state "$backend" 6
	frontend_state 1
}

cgroup limited
cgroup limited/below
refused "\"limited\" (.*): begin it with /" cgroup limited
refused "\"/none\" (.*): make it, below /sys/fs/cgroup" cgroup /none
refused "\"/limited/below\" (.*): write +io to cgroup.subtree_control in the one above it" cgroup /limited/below
refused "settings/ioprio is \"be/8\", and only rt/0 to rt/7, be/0" ioprio be/8
# However long it is: xenstore takes 2048 bytes.
xs() { printf "%${1}s" | tr ' ' x; }
refused "\"/$(xs 31)\\.\\.\\.\" (.*): make it, below /sys/fs/cgroup" cgroup "/$(xs 1900)"
refused "settings/ioprio is \"$(xs 32)\\.\\.\\.\", and only rt/0 to rt/7, be/0" ioprio "$(xs 1900)"

# What was written in sysfs is looked for again, too.
await_state "$backend" 2
echo /limited >"$sysfs/settings/cgroup"
rmdir "$cgroups/limited/below" "$cgroups/limited"
frontend_state 3
await_state "$backend" 5
told "\"/limited\" (.*): make it, below /sys/fs/cgroup"
frontend_state 6
await_state "$backend" 6
nodes_removed "$backend" "$frontend"
with_frontend main max_queues=1
pass "what cannot be is refused, with the reason"

# --- Names ---

# names NUMBER DEV: a disk that the toolstack calls so. Sets $long and $short.
names() {
	vbd_number=$1 by_hand main dev "$2"
	name_disk "$nvme"
	await_state "$backend" 4
	wait_until 60 "the guest has looked for partitions" is_traced kthread-pid
	long=$(thread_of kthread-pid) short=$(short_name_of kthread-pid)
}

names 51936 xvdp
expect "name of xvdp" "blkback.$id.xvdp-0 blkback.${id}p0" "$long $short"
names 51920 xvdp
expect "name of another xvdp" "blkback.$id.51920-0 blkback.$(pid kthread-pid)" "$long $short"
names 51904 system-volume-of-a-guest-with-a-long-name
expect "name of a volume" "blkback.$id.51904-0 blkback.$(pid kthread-pid)" "$long $short"
names 51872 xvd
# That fits in both if the guest's number has one digit.
wanted=blkback.$(pid kthread-pid)
[ ${#long} -ge 16 ] || wanted=$long
expect "name of a disk without a letter" "blkback.$id.xvd-0 $wanted" "$long $short"
names 51888 ../x
expect "name of no file" "blkback.$id.51888-0 blkback.$(pid kthread-pid)" "$long $short"
pass "names of threads"
