#!/bin/bash
# an INDIRECT request of too few or too many segments, or about anything but data, is an error

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
{
	printf 'connect\nfill\n'
	for count in 0 257 512 513 4096 65535; do
		echo "request op=indirect inner=read nr=$count segs=8 expect=error wait=0"
		echo "request op=indirect inner=write nr=$count segs=8 expect=error wait=0"
	done
	echo "request op=indirect inner=read segs=1"
	for count in 11 12 32 255 256; do
		echo "request op=indirect inner=read segs=$count"
	done
	for inner in {2..255}; do
		echo "request op=indirect inner=$inner segs=2 expect=error wait=0"
	done
	echo verify
} | attack
