#!/bin/bash
# What I/O costs with our module and with the in-tree one, on an emulated host that counts instructions.
#
#   bench.sh run      all rows, or with QUICK=1 a few; leaves results in build/bench, or build/bench-quick
#   bench.sh update   makes what the last whole run has found the table in docs/ and what 'guard' expects
#   bench.sh guard    a few rows; prints TAP: is any ratio worse than the committed one?
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$top/build/bench

# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"
need_packages python3

# rows CONFIG: all of them.
rows() { awk -v "config=$1" '!/^#/ { print config "/" $1 }' "$here/workloads"; }

few_rows() { printf '1q/%s\n' 4k-randread-qd1 4k-randread-qd32 128k-read-qd8 1m-read-qd4; }

guarded_rows() {
	few_rows
	printf '%s\n' 1q/{4k-randwrite-qd32,16k-randread-qd32,4k-write-flush,1m-write-qd4-256seg} 4q/4k-randread-qd32
}

# rows_command ROWS: what measures them in dom0
rows_command() { echo "bash tests/bench/dom0-bench.sh stock,ours $(paste -sd, <<<"$1")"; }

# What one queue costs a guest with several CPUs, too, for one workload.
queues_command() { echo "TRACED=all $(rows_command "$(rows 4q; echo 4v1q/4k-randread-qd32)")"; }

disks_command='bash tests/bench/dom0-disks.sh stock,ours'

# measure NAME COMMAND: has a host do that; its files are in build/xen/runs/NAME.
measure() {
	rm -rf "$top/build/xen/runs/$1"
	"$top/tests/xen/host.sh" -b -n "$1" -t 14400 "$2"
}

# keep FOLDER NAME...: what the hosts have measured.
keep() {
	local folder=$1 name
	shift
	rm -rf "$folder"
	mkdir -p "$folder/fio"
	for name; do
		cat "$top/build/xen/runs/$name/verdict" >>"$folder/raw"
		cp "$top/build/xen/runs/$name"/job/bench/* "$folder/fio/" || :
	done
}

# Lines for people are comments, and TAP lines of what went wrong.
progress() { grep --line-buffered -E '^(#|not ok|failed)' || :; }

picture() {
	need_packages gnuplot-nox
	(cd "$1" && gnuplot "$here/ratios.gp")
}

# Both hosts at a time, if there are the CPUs for it.
all_hosts() {
	local status=0 other
	measure bench-4 "$(queues_command)" &
	other=$!
	measure bench-1 "TRACED=all $(rows_command "$(rows 1q)") && $disks_command" || status=$?
	wait "$other" || status=$?
	return "$status"
}

one_host() { measure bench-1 "TRACED=4k-randread-qd32 $(rows_command "$(few_rows)")"; }

run() {
	local hosts=(bench-1 bench-4) status=0
	SECONDS=0
	if [ -n "${QUICK-}" ]; then
		hosts=(bench-1) out=$out-quick
		one_host | progress || status=$?
	else
		all_hosts | progress || status=$?
	fi
	keep "$out" "${hosts[@]}"
	"$here/table.py" write "$out" || status=1
	picture "$out"
	[ -n "${QUICK-}" ] || [ "$status" -ne 0 ] || touch "$out/whole"
	cat "$out/table.md"
	say "bench: $SECONDS s; results.csv, ratios.csv, disks.csv, table.md and ratios.svg are in ${out#"$top"/}"
	return "$status"
}

update() {
	[ -e "$out/whole" ] || { say "no results of a whole run without errors in $out: make bench first, without QUICK"; return 1; }
	cp "$out/table.md" "$top/docs/performance-table.md"
	cp "$out/ratios.svg" "$top/docs/performance.svg"
	cp "$out/ratios.csv" "$here/committed.csv"
	say "docs/performance-table.md, docs/performance.svg and tests/bench/committed.csv are new"
}

guard() {
	local status=0
	mkdir -p "$top/build"
	measure guard "TRACED=4k-randread-qd32 $(rows_command "$(guarded_rows)")" >"$top/build/guard.log" 2>&1 || status=$?
	progress <"$top/build/guard.log"
	keep "$out-guard" guard
	"$here/table.py" guard "$out-guard" "$here/committed.csv" || status=1
	return "$status"
}

case ${1-} in
run | update | guard) "$1" ;;
*) sed -n '2,6s/^# *//p' "$0"; exit 2 ;;
esac
