#!/bin/bash
# parameters are checked, a module in use cannot be unloaded, and an unused one can, again and again

guest_start main
disk=$(volume disk 16)
parameters=/sys/module/xen_blkback/parameters

expect "alias" "xen-backend:vbd" "$(modinfo -F alias /job/xen-blkback.ko | grep xen-backend)"

# rejected PARAMETER VALUE
rejected() {
	local before
	before=$(cat "$parameters/$1")
	if (echo "$2" >"$parameters/$1") 2>/dev/null; then
		fail "$1 took '$2'"
	fi
	expect "$1 after a bad value" "$before" "$(cat "$parameters/$1")"
}

for value in 0 257 -1 x; do
	rejected max_queues "$value"
done
for value in 5 -1 x; do
	rejected max_ring_page_order "$value"
done
pass "bad values are refused at run time"

module_unload
module_load max_queues=1000 max_ring_page_order=9 || fail "the module does not load with values out of range"
expect "max_queues, corrected" 256 "$(cat "$parameters/max_queues")"
expect "max_ring_page_order, corrected" 4 "$(cat "$parameters/max_ring_page_order")"
module_unload
module_load max_queues=0 || fail "the module does not load with max_queues=0"
expect "max_queues, corrected" "$(nproc)" "$(cat "$parameters/max_queues")"
module_unload
module_load max_queues=4
pass "bad values are corrected when the module is loaded"

attach main "phy:$disk,xvdb,w"
if rmmod xen_blkback 2>/dev/null; then
	fail "a module in use was unloaded"
fi
guest_run main dd if=/dev/xvdb of=/dev/null bs=1M count=4 iflag=direct || fail "no I/O after the attempt"
detach main xvdb
pass "in use: stays"

# A device goes a moment after its last trace in xenstore.
unload() { wait_until 60 "the module can be unloaded" module_unload; }

for _ in 1 2 3; do
	unload
	module_load max_queues=4
done
unload
module_load
expect "default of max_queues" "$(nproc)" "$(cat "$parameters/max_queues")"
expect "default of max_ring_page_order" 4 "$(cat "$parameters/max_ring_page_order")"
unload
module_load max_queues=4 max_ring_page_order=2
attach main "phy:$disk,xvdb,w"
expect "offered queues" 4 "$(xs_read "$(backend_path main xvdb)/multi-queue-max-queues")"
expect "offered ring order" 2 "$(xs_read "$(backend_path main xvdb)/max-ring-page-order")"
detach main xvdb
unload
module_load max_queues=4
pass "not in use: unloads and loads"
