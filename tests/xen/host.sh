#!/bin/bash
# Boots an emulated Xen host and runs one command in its dom0.
#
#   host.sh [-b | -p] [-d | -K | -C] [-n NAME] [-m MODULE] [-s CPUS] [-k KERNEL_ARGS]
#           [-q QUEUE] [-t SECONDS] COMMAND...
#
#   -b  for benchmarks: the host has one CPU, and a clock on which an instruction takes a nanosecond
#   -p  as -b; and where the instructions go that meter measures is in build/xen/runs/NAME/profile
#   -d  dom0 has the debug kernel (debug.config), and any warning of it ends the run
#   -K  driver domains have one with KASAN (kasan.config), and the module is for them: dom0-run.sh with BACKEND=storage
#   -C  the same, with KCSAN (kcsan.config)
#   -n  name of the run; everything it leaves is in build/xen/runs/NAME (default: job)
#   -m  file of the module to hand in as /job/xen-blkback.ko, or 'stock' for none: then the in-tree
#       one is used (default: the module at the top of the tree, which is built first)
#   -s  CPUs of the host (default 1: quick, and two such hosts may run at once on two CPUs)
#   -k  more arguments for dom0's kernel
#   -q  folder that several hosts share; dom0 finds it as /queue
#   -t  hard limit for the whole run (default 3600; 10800 with -d, 21600 with -K or -C); without any output it ends sooner
#
# COMMAND runs in dom0 in /job, which holds tests/ and the module. Its output appears here as it
# comes. Exit status: that of COMMAND; 70 if the host gave no verdict; 1 if a console shows an
# error. Afterwards the consoles are scanned, which prints TAP lines of its own.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
built=$top/build/xen
# Longer than a case may take (dom0-run.sh), which is longer than a guest may (lib.sh).
silence=${SILENCE:-1000}

# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"

name=job module='' cpus=1 kernel_args='' limit='' debug='' queue='' bench='' profile=''
while getopts bpdKCn:m:s:k:q:t: option; do
	case $option in
	b) bench=bench ;;
	p) bench=bench profile=profile ;;
	d) debug=debug ;;
	K) debug=kasan ;;
	C) debug=kcsan ;;
	n) name=$OPTARG ;;
	m) module=$OPTARG ;;
	s) cpus=$OPTARG ;;
	k) kernel_args=$OPTARG ;;
	q) queue=$OPTARG ;;
	t) limit=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo "usage: host.sh [OPTION...] COMMAND..." >&2; exit 2; }
run=$built/runs/$name
qemu_pid=''
kernel=$built/vmlinux
# On Xen Linux has no timer that is due within 100 microseconds, and disks of benchmarks are quicker.
[ -z "$bench" ] || kernel_args="xen_timer_slop=1000 $kernel_args"
if [ "$debug" = debug ]; then
	kernel=$built/debug/vmlinux
	kernel_args="panic_on_warn=1 preempt=full page_poison=1 slub_debug=FZP $kernel_args"
fi
# As slow as lib.sh takes it to be.
case $debug in
debug) silence=$((3 * silence)) limit=${limit:-10800} ;;
kasan | kcsan) silence=$((4 * silence)) limit=${limit:-21600} ;;
esac
limit=${limit:-3600}

# Built for the kernel of the image, which need not be the one that runs here.
build_module() {
	local log=$built/module.log
	module=$top/xen-blkback.ko
	make -C "$top" KVER="$(cat "$built/kernel-release")" >"$log" 2>&1 || { cat "$log"; exit 1; }
}

# From a copy, so that what is built in the tree stays as it is.
build_debug_module() {
	local copy=$built/debug-module/$name log=$built/debug-module/$name.log
	module=$copy/xen-blkback.ko
	rm -rf "$copy"
	mkdir -p "$copy"
	cp -r "$top"/{Makefile,Kbuild,dkms.conf,compat} "$top"/*.[ch] "$copy"
	# Which of its lines are run is counted, for all hosts together: see coverage.sh.
	[ "$debug" != debug ] || printf '%s\n' 'GCOV_PROFILE := y' 'ccflags-y += -frandom-seed=coverage' >>"$copy/Kbuild"
	make -C "$copy" KDIR="$built/$debug/tree" UBSAN_SANITIZE=y >"$log" 2>&1 || { cat "$log"; exit 1; }
	# Who does not tell KCSAN what is read has no races.
	[ "$debug" != kcsan ] || [ "$(nm -u "$module" | grep -c __tsan_read)" -gt 0 ] || { echo "$module is not for KCSAN"; exit 1; }
}

prepare_job() {
	rm -rf "$run"
	mkdir -p "$run/job" "$run/tmp" ${profile:+"$run/profile"}
	cp -r "$here/.." "$run/job/tests"
	cp -r "$top/tools" "$run/job/"
	cp "$top"/docs/{protocol,sysfs}.md "$run/job/"
	[ "$module" = stock ] || cp "$module" "$run/job/xen-blkback.ko"
	cp "$built/${debug:+$debug-}erasable.ko" "$run/job/erasable.ko"
	printf '%s\n' "$*" >"$run/job/command"
	: >"$run/verdict"
	truncate -s 8G "$run/data.img"
	truncate -s 2G "$run/nvme.img"
}

# Emulated hosts that share a CPU starve each other: xl then runs into its time limits. So each takes
# as many of the machine's CPUs as it emulates, for itself; QEMU inherits the locks.
take_cpus() {
	local cpu fd held=() wanted=$((cpus < $(nproc) ? cpus : $(nproc)))
	for ((cpu = 0; cpu < $(nproc) && ${#held[@]} < wanted; cpu++)); do
		exec {fd}>"/tmp/xen-testbed.lock${cpu#0}"
		if flock -n "$fd"; then held+=("$fd"); else exec {fd}>&-; fi
	done
	[ ${#held[@]} -lt "$wanted" ] || return 0
	for fd in "${held[@]}"; do exec {fd}>&-; done
	return 1
}

take_turn() {
	if ! take_cpus; then
		say "host $name: waiting for another emulated host"
		until take_cpus; do
			sleep 1
		done
	fi
	SECONDS=0
}

# No +rdtscp, no AVX, no SMAP: what QEMU's emulation and Xen disagree about is left out.
qemu_machine() {
	local threads=(multi)
	# Virtual time is the number of instructions; while all is idle, the next timer is there at once.
	[ -z "$bench" ] || threads=(single -icount "shift=0,sleep=off")
	echo -machine q35 -accel "tcg,thread=${threads[*]}" -cpu Opteron_G3,+svm,+npt,-rdtscp \
		-smp "$cpus" -m 3072 -nodefaults -no-reboot -display none -monitor none
}

start_qemu() {
	local disk=if=none,format=raw,cache=unsafe,discard=unmap machine more=()
	[ -z "$debug" ] || more=(
		-drive "$disk,id=modules,snapshot=on,file=$built/$debug/modules.img"
		-device "virtio-blk-pci,drive=modules")
	[ -z "$queue" ] || more+=(
		-fsdev "local,id=queue,path=$queue,security_model=none"
		-device "virtio-9p-pci,fsdev=queue,mount_tag=queue")
	[ -z "$profile" ] || more+=(-plugin "$built/count.so,out=$run/profile")
	read -ra machine < <(qemu_machine)
	TMPDIR=$run/tmp qemu-system-x86_64 "${machine[@]}" \
		-serial "file:$run/console.log" \
		-kernel "$built/xen" \
		-append "console=com1 com1=115200 loglvl=all guest_loglvl=all conring_size=1m dom0_mem=1024M,max:1024M dom0_max_vcpus=$cpus" \
		-initrd "$kernel console=hvc0 loglevel=5 rcupdate.rcu_cpu_stall_timeout=120 $kernel_args,$built/early.cpio" \
		-drive "$disk,id=root,snapshot=on,file=$built/root.img" -device virtio-blk-pci,drive=root \
		-drive "$disk,id=guest,snapshot=on,file=$built/guest.img" -device virtio-blk-pci,drive=guest \
		-drive "$disk,id=data,file=$run/data.img" -device virtio-blk-pci,drive=data \
		-drive "$disk,id=storage,snapshot=on,file=$built/root.img" -device virtio-blk-pci,drive=storage \
		-drive "$disk,id=nvme,file=$run/nvme.img" -device nvme,drive=nvme,serial=testbed \
		-drive "$disk,id=cdrom,readonly=on,file=$built/early.cpio" -device ide-cd,bus=ide.0,drive=cdrom \
		-device ide-cd,bus=ide.1 \
		"${more[@]}" \
		-fsdev "local,id=job,path=$run/job,security_model=none" \
		-device virtio-9p-pci,fsdev=job,mount_tag=job \
		-chardev "file,id=verdict,path=$run/verdict" -device virtio-serial-pci \
		-device virtserialport,chardev=verdict,name=verdict \
		>"$run/qemu.log" 2>&1 </dev/null &
	qemu_pid=$!
}

stop_qemu() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || :
	rm -rf "$run/tmp" "$run/data.img" "$run/nvme.img"
}

progress() {
	cat "$run/verdict" "$run/console.log" "$run"/job/{consoles,output}/*.log 2>/dev/null | wc -c || :
}

# Ends the host when it has said nothing for long on any of its channels, or at the hard limit.
watch_qemu() {
	local seen='' now last=$SECONDS
	while kill -0 "$qemu_pid" 2>/dev/null; do
		now=$(progress)
		[ "$now" = "$seen" ] || last=$SECONDS
		seen=$now
		if [ $((SECONDS - last)) -ge "$silence" ] || [ "$SECONDS" -ge "$limit" ]; then
			say "the host is silent since $((SECONDS - last)) s, running since $SECONDS s: ended"
			kill "$qemu_pid"
			break
		fi
		sleep 1
	done
	wait "$qemu_pid" || say "qemu ended with status $?; see $run/qemu.log"
	qemu_pid=''
}

# Without its last line the verdict is worth nothing: whatever ran last has taken the host down.
verdict() {
	local status
	status=$(sed -n 's/^end of job: //p' "$run/verdict" | tail -n 1)
	if [ -z "$status" ]; then
		say "last lines of the host's console:"
		tail -n 25 "$run/console.log" | tr -d '\r' | sed 's/^/#   /'
		echo "not ok - host $name: ended without a verdict # ERROR"
		return 70
	fi
	return "$status"
}

main() {
	local status=0 follower
	"$here/build.sh" ${debug:+"$debug"}
	# Not while another host builds or copies it.
	exec 9>"$built/.module.lock"
	flock 9
	[ -n "$module" ] || "build_${debug:+debug_}module"
	prepare_job "$@"
	exec 9>&-
	take_turn
	say "host $name: booting; its files are in ${run#"$top"/}"
	trap stop_qemu EXIT
	trap 'exit 130' INT TERM
	start_qemu
	tail -n +1 -f --pid="$qemu_pid" "$run/verdict" | grep -v --line-buffered '^end of job: ' &
	follower=$!
	watch_qemu
	wait "$follower" || :
	verdict || status=$?
	"$here/scan.sh" "$name" "$run" || [ "$status" -ne 0 ] || status=1
	say "host $name: $SECONDS s"
	return "$status"
}

main "$@"
