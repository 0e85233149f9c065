#!/bin/bash
# a barrier, with data or without, parts the requests of all queues, whatever they are, on a disk that delays and reorders them

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

rounds=24
half=32768	# sectors

# Writes to one half of the disk take much longer than those to the other; flushes come in between. A discard is
# done in four pieces.
null_disk memory memory_backed=1 discard=1 size=32
modprobe -a dm-delay dm-log-writes
log=$(volume log 256)
dmsetup create slow <<-TABLE
	0 $half delay /dev/memory 0 0 /dev/memory 0 20 /dev/memory 0 60
	$half $half delay /dev/memory $half 0 /dev/memory $half 200 /dev/memory $half 60
TABLE
at_end dmsetup remove slow
dmsetup create logged --table "0 $((2 * half)) log-writes /dev/mapper/slow $log"
at_end eval '[ ! -e /dev/mapper/logged ] || dmsetup remove logged'
echo 1024 >"/sys/dev/block/$(stat -L -c %Hr:%Lr /dev/mapper/logged)/queue/discard_max_bytes"

# place ROUND NUMBER: of one request in a round, the first of its eight sectors. Each has its own, and none has
# sector 0, where a barrier without data is.
place() { echo $(($2 % 2 * half + ($1 * 64 + $2) * 16 + 8)); }

# change ROUND NUMBER QUEUE: a write in the first eight rounds, and then now and then an INDIRECT one or a discard.
change() {
	local op="write segs=1"
	case $(($1 < 8 ? 0 : $2 % 3)) in
	1) op="indirect inner=write segs=1" ;;
	2) op="discard count=8" ;;
	esac
	echo "request op=$op sector=$(place "$1" "$2") queue=$3 wait=0"
}

# barrier ROUND NUMBER QUEUE: in every other four rounds from the ninth on it has no data.
barrier() {
	local data=
	has_no_data "$1" || data="sector=$(place "$1" "$2") segs=1"
	echo "request op=barrier $data queue=$3 wait=0"
}

has_no_data() { [ "$1" -ge 8 ] && [ $(($1 / 4 % 2)) = 1 ]; }

# In each round: 0 to 31 are changes on all four queues, the last eight on the one where 32, the barrier,
# follows. 40 to 47 come behind it there, and 48 to 59 are on the three others at about the same time.
# In every other round the barrier is put on its ring together with the eight before it. In the others there
# are two: 36 is right behind it, or on another ring at the same time. In the last eight rounds pages stay mapped. From
# the thirteenth on requests are laid out in other ways.
frontend_script() {
	local round n owner
	echo 'set queues=4 tell-persistent=1'
	echo connect
	echo 'expect feature-barrier=1 feature-discard=1'
	for round in $(seq 0 $((rounds - 1))); do
		owner=$((round / 2 % 4))
		[ "$round" != 12 ] || printf '%s\n' close 'set abi=arm-abi' connect
		[ "$round" != 16 ] || printf '%s\n' close 'set abi=x86_32-abi persistent=1' connect
		for n in {0..31}; do
			[ "$n" != 24 ] || echo push
			change "$round" "$n" $(((owner + 1 + n / 8) % 4))
		done
		[ $((round % 2)) = 0 ] || echo push
		barrier "$round" 32 "$owner"
		case $((round % 4)) in
		1) barrier "$round" 36 "$owner" ;;
		3) barrier "$round" 36 $(((owner + 1) % 4)) ;;
		esac
		for n in {40..47}; do
			change "$round" "$n" "$owner"
		done
		for n in {48..59}; do
			change "$round" "$n" $(((owner + 1 + n % 3) % 4))
		done
		echo push
		echo wait
	done
}

# Where the data of barriers is.
barriers() {
	for round in $(seq 0 $((rounds - 1))); do
		! has_no_data "$round" || continue
		place "$round" 32
		[ $((round % 2)) = 0 ] || place "$round" 36
	done
}

# Reads the trace and says what is wrong: a barrier has the disk to itself. What is at sector 0 is one.
alone() {
	awk '
		NR == FNR { barrier[$1]; next }
		FNR == 1 { barrier[0]; running = -1 }
		!match($0, /block_bio_(queue|complete): /) { next }
		{ split(substr($0, RSTART + RLENGTH), part, " "); sector = part[3]; begins = /bio_queue:/ }
		begins {
			if (running >= 0) print "sector " sector " is given to the disk while the barrier at " running " runs"
			if (sector in barrier && out) print "barrier at " sector " is given to the disk with " out " requests out"
			if (sector in barrier) { running = sector; seen++ }
			if (++out > most) most = out
			number[sector] = ++last
		}
		!begins {
			if (sector == running) running = -1
			if (number[sector] < newest) overtaken++
			if (number[sector] > newest) newest = number[sector]
			out--
		}
		END {
			print seen + 0 " barriers, up to " most + 0 " requests out, " overtaken + 0 " overtaken" >"/dev/stderr"
			exit !(seen && most > 8 && overtaken)
		}' "$state/barriers" "$state/trace"
}

# Reads the log and says what is wrong: each barrier has a flush, before which all sectors are durable that come
# before it, and none that comes behind it; and its data is written through after that. The second flush of a round
# need not be for the barrier that has 40 to 47 behind it.
flushed() {
	awk -v half="$half" -v rounds="$rounds" '
		function check(first) {
			if (before[round] != 32 * 8) print "round " round ": " before[round] + 0 " of 256 sectors are durable before the barrier"
			if (behind[round] && (first || round % 4 != 3)) print "round " round ": what is behind the barrier is durable before it"
		}
		BEGIN { round = -1 }
		NR == FNR { barrier[$1] = ++count; next }
		$2 ~ /F/ && !left { round++; left = 1 + round % 2; first = 1 }
		$2 ~ /F/ { check(first); first = 0; left--; flushes++ }
		$2 ~ /M/ || !$1 { next }
		$2 ~ /D/ && $1 != 2 { print "a discard of " $1 " sectors, though the disk takes 2 at a time" }
		{ of = int($3 % half / 1024); n = int($3 % half / 16) % 64 }
		n < 32 { before[of] += $1 }
		n >= 40 && n < 48 { behind[of] += $1 }
		$3 in barrier {
			seen++
			if (of != round) print "round " of ": no flush before the barrier"
			if ($2 !~ /U/) print "round " of ": the barrier is not written through"
		}
		END {
			if (seen != count) print seen + 0 " barriers of " count " in the log"
			if (flushes != rounds * 3 / 2) print flushes + 0 " flushes in the log"
		}' "$state/barriers" "$state/log"
}

guest_start main
own_frontend main
attach_own main "phy:/dev/mapper/logged,xvdb,w"
barriers >"$state/barriers"
trace_disk /dev/mapper/logged block_bio_queue block_bio_complete
frontend_script | own_run main xvdb
traced >"$state/trace"
detach main xvdb
with_frontend main
dmsetup remove logged
/guest/replay-log "$log" >"$state/log" || error "the log cannot be read"

wrong=$(alone) || error "the disk has seen no barrier, or has reordered nothing"
[ -z "$wrong" ] || fail "$(head -n 1 <<<"$wrong")"
pass "no other request is at the disk with a barrier"
wrong=$(flushed)
[ -z "$wrong" ] || fail "$(head -n 1 <<<"$wrong")"
pass "what is before a barrier is durable before it"
