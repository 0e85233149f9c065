#!/bin/bash
# xenstore transactions that meet others all the time come to an end, and the frontend is served or told why not

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
storm $((60 * slow)) 'write x=1 y\nwrite x=2 y=1\n'
for _ in {1..4}; do
	printf 'connect\nload\nio count=20\nclose\n'
done | attack
storm_end
pass "what the guest itself can write"

# The kernel that has the backend tells how many transactions it begins, if it can.
tracing=/sys/kernel/tracing
can_tell=yes
there grep -qw function "$tracing/available_tracers" || can_tell=no
if [ "$can_tell" = yes ]; then
	at_end there sh -c "echo nop >$tracing/current_tracer; echo >$tracing/set_ftrace_filter"
	there sh -c "echo xenbus_transaction_start >$tracing/set_ftrace_filter; echo function >$tracing/current_tracer"
fi
# transactions: how many since the last time.
transactions() {
	[ "$can_tell" = yes ] || { echo 0; return; }
	there sh -c "sed -n 's|^# entries-in-buffer/entries-written: [0-9]*/\([0-9]*\) .*|\1|p' $tracing/trace; echo >$tracing/trace"
}

pause() { sleep 0.01; }

# meet PAUSE TEXT...: from then on these are done to xenstore again and again, with the command PAUSE in between, until met.
meet() {
	while printf '%s\n' "${@:2}" && "$1"; do :; done 2>/dev/null | /guest/nodes >"$state/nodes" 2>&1 &
	meeting=$!
	at_end sh -c "kill $meeting 2>/dev/null || :"
}

met() {
	local status=0
	kill "$meeting"
	wait "$meeting" || status=$?
	[ "$status" -eq 143 ] || error "what the backend was to meet ended with status $status: $(cat "$state/nodes")"
}

transactions >/dev/null
attack <<<either
usual=$(transactions)
note "$usual transactions for a connection"

# decides: the frontend is served or refused, and told why.
decides() {
	attack <<<either
	if grep -qx refused "$state/frontend"; then
		told "cannot write"
		refused=$((refused + 1))
	fi
}

# beside WHAT TEXT...: while these are done, until one has met another, if that can be told, and three times at least.
beside() {
	local all=0 tried
	refused=0
	meet pause "${@:2}"
	for ((tried = 1; tried <= 20; tried++)); do
		decides
		all=$((all + $(transactions)))
		[ "$tried" -lt 3 ] || { [ "$can_tell" = yes ] && [ "$all" -le $((tried * usual)) ]; } || break
	done
	met
	[ "$tried" -le 20 ] || error "no transaction met another one: $1"
	pass "$1: refused $refused times of $tried, $all transactions instead of $((tried * usual))"
}

# Xenstore does a transaction once more on what is there by its end, and takes it if each answer is the same as before. So
# what is written to does not matter, but what has been read does: the state, and folders of queues that are to go.
beside "its state, with zeros in front of it" "disguise $backend/state"
beside "a queue that comes and goes" "write $backend/queue-0 x" "rm $backend/queue-0" "write $backend/sectors 8192"

# Without a pause none comes to its end, so the frontend is refused; it cannot be told so either before that is over.
says_who() { error_node | grep -q "cannot write .*: see who keeps xenstore busy, then attach the disk again"; }

meet : "disguise $backend/state"
attack_background <<<either
wait_until 60 "the backend says that xenstore is busy" says_who
met
attack_finish
expect "what the frontend was told" refused "$(grep -xE 'served|refused' "$state/frontend")"
served
