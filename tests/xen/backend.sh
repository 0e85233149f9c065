# shellcheck shell=bash
# What dom0-run.sh does where the backend is, between cases and when all are done. A debug kernel is asked what it has
# found and does not say on the console; with any other kernel functions that begin with debug_ do nothing.

kmemleak=/sys/kernel/debug/kmemleak kcsan=/sys/kernel/debug/kcsan
debug_cases=/run/testbed-cases
debug_unclean=/run/testbed-unclean

# What has leaked while the kernel started is not the driver's.
debug_start() {
	[ -e "$kmemleak" ] || return 0
	: >"$debug_cases"
	echo clear >"$kmemleak"
}

debug_fails() {
	echo "not ok - $1"
	touch "$debug_unclean"
}

# Remembers when each case began: a leak is told with its time.
debug_case() { there sh -c "[ ! -e $debug_cases ] || sed 's/ .*/ $CASE/' /proc/uptime >>$debug_cases"; }

# Memory that has changed since the last scan is not reported, and neither is what is new.
scan_for_leaks() {
	sleep 6
	echo scan >"$kmemleak"
	echo scan >"$kmemleak"
	cat "$kmemleak"
}

# leaks_by_case ALLOWED: a block for each leak that no pattern of ALLOWED matches, on one line: the
# case it is from, then its lines. The kernel ticks 250 times a second (debug.config), and begins
# to count 300 seconds before 2^32.
leaks_by_case() {
	ALLOWED=$1 awk -v cases="$debug_cases" '
		function finish(  i, by) {
			if (block == "" || (allowed != "" && block ~ allowed)) return
			by = "start"
			for (i = 1; i <= count; i++)
				if (began[i] <= time) by = name[i]
			print by "\t" block
		}
		BEGIN {
			allowed = ENVIRON["ALLOWED"]
			while ((getline line <cases) > 0) {
				split(line, part, " ")
				began[++count] = part[1]
				name[count] = part[2]
			}
		}
		/^unreferenced object/ { finish(); block = $0; time = 0; next }
		match($0, /jiffies [0-9]+/) { time = (substr($0, RSTART + 8, RLENGTH - 8) - 4294967296) / 250 + 300 }
		{ block = block "\t" $0 }
		END { finish() }'
}

# One result for each case that something has leaked in; the first leak of it with its backtrace.
# What is known by now is not told again.
debug_leaks() {
	local allowed by block
	[ -e "$kmemleak" ] || return 0
	allowed=$(grep -v '^#' /job/tests/xen/leaks-allowed | paste -sd'|')
	scan_for_leaks >/run/all-leaks
	leaks_by_case "$allowed" </run/all-leaks | sort -u -t$'\t' -k1,1 >/run/leaks
	while IFS=$'\t' read -r by block; do
		debug_fails "$by: leaks memory of the kernel"
		tr '\t' '\n' <<<"$block" | sed 's/^/#   /'
	done </run/leaks
	echo clear >"$kmemleak"
}

# Which lines of the driver have been run, for coverage.sh. The kernel keeps that when the module is unloaded.
debug_coverage() {
	local counted=/sys/kernel/debug/gcov data
	[ -d "$counted" ] || return 0
	mkdir -p /job/coverage
	find "$counted" -name '*.gcda' | while read -r data; do
		cat "$data" >"/job/coverage/${data##*/}"
	done
}

debug_end() {
	[ ! -e "$kcsan" ] || grep -Eq '^setup_watchpoints: [1-9]' "$kcsan" ||
		debug_fails "debug kernel: KCSAN has watched nothing # ERROR"
	[ -e /proc/lockdep_stats ] || return 0
	debug_coverage
	debug_leaks
	grep -Eq '^ *debug_locks: +1$' /proc/lockdep_stats ||
		debug_fails "debug kernel: lockdep has turned itself off # ERROR"
	# KASAN is there instead in a driver domain.
	[ ! -e /sys/kernel/debug/kfence ] || grep -q '^enabled: 1$' /sys/kernel/debug/kfence/stats ||
		debug_fails "debug kernel: KFENCE is not on # ERROR"
	[ -e "$debug_unclean" ] || echo "ok - debug kernel: lockdep still watches, and no leak was found"
}
