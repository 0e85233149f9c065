#!/bin/bash
# a guest that writes all the time to all keys of many disks does not keep others from getting theirs

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# How often in ten seconds each may start anew; a slow host does not come to more.
RESTARTS=$((slow > 1 ? 1 : 3)) hostile_start
withdraw
disks="51728 51744 51760 51776"
for vbd_number in $disks; do
	offer dev "$vbd_number"
done
# A frontend that was refused has to leave before it may come again.
for vbd_number in $disks; do
	storm 30 'write ring-ref=8 event-channel=1 protocol=x protocol feature-persistent=1 multi-queue-num-queues=1 ring-page-order=0 queue-0/ring-ref=8 device-type=disk x/y/z=1\nstate 6\nstate 1\nstate 3\n'
done
findings=$(ATTACH_LIMIT=10 find_when_attaching)
[ -z "$findings" ] || fail "$findings, during the storm"
held=0
for vbd_number in $disks; do
	storm_finish
	held=$((held + $(budget restarts_held)))
	/guest/nodes <<-END || fail "disk $vbd_number does not close"
		write ${frontend%/*}/$vbd_number/state 6
		write ${backend%/*}/$vbd_number/online 0
		await $((60 * slow)) ${backend%/*}/$vbd_number/state 6
	END
done
[ "$held" -gt 0 ] || error "the backends were stuck, or hardly looked: no frontend had to wait for its next start"
