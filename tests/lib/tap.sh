# shellcheck shell=bash
# Results in the Test Anything Protocol, for scripts that run tests. Sourced.
#
# The environment variable CASE selects: only tests run whose name has it in it; * and ? may be
# used. The plan is printed last, so that a script that dies half-way has none.

tap_count=0
tap_failed=0
tap_log=$(mktemp)
trap 'rm -f "$tap_log"' EXIT

tap_selected() {
	[[ $1 == *${CASE-}* ]]
}

# tap NAME COMMAND...: the test passes if COMMAND does; what it said is shown if it does not.
# In COMMAND, as in any condition, set -e has no effect.
tap() {
	local name=$1 verdict=ok
	shift
	tap_selected "$name" || return 0
	tap_count=$((tap_count + 1))
	"$@" >"$tap_log" 2>&1 </dev/null || verdict='not ok'
	printf '%s %d - %s\n' "$verdict" "$tap_count" "$name"
	[ "$verdict" = ok ] && return
	tap_failed=$((tap_failed + 1))
	sed 's/^/# /' "$tap_log"
}

# tap_end: prints the plan; its status is the script's.
tap_end() {
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" -eq 0 ]
}
