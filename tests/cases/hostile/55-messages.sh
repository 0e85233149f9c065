#!/bin/bash
# of many refusals the log has as many as it may, of a guest and of a disk, and one line that says so; the others are counted

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# limited WHOSE COUNT: of twelve messages so many are in the log within a minute.
limited() {
	local whose=$1 count=$2 told held more
	expect "messages held before" 0 "$(budget messages_held)"
	mark_consoles "case $CASE: $whose"
	for queues in {10..21}; do
		printf 'key multi-queue-num-queues=%s\nrefused multi-queue-num-queues is %s, and 1 to 4 were offered\n' "$queues" "$queues"
	done | attack
	log_since "case $CASE: $whose" >"$state/log"
	told=$(in_log "guest $(domid attacker), disk xvdp: .*multi-queue-num-queues is") held=$(budget messages_held)
	# The minute may have been over in between, once or so, on a slow host.
	[ "$told" -ge "$count" ] || fail "$told messages are in the log, and $count may be"
	expect "messages in the log and held" 12 $((told + held))
	[ "$held" -gt 0 ] || error "12 refusals have taken minutes"
	more=$(in_log "$whose: more than [0-9]* messages in a minute")
	{ [ "$more" -ge 1 ] && [ "$told" -le $((count * (more + 1))) ]; } ||
		fail "$told messages in the log, and $more that say that there were more"
	pass "$whose"
}
in_log() { grep -c "$1" "$state/log" || :; }

hostile_start
without_disks
parameter max_guest_messages 3
offer
limited "guest $(domid attacker)" 3
served

# That there are more about the disk counts for its guest.
without_disks
parameter max_guest_messages 30
parameter max_disk_messages 3
offer
limited "guest $(domid attacker), disk xvdp" 3
served
# The next case has the usual limits again.
without_disks
