#!/bin/bash
# of a disk that leaves its pages as they were a guest reads zeroes and what it has written itself, and nothing that dom0 had in them

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# The SCSI disk that only pretends to read and write.
pretender() { there sh -c 'echo /dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*)'; }
pretends() { there test -b "$(pretender)"; }

# others CHARACTERS: how many bytes that the guest reads are none of these (for tr). Each time it has been at rest for
# so long before that the backend has no pages left.
others() {
	guest_run attacker "for i in 1 2 3; do
			sleep 3
			dd if=/dev/xvdp bs=1M iflag=direct 2>/dev/null
		done | tr -d '$1' | wc -c"
}

# nothing_else WHAT CHARACTERS: or it is shown what the guest reads, and by which way.
nothing_else() {
	local found
	found=$(others "$2")
	[ "$found" != 0 ] || return 0
	guest_run attacker 'dd if=/dev/xvdp bs=1M iflag=direct 2>/dev/null | hexdump -C | cut -c1-60 | head -n 40'
	there grep . "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/queues/0/bytes_"{copied,mapped,kept}
	fail "$found bytes are $1"
}

hostile_start
without_disks	# its usual one is offered already
# Copied, since pages to copy to are the backend's own. Where the kernel clears all pages itself, as Debian's does, this
# cannot fail; the debug kernels fill them with other bytes.
parameter feature_persistent 0
there modprobe sd_mod
there modprobe scsi_debug fake_rw=1 dev_size_mb=8 delay=0
at_end within 60 there rmmod scsi_debug
wait_until 60 "the disk is there" pretends
by_hand attacker
name_disk "$(pretender)"
with_frontend attacker	# which waits for disks that are offered
await_state "$backend" 4
wait_until 60 "the guest has the disk" guest_run attacker test -b /dev/xvdp

# Something that it could see, in memory that is used next.
# shellcheck disable=SC2016 # for that shell
there sh -c 'mkdir -p /run/secret && mount -t tmpfs secret /run/secret &&
	head -c 33554432 /dev/zero | tr "\0" S >/run/secret/file && umount /run/secret'
before=$(statistic rd_sect)
nothing_else "not 0" '\0'
expect "sectors read" $((3 * 8 * 2048)) $(($(statistic rd_sect) - before))
guest_run attacker "head -c 2097152 /dev/zero | tr '\\0' Z >/tmp/own && dd if=/tmp/own of=/dev/xvdp bs=64k oflag=direct" >/dev/null 2>&1 ||
	error "the guest cannot write"
nothing_else "neither 0 nor the guest's own" '\0Z'
without_disks
wait_until 60 "the guest's driver has no disk" guest_run attacker "test ! -e /sys/bus/xen/devices/vbd-$vbd_number"
own_frontend attacker
