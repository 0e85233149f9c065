#!/bin/bash
# keys rewritten all the while a frontend connects make one consistent connection, or none
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# All keys that there may be, so that any mixture can be read; the storm writes those that say which of them count.
attack_background <<'END'
build
announce
mark /tmp/announced
until /tmp/go
free
END
attack_mark announced
ring=$(xs_read "$frontend/ring-ref") channel=$(xs_read "$frontend/event-channel")
keys="ring-ref=$ring event-channel=$channel ring-ref0=$ring queue-0/ring-ref0=$ring"
for queue in 0 1 2 3; do
	keys+=" queue-$queue/ring-ref=$ring queue-$queue/event-channel=$channel"
done
texts='write multi-queue-num-queues=4\nwrite protocol=x86_32-abi\nwrite multi-queue-num-queues=1\nwrite ring-page-order=4\n'
texts+='write protocol=x86_64-abi\nwrite ring-page-order=0\nwrite multi-queue-num-queues\nwrite ring-page-order=31\n'
attack <<<"write $keys"
storm $((20 * slow)) "$texts"
for _ in {1..12}; do
	printf 'state 1\nawait 2\nstate 3\nsleep 200\nstate 6\nawait 6\n'
done | attack
storm_finish
attack_finish go
pass "any mixture"

decided() { state_is "$backend" 4 || state_is "$backend" 5; }

# agreed: protocol, queues and pages of a ring.
agreed() { there sh -c "cd $sysfs/connection && paste -d' ' protocol queues ring_pages"; }

# one_connection PROTOCOL QUEUES PAGES: of what the storm has written, and there is just as much of everything.
one_connection() {
	local parts mapped
	[[ $* =~ ^x86_(32|64)-abi\ [14]\ (1|16)$ ]] || fail "$*: that is nothing that was written"
	parts=$(parts_of attacker | wc -l)
	expect "$*: threads and interrupts" $((2 * $2)) "$parts"
	expect "$*: folders of queues" "$2" "$(there sh -c "ls -d $sysfs/queues/*" | wc -l)"
	mapped=$(grants_mapped "$(domid attacker)")
	[ "$mapped" -le $(($2 * $3)) ] || fail "$*: $mapped pages are mapped"
}

sysfs=/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number
storm $((120 * slow)) "$texts"
served=0 own=0
for round in {1..24}; do
	if [ "$round" -gt 8 ] && [ "$own" -gt 0 ]; then break; fi
	queues=$((round % 2 ? 4 : 1)) order=$((round % 3 ? 0 : 4))
	attack_background <<-END
		set queues=$queues order=$order stale=1
		build
		announce
		state 1
		await 2
		state 3
		mark /tmp/asked
		until /tmp/seen
		when /tmp/own : learn; state 4; load; io count=20
		state 6
		await 6
		free
	END
	attack_mark asked
	wait_until 60 "the frontend is served or refused" decided
	if state_is "$backend" 4; then
		served=$((served + 1))
		connection=$(agreed)
		# shellcheck disable=SC2086 # three words
		one_connection $connection
		note "round $round: $connection"
		# Rings are as the frontend has made them.
		if [ "$connection" = "x86_64-abi $queues $((1 << order))" ]; then
			own=$((own + 1))
			expect "pages mapped" $((queues << order)) "$(grants_mapped "$(domid attacker)")"
			guest_run attacker touch /tmp/own
		fi
	fi
	attack_finish seen
done
storm_end
[ "$own" -gt 0 ] || error "it never was connected as it had asked for, but $served times otherwise"
pass "one connection, $served times, $own of them with rings as they were made"
xenstore-rm "$backend" "$frontend"
offer
served
