# shellcheck shell=bash
# Verified load on the disk xvdb of a guest, for as long as a case wants. It comes in bursts, and leaves
# some of the CPU to others; more of it with LOAD_REST, microseconds between two bursts. After LOAD_LOOPS rounds fio begins
# anew, for which a guest that has to share its CPU may need seconds.

# load_start GUEST: until there is /tmp/stop in the guest. Its own clock tells how long a read takes: /tmp/reads has
# when each began and how long it took, /tmp/longest has the most seconds.
load_start() {
	guest_background "$1" load 'while [ ! -e /tmp/stop ]; do
		fio --name=load --filename=/dev/xvdb --numjobs=2 --size=4M --offset_increment=8M --rw=randrw \
			--bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=8 --loops='"${LOAD_LOOPS:-4}"' \
			--thinktime='"${LOAD_REST:-50000}"' --thinktime_blocks=8 --verify=crc32c --verify_fatal=1 >/tmp/fio 2>&1 ||
			{ cat /tmp/fio; exit 1; }
	done'
	guest_background "$1" clock 'while [ ! -e /tmp/stop ]; do
		cat /proc/uptime; dd if=/dev/xvdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
		cat /proc/uptime; sleep 0.3
	done | awk "NR % 2 { start = \$1; next }
		{ print start, \$1 - start >\"/tmp/reads\"; fflush(\"/tmp/reads\") }
		\$1 - start >= most { most = \$1 - start; print int(most) >\"/tmp/longest\"; close(\"/tmp/longest\") }"'
}

# requests STATISTICS_FOLDER
requests() { there cat "$1/rd_req" "$1/wr_req" | awk '{ sum += $1 } END { print sum }'; }

has_served() { [ "$(requests "$1")" -ge "$2" ]; }

# load_goes_on GUEST: there are requests from now on.
load_goes_on() {
	local statistics
	statistics=$(backend_sysfs "$1" xvdb)/statistics
	wait_until 60 "the load goes on" has_served "$statistics" $(($(requests "$statistics") + 20))
}

# clock_of GUEST: its own, in seconds and hundredths.
clock_of() { guest_run "$1" "cut -d' ' -f1 /proc/uptime"; }

# longest_since GUEST TIME: how long a read has taken at most, of those that had not ended by then, in hundredths of a
# second. Waits for the one that is under way.
longest_since() {
	guest_run "$1" "now=\$(cut -d' ' -f1 /proc/uptime)
		until awk -v now=\$now '{ last = \$1 } END { exit !(last > now) }' /tmp/reads; do sleep 0.3; done
		awk -v since=$2 '\$1 + \$2 >= since && \$2 > most { most = \$2 } END { printf \"%d\n\", most * 100 }' /tmp/reads"
}

# load_stop GUEST: every read has found what was written, and no request has failed. Sets $longest to
# the seconds that a read took at most.
load_stop() {
	guest_run "$1" touch /tmp/stop
	guest_finish "$1" load >"$state/load" || fail "the load has failed: $(cat "$state/load")"
	guest_finish "$1" clock
	longest=$(guest_run "$1" cat /tmp/longest)
	note "the guest waited $longest s at most"
	guest_run "$1" rm /tmp/stop
}

# detach_same GUEST DISK: both ends see the same data at the end.
detach_same() {
	local in_guest
	in_guest=$(guest_run "$1" "sha256sum </dev/xvdb | cut -d' ' -f1")
	detach "$1" xvdb
	expect "checksum of the whole disk" "$(sum_of "$2")" "$in_guest"
}
