#!/bin/bash
# frontends that are too early, or change between Closing and Connected with requests on their way, are served or closed

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
withdraw
by_hand attacker physical-device -
attack_background <<'END'
build
announce
state 3
mark /tmp/early
await 4
learn
state 4
io count=50 leave=1
state 5
wait
io count=50 leave=1
state 4
wait
io count=50 leave=1
state 5
await 5
wait
state 4
io count=50
state 6
await 6
free
END
attack_mark early
expect "threads" "" "$(parts_of attacker)"
name_disk "$disk"
attack_finish now
pass "Initialised before there is a disk"
attack <<'END'
state 1
await 2
build
announce
state 4
await 4
learn
io
END
served
