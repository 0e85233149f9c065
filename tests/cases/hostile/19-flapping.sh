#!/bin/bash
# a frontend that starts, closes and starts as fast as it can keeps nobody busy but itself

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

seconds=${FLAP_SECONDS:-20}
hostile_start
attack_background <<'END'
build
announce
mark /tmp/announced
until /tmp/go
state 6
await 6
free
END
attack_mark announced
storm "$seconds" 'state 6\nstate 1\nstate 3\nstate 4\nstate 1\nstate 3\n'
# Threads and interrupts, and each thread's number.
end=$((SECONDS + seconds)) most=0
: >"$state/threads"
while [ "$SECONDS" -lt "$end" ]; do
	parts=$(parts_of_backend | grep -c "blkback.$(domid attacker)" || :)
	most=$((parts > most ? parts : most))
	there sh -c "grep -ls '^blkback.$(domid attacker)' /proc/[0-9]*/comm || :" >>"$state/threads"
done
[ "$most" -le 2 ] || fail "there were $most threads and interrupts of one queue"
connections=$(sort -u "$state/threads" | wc -l)
[ "$connections" -gt 1 ] || error "it was connected $connections times only"
findings=$(ATTACH_LIMIT=10 find_when_attaching)
[ -z "$findings" ] || fail "$findings, meanwhile"
storm_finish
attack_finish go
pass "for $seconds s, $connections connections and more"

without_disks
RESTARTS=1 hostile_start
attack_background <<<'repeat until=/tmp/enough : state 1; await 2; state 6; await 6'
has_to_wait() { [ "$(budget restarts_held)" -gt 0 ]; }
wait_until 60 "it has to wait" has_to_wait
told "has started anew more than"
attack_finish enough
pass "not more often than it may"
served
