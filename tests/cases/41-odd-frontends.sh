#!/bin/bash
# old and odd frontends are served: keys left out or of other days, states skipped, reconnecting as somebody else
# In a driver domain, too.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 4)
guest_start main
own_frontend main
attach_own main "phy:$disk,xvdb,w"

# xl names the layout of 64 bits for every guest of ours.
own_run main xvdb <<'END'
set abi=x86_32-abi tell-abi=0
write protocol
connect
io count=60 kind=both
verify
END
pass "no protocol is that of 32 bits"

own_run main xvdb <<'END'
expect max-ring-pages=16 max-ring-page-order=4
set order=2 tell-order=0 tell-pages=1
connect
io count=300 depth=100 max=8
verify
close
set order=4 tell-order=1
connect
io count=300 depth=100 max=8
verify
close
key num-ring-pages=4
connect
io count=300 depth=100 max=8
verify
close
key num-ring-pages
set order=0 numbered=1
connect
io
END
pass "num-ring-pages alone, and along with ring-page-order, which holds"
pass "ring-ref0, though it is the only one"

# More requests at a time than four rings of one page have room for.
own_run main xvdb <<'END'
set queues=4 order=2 tell-order=0 tell-pages=1
connect
io count=800 depth=400 max=8
verify
close
set tell-order=1 tell-pages=0
connect
io count=800 depth=400 max=8
verify
close
set order=0 numbered=1
connect
io count=300 depth=100 max=8
verify
END
pass "on four queues, too: num-ring-pages, ring-ref0 and others, ring-ref0 alone"

own_run main xvdb <<'END'
state 1
await 2
build
announce
state 4
await 4
learn
io
verify
END
pass "Initialising, then Connected"

# The backend is Closed when the frontend says Initialised, and has InitWait still before it.
own_run main xvdb <<'END'
build
announce
state 3
await 4
learn
state 4
io
verify
END
pass "Initialised before the backend waits for it"

own_run main xvdb <<'END'
set start=4294967290
connect
io count=200
verify
END
pass "indices that wrap"

# As after kexec: nobody closes, the old grants are still there and requests on their way.
own_run main xvdb <<'END'
connect
io count=50 kind=both leave=1
drop
set queues=4 order=2 abi=x86_32-abi persistent=1 tell-persistent=1
connect
io count=200 kind=both leave=1
drop
set queues=2 order=0 abi=arm-abi tell-persistent=0
connect
verify
io count=200 kind=both leave=1
drop
set queues=1 order=4 abi=x86_64-abi persistent=0 tell-persistent=1
connect
verify
release
io count=100
verify
END
pass "starts anew with other features, three times"

# The same while the disk has yet to do what the dead kernel wanted of it.
there modprobe dm-delay
there dmsetup create slow --table "0 8192 delay $disk 0 1000"
at_end there sh -c '! dmsetup info slow >/dev/null 2>&1 || dmsetup remove slow'
detach main xvdb
attach_own main "phy:/dev/mapper/slow,xvdb,w"
own_run main xvdb <<'END'
connect
load
io ops=w count=20 leave=1
drop
set queues=2
connect
verify
io count=20
END
grep -q '^dropped with [1-9]' "$state/frontend" || error "no requests were out"
detach main xvdb
there dmsetup remove slow
attach_own main "phy:$disk,xvdb,w"
pass "starts anew while requests of before are out"

# Keys of the connection before are still there, as nobody has to remove them.
own_run main xvdb <<'END'
set stale=1
connect
close
set order=1
connect
io
verify
close
set queues=2
connect
io
verify
close
write ring-page-order multi-queue-num-queues
END
pass "keys left over from an earlier connection"

own_run main xvdb <<'END'
connect
fill
state 5
await 5
io count=300 kind=both
request op=write seg=0-7 seg=0-8 expect=error
verify
state 6
await 6
free
END
pass "who stays in Closing is served until it goes"

# keys_for [KEY=TEXT]: what the backend has written for a frontend that writes this, too. Threads have new numbers.
keys_for() {
	own_start main xvdb <<-END
		key $*
		connect
		io kind=both
		mark /tmp/connected
		until /tmp/go
		verify
	END
	own_mark main connected
	xenstore-ls -f "$(backend_path main xvdb)" | grep -v kthread-pid
	own_finish main go >/dev/null
}

keys=$(keys_for)
expect "keys of the backend" "$keys" "$(keys_for feature-online-resize=1)"
own_start main xvdb <<'END'
key feature-online-resize=1
connect
mark /tmp/connected
until /tmp/go
expect sectors=16384 state=4
request op=write sector=16376 segs=1
io count=300 kind=both
verify
END
own_mark main connected
there lvextend -q -L +4M "$disk" >/dev/null
has_grown() { [ "$(xs_read "$(backend_path main xvdb)/sectors")" = 16384 ]; }
wait_until 60 "8 MiB are told" has_grown
own_finish main go
pass "feature-online-resize: nothing comes of it"

detach main xvdb
by_hand main dev -
name_disk "$disk"
await_state "$backend" 2
own_run main $vbd_number <<'END'
connect
io
verify
END
pass "a disk without a name"

xenstore-write "$backend/online" 0 "$backend/state" 5
await_state "$backend" 6
with_frontend main
