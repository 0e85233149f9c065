# shellcheck shell=bash
# What dom0 and a storage domain have in common: the second stage of their first process. Sourced.

export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin HOME=/root LC_ALL=C
# No udev runs here: device mapper makes its nodes itself. The report is an open file it may ignore.
export DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1

set_up_system() {
	mount -t tmpfs tmpfs /run
	mount -t tmpfs tmpfs /tmp
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	# devtmpfs has none of these, and Xen's block script waits for ever without /dev/fd.
	ln -s /proc/self/fd /dev/fd
	ln -s /proc/self/fd/0 /dev/stdin
	ln -s /proc/self/fd/1 /dev/stdout
	ln -s /proc/self/fd/2 /dev/stderr
	ip link set lo up
	hostname "$1"
}

# Emulation may stall a CPU for long; only what would never end is to be reported.
set_up_kernel() {
	dmesg -n 8
	echo 60 >/proc/sys/kernel/watchdog_thresh
	echo 1 >/proc/sys/kernel/sysrq
}
