#!/bin/bash
# flushes and barriers with and without data, wherever, have the answer that they should have

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
connect
fill
request op=flush
request op=flush sector=18446744073709551615
request op=barrier
request op=barrier sector=8 segs=11
request op=barrier sector=8192 segs=1 expect=error
request op=barrier sector=18446744073709551615 segs=11 expect=error
request op=flush nr=12 segs=11 expect=error
request op=indirect inner=flush segs=1 expect=error
request op=indirect inner=barrier segs=1 expect=error
verify
END
withdraw
offer mode r
attack <<'END'
connect
request op=flush expect=error
request op=barrier expect=error
request op=barrier segs=11 expect=error
END
pass "read-only"
withdraw

# A disk that does not know any more what it said that it could.
there insmod /job/erasable.ko
at_end there rmmod erasable
disk=/dev/erasable
offer
attack_background <<'END'
set queues=2
connect
fill
request op=discard count=8
request op=flush
request op=barrier
mark /tmp/discarded
until /tmp/forgotten
request op=discard count=8 expect=notsupp
request op=flush expect=notsupp
request op=barrier segs=1 expect=notsupp
io count=50
request op=barrier queue=1 expect=notsupp
io count=50
verify
END
attack_mark discarded
there sh -c 'echo 1 >/sys/module/erasable/parameters/forgetful'
attack_finish forgotten
pass "a disk that answers with 'not supported'"
