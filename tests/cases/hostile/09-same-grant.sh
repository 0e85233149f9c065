#!/bin/bash
# the same grant twice in a ring, in two queues, or in two disks, does no harm, and neither does one that is read-only

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<'END'
set order=2
key ring-ref1=@pool5 ring-ref2=@pool5
connect
flood ms=500 op=read segs=1
state 6
await 6
free
defaults
key ring-ref=@ro5
refused cannot map grant
END
pass "in a ring, read-only"
# Whatever one queue answers looks like requests to the other, and may stop both.
attack <<'END'
set queues=2
build
announce
write queue-1/ring-ref=@ring0
state 1
await 2
state 3
await 4
ring req_prod=32
notify queue=0
notify queue=1
sleep 500
state 6
await 6
free
END
pass "in two queues"

# The ring of one disk is another's, too, while it is in use.
attack_background <<'END'
connect
mark /tmp/connected
flood until=/tmp/enough op=read segs=1
state 6
await 6
free
END
attack_mark connected
ring=$(xs_read "$frontend/ring-ref")
another_disk
attack <<END
key ring-ref=$ring
either
END
first_disk
attack_finish enough
pass "in two disks"
served
