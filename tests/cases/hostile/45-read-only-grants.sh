#!/bin/bash
# a page that may only be read can be written from, but not be read to

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
requests() {
	cat <<-END
		connect
		fill
		request op=write segs=0 seg=0-7@ro seg=0-7@ro
		request op=read sector=64 seg=0-7@ro expect=error
		request op=read sector=64 seg=0-7 seg=0-7@ro seg=0-7 expect=error
		request op=indirect inner=read sector=64 seg=0-7 seg=0-7 seg=0-7@ro expect=error
		request op=indirect inner=write sector=64 seg=0-7 seg=0-7@ro seg=0-7
		io readonly=1 ops=w count=50
		verify
	END
}

requests | attack
pass "copied"
withdraw
mapped_only
offer
requests | attack
pass "mapped"
# To be kept, a page must be granted for writing, too.
{
	echo set tell-persistent=1 persistent=1
	requests
} | attack
pass "copied, as it cannot be kept"
