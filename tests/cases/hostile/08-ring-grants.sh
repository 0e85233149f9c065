#!/bin/bash
# a ring one page of which cannot be mapped is refused, and those that could are given back, as often as twenty seconds allow

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for page in {0..15}; do
	printf 'defaults\nset order=4\nkey ring-ref%s=@bad\nrefused cannot map grant\n' "$page"
done | attack
pass "each position"

# A page of a ring cannot be mapped: of the first ring the first one, and further on in the others; and all rings before
# it could. Each of the four has a quarter of the time.
if [ -n "${RING_GRANTS-}" ]; then limit="times=$((RING_GRANTS / 4))"; else limit=ms=5000; fi
GUEST_LIMIT=$((GUEST_LIMIT + ${RING_GRANTS:-0}))
own_patience=$((own_patience + 1000 * ${RING_GRANTS:-0}))
for queue in 0 1 2 3; do
	cat <<-END
		defaults
		set queues=4 order=4
		key queue-$queue/ring-ref$((queue * 5))=@bad
		build
		announce
		repeat $limit : state 1; await 2; state 3; await 5; state 6; await 6
		free
	END
done | attack
times=$(sed -n 's/^repeat: \([0-9]*\) times$/\1/p' "$state/frontend" | paste -sd+)
expect "grants in use" 0 "$(grants_mapped "$(domid attacker)")"
[ "$((times))" -ge "${RING_GRANTS:-4}" ] || error "refused $((times)) times only"
pass "$((times)) times ($times, by ring), up to 64 pages each"
served
