# shellcheck shell=bash
# Verified load on the disk xvdb of a guest, for as long as a case wants.

# load_start GUEST: until there is /tmp/stop in the guest.
load_start() {
	guest_background "$1" load 'while [ ! -e /tmp/stop ]; do
		fio --name=load --filename=/dev/xvdb --numjobs=2 --size=4M --offset_increment=8M --rw=randrw \
			--bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=8 --loops=20 --verify=crc32c \
			--verify_fatal=1 >/tmp/fio 2>&1 || { cat /tmp/fio; exit 1; }
	done'
}

requests() { awk '{ sum += $1 } END { print sum }' "$(backend_sysfs "$1" xvdb)"/statistics/{rd,wr}_req; }

has_served() { [ "$(requests "$1")" -ge "$2" ]; }

# load_goes_on GUEST: from now, some hundred requests more.
load_goes_on() {
	wait_until 60 "the load goes on" has_served "$1" $(($(requests "$1") + 200))
}

# load_stop GUEST: every read has found what was written, and no request has failed.
load_stop() {
	guest_run "$1" touch /tmp/stop
	guest_finish "$1" load >"$state/load" || fail "the load has failed: $(cat "$state/load")"
	guest_run "$1" rm /tmp/stop
}

# detach_same GUEST DISK: both ends see the same data at the end.
detach_same() {
	local in_guest
	in_guest=$(guest_run "$1" "sha256sum </dev/xvdb | cut -d' ' -f1")
	detach "$1" xvdb
	expect "checksum of the whole disk" "$(sum_of "$2")" "$in_guest"
}
