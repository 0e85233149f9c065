#!/bin/bash
# a guest saved and restored ten times under load reads what it has written, though it is offered something else each time
# Takes long.

# shellcheck source=tests/cases/moving.sh
. /job/tests/cases/moving.sh

# offer QUEUES ORDER PERSISTENT: to those who connect from now on. The guest takes all of it.
offer() {
	queues=$1 order=$2 persistent=$3
	parameter max_queues "$1"
	parameter max_ring_page_order "$2"
	parameter feature_persistent "$3"
}

# connection FILE: what was agreed with the guest.
connection() { cat "$(backend_sysfs mover xvdb)/connection/$1"; }

# More pages of rings, with all that may stay mapped, would be too much for so small a guest.
FRONTEND=frontend.max_ring_page_order=1 mover_start 2 "memory=160"
at_end rm -f /tmp/saved
for round in 1 2 3 4 5 6 7 8 9 10; do
	load_goes_on mover
	xl save mover /tmp/saved || fail "round $round: xl save"
	wait_until 60 "round $round: nothing is left of the one that was saved" nothing_left
	case $((round % 4)) in
	0) offer 2 1 1 ;;
	1) offer 1 0 0 ;;
	2) offer 2 0 0 ;;
	3) offer 1 1 1 ;;
	esac
	xl restore /tmp/saved || fail "round $round: xl restore"
	mover_arrived
	expect "queues" "$queues" "$(connection queues)"
	expect "pages of a ring" $((1 << order)) "$(connection ring_pages)"
	expect "persistent grants" "$persistent" "$(connection features | grep -cw persistent || :)"
	note "round $round, after $SECONDS s"
done
mover_stop
