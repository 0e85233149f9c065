#!/bin/bash
# a page that another guest has granted to this one, and this one to the backend, is read and written, by copying; to map it is an error

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
odd_grants
[ "$passed" -gt 0 ] || error "the other guest's page was not passed on"
# answers DATA: expected for requests with that page.
answers() {
	cat <<-END
		connect
		fill
		request op=write sector=64 seg=0-7@$passed expect=$1
		request op=read sector=64 seg=0-7@$passed expect=$1
		request op=read sector=64 seg=0-7 seg=2-5@$passed seg=0-7 expect=$1
		request op=indirect inner=write sector=64 segs=40 seg=0-7@$passed seg=0-7 expect=$1
		verify
	END
}

answers okay | attack
pass "copied"
withdraw
mapped_only
offer
answers error | attack
pass "mapped"
{
	echo "set tell-persistent=1 persistent=1"
	answers okay
} | attack
pass "copied, as it cannot be kept"
served
