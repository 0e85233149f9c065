#!/bin/bash
# who never takes responses and uses their slots again costs no memory, and gets responses to all of them

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
connect
fill
mark /tmp/busy
flood until=/tmp/enough op=write segs=11
io count=100
verify
END
others_go_on
# As much as one request can have, beyond the ring's own.
[ "$missing" -le $((memory_limit + 352 * 4)) ] || fail "dom0 has $missing KiB less meanwhile"
