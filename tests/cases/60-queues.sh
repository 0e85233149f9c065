#!/bin/bash
# what sysfs has of each queue is what the guest did, request by request, and of the connection what was agreed

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

# value FILE: in the disk's folder.
value() { cat "$sysfs/$1"; }

# sum FILE: over all queues.
sum() { cat "$sysfs"/queues/*/"$1" | awk '{ sum += $1 } END { print sum }'; }

# numbers QUEUE FILE...: with their names.
numbers() {
	local queue=$1 file
	shift
	for file; do
		printf '%s=%s ' "$file" "$(value "queues/$queue/$file")"
	done
}

# shows QUEUE FILE=NUMBER...: exactly these.
shows() {
	local queue=$1
	shift
	expect "queue $queue" "$* " "$(numbers "$queue" "${@%=*}")"
}

facts() { (cd "$sysfs/connection" && paste -d/ state protocol queues ring_pages features); }

# commands: two queues, each with requests of every kind; what must come of it is below.
commands() {
	cat <<-END
		set queues=2
		connect
		request queue=0 op=read sector=0 seg=0-7
		request queue=0 op=read sector=8 seg=0-7
		request queue=0 op=read sector=16 seg=0-7
		request queue=0 op=read sector=64 seg=2-3 seg=0-0
		request queue=0 op=write sector=8 seg=0-7 seg=0-3
		request queue=0 op=indirect inner=read sector=128 segs=20
		request queue=1 op=indirect inner=write sector=512 segs=12
		request queue=1 op=flush
		request queue=1 op=barrier sector=32 seg=0-7
		request queue=1 op=barrier
		request queue=1 op=discard sector=1024 count=100
		request queue=1 op=read sector=999999 seg=0-7 expect=error
		request queue=1 op=read sector=0 seg=7-0 expect=error
		request queue=1 op=9 expect=notsupp
		request queue=1 op=write sector=0 seg=0-7@bad expect=error
	END
}

# Whatever way the data took.
requests_are_counted() {
	local i after came_to=(5 3 100 4 0)
	shows 0 reads=5 writes=1 flushes=0 barriers=0 discards=0 read_sectors=187 write_sectors=12 \
		discard_sectors=0 read_errors=0 write_errors=0 refused=0 in_flight=0
	shows 1 reads=0 writes=1 flushes=1 barriers=2 discards=1 read_sectors=0 write_sectors=104 \
		discard_sectors=100 read_errors=0 write_errors=0 flush_errors=0 discard_errors=0 refused=4 in_flight=0
	mapfile -t after < <(totals_of_disk)
	for i in "${!totals[@]}"; do
		expect "${totals[i]} of the disk" $((before[i] + came_to[i])) "${after[i]}"
	done
}

# Of all connections.
totals=(rd_req f_req ds_sect refused errors)
totals_of_disk() { (cd "$sysfs/statistics" && cat "${totals[@]}"); }

# way NAME SETTING...: the commands, with the data going that way; it stays connected.
way() {
	mapfile -t before < <(totals_of_disk)
	{
		[ $# -eq 1 ] || echo "set ${*:2}"
		commands
		echo "mark /tmp/idle"
		echo "until /tmp/go"
	} | own_start main xvdb
	own_mark main idle
	requests_are_counted
}

next() { own_finish main go; }

disk=$(volume disk 4)
guest_start main
own_frontend main
id=$(domid main)

parameter feature_persistent 0
attach_own main "phy:$disk,xvdb,w"
sysfs=$(backend_sysfs main xvdb)
expect "facts without a connection" "waiting-for-frontend/-/0/0/-" "$(facts)"
expect "queues without a connection" "" "$(compgen -G "$sysfs/queues*" || :)"

# A copy for each segment, and one more for the descriptors of INDIRECT.
way copied
shows 0 bytes_copied=$(((187 + 12) * 512)) bytes_mapped=0 bytes_kept=0 grant_maps=0 grant_unmaps=0 \
	grant_copies=$((5 + 2 + 20 + 1)) grant_calls=7 persistent_grants=0 persistent_grants_max=0
shows 1 bytes_copied=$((104 * 512)) bytes_mapped=0 bytes_kept=0 grant_maps=0 grant_unmaps=0 \
	grant_copies=$((12 + 1 + 1 + 1)) grant_calls=4
next

parameter copy_read_max 0
parameter copy_write_max 0
way mapped
shows 0 bytes_copied=0 bytes_mapped=$(((187 + 12) * 512)) bytes_kept=0 grant_maps=27 grant_unmaps=27 \
	grant_copies=1 grant_calls=13
shows 1 bytes_copied=0 bytes_mapped=$((104 * 512)) bytes_kept=0 grant_maps=14 grant_unmaps=13 \
	grant_copies=1 grant_calls=6
next
parameter copy_read_max 1048576
parameter copy_write_max 1048576

parameter feature_persistent 1
parameter max_persistent_grants 100
way kept tell-persistent=1 persistent=1
shows 0 bytes_copied=0 bytes_mapped=0 bytes_kept=$(((187 + 12) * 512)) persistent_grants_max=50
expect "pages mapped are pages kept" "$(value queues/0/grant_maps)" "$(value queues/0/persistent_grants)"
next

# With pages that all are kept by then, descriptors are among what is read from them.
parameter max_persistent_grants 300
own_start main xvdb <<'END'
pool pages=300 oldest=1
set tell-persistent=1 persistent=1
connect
fill
mark /tmp/idle
until /tmp/later
io count=60 depth=2 kind=indirect max=64
verify
mark /tmp/idle
until /tmp/go
END
own_mark main idle
expect "pages kept" 300 "$(value queues/0/persistent_grants)"
grants() { (cd "$sysfs/queues/0" && paste -d/ grant_maps grant_copies grant_calls); }
filled=$(grants)
guest_run main touch /tmp/later
own_mark main idle
expect "grants mapped, copied, and calls for it, after INDIRECT requests" "$filled" "$(grants)"
next
parameter feature_persistent 0
pass "requests, sectors, bytes by each way, grant operations"

# Whatever can be agreed.
own_start main xvdb <<'END'
set abi=x86_32-abi queues=1 order=2
connect
mark /tmp/idle
until /tmp/go
END
own_mark main idle
expect "facts" "connected/x86_32-abi/1/4/indirect flush barrier discard" "$(facts)"
expect "number of folders" 1 "$(find "$sysfs/queues" -mindepth 1 -type d | wc -l)"
next
expect "nothing but the last state" "closed/-/0/0/-" "$(facts)"
detach main xvdb
parameter feature_persistent 1
attach_own main "phy:$disk,xvdb,r"
sysfs=$(backend_sysfs main xvdb)
own_start main xvdb <<'END'
set queues=3 tell-persistent=1 persistent=1
connect
mark /tmp/idle
until /tmp/go
request queue=2 op=write sector=0 seg=0-7 expect=error
mark /tmp/idle
until /tmp/go
END
own_mark main idle
expect "facts of a read-only disk" "connected/x86_64-abi/3/1/persistent indirect" "$(facts)"
guest_run main touch /tmp/go
own_mark main idle
shows 2 writes=0 write_errors=0 refused=1
next
detach main xvdb
parameter feature_persistent 0
pass "facts"

# The second half of this disk fails.
half=$(volume half 4)
dmsetup create faulty <<<"0 4096 linear $half 0
4096 4096 error"
at_end dmsetup remove faulty
parameter max_guest_pages 0
attach_own main "phy:/dev/mapper/faulty,xvdb,w"
sysfs=$(backend_sysfs main xvdb)
own_start main xvdb <<'END'
connect
request op=read sector=4096 seg=0-7 times=2 step=8 expect=error
request op=write sector=4096 seg=0-7 times=3 step=8 expect=error
request op=barrier sector=4096 seg=0-7 expect=error
request op=read sector=0 seg=0-7@ro expect=error
mark /tmp/idle
until /tmp/go
request op=indirect inner=read segs=200 times=2 wait=0
request op=flush times=3 wait=0
push
mark /tmp/idle
wait
mark /tmp/idle
until /tmp/go
END
own_mark main idle
shows 0 reads=3 writes=3 barriers=1 read_errors=3 write_errors=3 flush_errors=1 discard_errors=0 refused=0 in_flight=0
expect "errors and refused requests of the disk" "7 0" "$(value statistics/errors) $(value statistics/refused)"
pass "errors by kind"

# A request of 200 pages may be out, and no other that has any.
dmsetup suspend --noflush --nolockfs faulty
at_end dmsetup resume faulty
expect "waits for the guest's budget" 0 "$(value queues/0/out_of_budget)"
guest_run main touch /tmp/go
own_mark main idle
is_out() { [ "$(value queues/0/in_flight)" = "$1" ] && [ "$(value queues/0/out_of_budget)" -gt 0 ]; }
wait_until 60 "one request is at the disk and the others wait" is_out 1
dmsetup resume faulty
own_mark main idle
shows 0 reads=5 flushes=3 in_flight=0
next
pass "requests in flight, and those that wait for the guest's budget"

# A guest does not get rid of what it has done by connecting anew.
own_run main xvdb <<'END'
connect
request op=read sector=4096 seg=0-7 expect=error
request op=9 expect=notsupp
END
expect "errors and refused requests of all connections" "8 1" "$(value statistics/errors) $(value statistics/refused)"
pass "errors of all connections"

# Of two threads one has nothing to wait for at the end.
own_start main xvdb <<'END'
set queues=2
connect
mark /tmp/idle
until /tmp/go
request queue=0 op=flush wait=0
push
mark /tmp/idle
until /tmp/go
state 6
mark /tmp/idle
until /tmp/go
wait
await 6
free
END
own_mark main idle
for queue in 0 1; do
	[ "$(value "queues/$queue/pid")" -gt 1 ] || fail "queue $queue has no thread"
done
dmsetup suspend --noflush --nolockfs faulty
guest_run main touch /tmp/go
own_mark main idle
hangs() { [ "$(value queues/0/in_flight)" = 1 ]; }
wait_until 60 "a flush hangs at the disk" hangs
guest_run main touch /tmp/go
own_mark main idle
has_ended() { [ "$(value queues/1/pid)" = 0 ]; }
wait_until 60 "the thread of the other queue has ended" has_ended
[ "$(value queues/0/pid)" -gt 1 ] || fail "the thread that waits for the disk is not shown"
dmsetup resume faulty
next
detach main xvdb
pass "a thread that has ended has no number"

# Linux's own frontend. It counts a flush as a write, too.
parameter max_guest_pages 16384
with_frontend main "max_queues=4 max_ring_page_order=1"
plug main "phy:$disk,xvdb,w"
sysfs=$(backend_sysfs main xvdb)
guest_run main 'fio --name=io --filename=/dev/xvdb --size=512k --offset_increment=1M --numjobs=4 --cpus_allowed=0-3 \
	--cpus_allowed_policy=split --rw=randrw --bsrange=512-64k --direct=1 --ioengine=libaio --iodepth=8 --fsync=8' >"$state/fio" ||
	error "fio: $(cat "$state/fio")"
in_guest=$(guest_run main "awk '{ print \$1, \$3, \$5 - \$16, \$7, \$16 }' /sys/block/xvdb/stat")
note "guest: $in_guest"
expect "reads, sectors, writes, sectors, flushes" "$in_guest" \
	"$(for file in reads read_sectors writes write_sectors flushes; do sum "$file"; done | paste -sd' ')"
expect "all queues together" "$(cd "$sysfs/statistics" && paste -d' ' rd_req rd_sect wr_req wr_sect f_req)" "$in_guest"
expect "bytes" "$(($(sum bytes_copied) + $(sum bytes_mapped) + $(sum bytes_kept)))" \
	"$((($(sum read_sectors) + $(sum write_sectors)) * 512))"
[ "$(awk '$1 > 0' "$sysfs"/queues/*/reads | wc -l)" -gt 1 ] || error "only one queue was used"

interrupts() { awk -v "name=blkback.$id.xvdb-$1" '$NF == name { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum }' /proc/interrupts; }
voluntary_switches() { sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$1/status"; }

for queue in 0 1 2 3; do
	pid=$(value "queues/$queue/pid")
	grep -q '^blkback' "/proc/$pid/comm" || fail "queue $queue: $pid is not the number of a thread of ours"
	expect "queue $queue: events from the guest" "$(interrupts "$queue")" "$(value "queues/$queue/events_in")"
	out=$(value "queues/$queue/events_out") wakeups=$(value "queues/$queue/wakeups")
	[ "$out" -le "$(cat "$sysfs/queues/$queue/"{reads,writes,flushes} | awk '{ sum += $1 } END { print sum }')" ] ||
		fail "queue $queue: $out events to the guest are more than there were answers"
	[ "$wakeups" -le "$(voluntary_switches "$pid")" ] || fail "queue $queue: $wakeups wakeups are too many"
	shows "$queue" in_flight=0 poll_hits=0 poll_misses=0
done
[ "$(sum events_out)" -gt 0 ] || fail "no events to the guest"
[ "$(sum wakeups)" -gt 0 ] || fail "no wakeups"
pass "as Linux has counted it, and events, wakeups and threads"

# All files are explained; these are the bus's.
of_the_bus='devtype|modalias|nodename|state|uevent|power/.*|xenbus/.*'
while read -r file; do
	file=${file#"$sysfs/"}
	grep -qE "^What:.*/vbd-DOMID-DEVICE/${file/#queues\/[0-9]\//queues\/N\/}$" /job/sysfs.md ||
		fail "docs/sysfs.md does not explain $file"
done < <(find "$sysfs/" -type f | grep -vE "^$sysfs/($of_the_bus)$")
pass "all of it is explained"

# Whatever is open or being read when it goes.
exec 7<"$sysfs/queues/0/reads" 8<"/sys/kernel/debug/xen-blkback/${sysfs##*/}/queue-0/ring"
detach main xvdb
if cat <&7 || cat <&8; then fail "a file of a queue that is gone can be read"; fi
exec 7<&- 8<&-
without_frontend main
attach_own main "phy:$disk,xvdb,w"
sysfs=$(backend_sysfs main xvdb)
debugfs=/sys/kernel/debug/xen-blkback/${sysfs##*/}
# read_all FOLDER...: again and again.
read_all() {
	while [ ! -e "$state/stop" ]; do
		find "$@" -type f -exec cat {} + || :
		sleep 0.05
	done 2>/dev/null
}
read_all "$sysfs/queues" "$sysfs/connection" >"$state/sysfs" &
read_all "$debugfs" >"$state/debugfs" &
all_seen() { grep -q '^x86_64-abi$' "$state/sysfs" && grep -q '^# kind stage' "$state/debugfs"; }
# Four times at least, and until the readers, who may be slow, have found something.
for ((round = 0; round < 40; round++)); do
	if [ "$round" -ge 4 ] && all_seen; then break; fi
	own_run main xvdb <<<"set queues=4
connect
io count=40 depth=8"
done
detach main xvdb
touch "$state/stop"
wait
all_seen || error "nothing was read meanwhile"
with_frontend main
[ ! -e "$sysfs" ] || fail "something is left in sysfs"
[ ! -e "$debugfs" ] || fail "something is left in debugfs"
pass "nothing is left, whoever reads it meanwhile"
