#!/bin/bash
# a frontend that starts anew without having closed is connected again, and the counters go on
# In a driver domain, too.

disk=$(volume disk 32)
guest_start main
guest_frontend main max_queues=2 max_ring_page_order=1
plug main "phy:$disk,xvdb,w"
guest_io main dd if=/dev/zero of=/dev/xvdb bs=64k count=16 oflag=direct
frontend=$(frontend_path main xvdb)
stat=$(backend_sysfs main xvdb)/statistics
before=$(there cat "$stat/wr_sect")
expect "sectors written" 2048 "$before"

# While the guest stands still, xenstore says of its frontend what a kernel started by kexec would.
xl pause main
xenstore-write "$frontend/state" 1
wait_until 60 "the backend starts anew, too" backend_state_is main xvdb 2
expect "threads of the old connection" "" "$(threads_of_backend)"
expect "sectors written, with no connection" "$before" "$(there cat "$stat/wr_sect")"
xenstore-write "$frontend/state" 3
wait_until 60 "connected again" backend_state_is main xvdb 4
xenstore-write "$frontend/state" 4
xl unpause main

guest_run main dd if=/dev/zero of=/dev/xvdb bs=64k count=16 oflag=direct 2>&1 || fail "no I/O on the new connection"
expect "sectors written, over both connections" $((2 * before)) "$(there cat "$stat/wr_sect")"
detach main xvdb
