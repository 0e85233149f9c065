# shellcheck shell=bash
# Disks written into xenstore by the case itself, for what no tool stack would write.

vbd_number=51952	# xvdp

# by_hand GUEST [KEY VALUE...]: a disk of which nothing but the names of both ends is known yet, and
# the given keys of its backend. It has no block script: the case names the block device itself.
# Sets $backend and $frontend to its two folders.
by_hand() {
	local id
	id=$(domid "$1")
	shift
	backend=/local/domain/0/backend/vbd/$id/$vbd_number
	frontend=/local/domain/$id/device/vbd/$vbd_number
	# Either may have gone by then, with its guest or with the case, or come more than once.
	grep -qsF "$backend" "$state/at_end" ||
		at_end sh -c "xenstore-rm '$backend' 2>/dev/null; xenstore-rm '$frontend' 2>/dev/null; :"
	xenstore-write "$frontend" '' "$backend" ''
	xenstore-chmod "$frontend" "n$id" r0
	xenstore-chmod "$backend" n0 "r$id"
	xenstore-write "$frontend/backend" "$backend" "$frontend/backend-id" 0 \
		"$frontend/virtual-device" "$vbd_number" "$frontend/device-type" disk "$frontend/state" 1
	xenstore-write "$backend/frontend" "$frontend" "$backend/frontend-id" "$id" "$backend/online" 1 \
		"$backend/dev" xvdp "$backend/device-type" disk "$backend/mode" w
	while [ $# -gt 0 ]; do
		xenstore-write "$backend/$1" "$2"
		shift 2
	done
	xenstore-write "$backend/state" 1
}

# name_disk DEVICE: what the block script does.
name_disk() { xenstore-write "$backend/physical-device" "$(stat -L -c %t:%T "$1")"; }

state_is() { [ "$(xs_read "$1/state")" = "$2" ]; }

# await_state FOLDER NUMBER
await_state() { wait_until 60 "${1##*/domain/} is in state $2" state_is "$1" "$2"; }

frontend_state() { xenstore-write "$frontend/state" "$1"; }

# What the backend has written to its error node.
error_node() { xs_read "/local/domain/0/error/${backend#/local/domain/0/}/error"; }

# The guest's own driver would take every disk it sees.
without_frontend() { guest_run "$1" rmmod xen_blkfront; }

with_frontend() { guest_run "$1" "insmod \$(grep xen-blkfront /modules) $2"; }
