#!/bin/bash
# a disk that fails, shrinks and becomes read-only under load means errors, and the frontend is served when it is back

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

there modprobe brd rd_nr=1 rd_size=4096
at_end there rmmod brd
there dmsetup create failing --table "0 8192 linear /dev/ram0 0"
at_end there dmsetup remove failing
disk=/dev/mapper/failing
hostile_start
at_end there sh -c 'dmsetup resume failing || :'
change_to() {
	there dmsetup suspend --noflush --nolockfs failing
	there dmsetup load failing --table "$1"
	there dmsetup resume failing
}

attack_background <<'END'
set queues=2
connect
mark /tmp/connected
flood ms=12000 op=write segs=8
END
attack_mark connected
for table in "0 8192 error" "0 8192 linear /dev/ram0 0" "0 64 linear /dev/ram0 0" "0 8192 linear /dev/ram0 0"; do
	change_to "$table"
	sleep 1
done
there blockdev --setro "$disk"
sleep 1
there blockdev --setrw "$disk"
attack_finish now
served
withdraw

# One that is not there any more.
there null_disk gone memory_backed=1 size=4
disk=/dev/gone
offer
attack_background <<'END'
connect
mark /tmp/connected
flood ms=6000 op=write segs=8
END
attack_mark connected
there sh -c 'echo 0 >/sys/kernel/config/nullb/gone/power'
attack_finish now
pass "removed"
