#!/bin/bash
# the most queues of the largest rings, of many disks that come and go, cost what is used, and nothing in the end

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
withdraw
for vbd_number in 51728 51744 51760 51776 51792 51808; do
	offer dev "$vbd_number"
	guest_background attacker "disk-$vbd_number" "for i in 1 2; do
		frontend $vbd_number 'patience $own_patience' 'set queues=4 order=4' connect load 'io count=50 ops=r depth=50' || exit 1
	done"
	numbers="${numbers-} $vbd_number"
done
for number in $numbers; do
	guest_finish attacker "disk-$number" || fail "disk $number was not served"
done
