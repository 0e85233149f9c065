#!/bin/bash
# keys where they do not belong are not looked at, and missing where they do

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<END
set queues=2
key queue-0/ring-ref queue-1/ring-ref queue-0/event-channel queue-1/event-channel
key ring-ref=8 event-channel=1
refused the frontend did not write $frontend/queue-0/ring-ref
defaults
key ring-ref event-channel queue-0/ring-ref=8 queue-0/event-channel=1
refused the frontend did not write $frontend/ring-ref
defaults
set queues=2
key queue-0/ring-ref queue-00/ring-ref=8 queue-00/event-channel=1
refused the frontend did not write $frontend/queue-0/ring-ref
END
# More of them than were announced do no harm.
attack <<'END'
set queues=2
key queue-2/ring-ref=8 queue-2/event-channel=1 queue-3/ring-ref=x queue-4294967296/ring-ref=1 queue--1/ring-ref=1
connect
load
io count=50
END
served
