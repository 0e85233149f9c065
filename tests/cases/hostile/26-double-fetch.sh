#!/bin/bash
# requests and segments that change while they are looked at are what they were at one moment
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
rounds=$((150 / slow))
races() {
	cat <<-END
		connect
		fill
		race rounds=$rounds
		verify
		race rounds=$rounds discards=1
		verify
		close
		set abi=x86_32-abi
		connect
		race rounds=$rounds
		verify
		race rounds=$rounds discards=1
		verify
		close
		set abi=x86_64-abi tell-persistent=1 persistent=1
		connect
		race rounds=$rounds
		request op=write seg=0-7@pool32
		race rounds=$rounds
		verify
	END
}

# A place that was used after another one had been checked is what the block layer complains of.
nothing_beyond() {
	! log_since "case $CASE" | grep 'beyond end of device' || fail "the disk was asked for what it does not have"
}

races | attack
nothing_beyond
pass "copied, and kept; segments, too, in a page that is kept"
withdraw
mapped_only
offer
races | attack
nothing_beyond
pass "mapped"
