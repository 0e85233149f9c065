#!/bin/bash
# dom0 ballooned down to what it needs goes on serving verified I/O, and gets its memory back
# Takes long.

# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh
# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

kept_mb=150	# what is left over, of some 700 MB

memory() { awk -v what="$1:" '$1 == what { print int($2 / 1024) }' /proc/meminfo; }
oom_kills() { awk '$1 == "oom_kill" { print $2 }' /proc/vmstat; }
total_is_about() { [ $(($(memory MemTotal) - $1)) -lt 16 ] && [ $(($1 - $(memory MemTotal))) -lt 16 ]; }

disk=$(volume disk 64)
guest_start main
guest_frontend main max_queues=4
trace_calls count_objects:mod:xen_blkback
plug main "phy:$disk,xvdb,w"
load_start main
target=$(awk '{ print int($1 / 1024) }' /sys/devices/system/xen_memory/xen_memory0/target_kb)
total=$(memory MemTotal)
killed=$(oom_kills)
at_end xl mem-set 0 "$target"
start=$SECONDS
for round in 1 2; do
	load_goes_on main
	less=$(($(memory MemAvailable) - kept_mb))
	[ "$less" -gt 200 ] || error "there is little to take: $less MB"
	xl mem-set 0 $((target - less))
	wait_until 180 "dom0 has $less MB less" total_is_about $((total - less))
	# What is left fills up with what is read, and is wanted for other things then.
	dd if=/dev/vdc of=/dev/null bs=1M count=400 status=none
	load_goes_on main
	note "round $round: $less MB less, $(memory MemAvailable) MB available"
	xl mem-set 0 "$target"
	wait_until 180 "dom0 has its memory back" total_is_about "$total"
done
note "two rounds: $((SECONDS - start)) s"
load_stop main
[ "$longest" -lt $((60 * slow)) ] || fail "the guest waited $longest s for a read"
asked=$(calls)
[ "$asked" -gt 0 ] || fail "memory was short, and the driver was not asked what it has"
expect "processes killed for memory" "$killed" "$(oom_kills)"
detach_same main "$disk"
