#!/bin/bash
# a ring that is never empty leaves the CPU to others

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for segments in 1 11; do
	attack_background <<-END
		set queues=4
		connect
		load
		mark /tmp/busy
		flood until=/tmp/enough op=read segs=$segments
		verify
	END
	others_go_on
	pass "$segments segments: for $lasted hundredths of a second, of which another guest waited $longest at most"
done
