#!/bin/bash
# a queue without its ring or its event channel is refused, whichever of them it is

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
{
	for queue in 0 1 2 3; do
		for key in ring-ref event-channel; do
			printf 'defaults\nset queues=4\nkey queue-%s/%s\n' "$queue" "$key"
			echo "refused the frontend did not write $frontend/queue-$queue/$key"
		done
	done
	for queue in 0 1 2 3; do
		printf 'defaults\nset queues=4\nwrite queue-%s\nkey queue-%s/ring-ref queue-%s/event-channel\n' "$queue" "$queue" "$queue"
		echo "refused the frontend did not write $frontend/queue-$queue/ring-ref"
	done
	for page in 0 7 15; do
		printf 'defaults\nset order=4\nkey ring-ref%s\n' "$page"
		echo "refused the frontend did not write $frontend/ring-ref$page"
	done
} | attack
served
