#!/bin/bash
# pages stay mapped if both sides want it, no more than the limit and no longer than the time, and all I/O is right
# Takes long. In a driver domain, too.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

rings=16	# pages of four rings, which are always mapped

mapped() { grants_mapped "$(domid main)"; }
mapped_is() { [ "$(mapped)" = "$1" ]; }

# hold SAYS OFFER PAGES [COMMAND...]: connects, uses each of PAGES pages again and again, and stays there
# idle; with COMMANDs, does these later, and is idle again. SAYS and OFFER are what feature-persistent is in
# the frontend and in the backend.
hold() {
	local more=
	[ $# -eq 3 ] || more=$(printf '%s\n' 'until /tmp/later' "${@:4}" 'mark /tmp/idle')
	own_start main xvdb <<-END
		pool pages=$3 oldest=1
		set queues=4 order=2 tell-persistent=1 persistent=$1
		connect
		expect feature-persistent=$2
		fill
		io count=400 kind=direct ops=rwwfb max=32
		verify
		mark /tmp/idle
		$more
		until /tmp/go
		io count=50 kind=both
		verify
	END
	own_mark main idle
}

later() {
	guest_run main touch /tmp/later
	own_mark main idle
}

# go_on: more I/O, and the end of it.
go_on() { own_finish main go; }

disk=$(volume disk 4)
guest_start main
own_frontend main
parameter feature_persistent 1
attach_own main "phy:$disk,xvdb,w"

hold 0 1 300
expect "grants mapped" "$rings" "$(mapped)"
go_on
pass "none, if the frontend does not say so"

# By dom0's clock.
now() { cut -d. -f1 /proc/uptime; }
seconds_since() { [ $(($(now) - $1)) -ge "$2" ]; }

# Applies to connections made later; the one under way keeps its own. Each of its rings looks at its pages
# when there is something to do.
parameter max_persistent_grants 4000
parameter persistent_grant_unused_seconds 3600
hold 1 1 300 'io count=32 depth=4 kind=direct max=8'
expect "feature-persistent" 1 "$(xs_read "$(frontend_path main xvdb)/feature-persistent")"
expect "grants mapped" $((rings + 300)) "$(mapped)"
idle=$(now)
parameter persistent_grant_unused_seconds 2
wait_until 60 "pages have been unused for longer than that" seconds_since "$idle" 5
later
expect "grants mapped by a connection from before" $((rings + 300)) "$(mapped)"
go_on
pass "all of them, if they are few"

hold 1 1 300
wait_until 60 "unused pages are given back" mapped_is "$rings"
go_on
pass "not once they are unused for long"
parameter persistent_grant_unused_seconds 0

for squeeze in 10 0; do
	parameter buffer_squeeze_duration_ms "$squeeze"
	hold 1 1 300
	expect "grants mapped" $((rings + 300)) "$(mapped)"
	there sh -c 'echo 2 >/proc/sys/vm/drop_caches'
	wait_until 60 "pages are given back when memory is short" mapped_is "$rings"
	go_on
	pass "not when memory is short, with buffer_squeeze_duration_ms $squeeze"
done

parameter max_persistent_grants 100
hold 1 1 1000
found=$(mapped)
[ "$found" -le $((rings + 100)) ] || fail "$found grants are mapped: 100 are allowed, and $rings of the rings"
[ "$found" -ge $((rings + 50)) ] || fail "only $found grants are mapped"
go_on
pass "up to the limit, whatever the frontend uses"

# use PAGE...: a request for each of these pages of the pool, one after the other.
use() { printf 'request op=write seg=0-7@pool%s\n' "$@"; }

# kept: which pages of the pool are mapped.
kept() {
	guest_run main cat /tmp/frontend.output >"$state/pool"
	grants_of "$(domid main)" >"$state/grants"
	awk -F '[ =]' 'NR == FNR { mapped[$1]; next } /^pool page=/ && $5 in mapped { print $3 }' \
		"$state/grants" "$state/pool" | sort -n | paste -sd' '
}

parameter max_persistent_grants 8
own_start main xvdb <<END
pool pages=12 show=1
set tell-persistent=1 persistent=1
connect
$(use 0 1 2 3 4 5 6 7 3 6 1 8 9 10)
mark /tmp/idle
until /tmp/later
$(use 5 11)
mark /tmp/idle
until /tmp/go
END
own_mark main idle
expect "pages kept after 0 to 7, then 3, 6, 1, and three others" "1 3 5 6 7 8 9 10" "$(kept)"
later
expect "pages kept after 5 and another one" "1 3 5 6 8 9 10 11" "$(kept)"
go_on
pass "those used last, if there are more than the limit"

# Those that are used again and again do not go with the others, and not later, either.
kept_is() { [ "$(kept)" = "$1" ]; }
queue_has() { there cat "$(backend_sysfs main xvdb)/queues/0/$1"; }
parameter max_persistent_grants 64
parameter persistent_grant_unused_seconds 4
own_start main xvdb <<END
pool pages=12 show=1
set tell-persistent=1 persistent=1
connect
$(use 0 1 2 3 4 5 6 7 8 9 10 11)
mark /tmp/used
repeat until=/tmp/enough : $(use 3); sleep 100
END
own_mark main used
maps=$(queue_has grant_maps)
wait_until 60 "unused pages are given back" kept_is 3
requests=$(queue_has writes)
used=$(now)
wait_until 60 "longer than that" seconds_since "$used" 10
expect "pages kept, of which one is in use" 3 "$(kept)"
expect "pages mapped meanwhile" 0 $(($(queue_has grant_maps) - maps))
[ "$(queue_has writes)" -gt "$requests" ] || error "it was not used meanwhile"
own_finish main enough
parameter persistent_grant_unused_seconds 0
pass "not once they are unused, while others are used"

# On each ring in turn far more pages than its share: three for two of them, two for the others.
parameter max_persistent_grants 10
own_start main xvdb <<END
pool pages=80 oldest=1
set queues=4 tell-persistent=1 persistent=1
connect
$(ring_by_ring /tmp/idle /tmp/later)
mark /tmp/idle
until /tmp/go
END
own_mark main idle
for ring in 0:3 1:6 2:8 3:10; do
	expect "grants mapped by rings up to ${ring%:*}" $((4 + ${ring#*:})) "$(mapped)"
	later
done
go_on
pass "as many for each ring"

parameter max_persistent_grants 0
hold 1 0 300
expect "grants mapped" "$rings" "$(mapped)"
go_on
pass "none, nor are any offered, with a limit of 0"

parameter max_persistent_grants 64
parameter feature_persistent 0
hold 1 0 300
expect "grants mapped" "$rings" "$(mapped)"
go_on
parameter feature_persistent 1
pass "none, if the backend does not say so"

# filled WITH FIRST COUNT: sectors of the disk in which all bytes are octal WITH.
filled() {
	expect "other bytes in $3 sectors at $2" 0 \
		"$(there sh -c "dd if=$disk bs=512 skip=$2 count=$3 iflag=direct status=none | tr -d '\\$1' | wc -c")"
}

for persistent in 0 1; do
	own_run main xvdb <<-END
		set tell-persistent=1 persistent=$persistent
		connect
		fill
		request op=write sector=0 seg=0-3 seg=4-7@same seg=0-7@same fill=1
		request op=write sector=64 seg=0-7 times=16 step=8 fill=2
		request op=indirect inner=write sector=512 segs=2 seg=0-7@same seg=3-3@same fill=3
		request op=read sector=0 seg=0-7 seg=0-7@same times=10 step=8
		verify
	END
	filled 001 0 16
	filled 002 64 128
	filled 003 512 25
	pass "a page several times in a request and in several, persistent $persistent"
done

own_run main xvdb <<'END'
connect
io count=100 ops=w readonly=1
request op=read seg=0-7@ro expect=error
verify
END
pass "pages granted read-only can be written from, and not read to"
detach main xvdb
with_frontend main
