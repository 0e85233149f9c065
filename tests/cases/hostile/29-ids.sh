#!/bin/bash
# an id means nothing, and comes back

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
connect
load
request op=write segs=1 id=18446744073709551615
request op=read segs=1 times=20 id=7
request op=read segs=1 times=20 id=0
request op=77 id=18446744073709551615 expect=notsupp
verify
END
