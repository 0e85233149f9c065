#!/bin/bash
# a detach from a disk that hangs, by an xl that is killed, ends when the disk comes back, and others are served

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
withdraw
xenstore-rm "$backend" "$frontend"
attach_own attacker "format=raw,vdev=xvdb,access=w,target=$disk"
own_start attacker xvdb <<'END'
connect
fill
mark /tmp/connected
until /tmp/hung
request op=write segs=8 times=4 step=64 wait=0
push
mark /tmp/sent
await 5
wait
close
END
attack_mark connected
hang
guest_run attacker touch /tmp/hung
attack_mark sent
xl block-detach attacker xvdb &
wait_until 60 "xl begins to detach" backend_state_is attacker xvdb 5
kill -9 $!
findings=$(find_when_attaching)
[ -z "$findings" ] || fail "$findings, while a disk hangs"
resume
attack_finish now
xl block-detach attacker xvdb || :
wait_until 60 "it is gone from xenstore" backend_is_gone attacker xvdb
