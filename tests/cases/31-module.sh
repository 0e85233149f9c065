#!/bin/bash
# parameters are checked, a module in use cannot be unloaded, and an unused one can, again and again

guest_start main
disk=$(volume disk 16)
module=/job/xen-blkback.ko
[ -e "$module" ] || module=xen-blkback
expect "alias" "xen-backend:vbd" "$(modinfo -F alias "$module" | grep xen-backend)"

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
for name in max_persistent_grants max_buffer_pages log_stats; do
	rejected "$name" -1
	rejected "$name" 4294967296
done
pass "bad values are refused at run time"

module_unload || fail "the module cannot be unloaded"
module_load max_queues=0 || fail "the module does not load with max_queues=0"
expect "max_queues, corrected" "$(nproc)" "$(cat "$parameters/max_queues")"
module_unload || fail "the module cannot be unloaded after that"
if module_load log_stats=x 2>/dev/null; then
	fail "the module loads with log_stats=x"
fi

# What a host has in its configuration must not cost it its disks. The log says what came of it.
given=(max_queues=1000 max_ring_page_order=-1 max_persistent_grants=-1 persistent_grant_unused_seconds=4294967296
	max_buffer_pages=-1 buffer_squeeze_duration_ms=-9223372036854775808 log_stats=-1)
mark_consoles "numbers out of range"
module_load "${given[@]}" || fail "the module does not load with ${given[*]}"
for text in "${given[@]}"; do
	case $text in
	max_queues=*) most=256 ;;
	max_ring_page_order=*) most=4 ;;
	*) most=4294967295 ;;
	esac
	expect "$text, corrected" "$most" "$(cat "$parameters/${text%%=*}")"
	log_since 'numbers out of range' | grep -c "$text is not within [01] to $most: set to $most$" >/dev/null ||
		fail "the log does not say what came of $text"
done
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
unload
module_load max_queues=4

for _ in 1 2 3; do
	unload
	module_load max_queues=4
done
unload

# Scripts that start a host load modules before xenstored.
load_without_xenstore() {
	local xenstored
	xenstored=$(cat /run/xenstored/pid)
	# shellcheck disable=SC2064 # as it is now
	trap "kill -CONT $xenstored" EXIT
	kill -STOP "$xenstored"
	timeout $((20 * slow)) bash -c ". /job/tests/cases/lib.sh; module_load" || fail "the module waits for xenstore"
	kill -CONT "$xenstored"
	trap - EXIT
}
load_without_xenstore
pass "loads without xenstore"
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
