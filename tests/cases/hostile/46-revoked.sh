#!/bin/bash
# grants that are taken back while they are in use, by a frontend that dies or all at once, cost nobody else anything

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
mapped_only
withdraw
offer
hung_writes <<<'until /tmp/never'
attack_kill
frontend_state 1
sleep 1
resume
await_state "$backend" 2
pass "died with requests at the disk"

attack_background <<'END'
set tell-persistent=1 persistent=1
connect
fill
io count=200
mark /tmp/used
until /tmp/never
END
attack_mark used
attack_kill
frontend_state 1
await_state "$backend" 2
pass "died with pages that were kept"

# Xen changes no table of which a grant is in use.
odd_grants
attack_background <<'END'
set queues=2
connect
fill
mark /tmp/connected
until /tmp/changed
io count=50
verify
END
attack_mark connected
answer=$(guest_run attacker "echo 1 >/sys/module/oddgrants/parameters/version" 2>&1) || :
[[ $answer = *busy* ]] || fail "the guest has changed its table of grants, with two rings mapped: $answer"
attack_finish changed
pass "another version of the table of grants"
served
