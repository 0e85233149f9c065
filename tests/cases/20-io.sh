#!/bin/bash
# verified random I/O of all sizes, 1, 2 and 4 queues, rings of 1, 2 and 16 pages, persistent grants or not
# Takes long.

disk=$(volume disk 64)
guest_start main

read_requests() { cat "$(backend_sysfs main xvdb)/statistics/rd_req"; }

# A request of 256 segments each: nothing larger is offered, and nothing smaller does.
large_requests() {
	local before
	before=$(read_requests)
	guest_io main dd if=/dev/xvdb of=/dev/null bs=1M count=4 iflag=direct
	expect "requests for four times 1 MiB" 4 $(($(read_requests) - before))
}

# verified_io DEPTH: three jobs, each on a part of the disk of its own; blocks of mixed sizes.
verified_io() {
	local seed=$RANDOM
	note "depth $1, seed $seed"
	guest_run main fio --name=part --filename=/dev/xvdb --numjobs=3 --size=16M --offset_increment=20M \
		--rw=randrw --bsrange=512-1M --direct=1 --ioengine=libaio \
		--iodepth="$1" --verify=crc32c --verify_fatal=1 --randseed="$seed" --group_reporting --minimal
}

# With persistent grants a Linux guest sets a page aside for each segment of each request of each
# ring: that is 32 MiB for each page of a ring here.
persistent_if_affordable() {
	if [ $((queues << order)) -le 2 ]; then echo 1; else echo 0; fi
}

# Each number of queues, each size of ring, with and without persistent grants; 40-matrix has
# more of them, without Linux.
for shape in 1:0 1:1 2:0 4:0 4:4; do
	queues=${shape%:*} order=${shape#*:}
	persistent=$(persistent_if_affordable)
	guest_frontend main "max_queues=$queues" "max_ring_page_order=$order" max_indirect_segments=256 \
		"feature_persistent=$persistent"
	plug main "phy:$disk,xvdb,w"
	expect "threads" "$queues" "$(threads_of_backend | wc -l)"
	# One queue, or one page, is told by leaving the key out.
	front=$(frontend_path main xvdb)
	expect "queues told" "$queues" "$(xs_read "$front/multi-queue-num-queues" || echo 1)"
	expect "ring order told" "$order" "$(xs_read "$front/ring-page-order" || echo 0)"
	expect "persistence told" "$persistent" "$(xs_read "$front/feature-persistent")"
	large_requests
	for depth in 1 32; do
		verified_io "$depth" >/tmp/fio || fail "$queues queues, order $order: $(cat /tmp/fio)"
	done
	in_guest=$(guest_run main "sha256sum </dev/xvdb | cut -d' ' -f1")
	detach main xvdb
	expect "checksum of the whole disk" "$(sum_of "$disk")" "$in_guest"
	pass "$queues queues, ring of $((1 << order)) pages, persistent grants: $persistent"
done
