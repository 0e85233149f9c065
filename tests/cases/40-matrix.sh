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
	local combination
	own_run main xvdb <<<"matrix ops=rwfbd count=$2"
	expect "combinations of ABI, persistent or not, queues and pages" 24 "$(sed -n 's/^passed: \(.*\), in .*/\1/p' "$state/frontend" | sort -u | wc -l)"
	# Those of queues and pages are in one result.
	while read -r combination; do
		pass "$1, $combination"
	done < <(sed -n 's/^passed: \(.*\), [0-9]* queues.*/\1/p' "$state/frontend" | uniq)
}

parameter feature_persistent 1
attach_own main "phy:$disk,xvdb,w"
matrix copied 24
limit copy_read_max 0
matrix "reads mapped" 8
limit copy_write_max 0
matrix mapped 8
limit poll_us 500
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

limit copy_read_max 16384
limit copy_write_max 8192
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

# every_queue: each writes a page full of its own number, and there is a barrier in the middle.
every_queue() {
	local queue
	for queue in {0..255}; do
		[ "$queue" != 128 ] || printf '%s\n' push "request op=barrier sector=4096 segs=1 queue=77 wait=0"
		echo "request op=write sector=$((queue * 8)) segs=1 fill=$queue queue=$queue wait=0"
	done
}

parameter max_queues 256
attach_own main "phy:$disk,xvdb,w"
own_start main xvdb <<END
expect multi-queue-max-queues=256
set queues=256
connect
$(every_queue)
wait
mark /tmp/written
until /tmp/go
io count=3000 depth=400 max=8 ops=rwfbd kind=both
verify
END
own_mark main written
expect "writes of each queue" "256 1" \
	"$(there sh -c "cat $(backend_sysfs main xvdb)/queues/*/writes | sort | uniq -c" | xargs)"
expect "what all queues have written" \
	"$(python3 -c 'import sys; [sys.stdout.buffer.write(bytes([queue]) * 4096) for queue in range(256)]' | sha256sum)" \
	"$(there sh -c "dd if=$disk bs=1M count=1 iflag=direct status=none | sha256sum")"
own_finish main go
pass "256 queues"
detach main xvdb
with_frontend main
