# shellcheck shell=bash
# What the cases in hostile/ have in common: a guest 'attacker', whose disk is served by the test frontend, and a
# guest 'canary' with verified I/O all the while. Both stay from case to case. After each of them xen/oracle.sh
# looks at what must be true whatever the attacker has done.

# shellcheck source=tests/xen/oracle.sh
. /job/tests/xen/oracle.sh

# The volume that the attacker's disk is on, of 8192 sectors.
disk=/dev/testbed/attacked

# All data of what is offered from then on is mapped, unless it is kept mapped anyway.
mapped_only() {
	limit copy_read_max 0
	limit copy_write_max 0
}

canary_start() {
	guest_exists canary && return
	there lasting_volume canary 64
	there lasting_volume further 4
	guest_start canary memory=192 vcpus=1
	attach canary "phy:/dev/testbed/canary,xvdb,w"
	# It is held against itself, so it must not pause for anything that the attacker makes longer.
	LOAD_REST=500000 LOAD_LOOPS=1000000 load_start canary
	load_goes_on canary
}

# Its grant table is of the version that has all kinds of grants.
attacker_start() {
	FRONTEND=grant_table.version=2 guest_start attacker memory=256
	own_frontend attacker
}

# odd_grants: sets $apic, $xen, $none, $part, $chain, $loop and $passed, see xen/oddgrants.c. The last is a page of the
# canary's.
odd_grants() {
	local found parameters=/sys/module/oddgrants/parameters
	guest_run attacker "test -d $parameters" || make_odd_grants
	found=$(guest_run attacker "cd $parameters && for name in apic xen none part chain loop passed; do
		echo \"\$name=\$(cat \$name)\"; done") || error "no odd grants: $found"
	eval "$found"
	[ "$part" -gt 0 ] || error "the guest's grant table is not of version 2"
}

make_odd_grants() {
	local page parameters=/sys/module/oddgrants/parameters
	page=$(guest_run canary "test -d $parameters || insmod /oddgrants.ko
		echo $(domid attacker) >$parameters/plain && cat $parameters/plain") || error "the canary grants nothing: $page"
	guest_run attacker "insmod /oddgrants.ko domid=$(domid attacker) backend=$(backend_id) third=$(domid canary) \
		third_gref=$page" || error "no odd grants"
}

# hostile_start: when this is done, the attacker's disk is in the state InitWait, and $backend and $frontend are its
# two folders in xenstore. It may start anew as often as it likes, or RESTARTS times in ten seconds, all its disks
# together GUEST_RESTARTS times.
hostile_start() {
	limit max_restarts "${RESTARTS:-1000000}"
	limit max_guest_restarts "${GUEST_RESTARTS:-1000000}"
	if ! guest_exists canary || ! guest_exists attacker; then
		canary_start
		there lasting_volume attacked 4
		attacker_start
		oracle_begin
	fi
	offer
}

# offer [KEY VALUE...]: the attacker's disk, with these keys of the backend. The attacker may read what is said
# of it, and take it away.
offer() {
	local error
	by_hand attacker "$@"
	error=$(error_of "$backend")
	/guest/nodes <<-END || fail "the backend does not offer the disk"
		write $error
		chmod $error n$(backend_id) b$(domid attacker)
		write $backend/physical-device $(number_of "$disk")
		await $((60 * slow)) $backend/state 2
	END
}

# The disk does nothing any more, until it is resumed; requests wait for it.
hang() {
	at_end there sh -c 'dmsetup resume testbed-attacked || :'
	there dmsetup suspend --noflush --nolockfs testbed-attacked
	hung_at=$(clock_of canary)
}

# hung_writes: four writes of 64 pages each are at the disk, which hangs; then the attacker does what standard input says.
hung_writes() {
	local before
	attack_background < <(
		printf '%s\n' connect fill 'mark /tmp/connected' 'until /tmp/hung' \
			'request op=indirect inner=write segs=64 times=4 step=512 wait=0' push 'until /tmp/taken'
		cat
	)
	attack_mark connected
	before=$(statistic wr_req)
	hang
	guest_run attacker touch /tmp/hung
	wait_until 60 "the requests are taken" taken wr_req $((before + 4))
	guest_run attacker touch /tmp/taken
}

# hundredths_since TIME: on the clock of the other guest.
hundredths_since() { awk -v "since=$1" -v "now=$(clock_of canary)" 'BEGIN { printf "%d\n", (now - since) * 100 }'; }

# no_long_wait TIME HUNDREDTHS: for so long since then the other guest was served as ever. Sets $longest to how long it waited
# for a read at most, in hundredths of a second.
no_long_wait() {
	longest=$(longest_since canary "$1")
	note "of $2 hundredths of a second another guest waited $longest at most"
	[ $((2 * longest)) -lt "$2" ] || fail "another guest waited $longest hundredths of a second for a read, of $2"
}

# resume: the disk goes on, having been away long enough for others to notice, if they had to wait for it, too.
resume() {
	local lasted
	while lasted=$(hundredths_since "$hung_at") && [ "$lasted" -lt $((600 * slow)) ]; do
		sleep 1
	done
	there dmsetup resume testbed-attacked
	no_long_wait "$hung_at" "$lasted"
}

# withdraw: the tool stack takes the disk away; it may be offered again. A backend that is closed already goes as soon as
# it is not online, so that is said last.
withdraw() {
	/guest/nodes <<-END || fail "the backend does not close"
		write $backend/state 5
		write $backend/online 0
		await $((60 * slow)) $backend/state 6
	END
}

# without_disks: the attacker has none, so that its limits are those of the parameters when it gets one again.
without_disks() {
	withdraw
	xenstore-rm "$backend" "$frontend"
	wait_until 60 "the disk is gone" there test ! -e "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number"
}

# another_disk: the same for a second disk of the attacker's; until first_disk it is the one that all is about.
another_disk() {
	vbd_number=51936
	offer dev xvdo
}

first_disk() {
	withdraw
	vbd_number=51952
	backend=${backend%/*}/$vbd_number
	frontend=${frontend%/*}/$vbd_number
}

# statistic NAME: of the attacker's disk.
statistic() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/statistics/$1"; }

# budget NAME: what its folder budget/ has.
budget() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid attacker)-$vbd_number/budget/$1"; }

# taken NAME COUNT: by now so many requests of a kind have been given to the disk.
taken() { [ "$(statistic "$1")" -ge "$2" ]; }

# attack: the attacker does what standard input says.
attack() { own_run attacker $vbd_number; }

# attack_background, attack_mark NAME, attack_finish [NAME]: the same, step by step: see own_start.
attack_background() { own_start attacker $vbd_number; }

attack_mark() { own_mark attacker "$1"; }

attack_finish() { own_finish attacker "$@"; }

# attack_kill: it dies without a word, as a guest's kernel does; but what it has granted is not granted any more.
attack_kill() {
	local status=0
	guest_run attacker killall -9 frontend
	guest_finish attacker frontend >"$state/frontend" 2>&1 || status=$?
	[ "$status" -eq 137 ] || own_verdict "$status"
	[ "$status" -eq 137 ] || error "the test frontend had ended by itself"
}

# served_for SECONDS: requests of the other guest's that were served in that time.
served_for() {
	local before
	before=$(requests "$(canary_statistics)")
	sleep "$1"
	echo $(($(requests "$(canary_statistics)") - before))
}

# others_go_on: while the attacker, in the background, does what keeps dom0 busy, from "mark /tmp/busy" until there is
# /tmp/enough, the canary is served and gets a further disk. Sets $longest to how long it waited for a read at most, and
# $lasted, in hundredths of a second, and $missing to how much memory is missing meanwhile, in KiB.
others_go_on() {
	local began findings meanwhile usual
	attack_mark busy
	began=$(clock_of canary)
	findings=$(ATTACH_LIMIT=10 find_when_attaching)
	[ -z "$findings" ] || fail "$findings, meanwhile"
	# Long enough for a read to be held up.
	meanwhile=$(served_for $((6 * slow)))
	guest_run attacker '[ ! -e /tmp/frontend.status ]' || {
		attack_finish
		error "the attacker has ended too early"
	}
	lasted=$(hundredths_since "$began")
	# shellcheck disable=SC2034 # for the case
	missing=$(missing_kib)
	attack_finish enough
	no_long_wait "$began" "$lasted"
	usual=$(served_for $((6 * slow)))
	note "requests of another guest's served in $((6 * slow)) s: $meanwhile, and $usual afterwards"
	[ $((3 * meanwhile)) -ge "$usual" ] || fail "$meanwhile requests of another guest's were served, and $usual afterwards"
}

# storm SECONDS COMMANDS: a program in the guest does that again and again for so long, by the guest's own clock, as a
# guest in a storm hears nothing.
storm() {
	guest_background attacker "storm-$vbd_number" \
		"while printf '$2'; do :; done | timeout -s KILL $1 frontend $vbd_number 'patience $own_patience' -"
}

# storm_finish waits for its end, and storm_end does not, but ends whatever else the attacker's programs do.
storm_finish() {
	local status=0
	guest_finish attacker "storm-$vbd_number" >"$state/storm" 2>&1 || status=$?
	[ "$status" -eq 137 ] || error "the storm ended with status $status: $(tail -n 1 "$state/storm")"
}

storm_end() {
	guest_run attacker 'killall -9 frontend || :'
	storm_finish
}

# served: the same disk can be used as if nothing had been.
served() {
	attack <<'END'
connect
fill
io count=60 kind=both ops=rwf
verify
END
}
