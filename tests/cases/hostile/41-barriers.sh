#!/bin/bash
# barriers without end on one queue, with writes on the others, do not stop anybody

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
set queues=4 order=2
connect
fill
io count=200 depth=100 ops=bbbw max=8
verify
mark /tmp/busy
flood until=/tmp/enough op=barrier segs=1
verify
END
others_go_on
