#!/bin/bash
# garbage in the fields of a ring that are the backend's, or about events, costs the frontend its own notifications only

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for value in 0 4294967295 2147483648 305419896; do
	cat <<-END
		set always-notify=1
		connect
		fill
		request op=write segs=1 times=4 step=8 wait=0
		ring rsp_prod=$value req_event=$value rsp_event=$value pad=$((value & 255))
		push
		sleep 3000
		wait
		io count=100
		verify
		close
	END
done | attack
