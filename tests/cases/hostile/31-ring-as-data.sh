#!/bin/bash
# a page of the ring as data, or as a page of segments, hurts only who has said so

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
connect
fill
request op=write sector=8 seg=0-7@ring expect=any
request op=indirect inner=write nr=8 iref=ring expect=error
request op=indirect inner=read nr=1 iref=ring expect=error
verify
request op=read sector=8 seg=1-7@ring wait=0
push
sleep 500
state 6
await 6
free
END
attack <<'END'
set queues=2
connect
request op=read sector=0 seg=0-7@ring1 wait=0
push
sleep 500
ring queue=1 req_prod=12345678
notify queue=1
halted
END
served
