#!/bin/bash
# who says Closed with requests at the disk is Closing until the last of them is home, and its pages are its own

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
withdraw
mapped_only
offer
attack_background <<'END'
connect
mark /tmp/connected
until /tmp/hung
request op=indirect inner=read segs=64 times=8 step=512 wait=0
push
until /tmp/taken
state 6
mark /tmp/closed
await 6
free
END
attack_mark connected
hang
guest_run attacker touch /tmp/hung
wait_until 60 "requests are taken" taken rd_req 8
guest_run attacker touch /tmp/taken
attack_mark closed
await_state "$backend" 5
[ "$(grants_mapped "$(domid attacker)")" -ge 65 ] || fail "pages of requests at the disk are not mapped any more"
sleep 1
await_state "$backend" 5
resume
attack_finish now
expect "grants in use" 0 "$(grants_mapped "$(domid attacker)")"
served
