#!/bin/sh
# First process of a guest: loads the frontend, then runs the commands that dom0 sends.

# The kernel's command line carries parameters for the frontend: frontend.max_queues=4 and so on.
frontend_parameters() {
	frontend=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^frontend\.//p')
}

set_up() {
	/bin/busybox mkdir -p /usr/sbin /sbin
	/bin/busybox --install -s /bin
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mount -t tmpfs tmpfs /tmp
	ln -s /proc/self/fd /dev/fd
	ln -s /proc/self/mounts /etc/mtab
	# What the kernel calls when the tool stack asks for a shutdown or a reboot.
	for action in poweroff reboot; do
		printf '#!/bin/sh\nexec /bin/busybox %s -f\n' "$action" >"/sbin/$action"
		chmod 755 "/sbin/$action"
	done
	frontend_parameters
	while read -r module; do
		case $module in
		*/xen-blkfront.ko) # shellcheck disable=SC2086 # a list of words
			insmod "$module" $frontend ;;
		*) insmod "$module" ;;
		esac
	done </modules
	dmesg -n 7
}

set_up
exec /usr/bin/remote serve
