# shellcheck shell=bash
# What all measurements in dom0 have in common. Sourced.

CASE=bench
# shellcheck source=tests/cases/lib.sh
. /job/tests/cases/lib.sh

# What lib.sh has to say when it gives up.
trap 'cat "$state/verdict" 2>/dev/null || :' EXIT

# What a script has left that failed is taken away. As a host is by default: dom0 weighs no more than a
# guest.
set_up() {
	mkdir -p "$state"
	rm -f "$state/verdict"
	guest_gone main || guest_destroy main
	! module_loaded || within 60 module_unload || error "the module does not unload"
	xl sched-credit2 -d 0 -w 256
}

# ratelimit MICROSECONDS: how long Xen lets a virtual CPU run at least.
ratelimit() { xl sched-credit2 -s -r "$1" >/dev/null; }

# While a guest boots its CPUs often wait for each other. If the one that is waited for may not run at
# once, it has to wait for the others to have their ten milliseconds, and booting lasts for minutes.
# start_bench_guest CPUS [CFG_LINE...]: starts the guest main, and sets $id. Programs are where they always
# are in its memory. To have Xen emulate rdtsc, as it does where the clock of a CPU may change, would cost the
# guest as much again as all else.
start_bench_guest() {
	ratelimit 0
	FRONTEND=norandmaps guest_start main "vcpus=$1" 'tsc_mode="native"' "${@:2}"
	id=$(domid main)
	ratelimit 1000
}

# module_start ours|stock: ours with what is in PARAMETERS, too.
module_start() {
	local wanted
	read -ra wanted <<<"${PARAMETERS-}"
	case $1 in
	ours) insmod /job/xen-blkback.ko max_queues=4 "${wanted[@]}" ;;
	stock) modprobe xen-blkback max_queues=4 ;;
	esac || error "the module $1 does not load"
}

# find_threads DOMID.DISK: sets $threads. Ours are called blkback.DOMID.xvdb-N, those of the in-tree
# module DOMID.xvdb-N.
find_threads() {
	local file name
	threads=()
	for file in /proc/[0-9]*/comm; do
		read -r name <"$file" && [[ $name == *"$1"* ]] && threads+=("${file%/comm}")
	done
	[ ${#threads[@]} -gt 0 ]
}

# How often the threads of the disk's queues have gone to sleep.
wakeups() {
	local thread key value sum=0
	for thread in "${threads[@]}"; do
		while read -r key value; do
			[ "$key" != voluntary_ctxt_switches: ] || sum=$((sum + value))
		done <"$thread/status"
	done
	echo "$sum"
}
