#!/bin/bash
# a response changes its own fields, and nothing else of the slot

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for abi in x86_64-abi x86_32-abi; do
	printf 'set abi=%s\nconnect\nfill\nuntouched\nverify\nclose\n' "$abi"
done | attack
