#!/bin/bash
# Everything that can be checked, in one stream of TAP; the last line sums it up.
#
#   CASE=pattern   only what has the pattern in its name: static checks, unit tests and cases
#
# Cases are run on one emulated Xen host, see tests/README.md.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
export CASE=${CASE-}

# shellcheck source=tests/lib/packages.sh
. "$top/tests/lib/packages.sh"

cases() {
	local file name
	for file in "$top"/tests/cases/[0-9]*.sh; do
		name=$(basename "$file" .sh)
		# shellcheck disable=SC2053 # CASE is a pattern
		[[ $name != *$CASE* ]] || echo "$name"
	done
}

integration() {
	local names
	mapfile -t names < <(cases)
	[ ${#names[@]} -gt 0 ] || return 0
	"$top/tests/xen/host.sh" -n check bash tests/xen/dom0-run.sh "${names[@]}"
}

# stage NAME COMMAND...: runs it and ends with a line for the one who counts.
stage() {
	local name=$1 start=$SECONDS status=0
	shift
	say "stage $name"
	"$@" 2>&1 </dev/null || status=$?
	say "stage $name: $((SECONDS - start)) s"
	echo "%stage $name $status"
}

stages() {
	stage static "$top/tests/static.sh"
	stage unit "$top/tests/unit/run.sh"
	stage integration integration
}

# Numbers the results of all stages. A stage that failed without saying why, or that ran nothing
# though nothing was deselected, is an error.
count() {
	awk '
	function result(line) {
		total++
		here++
		if (line ~ /^not ok/) { failed++; bad++ } else if (line ~ /# SKIP/) skipped++
		sub(/ok *[0-9]* *(- )?/, "ok " total " - ", line)
		print line
		fflush()
	}
	/^(not )?ok([^a-zA-Z]|$)/ { result($0); next }
	/^1\.\.[0-9]+/ { next }
	/^%stage / {
		if ($3 != 0 && !bad)
			result("not ok - " $2 ": ended with status " $3 " # ERROR")
		if ($3 == 0 && !here && ENVIRON["CASE"] == "")
			result("not ok - " $2 ": ran nothing # ERROR")
		here = bad = 0
		next
	}
	{ print; fflush() }
	END {
		if (!total) {
			print "# nothing is named like " ENVIRON["CASE"]
			failed = 1
		}
		print "1.." total + 0
		printf "%d passed, %d failed", total ? total - failed - skipped : 0, failed
		print skipped ? ", " skipped " skipped" : ""
		exit failed > 0
	}'
}

stages | count
