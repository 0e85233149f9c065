#!/bin/bash
# a ring whose grant was taken back, is for another domain, or of a frame that is no memory of the guest's, is refused

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
odd_grants
# What was taken back must not be granted again for the ring itself.
for key in ring-ref ring-ref1; do
	[ "$key" = ring-ref ] || echo "set order=1"
	printf 'build\nannounce\nwrite %s=@revoked\nstate 1\nawait 2\nstate 3\nhalted cannot map grant\n' "$key"
done | attack
pass "taken back"
for grant in @elsewhere @bad "$apic" "$xen" "$none" "$part" "$chain" "$loop"; do
	printf 'defaults\nkey ring-ref=%s\nrefused cannot map grant\n' "$grant"
	printf 'defaults\nset order=1\nkey ring-ref1=%s\nrefused cannot map grant\n' "$grant"
done | attack
served
