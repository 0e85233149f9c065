#!/bin/bash
# data in frames that are no memory of the guest's, or granted by way of others, are errors of their requests only

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
odd_grants
requests() {
	local grant
	printf 'connect\nfill\n'
	for grant in "$apic" "$xen" "$none" "$chain" "$loop" elsewhere revoked; do
		cat <<-END
			request op=write sector=64 seg=0-7@$grant expect=error
			request op=read sector=64 seg=0-7@$grant expect=error
			request op=read sector=64 seg=0-7 seg=0-7@$grant seg=0-7 expect=error
			request op=indirect inner=write sector=64 segs=40 seg=0-7@$grant seg=0-7 seg=0-7 expect=error
			request op=indirect inner=write nr=8 iref=$grant expect=error
		END
	done
	echo verify
}

requests | attack
pass "copied"
withdraw
mapped_only
offer
requests | attack
pass "mapped"
served
