#!/bin/bash
# every ABI, persistent or not, 1 and 4 queues, 1 and 16 pages, direct and INDIRECT, copied and mapped: all operations do as the model
# Takes long.

# shellcheck source=tests/cases/byhand.sh
. /job/tests/cases/byhand.sh

disk=$(volume disk 4)
guest_start main
own_frontend main
attach_own main "phy:$disk,xvdb,w"

parameters=/sys/module/xen_blkback/parameters

# parameter NAME VALUE: until the case ends, for connections made from then on.
parameter() {
	at_end sh -c "echo $(cat "$parameters/$1") >$parameters/$1"
	echo "$2" >"$parameters/$1"
}

# matrix MODE COUNT: that many requests for each combination.
matrix() {
	local passed combination
	own_run main xvdb <<<"matrix ops=rwfbd count=$2"
	passed=$(sed -n 's/^passed: //p' "$state/frontend")
	expect "ABIs times persistent or not" 6 "$(wc -l <<<"$passed")"
	while read -r combination; do
		pass "$1, $combination"
	done <<<"$passed"
}

matrix copied 24
parameter copy_read_max 0
matrix "reads mapped" 8
parameter copy_write_max 0
matrix mapped 8
parameter poll_us 500
matrix "mapped, and waiting awake" 8

detach main xvdb
with_frontend main
