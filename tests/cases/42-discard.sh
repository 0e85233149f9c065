#!/bin/bash
# discards of every alignment leave all other bytes as they are, and are refused where they must be

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

guest_start main
own_frontend main

# each EFFECT ROOM STARTS LENGTHS: discards of all these, each in a part of its own of a disk of 4096 sectors, as what is
# gone already could not be seen to stay. A part has so many sectors.
each() {
	local start length part=0
	for start in $3; do
		for length in $4; do
			[ $(((part + 1) * $2)) -le 4096 ] || { echo verify; echo fill; part=0; }
			echo "discard sector=$(($2 * part + start)) count=$length effect=$1"
			part=$((part + 1))
		done
	done
	echo verify
	echo fill
}

# alignments EFFECT: wherever in a granule of 64 sectors it begins and ends, and at both ends of the disk.
alignments() {
	each "$1" 512 "0 1 7 8 63 64 65 127 128" "7 8 9 128 129 200"
	each "$1" 256 "$(seq -s ' ' 0 65) 127 128" "1 63 64 65"
	cat <<-END
		discard sector=4095 count=1 effect=$1
		discard sector=4032 count=64 effect=$1
		discard sector=4012 count=84 effect=$1
		verify
		fill
		discard sector=0 count=4096 effect=$1
		verify
		io count=200 kind=both ops=rwdd
		verify
	END
}

# refused_ones: whatever the disk.
refused_ones() {
	cat <<-END
		fill
		discard sector=100 count=0 expect=error
		discard sector=4096 count=0 expect=error
		discard sector=4096 count=1 expect=error
		discard sector=4095 count=2 expect=error
		discard sector=0 count=4097 expect=error
		discard sector=1 count=18446744073709551615 expect=error
		discard sector=18446744073709551615 count=1 expect=error
		discard sector=18446744073709551615 count=2 expect=error
		discard sector=9223372036854775808 count=8 expect=error
		request op=indirect inner=discard segs=1 expect=error
		verify
	END
}

# serve KIND DISK EFFECT KEY=VALUE...: the effect is that of a discard on sectors of that disk.
serve() {
	local kind=$1 disk=$2 effect=$3
	shift 3
	attach_own main "phy:$disk,xvdb,w"
	{
		echo "connect"
		echo "expect feature-discard=1 $*"
		echo "fill"
		alignments "$effect"
		refused_ones
	} | own_run main xvdb
	detach main xvdb
	pass "$kind"
}

# A file loses exactly what is discarded, and it can be seen that it does.
modprobe loop
truncate -s 2M /run/discard
at_end rm /run/discard
loop=$(losetup --show -f /run/discard)
at_end losetup -d "$loop"
serve "a loop device: what is discarded reads as zeroes" "$loop" zero discard-alignment=0

# The fields of a discard are elsewhere in the slots of others.
for abi in x86_32-abi arm-abi; do
	attach_own main "phy:$loop,xvdb,w"
	{
		printf '%s\n' "set abi=$abi" connect fill
		each zero 512 "0 7 64 65" "1 8 200"
	} | own_run main xvdb
	detach main xvdb
done
pass "by guests with other ABIs, too"

# scsi_disk PARAMETER...: a disk of 2 MB; sets $scsi to its name.
scsi_disk() {
	local folder='/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
	modprobe scsi_debug dev_size_mb=2 lbpu=1 lbprz=1 delay=0 "$@"
	wait_until 60 "the SCSI disk is there" compgen -G "$folder"
	scsi=$(basename "$(compgen -G "$folder")")
}

# pieces: what has been discarded from a disk since the last time, as SECTOR+COUNT each, and, as
# SECTOR/SECTOR, where the block layer has cut that up itself.
pieces() {
	traced | awk '
		match($0, /block_(bio_queue|split): /) {
			split(substr($0, RSTART + RLENGTH), part, " ")
			if (part[2] ~ /^D/) print part[3] part[4] part[5]
		}' | paste -sd' '
}

# cut_up SECTOR+COUNT PIECES: a discard is given to the disk in these pieces.
cut_up() {
	echo "connect
		discard sector=${1%+*} count=${1#*+}" | own_run main xvdb
	expect "pieces of a discard of $1" "$2" "$(pieces)"
}

# Granules of 32 KiB, the first of which starts at 16 KiB.
modprobe sd_mod
at_end rmmod scsi_debug
scsi_disk unmap_granularity=64 unmap_alignment=32 unmap_max_blocks=999
serve "a SCSI disk with granules" "/dev/$scsi" unknown discard-granularity=32768 discard-alignment=16384

# It takes no more than 999 sectors at once, so 15 granules. What begins within one ends with one.
attach_own main "phy:/dev/$scsi,xvdb,w"
trace_disk "/dev/$scsi" block_bio_queue block_split
cut_up 0+960 "0+960"
cut_up 0+961 "0+928 928+33"
cut_up 100+1000 "100+956 1056+44"
cut_up 32+4064 "32+960 992+960 1952+960 2912+960 3872+224"
detach main xvdb
rmmod scsi_debug
scsi_disk unmap_granularity=7 unmap_alignment=3 unmap_max_blocks=50
attach_own main "phy:/dev/$scsi,xvdb,w"
trace_disk "/dev/$scsi" block_bio_queue block_split
cut_up 0+120 "0+45 45+49 94+26"
cut_up 3+49 "3+49"
cut_up 5+100 "5+47 52+49 101+4"
detach main xvdb
pass "cut where the disk's granules end, if it does not take all at once"

# The disk's granules start at 32, 96 and so on, and the partition at 40: at 56 of its own sectors is the first one.
# What the disk is given is told by the disk's sectors.
rmmod scsi_debug
scsi_disk dev_size_mb=3 unmap_granularity=64 unmap_alignment=32 unmap_max_blocks=999
around() {
	dd if="/dev/$scsi" bs=512 count=40 iflag=direct status=none
	dd if="/dev/$scsi" bs=512 skip=4136 iflag=direct status=none
}
dd if=/dev/urandom of="/dev/$scsi" bs=1M oflag=direct count=3 status=none
sum=$(around | sha256sum)
addpart "/dev/$scsi" 1 40 4096
wait_until 60 "the partition is there" test -b "/dev/${scsi}1"
serve "a partition that does not start with a granule" "/dev/${scsi}1" unknown discard-granularity=32768 discard-alignment=28672
expect "checksum of what is not in the partition" "$sum" "$(around | sha256sum)"
attach_own main "phy:/dev/${scsi}1,xvdb,w"
trace_disk "/dev/$scsi" block_bio_queue block_split
traced >/dev/null
cut_up 0+960 "40+960"
cut_up 0+961 "40+952 992+9"
cut_up 100+1000 "140+916 1056+84"
cut_up 56+4040 "96+960 1056+960 2016+960 2976+960 3936+200"
detach main xvdb
delpart "/dev/$scsi" 1
pass "cut where they end in a partition, too"

# at_disk: what the disk has done first; of how many pieces of discards it had how many at a time.
at_disk() {
	traced | awk '
		/block_bio_queue: [0-9,]+ D/ { count++; if (++out > most) most = out }
		/block_bio_complete: [0-9,]+ D/ { out-- }
		!first && sub(/.*block_bio_complete: [0-9,]+ /, "") { first = $1 " " $2 }
		END { print first ", " most + 0 " of " count + 0 }'
}

# Each discard is of two pieces, and every piece takes a second. Reads take no time, and one comes when the
# disk has all it gets of the discards at once.
modprobe dm-delay
dmsetup create slow --table "0 4096 delay $loop 0 0 $loop 0 1000"
at_end sh -c '! dmsetup info slow >/dev/null 2>&1 || dmsetup remove slow'
echo $((512 * 512)) >"/sys/dev/block/$(stat -L -c %Hr:%Lr /dev/mapper/slow)/queue/discard_max_bytes"
attach_own main "phy:/dev/mapper/slow,xvdb,w"
trace_disk /dev/mapper/slow block_bio_queue block_bio_complete
own_run main xvdb <<END
connect
$(printf 'request op=discard sector=%s count=640 expect=any wait=0\n' 0 640 1280 1920 2560 3200)
push
sleep 100
request op=read sector=4000 segs=1 expect=any wait=0
push
wait
END
expect "operations, in the order of their responses" "0 5 5 5 5 5 5" \
	"$(sed -n 's/^response .*op=\([0-9]*\) status=0$/\1/p' "$state/frontend" | paste -sd' ')"
expect "done first; pieces at a time" "R 4000, 4 of 12" "$(at_disk)"
pass "in the background, and never more than a few at the disk"

# The first pieces of four are at the disk when it becomes read-only.
sysfs=$(backend_sysfs main xvdb)
statistics() { (cd "$sysfs/statistics" && paste -d' ' ds_req ds_sect errors refused); }
read -r requests sectors errors refused < <(statistics)
own_start main xvdb <<END
connect
mark /tmp/connected
until /tmp/hung
$(printf 'request op=discard sector=%s count=640 expect=any wait=0\n' 0 640 1280 1920 2560 3200)
push
mark /tmp/sent
until /tmp/read-only
wait
END
own_mark main connected
at_end sh -c '! dmsetup info slow >/dev/null 2>&1 || dmsetup resume slow'
dmsetup suspend --noflush --nolockfs slow
guest_run main touch /tmp/hung
own_mark main sent
at_the_disk() { [ "$(<"$sysfs/queues/0/discards")" -eq 4 ]; }
within 30 at_the_disk || fail "$(<"$sysfs/queues/0/discards") discards are said to be at the disk"
blockdev --setro /dev/mapper/slow
dmsetup resume slow
own_finish main read-only
blockdev --setrw /dev/mapper/slow
expect "discards, their sectors, errors, refused" "$((requests + 4)) $((sectors + 4 * 640)) $((errors + 4)) $((refused + 2))" \
	"$(statistics)"
detach main xvdb
pass "counted once they are given to the disk; refused or ended when it becomes read-only"

# Secure erasure: this disk makes zeroes of what it is to erase, and of nothing else. It takes 96 sectors
# at a time.
insmod /job/erasable.ko
at_end rmmod erasable
attach_own main "phy:/dev/erasable,xvdb,w"
own_run main xvdb <<'END'
connect
expect feature-discard=1 discard-secure=1
fill
discard sector=8 count=8 flag=1 effect=zero
discard sector=25 count=1 flag=1 effect=zero
discard sector=97 count=96 flag=1 effect=zero
discard sector=301 count=97 flag=1 effect=zero
discard sector=500 count=1001 flag=1 effect=zero
discard sector=2048 count=8 effect=none
discard sector=2100 count=1000 effect=none
discard sector=4095 count=1 flag=1 effect=zero
verify
fill
discard sector=0 count=4096 effect=none
verify
discard sector=4000 count=97 flag=1 expect=error
discard sector=0 count=4096 flag=1 effect=zero
verify
END
detach main xvdb
pass "secure erasure of what is to be erased, and nothing else"

# Nothing else here can do it. The disk must not be part of another one any more, but stay open, so that closing it does
# not write it out.
exec {held}<"$loop"
dmsetup remove slow
attach_own main "phy:$loop,xvdb,w"
own_run main xvdb <<'END'
connect
expect discard-secure=0
fill
discard sector=0 count=64 flag=1 expect=notsupp
verify
END
detach main xvdb
pass "no secure erasure where there is none"

# refused DISK STATUS: a frontend that goes on about discards though there are none.
refused() {
	local sum
	sum=$(sum_of "$1")
	own_run main xvdb <<-END
		connect
		expect feature-discard=0 discard-granularity discard-alignment discard-secure
		load
		discard sector=0 count=64 expect=$2
		discard sector=0 count=4096 expect=$2
		verify
	END
	expect "checksum" "$sum" "$(sum_of "$1")"
}

dd if=/dev/urandom of="$loop" bs=1M count=2 conv=fsync status=none
attach_own main "format=raw,vdev=xvdb,access=w,no-discard,target=$loop"
expect "discard-enable" 0 "$(xs_read "$(backend_path main xvdb)/discard-enable")"
refused "$loop" notsupp
detach main xvdb
pass "refused if the toolstack says so"

attach_own main "phy:$loop,xvdb,r"
refused "$loop" error
detach main xvdb
pass "refused on a disk that can only be read"

null_disk plain memory_backed=1 size=2
dd if=/dev/urandom of=/dev/plain bs=1M count=2 oflag=direct status=none
attach_own main "phy:/dev/plain,xvdb,w"
refused /dev/plain notsupp
detach main xvdb
pass "neither offered nor done on a disk that cannot"

# A request may be of more sectors than a number of 32 bits can tell, or of hardly less.
huge=$(loop_disk /run/huge $((2 * 1024 * 1024 + 1)))
attach_own main "phy:$huge,xvdb,w"
own_run main xvdb <<'END'
connect
request op=discard sector=0 count=4294967288
request op=discard sector=0 count=4294967295
request op=discard sector=0 count=4294967296
request op=discard sector=8 count=4294967297
END
detach main xvdb
pass "more than 2 TiB at a time"
with_frontend main
exec {held}<&-
