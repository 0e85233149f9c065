#!/bin/bash
# disks of every kind can be served: LVM, a file by way of the block script, null_blk, brd, NVMe; and the guest is told the kind

guest_start main
guest_frontend main max_queues=4 max_ring_page_order=1

# serve KIND DISKSPEC
serve() {
	attach main "$2"
	guest_run main fio --name=io --filename=/dev/xvdb --size=24M --rw=randrw --bsrange=4k-256k --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --minimal >/tmp/fio ||
		fail "$1: $(cat /tmp/fio)"
	detach main xvdb
	pass "$1"
}

serve "LVM volume" "phy:$(volume disk 32),xvdb,w"

modprobe loop
truncate -s 32M /tmp/disk
at_end rm /tmp/disk
serve "file" "format=raw,vdev=xvdb,access=w,script=block,target=/tmp/disk"
expect "loop devices left" "" "$(losetup -a)"

modprobe null_blk nr_devices=1 memory_backed=1 gb=1
at_end rmmod null_blk
serve "null_blk" "phy:/dev/nullb0,xvdb,w"

modprobe brd rd_nr=1 rd_size=32768
at_end rmmod brd
serve "brd" "phy:/dev/ram0,xvdb,w"

modprobe nvme
wait_until 60 "the NVMe disk is there" test -b /dev/nvme0n1
serve "NVMe" "phy:/dev/nvme0n1,xvdb,w"

# told KIND DISKSPEC INFO: the sum of 1, a CD-ROM, 2, removable, and 4, read-only.
told() {
	plug main "$2"
	expect "info of $1" "$3" "$(xs_read "$(backend_path main xvdb)/info")"
	detach main xvdb
}

modprobe sd_mod
modprobe scsi_debug dev_size_mb=8 removable=1 delay=0
at_end rmmod scsi_debug
modprobe -a ahci sr_mod
scsi='/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
wait_until 60 "the SCSI disk is there" compgen -G "$scsi"
wait_until 60 "the CD-ROM drive is there" test -b /dev/sr0
told "a disk that stays" "phy:/dev/nvme0n1,xvdb,w" 0
told "one that is not to be written" "phy:/dev/nvme0n1,xvdb,r" 4
told "a removable disk" "phy:/dev/$(basename "$(compgen -G "$scsi")"),xvdb,w" 2
told "a CD-ROM drive" "phy:/dev/sr0,xvdb,r" 7
pass "CD-ROM, removable, read-only"
