#!/bin/bash
# a number of queues that is not a number in digits is refused, and no number is one queue

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
{
	for text in -1 '' abc 2x 0x2 4294967297; do
		echo "key multi-queue-num-queues=$text"
		echo "refused multi-queue-num-queues is \"$text\", which is not a number"
	done
	cat <<-END
		key multi-queue-num-queues
		connect
		load
		io
	END
} | attack
served
