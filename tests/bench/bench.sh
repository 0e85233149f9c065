#!/bin/bash
# What I/O costs with our module and with the in-tree one, on an emulated host that counts instructions.
#
#   bench.sh run      all rows, or with QUICK=1 a few; leaves results in build/bench
#   bench.sh update   makes what the last whole run has found the table in docs/ and what 'guard' expects
#   bench.sh guard    a few rows; prints TAP: is any ratio worse than the committed one?
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$top/build/bench

# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"

workloads() { awk '!/^#/ { print $1 }' "$here/workloads"; }

# One workload tells what one queue costs a guest that has several CPUs.
all_rows() {
	workloads | sed 's,^,1q/,'
	workloads | sed 's,^,4q/,'
	echo 4v1q/4k-randread-qd32
}

few_rows() { printf '1q/%s\n' 4k-randread-qd1 4k-randread-qd32 4k-randwrite-qd32 128k-read-qd8 1m-read-qd4; }

# rows_command ROWS: what measures them in dom0
rows_command() { echo "bash tests/bench/dom0-bench.sh stock,ours $(paste -sd, <<<"$1")"; }

disks_command='bash tests/bench/dom0-disks.sh stock,ours'

# measure NAME COMMAND: has a host do that; its files are in build/xen/runs/NAME.
measure() { "$top/tests/xen/host.sh" -b -n "$1" -t 7200 "$2"; }

# keep NAME FOLDER: what the host has measured.
keep() {
	local run=$top/build/xen/runs/$1 folder=$2
	rm -rf "$folder"
	mkdir -p "$folder"
	cp "$run/verdict" "$folder/raw"
	cp -r "$run/job/bench" "$folder/fio"
}

# Lines for people are comments, and TAP lines of what went wrong.
progress() { grep --line-buffered -E '^(#|not ok|failed)' || :; }

picture() {
	need_packages gnuplot-nox
	(cd "$1" && gnuplot "$here/ratios.gp")
}

run() {
	local command status=0
	SECONDS=0
	command="TRACED=1 $(rows_command "$(all_rows)"); $disks_command"
	[ -z "${QUICK-}" ] || command="TRACED=1 $(rows_command "$(few_rows)")"
	measure bench "$command" | progress || status=$?
	keep bench "$out"
	"$here/table.py" write "$out" || status=1
	picture "$out"
	cat "$out/table.md"
	say "bench: $SECONDS s; results.csv, ratios.csv, table.md and ratios.svg are in ${out#"$top"/}"
	return "$status"
}

update() {
	[ -e "$out/table.md" ] || { say "no results in $out: make bench first"; return 1; }
	! grep -q ERROR "$out/table.md" || { say "there are errors in the results: nothing is updated"; return 1; }
	cp "$out/table.md" "$top/docs/performance-table.md"
	cp "$out/ratios.svg" "$top/docs/performance.svg"
	cp "$out/ratios.csv" "$here/committed.csv"
	say "docs/performance-table.md, docs/performance.svg and tests/bench/committed.csv are new"
}

guard() {
	local status=0
	measure guard "$(rows_command "$(few_rows)")" >"$top/build/guard.log" 2>&1 || status=$?
	progress <"$top/build/guard.log"
	keep guard "$out-guard"
	"$here/table.py" guard "$out-guard" "$here/committed.csv" || status=1
	return "$status"
}

case ${1-} in
run | update | guard) "$1" ;;
*) sed -n '2,6s/^# *//p' "$0"; exit 2 ;;
esac
