#!/bin/bash
# every ABI, persistent or not, 1 and 4 queues, 1 and 16 pages, direct and INDIRECT: all operations do as the model
# Takes long.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 4)
guest_start main
own_frontend main
attach_own main "phy:$disk,xvdb,w"

own_run main xvdb <<'END'
matrix ops=rwfbd count=24
END
passed=$(sed -n 's/^passed: //p' "$state/frontend")
expect "ABIs times persistent or not" 6 "$(wc -l <<<"$passed")"
while read -r combination; do
	pass "$combination"
done <<<"$passed"

detach main xvdb
with_frontend main
