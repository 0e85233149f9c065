#!/bin/bash
# histograms, tracepoints and the dump of a ring tell where a request has spent its time, and what became of it

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

tracing=/sys/kernel/tracing
events=$tracing/events/xen_blkback
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
id=$(domid main)

parameter feature_persistent 0
at_end sh -c "echo 0 >$events/enable; echo >$tracing/trace"
echo 1 >"$events/enable"
echo >"$tracing/trace"
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

# trace-cmd and people see words.
in_trace() { grep -oE "$1: .*" "$tracing/trace" | sed "s/^$1: //"; }
disk_name="vbd-$id-51728"
grep 'blkback_' "$tracing/trace"
expect "fetched" "101 read 0 1 okay
102 write 8 1 okay
103 flush 0 0 okay
104 write 8 1 okay
105 read 9999 1 okay
106 0x4d 0 0 notsupp
201 write 16 1 okay
202 barrier 24 1 okay
203 read 32 1 okay" "$(in_trace blkback_fetch | sed -n "s/^$disk_name queue 0: id \([0-9]*\) \([a-z0-9x]*\) sector \([0-9]*\) segments \([0-9]*\) /\1 \2 \3 \4 /p")"
expect "given to the disk, with their data" "101 read 0 8 copied
102 write 8 4 copied
103 flush 0 0 none
201 write 16 8 copied
202 barrier 24 8 copied
203 read 32 8 copied" "$(in_trace blkback_submit | sed -n "s/^$disk_name queue 0: id \([0-9]*\) \([a-z]*\) sector \([0-9]*\) sectors \([0-9]*\) \([a-z]*\) wait .*/\1 \2 \3 \4 \5/p")"
expect "done by the disk" "101 okay 102 okay 103 okay 201 okay 202 okay 203 okay" \
	"$(in_trace blkback_complete | sed "s/^$disk_name queue 0: id \([0-9]*\) [a-z]* /\1 /" | paste -sd' ')"
expect "answered" "101 okay 102 okay 103 okay 104 error 105 error 201 okay 202 okay 203 okay" \
	"$(in_trace blkback_respond | sed "s/^$disk_name queue 0: id \([0-9]*\) [a-z]* \([a-z]*\) .*/\1 \2/" | paste -sd' ')"

# times_of EVENT ID: what the event says of it, in ns.
times_of() { in_trace "$1" | sed -n "/ id $2 /{s/.* \(wait\|okay\|error\) //;s/[a-z]//g;p}"; }

read -r of_disk of_answer in_all < <(times_of blkback_respond 101)
wait=$(times_of blkback_submit 101)
note "read 101: wait $wait, disk $of_disk, answer $of_answer, total $in_all"
[ "$of_disk" -ge "$half" ] || fail "a read took the disk $of_disk ns only"
expect "the parts and all of it" "$in_all" $((wait + of_disk + of_answer))
expect "times of what never came to the disk" "0 0 0" "$(times_of blkback_respond 104 | xargs)"
[ "$(times_of blkback_submit 202)" -ge "$second" ] || fail "the barrier did not wait"
expect "grants" "copy 1 failed 1" "$(in_trace blkback_grants | grep -v 'failed 0' | sed "s/^$disk_name queue 0: //")"
[ "$(in_trace blkback_grants | grep -c 'copy 1 failed 0')" -ge 5 ] || fail "not all copies are there"
pass "tracepoints of requests"

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

# responses_in REPORT: request, operation and status, as those tools print them.
responses_in() {
	sed -n "s/.*blkback_respond: *$disk_name queue 0: id \([0-9]* [a-z]* [a-z]*\) disk .*/\1/p" "$1"
}

# By the tools that people use. A histogram is made in the kernel.
echo 0 >"$events/enable"
hist='hist:keys=op:vals=disk_ns'
echo "$hist" >"$events/blkback_respond/trigger"
at_end sh -c "echo '!$hist' >$events/blkback_respond/trigger"
trace-cmd record -q -e xen_blkback:blkback_respond -f "total_ns > $half" -o "$state/trace.dat" \
	sh -c "until [ -e $state/stop ]; do sleep 0.2; done" >/dev/null &
recorder=$!
recording() { grep -q total_ns "$events/blkback_respond/filter"; }
wait_until 60 "trace-cmd records" recording
own_finish main go
own_run main xvdb <<'END'
connect
request id=401 op=read sector=0 seg=0-7
request id=402 op=read sector=0 seg=7-0 expect=error
END
touch "$state/stop"
wait "$recorder"
trace-cmd report -i "$state/trace.dat" >"$state/report"
cat "$state/report"
expect "what trace-cmd has seen" "401 read okay" "$(responses_in "$state/report")"
cat "$events/blkback_respond/hist"
expect "responses to reads" 2 "$(sed -n 's/^{ op: *0 } hitcount: *\([0-9]*\) .*/\1/p' "$events/blkback_respond/hist")"
pass "trace-cmd and histograms of the kernel"

perf record -q -a -e xen_blkback:blkback_respond -o "$state/perf.data" \
	sh -c "touch $state/perf; until [ -e $state/perf-stop ]; do sleep 0.2; done" &
recorder=$!
wait_until 60 "perf records" test -e "$state/perf"
own_run main xvdb <<'END'
connect
request id=501 op=read sector=0 seg=0-7
END
touch "$state/perf-stop"
wait "$recorder"
perf script -i "$state/perf.data" >"$state/report"
cat "$state/report"
expect "what perf has seen" "501 read okay" "$(responses_in "$state/report")"
pass "perf"

echo 1 >"$events/enable"
echo >"$tracing/trace"
own_run main xvdb <<'END'
key multi-queue-num-queues=0
either
END
detach main xvdb
with_frontend main
cat "$tracing/trace"
expect "states" "closed waiting-for-disk waiting-for-frontend draining closed" \
	"$(in_trace blkback_state | sed "s/^$disk_name: //;s/ -> / /" | head -n 4 | awk 'NR == 1 { print $1 } { print $2 }' | paste -sd' ')"
in_trace blkback_error | grep -q "^$disk_name: -34: .*multi-queue-num-queues is 0" || fail "the error is not there"
pass "tracepoints of states and errors"
