#!/bin/bash
# Runs cases in dom0, one after the other, and reports in TAP without numbers.
#
#   dom0-run.sh [CASE...]    the names of files in tests/cases; without any: those that are in /queue,
#                            which other hosts take theirs from, too
#
# With BACKEND=storage in the environment the backend under test is not in dom0 but in a driver domain, see
# cases/storage.sh, and dom0 has the in-tree one.
#
# After each case: other guests than 'main' are destroyed, disks detached, what the case has set up
# is undone, and then nothing of the backend may be left: threads, irqs, grants, xenstore nodes.
set -u

failures=0

# shellcheck source=tests/cases/lib.sh
. /job/tests/cases/lib.sh
# shellcheck source=tests/cases/storage.sh
. /job/tests/cases/storage.sh
# shellcheck source=tests/xen/backend.sh
. /job/tests/xen/backend.sh
# shellcheck source=tests/xen/oracle.sh
. /job/tests/xen/oracle.sh
case_limit=${CASE_LIMIT:-$((900 * slow))}

exec 3>&1

report() {
	printf '%s\n' "$1"
	case $1 in "not ok"*) failures=$((failures + 1)) ;; esac
}

# Results come from elsewhere, on standard input.
report_all() {
	local line
	while IFS= read -r line; do
		report "$line"
	done
}

# In a process group of its own, ended as a whole when the time is over.
execute() {
	timeout -k 20 "$case_limit" bash -Eeu -o pipefail -c ". $cases/lib.sh
		trap 'on_error \$?' ERR
		. $file" "$file"
}

verdict() {
	local status=$1
	if [ -s "$state/verdict" ]; then
		report "$(cat "$state/verdict")"
	elif [ "$status" -eq 0 ]; then
		report "ok - $CASE: $title"
	elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		report "not ok - $CASE: not done after $case_limit s"
	else
		report "not ok - $CASE: ended with status $status # ERROR"
	fi
}

# detach_all GUEST: all its disks.
detach_all() {
	local vdev backend
	xl block-list "$1" | awk 'NR > 1 { print $1 }' | while read -r vdev; do
		xl block-detach "$1" "$vdev"
	done
	for backend in $(xenstore-list "/local/domain/0/backend/vbd/$(domid "$1")" 2>/dev/null); do
		(unplug "$1" "/local/domain/0/backend/vbd/$(domid "$1")/$backend")
	done
}

# A guest that has seen a failure is not trusted any more.
clean_guests() {
	local passed=$1 name
	for name in $(xl list | awk 'NR > 1 && $2 > 0 { print $1 }'); do
		case $passed:$CASE:$name in
		yes:hostile-*:canary | yes:hostile-*:attacker ) ;;
		yes:*:main) detach_all "$name" ;;
		*:"${BACKEND-}") ;;
		*) xl destroy "$name" ;;
		esac
	done
}

# Also what the functions of lib.sh have set up in a driver domain.
undo_all() {
	undo
	[ -z "${BACKEND-}" ] || ! there test -e "$state/at_end" || there undo
}

clean_up() {
	{
		echo "--- after the case"
		clean_guests "$1"
		(undo_all) 2>&1 | tee "$state/undone"
	} >>"$output" 2>&1
	grep '^failed to undo' "$state/undone" >>"$state/leftovers"
	within 60 nothing_left || leftovers >>"$state/leftovers"
	[ -s "$state/leftovers" ] || return 0
	report "not ok - $CASE: leaves behind: $(paste -sd';' "$state/leftovers")"
	cat "$state/leftovers" >>"$known_leftovers"
}

# A driver domain has the disk that cases make volumes of. It may have been lost in the case before.
start() {
	[ -z "${BACKEND-}" ] || guest_exists "$BACKEND" || storage_start /dev/vdc
	there debug_start
	there module_anew
}

# A case that has changed the module may have failed half-way.
begin() {
	[ -z "${BACKEND-}" ] || guest_exists "$BACKEND" || start
	mark_consoles "case $CASE"
	debug_case
	module_as_usual || there module_anew
}

unload() (there module_unload)

run_case() {
	local status=0 before=$failures passed=no
	case_start=$SECONDS
	CASE=$1
	export CASE
	file=$(case_file "$CASE")
	title=$(sed -n '2s/^# *//p' "$file")
	output=/job/output/$CASE.$SECONDS.log
	rm -rf "$state"
	mkdir -p "$state" /job/output
	is_hostile || oracle_end
	{ (begin) && execute; } >"$output" 2>&1 </dev/null || status=$?
	[ ! -e "$state/silent" ] || cat "$state/silent" >>"$output"
	verdict "$status"
	[ "$failures" -gt "$before" ] || passed=yes
	clean_up "$passed"
	# A case that has failed has no guests any more.
	! is_hostile || [ "$passed" = no ] || oracle "$output"
	# What a case says by the way is of interest only when it fails; the file has all of it.
	[ "$failures" -eq "$before" ] || tail -n 80 "$output" | sed 's/^/#   /'
	say "$CASE took $((SECONDS - case_start)) s"
}

say() { printf '# %s\n' "$*"; }

# Each file in /queue is named like a case. Whoever can rename it runs it.
run_queue() {
	local file name
	mkdir -p /queue
	mount -t 9p -o trans=virtio,version=9p2000.L queue /queue
	for file in /queue/*; do
		name=${file##*/}
		mv "$file" "/queue/.$name" 2>/dev/null || continue
		run_case "${name#*:}"
	done
}

# A host for that has its modules on /dev/vde. With another kernel nobody would know what was not looked for.
expect_debug_kernel() {
	local release
	[ -b /dev/vde ] || return 0
	release=$(there uname -r)
	[[ $release = *-k[ac]san ]] || report "not ok - driver domain: its kernel is $release # ERROR"
}

main() {
	local name
	mkdir -p "$state" /job/output
	if [ -n "${BACKEND-}" ]; then
		export BLOCK_SCRIPT=block-quick
		modprobe xen-blkback
	fi
	if ! (start) >/job/output/start.log 2>&1; then
		report "$(cat "$state/verdict" 2>/dev/null || echo "not ok - the module loads")"
		sed 's/^/#   /' /job/output/start.log
		return 1
	fi
	[ -z "${BACKEND-}" ] || expect_debug_kernel
	for name; do
		run_case "$name"
	done
	[ $# -gt 0 ] || run_queue
	mark_consoles "case end"
	xl destroy main 2>/dev/null
	oracle_end
	report_all < <(there debug_leaks)
	# Nothing that the cases did may hold the module.
	if within 60 unload; then
		report "ok - the module unloads"
	else
		report "not ok - the module does not unload"
	fi
	report_all < <(there debug_end)
	[ "$failures" -eq 0 ]
}

main "$@"
