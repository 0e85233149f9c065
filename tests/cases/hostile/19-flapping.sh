#!/bin/bash
# a frontend that starts, closes and starts as fast as it can keeps nobody busy but itself

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

seconds=${FLAP_SECONDS:-20}
RESTARTS=1 hostile_start
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
	threads=$(parts_of_backend | grep -c "blkback.$(domid attacker)" || :)
	most=$((threads > most ? threads : most))
done
[ "$most" -le 2 ] || fail "there were $most threads and interrupts of one queue"
[ "$most" -gt 0 ] || error "it never was connected"
findings=$(ATTACH_LIMIT=10 find_when_attaching)
[ -z "$findings" ] || fail "$findings, meanwhile"
storm_finish
[[ $(error_node) = *"has started anew more than"* ]] || fail "the frontend was not told why it has to wait: $(error_node)"
[ "$(budget restarts_held)" -gt 0 ] ||
	fail "it did not have to wait"
attack_finish go
pass "for $seconds s"
served
