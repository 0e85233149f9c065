# shellcheck shell=bash
# What must be true after each case of cases/hostile, whatever its guest has done. Sourced by dom0-run.sh, and by
# the cases, which call oracle_begin when all guests are there.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh

# More lines than that within a case are a flood, and one a second if it takes long.
log_limit=120
case_start=0	# on the clock of dom0-run.sh
# So much more memory may be in use than before: what the kernel keeps of its own, page tables of xl's
# processes, and what else is not the driver's. Leaks of a few bytes are for kmemleak to find.
memory_limit=4096
# KASAN keeps what was freed, a thirty-second part of all memory.
! compgen -G '/kernel/*-kasan' >/dev/null || memory_limit=28672
# In seconds of dom0's clock.
stall_limit=$((20 * slow))

# What there was in use before the case: memory and event channels.
baseline=/run/testbed-baseline

is_hostile() { [[ $CASE = hostile-* ]]; }

# channels_of DOMID: event channels between dom0 and the guest, by Xen's own account.
channels_of() { xen_says e | grep -c "s=3 .*d=$1 p=" || :; }

oracle_begin() {
	mkdir -p "$baseline"
	free_kib >"$baseline/memory"
	channels_of "$(domid attacker)" >"$baseline/channels"
	requests "$(canary_statistics)" >"$baseline/requests"
}

canary_statistics() { echo "$(backend_sysfs canary xvdb)/statistics"; }

seconds() { cut -d' ' -f1 /proc/uptime; }

# The guest 'canary' has verified what it reads ever since it was started.
find_in_canary() {
	local longest
	longest=$(guest_run canary 'cat /tmp/load.output; cat /tmp/longest; [ ! -e /tmp/load.status ]' 2>&1) ||
		echo "another guest: ${longest:-no answer}"
	note "another guest waited $longest s at most" >&2
	[ "${longest:-0}" -lt "$stall_limit" ] || echo "another guest waited $longest s for a read"
	within 60 has_served "$(canary_statistics)" $(($(cat "$baseline/requests") + 20)) ||
		echo "another guest is not served any more"
	requests "$(canary_statistics)" >"$baseline/requests"
}

find_in_log() {
	local lines
	lines=$(log_since "case $CASE" | wc -l)
	note "$lines lines in the log" >&2
	[ "$lines" -le $((log_limit + SECONDS - case_start)) ] || echo "$lines lines in the log"
}

missing_kib() { echo $(($(cat "$baseline/memory") - $(free_kib))); }

gave_back() { [ "$(missing_kib)" -le "$memory_limit" ]; }

uses() { there cat /sys/module/xen_blkback/refcnt; }

# The other guest's disk is the only one now: a device that is bound, and a connection.
no_other_use() { [ "$(uses)" -le 2 ]; }

find_in_xen() {
	local now
	within 20 gave_back || echo "dom0 has $(missing_kib) KiB less than before"
	within 20 no_other_use || echo "the module is in use $(uses) times"
	now=$(channels_of "$(domid attacker)")
	[ "$now" = "$(cat "$baseline/channels")" ] ||
		echo "event channels to the guest: $(cat "$baseline/channels") before, $now now"
}

# Xenwatch and all else that is needed for a disk is alive. While guests keep the only CPU busy it may take
# longer: ATTACH_LIMIT seconds.
find_when_attaching() {
	local start number limit=$((${ATTACH_LIMIT:-2} * slow))
	by_hand canary
	number=$(number_of /dev/testbed/further)
	start=$(seconds)
	xenstore-write "$backend/physical-device" "$number"
	comes_to_state "$backend" 4 60 || echo "a further disk for another guest is not connected"
	note "a further disk: $start to $(seconds)" >&2
	awk -v "start=$start" -v "now=$(seconds)" -v "limit=$limit" \
		'BEGIN { if (now - start > limit) print "a further disk for another guest took " now - start " seconds" }'
	/guest/nodes <<-END || echo "the further disk does not close"
		write $backend/online 0
		write $backend/state 5
		await $((60 * slow)) $backend/state 6
		rm $backend
		rm $frontend
	END
}

find_all() {
	find_in_canary
	find_in_log
	find_in_xen
	find_when_attaching
}

# oracle OUTPUT: a result for each thing that is wrong; by the way it says more in that file.
oracle() {
	local found=("a guest is gone")
	rm -f "$state/verdict"
	if guest_exists canary && guest_exists attacker; then
		mapfile -t found < <(find_all 2>>"$1")
	fi
	# A guest has not answered.
	[ ! -s "$state/verdict" ] || found+=("$(cat "$state/verdict")")
	[ ${#found[@]} -gt 0 ] || return 0
	report "not ok - $CASE: afterwards $(printf '%s; ' "${found[@]}")"
	oracle_end
}

# oracle_end: the next such case begins with new guests.
oracle_end() {
	local guest
	for guest in canary attacker; do
		guest_gone "$guest" || xl destroy "$guest"
	done
}
