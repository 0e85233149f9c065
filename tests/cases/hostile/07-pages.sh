#!/bin/bash
# numbers of pages that contradict each other are taken in the order of docs/protocol.md

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
for pages in 0 3 32 2147483648; do
	echo "key num-ring-pages=$pages"
	echo "refused num-ring-pages is $pages, and powers of two up to 16 were offered"
done | attack
# ring-page-order counts, and 0 is one, too; ring-ref counts for a ring of one page, and not for others.
attack <<END
set order=1
key num-ring-pages=16
connect
load
io
close
defaults
key num-ring-pages=16 ring-page-order=0
connect
io
close
defaults
key ring-ref0=8
connect
io
close
defaults
set order=1
key ring-ref0 ring-ref=8
refused the frontend did not write $frontend/ring-ref0
END
# Left over from before.
attack <<'END'
set order=1 stale=1
connect
load
close
set order=0
write ring-page-order
connect
io
close
write ring-ref ring-ref0 ring-ref1 event-channel
END
served
