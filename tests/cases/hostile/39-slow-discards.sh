#!/bin/bash
# a ring full of discards of the whole disk, which is slow, keeps nobody waiting but its guest

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

there null_disk slow memory_backed=1 size=4 discard=1 irqmode=2 completion_nsec=500000000
disk=/dev/slow
hostile_start
attack_background <<'END'
connect
mark /tmp/busy
repeat until=/tmp/enough : request op=discard count=8192 times=8
close
END
others_go_on
pass "others go on"
attack <<'END'
connect
request op=discard count=8192 times=32 wait=0
push
sleep 1000
state 6
await 6
free
END
pass "closed"
