#!/bin/bash
# more requests than there are slots: the rings are stopped, the reason is told, it is counted, and the frontend may come again

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# halts QUEUE BEYOND: the commands for that. The frontend stays until it is told to go.
halts() {
	cat <<-END
		ring queue=$1 beyond=$2
		notify queue=$1
		await 5
		mark /tmp/halted
		until /tmp/go
		state 6
		await 6
		free
	END
}

hostile_start
before=$(statistic ring_errors)
# All is given back by the time that the frontend can know it, not when it has left.
attack_background < <(
	printf '%s\n' 'set queues=2 order=2' connect load 'io count=50'
	halts 1 129
)
attack_mark halted
nothing_held() {
	[ "$(grants_mapped "$(domid attacker)")" = 0 ] && [ "$(channels_of "$(domid attacker)")" = "$(cat "$baseline/channels")" ] &&
		[ -z "$(parts_of attacker)" ]
}
wait_until 60 "all is given back" nothing_held
attack_finish go
pass "all is given back"
for beyond in 33 2147483648 4294967295 1234567890; do
	cat <<-END
		set queues=2 order=0
		connect
		load
		io count=50
		ring queue=1 beyond=$beyond
		notify queue=1
		halted moved its request index out of bounds; its rings are stopped
	END
done | attack
served
expect "errors of rings" 5 "$(($(statistic ring_errors) - before))"

# Requests that are at the disk then keep their pages until they are done, and no longer.
withdraw
mapped_only
offer
hung_writes < <(halts 0 33)
attack_mark halted
[ "$(grants_mapped "$(domid attacker)")" -ge 64 ] || fail "pages of requests at the disk are not mapped any more"
resume
wait_until 60 "all is given back" nothing_held
attack_finish go
expect "errors of rings" 1 "$(statistic ring_errors)"
pass "with requests at the disk"
