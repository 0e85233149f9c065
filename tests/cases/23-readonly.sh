#!/bin/bash
# a read-only disk can be read, and refuses writes even of a frontend that was told it may write

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 32)
dd if=/dev/urandom of="$disk" bs=1M count=32 status=none
sum=$(sum_of "$disk")
guest_start main

plug main "phy:$disk,xvdb,r"
expect "read-only in the guest" 1 "$(guest_run main cat /sys/block/xvdb/ro)"
expect "checksum in the guest" "$sum" "$(guest_run main "sha256sum </dev/xvdb | cut -d' ' -f1")"
expect "mode in sysfs" r "$(cat "$(backend_sysfs main xvdb)/mode")"
expect "feature-flush-cache" 0 "$(xs_read "$(backend_path main xvdb)/feature-flush-cache")"
detach main xvdb
pass "can be read"

# The disk is named while the guest stands still; so it wakes up to a backend that is connected, and
# to a lie about what it may do.
by_hand main mode r
await_state "$frontend" 3
xl pause main
name_disk "$disk"
await_state "$backend" 4
xenstore-write "$backend/info" 0 "$backend/feature-flush-cache" 1
xl unpause main
await_state "$frontend" 4
wait_until 60 "the guest has xvdp" guest_run main test -b /dev/xvdp
expect "read-only in the guest" 0 "$(guest_run main cat /sys/block/xvdp/ro)"
if guest_run main dd if=/dev/zero of=/dev/xvdp bs=64k count=4 oflag=direct 2>&1; then
	fail "a write went through"
fi
expect "checksum afterwards" "$sum" "$(sum_of "$disk")"
expect "checksum in the guest" "$sum" "$(guest_run main "sha256sum </dev/xvdp | cut -d' ' -f1")"
expect "writes counted" 0 "$(cat "/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number/statistics/wr_req")"
xenstore-write "$backend/online" 0 "$backend/state" 5
await_state "$backend" 6
pass "refuses writes"

# A disk that dom0 makes read-only later is read-only from then on, too.
plug main "phy:$disk,xvdb,w"
blockdev --setro "$disk"
if guest_run main dd if=/dev/zero of=/dev/xvdb bs=64k count=4 oflag=direct 2>&1; then
	fail "a write went through to a disk made read-only"
fi
expect "checksum after that" "$sum" "$(sum_of "$disk")"
blockdev --setrw "$disk"
guest_run main dd if=/dev/zero of=/dev/xvdb bs=64k count=4 oflag=direct || fail "no writes any more"
detach main xvdb
