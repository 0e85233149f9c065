#!/bin/bash
# every flush of the guest reaches the disk, before the data that it may have, and a disk that can be written always takes flushes

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

guest_start main
modprobe nvme
wait_until 60 "the NVMe disk is there" test -b /dev/nvme0n1
plug main "phy:/dev/nvme0n1,xvdb,w"
expect "feature-flush-cache" 1 "$(xs_read "$(backend_path main xvdb)/feature-flush-cache")"

# Field 16 of a disk's statistics: flushes done.
flushes() { awk '{ print $16 }' /sys/block/nvme0n1/stat; }

sysfs=$(backend_sysfs main xvdb)
disk_before=$(flushes)
ours_before=$(cat "$sysfs/statistics/f_req")
guest_io main 'for i in 1 2 3 4 5 6 7 8 9 10; do dd if=/dev/zero of=/dev/xvdb bs=4k count=1 seek=$i conv=fsync; done' >/dev/null
expect "flushes that the driver counts" 10 $(($(cat "$sysfs/statistics/f_req") - ours_before))
[ $(($(flushes) - disk_before)) -ge 10 ] || fail "only $(($(flushes) - disk_before)) of 10 flushes reached the disk"
detach main xvdb
pass "flushes of the guest"

# order: what the disk was given to do and has done, F for flushing. That a write is complete is told twice.
order() {
	traced | sed -nE 's/.*block_rq_(issue|complete): [0-9,]+ (F|W)[A-Z]* .*/\1 \2/p' | uniq | paste -sd' '
}

# wanted BYTE: of the first 32 sectors, those from the tenth on have that in them, twelve of them.
wanted() {
	head -c $((9 * 512)) /dev/zero
	head -c $((12 * 512)) /dev/zero | tr '\0' "$1"
	head -c $((11 * 512)) /dev/zero
}

# The guest's own driver has no data in its flushes.
own_frontend main
attach_own main "phy:/dev/nvme0n1,xvdb,w"
trace_disk /dev/nvme0n1 block_rq_issue block_rq_complete
for persistent in 0 1; do
	dd if=/dev/zero of=/dev/nvme0n1 bs=512 count=32 oflag=direct status=none
	traced >/dev/null
	own_run main xvdb <<-END
		set tell-persistent=1 persistent=$persistent
		connect
		request op=flush sector=9 seg=0-7 seg=0-3 fill=$((0x31 + persistent))
	END
	expect "what the disk does, persistent $persistent" "issue F complete F issue W complete W" "$(order)"
	dd if=/dev/nvme0n1 bs=512 count=32 iflag=direct status=none | cmp - <(wanted $((1 + persistent))) ||
		fail "the data of a flush is not where it belongs, persistent $persistent"
done
detach main xvdb
with_frontend main
pass "data of a flush is written after it"
