#!/bin/bash
# a guest has no more pages and queues of dom0's than it may, however many disks and requests it has

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# Limits hold from a guest's first disk on.
without_disks() {
	withdraw
	xenstore-rm "$backend" "$frontend"
	wait_until 60 "the disk is gone" there test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number"
}

budget() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/budget/$1"; }

hostile_start
without_disks
parameter max_guest_pages 1024
parameter max_guest_queues 4
mapped_only
offer
attack_background <<END
set queues=4 order=4
pool pages=4200
connect
fill
mark /tmp/connected
until /tmp/hung
$(for queue in 0 1 2 3; do
	for _ in {1..5}; do
		echo "request op=indirect inner=write segs=200 queue=$queue wait=0"
	done
done)
push
mark /tmp/sent
until /tmp/go
wait
io count=300 kind=both
verify
END
attack_mark connected
hang
guest_run attacker touch /tmp/hung
attack_mark sent
waits() { [ "$(budget pages_waits)" -gt 0 ] && [ "$(budget pages)" = 1024 ]; }
wait_until 60 "the guest has spent its budget" waits
# 256 for each queue, 1024 more, and four rings of 16 pages.
mapped=$(grants_mapped "$(domid attacker)")
{ [ "$mapped" -ge 1200 ] && [ "$mapped" -le 2112 ]; } || fail "$mapped pages of the guest are mapped"
pass "$mapped pages"

another_disk
attack <<'END'
refused no more queues: all disks of the guest would have 5, and 4 is the most
END
first_disk
pass "queues"
resume
attack_finish go
expect "pages in the end" 0 "$(budget pages)"
expect "queues in the end" 0 "$(budget queues)"
# The next case has the usual limits again.
without_disks
