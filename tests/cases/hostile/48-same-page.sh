#!/bin/bash
# the same page many times, in one request and in many at a time, is as good as many pages, as long as Xen maps it

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# requests ANSWER: to those that have it 256 times.
requests() {
	local most="request op=indirect" some="request op=indirect" segment
	for ((segment = 0; segment < 256; segment++)); do
		most+=" seg=0-7@pool0"
		[ "$segment" -ge 100 ] || some+=" seg=0-7@pool0"
	done
	printf 'connect\nfill\n'
	printf '%s\n' "$most inner=write expect=$1" "$most inner=read expect=$1" "$some inner=write" "$some inner=read" \
		"$some inner=write times=20 expect=any" \
		"request op=write seg=0-7@pool0 seg=0-7@pool0 times=30"
	printf 'verify\nclose\n'
}

requests okay | attack
{
	echo "set tell-persistent=1 persistent=1"
	requests okay
	echo "set queues=4"
	requests okay
} | attack
pass "copied, and kept"
# Xen counts to 127.
withdraw
mapped_only
offer
requests error | attack
pass "mapped"
served
