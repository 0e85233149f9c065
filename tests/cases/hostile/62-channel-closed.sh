#!/bin/bash
# an event channel closed with requests on their way stops nothing but the events

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
set queues=2
connect
request op=read segs=8 times=20 step=64 wait=0
request op=read segs=8 times=20 step=64 wait=0 queue=1
deaf queue=1
push
sleep 500
state 6
await 6
free
END
pass "of a queue"
for _ in 1 2 3; do
	attack_background <<-END
		set queues=4
		connect
		mark /tmp/connected
		flood ms=60000 op=read segs=8
	END
	attack_mark connected
	guest_run attacker killall -9 frontend
	guest_finish attacker frontend || note "it is dead"
	frontend_state 1
	await_state "$backend" 2
done
# Keys of the last one.
xenstore-rm "$backend" "$frontend"
offer
served
