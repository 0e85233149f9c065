#!/bin/bash
# where a guest has spent its budget, queues of a disk take turns, and pages beyond it go at once

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# of_queues FILE: a line for each.
of_queues() { there sh -c "cat /sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/queues/*/$1"; }

sum() { awk '{ sum += $1 } END { print sum + 0 }'; }

# four_queues COMMAND: a frontend that does so, when it is told to go.
four_queues() {
	attack_background <<-END
		set queues=4
		pool pages=1200
		connect
		fill
		mark /tmp/connected
		until /tmp/go
		$1
		verify
	END
	attack_mark connected
}

# None of these requests is within what a queue has of its own.
hostile_start
without_disks
parameter max_guest_pages 0
offer

# Reads are answered by the thread, which could go on at once; writes elsewhere.
for kind in read write; do
	four_queues "flood until=/tmp/enough op=indirect inner=$kind segs=64"
	of_queues "${kind}s" >"$state/before"
	guest_run attacker touch /tmp/go
	reach() { [ "$(of_queues "${kind}s" | sum)" -ge "$1" ]; }
	wait_until 120 "400 requests are served" reach $(($(sum <"$state/before") + 400))
	of_queues "${kind}s" >"$state/after"
	attack_finish enough
	read -r all least < <(paste "$state/before" "$state/after" | awk '
		{ n = $2 - $1; all += n; if (NR == 1 || n < least) least = n }
		END { print all, least }')
	[ $((least * 8)) -ge "$all" ] || fail "of $all ${kind}s on four queues, one has $least"
	pass "queues take turns: of $all ${kind}s each has $least or more"
done

# Sum of what is free and of what queues have: 32 each. One may have got its pages back just now, and not have seen it yet.
free_pages() {
	there sh -c "cat /sys/kernel/debug/xen-blkback/vbd-$(domid attacker)-$vbd_number/queue-*/ring" |
		awk '/^pages: / && match($0, /free [0-9]+ and [0-9]+/) { split(substr($0, RSTART, RLENGTH), word, " "); sum += word[2] + word[4] }
			END { print sum + 0 }'
}
turn=''
for queue in 0 1 2 3; do
	turn+="request op=indirect queue=$queue inner=read segs=256; "
done
four_queues "repeat until=/tmp/enough : ${turn%; }"
guest_run attacker touch /tmp/go
reads=$(of_queues reads | sum)
reads_reach() { [ "$(of_queues reads | sum)" -ge "$1" ]; }
for look in {1..9}; do
	wait_until 60 "requests are served" reads_reach $((reads + 8 * look))
	free_pages
done >"$state/free"
attack_finish enough
usual=$(sort -n "$state/free" | sed -n 5p)
note "free: $(paste -sd' ' "$state/free")"
[ "$usual" -le $((4 * 32 + 256)) ] || fail "four queues have $usual free pages, beyond their budget"
pass "pages: $usual are free"
# The next case has the usual limits again.
without_disks
