#!/bin/bash
# disks with blocks of 512 to 4096 bytes: the keys say so, aligned requests work, misaligned ones are refused

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

guest_start main
own_frontend main
modprobe loop
truncate -s 2M /run/blocks
at_end rm /run/blocks

# misaligned BLOCK: all ways to be off by a sector: the place, the length, and the start or the end of
# a segment alone, with the sum of all as it should be.
misaligned() {
	local op last=$(($1 / 512 - 1))
	for op in read write barrier "indirect inner=read" "indirect inner=write"; do
		cat <<-END
			request op=$op sector=1 segs=1 expect=error
			request op=$op sector=$last segs=2 expect=error
			request op=$op sector=8 seg=1-7 expect=error
			request op=$op sector=8 seg=0-6 expect=error
			request op=$op sector=8 seg=0-0 expect=error
			request op=$op sector=8 seg=0-7 seg=0-7 seg=1-7 seg=0-0 expect=error
			request op=$op sector=8 seg=1-7 seg=7-7 expect=error
			request op=$op sector=8 seg=0-6 seg=0-0 expect=error
			request op=$op sector=8 seg=0-7 seg=0-2 seg=0-4 seg=0-7 expect=error
		END
	done
	cat <<-END
		request op=discard sector=1 count=8 expect=error
		request op=discard sector=8 count=1 expect=error
		request op=discard sector=8 count=$((last + 2)) expect=error
	END
}

# The sector is the unit of everything else, whatever a block is.
small_ones() {
	cat <<-END
		request op=read sector=1 seg=1-1
		request op=write sector=3 seg=7-7 seg=0-2
		request op=discard sector=5 count=1
		load
	END
}

script() {
	cat <<-END
		connect
		expect sectors=4096 sector-size=$1 physical-sector-size=$1
		fill
		io count=150 kind=both ops=rwwfbd
		verify
	END
	if [ "$1" -gt 512 ]; then misaligned "$1"; else small_ones; fi
	cat <<-END
		verify
		request op=read sector=$((4096 - $1 / 512)) seg=0-$(($1 / 512 - 1))
		request op=read sector=4096 seg=0-$(($1 / 512 - 1)) expect=error
	END
}

for size in 512 1024 2048 4096; do
	device=$(losetup --show -f --sector-size "$size" /run/blocks)
	attach_own main "phy:$device,xvdb,w"
	script "$size" | own_run main xvdb
	detach main xvdb
	losetup -d "$device"
	pass "$size bytes"
done

# Blocks of 512 bytes on top of a disk that would like more.
modprobe sd_mod
modprobe scsi_debug dev_size_mb=2 sector_size=512 physblk_exp=3 delay=0
at_end rmmod scsi_debug
wait_until 60 "the SCSI disk is there" compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
device=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*)
attach_own main "phy:$device,xvdb,w"
own_run main xvdb <<'END'
connect
expect sectors=4096 sector-size=512 physical-sector-size=4096
io count=100 kind=both
request op=read sector=1 seg=1-1
verify
END
detach main xvdb
pass "512 bytes on 4096"
with_frontend main
