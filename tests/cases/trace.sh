# shellcheck shell=bash
# What the block layer is given for a disk, and what comes back.

tracing=/sys/kernel/tracing

# trace_disk DEVICE EVENT...: events of the block layer about that disk, until the case ends.
trace_disk() {
	local number event
	number=$(($(stat -L -c '(0x%t << 20) | 0x%T' "$1")))
	at_end sh -c "echo 0 >$tracing/events/enable; echo >$tracing/trace"
	for event in "${@:2}"; do
		echo "dev == $number" >"$tracing/events/block/$event/filter"
		echo 1 >"$tracing/events/block/$event/enable"
	done
}

# traced: all there was since the last time.
traced() {
	cat "$tracing/trace"
	echo >"$tracing/trace"
}

# trace_calls FUNCTION: calls of that function of the kernel or of a module, until the case ends.
trace_calls() {
	at_end sh -c "echo nop >$tracing/current_tracer; echo >$tracing/set_ftrace_filter"
	echo "$1" >"$tracing/set_ftrace_filter"
	echo function >"$tracing/current_tracer"
}

# calls: how many there were since the last time.
calls() { traced | sed -n 's|^# entries-in-buffer/entries-written: [0-9]*/\([0-9]*\) .*|\1|p'; }
