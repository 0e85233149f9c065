#!/bin/bash
# a module in use cannot be unloaded, and a device unbound under load closes and can be bound again

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
connect
mark /tmp/connected
until /tmp/go
request op=write segs=8 times=20 step=64 wait=0
push
await 6
free
END
attack_mark connected
if there module_unload 2>/dev/null; then fail "the module could be unloaded"; fi
device=vbd-$(domid attacker)-$vbd_number
hang
guest_run attacker touch /tmp/go
wait_until 60 "the requests are taken" taken wr_req 20
there sh -c "echo $device >/sys/bus/xen-backend/drivers/vbd/unbind"
resume
attack_finish now
await_state "$backend" 6
frontend_state 1
wait_until 60 "the device can be bound" there sh -c "echo $device >/sys/bus/xen-backend/drivers/vbd/bind"
await_state "$backend" 2
served
