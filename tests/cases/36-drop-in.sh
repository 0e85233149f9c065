#!/bin/bash
# to modprobe, xl, xentop and guests we look as the in-tree module does, but for differences that have a reason
# Takes long.

# What the in-tree module shows is recorded, then what ours shows of the same disks, and the two are
# compared. Each difference has to be in 36-drop-in.expected, below its reason; and each that is listed
# there has to be found.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

[ -e /job/xen-blkback.ko ] || skip "the in-tree module is all there is"
modinfo xen-blkback >/dev/null 2>&1 || skip "this kernel comes without the in-tree module"

statistics=(oo_req rd_req wr_req f_req ds_req rd_sect wr_sect)

panic_on_warn=$(cat /proc/sys/kernel/panic_on_warn)

# What the debug kernel has against the in-tree module's way to unmap pages is no matter here. So its
# warnings are no panic while that module is loaded; they are again before ours is.
console_expects 'ODEBUG: object .* is on stack .*, but NOT annotated|WARNING: .* at lib/debugobjects\.c:[0-9]+ lookup_object_or_alloc'

may_warn() { echo 0 >/proc/sys/kernel/panic_on_warn; }
must_not_warn() { echo "$panic_on_warn" >/proc/sys/kernel/panic_on_warn; }

# Undone in reverse: other cases want ours.
at_end module_load max_queues=4
at_end sh -c "echo $panic_on_warn >/proc/sys/kernel/panic_on_warn"
at_end within 60 module_unload

# load in-tree|ours [PARAMETER...]
load() {
	local module=$1
	shift
	case $module in
	in-tree) may_warn && modprobe xen-blkback "$@" ;;
	ours) must_not_warn && PARAMETERS='' module_load "$@" ;;
	esac
}

unload() { wait_until 60 "the module can be unloaded" module_unload; }

# --- What is recorded -------------------------------------------------------------------------

# from WHAT [PATH]: lines that follow are about that; PATH is left out where a line begins with it.
from() { echo "@@@$*"; }

# One line for each fact, with all that is new each time taken out: grants and ports, the guest's number.
facts() {
	awk -v "id=$id" '
		sub(/^@@@/, "") { what = $1; path = $2 "/"; next }
		index($0, path) == 1 { $0 = substr($0, length(path) + 1) }
		/(ring-ref[0-9]*|event-channel|kthread-pid) = / { sub(/"[0-9]+"/, "a number") }
		what ~ /:(backend|frontend)$/ { sub("\\(n" id ",", "(nDOMID,"); sub(",r" id "\\)", ",rDOMID)") }
		what ~ /:(thread|interrupt)$/ { sub("(^|\\.)" id "\\.", (/^[a-z]/ ? "." : "") "DOMID.") }
		{ print what ": " $0 }' |
		sed -E 's/^([a-z0-9-]+):([a-z-]+): /\1: \2: /'
}

# Descriptions are for whoever reads them; that there is one is a fact. What is left out is the same for
# every module of this kernel or for none, or a signature of who has built it.
module_info() {
	from module:modinfo
	modinfo "$1" | sed -nE -e '/^(filename|vermagic|srcversion|parm|sig[a-z_]*):/d' \
		-e 's/^(description):.*/\1/p; t' -e 's/^([a-z]+): +/\1: /p'
	from module:parameter
	modinfo -F parm "$1" | sed -E -e 's/^([a-z_]+):.+ \(([a-z]+)\)$/\1: \2/' \
		-e t -e 's/^([a-z_]+): ?\(?([a-z]+)\)?$/\1: \2, not described/'
}

# Texts that a host may have in its configuration. A parameter is read in the same way when it is changed
# as when the module is loaded; but its bounds may be kept otherwise, so both are tried.
parameters_changed() {
	local text name
	from module:parameter
	(cd "$parameters" && stat -c '%n: mode %a' -- * && grep . -- * | sed 's/^/default of /')
	from module:changed
	for text in max_queues={0,1,8,1000,-1,x} log_stats={0,1,2,-1,Y} feature_persistent={0,1,n,Y,2} \
		max_persistent_grants={0,352,-1} max_buffer_pages={0,64,-1} buffer_squeeze_duration_ms={0,10,-1} \
		persistent_grant_unused_seconds={0,60,-1}; do
		name=${text%%=*}
		if (echo "${text#*=}" >"$parameters/$name") 2>/dev/null; then
			echo "$text is taken, as $(<"$parameters/$name")"
		else
			echo "$text is refused"
		fi
	done
}

# loaded MODULE NAME=TEXT...: all together, of which the first is of interest.
loaded() {
	if load "$@" 2>/dev/null; then
		echo "$2 is taken, as $(<"$parameters/${2%%=*}")"
		module_unload
	else
		echo "$2 is refused"
	fi
}

parameters_loaded() {
	local text negative=({max_ring_page_order,max_persistent_grants,max_buffer_pages}'=-1'
		{buffer_squeeze_duration_ms,log_stats}'=-1')
	from module:loaded
	for text in max_queues={0,1,1000} max_ring_page_order={0,2,4,5,x}; do
		loaded "$1" "$text" feature_persistent=0 persistent_grant_unused_seconds=30 max_buffer_pages=512 \
			buffer_squeeze_duration_ms=20 log_stats=2
	done
	if load "$1" "${negative[@]}" 2>/dev/null; then
		(cd "$parameters" && grep . -- "${negative[@]%=*}" | sed 's/:/=-1 is taken, as /')
		module_unload
	else
		echo "-1 is refused"
	fi
	for text in max_queues=-1 persistent_grant_unused_seconds=-1; do
		loaded "$1" "$text"
	done
}

# --- Disks ------------------------------------------------------------------------------------
# No kind of disk is called 'every'.

# The first command waits until the guest's kernel has looked for partitions.
guest_sees='
	cd /sys/block/$disk
	blockdev --rereadpt /dev/$disk 2>/dev/null
	grep . ro size removable capability discard_alignment queue/* 2>/dev/null
	ls mq'
guest_does='exec 2>/dev/null
	dd if=/dev/$disk of=/dev/null bs=4k skip=64 count=8 iflag=direct || echo "reading fails"
	dd if=/dev/$disk of=/dev/null bs=64k skip=1 count=4 iflag=direct || echo "reading much fails"
	dd if=/dev/zero of=/dev/$disk bs=4k count=8 oflag=direct conv=fsync || echo "writing fails"
	blkdiscard -o 1048576 -l 1048576 /dev/$disk || echo "discarding fails"'

numbers_of() { (cd "$1/statistics" && cat "${statistics[@]}"); }

# disk_facts KIND BACKEND DISK. Left out of sysfs are power management and the counters of events,
# which belong to the bus; all queues have the same files.
disk_facts() {
	local kind=$1 backend=$2 sysfs i before after
	sysfs=/sys/bus/xen-backend/devices/vbd-$id-${backend##*/}
	from "$kind:guest"
	guest_run main "disk=$3 $guest_sees"
	mapfile -t before < <(numbers_of "$sysfs")
	guest_run main "disk=$3 $guest_does"
	mapfile -t after < <(numbers_of "$sysfs")
	from "$kind:statistics"
	for i in "${!statistics[@]}"; do
		echo "${statistics[i]} $((after[i] - before[i]))"
	done
	from "$kind:backend" "$backend"
	xenstore-ls -f -p "$backend"
	from "$kind:frontend" "$frontend"
	xenstore-ls -f -p "$frontend"
	from "$kind:sysfs"
	find "$sysfs/" -mindepth 1 -path "$sysfs/power" -prune -o -printf '%P, mode %m %l\n' |
		sed 's/ *$//; s,^queues/[0-9]*,queues/N,' | sort -u
	(cd "$sysfs" && grep . mode physical_device nodename devtype modalias state uevent)
}

# Threads and interrupts are found by their names. What xentop shows must be what sysfs has.
administrator_facts() {
	local numbers
	from "$1:thread"
	threads_of_backend
	from "$1:interrupt"
	irqs_of_backend
	from "$1:xentop"
	mapfile -t numbers < <(numbers_of "$(backend_sysfs main xvdb)")
	xentop -b -x -i 1 | awk -v "numbers=${numbers[*]}" '
		/^VBD/ { gsub(/: */, ": "); print }
		END { split(numbers, n, " "); print "to show: OO: " n[1] " RD: " n[2] " WR: " n[3] " RSECT: " n[6] " WSECT: " n[7] }'
}

# Reads by all CPUs and both queues, of more pages than may be kept mapped.
kept_pages() {
	local kept
	echo 64 >"$parameters/max_persistent_grants"
	attach main "phy:$disk,xvdb,w"
	guest_io main fio --name=keep --filename=/dev/xvdb --direct=1 --rw=randread --bs=32k --ioengine=libaio --iodepth=8 \
		--numjobs=4 --cpus_allowed=0-3 --cpus_allowed_policy=split --number_ios=100 --minimal >&2
	kept=$(($(grants_mapped "$id") - 2 * 2))
	from module:kept
	if [ "$kept" -gt 64 ]; then
		echo "two queues keep more than max_persistent_grants"
	elif [ "$kept" -gt 0 ]; then
		echo "two queues keep no more than max_persistent_grants"
	fi
	note "$kept pages are kept" >&2
	detach main xvdb
}

# As xl attaches it.
writable_disk() {
	attach main "format=raw,vdev=xvdb,access=w,direct-io-safe,target=$disk"
	frontend=$(frontend_path main xvdb)
	disk_facts writable "$(backend_path main xvdb)" xvdb
	administrator_facts writable
	detach main xvdb
}

settled() { state_is "$backend" 4 || state_is "$backend" 6; }

# named KIND DEVICE DEVICE_TYPE [KEY VALUE...]: until the disk is served or has been refused.
named() {
	local kind=$1 device=$2 type=$3
	shift 3
	by_hand main "$@"
	xenstore-write "$frontend/device-type" "$type"
	name_disk "$device"
	wait_until 60 "the $kind disk is served or refused" settled
}

forgotten() {
	if state_is "$backend" 4; then
		xenstore-write "$backend/online" 0 "$backend/state" 5
		await_state "$backend" 6
	fi
	xenstore-rm "$backend"
	xenstore-rm "$frontend"
}

# other_disk, with the arguments of named: with no toolstack, for its time.
other_disk() {
	named "$@"
	await_state "$backend" 4
	await_state "$frontend" 4
	disk_facts "$1" "$backend" xvdp
	forgotten
}

# doubtful_disk, with the same: whether it is served is the fact.
doubtful_disk() {
	named "$@"
	from "$1:outcome"
	if state_is "$backend" 4; then
		await_state "$frontend" 4
		echo served
		guest_run main "disk=xvdp $guest_does"
	else
		wait_until 60 "the reason is told" error_node
		echo "refused, with a reason"
		xenstore-rm "/local/domain/0/error/${backend#/local/domain/0/}"
	fi
	forgotten
}

kinds='writable cdrom drive no-discard scsi'

# record MODULE FILE
record() {
	module_info "$2"
	unload
	load "$1"
	parameters_changed
	unload
	parameters_loaded "$1"
	load "$1" max_queues=4
	writable_disk
	other_disk cdrom "$disk" cdrom mode r
	other_disk drive /dev/sr0 disk mode r
	other_disk no-discard "$disk" disk discard-enable 0 mode 'w!'
	other_disk scsi "$scsi_disk" disk
	doubtful_disk no-medium /dev/sr1 disk mode r
	doubtful_disk drive-to-write /dev/sr0 disk
	doubtful_disk not-online "$disk" disk online -
	blockdev --setro "$disk"
	doubtful_disk protected "$disk" disk
	blockdev --setrw "$disk"
	kept_pages
	note "$1: $SECONDS s" >&2
}

# --- Comparing --------------------------------------------------------------------------------

# '-' is what only the in-tree module has, '+' what only ours has. What holds for every kind of disk is
# told once.
differences() {
	{
		comm -23 "$state/in-tree" "$state/ours" | sed 's/^/- /'
		comm -13 "$state/in-tree" "$state/ours" | sed 's/^/+ /'
	} | awk -v "kinds=$kinds" '
		BEGIN { n = split(kinds, list, " "); for (i in list) is_kind[list[i] ":"] = 1 }
		{
			fact = $0
			if ($2 in is_kind) { sub($2, "every disk:", fact); count[fact]++ }
			lines[$0] = fact
		}
		END { for (line in lines) print (count[lines[line]] == n ? lines[line] : line) }' | sort -u
}

# The entries of the list, without their reasons.
explained() { grep '^[-+] ' "$list" | sort; }

# The keys that there were, whoever has written them. Rings and their pages have numbers.
keys_seen() {
	sed -nE 's/^[a-z-]+: (backend|frontend): ([^ ]*\/)?([^ ]+) = .*/\3/p' "$state/in-tree" "$state/ours" |
		sed -E 's/^(ring-ref|queue-)[0-9]+$/\1/' | grep -vx queue- | sort -u
}

# In a row of a table, or in the picture of the two directories.
key_explained() { grep -qE "^(\| [^|]*\`$1\`|      $1  )" /job/protocol.md; }

list=/job/tests/cases/36-drop-in.expected
without_reason=$(awk 'BEGIN { RS = "" } !/^#/ { print }' "$list")
[ -z "$without_reason" ] || error "no reason is given for: $without_reason"

guest_start main
guest_frontend main max_queues=2 max_ring_page_order=1
id=$(domid main)
disk=$(volume disk 32)
modprobe sd_mod
modprobe scsi_debug dev_size_mb=8 sector_size=4096 removable=1 lbpu=1 unmap_granularity=16 unmap_alignment=8 delay=0
at_end rmmod scsi_debug
scsi='/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*'
modprobe -a ahci sr_mod
wait_until 60 "the SCSI disk is there" compgen -G "$scsi"
wait_until 60 "both CD-ROM drives are there" test -b /dev/sr1
scsi_disk=/dev/$(basename "$(compgen -G "$scsi")")

record in-tree xen-blkback >"$state/raw"
facts <"$state/raw" | sort >"$state/in-tree"
record ours /job/xen-blkback.ko >"$state/raw"
facts <"$state/raw" | sort >"$state/ours"

for kind in module $kinds; do
	[ "$(grep -c "^$kind: " "$state/in-tree")" -gt 20 ] || error "hardly anything is known of $kind"
done
[ "$(grep -c ": outcome: [sr]e" "$state/in-tree")" = 4 ] || error "of some disk it is not known whether it is served"
differences >"$state/differences"
explained >"$state/explained"
unexplained=$(comm -23 "$state/differences" "$state/explained")
stale=$(comm -13 "$state/differences" "$state/explained")
note "differences that the list does not have:"
note "$unexplained"
note "differences that only the list has:"
note "$stale"
[ -z "$unexplained" ] || fail "there are differences without a reason: $(paste -sd';' <<<"$unexplained")"
[ -z "$stale" ] || fail "listed, but no difference: $(paste -sd';' <<<"$stale")"
pass "disks: as xl attaches them, CD-ROM by type and by drive, no discard and shared, SCSI; no medium, write-protected, not said to be online"

mapfile -t keys < <(keys_seen)
[ ${#keys[@]} -gt 40 ] || error "only these keys have been seen: ${keys[*]}"
for key in "${keys[@]}"; do
	key_explained "$key" || fail "docs/protocol.md does not explain $key"
done
