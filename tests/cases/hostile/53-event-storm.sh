#!/bin/bash
# events without requests, and requests one by one, keep no one busy but their guest

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
interrupts() { there sh -c "awk '/blkback.$(domid attacker)/ { sum += \$2 } END { print sum + 0 }' /proc/interrupts"; }
# How long, in jiffies, the kernel has kept back events of the disk, as the driver says that some were for nothing.
kept_back() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/xenbus/jiffies_eoi_delayed"; }

# send: the attacker goes on until it has sent its events. Sets $taken to how many interrupts they became, and $slowed.
send() {
	local before slow_before
	before=$(interrupts) slow_before=$(kept_back)
	guest_run attacker touch /tmp/go
	attack_mark sent
	taken=$(($(interrupts) - before)) slowed=$(($(kept_back) - slow_before))
}

# The kernel keeps back every other one, for a jiffy at least.
slowed_down() {
	[ "$slowed" -ge $((taken / 8)) ] || fail "$taken interrupts for nothing were kept back for $slowed jiffies only: $1"
}

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
send
slowed_down "there are no requests"
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
send
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
send
resume
slowed_down "a barrier is waited for"
[ "$taken" -lt 4000 ] || fail "40000 events, while a barrier was at the disk, became $taken interrupts"
pass "40000 events while a barrier is at the disk, $taken interrupts"
attack_finish resumed
