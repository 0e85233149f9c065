#!/bin/bash
# Second stage of dom0's first process: brings Xen's tool stack up, runs the job, powers off.
# The job is a command in /job/command; what it prints goes to the verdict channel. The last line
# there is always 'end of job' and its exit status: without it, dom0 has crashed.

# shellcheck source=tests/xen/system.sh
. /job/tests/xen/system.sh
xen_bin=$(echo /usr/lib/xen-[0-9]*/bin)

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

set_up_system dom0
set_up_kernel
open_verdict_channel
set_up_xen
run_job
sync
echo o >/proc/sysrq-trigger
while :; do
	sleep 60
done
