#!/bin/bash
# an index that goes back before anybody has looked changes nothing, and one that goes back later stops the ring
# On two CPUs, too.

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
pass "one step back"

# All the time, while the backend looks: nothing is done twice, whatever was seen.
times=$((40 / slow))
before=$(statistic wr_req)
broken=$(statistic ring_errors)
attack <<<$'connect\nload\nclose\n'"repeat times=$times : connect; swing; close"
writes=$(($(statistic wr_req) - before))
broken=$(($(statistic ring_errors) - broken))
note "$times rings of 32 writes: $writes writes, $broken rings stopped"
[ "$writes" -gt 0 ] || error "nothing was written"
[ "$broken" -gt 0 ] || error "no ring was stopped"
[ "$writes" -le $((32 * times)) ] || fail "$writes writes of $((32 * times))"
served
pass "forth and back: $broken of $times rings stopped"
