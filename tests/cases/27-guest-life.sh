#!/bin/bash
# a guest with the disk in its configuration can reboot, crash and shut down, with I/O in flight

disk=$(volume disk 64)
guest_start life "disk=['phy:$disk,xvdb,w']" "on_crash='restart'"

has_new_id() { [ "$(domid life)" -gt "$1" ]; }
load() {
	guest_background life load fio --name=load --filename=/dev/xvdb --rw=randwrite --bs=16k --direct=1 \
		--ioengine=libaio --iodepth=16 --time_based --runtime=3600
	local stat
	stat=$(backend_sysfs life xvdb)/statistics
	wait_until 120 "requests come" eval "[ \"\$(cat $stat/wr_req)\" -gt 50 ]"
}

# comes_back WHAT COMMAND...
comes_back() {
	local id what=$1
	shift
	load
	id=$(domid life)
	"$@"
	wait_until 120 "$what: the guest is there anew" has_new_id "$id"
	guest_wait life
	wait_until 60 "$what: connected again" backend_state_is life xvdb 4
	guest_run life dd if=/dev/xvdb of=/dev/null bs=1M count=4 iflag=direct || fail "$what: no I/O"
	pass "$what"
}

comes_back reboot xl reboot -F life
console_expects 'Kernel panic|[Cc]rash'
comes_back crash guest_run life '(sleep 0.5; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &'
load
guest_stop life
pass "shutdown"
