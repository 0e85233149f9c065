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
