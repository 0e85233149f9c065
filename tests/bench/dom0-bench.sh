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
#   PARAMETERS=...  more of them for our module
#   PROFILE=1       the host was started with 'host.sh -p': keeps what makes names of addresses
#   TRACED=WORKLOAD[,WORKLOAD...]    counts hypercalls, too, in passes of their own as xentrace is not free;
#                   'all' for all workloads
#
# In each row fio runs in the guest for a while, and what the domains cost is measured for a part of that
# time, in which nothing starts or ends. It is printed as a line 'row KEY=VALUE...', for table.py; what can
# not be measured as a line 'failed KEY=VALUE...'.
set -u

here=/job/tests/bench
results=/job/bench
# shellcheck source=tests/bench/dom0-lib.sh
. "$here/dom0-lib.sh"
parameters=/sys/module/xen_blkback/parameters
said=$state/said meter=$state/meter trace=$state/trace tally=$state/tally

# For how many million instructions fio runs, unless it is told to end before that, as it should be.
longest=10000

# --- fio ------------------------------------------------------------------------------------------

# Notifications that have come from the guest.
from_guest() { awk '/blkif-backend|blkback\./ { sum += $2 } END { print sum + 0 }' /proc/interrupts; }

# Those that have come to it.
# shellcheck disable=SC2016 # not for this shell
to_guest() {
	guest_run main 'awk "\$NF == \"blkif\" { for (i = 2; i < NF; i++) sum += \$i } END { print sum + 0 }" /proc/interrupts'
}

# Requests that the backend has given to the disk.
requests() { cat "${counters[@]}" | awk '{ sum += $1 } END { print sum }'; }

# More of them than so many.
beyond() { [ "$(requests)" -gt "$1" ]; }

# fio_command OPTION...: by a job on each CPU. It reads the CPU's clock, as each look at the kernel's is a
# system call here.
fio_command() {
	local command option
	command="fio --name=bench --filename=/dev/xvdb --ioengine=libaio --direct=1 --norandommap --clocksource=cpu"
	command+=" --randseed=1 --output=/tmp/fio --output-format=json --group_reporting"
	command+=" --numjobs=$cpus --iodepth=$(((depth + cpus - 1) / cpus))"
	command+=" --cpus_allowed=0-$((cpus - 1)) --cpus_allowed_policy=split --offset_increment=1g"
	for option in "${options[@]}" "$@"; do
		command+=" --$option"
	done
	echo "$command"
}

# run_fio COUNT: so many I/Os.
run_fio() { guest_run main "$(fio_command "number_ios=$(($1 / cpus))")" >"$said" 2>&1 || { tail -n 1 "$said" >&2; return 1; }; }

# while_fio_goes_on COMMAND...: between two requests of its.
while_fio_goes_on() {
	within 60 beyond "$seen" || { echo "fio does not begin" >&2; return 1; }
	"$@" || return
	within 60 beyond "$(requests)" || { echo "fio has ended too early" >&2; return 1; }
}

# shellcheck disable=SC2016 # for the guest's shell
end_fio() {
	local status=0
	guest_run main 'kill -INT $(cat /tmp/fio.pid)' >&2
	guest_finish main fio >&2 || status=$?
	[ "$status" -eq 128 ] || { echo "fio has ended with status $status" >&2; return 1; }
}

# Reads, writes and trims; not what it calls sync.
total_ios() { awk -F'[:,]' '/"total_ios"/ && ++n <= 3 { sum += $2 } END { print sum }' "$1"; }

# So many millions of instructions take so many milliseconds.
seconds() { awk -v "ms=$1" 'BEGIN { print ms / 1000 }'; }

# metered SECONDS [FILE...]: 'host.sh -p' leaves a file for each time, with that number.
metered() {
	meterings=$((meterings + 1))
	/guest/meter "$id" "$@" >"$meter"
}

# traced_pass KIND COUNT: xentrace is told to leave the buffers alone until it is ended, so that it
# does not run meanwhile: 1024 pages are enough. 223 selects hypercalls, and who runs.
traced_pass() {
	local tracer status=0
	rm -f "$trace"
	xentrace -D -S 1024 -s 3600000 -e 0x00223000 "$trace" 2>/dev/null &
	tracer=$!
	within 10 test -e "$trace" || { echo "xentrace does not run" >&2; status=1; }
	[ "$status" -ne 0 ] || run_fio "$2" || status=1
	kill -TERM "$tracer"
	wait "$tracer"
	[ "$status" -eq 0 ] || return
	/guest/tally <"$trace" >"$tally" || return
	rm "$trace"
	echo "pass $what kind=$1 ios=$2 $(cat "$tally")"
}

# --- Rows ---------------------------------------------------------------------------------------

# value KEY: of the last reading
value() { sed "s/.*\<$1=\([0-9]*\).*/\1/" "$meter"; }

# As many requests as were made are as many I/Os as fio had in total.
measure() {
	local results=$results/$module.$persistent.${row/\//.}.json slept from to seen made total status=0
	slept=$(wakeups) from=$(from_guest) to=$(to_guest) seen=$(requests)
	guest_background main fio "$(fio_command time_based "runtime=${longest}ms") & echo \$! >/tmp/fio.pid; wait \$!"
	while_fio_goes_on metered "$(seconds "$measured")" "${counters[@]}" || status=1
	end_fio || return
	[ "$status" -eq 0 ] || return
	guest_run main cat /tmp/fio >"$results" || return
	total=$(total_ios "$results") made=$(($(requests) - seen))
	echo "row $what $(cat "$meter") metering=$meterings made=$made total=$total" \
		"wakeups=$(($(wakeups) - slept)) from_guest=$(($(from_guest) - from)) to_guest=$(($(to_guest) - to))"
	echo "# $module $row persistent=$persistent: dom0 $(per_io dom0)," \
		"guest $(per_io guest) instructions per I/O"
	! is_traced || trace_row
}

# per_io DOMAIN: roughly, for people.
per_io() { echo $(($(value "$1") * made / ($(value count) * total))); }

is_traced() { [[ ,${TRACED-}, == *,all,* || ,${TRACED-}, == *",${row#*/},"* ]]; }

trace_row() {
	traced_pass traced-short "$((count / 4))" && traced_pass traced-long $((count / 4 + count))
}

# say_failed FILE: the row is lost for the reason that FILE ends with.
say_failed() { echo "failed $what reason=$(tail -n 1 "$1" | tr -s ' \t' __)"; }

# rows_with SETUP: those rows of the config that have this disk and frontend.
rows_with() {
	local mine
	for row in "${rows[@]}"; do
		read -r _ measured count mine depth options < <(grep "^${row#*/} " "$here/workloads")
		[ "${row%/*} $mine" = "$config $1" ] || continue
		[ -z "${PROFILE-}" ] || measured=50
		read -ra options <<<"$options"
		what="module=$module persistent=$persistent row=$row"
		measure 2>"$state/errors" || say_failed "$state/errors"
	done
}

# Disk and parameters of the frontend, as in the fourth column of the workloads.
setups() {
	for row in "${rows[@]}"; do
		[ "${row%/*}" != "$config" ] || awk -v "name=${row#*/}" '$1 == name { print $4 }' "$here/workloads"
	done | sort -u
}

# What each end does all the time is measured once for each disk.
measure_idle() {
	metered 10
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
		counters=("$(backend_sysfs main xvdb)"/statistics/{rd,wr,f}_req)
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
		echo "plan row=$row modules=$modules persistent=$persistents traced=$(is_traced && echo yes)"
	done
}

meterings=0
modules=$1 persistents=${PERSISTENT:-N,Y}
set_up
read_rows "$2"
mkdir -p "$results"
null_disk plain
null_disk large max_sectors=2560
null_disk cached size=8192 memory_backed=1 cache_size=64
null_disk timed irqmode=2 completion_nsec=10000
for config in 1q 4q 4v1q; do
	with_guest
done
