#!/bin/bash
# Measures, in dom0, what the I/O of a guest costs with our module and with the in-tree one.
#
#   dom0-bench.sh MODULES ROW[,ROW...]
#
#   MODULES         ours, stock or both, with a comma
#   ROW             [CONFIG/]WORKLOAD; workloads are in the file 'workloads', configs are
#                   1q     a guest with one CPU, one queue (default)
#                   4q     a guest with four CPUs, four queues, a job on each
#                   4v1q   the same guest and jobs, but one queue
#   PERSISTENT=N    without persistent grants only, or with them only; default is both
#   SHIFT=N         the host was started with 'host.sh -b -i N'
#   PROFILE=1       the host was started with 'host.sh -p': keeps what makes names of addresses
#   TRACED=1        also counts hypercalls, in passes of their own as xentrace is not free
#
# Each row takes three passes of fio in the guest: one for all that happens only once, a short one and
# a long one. The difference between the last two is what the I/O costs; whatever it costs to start
# and end is not in it. Each pass is printed as a line 'pass KEY=VALUE...', for table.py; what can
# not be measured as a line 'failed KEY=VALUE...'.
set -u

here=/job/tests/bench
results=/job/bench
# shellcheck source=tests/bench/dom0-lib.sh
. "$here/dom0-lib.sh"
parameters=/sys/module/xen_blkback/parameters
said=$state/said meter=$state/meter trace=$state/trace tally=$state/tally

# --- One pass -----------------------------------------------------------------------------------

# Notifications that have come from the guest.
notifications() { awk '/blkif-backend|blkback\./ { sum += $2 } END { print sum + 0 }' /proc/interrupts; }

# In the guest: notifications that have come from dom0.
# shellcheck disable=SC2016 # not for this shell
count_blkif='awk "\$NF == \"blkif\" { for (i = 2; i < NF; i++) sum += \$i } END { print \"blkif=\" sum }" /proc/interrupts'

# fio_command COUNT: fio with that many I/Os in all, by a job on each CPU. It reads the CPU's clock, as
# each look at the kernel's is a system call here.
fio_command() {
	local command option
	command="fio --name=bench --filename=/dev/xvdb --ioengine=libaio --direct=1 --norandommap --clocksource=cpu"
	command+=" --randseed=1 --output=/tmp/fio --output-format=json --group_reporting"
	command+=" --numjobs=$cpus --number_ios=$(($1 / cpus)) --iodepth=$(((depth + cpus - 1) / cpus))"
	command+=" --cpus_allowed=0-$((cpus - 1)) --cpus_allowed_policy=split --offset_increment=1g"
	for option in "${options[@]}"; do
		command+=" --$option"
	done
	echo "$count_blkif; $command && $count_blkif"
}

# run_fio COUNT [METER...]: sets $notified to the notifications that the guest has got.
run_fio() {
	local count=$1 before after
	shift
	if ! "$@" /guest/remote run main "$GUEST_LIMIT" <<<"$(fio_command "$count")" >"$said" 2>&1; then
		tail -n 1 "$said" >&2
		return 1
	fi
	read -r before after < <(awk -F= '/^blkif=/ { print $2 }' "$said" | xargs)
	notified=$((after - before))
}

# metered COMMAND...: 'host.sh -p' leaves a file for each time, with that number.
metered() {
	meterings=$((meterings + 1))
	/guest/meter "$meter" "$id" "$@"
}

# run_pass KIND COUNT
run_pass() {
	local slept notified notifying
	slept=$(wakeups) notifying=$(notifications)
	run_fio "$2" metered || return
	echo "pass $what kind=$1 ios=$2 $(cat "$meter") wakeups=$(($(wakeups) - slept))" \
		"from_guest=$(($(notifications) - notifying)) to_guest=$notified metering=$meterings"
}

# traced_pass KIND COUNT: xentrace is told to leave the buffers alone until it is ended, so that it
# does not run meanwhile: 1024 pages are enough. 223 selects hypercalls, and who runs.
traced_pass() {
	local tracer notified
	xentrace -D -S 1024 -s 3600000 -e 0x00223000 "$trace" 2>/dev/null &
	tracer=$!
	within 10 test -e "$trace" || { echo "xentrace does not run" >&2; return 1; }
	run_fio "$2" || return
	kill -TERM "$tracer"
	wait "$tracer"
	/guest/tally <"$trace" >"$tally" || return
	rm "$trace"
	echo "pass $what kind=$1 ios=$2 $(cat "$tally")"
}

# --- Rows ---------------------------------------------------------------------------------------

# value KEY: of the last reading
value() { sed "s/.*\<$1=\([0-9]*\).*/\1/" "$meter"; }

measure() {
	local short=$((count / 4)) dom0 guest
	run_pass warm "$short" >/dev/null && run_pass short "$short" || return
	dom0=$(value dom0) guest=$(value guest)
	run_pass long $((short + count)) || return
	guest_run main cat /tmp/fio >"$results/$module.$persistent.${row/\//.}.json" || return
	dom0=$(((($(value dom0) - dom0) / count) >> ${SHIFT:-0}))
	guest=$(((($(value guest) - guest) / count) >> ${SHIFT:-0}))
	echo "# $module $row persistent=$persistent: dom0 $dom0, guest $guest instructions per I/O"
	[ -z "${TRACED-}" ] || trace_row
}

trace_row() {
	local some=$((count / 16))
	traced_pass traced-short "$some" && traced_pass traced-long $((some + count / 4))
}

# say_failed FILE: the row is lost for the reason that FILE ends with.
say_failed() { echo "failed $what reason=$(tail -n 1 "$1" | tr -s ' \t' __)"; }

# rows_with SETUP: those rows of the config that have this disk and frontend.
rows_with() {
	local mine
	for row in "${rows[@]}"; do
		read -r _ count mine depth options < <(grep "^${row#*/} " "$here/workloads")
		[ "${row%/*} $mine" = "$config $1" ] || continue
		read -ra options <<<"$options"
		what="module=$module persistent=$persistent row=$row"
		measure 2>"$state/errors" || say_failed "$state/errors"
	done
}

# Disk and parameters of the frontend, as in the third column of the workloads.
setups() {
	for row in "${rows[@]}"; do
		[ "${row%/*}" != "$config" ] || awk -v "name=${row#*/}" '$1 == name { print $3 }' "$here/workloads"
	done | sort -u
}

# What each end does all the time is measured once for each disk.
measure_idle() {
	metered sleep 10
	echo "idle module=$module persistent=$persistent config=$config $(cat "$meter")"
}

# The addresses of user space, while fio runs. It has the same ones each time if FRONTEND=norandmaps.
# shellcheck disable=SC2016 # not for this shell
fio_maps='fio --name=maps --ioengine=null --size=8k --bs=4k --thinktime=1s >/dev/null &
	until grep -q libc.so "/proc/$!/maps"; do sleep 0.1; done; cat "/proc/$!/maps"; wait'

# Of the guest's kernel only what it has loaded: the rest is at the same place as dom0's.
keep_symbols() {
	local symbols=/job/symbols/$module
	mkdir -p "$symbols"
	cp /proc/kallsyms "$symbols/dom0"
	cp /proc/xen/xensyms "$symbols/xen"
	guest_run main 'grep " [tT] .*\[xen_blkfront\]" /proc/kallsyms' >"$symbols/guest"
	guest_run main "$fio_maps" >"$symbols/fio"
}

with_disk() {
	local setup frontend
	echo "$persistent" >"$parameters/feature_persistent"
	for setup in $(setups); do
		IFS=, read -ra frontend <<<"$setup"
		guest_frontend main "max_queues=$queues" "${frontend[@]:1}"
		attach main "phy:/dev/${frontend[0]},xvdb,w"
		find_threads "$id.xvdb" || error "no threads of the disk's queues are found"
		[ -z "${PROFILE-}" ] || keep_symbols
		measure_idle
		rows_with "$setup"
		detach main xvdb
	done
}

with_module() {
	module_start "$module"
	for persistent in ${persistents//,/ }; do
		with_disk
	done
	within 60 module_unload || error "the module does not unload"
}

# Each config has a guest of its own.
with_guest() {
	case $config in
	1q) cpus=1 queues=1 ;;
	4q) cpus=4 queues=4 ;;
	4v1q) cpus=4 queues=1 ;;
	*) error "no such config: $config" ;;
	esac
	[ -n "$(setups)" ] || return 0
	start_bench_guest "$cpus"
	for module in ${modules//,/ }; do
		with_module
	done
	guest_destroy main
}

# read_rows ROW,...: sets $rows; and says which there are to be, as some may fail.
read_rows() {
	local row
	rows=()
	for row in ${1//,/ }; do
		[[ $row == */* ]] || row=1q/$row
		grep -q "^${row#*/} " "$here/workloads" || error "no such workload: ${row#*/}"
		rows+=("$row")
		echo "plan row=$row modules=$modules persistent=$persistents shift=${SHIFT:-0}"
	done
}

meterings=0
modules=$1 persistents=${PERSISTENT:-N,Y}
set_up
mkdir -p "$results"
null_disk plain
null_disk cached size=1024 memory_backed=1 cache_size=64
read_rows "$2"
for config in 1q 4q 4v1q; do
	with_guest
done
