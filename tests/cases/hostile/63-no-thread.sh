#!/bin/bash
# a frontend whose ring cannot have its thread is refused and told why, and served as soon as there can be one

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack_background <<'END'
build
announce
state 1
await 2
mark /tmp/announced
until /tmp/go
sleep 3000
state 3
halted cannot start the thread
END
attack_mark announced
guest_run attacker touch /tmp/go
# Nothing can be started there meanwhile, so that is a shell's own work.
there bash -c 'exec {nothing}<> <(:)
	read -r most </proc/sys/kernel/threads-max
	echo 20 >/proc/sys/kernel/threads-max
	read -rt '$((8 * slow))' -u "$nothing"
	echo "$most" >/proc/sys/kernel/threads-max' || :
attack_finish now
served
