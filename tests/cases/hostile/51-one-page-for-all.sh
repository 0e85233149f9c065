#!/bin/bash
# a page that is data of several requests at a time, or segments and data at a time, hurts only its guest

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# Of the pool, the last page is taken first: the segments name the page that they are in, and are read over.
for persistent in 0 1; do
	cat <<-END
		set tell-persistent=1 persistent=$persistent
		connect
		fill
		pool pages=16
		request op=indirect inner=read sector=64 seg=0-7@pool15
		pool pages=1024
		verify
		close
	END
done | attack
pass "segments in the page that they name"
attack <<'END'
set queues=2
connect
fill
request op=write sector=0 seg=0-7@pool0 times=16 wait=0
request op=read sector=256 seg=0-7@pool0 times=16 wait=0 queue=1
wait
request op=indirect inner=write nr=1 iref=pool0 expect=any
request op=indirect inner=read nr=1 iref=ring1 expect=error
request op=read sector=64 seg=0-7@ring1 wait=0
push
sleep 500
state 6
await 6
free
END
served
