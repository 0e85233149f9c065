#!/bin/bash
# a layout that is not known is refused, however long its name, and may change from connection to connection

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
# Of 2048 bytes, which is the most that xenstored takes.
attack <<END
key protocol=sparc-abi
refused protocol is "sparc-abi"
key protocol=x86_64-abi$(printf 'x%.0s' {1..2038})
refused protocol is "x86_64-abixxxxxxxxxxxxxxxxxxxxxx...", which
END
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
