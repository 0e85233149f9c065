# shellcheck shell=bash
# Disks written into xenstore by the case itself, for what no tool stack would write.

vbd_number=51952	# xvdp

# by_hand GUEST [KEY VALUE...]: a disk of which nothing but the names of both ends is known yet, and
# the given keys of its backend; the value - takes a key away. It has no block script: the case names the block device itself.
# Sets $backend and $frontend to its two folders.
by_hand() {
	write_disk "$1" "$vbd_number" dev xvdp mode w "${@:2}"
	# Either may have gone by then, with its guest or with the case.
	at_end nodes_removed "$backend" "$frontend"
}

# name_disk DEVICE: what the block script does.
name_disk() { xenstore-write "$backend/physical-device" "$(number_of "$1")"; }

# number_of DEVICE: as xenstore has it.
number_of() { there stat -L -c %t:%T "$1"; }

state_is() { [ "$(xs_read "$1/state")" = "$2" ]; }

# comes_to_state FOLDER NUMBER SECONDS
comes_to_state() { await_node "$3" "$1/state" "$2"; }

# await_state FOLDER NUMBER
await_state() { comes_to_state "$1" "$2" 60 || fail "waited 60 s in vain: ${1##*/domain/} is in state $2"; }

frontend_state() { xenstore-write "$frontend/state" "$1"; }

# What the backend has written to its error node.
error_node() { xs_read "$(error_of "$backend")/error"; }

# What messages say behind a colon when they go on to what is to be done, by whom if not by who reads them.
advice='[:;] (attach|begin|bind|choose|end|free|give|have|insert|it has to|load|make|raise|see|the frontend has to|use|write) '

# told PATTERN: the error node is about that. Each says whose disk it is, and what to do.
told() {
	local text whose="^[0-9]+ guest [0-9]+, disk [a-z0-9]+: "
	text=$(error_node)
	grep -q "$1" <<<"$text" || fail "error node is '$text', which is not about '$1'"
	[[ $text =~ $whose ]] || fail "error node is '$text', which does not say whose it is"
	[[ ${text#"${BASH_REMATCH[0]}"} =~ $advice ]] || fail "error node is '$text', which does not say what to do"
}

# error_of BACKEND: the folder for that.
error_of() { echo "${1%%/backend/*}/error/backend/${1#*/backend/}"; }

# --- The test frontend, tests/frontend ---

# How long the backend may take for anything, in milliseconds.
own_patience=$((60000 * slow))

# own_frontend GUEST: lets our program be the frontend of all disks to come; with_frontend ends that.
own_frontend() {
	without_frontend "$1"
	guest_run "$1" 'for module in $(cat /modules.frontend); do
		case $module in
		*gntalloc*) parameters=limit=20000 ;;
		*) parameters= ;;
		esac
		grep -q "^$(basename $module .ko | tr - _) " /proc/modules || insmod $module $parameters
	done' || error "no modules for the test frontend"
}

# attach_own GUEST DISKSPEC: as attach, but there is nobody yet to connect to it.
attach_own() {
	if [ -z "${BACKEND-}" ] && [[ $2 = phy:* ]]; then
		plug_in "$1" "$2"
	else
		attach_begin "$1" "$2"
	fi
	wait_until 60 "backend of $(vdev_of "$2") is waiting" backend_state_is "$1" "$(vdev_of "$2")" 2
}

# ring_by_ring MARK GO: twenty requests of a page each on one of four rings after the other, with "mark MARK" and "until GO"
# behind those of each.
ring_by_ring() {
	local ring
	for ring in {0..3}; do
		printf "request op=write segs=1 queue=$ring\n%.0s" {1..20}
		printf '%s\n' "mark $1" "until $2"
	done
}

# own_run GUEST VDEV: the test frontend does what standard input says, see tests/frontend/README.md.
own_run() {
	local status=0
	{
		echo "frontend $2 'patience $own_patience' - <<'END'"
		cat
		echo END
	} | guest_run "$1" >"$state/frontend" 2>&1 || status=$?
	own_verdict "$status"
}

own_verdict() {
	cat "$state/frontend"
	case $1 in
	0) ;;
	1) fail "$(sed -n 's/^frontend: WRONG: //p' "$state/frontend") ($(grep '^# seed' "$state/frontend"))" ;;
	*) error "the test frontend ended with status $1: $(tail -n 1 "$state/frontend")" ;;
	esac
}

# own_start GUEST VDEV: the same in the background. own_mark GUEST NAME waits until it has come to the
# command "mark /tmp/NAME"; own_finish GUEST [NAME] lets it go on from the command "until /tmp/NAME", if
# there is one, and waits for its end.
own_start() {
	guest_background "$1" frontend "frontend $2 'patience $own_patience' - <<'END'
$(cat)
END
"
}

own_mark() {
	guest_run "$1" "until [ -e /tmp/$2 ] || [ -e /tmp/frontend.status ]; do sleep 0.1; done; rm /tmp/$2" || {
		own_finish "$1"
		error "the test frontend did not come to 'mark /tmp/$2'"
	}
}

own_finish() {
	local status=0
	[ $# -eq 1 ] || guest_run "$1" "touch /tmp/$2"
	guest_finish "$1" frontend >"$state/frontend" 2>&1 || status=$?
	own_verdict "$status"
}

# The guest's own driver would take every disk it sees.
without_frontend() { guest_run "$1" rmmod xen_blkfront; }

with_frontend() { guest_run "$1" "insmod \$(grep xen-blkfront /modules) ${2-}"; }
