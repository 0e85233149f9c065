#!/bin/bash
# a disk can be attached and detached, and appears and disappears in the guest
# In a driver domain, too.

guest_start main
disk=$(volume disk 64)

attach main "phy:$disk,xvdb,w"
expect "size in the guest" $((64 << 20)) "$(guest_run main blockdev --getsize64 /dev/xvdb)"
pass "the disk appears with its size"

detach main xvdb
guest_run main '! test -e /dev/xvdb' || fail "xvdb is still in the guest"
pass "the disk disappears"
