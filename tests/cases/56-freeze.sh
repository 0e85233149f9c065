#!/bin/bash
# threads freeze with dom0's other tasks, even while xenstore is asked, and after the thaw no request is lost

# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh

grep -qw freezer /sys/power/pm_test 2>/dev/null || skip "this kernel cannot freeze its tasks for a test (CONFIG_PM_DEBUG)"
grep -qw freeze /sys/power/state || skip "this kernel cannot suspend"

# unfreezable: threads of the backend that the kernel would leave running.
unfreezable() {
	local thread threads no_freeze=32768 # PF_NOFREEZE
	threads=$(pgrep '^(blkback|[0-9]+\.xvd)') || error "there is no thread"
	for thread in $threads; do
		awk -v flag="$no_freeze" '{ sub(/.*\) /, ""); exit int($7 / flag) % 2 }' "/proc/$thread/stat" ||
			cat "/proc/$thread/comm"
	done
}

# All is frozen, stays so for two seconds, and is thawed. This fails if any one task that should does
# not freeze in time.
freeze() {
	mark_consoles "freeze"
	within 60 sh -c 'echo freeze >/sys/power/state' && return
	log_since freeze | grep -A 1 'refusing to freeze'
	fail "dom0's tasks do not freeze"
}

asks_xenstore() { grep -ls '\<xs_' /proc/[0-9]*/stack | xargs grep -qs xen_blkback; }

guest_sees() { [ "$(guest_run main blockdev --getsize64 /dev/xvdb)" = "$1" ]; }

# Tasks freeze one after the other, and xenstored may do so while a frontend changes its state, or a disk its
# size, and the backend waits for an answer. Here it does not answer from before on. Nothing that asks
# xenstore may be used meanwhile, not even to clean up.
freeze_without_xenstore() {
	local xenstored
	xenstored=$(cat /run/xenstored/pid)
	# shellcheck disable=SC2064 # as it is now
	trap "kill -CONT $xenstored" EXIT
	kill -STOP "$xenstored"
	lvextend -q -q -L "$1M" "$disk"
	wait_until 60 "the backend asks xenstore" asks_xenstore
	freeze
	kill -CONT "$xenstored"
	trap - EXIT
	wait_until 60 "the guest is told the new size" guest_sees $(($1 << 20))
}

disk=$(volume disk 64)
guest_start main
plug main "phy:$disk,xvdb,w"
load_start main
echo freezer >/sys/power/pm_test
at_end sh -c 'echo none >/sys/power/pm_test'
echo 2 >/sys/module/suspend/parameters/pm_test_delay
for _ in 1 2 3; do
	load_goes_on main
	expect "threads that do not freeze" "" "$(unfreezable)"
	freeze
done
load_goes_on main
freeze_without_xenstore 72
load_goes_on main
load_stop main
detach_same main "$disk"
