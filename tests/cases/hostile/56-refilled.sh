#!/bin/bash
# a ring that is never empty leaves the CPU to others

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
set queues=4
connect
load
flood ms=6000 op=read segs=1
flood ms=3000 op=read segs=11
verify
END
