#!/bin/bash
# every ABI, persistent or not, 1 and 4 queues, 1 and 16 pages, direct and INDIRECT, copied and mapped: all operations do as the model
# Takes long. In a driver domain, too.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

disk=$(volume disk 4)
guest_start main
own_frontend main

# matrix MODE COUNT: that many requests for each combination.
matrix() {
	local passed combination
	own_run main xvdb <<<"matrix ops=rwfbd count=$2"
	passed=$(sed -n 's/^passed: //p' "$state/frontend")
	expect "ABIs times persistent or not" 6 "$(wc -l <<<"$passed")"
	while read -r combination; do
		pass "$1, $combination"
	done <<<"$passed"
}

parameter feature_persistent 1
attach_own main "phy:$disk,xvdb,w"
matrix copied 24
parameter copy_read_max 0
matrix "reads mapped" 8
parameter copy_write_max 0
matrix mapped 8
parameter poll_us 500
matrix "mapped, and waiting awake" 8
detach main xvdb

# request_maps OPERATION SEGMENTS: how often something is mapped for such a request. The frontend keeps nothing
# mapped, and its rings are there before.
request_maps() {
	own_start main xvdb <<-END
		connect
		mark /tmp/connected
		until /tmp/go
		request op=indirect inner=$1 segs=$2
	END
	own_mark main connected
	calls >/dev/null
	own_finish main go >/dev/null
	calls
}

parameter copy_read_max 16384
parameter copy_write_max 8192
parameter max_queues 16
attach_own main "phy:$disk,xvdb,w"
# Calls are counted in dom0.
if [ -z "${BACKEND-}" ]; then
	trace_calls gnttab_map_refs
	expect "mappings for a read of 4 pages" 0 "$(request_maps read 4)"
	expect "mappings for a read of 5 pages" 1 "$(request_maps read 5)"
	expect "mappings for a write of 2 pages" 0 "$(request_maps write 2)"
	expect "mappings for a write of 3 pages" 1 "$(request_maps write 3)"
	pass "copied and mapped by size"
fi

own_run main xvdb <<'END'
set queues=16
connect
io count=1000 depth=200 max=8 ops=rwfbd kind=both
verify
END
pass "16 queues"
detach main xvdb
with_frontend main
