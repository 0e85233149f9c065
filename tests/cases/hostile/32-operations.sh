#!/bin/bash
# every operation with every number of segments has the answer that it should have

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
answer_to() {
	case $1:$2 in
	[01]:0 | [0-3]:12 | [0-3]:32 | [0-3]:255) echo error ;;
	[0-3]:*) echo okay ;;
	*) echo notsupp ;;
	esac
}
for op in {0..4} {7..255}; do
	for count in 0 1 11 12 32 255; do
		echo "request op=$op sector=128 segs=$((count > 11 ? 11 : count)) nr=$count expect=$(answer_to "$op" "$count") wait=0"
	done
done >"$state/requests"
{
	printf 'connect\nload\n'
	cat "$state/requests"
	echo verify
} | attack
