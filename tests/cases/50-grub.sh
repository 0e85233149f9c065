#!/bin/bash
# PV GRUB boots a kernel from a disk with a frontend of its own, and Linux takes the disk over from it

# Debian's, whatever dom0 runs.
kernel=$(compgen -G '/boot/vmlinuz-*')
disk=$(volume boot 64)
# GRUB is slow: it reads a page at a time. What it does not know about ext4 is left out.
mke2fs -qF -t ext4 -b 4096 -O ^has_journal,^metadata_csum "$disk"
mkdir -p /tmp/boot
mount "$disk" /tmp/boot
mkdir -p /tmp/boot/boot/grub
cp "$kernel" /tmp/boot/kernel
gzip -1 </guest/guest.cpio >/tmp/boot/initramfs
cat >/tmp/boot/boot/grub/grub.cfg <<-CONFIG
	linux /kernel console=hvc0 loglevel=5 rcupdate.rcu_cpu_stall_timeout=120
	initrd /initramfs
	boot
CONFIG
sectors=$(($(cat /tmp/boot/kernel /tmp/boot/initramfs | wc -c) / 512))
sums=$(cd /tmp/boot && sha256sum kernel initramfs)
umount /tmp/boot

guest_create grub "kernel='/usr/lib/grub-xen/grub-x86_64-xen.bin'" "ramdisk=''" "extra=''" \
	"memory=256" "vcpus=1" "disk=['phy:$disk,xvda,w']" || error "xl create failed"
stat=$(backend_sysfs grub xvda)/statistics
read_by_grub() { [ "$(cat "$stat/rd_req")" -gt 0 ]; }
wait_until 60 "GRUB is connected" backend_state_is grub xvda 4
wait_until 60 "GRUB reads" read_by_grub
expect "what Linux says while GRUB reads" "" "$(xs_read "$(guest_path grub)/data/reply")"
guest_wait grub

by_linux=$(guest_run grub awk "'{ print \$3 }'" /sys/block/xvda/stat)
by_both=$(cat "$stat/rd_sect")
note "sectors read: $by_both, by Linux itself $by_linux; kernel and initramfs have $sectors"
[ $((by_both - by_linux)) -ge "$sectors" ] || fail "GRUB read $((by_both - by_linux)) sectors, the kernel and its initramfs have $sectors"
pass "GRUB has read a kernel and its initramfs, and they run"

expect "checksums of what GRUB has read" "$sums" \
	"$(guest_run grub 'mount -t ext4 /dev/xvda /mnt && cd /mnt && sha256sum kernel initramfs')"
guest_io grub 'cp /mnt/kernel /mnt/copy && umount /mnt'
detach grub xvda
mount -o ro "$disk" /tmp/boot
cmp "$kernel" /tmp/boot/copy || fail "what Linux has written is not on the disk"
umount /tmp/boot
pass "Linux reads and writes the disk after GRUB"
