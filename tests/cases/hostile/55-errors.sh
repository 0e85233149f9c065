#!/bin/bash
# requests that are errors, as many as a guest can make, do not flood the log nor keep others waiting

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
floods=''
for request in "op=77" "op=read" "op=write seg=0-7@bad" "op=read seg=0-9" "op=indirect inner=write nr=8 iref=bad" \
	"op=indirect inner=9 segs=1" "op=write sector=18446744073709551615 segs=11" "op=discard count=0" \
	"op=discard count=8 flag=1" "op=write segs=11 nr=12" "op=indirect inner=read segs=8 nr=257" "op=read seg=5-2"; do
	floods+="; flood ms=500 $request"
done
all_of_them() {
	attack_background <<-END
		set queues=2
		connect
		fill
		mark /tmp/busy
		repeat until=/tmp/enough : ${floods#; }
		verify
	END
	others_go_on
	pass "$1"
}

all_of_them copied
withdraw
mapped_only
offer
all_of_them mapped
