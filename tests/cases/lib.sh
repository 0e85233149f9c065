# shellcheck shell=bash
# What a case has at hand. A case is a shell script that runs in dom0 under set -eu; a command that
# fails ends it. Its comment in line 2 says what it proves and names it in the report.

state=/run/testbed
known_leftovers=/run/testbed-leftovers
cases=/job/tests/cases
CASE=${CASE:-none}
# How much longer everything may take. The debug kernels (tests/xen/debug.config) are slow, and so are driver domains.
slow=1
if [ -e /proc/lockdep_stats ] || [ -e /sys/kernel/debug/kcsan ]; then slow=3; fi
[ -z "${BACKEND-}" ] || slow=4
GUEST_LIMIT=${GUEST_LIMIT:-$((300 * slow))}

# --- Verdicts ---------------------------------------------------------------------------------
# File descriptor 3 is the report; what a case prints otherwise shows up there as a comment.

# end_case STATUS LINE: the first verdict counts, even if it is reached in a subshell.
end_case() {
	[ -s "$state/verdict" ] || printf '%s\n' "$2" >"$state/verdict"
	trap - ERR
	exit "$1"
}

# One part of the case has passed.
pass() { printf 'ok - %s: %s\n' "$CASE" "$*" >&3; }

# The driver is wrong.
fail() { end_case 1 "not ok - $CASE: $*"; }

# The test is wrong, or the testbed: nothing is known about the driver.
error() { end_case 2 "not ok - $CASE: $* # ERROR"; }

skip() { end_case 0 "ok - $CASE # SKIP $*"; }

note() { printf '%s\n' "$*"; }

# A command has failed that nobody looked at: what was to be set up is not, or could not be measured. Called by bash
# with its status.
on_error() {
	local i line=
	[ "$BASH_SUBSHELL" -eq 0 ] || return 0
	for i in "${!BASH_SOURCE[@]}"; do
		[ "${BASH_SOURCE[i]}" != "$0" ] || line=${BASH_LINENO[i - 1]}
	done
	error "line $line ended with status $1: $(sed -n "${line}s/^[[:space:]]*//p" "$0")"
}

# mark_consoles TEXT: tells whoever reads the consoles afterwards where he is.
mark_consoles() {
	local log
	printf '<4>=== %s\n' "$1" >/dev/kmsg
	# shellcheck disable=SC2016 # for that shell
	[ -z "${BACKEND-}" ] || there sh -c 'printf "<4>=== %s\n" "$1" >/dev/kmsg' sh "$1"
	for log in /job/consoles/*.log; do
		[ ! -e "$log" ] || printf '\n=== %s\n' "$1" >>"$log"
	done
}

# log_since MARK: the kernel's log, where the backend is, from the last such mark on. Data races of the kernel's own, which
# have a line of = before and behind them, are left out.
log_since() {
	# shellcheck disable=SC2016 # for that shell
	there sh -c 'dmesg | awk -v "mark=$1" "$2"' sh "=== $1" '
		substr($0, length($0) - length(mark) + 1) == mark { text = ""; race = 0; next }
		/BUG: KCSAN/ { race = 1 }
		/====================/ { race = 0; next }
		race { next }
		{ text = text $0 "\n" }
		END { printf "%s", text }'
}

# console_expects REGEX: this case provokes such lines on a console; they are no error.
console_expects() {
	printf '%s\n' "$1" >>"$state/expected"
	mark_consoles "expect $1"
}

# at_end COMMAND...: runs after the case, last one first, when all its disks are detached.
at_end() { printf '%q ' "$@" >>"$state/at_end"; echo >>"$state/at_end"; }

# expect WHAT WANTED FOUND
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

# within SECONDS COMMAND...: waits until COMMAND succeeds. No command should be slow itself.
within() {
	local end=$((SECONDS + $1 * slow))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# wait_until SECONDS DESCRIPTION COMMAND...: the same, and the case fails if it never does.
wait_until() {
	local seconds=$1 description=$2
	shift 2
	within "$seconds" "$@" || fail "waited $seconds s in vain: $description"
}

# case_file NAME: cases of the folder hostile have names that begin so.
case_file() { echo "$cases/${1/#hostile-/hostile/}.sh"; }

# --- Where the backend is ---------------------------------------------------------------------
# In dom0, where cases are run; or, with BACKEND, in the guest of that name, a driver domain: see storage.sh.

# there COMMAND...: a command or a function of this file, in the domain that has the backend.
there() {
	local command
	[ -n "${BACKEND-}" ] || { "$@"; return; }
	command=$(quoted "$@")
	# Any shell can do what is no function of ours, and there is one already.
	! declare -F "$1" >/dev/null || command="CASE=$CASE PARAMETERS=$(quoted "${PARAMETERS-}") bash -c $(quoted "
		. $cases/lib.sh
		. /job/tests/xen/backend.sh
		$command")"
	guest_run "$BACKEND" "$command"
}

# quoted WORD...: for a shell.
quoted() {
	local word
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

backend_id() {
	if [ -n "${BACKEND-}" ]; then domid "$BACKEND"; else echo 0; fi
}

# What all names in xenstore of what that domain has begin with.
backend_home() { echo "/local/domain/$(backend_id)"; }

# --- The module under test --------------------------------------------------------------------

# module_load [PARAMETER...]: those in $PARAMETERS, which the whole run is to have, may be overridden.
module_load() {
	local all
	read -ra all <<<"${PARAMETERS-}"
	all+=("$@")
	if [ -e /job/xen-blkback.ko ]; then
		insmod /job/xen-blkback.ko "${all[@]}"
	else
		modprobe xen-blkback "${all[@]}"
	fi
}

parameters=/sys/module/xen_blkback/parameters

# parameter NAME VALUE: until the case ends, for disks that are offered from then on. That the in-tree module has fewer is
# what it is like.
parameter() {
	local before
	[ -e /job/xen-blkback.ko ] || there test -e "$parameters/$1" || fail "the in-tree module has no parameter $1"
	before=$(there sh -c "cat $parameters/$1; echo $2 >$parameters/$1")
	at_end there sh -c "echo $before >$parameters/$1"
}

# limit NAME VALUE: the same, if the module has that.
limit() { ! there test -e "$parameters/$1" || parameter "$1" "$2"; }

module_unload() { rmmod xen_blkback; }

module_loaded() { [ -d /sys/module/xen_blkback ]; }

# What a case may expect to find.
module_as_usual() { [ "$(there cat $parameters/max_queues 2>/dev/null)" = 4 ]; }

module_anew() {
	! module_loaded || within 60 module_unload
	module_load max_queues=4
}

# --- Guests -----------------------------------------------------------------------------------

domid() { /guest/remote domid "$1"; }

guest_exists() { domid "$1" >/dev/null; }

guest_path() { echo "/local/domain/$(domid "$1")"; }

# guest_config NAME [CFG_LINE...]: later lines override earlier ones.
guest_config() {
	printf '%s\n' "name='$1'" "type='pv'" "kernel='/guest/vmlinux'" "ramdisk='/guest/guest.cpio'" \
		"extra='console=hvc0 loglevel=5 sysrq_always_enabled rcupdate.rcu_cpu_stall_timeout=120 ${FRONTEND:-}'" \
		"memory=320" "vcpus=4" "on_crash='destroy'"
	shift
	printf '%s\n' "$@"
}

guest_create() {
	guest_config "$@" >"$state/$1.cfg"
	{
		printf '\n=== case %s\n' "$CASE"
		[ ! -e "$state/expected" ] || sed 's/^/=== expect /' "$state/expected"
	} >>"/job/consoles/guest-$1.log"
	xl -f create -q "$state/$1.cfg"
}

# guest_start NAME [CFG_LINE...]: boots a guest, unless it is running already. The guest 'main' is
# kept for the next case when a case passes; all others are destroyed.
# FRONTEND='frontend.max_queues=2 ...' are parameters for its xen-blkfront.
guest_start() {
	local name=$1
	guest_exists "$name" && return
	guest_create "$@" || error "xl create $name failed"
	guest_wait "$name"
}

# guest_stop NAME: an orderly shutdown.
guest_stop() {
	guest_run "$1" 'sync; (sleep 0.2; poweroff -f) >/dev/null 2>&1 &'
	wait_until 60 "guest $1 is gone after poweroff" guest_gone "$1"
}

# guest_wait NAME: until a guest that boots takes commands.
guest_wait() { /guest/remote wait "$1" "$GUEST_LIMIT" || guest_lost "$1" "did not come up"; }

guest_gone() { ! guest_exists "$1"; }

guest_destroy() { xl destroy "$1"; }

# guest_run NAME [COMMAND...]: runs COMMAND (or a script from standard input) in the guest's shell,
# prints its output and returns its exit status. One at a time.
guest_run() {
	local name=$1 status=0
	shift
	if [ $# -gt 0 ]; then
		/guest/remote run "$name" "$GUEST_LIMIT" <<<"$*" || status=$?
	else
		/guest/remote run "$name" "$GUEST_LIMIT" || status=$?
	fi
	[ "$status" -ne 255 ] || guest_lost "$name" "did not answer: $*"
	return "$status"
}

# guest_lost NAME WHAT: an error, with what can be known of the guest in the case's output. Nobody is to wait for a driver
# domain that says nothing any more: the next case has a new one.
guest_lost() {
	guest_silent "$1" >>"$state/silent" || :
	[ "$1" != "${BACKEND-}" ] || ! guest_exists "$1" || guest_destroy "$1"
	error "guest $1 $2"
}

# guest_silent NAME: it has its tasks' stacks on its console then, if it still can; here are those that an answer depends on,
# events that nobody has taken, where its CPUs are, three times, and what was asked and answered last. dom0-run.sh has all
# of it in the case's output.
guest_silent() {
	local id log=/job/consoles/guest-$1.log before
	id=$(domid "$1") || return 0
	before=$(stat -c %s "$log")
	cat /var/log/xen/xenstored*.log | tail -n 30
	xl sysrq "$1" t
	within 5 false
	xenstore-ls "/local/domain/$id/control"
	tail -c "+$((before + 1))" "$log" | grep -a -A 12 -E 'task:(xenwatch|xenbus|remote|sh|rmmod|insmod) .*|state:D' | cut -c 16-
	xen_says e | awk -v "id=$id" '/information for domain/ { mine = $NF == id ":" } mine && /\[1/'
	xl vcpu-list "$1"
	for _ in 1 2 3; do
		"$(echo /usr/lib/xen-*/bin/xenctx)" -C -S -s /boot/System.map-* "$id" | grep -aE '^(vcpu|rip:|flags:)|\[<'
	done
	xenstore-ls "/local/domain/$id/data" | cut -c 1-200
} 2>&1

# guest_io NAME COMMAND...: the same, for what no command but one that uses a disk does. If it fails, the driver is wrong.
guest_io() { guest_run "$@" || fail "this fails in the guest $1: ${*:2}"; }

# guest_background NAME JOB COMMAND...: starts COMMAND in the guest and returns at once.
guest_background() {
	local name=$1 job=$2
	shift 2
	guest_run "$name" "rm -f /tmp/$job.status; { ($*) >/tmp/$job.output 2>&1 </dev/null; echo \$? >/tmp/$job.part; mv /tmp/$job.part /tmp/$job.status; } &"
}

# guest_finish NAME JOB: waits for it, prints its output and returns its exit status.
guest_finish() {
	guest_run "$1" "until [ -e /tmp/$2.status ]; do sleep 0.2; done; cat /tmp/$2.output; exit \$(cat /tmp/$2.status)"
}

# guest_frontend NAME PARAMETER...: loads the guest's xen-blkfront anew. No disk may be in use.
guest_frontend() {
	local name=$1
	shift
	guest_run "$name" "rmmod xen_blkfront && insmod \$(grep xen-blkfront /modules) $*" ||
		error "guest $name could not load its frontend anew"
}

# --- Disks ------------------------------------------------------------------------------------

# backend_path GUEST VDEV: the backend's folder in xenstore.
backend_path() {
	local vbd id
	vbd=$(backend_home)/backend/vbd/$(domid "$1")
	for id in $(xenstore-list "$vbd" 2>/dev/null); do
		[ "$(xs_read "$vbd/$id/dev")" != "$2" ] || { echo "$vbd/$id"; return; }
	done
	return 1
}

frontend_path() { xs_read "$(backend_path "$1" "$2")/frontend"; }

# backend_sysfs GUEST VDEV: the backend's folder in sysfs.
backend_sysfs() {
	local path
	path=$(backend_path "$1" "$2") || return
	path=${path#*/vbd/}
	echo "/sys/bus/xen-backend/devices/vbd-${path/\//-}"
}

xs_read() { xenstore-read "$1" 2>/dev/null; }

# await_node SECONDS PATH TEXT: takes no CPU meanwhile, which others need.
await_node() { /guest/nodes <<<"await $(($1 * slow)) $2 $3"; }

# nodes_removed PATH...: they need not be there.
nodes_removed() { printf 'rm %s\n' "$@" | /guest/nodes; }

# backend_state_is GUEST VDEV NUMBER: 4 is Connected, 6 is Closed.
backend_state_is() { [ "$(xs_read "$(backend_path "$1" "$2")/state")" = "$3" ]; }

vdev_of() {
	case $1 in
	*vdev=*) expr "$1" : '.*vdev=\([a-z0-9]*\)' ;;
	*) echo "$1" | cut -d, -f2 ;;
	esac
}

# attach_begin GUEST DISKSPEC: until the block script has said which disk it is. libxl gives everybody ten seconds; on a
# busy machine that may be too little now and then. The disk is in xenstore all the same then, and if it is for a driver
# domain nobody says so.
attach_begin() {
	local vdev tries=0 disk=$2
	vdev=$(vdev_of "$2")
	# A target is all that follows, so this comes first there.
	[ -z "${BACKEND-}" ] || case $disk in
	*target=*) disk="backend=$BACKEND${BLOCK_SCRIPT:+,script=$BLOCK_SCRIPT},$disk" ;;
	*) disk+=",backend=$BACKEND${BLOCK_SCRIPT:+,script=$BLOCK_SCRIPT}" ;;
	esac
	until xl block-attach "$1" "$disk" &&
		await_node 20 "$(backend_path "$1" "$vdev")/hotplug-status" connected; do
		tries=$((tries + 1))
		[ "$tries" -lt 4 ] || fail "xl block-attach $1 $2"
		xl block-detach "$1" "$vdev" || :
	done
}

# attach GUEST DISKSPEC: a disk as xl describes it, such as phy:/dev/vg/lv,xvdb,w; returns when the
# guest can use it.
attach() {
	attach_begin "$1" "$2"
	disk_connects "$1" "$(vdev_of "$2")"
}

disk_connects() {
	await_node 60 "$(backend_path "$1" "$2")/state" 4 || fail "waited 60 s in vain: backend of $2 is Connected"
	guest_run "$1" "i=0; until [ -b /dev/$2 ]; do i=\$((i + 1)); [ \$i -lt $((600 * slow)) ] || exit 1; sleep 0.1; done" ||
		fail "$2 does not appear in $1"
}

# detach GUEST VDEV: returns when nothing of the disk is left in xenstore.
detach() {
	is_plugged "$1" "$2" || { xl_detach "$1" "$2"; return; }
	unplug "$1" "$(backend_path "$1" "$2")"
}

# plug GUEST DISKSPEC: the same as attach, but what xl and its block script would write is written by
# ourselves, in a fifth of the time. Only for phy:DEVICE,xvdX,MODE; for cases that are not about the tool stack.
# What a driver domain serves is always attached, as it has a tool stack of its own that has its part in it.
plug() {
	[ -z "${BACKEND-}" ] || { attach "$@"; return; }
	plug_in "$1" "$2"
	disk_connects "$1" "$(vdev_of "$2")"
}

plug_in() {
	local device vdev mode letter backend frontend
	IFS=, read -r device vdev mode <<<"${2#phy:}"
	printf -v letter %d "'${vdev#xvd}"
	write_disk "$1" $((202 * 256 + (letter - 97) * 16)) dev "$vdev" mode "$mode" removable 1 bootable 1 type phy \
		discard-enable 1 params "$device" physical-device "$(stat -L -c %t:%T "$device")"
}

# write_disk GUEST NUMBER [KEY VALUE...]: a disk of that guest, with these keys of its backend besides those that all
# have; the value - takes a key away. Sets $backend and $frontend to its two folders.
write_disk() {
	local id home number=$2 keys=''
	id=$(domid "$1") home=$(backend_id)
	shift 2
	backend=$(backend_home)/backend/vbd/$id/$number
	frontend=/local/domain/$id/device/vbd/$number
	while [ $# -gt 0 ]; do
		case $2 in
		-) keys+="rm $backend/$1"$'\n' ;;
		*) keys+="write $backend/$1 $2"$'\n' ;;
		esac
		shift 2
	done
	# A disk that was there before is not the one that is meant.
	/guest/nodes <<-END || error "cannot write $backend"
		rm $backend/physical-device
		write $frontend
		write $backend
		chmod $frontend n$id r$home
		chmod $backend n$home r$id
		write $frontend/backend $backend
		write $frontend/backend-id $home
		write $frontend/virtual-device $number
		write $frontend/device-type disk
		write $frontend/state 1
		write $backend/frontend $frontend
		write $backend/frontend-id $id
		write $backend/online 1
		write $backend/device-type disk
		${keys%$'\n'}
		write $backend/state 1
	END
}

# What xl has attached it has a record of.
is_plugged() {
	local backend
	backend=$(backend_path "$1" "$2") && ! xs_read "/libxl/$(domid "$1")/device/vbd/${backend##*/}/backend" >/dev/null
}

# unplug GUEST BACKEND: a backend that is closed already goes as soon as it is not online, so that is said last.
unplug() {
	local frontend
	frontend=$(xs_read "$2/frontend")
	[ "$(xs_read "$2/state")" = 6 ] || /guest/nodes <<-END || fail "$2 does not close"
		write $2/state 5
		write $2/online 0
		await $((120 * slow)) $2/state 6
	END
	nodes_removed "$2" "$frontend"
	wait_until 60 "$2 is gone" there test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid "$1")-${2##*/}"
}

xl_detach() {
	xl block-detach "$1" "$2" || {
		wait_until 120 "$2 of $1 is closed" backend_state_is "$1" "$2" 6
		xl block-detach "$1" "$2"
	} || fail "xl block-detach $1 $2"
	wait_until 60 "$2 of $1 is gone from xenstore" backend_is_gone "$1" "$2"
}

backend_is_gone() { ! backend_path "$1" "$2"; }

# volume NAME MEGABYTES: prints the path of a new LVM volume, where the backend is, that lasts until the case ends.
volume() {
	[ -z "${BACKEND-}" ] || { there volume "$@"; return; }
	vgs testbed >/dev/null 2>&1 || vgcreate -q testbed /dev/vdc >/dev/null
	lvcreate -q -q -y -n "$1" -L "$2M" testbed >/dev/null || error "no volume $1"
	at_end lvremove -q -q -y "testbed/$1"
	echo "/dev/testbed/$1"
}

# lasting_volume NAME MEGABYTES: one that lasts as long as the host.
lasting_volume() {
	vgs testbed >/dev/null 2>&1 || vgcreate -q testbed /dev/vdc >/dev/null
	[ -b "/dev/testbed/$1" ] || lvcreate -q -q -y -n "$1" -L "$2M" testbed >/dev/null
}

# loop_disk FILE MEGABYTES: prints the loop device of a new file; both last until the case ends.
loop_disk() {
	local device
	modprobe loop
	truncate -s "$2M" "$1"
	at_end rm "$1"
	device=$(losetup --show -f "$1")
	at_end losetup -d "$device"
	echo "$device"
}

# null_disk NAME [KEY=VALUE...]: makes a disk /dev/NAME of null_blk that lasts until the case ends. Only one that
# is memory_backed keeps what is written, and can have a cache.
null_disk() {
	local folder=/sys/kernel/config/nullb/$1 setting
	[ -d /sys/module/null_blk ] || {
		modprobe null_blk nr_devices=0
		at_end rmmod null_blk
	}
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	mkdir "$folder"
	at_end rmdir "$folder"
	for setting in queue_mode=2 irqmode=0 "${@:2}" power=1; do
		echo "${setting#*=}" >"$folder/${setting%%=*}"
	done
	[ -b "/dev/$1" ] || error "null_blk has made no disk $1: $(ls /dev/nullb* 2>&1)"
}

# What at_end was told.
undo() {
	[ -e "$state/at_end" ] || return 0
	tac "$state/at_end" | while read -r command; do
		(eval "$command") || echo "failed to undo: $command"
	done
	rm "$state/at_end"
}

# sum_of DISK: where the backend is.
sum_of() { there sha256sum "$1" | cut -d' ' -f1; }

# --- What is left behind ----------------------------------------------------------------------

# Threads and interrupts. Ours are called blkback..., those of the in-tree driver otherwise. A driver domain may be slow
# to start programs, so this is one.
parts_of_backend() {
	there sh -c "grep -soE '^(blkback|[0-9]+\\.(xvd|hd|sd)).*|(blkif-backend|blkback\\.).*' \
		/proc/[0-9]*/comm /proc/interrupts || :" |
		sed 's,^/proc/[0-9]*/comm:,thread ,; s,^/proc/interrupts:,irq ,'
}

# parts_of GUEST: those of its disks. Interrupts of the in-tree driver do not say whose they are.
parts_of() { parts_of_backend | grep -E "(blkback[.]| )$(domid "$1")[.]" || :; }

threads_of_backend() { parts_of_backend | sed -n 's/^thread //p'; }

irqs_of_backend() { parts_of_backend | sed -n 's/^irq //p'; }

vbds_of_backend() { xenstore-ls -f "$(backend_home)/backend/vbd" 2>/dev/null | grep '/state = ' || :; }

# xen_says KEY: what Xen prints for that debug key.
xen_says() {
	xl dmesg -c >/dev/null
	xl debug-keys "$1"
	xl dmesg
}

# grants_of DOMID: references of the guest's grants that others have mapped, by Xen's own account. The
# first eight belong to the tool stack: console and xenstore.
grants_of() {
	local reference
	xen_says g | awk -v "domain=d$1" '
		/grant-table for remote/ { mine = ($5 == domain || $6 == domain) }
		mine && /\[0x/ { split($0, part, /[][]/); if (part[2] !~ /^0x00[0-7]$/) print part[2] }' |
		while read -r reference; do
			echo $((reference))
		done
}

grants_mapped() { grants_of "$1" | wc -l; }

leftovers() {
	touch "$known_leftovers"
	all_leftovers | grep -vxFf "$known_leftovers" || :
}

# Those of the guest 'canary' are to stay, and the disks that a driver domain has itself.
all_leftovers() {
	local canary domain storage
	canary=$(domid canary 2>/dev/null) || canary=none
	storage=$(domid "${BACKEND:-none}" 2>/dev/null) || storage=none
	{
		parts_of_backend
		vbds_of_backend | sed 's/^/xenstore /'
	} | grep -vE "([.]|vbd/)${canary}[./]" || :
	for domain in $(xl list | awk 'NR > 1 && $2 > 0 { print $2 }'); do
		case $domain in "$canary" | "$storage") continue ;; esac
		[ "$(grants_mapped "$domain")" = 0 ] || echo "grants of domain $domain: $(grants_mapped "$domain")"
	done
}

# What the domain with the backend can use. Pages that a CPU has on a list of its own, for its next allocation, are free,
# too.
free_kib() {
	there awk '/^(MemFree|Buffers|Cached|SReclaimable):/ { sum += $2 } $1 == "count:" { sum += 4 * $2 } END { print sum }' \
		/proc/meminfo /proc/zoneinfo
}

nothing_left() { [ -z "$(leftovers)" ]; }
