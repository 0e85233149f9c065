#!/bin/bash
# xenstore transactions that meet others all the time come to an end, and the frontend is served or told why not

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
storm 60 'write x=1 y\nwrite x=2 y=1\n'
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

# meet TEXT...: from then on these are done to xenstore again and again, until met. Not without a pause: then no
# transaction of the backend would ever come to its end, nor could it say so.
meet() {
	while printf '%s\n' "$@" && sleep 0.01; do :; done 2>/dev/null | /guest/nodes >"$state/nodes" 2>&1 &
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

# beside WHAT TEXT...: three times, while these are done.
beside() {
	local all
	refused=0
	meet "${@:2}"
	for _ in 1 2 3; do
		decides
	done
	met
	all=$(transactions)
	note "$all transactions for three connections"
	[ "$can_tell" = no ] || [ "$all" -gt $((3 * usual)) ] || error "no transaction met another one: $1"
	pass "$1: refused $refused times of 3, $all transactions instead of $((3 * usual))"
}

# Xenstore does a transaction once more on what is there by its end, and takes it if each answer is the same as before. So
# what is written to does not matter, but what has been read does: the state, and folders of queues that are to go.
beside "its state, with zeros in front of it" "disguise $backend/state"
beside "a queue that comes and goes" "write $backend/queue-0 x" "rm $backend/queue-0" "write $backend/sectors 8192"
served
