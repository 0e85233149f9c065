#!/bin/bash
# Tests, outside the kernel and under the address and undefined behaviour sanitizers, what needs no
# kernel: decode.c, sring.h, barrier.c, persist.c, poll.c, and the test frontend's layouts; and tools/blkback-top.
# Each test is a process of its own. Prints TAP; honours CASE.
set -euo pipefail

cd "$(dirname "$0")/../.."
out=build/unit

# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

flags=(-std=gnu11 -g -O1 -Wall -Wextra -Werror -DCONFIG_X86
	"-fsanitize=address,undefined" -fno-sanitize-recover=all)

# Memory that a failed test did not come to free is no news.
export ASAN_OPTIONS=detect_leaks=0

compile() {
	gcc "${flags[@]}" "$@"
}

build_test_layout() {
	compile -DLAYOUT=layout_64 -c -o "$out/layout_64.o" tests/unit/layout_xen.c &&
		compile -DLAYOUT=layout_32 -DI386 -c -o "$out/layout_32.o" \
			tests/unit/layout_xen.c &&
		compile -o "$out/test_layout" tests/unit/test_layout.c decode.c \
			"$out"/layout_{64,32}.o -lcmocka
}

build_test_wire() {
	compile -DSLOT=xen_slot_64 -c -o "$out/wire_64.o" tests/unit/wire_xen.c &&
		compile -DSLOT=xen_slot_32 -DI386 -c -o "$out/wire_32.o" \
			tests/unit/wire_xen.c &&
		compile -o "$out/test_wire" tests/unit/test_wire.c tests/frontend/wire.c \
			"$out"/wire_{64,32}.o -lcmocka
}

# This one includes persist.c. Of the kernel's headers it finds empty ones.
build_test_persist() {
	local headers=$out/persist header
	sed -n 's/^#include <\(.*\)>$/\1/p' persist.[ch] | while read -r header; do
		mkdir -p "$headers/$(dirname "$header")"
		: >"$headers/$header"
	done
	compile -I "$headers" -o "$out/test_persist" tests/unit/test_persist.c -lcmocka
}

# This one includes decode.c as another architecture sees it.
build_test_arm() {
	compile -o "$out/test_arm" tests/unit/test_arm.c -lcmocka
}

build() {
	if declare -F "build_$1" >/dev/null; then
		"build_$1"
	else
		compile -o "$out/$1" "tests/unit/$1.c" decode.c -lcmocka
	fi
}

# Programs that were built, each with the status of that.
declare -A built

run_test() {
	local program=$1 name=$2
	if [ -z "${built[$program]-}" ]; then
		build "$program"
		built[$program]=$?
	fi
	if [ "${built[$program]}" -ne 0 ]; then
		echo "$program does not compile"
		return 1
	fi
	"$out/$program" "$name"
}

tests_of() {
	sed -n 's/^\t\tcmocka_unit_test(\(.*\)),$/\1/p' "$1"
}

python_tests_of() {
	sed -n 's/^    def test_\(.*\)(self):$/\1/p' "$1"
}

need_packages gcc libc6-dev libcmocka-dev libxen-dev make python3 tmux
mkdir -p "$out"
for source in tests/unit/test_*.c; do
	for name in $(tests_of "$source"); do
		tap "unit/$name" run_test "$(basename "$source" .c)" "$name"
	done
done
for name in $(python_tests_of tests/unit/test_top.py); do
	tap "unit/$name" tests/unit/test_top.py -k "*.test_$name"
done
tap_end
