#!/bin/bash
# xenstore transactions that meet others all the time come to an end

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
storm 30 'write x=1 y\nwrite x=2 y=1\n'
for _ in {1..6}; do
	printf 'connect\nload\nio count=20\nclose\n'
done | attack
storm_finish
served
