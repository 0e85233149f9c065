# shellcheck shell=bash
# A driver domain, the guest 'storage', which serves disks to other guests: docs/driver-domain.md.

# own_disk DEVICE NAME MODE: one of its own, as xl describes it. Scripts of so many at a time may take dom0 too long.
own_disk() { echo "'phy:$1,$2,$3,script=block-quick'"; }

# storage_start DISK [CFG_LINE...]: boots it. Its root is like dom0's, on a disk that dom0 serves, with the module and tests/ in
# /job; DISK is its /dev/vdc. It has as many CPUs as the host, and takes commands as any guest. The kernel is the one that the
# module is built for.
storage_start() {
	local kernel=/guest/vmlinux args='' disks
	disks="$(own_disk /dev/vdd xvda w), $(own_disk /dev/vdb xvdb r), $(own_disk "$1" xvdc w)"
	if [ -b /dev/vde ]; then
		kernel=/kernel/vmlinux args='panic_on_warn=1 preempt=full kmemleak=off'
		# Data races of the kernel's own are warnings, too.
		! compgen -G '/kernel/*-kcsan' >/dev/null || args='panic_on_warn=0 preempt=full'
		disks+=", $(own_disk /dev/vde xvde r)"
	fi
	# Another driver domain may have had it, and be about to let go of it.
	within 60 wipefs -q -a "$1" || error "$1 is not free for a driver domain"
	mount -o noatime /dev/vdd /mnt
	mkdir -p /mnt/job
	cp -r /job/tests /job/*.ko /mnt/job/
	cp /job/tests/xen/block-quick /mnt/etc/xen/scripts/
	umount /mnt
	cp /job/tests/xen/block-quick /etc/xen/scripts/
	FRONTEND=$args guest_start storage "type='pvh'" "driver_domain=1" "kernel='$kernel'" "ramdisk='/guest/early.cpio'" \
		"memory=700" "vcpus=$(nproc)" "disk=[$disks]" "${@:2}"
	# Whoever waits for it must not keep it waiting.
	xl sched-credit2 -d storage -w 1024
}
