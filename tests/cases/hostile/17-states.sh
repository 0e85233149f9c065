#!/bin/bash
# whatever state the frontend writes, in whatever state the backend is, there is never more than one connection

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
odd_states="state=0 state=1 state=2 state=3 state=4 state=5 state=6 state=7 state=8 state=-1 state=10 state=2147483648 state= state"

# in_state COMMANDS AFTER STATE...: comes to that state, writes one odd state, and closes when the backend has come to
# the state that this leads to, to stay there; for all of them.
in_state() {
	local text results=("${@:3}")
	for text in $odd_states; do
		printf 'state 1\nawait 2\n%swrite %s\nsleep 200\nawait %s\nstate 6\nawait 6\n%s' \
			"$1" "$text" "${results[0]}" "$2"
		results=("${results[@]:1}")
	done | attack
	expect "threads" "" "$(parts_of attacker)"
}

in_state '' '' 6 2 2 5 5 5 6 2 2 6 6 6 6 6
pass "in InitWait"
in_state $'build\nannounce\nstate 3\nawait 4\nlearn\nstate 4\n' $'free\n' 6 2 4 4 4 5 6 4 4 6 6 6 6 6
pass "Connected"

# Nor is there another one for a moment: it would have another thread.
thread() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/queues/0/pid"; }
attack_background <<'END'
connect
mark /tmp/connected
until /tmp/go
write state=3
sleep 300
write state=4
sleep 300
write state=8
sleep 300
write state=4
sleep 300
mark /tmp/written
until /tmp/end
close
END
attack_mark connected
before=$(thread)
guest_run attacker touch /tmp/go
attack_mark written
expect "thread" "$before" "$(thread)"
attack_finish end
pass "Connected, again and again"

# And when requests are at a disk that hangs.
hung_writes < <(
	echo 'state 6'
	# shellcheck disable=SC2086 # words
	printf 'await 5\nwrite %s\nsleep 200\n' $odd_states
	printf '%s\n' 'await 5' 'mark /tmp/through' 'until /tmp/go' 'state 6' 'await 6' free
)
attack_mark through
expect "threads and interrupts" 2 "$(parts_of attacker | wc -l)"
resume
attack_finish go
pass "Closing, with requests at the disk"
in_state $'build\nannounce\nstate 3\nawait 4\nlearn\nstate 4\nload\nio count=20 ops=r\nstate 5\nawait 5\n' $'free\n' \
	6 2 5 5 5 5 6 5 5 6 6 6 6 6
pass "Closing"
in_state $'build\nannounce\nwrite ring-ref=x\nstate 3\nawait 5\n' $'free\n' 6 5 5 5 5 5 6 5 5 6 6 6 6 6
pass "refused"
in_state $'state 6\nawait 6\n' '' 6 2 6 5 6 6 6 6 6 6 6 6 6 6
pass "Closed"

# Without a disk the backend waits for it.
xenstore-rm "$backend" "$frontend"
wait_until 60 "the disk is gone" there test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number"
by_hand attacker
for text in $odd_states; do
	printf 'write %s\nsleep 200\n' "$text"
done | attack
name_disk "$disk"
frontend_state 1
await_state "$backend" 2
pass "waiting for the disk"
served
