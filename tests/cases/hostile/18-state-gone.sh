#!/bin/bash
# a state that vanishes or is garbled, with requests at the disk and events all the while, closes when they come home

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for text in state state=garbage state=-1; do
	attack_background <<-END
		connect
		fill
		mark /tmp/connected
		until /tmp/hung
		request op=write segs=4 times=8 step=32 wait=0
		push
		write $text
		notify times=2000
		mark /tmp/gone
		until /tmp/back
		state 6
		await 6
		free
	END
	attack_mark connected
	hang
	guest_run attacker touch /tmp/hung
	attack_mark gone
	await_state "$backend" 5
	resume
	attack_finish back
done
served
