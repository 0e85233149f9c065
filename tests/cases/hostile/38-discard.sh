#!/bin/bash
# discards that wrap, are not aligned, not allowed, or for the wrong disk, are refused and change nothing

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

there null_disk erasable memory_backed=1 size=4 discard=1
disk=/dev/erasable
hostile_start
attack <<'END'
connect
fill
discard sector=0 count=0 expect=error
discard sector=8192 count=8 expect=error
discard sector=9000 count=0 expect=error
discard sector=18446744073709551615 count=0 expect=error
discard sector=8191 count=2 expect=error
discard sector=18446744073709551615 count=2 expect=error
discard sector=2 count=18446744073709551615 expect=error
discard sector=0 count=18446744073709551615 expect=error
discard sector=8 count=8 flag=1 expect=notsupp
discard sector=8 count=8 flag=255 expect=notsupp
discard sector=8 count=8 flag=11 expect=notsupp
discard sector=16 count=8 flag=12
discard sector=24 count=8 flag=32
request op=indirect inner=discard segs=1 expect=error
verify
END
pass "wrong ones"

for how in "mode r" "discard-enable 0"; do
	withdraw
	read -ra keys <<<"$how"
	offer "${keys[@]}"
	sum=$(there sum_of "$disk")
	attack <<-END
		connect
		discard sector=0 count=8192 expect=$([ "$how" = "mode r" ] && echo error || echo notsupp)
		discard sector=8 count=8 flag=1 expect=$([ "$how" = "mode r" ] && echo error || echo notsupp)
	END
	expect "checksum with $how" "$sum" "$(there sum_of "$disk")"
	pass "with $how"
done
