#!/bin/bash
# histograms and the dump of a ring tell where a request has spent its time, and what became of it

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

parameters=/sys/module/xen_blkback/parameters

debugfs_of() { echo "/sys/kernel/debug/xen-blkback/$(basename "$(backend_sysfs main xvdb)")/queue-0"; }

# took KIND STAGE LEAST: how many requests took at least so many ns, of how many. A bucket counts by where it
# begins.
took() {
	awk -v "kind=$1" -v "stage=$2" -v "least=$3" '$1 == kind && $2 == stage { all += $4; if ($3 >= least) some += $4 }
		END { print some + 0 " of " all + 0 }' "$debugfs/latency"
}

# dumped NAME: the value of that name in the dump of the ring.
dumped() { sed -nE "s/.*(^|[ ,;:])$1:? ([^ ,;]+).*/\2/p" "$debugfs/ring" | head -n 1; }

# Reads take half a second, writes and flushes one, which is longer than the host stalls now and then. Both are
# a little longer than the beginning of a bucket.
modprobe dm-delay
disk=$(volume disk 4)
dmsetup create slow --table "0 8192 delay $disk 0 560 $disk 0 1100"
at_end dmsetup remove slow
half=536870912 second=1073741824
guest_start main
own_frontend main

echo 0 >"$parameters/feature_persistent"
at_end sh -c "echo 1 >$parameters/feature_persistent"
attach_own main "phy:/dev/mapper/slow,xvdb,w"
own_start main xvdb <<'END'
connect
request id=101 op=read sector=0 seg=0-7
request id=102 op=write sector=8 seg=0-3
request id=103 op=flush
request id=104 op=write sector=8 seg=0-7@bad expect=error
request id=105 op=read sector=9999 seg=0-7 expect=error
request id=106 op=77 expect=notsupp
mark /tmp/idle
until /tmp/go
request id=201 op=write sector=16 seg=0-7 wait=0
request id=202 op=barrier sector=24 seg=0-7 wait=0
request id=203 op=read sector=32 seg=0-7 wait=0
push
wait
mark /tmp/idle
until /tmp/go
request id=301 op=read sector=0 seg=0-7 times=3 wait=0
push
mark /tmp/idle
wait
mark /tmp/idle
until /tmp/go
END
own_mark main idle
debugfs=$(debugfs_of)
cat "$debugfs/latency" "$debugfs/ring"
expect "first line" "# kind stage from_ns count" "$(head -n 1 "$debugfs/latency")"
expect "reads: disk" "1 of 1" "$(took read disk "$half")"
expect "reads: in all" "1 of 1" "$(took read total "$half")"
expect "writes: disk" "1 of 1" "$(took write disk "$second")"
expect "writes: in all" "1 of 1" "$(took write total "$second")"
expect "flushes: disk" "1 of 1" "$(took flush disk "$second")"
expect "discards" "0 of 0" "$(took discard total 0)"
for kind in read write flush; do
	for stage in wait answer; do
		expect "$kind: $stage" "0 of 1" "$(took "$kind" "$stage" "$half")"
	done
done
pass "a disk that is slow is seen to be"

# The barrier waits for the write, and the read for both.
guest_run main touch /tmp/go
own_mark main idle
expect "the barrier waits" "1 of 2" "$(took flush wait "$second")"
expect "the read behind it waits for longer" "1 of 2" "$(took read wait $((2 * second)))"
expect "both are done by the disk as usual" "2 of 2, 2 of 2" "$(took flush disk "$second"), $(took read disk "$half")"
pass "so is what has to wait for others"

# Three reads at a disk that hangs.
dmsetup suspend --noflush --nolockfs slow
at_end dmsetup resume slow
guest_run main touch /tmp/go
own_mark main idle
is_out() { [ "$(dumped taken)" = 11 ] && [ "$(dumped answered)" = 8 ]; }
wait_until 60 "the requests are out" is_out
cat "$debugfs/ring"
expect "of all 12 none is left on the ring" "12 12" "$(dumped req_cons) $(dumped req_prod)"
dmsetup resume slow
own_mark main idle
expect "answered" "11 12" "$(dumped answered) $(dumped published)"
expect "all reads" "5 of 5" "$(took read total "$half")"
pass "the dump of a ring"

own_finish main go
detach main xvdb
with_frontend main
