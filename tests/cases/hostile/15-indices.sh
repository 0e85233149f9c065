#!/bin/bash
# rings may begin anywhere, and one that has more requests than slots, or has from the start, is stopped

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for start in 4294967295 4294967290 2147483647; do
	printf 'set start=%s\nconnect\nload\nio count=100\nverify\nclose\n' "$start"
done | attack
pass "served over the wrap"
attack <<'END'
connect
ring beyond=33
notify
halted moved its request index out of bounds; its rings are stopped
build
ring req_prod=33
announce
state 1
await 2
state 3
halted more requests
END
pass "stopped"
# Requests that are there before the backend is.
attack <<'END'
build
request op=read segs=1 times=5 wait=0
push
announce
state 1
await 2
state 3
await 4
learn
state 4
wait
END
served
