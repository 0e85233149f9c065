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

# Requests that the disk did not do, or was not even asked to.
failed() { echo $(($(statistic errors) + $(statistic refused))); }
more_have_failed() { [ "$(failed)" -gt "$before" ]; }
none_fails() {
	local sent
	before=$(failed) sent=$(statistic wr_req)
	sleep 0.5
	! more_have_failed && [ "$(statistic wr_req)" -gt "$sent" ]
}

# fails WHAT COMMAND...: after that requests are errors.
fails() {
	before=$(failed)
	"${@:2}"
	# Those that were at the disk at the time are not what this is about.
	wait_until 60 "requests are errors: $1" more_have_failed
	before=$(failed)
	wait_until 60 "requests go on to be errors: $1" more_have_failed
	pass "$1"
}

# works COMMAND...: and after that they are not.
works() {
	"$@"
	wait_until 60 "requests are done again" none_fails
}

attack_background <<'END'
set queues=2
connect
mark /tmp/connected
flood until=/tmp/enough op=write sector=4096 segs=8
END
attack_mark connected
works true
fails "a disk that fails" change_to "0 8192 error"
works change_to "0 8192 linear /dev/ram0 0"
fails "one that has shrunk" change_to "0 64 linear /dev/ram0 0"
works change_to "0 8192 linear /dev/ram0 0"
fails "one that may only be read" there blockdev --setro "$disk"
works there blockdev --setrw "$disk"
attack_finish enough
served
withdraw

# One that is not there any more.
there null_disk gone memory_backed=1 size=4
disk=/dev/gone
offer
attack_background <<'END'
connect
mark /tmp/connected
flood until=/tmp/enough op=write segs=8
END
attack_mark connected
works true
fails "removed" there sh -c 'echo 0 >/sys/kernel/config/nullb/gone/power'
attack_finish enough
