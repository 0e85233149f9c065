#!/bin/bash
# feature-persistent holds for a connection, and is refused if it is no number

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for text in yes -1 '' 1x; do
	echo "key feature-persistent=$text"
	echo "refused feature-persistent is \"$text\", which is not a number"
done | attack
attack_background <<'END'
set tell-persistent=1 persistent=1
connect
fill
io count=100
mark /tmp/kept
until /tmp/then
close
set persistent=0
connect
write feature-persistent=1
io count=100
verify
mark /tmp/not
until /tmp/last
close
key feature-persistent=2
connect
io count=100
verify
mark /tmp/again
until /tmp/end
END
attack_mark kept
[ "$(grants_mapped "$(domid attacker)")" -gt 1 ] || fail "no page was kept"
guest_run attacker touch /tmp/then
attack_mark not
expect "grants in use without feature-persistent" 1 "$(grants_mapped "$(domid attacker)")"
guest_run attacker touch /tmp/last
attack_mark again
[ "$(grants_mapped "$(domid attacker)")" -gt 1 ] || fail "no page was kept for feature-persistent=2"
attack_finish end
