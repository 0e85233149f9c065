#!/bin/bash
# requests for a part of the disk that has just gone are errors

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

there modprobe brd rd_nr=1 rd_size=4096
at_end there rmmod brd
there dmsetup create shrinking --table "0 8192 linear /dev/ram0 0"
at_end there dmsetup remove shrinking
disk=/dev/mapper/shrinking
hostile_start
at_end there sh -c 'dmsetup resume shrinking || :'
attack_background <<'END'
connect
fill
mark /tmp/filled
until /tmp/hung
request op=write sector=8000 segs=4 times=4 step=32 wait=0 expect=error
request op=read sector=0 segs=4 wait=0
push
mark /tmp/sent
wait
request op=read sector=8000 segs=4 expect=error
request op=write sector=4095 segs=1 expect=error
request op=read sector=0 segs=11
END
attack_mark filled
there dmsetup suspend --noflush --nolockfs shrinking
guest_run attacker touch /tmp/hung
attack_mark sent
wait_until 60 "the requests are taken" taken rd_req 1
there dmsetup load shrinking --table "0 4096 linear /dev/ram0 0"
there dmsetup resume shrinking
attack_finish now
