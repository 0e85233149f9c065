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
repeat until=/tmp/enough : request op=discard count=8192 times=32
close
END
others_go_on
pass "others go on"
began=$(clock_of canary)
attack <<'END'
connect
request op=discard count=8192 times=32 wait=0
push
sleep 1000
state 6
await 6
free
END
no_long_wait "$began" "$(hundredths_since "$began")"
pass "closed"

# What waits for its turn when the disk takes none any more is answered so.
attack_background <<'END'
connect
request op=discard count=8192 times=12 wait=0 expect=any
push
mark /tmp/sent
until /tmp/lost
wait
close
END
attack_mark sent
there sh -c 'echo 0 >/sys/block/slow/queue/discard_max_bytes'
attack_finish lost
grep -q 'status=-2' "$state/frontend" || fail "no discard was not supported: $(cat "$state/frontend")"
! grep 'status=-1' "$state/frontend" || fail "a discard that had to wait is an error"
pass "not supported any more"
