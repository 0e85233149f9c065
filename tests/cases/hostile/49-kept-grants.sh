#!/bin/bash
# who has more pages kept than there may be, always others, or takes them back, is served within the limit

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
limit=$(there cat "$parameters/max_persistent_grants")
attack_background <<'END'
set tell-persistent=1 persistent=1 queues=2
pool pages=3000 oldest=1
connect
fill
io count=1500 kind=both
mark /tmp/churned
until /tmp/go
pool pages=1000
io count=500 kind=both
pool pages=2000
io count=500 kind=both
verify
END
attack_mark churned
mapped=$(grants_mapped "$(domid attacker)")
[ "$mapped" -ge $((limit / 2)) ] || fail "only $mapped grants are mapped, of many more that were used, and $limit may be kept"
[ "$mapped" -le $((limit + 2)) ] || fail "$mapped grants are mapped, and $limit may be kept"
attack_finish go
