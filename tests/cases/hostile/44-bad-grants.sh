#!/bin/bash
# a grant that does not exist, at any place of a request, is an error of that request, and no other grant stays mapped

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# bad OPERATION COUNT AT...: a request with so many segments, bad at these places.
bad() {
	local segment at line="request $1"
	for ((segment = 0; segment < $2; segment++)); do
		at=' '
		[[ " ${*:3} " = *" $segment "* ]] && at='@bad '
		line+=" seg=0-7$at"
	done
	echo "$line expect=error wait=$(($2 > 11))"
}

requests() {
	local at inner
	echo connect
	echo fill
	for at in {0..10}; do
		bad op=read 11 "$at"
		bad op=write 11 "$at"
	done
	for at in {0..255}; do
		for inner in read write; do
			echo "request op=indirect inner=$inner segs=$at seg=0-7@bad more=$((255 - at)) expect=error"
		done
	done
	bad op=write 11 0 10
	bad op=write 11 0 1 2 3 4 5 6 7 8 9 10
	bad "op=indirect inner=write" 256 0 17 18 200
	echo "request op=indirect inner=write nr=8 iref=bad expect=error"
	echo "request op=indirect inner=read nr=256 iref=bad expect=error"
	# In one batch with good ones.
	for at in {0..14}; do
		echo "request op=write sector=$((at * 128)) segs=8 wait=0"
		echo "request op=write sector=$((at * 128 + 64)) segs=7 seg=0-7@bad wait=0 expect=error"
		echo "request op=read sector=4096 segs=3 seg=0-7@bad wait=0 expect=error"
	done
	echo wait
	echo verify
}

requests | attack
pass "copied"
withdraw
mapped_only
offer
requests | attack
pass "mapped"
{
	echo "set tell-persistent=1 persistent=1"
	requests
} | attack
pass "kept"
