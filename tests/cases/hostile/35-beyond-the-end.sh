#!/bin/bash
# what ends beyond the disk, or wraps, is an error, and changes nothing

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
disk_sectors=8192
last=$((disk_sectors - 8))
{
	printf 'connect\nfill\n'
	echo "request op=read sector=$last segs=1"
	for sector in $((last + 1)) $disk_sectors $((disk_sectors + 1)) 18446744073709551615 18446744073709551608 9223372036854775807; do
		for op in read write barrier "indirect inner=write" "indirect inner=read"; do
			echo "request op=$op sector=$sector segs=1 expect=error"
		done
	done
	echo "request op=write sector=$((disk_sectors - 80)) segs=11 expect=error"
	echo "request op=indirect inner=write sector=$((disk_sectors - 800)) segs=101 expect=error"
	echo verify
} | attack
