#!/bin/bash
# a read-only disk is not written to, by no request that there is

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
withdraw
there dd if=/dev/urandom of="$disk" bs=1M count=4 status=none
sum=$(there sum_of "$disk")
offer mode r
attack <<'END'
connect
load
request op=write segs=11 expect=error
request op=write sector=8184 segs=1 expect=error
request op=write nr=0 expect=error
request op=barrier segs=1 expect=error
request op=barrier expect=error
request op=flush expect=error
request op=flush segs=1 expect=error
request op=indirect inner=write segs=1 expect=error
request op=indirect inner=write segs=256 expect=error
discard sector=0 count=8192 expect=error
discard sector=0 count=8 flag=1 expect=error
untouched
race rounds=100
verify
END
expect "checksum" "$sum" "$(there sum_of "$disk")"
