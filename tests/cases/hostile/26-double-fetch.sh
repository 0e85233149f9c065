#!/bin/bash
# requests and segments that change while they are looked at are what they were at one moment

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
		close
		set abi=x86_32-abi
		connect
		race rounds=$rounds
		verify
		close
		set abi=x86_64-abi tell-persistent=1 persistent=1
		connect
		race rounds=$rounds
		verify
	END
}

races | attack
pass "copied, and kept"
withdraw
mapped_only
offer
races | attack
pass "mapped"
