#!/bin/bash
# of a page that is granted in part just that part is read and written, by copying; to map it is an error

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
odd_grants
# The first half of the page is granted. answers HALF OTHER: expected for requests within it, and beyond it.
answers() {
	printf 'connect\nfill\n'
	for op in read write; do
		cat <<-END
			request op=$op sector=64 seg=0-3@$part expect=$1
			request op=$op sector=64 seg=3-3@$part expect=$1
			request op=$op sector=64 seg=0-7@$part expect=$2
			request op=$op sector=64 seg=3-4@$part expect=$2
			request op=$op sector=64 seg=4-7@$part expect=$2
			request op=$op sector=64 seg=0-7 seg=0-3@$part seg=4-4@$part expect=$2
		END
	done
	echo "request op=indirect inner=write nr=8 iref=$part expect=error"
	echo verify
}

answers okay error | attack
pass "copied"
withdraw
mapped_only
offer
answers error error | attack
pass "mapped"
served
