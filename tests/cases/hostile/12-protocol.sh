#!/bin/bash
# a layout that is not known is refused, however long its name, and may change from connection to connection

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
attack <<END
key protocol=sparc-abi
refused protocol is "sparc-abi"
key protocol=x86_64-abi$(printf 'x%.0s' {1..2037})
refused protocol is "x86_64-abixxxxxxxxxxxxxxxxxxxxxx...", which
END
# A guest may write no more, but who has done so may do more: another domain with a looser limit.
attack_background <<'END'
build
announce
state 1
await 2
mark /tmp/announced
until /tmp/go
state 3
await 5
state 6
await 6
free
END
attack_mark announced
xenstore-write "$frontend/protocol" "x86_64-abi$(printf 'x%.0s' {1..3990})"
attack_finish go
told 'protocol is "x86_64-abixxxxxxxxxxxxxxxxxxxxxx...", which'
attack <<'END'
set abi=x86_32-abi
connect
fill
io
close
set abi=arm-abi
connect
io
close
set abi=x86_64-abi
connect
verify
END
