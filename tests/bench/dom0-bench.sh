#!/bin/bash
# Measures in dom0 what I/O of a guest costs with our module and with the in-tree one.
#
#   dom0-bench.sh MODULES WORKLOADS
#
# MODULES is 'ours', 'stock' or 'ours,stock'; WORKLOADS are names from the file 'workloads'.
set -eu

here=/job/tests/bench
modules=$1 workloads=$2
state=/run/testbed
mkdir -p $state
CASE=bench
# shellcheck source=tests/cases/lib.sh
. /job/tests/cases/lib.sh
exec 3>&1

load() {
	case $1 in
	ours) insmod /job/xen-blkback.ko max_queues=4 ;;
	stock) modprobe xen-blkback max_queues=4 ;;
	esac
}

# pass COUNT OPTION...
run_fio() {
	local count=$1 options='' o
	shift
	for o; do options+=" --$o"; done
	/guest/meter $state/meter "$id" /guest/remote run main 600 <<<"fio --name=bench --filename=/dev/xvdb \
		--ioengine=libaio --direct=1 --norandommap --randseed=1 --number_ios=$count --output=/tmp/fio --output-format=json $options"
	cat $state/meter
}

row() {
	local name=$1 count=$2
	shift 2
	echo "# $name warm"; run_fio $((count / 4)) "$@"
	echo "# $name short"; run_fio $((count / 4)) "$@"
	eval "$(sed 's/\([a-z0-9]*\)=/short_\1=/g' $state/meter)"
	echo "# $name long"; run_fio $((count / 4 + count)) "$@"
	eval "$(sed 's/\([a-z0-9]*\)=/long_\1=/g' $state/meter)"
	echo "row module=$module persistent=$persistent workload=$name dom0=$(((long_dom0 - short_dom0) / count)) guest=$(((long_guest - short_guest) / count)) time=$(((long_time - short_time) / count))"
}

rows() {
	local line
	for line in ${workloads//,/ }; do
		# shellcheck disable=SC2046
		row $(grep "^$line " $here/workloads)
	done
}

modprobe null_blk queue_mode=2 irqmode=0
cat /sys/block/nullb0/queue/scheduler
[ -z "${WEIGHT-}" ] || xl sched-credit2 -d 0 -w "$WEIGHT"
guest_start main "vcpus=1"
id=$(domid main)
for module in ${modules//,/ }; do
	load "$module"
	for persistent in ${PERSISTENT:-N Y}; do
		echo "$persistent" >/sys/module/xen_blkback/parameters/feature_persistent
		attach main phy:/dev/nullb0,xvdb,w
		guest_run main 'cat /sys/block/xvdb/queue/scheduler; ls /sys/block/xvdb/mq; dmesg | grep xvdb | tail -n 1'
		echo "# idle"; /guest/meter $state/meter "$id" sleep 10; cat $state/meter
		rows
		detach main xvdb
	done
	within 60 module_unload
done
