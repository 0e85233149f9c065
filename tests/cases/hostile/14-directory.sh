#!/bin/bash
# a key that is a directory has no number in it

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for key in multi-queue-num-queues ring-page-order feature-persistent ring-ref event-channel; do
	printf 'defaults\nwrite %s/below=1\nkey %s=\n' "$key" "$key"
	echo 'refused is "", which is not a number'
	echo "write $key/below $key"
done | attack
attack <<'END'
defaults
write protocol/below=1
key protocol=
refused protocol is "", which
write protocol/below protocol
defaults
write device-type/below=1
write device-type=
connect
expect info=0
close
write device-type/below device-type
END
served
