#!/bin/bash
# a disk detached while it hangs can be replaced at once, and coming back later does its successor no harm

modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
echo "0 131072 linear /dev/ram0 0" | dmsetup create hung
at_end dmsetup remove hung
other=$(volume other 64)

guest_start main
attach main "phy:/dev/mapper/hung,xvdb,w"
dmsetup suspend --noflush --nolockfs hung
at_end dmsetup resume hung
guest_background main load "dd if=/dev/zero of=/dev/xvdb bs=64k count=8 oflag=direct"
wrote() { [ "$(cat "$(backend_sysfs main xvdb)/statistics/wr_req")" -gt 0 ]; }
wait_until 60 "requests hang at the disk" wrote

# The tool stack gives up waiting, as it must; an impatient administrator then removes what it knows.
backend=$(backend_path main xvdb)
xl block-detach main xvdb || note "xl block-detach gave up"
expect "state while requests are out" 5 "$(xs_read "$backend/state")"
xenstore-rm "$(xs_read "$backend/frontend")"
xenstore-rm "$backend"
xenstore-rm "/libxl/$(domid main)/device/vbd/${backend##*/}"
wait_until 60 "the device is gone" test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid main)-${backend##*/}"
expect "holders of the hung disk" 1 "$(dmsetup info -c --noheadings -o open hung)"
guest_finish main load || note "the guest's requests failed, as they should"

attach main "phy:$other,xvdb,w"
pass "another disk takes its place"

released() { [ "$(dmsetup info -c --noheadings -o open hung)" = 0 ]; }
dmsetup resume hung
wait_until 60 "the hung disk is released" released
guest_run main dd if=/dev/zero of=/dev/xvdb bs=1M count=4 oflag=direct || fail "the second disk was harmed"
expect "state of the second disk" 4 "$(xs_read "$(backend_path main xvdb)/state")"
detach main xvdb
