#!/bin/bash
# an index that goes back before anybody has looked changes nothing, and one that goes back later stops the ring

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
connect
fill
mark /tmp/filled
until /tmp/go
sleep 3000
request op=write sector=64 segs=1 times=8 step=8 wait=0
ring beyond=0
ring beyond=4294967288
wait
verify
ring beyond=4294967288
notify
halted moved its request index out of bounds
END
attack_mark filled
before=$(statistic wr_req)
broken=$(statistic ring_errors)
attack_finish go
expect "writes" 8 "$(($(statistic wr_req) - before))"
served
expect "errors of rings" 1 "$(($(statistic ring_errors) - broken))"
