#!/bin/bash
# a ring of more pages than were offered is refused

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
{
	for order in 5 31 32 4294967295; do
		echo "key ring-page-order=$order"
		echo "refused ring-page-order is $order, and 0 to 4 were offered"
	done
	echo "key ring-page-order=4294967296"
	echo "refused is \"4294967296\", which is not a number"
} | attack
served
