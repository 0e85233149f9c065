#!/bin/bash
# a guest saved and restored ten times under load reads what it has written
# Takes long.

# shellcheck source=tests/cases/moving.sh
. /job/tests/cases/moving.sh

mover_start 2
at_end rm -f /tmp/saved
for round in 1 2 3 4 5 6 7 8 9 10; do
	load_goes_on mover
	xl save mover /tmp/saved
	wait_until 60 "round $round: nothing is left of the one that was saved" nothing_left
	xl restore /tmp/saved
	mover_arrived
	note "round $round, after $SECONDS s"
done
mover_stop
