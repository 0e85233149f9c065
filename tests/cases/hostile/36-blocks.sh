#!/bin/bash
# on a disk of blocks of 4096 bytes all that is not whole blocks is an error

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

there null_disk fourk blocksize=4096 memory_backed=1 size=4 discard=1
disk=/dev/fourk
hostile_start
attack <<'END'
connect
fill
request op=write sector=4 segs=1 expect=error
request op=write sector=1 segs=1 expect=error
request op=write sector=8 seg=0-3 expect=error
request op=write sector=8 seg=4-7 expect=error
request op=write sector=8 seg=0-7 seg=1-7 expect=error
request op=read sector=8 seg=0-3 seg=4-7 expect=error
request op=indirect inner=write sector=8 seg=0-7 seg=0-6 expect=error
request op=indirect inner=write sector=12 segs=20 expect=error
request op=write sector=8 segs=2
discard sector=4 count=8 expect=error
discard sector=8 count=4 expect=error
verify
END
