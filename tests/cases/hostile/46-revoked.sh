#!/bin/bash
# grants that are taken back while they are in use, by a frontend that dies or all at once, cost nobody else anything
# On two CPUs, too.

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

# exchange: the pages of the first two grants of the pool, which are mapped.
exchange() {
	local grants mapped
	grants=$(guest_run attacker "sed -n 's/^pool page=[01] grant=//p' /tmp/frontend.output")
	mapped=$(grants_of "$(domid attacker)" | grep -cxF "$grants" || :)
	expect "of two pages there are mapped" 2 "$mapped"
	guest_run attacker "echo ${grants/$'\n'/ } >/sys/module/oddgrants/parameters/swap" || error "they are not exchanged"
}

# What is mapped is the page that it was when it was mapped, whatever the grant is changed to.
odd_grants
attack_background <<'END'
pool oldest=1 show=1
set tell-persistent=1 persistent=1
connect
fill
io count=300
mark /tmp/kept
until /tmp/exchanged
io count=300
mark /tmp/used
until /tmp/exchanged
verify
END
attack_mark kept
exchange
guest_run attacker touch /tmp/exchanged
attack_mark used
exchange
attack_finish exchanged
pass "for other pages, with pages that were kept"

# Xen changes no table of which a grant is in use.
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
