#!/bin/bash
# a resized disk is announced once, at once, without any I/O and with I/O on four queues

guest_start main
guest_frontend main max_queues=4
disk=$(volume disk 32)
plug main "phy:$disk,xvdb,w"
backend=$(backend_path main xvdb)
stat=$(backend_sysfs main xvdb)/statistics
expect "queues" 4 "$(threads_of_backend | wc -l)"

requests() { cat "$stat/rd_req" "$stat/wr_req" "$stat/f_req" | paste -sd' '; }
reads() { cat "$stat/rd_req"; }
reads_on() { [ "$(reads)" -gt "$1" ]; }
size_in_guest_is() { [ "$(guest_run main cat "/sys/block/${2:-xvdb}/size")" = "$1" ]; }
# Each line is an event; the first of each path only says that the watch is there.
events() { grep -c "$1\$" "$state/watch" || :; }
announced() { [ "$(events /sectors)" -ge "$1" ]; }
fenced() { [ "$(events /fence)" -ge "$1" ]; }

fence=/local/domain/0/data/fence
at_end xenstore-rm "$fence"
xenstore-watch "$backend/sectors" "$backend/state" "$fence" >"$state/watch" &
watcher=$!
wait_until 60 "the watch is there" announced 1
wait_until 60 "the fence is there" fenced 1
before=$(requests)

lvextend -q -L +16M "$disk" >/dev/null
wait_until 60 "the new size is announced" announced 2
wait_until 60 "the guest sees 48 MiB" size_in_guest_is $((48 << 11))
expect "requests meanwhile" "$before" "$(requests)"
pass "without I/O"

# A job for each CPU of the guest, and so for each queue.
guest_background main load 'fio --name=load --filename=/dev/xvdb --numjobs=4 --cpus_allowed=0-3 --cpus_allowed_policy=split \
	--rw=randread --bs=4k --size=16M --direct=1 --time_based --runtime=600 >/dev/null & until [ -e /tmp/stop ]; do sleep 0.1; done; kill $!; wait $! || :'
at_end guest_run main rm -f /tmp/stop
wait_until 60 "the guest reads" reads_on "$(reads)"
lvextend -q -L +16M "$disk" >/dev/null
wait_until 60 "the guest sees 64 MiB" size_in_guest_is $((64 << 11))
# Each queue has looked at the disk more than once since.
wait_until 60 "the guest goes on to read" reads_on "$(($(reads) + 200))"
guest_run main touch /tmp/stop
guest_finish main load
# Events come in order: what was announced before the fence has been written down before it.
xenstore-write "$fence" 1
wait_until 60 "the fence" fenced 2
kill "$watcher"
expect "announcements of two changes" 2 $(($(events /sectors) - 1))
expect "times that the state was written" 2 $(($(events /state) - 1))
expect "state" 4 "$(xs_read "$backend/state")"
pass "once, with I/O on four queues"

guest_run main dd if=/dev/zero of=/dev/xvdb bs=1M seek=60 count=4 oflag=direct 2>&1 || fail "no write to the new part"
detach main xvdb

# Nobody hears of a partition that grows: it is noticed at the next request.
nvme=/dev/nvme0n1
modprobe nvme
wait_until 60 "$nvme is there" test -b $nvme
addpart $nvme 1 2048 65536
at_end delpart $nvme 1
plug main "phy:${nvme}p1,xvdc,w"
resizepart $nvme 1 98304
guest_run main dd if=/dev/xvdc of=/dev/null bs=4k count=1 iflag=direct 2>&1 || fail "cannot read from a partition that grew"
wait_until 60 "the guest sees 48 MiB of a partition" size_in_guest_is 98304 xvdc
guest_run main dd if=/dev/zero of=/dev/xvdc bs=1M seek=44 count=4 oflag=direct 2>&1 || fail "no write to the new part of a partition"
detach main xvdc
pass "a partition, at the next request"
