#!/bin/bash
# threads freeze with dom0's other tasks, and after the thaw no request is lost

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
	dmesg | sed '1,/=== freeze/d' | grep -A 1 'refusing to freeze'
	fail "dom0's tasks do not freeze"
}

disk=$(volume disk 64)
guest_start main
attach main "phy:$disk,xvdb,w"
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
load_stop main
detach_same main "$disk"
