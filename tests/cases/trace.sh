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
