#!/bin/bash
# a segment that ends before it begins, or beyond its page, is an error wherever it is

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# bad OPERATION COUNT AT RANGE
bad() {
	local segment line="request $1"
	for ((segment = 0; segment < $2; segment++)); do
		[ "$segment" = "$3" ] && line+=" seg=$4" || line+=" seg=0-7"
	done
	echo "$line expect=error wait=0"
}
{
	printf 'pool pages=4200\nconnect\nfill\n'
	for at in {0..10}; do
		for range in 3-2 7-0 0-8 0-255 255-255 200-7; do
			bad op=write 11 "$at" "$range"
			bad op=read 11 "$at" "$range"
		done
	done
	for at in {0..255}; do
		for range in 3-2 0-8 255-255; do
			echo "request op=indirect inner=write segs=$at seg=$range more=$((255 - at)) expect=error"
		done
	done
	echo verify
} | attack
