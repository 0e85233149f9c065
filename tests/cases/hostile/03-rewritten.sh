#!/bin/bash
# keys rewritten all the while a frontend connects make one consistent connection, or none

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# All keys that there may be, so that any mixture can be read; the storm writes those that say which of them count.
attack_background <<'END'
build
announce
mark /tmp/announced
until /tmp/go
free
END
attack_mark announced
ring=$(xs_read "$frontend/ring-ref") channel=$(xs_read "$frontend/event-channel")
keys="ring-ref=$ring event-channel=$channel ring-ref0=$ring queue-0/ring-ref0=$ring"
for queue in 0 1 2 3; do
	keys+=" queue-$queue/ring-ref=$ring queue-$queue/event-channel=$channel"
done
texts='write multi-queue-num-queues=4\nwrite protocol=x86_32-abi\nwrite multi-queue-num-queues=1\nwrite ring-page-order=4\n'
texts+='write protocol=x86_64-abi\nwrite ring-page-order=0\nwrite multi-queue-num-queues\nwrite ring-page-order=31\n'
attack <<<"write $keys"
storm 20 "$texts"
for _ in {1..12}; do
	printf 'state 1\nawait 2\nstate 3\nsleep 200\nstate 6\nawait 6\n'
done | attack
storm_finish
attack_finish go
pass "any mixture"

storm 20 "$texts"
for round in {1..8}; do
	printf 'set queues=%s order=%s stale=1\neither\n' $((round % 2 ? 4 : 1)) $((round % 3 ? 0 : 4))
done | attack
storm_finish
xenstore-rm "$backend" "$frontend"
offer
served
