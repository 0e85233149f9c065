#!/bin/bash
# an event channel closed with requests on their way stops but the events, and a guest that starts anew, by kexec or from a file, leaves nothing mapped
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
set queues=2
connect
request op=read segs=8 times=20 step=64 wait=0
request op=read segs=8 times=20 step=64 wait=0 queue=1
push
deaf queue=1
sleep 500
state 6
await 6
free
END
pass "of a queue"
# The whole program goes, and with it what it has granted.
for _ in 1 2 3; do
	attack_background <<-END
		set queues=4
		connect
		mark /tmp/connected
		flood ms=60000 op=read segs=8
	END
	attack_mark connected
	attack_kill
	frontend_state 1
	await_state "$backend" 2
done
# Keys of the last one.
xenstore-rm "$backend" "$frontend"
offer
pass "of all queues"

# keep_pages: some stay mapped; then the attacker does what standard input says.
keep_pages() {
	attack_background < <(
		printf '%s\n' 'set queues=2 tell-persistent=1 persistent=1' connect fill 'io count=200' 'mark /tmp/kept'
		cat
	)
	attack_mark kept
	[ "$(grants_mapped "$(domid attacker)")" -gt 20 ] || error "hardly a page was kept"
}

# As kexec does: without a word, and all stays granted.
keep_pages <<'END'
until /tmp/go
drop
set persistent=0
connect
verify
mark /tmp/anew
until /tmp/on
io count=50
close
release
END
guest_run attacker touch /tmp/go
attack_mark anew
expect "grants in use after kexec" 2 "$(grants_mapped "$(domid attacker)")"
attack_finish on
pass "kexec with pages kept mapped"

withdraw
mapped_only
offer
hung_writes <<'END'
drop
state 1
mark /tmp/dropped
until /tmp/resumed
connect
verify
close
release
END
attack_mark dropped
await_state "$backend" 5
[ "$(grants_mapped "$(domid attacker)")" -ge 64 ] || fail "pages of requests at the disk are not mapped any more"
resume
attack_finish resumed
expect "grants in use" 0 "$(grants_mapped "$(domid attacker)")"
pass "kexec with requests at the disk"

# What Xen knows of the old guest's grants goes with it, odd ones, too; the new one's kernel grants nothing of what the
# program had.
odd_grants
keep_pages <<<'until /tmp/never'
id=$(domid attacker)
at_end rm -f /tmp/attacker
xl save attacker /tmp/attacker || fail "the guest cannot be saved"
gone() { ! xl list "$id"; }
wait_until 60 "nothing is left of the guest that was saved" gone
xenstore-rm "$backend"
xl restore /tmp/attacker || fail "the guest cannot be restored"
guest_wait attacker
# The program sleeps on: the guest's kernel would not survive that it closes event channels of before.
offer
served
pass "saved and restored with pages kept mapped"
# Its odd grants are lost, too, so the next case has another one. Its event channels are counted anew.
xl destroy attacker
xenstore-rm "$backend"
attacker_start
channels_of "$(domid attacker)" >"$baseline/channels"
