#!/bin/bash
# what the guest was told is flushed is there after the disk has lost everything else
# Takes long.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

modprobe -a dm-log-writes dm-delay
guest_start main
at_end rm -f /tmp/kept

# logged_disk NAME [attach_own]: the guest's disk, all zeros, with a log of what has become durable when. A flush of it
# takes FLUSH_MS.
logged_disk() {
	local below=/dev/mapper/below
	disk=$(loop_disk "/tmp/disk-$1" 64)
	log=$(volume "log-$1" 1024)
	dmsetup create below --table "0 $((64 << 11)) delay $disk 0 0 $disk 0 0 $disk 0 ${FLUSH_MS:-0}"
	at_end eval '[ ! -e /dev/mapper/below ] || dmsetup remove below'
	dmsetup create logged --table "0 $((64 << 11)) log-writes $below $log"
	at_end eval '[ ! -e /dev/mapper/logged ] || dmsetup remove logged'
	"${2:-plug}" main "phy:/dev/mapper/logged,xvdb,w"
}

mark() { dmsetup message logged 0 mark "$1"; }

# end_log: the disk goes, and the rest of its log is written.
end_log() {
	detach main xvdb
	dmsetup remove logged
	dmsetup remove below
}

# lose_all_since MARK: a new disk with what was durable then.
lose_all_since() {
	rm -f /tmp/kept
	truncate -s 64M /tmp/kept
	/guest/replay-log "$log" /tmp/kept "$1" || error "the log cannot be replayed up to $1"
}

# generation NUMBER: what the guest writes, 64 blocks of 4 KiB.
generation='generation() { awk -v g="$1" "BEGIN { for (b = 0; b < 64; b++) printf \"%-4095s\n\", \"block \" b \" generation \" g }"; }'
eval "$generation"

logged_disk raw
guest_background main load fio --name=load --filename=/dev/xvdb --offset=8M --size=16M --rw=randwrite \
	--bsrange=4k-16k --direct=1 --ioengine=libaio --iodepth=4 --rate=2m --time_based --runtime=3600
for number in 1 2 3 4 5 6 7 8; do
	guest_run main "$generation; generation $number | dd of=/dev/xvdb bs=4k iflag=fullblock conv=fsync 2>/dev/null" ||
		fail "the guest cannot write and flush"
	mark "generation-$number"
	# Some that is written through the cache of the guest, and flushed in a second step.
	guest_run main "$generation; generation $number | dd of=/dev/xvdb bs=16k seek=32 iflag=fullblock oflag=direct 2>/dev/null; dd of=/dev/xvdb count=0 conv=notrunc,fsync 2>/dev/null" ||
		fail "the guest cannot write, and flush then"
	mark "flushed-$number"
done
guest_run main 'killall fio'
guest_finish main load >/dev/null || :
end_log
for number in 1 2 3 4 5 6 7 8; do
	generation "$number" >/tmp/generation
	lose_all_since "generation-$number"
	cmp -n 262144 /tmp/kept /tmp/generation || fail "generation $number, flushed, is lost"
	lose_all_since "flushed-$number"
	cmp -n 262144 -i 524288:0 /tmp/kept /tmp/generation || fail "generation $number, flushed in a second step, is lost"
done
pass "blocks that were flushed"

logged_disk files
guest_io main 'mkfs.ext4 -q -E nodiscard /dev/xvdb && mount -t ext4 /dev/xvdb /mnt'
guest_background main load 'while [ ! -e /tmp/stop ]; do cat /usr/bin/fio >/mnt/junk; done'
for number in 1 2 3 4; do
	guest_run main "$generation; generation $number | dd of=/mnt/file-$number bs=4k iflag=fullblock conv=fsync 2>/dev/null" ||
		fail "the guest cannot write a file and flush it"
	mark "file-$number"
done
guest_run main touch /tmp/stop
guest_finish main load || error "the load has failed"
guest_run main 'rm /tmp/stop; umount /mnt'
end_log
mkdir -p /tmp/mnt
for number in 1 2 3 4; do
	lose_all_since "file-$number"
	mount -o loop /tmp/kept /tmp/mnt || fail "a file system cannot be mounted after the loss"
	for file in $(seq "$number"); do
		generation "$file" | cmp - "/tmp/mnt/file-$file" || fail "file $file, flushed, is lost"
	done
	umount /tmp/mnt
	e2fsck -fn /tmp/kept || fail "a file system is inconsistent after the loss"
done
pass "files that were flushed"

# written NUMBER: eight pages with that in them, half of them by INDIRECT, have been answered on one queue before the
# flush on the other.
written() {
	cat <<-END
		request op=write sector=$(($1 * 64)) segs=4 fill=$((0x30 + $1)) queue=$(($1 % 2))
		request op=indirect inner=write sector=$(($1 * 64 + 32)) segs=4 fill=$((0x30 + $1)) queue=$(($1 % 2))
		request op=flush queue=$((1 - $1 % 2))
		mark /tmp/flushed
		until /tmp/logged
	END
}

# Flushes take longer here than it takes to put a mark behind what has been answered.
own_frontend main
FLUSH_MS=$((2000 * slow)) logged_disk queues attach_own
{
	printf '%s\n' "set queues=2" connect
	for number in 1 2 3 4; do
		written "$number"
	done
} | own_start main xvdb
for number in 1 2 3 4; do
	own_mark main flushed
	mark "queues-$number"
	guest_run main touch /tmp/logged
done
own_finish main
end_log
with_frontend main
for number in 1 2 3 4; do
	lose_all_since "queues-$number"
	head -c 32768 /dev/zero | tr '\0' "$number" | cmp -n 32768 -i $((number * 32768)):0 /tmp/kept - ||
		fail "what was answered on queue $((number % 2)) is lost after a flush on the other"
done
pass "blocks of one queue that were flushed on another"
