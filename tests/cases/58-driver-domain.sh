#!/bin/bash
# a driver domain, a PVH guest, serves disks to other guests as dom0 does, and says there what is wrong
# Takes long.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/storage.sh
. /job/tests/cases/storage.sh
# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh

# All that dom0 has of it is the disk that the driver domain makes volumes of. Xen lets it have 256 mappings at a time,
# which is less than the disk of one guest would keep.
storage_start "$(volume whole 128)" max_maptrack_frames=1
export BACKEND=storage
there module_load max_queues=4
disk=$(volume disk 64)
guest_start other memory=128 vcpus=1
attach other "phy:$(volume other 16),xvdb,w"

# sum_of_queues GUEST FILE
sum_of_queues() { there sh -c "cat $(backend_sysfs "$1" xvdb)/queues/*/$2" | awk '{ sum += $1 } END { print sum }'; }

guest_start main
for persistent in 1 0; do
	guest_frontend main max_queues=4 "feature_persistent=$persistent"
	attach main "phy:$disk,xvdb,w"
	expect "who serves it" "$(backend_id)" "$(xs_read "/local/domain/$(domid main)/device/vbd/51728/backend-id")"
	expect "threads" 4 "$(threads_of_backend | grep -c "blkback.$(domid main)[.]")"
	guest_run main fio --name=work --filename=/dev/xvdb --size=8M --rw=randrw --bsrange=512-1M --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --minimal >"$state/fio" ||
		fail "persistent grants $persistent: $(cat "$state/fio")"
	copied=$(sum_of_queues main bytes_copied) kept=$(sum_of_queues main bytes_kept) mapped=$(sum_of_queues main persistent_grants)
	found="$copied bytes copied, $kept kept, $mapped pages kept mapped, with persistent grants $persistent"
	note "$found"
	[ "$copied" -gt 0 ] || fail "$found"
	if [ "$persistent" = 1 ]; then
		{ [ "$kept" -gt 0 ] && [ "$mapped" -gt 200 ] && [ "$mapped" -lt 256 ]; } || fail "$found"
		# Now that there are no more mappings to be had.
		load_start other
		load_goes_on other
		load_stop other
		[ "$(sum_of_queues other bytes_copied)" -gt 0 ] || error "there were mappings left for another guest"
		detach other xvdb
		pass "another guest is served when one has used up all mappings"
	else
		expect "bytes and pages kept" "0 0" "$kept $mapped"
	fi
	in_guest=$(guest_run main "sha256sum </dev/xvdb | cut -d' ' -f1")
	detach main xvdb
	expect "checksum of the whole disk" "$(sum_of "$disk")" "$in_guest"
	pass "verified I/O, persistent grants $persistent"
done
guest_frontend main max_queues=2 feature_persistent=1

# The reason is where the domain that refuses may write.
without_frontend main
by_hand main
name_disk "$disk"
await_state "$backend" 2
xenstore-write "$frontend/protocol" sparc-abi
frontend_state 3
await_state "$backend" 5
error_node | grep -q 'protocol is "sparc-abi"' || fail "error node is '$(error_node)'"
nodes_removed "$backend" "$frontend"
with_frontend main
pass "a frontend that is refused is told why"

# The same as with dom0: no zombie, and the disk is free.
attach main "phy:$disk,xvdb,w"
guest_background main load fio --name=load --filename=/dev/xvdb --rw=randrw --bs=4k-64k --direct=1 --ioengine=libaio \
	--iodepth=16 --time_based --runtime=3600
statistics=$(backend_sysfs main xvdb)/statistics
taken() { [ "$(there cat "$statistics/wr_req")" -gt 50 ]; }
wait_until 60 "the disk is in use" taken
id=$(domid main)
xl destroy main
no_domain() { ! xl list "$id"; }
wait_until 60 "no zombie is left" no_domain
wait_until 60 "the module can be unloaded" there module_unload
expect "disks in xenstore" "" "$(vbds_of_backend)"
there lvremove -q -q -y "${disk#/dev/}" || fail "the volume is in use still"
