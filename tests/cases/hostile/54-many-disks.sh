#!/bin/bash
# many disks of two guests, some with the most queues of the largest rings, that connect and close all at once are all served, keep nobody waiting, and cost nothing in the end

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# More than a driver domain may have transactions with xenstore. Four of each guest have all the queues and pages that
# there are: xenstore has no room for the keys of more.
declare -A disks=([attacker]="$(seq -s' ' 52001 52016)" [second]="$(seq -s' ' 52001 52004)")
rounds=${ROUNDS:-3}

# offer_all GUEST: its disks.
offer_all() {
	local number vbd_number
	number=$(number_of "$disk")
	for vbd_number in ${disks[$1]}; do
		by_hand "$1" dev "$vbd_number"
		/guest/nodes <<-END || fail "the backend does not offer disk $vbd_number"
			write $backend/physical-device $number
			await $((60 * slow)) $backend/state 2
		END
	done
}

# queues_of NUMBER: of the disk.
queues_of() { if [ "$1" -le 52004 ]; then echo 4; else echo 1; fi; }

# commands NUMBER: of a frontend that does each of its steps when it is told to.
commands() {
	local round last=$(($(queues_of "$1") - 1))
	echo "pool pages=16"
	echo "set queues=$((last + 1)) order=$((last > 0 ? 4 : 0))"
	for ((round = 0; round < rounds; round++)); do
		cat <<-END
			build
			announce
			state 1
			await 2
			mark /tmp/built-$1
			until /tmp/go-$1
			state 3
			await 4
			learn
			state 4
			request op=read segs=1 queue=0
			request op=read segs=1 queue=$last
			mark /tmp/connected-$1
			until /tmp/go-$1
			close
		END
	done
}

start_all() {
	local number
	for number in ${disks[$1]}; do
		guest_background "$1" "disk-$number" "frontend $number 'patience $own_patience' - <<'END'
$(commands "$number")
END
"
	done
}

# have_come GUEST STEP: all its disks.
have_come() {
	guest_run "$1" "for number in ${disks[$1]}; do
			until [ -e /tmp/$2-\$number ]; do
				[ ! -e /tmp/disk-\$number.status ] || { cat /tmp/disk-\$number.output; exit 1; }
				sleep 0.1
			done
			rm /tmp/$2-\$number
		done" >"$state/ended" || fail "a disk of $1 has not come to be $2: $(tail -n 1 "$state/ended")"
}

go_on() { guest_run "$1" "cd /tmp && touch go-${disks[$1]// / go-}"; }

both() {
	"$1" attacker "${@:2}"
	"$1" second "${@:2}"
}

# budget GUEST NAME: as the first one of its disks shows it.
budget() { there cat "/sys/bus/xen-backend/devices/vbd-$(domid "$1")-${disks[$1]%% *}/budget/$2"; }

expect_queues() {
	expect "queues of the attacker" "$1" "$(budget attacker queues)"
	expect "queues of the second guest" "$2" "$(budget second queues)"
}

# one_more: a disk of the attacker's beyond those that it has the queues for.
one_more() {
	local vbd_number=52017 backend frontend
	offer dev 52017
	attack <<<'refused no more queues: all disks of the guest would have 29, and 28 is the most'
	withdraw
}

hostile_start
without_disks
parameter max_guest_queues 28
guest_start second memory=128 vcpus=1
own_frontend second
both offer_all
both start_all
for ((round = 1; round <= rounds; round++)); do
	both have_come built
	both go_on
	if [ "$round" = 1 ]; then
		findings=$(ATTACH_LIMIT=20 find_when_attaching)
		[ -z "$findings" ] || fail "$findings, meanwhile"
	fi
	both have_come connected
	expect_queues $((4 * 4 + 12)) $((4 * 4))
	[ "$round" != 1 ] || one_more
	[ "$(budget attacker pages)" -le "$(budget attacker pages_max)" ] || fail "more pages than there may be"
	both go_on
done
for guest in "${!disks[@]}"; do
	for number in ${disks[$guest]}; do
		guest_finish "$guest" "disk-$number" >"$state/ended" ||
			fail "disk $number of $guest was not served: $(tail -n 1 "$state/ended")"
	done
done
expect_queues 0 0
expect "pages in the end" 0 "$(budget attacker pages)"
# What the kernel says of an answer of xenstored's that it has no number for.
! log_since "case $CASE" | grep 'xen store gave' || fail "xenstored has refused transactions"
