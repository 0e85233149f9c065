#!/bin/bash
# Second stage of dom0's first process: brings Xen's tool stack up, runs the job, powers off.
# The job is a command in /job/command; what it prints goes to the verdict channel. The last line
# there is always 'end of job' and its exit status: without it, dom0 has crashed.

export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin HOME=/root LC_ALL=C
# No udev runs here: device mapper makes its nodes itself. The report is an open file it may ignore.
export DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1
xen_bin=$(echo /usr/lib/xen-[0-9]*/bin)

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
	hostname dom0
}

# Emulation may stall a CPU for long; only what would never end is to be reported.
set_up_kernel() {
	dmesg -n 8
	echo 60 >/proc/sys/kernel/watchdog_thresh
	echo 1 >/proc/sys/kernel/sysrq
}

verdict_port() { grep -lsx verdict /sys/class/virtio-ports/*/name; }

# The port appears some time after its driver.
open_verdict_channel() {
	local name tries=0
	modprobe virtio_console
	until name=$(verdict_port) && name=${name%/name} && [ -c "/dev/${name##*/}" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "dom0: no verdict channel" >/dev/console; return; }
		sleep 0.1
	done
	exec >"/dev/${name##*/}" 2>&1
}

start_xenstore() {
	mkdir -p /run/xen /run/xenstored /var/lib/xenstored /var/lib/xen /var/log/xen
	"$xen_bin/oxenstored" --pid-file /run/xenstored/pid
	until xenstore-ls / >/dev/null 2>&1; do
		sleep 0.1
	done
	"$xen_bin/xen-init-dom0"
}

set_up_xen() {
	modprobe -a xen-evtchn xen-gntdev xen-gntalloc xen-privcmd loop
	mount -t xenfs xenfs /proc/xen
	start_xenstore
	# Guests' consoles go straight to the machine that runs this one: they survive any crash here.
	mkdir -p /job/consoles
	"$xen_bin/xenconsoled" --pid-file=/run/xen/xenconsoled.pid --log=guest --log-dir=/job/consoles
	# Xen's scripts have ten seconds; a dom0 that gets a small share of slow CPUs is not done by then.
	xl sched-credit2 -d 0 -w 1024
}

run_job() {
	local status=0
	echo "# dom0 is up after $(cut -d' ' -f1 /proc/uptime) s"
	(cd /job && setsid bash -c "$(cat /job/command)" </dev/null) || status=$?
	echo "end of job: $status"
}

set_up_system
set_up_kernel
open_verdict_channel
set_up_xen
run_job
sync
echo o >/proc/sysrq-trigger
while :; do
	sleep 60
done
