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

# Requests one by one, so that none of the events is for nothing, but there are ten times as many.
attack_background <<'END'
connect
fill
mark /tmp/connected
until /tmp/go
repeat times=200 : request op=read segs=1 wait=0; push; notify times=10; wait
mark /tmp/sent
until /tmp/counted
verify
END
attack_mark connected
before=$(interrupts)
guest_run attacker touch /tmp/go
attack_mark sent
taken=$(($(interrupts) - before))
{ [ "$taken" -gt 0 ] && [ "$taken" -le 600 ]; } || fail "200 requests with 2000 events became $taken interrupts"
pass "200 requests one by one, 2000 events, $taken interrupts"
attack_finish counted

# What is behind a barrier has to wait for it, and no event changes that.
attack_background <<'END'
set queues=2
connect
fill
mark /tmp/connected
until /tmp/hung
request op=barrier segs=1 wait=0
push
mark /tmp/barrier
until /tmp/taken
request op=read segs=1 wait=0
request op=read segs=1 queue=1 wait=0
push
sleep 1000
mark /tmp/waiting
until /tmp/go
notify queue=0 times=20000
notify queue=1 times=20000
mark /tmp/sent
until /tmp/resumed
wait
verify
END
attack_mark connected
barriers=$(statistic f_req)
hang
guest_run attacker touch /tmp/hung
attack_mark barrier
wait_until 60 "the barrier is at the disk" taken f_req $((barriers + 1))
guest_run attacker touch /tmp/taken
attack_mark waiting
before=$(interrupts)
guest_run attacker touch /tmp/go
attack_mark sent
taken=$(($(interrupts) - before))
resume
[ "$taken" -lt 4000 ] || fail "40000 events, while a barrier was at the disk, became $taken interrupts"
pass "40000 events while a barrier is at the disk, $taken interrupts"
attack_finish resumed
