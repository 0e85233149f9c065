#!/bin/bash
# a resized disk is announced once, at once, and without any I/O

guest_start main
guest_frontend main max_queues=4
disk=$(volume disk 32)
attach main "phy:$disk,xvdb,w"
backend=$(backend_path main xvdb)
stat=$(backend_sysfs main xvdb)/statistics

requests() { cat "$stat/rd_req" "$stat/wr_req" "$stat/f_req" | paste -sd' '; }
size_in_guest_is() { [ "$(guest_run main cat /sys/block/xvdb/size)" = "$1" ]; }
# Each line is an event; the first of each path only says that the watch is there.
events() { grep -c "$1\$" "$state/watch" || :; }
announced() { [ "$(events /sectors)" -ge "$1" ]; }
fenced() { [ "$(events /fence)" -ge "$1" ]; }

fence=/local/domain/0/data/fence
at_end xenstore-rm "$fence"
xenstore-watch "$backend/sectors" "$fence" >"$state/watch" &
watcher=$!
wait_until 60 "the watch is there" announced 1
wait_until 60 "the fence is there" fenced 1
before=$(requests)

lvextend -q -L +16M "$disk" >/dev/null
wait_until 60 "the new size is announced" announced 2
wait_until 60 "the guest sees 48 MiB" size_in_guest_is $((48 << 11))
expect "requests meanwhile" "$before" "$(requests)"

lvextend -q -L +16M "$disk" >/dev/null
wait_until 60 "the guest sees 64 MiB" size_in_guest_is $((64 << 11))
# Events come in order: what was announced before the fence has been written down before it.
xenstore-write "$fence" 1
wait_until 60 "the fence" fenced 2
kill "$watcher"
expect "announcements of two changes" 2 $(($(events /sectors) - 1))
expect "state" 4 "$(xs_read "$backend/state")"

guest_run main dd if=/dev/zero of=/dev/xvdb bs=1M seek=60 count=4 oflag=direct 2>&1 || fail "no write to the new part"
detach main xvdb
