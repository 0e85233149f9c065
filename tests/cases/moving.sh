# shellcheck shell=bash
# A guest that moves under load: what its cases share. The guest is called mover.

# shellcheck source=tests/cases/load.sh
. /job/tests/cases/load.sh

# mover_start CPUS [CFG_LINE...]: its disk has as many queues as it has CPUs.
mover_start() {
	queues=$1
	shift
	disk=$(volume disk 64)
	guest_start mover "memory=128" "vcpus=$queues" "$@"
	attach mover "phy:$disk,xvdb,w"
	load_start mover
}

# mover_arrived: after a move all is as it was, and once only.
mover_arrived() {
	guest_wait mover
	wait_until 60 "the disk is connected again" backend_state_is mover xvdb 4
	expect "disks served" 1 "$(vbds_of_backend | wc -l)"
	expect "threads" "$queues" "$(threads_of_backend | wc -l)"
	expect "interrupts" "$queues" "$(irqs_of_backend | wc -l)"
}

mover_stop() {
	load_goes_on mover
	load_stop mover
	detach_same mover "$disk"
	expect "errors that the guest has seen" "" "$(io_errors)"
}

# From the guest's consoles, since this case began: while it arrives it has another name.
io_errors() {
	local log
	for log in /job/consoles/guest-mover*.log; do
		awk -v mark="=== case $CASE" '
			index($0, mark) { errors = "" }
			/I\/O error/ { errors = errors $0 "\n" }
			END { printf "%s", errors }' "$log"
	done
}
