#!/bin/bash
# files in sysfs and debugfs read all the time do no harm to a disk that comes and goes
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# read_all NAME FOLDER: all files of the attacker's disk below that, with their names, again and again.
read_all() {
	there sh -c "while [ ! -e $state/enough ]; do
		find $2/vbd-$(domid attacker)-*/ -type f -exec grep -H '' {} +; sleep 0.1
	done >$state/$1 2>/dev/null </dev/null 3>&1 &"
}

# seen NAME FILE: the reader has come to that one.
seen() { there grep -qm 1 "/$2:" "$state/$1"; }

all_seen() { seen sysfs queues/3/reads && seen sysfs connection/protocol && seen debugfs queue-3/ring; }

hostile_start
there sh -c "rm -f $state/enough"
at_end there rm -f "$state/sysfs" "$state/debugfs"
at_end there touch "$state/enough"
read_all sysfs /sys/bus/xen-backend/devices
read_all debugfs /sys/kernel/debug/xen-blkback
# Three times at least, and until the readers, who may be slow, have come to all of it.
for ((round = 0; round < 20; round++)); do
	if [ "$round" -ge 3 ] && all_seen; then break; fi
	printf 'set queues=4 order=2\nconnect\nload\nio count=50 ops=r\nclose\nconnect\n' | attack
	xenstore-rm "$backend" "$frontend"
	offer
done
all_seen || error "not all was read meanwhile"
there touch "$state/enough"
served
