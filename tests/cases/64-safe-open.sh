#!/bin/bash
# the disk that was meant is opened and no other one, and what a guest writes the host does not use meanwhile

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 32)
mke2fs -qF -t ext2 "$disk"
mkdir -p /tmp/mounted
at_end rmdir /tmp/mounted
at_end sh -c '! mountpoint -q /tmp/mounted || umount /tmp/mounted'
guest_start main
without_frontend main

opened() { /guest/nodes <<<"await $((60 * slow)) $1/opened 1"; }
not_opened() { ! xs_read "$1/opened"; }

# again KEY VALUE...: the frontend comes once more, to a disk of which the toolstack says this.
again() {
	while [ $# -gt 0 ]; do
		case $2 in
		-) nodes_removed "$backend/$1" ;;
		*) xenstore-write -- "$backend/$1" "$2" ;;
		esac
		shift 2
	done
	frontend_state 1
}

# let_go: the frontend is content, or has been refused.
let_go() {
	frontend_state 6
	await_state "$backend" 6
	not_opened "$backend" || fail "it is closed, and opened is '$(xs_read "$backend/opened")'"
}

held() {
	again "$@"
	opened "$backend" || fail "not opened with $*: $(error_node)"
}

refused() {
	local pattern=$1
	shift
	again "$@"
	await_state "$backend" 5
	told "$pattern"
	not_opened "$backend" || fail "it is refused, and opened is '$(xs_read "$backend/opened")'"
	let_go
}

by_hand main
await_state "$backend" 2
xenstore-write "$backend/physical-device" ''
await_state "$backend" 5
let_go
for text in vdc fd :5 'fd:5 ' 0xfd:5 253:100000 1000:0; do
	refused "physical-device is \"$text\", which is not the number of a block device: write MAJOR:MINOR" \
		physical-device "$text"
done
refused "cannot open disk 240:77 for writing (.*): see whether it exists" physical-device f0:4d
modprobe -a ahci sr_mod
wait_until 60 "the CD-ROM drives are there" test -b /dev/sr1
refused "cannot open disk 11:0 for writing (.*): attach it in mode r" physical-device b:0
refused "cannot open disk 11:1 for reading (.*): insert a medium" physical-device b:1 mode r
pass "what is no disk is refused: not a number, not there, not to be written"

# sequence DEVICE: its sequence number as xenstore has it.
sequence() {
	local major minor
	read -r major minor < <(stat -L -c '%t %T' "$1")
	printf '%016x' "$(cat "/sys/dev/block/$((0x$major)):$((0x$minor))/diskseq")"
}

number=$(number_of "$disk")
mount -t ext4 "$disk" /tmp/mounted
refused "is not the one that was meant: its diskseq is $(printf %x "0x$(sequence "$disk")"), in hexadecimal, and that to open is ffffffffffffffff" \
	physical-device "$number" mode w diskseq ffffffffffffffff
for number_or_none in "$(sequence "$disk")" -; do
	refused "(.*): this host uses it, see lsblk: end that, or share it in mode w!" diskseq "$number_or_none"
done
for mode in 'w!' r; do
	held mode "$mode"
	expect "mode in sysfs" "$mode" "$(cat "/sys/bus/xen-backend/devices/vbd-$(domid main)-$vbd_number/mode")"
	let_go
done
umount /tmp/mounted
pass "mounted in dom0: not to be written, unless it is to be shared; and nobody is told to share what was not meant"

may_mount() { mount -t ext4 "$disk" /tmp/mounted && umount /tmp/mounted; }
may_use() { dmsetup create using --table "0 2048 linear $disk 0" && dmsetup remove using; }

held mode w
first=$backend
vbd_number=51936 by_hand main
name_disk "$disk"
opened "$backend" || fail "not opened for writing a second time: $(error_node)"
! may_mount || fail "dom0 has mounted what a guest writes"
! may_use || fail "dom0 has made a part of something of what a guest writes"
let_go
backend=$first frontend=${frontend%/*}/$vbd_number
! may_mount || fail "dom0 has mounted what a guest still writes"
let_go
may_mount || fail "dom0 cannot mount a disk that has been let go"
for mode in 'w!' r; do
	held mode "$mode"
	may_mount || fail "dom0 cannot mount a disk in mode $mode"
	let_go
done
pass "written by guests: dom0 neither mounts it nor maps it, and it may have it twice"

# A disk of that number, and another one.
loop=$(loop_disk /tmp/one 16)
truncate -s 16M /tmp/other
at_end rm /tmp/other

old=$(sequence "$loop")
held physical-device "$(number_of "$loop")" diskseq "$old" mode w
let_go
losetup -d "$loop"
refused "cannot open disk 7:\|has no size\|is not the one that was meant" mode w
losetup "$loop" /tmp/other
[ "$(sequence "$loop")" != "$old" ] || error "the sequence number of the loop device has not changed"
refused "disk ${loop#/dev/} is not the one that was meant: its diskseq is $(printf %x "0x$(sequence "$loop")"), in hexadecimal, and that to open is $(printf %x "0x$old")" mode w
refused "is not the one that was meant" diskseq ffffffffffffffff
for text in '' 0 1x 10000000000000000; do
	refused "diskseq is \"$text\", which is not the sequence number of a disk: write in hexadecimal" diskseq "$text"
done
held diskseq "$(printf %X "0x$(sequence "$loop")")"
let_go
held diskseq -
let_go
pass "diskseq: another disk of that number is refused"

# With a real frontend, and as xl does it.
nodes_removed "$backend" "$frontend" "${backend%/*}/51936" "${frontend%/*}/51936"
with_frontend main max_queues=2
attach main "phy:$disk,xvdb,w"
expect "opened" 1 "$(xs_read "$(backend_path main xvdb)/opened")"
! may_mount || fail "dom0 has mounted what a guest has"
guest_run main "mount -t ext2 /dev/xvdb /mnt && umount /mnt" || fail "the guest cannot mount its own disk"
detach main xvdb
may_mount || fail "dom0 cannot mount a disk that has been detached"
pass "as xl attaches it"
