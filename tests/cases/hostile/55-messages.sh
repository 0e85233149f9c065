#!/bin/bash
# of many refusals the log has as many as it may, and one line that says so; the others are counted, and in xenstore

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
without_disks
parameter max_guest_messages 3
offer
expect "messages held before" 0 "$(budget messages_held)"
for queues in {10..21}; do
	printf 'key multi-queue-num-queues=%s\nrefused multi-queue-num-queues is %s, and 1 to 4 were offered\n' "$queues" "$queues"
done | attack
log_since "case $CASE" >"$state/log"
in_log() { grep -c "$1" "$state/log" || :; }
told=$(in_log "guest $(domid attacker), disk xvdp: ") held=$(budget messages_held)
# The minute may have been over in between, once or so, on a slow host.
[ "$told" -ge 3 ] || fail "$told messages are in the log, and 3 may be"
expect "messages in the log and held" 12 $((told + held))
[ "$held" -gt 0 ] || error "12 refusals have taken minutes"
more=$(in_log "guest $(domid attacker): more than 3 messages in a minute")
{ [ "$more" -ge 1 ] && [ "$told" -le $((3 * (more + 1))) ]; } || fail "$told messages in the log, and $more that say that there were more"
served
# The next case has the usual limits again.
without_disks
