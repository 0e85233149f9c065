#!/bin/bash
# Everything that can be checked, in one stream of TAP; the last line sums it up.
#
#   check.sh           all but the attacks, of which there is one, at random; unless CASE= names them
#   check.sh hostile   the attacks, by hostile guests; some of them on a host with two CPUs, too
#   check.sh debug     the cases and the attacks alone, but on a dom0 that has the debug kernel
#   check.sh kasan     the attacks, and cases that make sense there, with the backend in a driver domain that has a
#                      kernel with KASAN; some on two CPUs, too
#   check.sh kcsan     those attacks that change what the backend looks at, with the backend in a driver domain that has
#                      two CPUs and a kernel with KCSAN
#   check.sh modes     the cases without the attacks, once for each way that data may take, and waiting awake
#   check.sh stock     the cases and the attacks, with the in-tree module: what fails tells the two modules apart
#   check.sh fuzz      both fuzzers, for MINUTES= (30)
#   check.sh stress    disks, guests and the module come and go at a time, for MINUTES= (10)
#
#   CASE=pattern     only what has the pattern in its name: static checks, unit tests, fuzzing, cases,
#                    and 'bench'
#   PARAMETERS=...   of the module, for the cases
#   RING_GRANTS=, FLAP_SECONDS=, CHAOS_SECONDS=, STRESS_SECONDS=   for cases that may be longer
#
# Cases are run on emulated Xen hosts, see tests/README.md.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
export CASE=${CASE-}
kind=${1:-check}

# shellcheck source=tests/lib/packages.sh
. "$top/tests/lib/packages.sh"

cases() {
	local file name
	for file in "$top"/tests/cases/[0-9]*.sh "$top"/tests/cases/hostile/[0-9]*.sh; do
		name=${file#"$top/tests/cases/"}
		name=${name%.sh}
		name=${name/\//-}
		# shellcheck disable=SC2053 # CASE is a pattern
		[[ $name != *${CASE/\//-}* ]] || ! selected "$name" || echo "$name"
	done
}

# says CASE WORDS: in the comment that it begins with.
says() { grep -q "^# .*$2" "$top/tests/cases/${1/#hostile-/hostile/}.sh"; }

# Of what the kind of check is about.
selected() {
	case $kind:$1 in
	*-races:*) says "$1" 'On two CPUs, too' ;;
	kasan:hostile-*) ;;
	kasan:*) says "$1" 'In a driver domain, too' ;;
	check:hostile-65-chaos) ;;
	check:hostile-* | modes:hostile-*) [[ $CASE = *hostile* ]] ;;
	hostile:hostile-* | fuzz:hostile-65-chaos | stress:91-teardown) ;;
	hostile:* | fuzz:* | stress:*) return 1 ;;
	esac
}

# What dom0-run.sh and the cases may be told.
settings() {
	local name
	for name in BACKEND PARAMETERS CASE_LIMIT RING_GRANTS FLAP_SECONDS CHAOS_SECONDS STRESS_SECONDS; do
		[ -z "${!name-}" ] || printf '%s=%q ' "$name" "${!name}"
	done
}

# The hosts take the next case each from one queue, so that all are done at about the same time. Cases
# that take long come first, and those of hostile/ last, as they share a guest.
fill_queue() {
	local name
	rm -rf "$queue"
	mkdir -p "$queue"
	for name; do
		if [[ $name = hostile-* ]]; then
			: >"$queue/3:$name"
		elif says "$name" 'Takes long'; then
			: >"$queue/1:$name"
		else
			: >"$queue/2:$name"
		fi
	done
}

# How many hosts at a time: one for each CPU, and for every 4 GiB of memory.
hosts() {
	local memory
	memory=$(awk '$1 == "MemAvailable:" { print int($2 / 2 ^ 22) }' /proc/meminfo)
	printf '%s\n' 4 "$(nproc)" $((memory > 1 ? memory : 1)) | sort -n | head -n 1
}

# integration HOSTS OPTION...: that many hosts at a time, with these options of host.sh.
integration() {
	local names hosts=$1 host pids=() status=0
	shift
	mapfile -t names < <(cases)
	[ ${#names[@]} -gt 0 ] || return 0
	queue=$top/build/xen/queue-$kind
	fill_queue "${names[@]}"
	"$top/tests/xen/build.sh"
	for ((host = 1; host <= hosts; host++)); do
		"$top/tests/xen/host.sh" -n "$kind-$host" -q "$queue" "$@" \
			"$(settings)bash tests/xen/dom0-run.sh" &
		pids+=($!)
	done
	for host in "${pids[@]}"; do
		wait "$host" || status=$?
	done
	not_run "$queue"
	return "$status"
}

# not_run QUEUE: what no host has taken, as they all had to end before. A file that was taken has a dot before its name.
not_run() {
	local file
	for file in "$1"/*; do
		[ ! -e "$file" ] || echo "not ok - ${file##*:}: was not run # ERROR"
	done
}

# races OPTION...: cases in which the guest changes what the backend looks at, on one host where both run at a time.
races() { kind=$kind-races integration 1 -s 2 "$@" | sed -uE 's/^((not )?ok - )/\1on two CPUs: /'; }

# The cases on the debug kernel, and which lines of the driver they have run.
debug_kernel() {
	local status=0 hosts names=()
	hosts=$(hosts)
	integration "$hosts" -d || status=$?
	mapfile -t names < <(seq -f 'debug-%.0f' "$hosts")
	"$top/tests/xen/coverage.sh" "${names[@]}" || :
	return "$status"
}

# All or nothing: the time it takes is that of booting.
bench() {
	# shellcheck disable=SC2053 # CASE is a pattern
	[[ bench != *$CASE* ]] || "$top/tests/bench/bench.sh" guard
}

# stage NAME COMMAND...: runs it and ends with a line for the one who counts.
stage() {
	local name=$1 start=$SECONDS status=0
	shift
	say "stage $name"
	"$@" 2>&1 </dev/null || status=$?
	say "stage $name: $((SECONDS - start)) s"
	echo "%stage $name $status"
}

# for_long DEFAULT: a case that takes MINUTES=. Sets $seconds, and $limit of its host.
for_long() {
	seconds=$((${MINUTES:-$1} * 60))
	export CASE_LIMIT=$((4 * seconds + 900)) SILENCE=$((4 * seconds + 1000))
	limit=$((CASE_LIMIT + 900))
}

# The default is kept, which all cases are run with anyway.
modes() {
	local each
	each=$(hosts)
	PARAMETERS='feature_persistent=0' stage copied integration "$each"
	PARAMETERS='feature_persistent=0 copy_read_max=0 copy_write_max=0' stage mapped integration "$each"
	PARAMETERS='poll_us=1000' stage awake integration "$each"
}

# The kinds of check that are about the cases, or some of them.
only_cases() {
	case $kind in
	hostile)
		stage hostile integration "$(hosts)"
		stage races races
		;;
	debug) stage debug debug_kernel ;;
	kasan)
		# What is done again and again takes long there.
		export BACKEND=storage CHAOS_SECONDS=${CHAOS_SECONDS:-300}
		stage kasan integration "$(hosts)" -K
		stage races races -K
		;;
	kcsan)
		export BACKEND=storage CHAOS_SECONDS=${CHAOS_SECONDS:-300}
		stage races races -C
		;;
	modes) modes ;;
	stock)
		# Much is waited for in vain.
		stage stock integration "$(hosts)" -m stock -t 14400
		;;
	fuzz)
		for_long 30
		export CHAOS_SECONDS=$seconds
		stage fuzz "$top/tests/fuzz/run.sh" "$seconds"
		stage chaos integration 1 -t "$limit"
		;;
	stress)
		for_long 10
		export STRESS_SECONDS=$seconds
		stage stress integration 1 -t "$limit"
		;;
	esac
}

# What the bench measures does not depend on what else the machine does, and none of the first stages needs more
# than one CPU. It may go on beside the first cases: hosts wait for CPUs of their own, see host.sh.
stages() {
	local aside
	if [ "$kind" != check ]; then
		only_cases
		return
	fi
	aside=$(mktemp)
	stage bench bench >"$aside" &
	stage static "$top/tests/static.sh"
	stage unit "$top/tests/unit/run.sh"
	stage fuzz "$top/tests/fuzz/run.sh" 60
	stage integration integration "$(hosts)"
	wait
	cat "$aside"
	rm "$aside"
}

total=0 failed=0 skipped=0	# results of all stages
here=0 bad=0			# results of this stage, and how many of them failed

# What may be skipped: in which kind of check, which case, and for which reason.
may_skip=(
	# The debug kernel alone can make allocations fail.
	'check: 90-no-memory # SKIP only the debug kernel can do that*'
	'modes: 90-no-memory # SKIP only the debug kernel can do that*'
	'stock: 90-no-memory # SKIP only the debug kernel can do that*'
	# No host has what it takes that has no help from its processor.
	'*: hostile-47-try-again # SKIP Xen answers so for pages of HVM guests only*'
	# These hold our module against the in-tree one, or are about what that lacks.
	'stock: 36-drop-in # SKIP the in-tree module is all there is'
	'stock: 66-top # SKIP the in-tree module counts hardly anything'
)

# may_be_skipped LINE
may_be_skipped() {
	local pattern
	for pattern in "${may_skip[@]}"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ "$kind: ${1#*- }" != $pattern ]] || return 0
	done
	return 1
}

# result LINE: prints it with a number of ours. What cases need is there, so one that is skipped otherwise has failed.
result() {
	local line=$1
	case $line in
	ok*'# SKIP'*) may_be_skipped "$line" || line="not ${line/ \# SKIP/: skipped:}" ;;
	esac
	total=$((total + 1))
	here=$((here + 1))
	case $line in
	not*) failed=$((failed + 1)) bad=$((bad + 1)) ;;
	*'# SKIP'*) skipped=$((skipped + 1)) ;;
	esac
	[[ $line =~ ^((not )?ok)[[:space:]]*[0-9]*[[:space:]]*(- )?(.*) ]]
	printf '%s %d - %s\n' "${BASH_REMATCH[1]}" "$total" "${BASH_REMATCH[4]}"
}

# stage_end NAME STATUS: a stage that failed without saying why, was killed, or ran nothing though
# nothing was deselected, is an error.
stage_end() {
	if [ "$2" -ge 128 ] || { [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		result "not ok - $1: ended with status $2 # ERROR"
	elif [ "$here" -eq 0 ] && [ -z "$CASE" ]; then
		result "not ok - $1: ran nothing # ERROR"
	fi
	here=0 bad=0
}

count() {
	local line name status
	while IFS= read -r line; do
		case $line in
		ok[[:space:]]* | 'not ok'*) result "$line" ;;
		1..[0-9]*) ;;
		%stage*) read -r _ name status <<<"$line"; stage_end "$name" "$status" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	[ "$total" -gt 0 ] || result "not ok - nothing is named like '$CASE' # ERROR"
	echo "1..$total"
	printf '%d passed, %d failed' $((total - failed - skipped)) "$failed"
	[ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
	echo
	[ "$failed" -eq 0 ]
}

stages | count
