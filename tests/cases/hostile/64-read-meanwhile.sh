#!/bin/bash
# files in sysfs read all the time do no harm to a disk that comes and goes

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
at_end there touch "$state/enough"
there sh -c "while [ ! -e $state/enough ]; do
	cat /sys/bus/xen-backend/devices/vbd-*/* /sys/bus/xen-backend/devices/vbd-*/*/*; sleep 0.3
done >/dev/null 2>&1 </dev/null 3>&1 &"
for _ in 1 2 3; do
	printf 'set queues=4 order=2\nconnect\nload\nio count=50 ops=r\nclose\nconnect\n' | attack
	xenstore-rm "$backend" "$frontend"
	offer
done
there touch "$state/enough"
served
