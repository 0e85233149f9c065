#!/bin/bash
# a guest destroyed before it connects, when it has connected, has requests at the disk, or is closing, leaves nothing behind
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# attack_until MARK: comes to where the guest is to be destroyed.
attack_until() {
	attack_background
	attack_mark "$1"
	id=$(domid attacker)
}

# Xenstore forgets a guest before Xen does.
gone() { ! xl list "$id"; }

destroyed() {
	xl destroy attacker
	case $1 in hung | closing | draining) resume ;; esac
	wait_until 60 "no zombie is left" gone
	xenstore-rm "$backend"
	pass "$1"
}

hostile_start
mapped_only
withdraw
offer
id=$(domid attacker)
destroyed offered

attacker_start
offer
attack_until connected <<'END'
set tell-persistent=1 persistent=1 queues=2
connect
fill
io count=200
mark /tmp/connected
flood until=/tmp/never op=write segs=4
END
destroyed connected

for stage in hung closing draining; do
	attacker_start
	offer
	attack_until connected <<-END
		connect
		mark /tmp/connected
		until /tmp/hung
		request op=indirect inner=write segs=64 times=4 step=512 wait=0
		push
		until /tmp/taken
		$([ "$stage" = closing ] && echo "state 5")
		$([ "$stage" = draining ] && echo "state 6")
		mark /tmp/sent
		until /tmp/never
	END
	hang
	guest_run attacker touch /tmp/hung
	wait_until 60 "the requests are taken" taken wr_req 4
	guest_run attacker touch /tmp/taken
	attack_mark sent
	destroyed "$stage"
done
# The event channels of the next guest are counted anew; memory is not.
attacker_start
channels_of "$(domid attacker)" >"$baseline/channels"
