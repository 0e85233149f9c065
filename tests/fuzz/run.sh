#!/bin/bash
# Has libFuzzer play the guest at one end of a ring, and the driver's decode.c and sring.h at the other, under
# the address and undefined behaviour sanitizers. Prints TAP; honours CASE.
#
#   run.sh [SECONDS]    for so long (60)
#
# What it has found worth keeping stays in build/fuzz/corpus and is where the next run begins. An input
# that ends the program is in build/fuzz/found; build/fuzz/fuzz_ring FILE runs it again.
set -euo pipefail

cd "$(dirname "$0")/../.."
seconds=${1:-60}
out=build/fuzz

# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

flags=(-std=gnu2x -g -O1 -Wall -Wextra -Werror -DCONFIG_X86)
sanitizers=("-fsanitize=address,undefined" -fno-sanitize-recover=all)
telling="-fsanitize-coverage=trace-loads,trace-stores"

# fuzzer NAME OPTION...: compiles one; what tests/fuzz/guest.c does is not told of.
fuzzer() {
	local name=$1
	shift
	clang-14 "${flags[@]}" "${sanitizers[@]}" -c -o "$out/guest.o" tests/fuzz/guest.c &&
		clang-14 "${flags[@]}" "${sanitizers[@]}" -fsanitize=fuzzer "$telling" "$@" \
			-o "$out/$name" tests/fuzz/fuzz_ring.c "$out/guest.o"
}

seeds() {
	gcc "${flags[@]/gnu2x/gnu11}" -o "$out/seeds" tests/fuzz/seeds.c -lcmocka && "$out/seeds" "$out/seed"
}

# A driver that reads a slot twice must be caught, or else nothing has been proven.
catches_double_fetch() {
	fuzzer careless -DCARELESS || return
	! "$out/careless" -runs=0 -artifact_prefix="$out/" "$out/seed" >"$out/careless.log" 2>&1 || { echo "it was not caught"; return 1; }
	grep '^ring: looked at twice' "$out/careless.log"
}

fuzz() {
	fuzzer fuzz_ring || return
	"$out/fuzz_ring" -max_total_time="$seconds" -max_len=8192 -print_final_stats=1 \
		-artifact_prefix="$out/found/" "$out/corpus" "$out/seed" >"$out/log" 2>&1 || { tail -n 40 "$out/log"; return 1; }
}

# All that is kept, once more, counting the lines it gets to.
covered() {
	clang-14 "${flags[@]}" -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping \
		-o "$out/counted" tests/fuzz/fuzz_ring.c tests/fuzz/guest.c &&
		LLVM_PROFILE_FILE=$out/profile.raw "$out/counted" -runs=0 "$out/corpus" "$out/seed" >"$out/counted.log" 2>&1 &&
		llvm-profdata-14 merge -o "$out/profile" "$out/profile.raw" &&
		llvm-cov-14 report "$out/counted" -instr-profile="$out/profile" "$PWD/decode.c" "$PWD/sring.h" >"$out/coverage" &&
		llvm-cov-14 show "$out/counted" -instr-profile="$out/profile" "$PWD/decode.c" "$PWD/sring.h" >"$out/lines" || return
	# The lines of code that were never run.
	! grep -E '^ *[0-9]+\| +0\|' "$out/lines"
}

# figures FILE SED...: for people, if there are any.
figures() {
	[ ! -e "$1" ] || sed -nE "${@:2}" "$1"
}

need_packages clang-14 llvm-14 libclang-rt-14-dev gcc libc6-dev libcmocka-dev
mkdir -p "$out"/{corpus,seed,found}
rm -f "$out"/{log,coverage}
seeds
tap "fuzz/a double fetch is caught" catches_double_fetch
! tap_selected "fuzz/ring: nothing found" || say "fuzzing for $seconds s"
tap "fuzz/ring: nothing found" fuzz
figures "$out/log" 's/^stat::number_of_executed_units: */# executions: /p'
tap "fuzz/ring: gets to every line of decode.c and sring.h" covered
figures "$out/coverage" 's/^(\S*\.[ch]) .* ([0-9.]+%) .*/# lines of \1: \2/p'
tap_end
