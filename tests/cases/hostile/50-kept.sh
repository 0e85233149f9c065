#!/bin/bash
# all disks of a guest together have no more of its pages kept mapped than it may, and those that find nothing left are served

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

limit=40

# other_mark NAME: as attack_mark, of the second disk's frontend.
other_mark() {
	guest_run attacker "until [ -e /tmp/$1 ] || [ -e /tmp/other.status ]; do sleep 0.1; done; rm /tmp/$1" >/dev/null ||
		fail "the second disk is not served: $(guest_finish attacker other)"
}

# queue FILE: of the disk, which has one.
queue() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/queues/0/$1"; }

mapped() { grants_mapped "$(domid attacker)"; }

hostile_start
without_disks
parameter max_guest_persistent_grants "$limit"
parameter persistent_grant_unused_seconds 0
offer
expect "the most" "$limit" "$(budget persistent_grants_max)"
attack_background <<'END'
set tell-persistent=1 persistent=1
pool pages=300 oldest=1
connect
fill
io count=300
mark /tmp/kept
until /tmp/go
io count=100 kind=both
verify
END
attack_mark kept
# And the page of the ring.
expect "pages kept by one disk" "$limit $limit" "$(budget persistent_grants) $(queue persistent_grants)"
expect "pages mapped" $((limit + 1)) "$(mapped)"

# They have not been used for long, but that is no reason for the first disk to give them up.
disk=/dev/testbed/further another_disk
guest_background attacker other "frontend $vbd_number 'patience $own_patience' - <<'END'
set tell-persistent=1 persistent=1
pool pages=300 oldest=1
connect
fill
io count=300 kind=both
mark /tmp/alone
until /tmp/first-has-gone
io count=300
mark /tmp/kept
until /tmp/go
verify
END
"
other_mark alone
expect "pages kept by a disk that finds nothing left" "$limit 0" "$(budget persistent_grants) $(queue persistent_grants)"
expect "pages mapped" $((limit + 2)) "$(mapped)"
attack_finish go
guest_run attacker touch /tmp/first-has-gone
other_mark kept
expect "pages kept by the disk that is left" "$limit $limit" "$(budget persistent_grants) $(queue persistent_grants)"
guest_run attacker touch /tmp/go
guest_finish attacker other >"$state/other" || fail "the second disk: $(tail -n 1 "$state/other")"
expect "pages kept in the end" 0 "$(budget persistent_grants)"
first_disk

# Of what the guest may have, each ring of a disk gets its part, whichever comes first: three for two of them, two for the
# others.
without_disks
parameter max_guest_persistent_grants 10
offer
attack_background <<END
pool pages=80 oldest=1
set queues=4 tell-persistent=1 persistent=1
connect
$(ring_by_ring /tmp/kept /tmp/next)
END
for ring in 0:3 1:6 2:8 3:10; do
	attack_mark kept
	expect "pages mapped by rings up to ${ring%:*}, and those of the rings" $((4 + ${ring#*:})) "$(mapped)"
	guest_run attacker touch /tmp/next
done
attack_finish
# The next case has the usual limits again.
without_disks
