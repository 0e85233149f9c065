#!/bin/bash
# Looks for errors on the consoles of one run: Xen and dom0 share one, every guest has its own.
#
#   scan.sh NAME RUN_FOLDER
#
# Prints one TAP line for each case during which there was one. A case that provokes an error says
# so beforehand with console_expects.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
name=$1 run=$2

patterns() {
	grep -v '^#' "$here/$1" | paste -sd'|'
}

consoles() {
	find "$run/console.log" "$run/job/consoles" -name '*.log' -size +0 2>/dev/null | sort
}

# Prints 'CASE: FILE: LINE' for each hit, and after it the lines that follow, indented: a call trace perhaps. The marks '=== case' and '=== expect' are dom0-run.sh's.
hits() {
	# shellcheck disable=SC2046 # names of our own, without blanks
	ERRORS=$(patterns console-errors) ALLOWED=$(patterns console-allowed) awk '
		BEGIN { errors = ENVIRON["ERRORS"]; allowed = ENVIRON["ALLOWED"] }
		FNR == 1 { part = "boot"; expected = ""; more = 0; file = FILENAME; sub(/.*\//, "", file) }
		{ gsub(/[^\t -~]/, "") }
		match($0, /=== case .*/) { part = substr($0, RSTART + 9); expected = ""; next }
		match($0, /=== expect .*/) {
			expected = expected (expected == "" ? "" : "|") substr($0, RSTART + 11)
			next
		}
		$0 ~ errors && (allowed == "" || $0 !~ allowed) && (expected == "" || $0 !~ expected) {
			print part ": " file ": " $0
			more = 30
			next
		}
		more-- > 0 { print "  " $0 }
	' $(consoles)
}

# The first hit of a case names the failure; the others, and what follows the first one, are comments.
report() {
	awk -F: -v host="$name" '
		/^  / { if (first) print "# " $0; next }
		{ first = !seen[$1] }
		!seen[$1]++ { print "not ok - console during " $0; bad = 1; next }
		seen[$1] < 6 { print "#   also " $0 }
		END { if (!bad) print "ok - consoles of host " host ": no error"; exit bad }'
}

hits | report
