#!/bin/bash
# verified random I/O of all sizes with 1, 2 and 4 queues and rings of 1, 2 and 16 pages

disk=$(volume disk 64)
guest_start main

# verified_io DEPTH: three jobs, each on a part of the disk of its own; blocks of mixed sizes.
verified_io() {
	guest_run main fio --name=part --filename=/dev/xvdb --numjobs=3 --size=16M --offset_increment=20M \
		--rw=randrw --bsrange=512-1M --direct=1 --ioengine=libaio \
		--iodepth="$1" --verify=crc32c --verify_fatal=1 --randseed="$RANDOM" --group_reporting --minimal
}

for queues in 1 2 4; do
	for order in 0 1 4; do
		guest_frontend main "max_queues=$queues" "max_ring_page_order=$order"
		attach main "phy:$disk,xvdb,w"
		for depth in 1 32; do
			verified_io "$depth" >/tmp/fio || fail "$queues queues, order $order, depth $depth: $(cat /tmp/fio)"
		done
		in_guest=$(guest_run main "sha256sum </dev/xvdb | cut -d' ' -f1")
		detach main xvdb
		expect "checksum of the whole disk" "$(sum_of "$disk")" "$in_guest"
		pass "$queues queues, ring of $((1 << order)) pages"
	done
done
