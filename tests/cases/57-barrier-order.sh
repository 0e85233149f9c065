#!/bin/bash
# a barrier parts the requests of all queues, on a disk that delays and reorders them

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh
# shellcheck source=tests/cases/trace.sh
. /job/tests/cases/trace.sh

rounds=8
half=16384	# sectors

# Writes to one half of the disk take much longer than those to the other; flushes come in between.
modprobe brd rd_nr=1 rd_size=16384
at_end rmmod brd
modprobe -a dm-delay dm-log-writes
log=$(volume log 256)
dmsetup create slow <<-TABLE
	0 $half delay /dev/ram0 0 0 /dev/ram0 0 20 /dev/ram0 0 60
	$half $half delay /dev/ram0 $half 0 /dev/ram0 $half 200 /dev/ram0 $half 60
TABLE
at_end dmsetup remove slow
dmsetup create logged --table "0 $((2 * half)) log-writes /dev/mapper/slow $log"
at_end eval '[ ! -e /dev/mapper/logged ] || dmsetup remove logged'

# place ROUND NUMBER: of one request in a round, the first sector. Each has its own.
place() { echo $(($2 % 2 * half + ($1 * 64 + $2) * 16)); }

# write ROUND NUMBER QUEUE
write() { echo "request op=write sector=$(place "$1" "$2") segs=1 queue=$3 wait=0"; }

# barrier ROUND NUMBER QUEUE
barrier() { echo "request op=barrier sector=$(place "$1" "$2") segs=1 queue=$3 wait=0"; }

# In each round: 0 to 31 are writes on all four queues, the last eight on the one where 32, the barrier,
# follows. 40 to 47 come behind it there, and 48 to 59 are on the three others at about the same time.
# In every other round the barrier is put on its ring together with the eight before it. In the others there
# are two: 36 is right behind it, or on another ring at the same time.
frontend_script() {
	local round n owner
	echo 'set queues=4'
	echo connect
	echo 'expect feature-barrier=1'
	for round in $(seq 0 $((rounds - 1))); do
		owner=$((round / 2 % 4))
		for n in {0..31}; do
			[ "$n" != 24 ] || echo push
			write "$round" "$n" $(((owner + 1 + n / 8) % 4))
		done
		[ $((round % 2)) = 0 ] || echo push
		barrier "$round" 32 "$owner"
		case $((round % 4)) in
		1) barrier "$round" 36 "$owner" ;;
		3) barrier "$round" 36 $(((owner + 1) % 4)) ;;
		esac
		for n in {40..47}; do
			write "$round" "$n" "$owner"
		done
		for n in {48..59}; do
			write "$round" "$n" $(((owner + 1 + n % 3) % 4))
		done
		echo push
		echo wait
	done
}

barriers() {
	for round in $(seq 0 $((rounds - 1))); do
		place "$round" 32
		[ $((round % 2)) = 0 ] || place "$round" 36
	done
}

# Reads the trace and says what is wrong: a barrier has the disk to itself.
alone() {
	awk '
		NR == FNR { barrier[$1]; next }
		!match($0, /block_bio_(queue|complete): /) { next }
		{ split(substr($0, RSTART + RLENGTH), part, " "); sector = part[3]; begins = /bio_queue:/ }
		begins {
			if (running) print "sector " sector " is given to the disk while the barrier at " running " runs"
			if (sector in barrier && out) print "barrier at " sector " is given to the disk with " out " requests out"
			if (sector in barrier) { running = sector; seen++ }
			if (++out > most) most = out
			number[sector] = ++last
		}
		!begins {
			if (sector == running) running = 0
			if (number[sector] < newest) overtaken++
			if (number[sector] > newest) newest = number[sector]
			out--
		}
		END {
			print seen + 0 " barriers, up to " most + 0 " requests out, " overtaken + 0 " overtaken" >"/dev/stderr"
			exit !(seen && most > 8 && overtaken)
		}' "$state/barriers" "$state/trace"
}

# Reads the log and says what is wrong: what comes before a barrier is flushed before it is written, and
# it is written through.
flushed() {
	awk -v half="$half" '
		NR == FNR { barrier[$1] = ++count; next }
		$2 ~ /F/ { flush = FNR }
		$2 ~ /M/ || !$1 { next }
		{ round = int($3 % half / 1024); n = $3 % half / 16 % 64 }
		n < 32 { last[round] = FNR; writes[round]++ }
		n >= 40 && n < 48 { behind[round]++ }
		$3 in barrier {
			seen++
			if (writes[round] != 32) print "round " round ": " writes[round] + 0 " of 32 writes are durable before the barrier"
			if (flush < last[round]) print "round " round ": no flush between them and the barrier"
			if ($2 !~ /U/) print "round " round ": the barrier is not written through"
			# Of two barriers on two rings each has its own followers.
			if (behind[round] && (n == 32 || round % 4 != 3)) print "round " round ": a write behind the barrier is durable before it"
		}
		END { if (seen != count) print seen + 0 " barriers of " count " in the log" }' \
		"$state/barriers" "$state/log"
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
