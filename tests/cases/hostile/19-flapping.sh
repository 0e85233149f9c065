#!/bin/bash
# a frontend that starts, closes and starts as fast as it can does not keep others from being served
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

seconds=${FLAP_SECONDS:-$((20 * slow))}
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
end=$((SECONDS + seconds)) most=0
while [ "$SECONDS" -lt "$end" ]; do
	parts=$(parts_of attacker | wc -l)
	most=$((parts > most ? parts : most))
done
[ "$most" -le 2 ] || fail "there were $most threads and interrupts of one queue"
connections=$(log_since "case $CASE" | grep -c "vbd-$(domid attacker)-$vbd_number: .* connected," || :)
[ "$connections" -gt 0 ] || error "it never was connected"
findings=$(ATTACH_LIMIT=10 find_when_attaching)
[ -z "$findings" ] || fail "$findings, meanwhile"
storm_finish
attack_finish go
pass "for $seconds s, $connections connections and more"

without_disks
RESTARTS=1 hostile_start
attack_background <<<'repeat until=/tmp/enough : state 1; sleep 100; state 6; sleep 100'
has_to_wait() { [ "$(budget restarts_held)" -gt 0 ]; }
wait_until 60 "it has to wait" has_to_wait
told "the frontend has started anew more than 1 times"
# Once for each ten seconds, whatever it does meanwhile.
began=$SECONDS
sleep $((5 * slow))
held=$(budget restarts_held)
[ "$held" -le $(((SECONDS - began) / 10 + 3)) ] || fail "it had to wait $held times, in $((SECONDS - began)) s"
attack_finish enough
attack <<<$'state 6\nawait 6'
pass "not more often than it may"
served

# The first disk starts anew once; the second one has to wait then, and is told why.
without_disks
GUEST_RESTARTS=1 hostile_start
first=$vbd_number
another_disk
own_run attacker "$first" <<<$'state 6\nawait 6\nstate 1\nawait 2'
attack_background <<<$'state 6\nawait 6\nstate 1\nawait 2'
wait_until 60 "the second disk has to wait" has_to_wait
told "the guest's frontends have started anew more than 1 times"
attack_finish
first_disk
without_disks
pass "nor may all its disks together"
