#!/bin/bash
# a PVH guest reads what it has written, also when it migrates, three times, to its own host
# Takes long.

# shellcheck source=tests/cases/moving.sh
. /job/tests/cases/moving.sh

# For a while both ends have the disk, and it is served twice.
seen_twice() {
	[ "$(xenstore-ls -f /local/domain/0/backend/vbd | grep -c '/physical-device = ')" -ne 2 ] || twice=yes
	[ "$twice" = yes ] || ! kill -0 "$migration"
}

# A PV guest would do, but Debian's Xen cannot follow what one writes while it is copied. Emulated, a PVH
# guest is not to be trusted with more than one CPU.
mover_start 1 "type='pvh'"
expect "kind of guest" PVH "$(guest_run mover cat /sys/hypervisor/guest_type)"
load_goes_on mover
pass "its load goes on"
for round in 1 2 3; do
	load_goes_on mover
	id=$(domid mover)
	# With no program to reach another host by, xl runs on this one what it is given as a host.
	xl migrate -s '' mover 'xl migrate-receive' 3>&- &
	migration=$! twice=no
	wait_until 300 "the guest is on its way" seen_twice
	wait "$migration" || fail "round $round: xl migrate"
	expect "whether the disk was served at both ends" yes "$twice"
	[ "$(domid mover)" != "$id" ] || error "round $round: the guest is where it was"
	mover_arrived
	note "round $round, after $SECONDS s"
done
mover_stop
