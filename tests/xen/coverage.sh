#!/bin/bash
# Which lines of the driver the cases have run on the debug kernel: a summary, and the files in build/coverage,
# in which '#####' stands before a line that none of them has.
#
#   coverage.sh RUN...    names of runs that host.sh -d has done
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
built=$top/build/xen
out=$top/build/coverage

# shellcheck source=tests/lib/packages.sh
. "$top/tests/lib/packages.sh"

# One after the other into 'all'. Each run was of a copy of its own of the module, compiled alike.
merge() {
	local run
	for run; do
		ls "$built/runs/$run/job/coverage"/*.gcda >/dev/null 2>&1 || continue
		if [ -e "$out/all" ]; then
			gcov-tool-12 merge -o "$out/merged" "$out/all" "$built/runs/$run/job/coverage" >"$out/log" 2>&1
			rm -rf "$out/all"
			mv "$out/merged" "$out/all"
		else
			cp -r "$built/runs/$run/job/coverage" "$out/all"
		fi
	done
}

# lines_of FILE...: how many of them have been run, of how many.
lines_of() {
	awk -F: '$1 !~ /-$/ { all++ } $1 ~ /#####|=====/ { missed++ }
		END { printf "%d of %d lines, %.1f %%", all - missed, all, 100 * (all - missed) / all }' "$@"
}

rm -rf "$out"
mkdir -p "$out"
merge "$@"
[ -e "$out/all" ] || { say "nothing was counted in ${*}"; exit 1; }
cp "$built/debug-module/$1"/*.{c,h,gcno} "$out/all"
cp -r "$built/debug-module/$1/compat" "$out/all"
cd "$out/all"
gcov-12 -o . ./*.gcda >"$out/log" 2>&1
for file in *.c.gcov; do
	[ -e "$top/${file%.gcov}" ] || continue
	mv "$file" "$out/"
	say "coverage of ${file%.gcov}: $(lines_of "$out/$file")"
done
say "coverage of all: $(lines_of "$out"/*.c.gcov); the lines are in ${out#"$top"/}"
