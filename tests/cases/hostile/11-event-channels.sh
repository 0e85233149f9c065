#!/bin/bash
# an event channel that is not the frontend's to offer is refused, and whoever has it notices nothing

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# 1 and 2 are xenstore's and the console's, to which this domain is the other end as well.
for number in 0 1 2 60 100000 4294967295; do
	echo "key event-channel=$number"
	echo "refused cannot bind event channel $number of ring 0"
done | attack
pass "none, huge, not open, or another's"
attack_background <<'END'
set queues=2
state 1
await 2
build
announce
mark /tmp/announced
until /tmp/go
state 3
halted of ring 1
END
attack_mark announced
xenstore-write "$frontend/queue-1/event-channel" "$(xs_read "$frontend/queue-0/event-channel")"
attack_finish go
pass "the same for two queues"

attack_background <<'END'
connect
fill
mark /tmp/connected
until /tmp/go
io count=50
verify
END
attack_mark connected
channel=$(xs_read "$frontend/event-channel")
another_disk
attack <<END
key event-channel=$channel
refused cannot bind event channel $channel of ring 0
defaults
set queues=2
key queue-1/event-channel=$channel
refused cannot bind event channel $channel of ring 1
END
first_disk
attack_finish go
pass "another disk's"
