#!/bin/bash
# events without requests, and requests one by one, keep no one busy but their guest

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
interrupts() { there sh -c "awk '/blkback.$(domid attacker)/ { sum += \$2 } END { print sum + 0 }' /proc/interrupts"; }
attack_background <<END
set queues=4
connect
fill
mark /tmp/connected
until /tmp/go
notify queue=0 times=20000
notify queue=1 times=20000
notify queue=2 times=20000
notify queue=3 times=20000
mark /tmp/sent
until /tmp/counted
$(for _ in {1..100}; do printf 'request op=read segs=1\nsleep 1\n'; done)
io count=100
verify
END
attack_mark connected
before=$(interrupts)
guest_run attacker touch /tmp/go
attack_mark sent
taken=$(($(interrupts) - before))
[ "$taken" -lt 8000 ] || fail "80000 events became $taken interrupts"
pass "80000 events, $taken interrupts"
attack_finish counted
