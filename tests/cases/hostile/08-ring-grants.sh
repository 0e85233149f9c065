#!/bin/bash
# a ring one page of which cannot be mapped is refused, and those that could are given back, hundreds of times

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for page in {0..15}; do
	printf 'defaults\nset order=4\nkey ring-ref%s=@bad\nrefused cannot map grant\n' "$page"
done | attack
pass "each position"

# Fifteen pages are mapped, and one is not.
times=${RING_GRANTS:-100}
GUEST_LIMIT=$((GUEST_LIMIT + times)) guest_run attacker "{
	printf 'set order=4\nkey ring-ref15=@bad\nbuild\nannounce\n'
	i=0
	while [ \$i -lt $times ]; do
		printf 'state 1\nawait 2\nstate 3\nawait 5\nstate 6\nawait 6\n'
		i=\$((i + 1))
	done
	echo free
} | frontend $vbd_number 'patience $own_patience' -" || fail "not refused $times times"
expect "grants in use" 0 "$(grants_mapped "$(domid attacker)")"
pass "$times times, and 16 pages each"
served
