#!/bin/bash
# a number of queues that was not offered is refused

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for number in 0 5 4294967295; do
	echo "key multi-queue-num-queues=$number"
	echo "refused multi-queue-num-queues is $number, and 1 to 4 were offered"
done | attack
served
