#!/bin/bash
# a backend's directory removed by force, under load, is as if the guest had gone

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
patience 3000
set queues=2
connect
mark /tmp/connected
flood ms=5000 op=write segs=8
END
attack_mark connected
xenstore-rm "$backend"
wait_until 60 "the device is gone" there test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number"
guest_finish attacker frontend || note "the frontend found nobody"
xenstore-rm "$frontend"
offer
served
