#!/bin/bash
# a guest destroyed at any moment of its start leaves no device behind

disk=$(volume disk 32)

vbds() { ls /sys/bus/xen-backend/devices; }

# The later, the further the guest and the two ends of the disk have come.
for delay in 0 1 2 3 5 8; do
	guest_create early "disk=['phy:$disk,xvdb,w']" || error "xl create failed"
	sleep "$delay"
	guest_destroy early
	wait_until 60 "nothing is left after $delay s" nothing_left
	expect "devices after $delay s" "" "$(vbds | grep '^vbd' || :)"
done
