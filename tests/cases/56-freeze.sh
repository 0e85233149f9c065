#!/bin/bash
# threads freeze with dom0's other tasks, and after the thaw no request is lost

# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh

seconds=4
grep -qw freezer /sys/power/pm_test 2>/dev/null || skip "this kernel cannot freeze its tasks for a test (CONFIG_PM_DEBUG)"
grep -qw freeze /sys/power/state || skip "this kernel cannot suspend"

# Of the disk itself nothing freezes: brd answers on the thread that asks.
modprobe brd rd_nr=1 rd_size=65536
at_end rmmod brd
guest_start main
attach main "phy:/dev/ram0,xvdb,w"
load_start main
# The guest's own clock goes on; how long is the longest time without an answer, in seconds?
guest_background main clock 'while [ ! -e /tmp/stop ]; do
	dd if=/dev/xvdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null; cat /proc/uptime
done | awk "{ if (NR > 1 && \$1 - last > most) most = \$1 - last; last = \$1 } END { print int(most) }"'

# With this, all is frozen for a while and then thawed, and nothing is suspended.
echo freezer >/sys/power/pm_test
at_end sh -c 'echo none >/sys/power/pm_test'
echo "$seconds" >/sys/module/suspend/parameters/pm_test_delay
load_goes_on main
within 60 sh -c 'echo freeze >/sys/power/state' || error "dom0's tasks do not freeze"
load_goes_on main

guest_run main touch /tmp/stop
longest=$(guest_finish main clock)
load_stop main
detach_same main /dev/ram0
[ "$longest" -ge $((seconds - 1)) ] || fail "tasks were frozen for $seconds s, and the guest waited for an answer for $longest s at most"
note "the guest waited $longest s"
