#!/bin/bash
# Builds all that an emulated Xen host consists of, from Debian packages alone, under build/xen/:
#
#   root.tar         dom0's root                   root.img   the same as an ext4 image
#   kernel-release   which kernel it has           vmlinux    that kernel, unpacked; also the guests'
#   xen              the hypervisor, unpacked      early.cpio the initramfs that finds root.img
#   remote           runs commands in guests       guest.cpio all that a guest consists of
#   frontend         the test frontend             replay-log what a disk has kept
#   meter            what a domain costs           tally      counts hypercalls
#   connect          how long connecting takes     erasable.ko a disk that can erase, for dom0
#   count.so         has QEMU count by place       guest.img  what dom0 has of these, and vmlinux
#   oddgrants.ko     strange grants, for a guest   nodes      changes xenstore
#
# 'build.sh debug' builds two more, for a dom0 that looks after itself:
#
#   debug            the debug kernel              debug-erasable.ko  the disk, for that kernel
#
# and 'build.sh kasan' and 'build.sh kcsan' the same for a storage domain: kasan and kasan-erasable.ko, and so on.
#
# Nothing that is booted is compressed: unpacking is quick here and slow under emulation.
# Each artifact is rebuilt when the function that makes it or one of its inputs changes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build/xen
root=$out/.root
libraries=usr/lib/x86_64-linux-gnu

# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"

# artifact NAME FUNCTION INPUT...: has FUNCTION make NAME, unless it is there and up to date.
artifact() {
	local name=$1 function=$2 stamp
	shift 2
	stamp=$({ declare -f "$function"; cat "$@"; } | sha256sum)
	if [ -e "$out/$name" ] && [ "$(head -n 1 "$out/.$name.stamp" 2>/dev/null)" = "$stamp" ]; then
		return
	fi
	rm -rf "$out/.$name.stamp" "${out:?}/$name.new"
	case $name in root.tar | remote | nodes | frontend | replay-log | meter | tally | connect | count.so | debug | kasan | kcsan | *.ko) ;; *) unpack_root ;; esac
	timed "building $name" "$function" "$out/$name.new"
	rm -rf "${out:?}/$name"
	mv "$out/$name.new" "$out/$name"
	# The second line makes every build different for those artifacts that have this as an input.
	printf '%s\n' "$stamp" "$(cat /proc/sys/kernel/random/uuid)" >"$out/.$name.stamp"
}

# The machine's own apt sources for its own release; others may be configured for other things.
debian_sources() {
	local codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	grep -lsE "^[^#]*(^|[[:space:]])$codename([[:space:]-]|\$)" \
		/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
}

# The root is kept as an archive: the kernel's 'make clean' deletes every module in any folder below
# that of an external module. What is made from it needs it as a folder, for a moment.
unpack_root() {
	[ -d "$root" ] || timed "unpacking root.tar" unpack_root_to "$root"
}

unpack_root_to() {
	rm -rf "$1.new"
	mkdir "$1.new"
	tar -xf "$out/root.tar" -C "$1.new"
	mv "$1.new" "$1"
}

make_root() {
	local sources
	mapfile -t sources < <(debian_sources)
	[ ${#sources[@]} -gt 0 ] || { say "no apt sources found for this release of Debian"; return 1; }
	# INITRD=No: dom0 boots from an initramfs of our own.
	INITRD=No mmdebstrap --quiet --mode=root --format=tar --variant=minbase \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(paste -sd, "$here/packages.list")" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$1" "${sources[@]}"
}

make_kernel_release() {
	ls "$root/lib/modules" >"$1"
}

make_xen() {
	gzip -dc "$root"/boot/xen-*.gz >"$1"
}

# le SIZE OFFSET FILE: the little-endian number of SIZE bytes there.
le() {
	od -An -t "u$1" -j "$2" -N "$1" "$3" | tr -d ' '
}

# The boot protocol's header says where in a bzImage the packed kernel lies; Debian packs with xz.
make_vmlinux() {
	local image=$root/boot/vmlinuz-$release start size
	start=$((($(le 1 0x1f1 "$image") + 1) * 512 + $(le 4 0x248 "$image")))
	# The last four bytes are the unpacked size.
	size=$(($(le 4 0x24c "$image") - 4))
	dd if="$image" bs=1M iflag=skip_bytes,count_bytes skip="$start" count="$size" status=none |
		xz -dc >"$1"
}

make_root_img() {
	mke2fs -qF -t ext4 -d "$root" "$1" 2G >/dev/null
}

# put_modules TREE LIST MODULE...: the modules and what they depend on, with their order in TREE/LIST.
# The emulated CPU has no use for crc32c-intel.
put_modules() {
	local tree=$1 list=$1/$2 module
	shift 2
	for module; do
		chroot "$root" modprobe -S "$release" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | grep -v crc32c-intel >"$list"
	(cd "$root" && sed 's,^/,,' "$list" | xargs cp --parents -t "$tree")
}

# put_needs TREE FILE: the libraries that FILE loads, and those that they load.
put_needs() {
	local tree=$1 need
	readelf -d "$2" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r need; do
		[ ! -e "$tree/$libraries/$need" ] || continue
		cp -L "$root/$libraries/$need" "$tree/$libraries/"
		put_needs "$tree" "$root/$libraries/$need"
	done
}

put_programs() {
	local tree=$1 program file
	shift
	mkdir -p "$tree/lib64"
	cp -L "$root/lib64/ld-linux-x86-64.so.2" "$tree/lib64/"
	for program; do
		file=$(chroot "$root" /bin/sh -c "command -v $program")
		cp -L "$root$file" "$tree/usr/bin/"
		put_needs "$tree" "$root$file"
	done
}

# put_stub TREE PROGRAM LIBRARY: a library that has just the symbols PROGRAM wants, all without use.
put_stub() {
	local tree=$1 program=$2 library=$3 work=$1/stub
	mkdir -p "$work"
	comm -12 <(nm -D --undefined-only "$program" | awk '{ print $2 }' | sort) \
		<(nm -D --defined-only "$root/$libraries/$library" | awk '{ print $3 }' | sed s/@@/@/ | sort) \
		>"$work/symbols"
	awk -F@ '{ print "void " $1 "(void) { __builtin_trap(); }" }' "$work/symbols" >"$work/stub.c"
	awk -F@ '$2 { names[$2] = names[$2] $1 "; " }
		END { for (v in names) print v " { " names[v] "};" }' "$work/symbols" >"$work/versions"
	[ -s "$work/versions" ] || echo '{ *; };' >"$work/versions"
	gcc -shared -fPIC -nostdlib -w -o "$tree/$libraries/$library" "$work/stub.c" \
		"-Wl,-soname,$library,--version-script=$work/versions"
	rm -rf "$work"
}

# new_tree TREE INIT: what both initramfs start from.
new_tree() {
	mkdir -p "$1"/{bin,dev,proc,sys,run,tmp,mnt,etc,usr/bin,"$libraries"}
	ln -s usr/lib "$1/lib"
	cp "$root/bin/busybox" "$1/bin/"
	ln -s busybox "$1/bin/sh"
	cp "$2" "$1/init"
	chmod 755 "$1/init"
}

pack_tree() {
	(cd "$1" && find . -print0 | cpio --null --quiet -o -H newc) >"$2"
	rm -rf "$1"
}

# Of dom0, whose disks are QEMU's, and of a storage domain, whose disks are dom0's.
make_early_cpio() {
	local tree=$1.tree
	rm -rf "$tree"
	new_tree "$tree" "$here/early.sh"
	put_modules "$tree" "modules-$release" virtio_pci virtio_blk xen-blkfront ext4 crc32c_generic 9p 9pnet_virtio
	pack_tree "$tree" "$1"
}

make_debug() {
	"$here/debug-kernel.sh" "$1" "$here/debug.config"
}

make_kasan() {
	"$here/debug-kernel.sh" "$1" "$here/debug.config" "$here/kasan.config"
}

make_kcsan() {
	"$here/debug-kernel.sh" "$1" "$here"/{debug,kasan,kcsan}.config
}

make_guest_cpio() {
	local tree=$1.tree library
	rm -rf "$tree"
	new_tree "$tree" "$here/guest-init.sh"
	cp "$out/remote" "$out/frontend" "$tree/usr/bin/"
	cp "$out/oddgrants.ko" "$tree/"
	put_needs "$tree" "$out/remote"
	put_needs "$tree" "$out/frontend"
	put_modules "$tree" modules xen-blkfront ext4 crc32c_generic
	# Not loaded until somebody wants the test frontend.
	put_modules "$tree" modules.frontend xen-gntalloc xen-evtchn
	# fio's engines for network storage want 80 MB of libraries that nobody here uses. They would
	# double the time a guest takes to boot and make every start of fio last for seconds.
	for library in libgfapi.so.0 libnbd.so.0 libibverbs.so.1 librdmacm.so.1 librados.so.2 \
		librbd.so.1 libpmemblk.so.1 libpmem.so.1; do
		put_stub "$tree" "$root/usr/bin/fio" "$library"
	done
	put_programs "$tree" fio mkfs.ext4 blkdiscard blockdev dd cmp sha256sum \
		xenstore-read xenstore-write xenstore-watch
	pack_tree "$tree" "$1"
}

# Not linked statically: only the shared libxenstore can do anything else while a watch is set.
make_remote() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/remote.c" -lxenstore
}

make_nodes() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/nodes.c" -lxenstore
}

make_frontend() {
	gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -o "$1" "$here"/../frontend/*.c -lxenstore -lxenevtchn
}

make_replay_log() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/replay-log.c"
}

make_meter() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/../bench/meter.c" -lxenctrl
}

# make_module FILE NAME TREE: of NAME.c, built against that kernel's tree.
make_module() {
	local work=$1.work
	rm -rf "$work"
	mkdir "$work"
	cp "$here/$2.c" "$work/"
	echo "obj-m := $2.o" >"$work/Kbuild"
	make -C "$3" M="$work" modules >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
	mv "$work/$2.ko" "$1"
	rm -rf "$work"
}

make_erasable() { make_module "$1" erasable "/lib/modules/$release/build"; }

make_debug_erasable() { make_module "$1" erasable "$out/debug/tree"; }

make_kasan_erasable() { make_module "$1" erasable "$out/kasan/tree"; }

make_kcsan_erasable() { make_module "$1" erasable "$out/kcsan/tree"; }

make_oddgrants() { make_module "$1" oddgrants "/lib/modules/$release/build"; }

make_tally() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/../bench/tally.c"
}

make_connect() {
	gcc -O2 -Wall -Wextra -Werror -o "$1" "$here/../bench/connect.c" -lxenstore
}

make_count_so() {
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -o "$1" \
		"$here/../bench/profile/count.c"
}

make_guest_img() {
	mkdir -p "$1.tree"
	ln -f "$out"/{vmlinux,early.cpio,guest.cpio,remote,nodes,replay-log,meter,tally,connect} "$1.tree/"
	mke2fs -qF -t ext4 -O ^has_journal -m 0 -d "$1.tree" "$1" 128M >/dev/null
	rm -rf "$1.tree"
}

# The module has to be built for the kernel that dom0 runs. If the headers of that kernel are no
# longer to be had, the root is older than the archive, and only a new one helps.
kernel_headers() {
	need_packages "linux-headers-$release" && return
	say "no headers for the kernel in root.tar any more: building a new one"
	rm -rf "$out/.root.tar.stamp" "$root"
	build_kernel
	need_packages "linux-headers-$release"
}

build_kernel() {
	artifact root.tar make_root "$here/packages.list"
	artifact kernel-release make_kernel_release "$out/.root.tar.stamp"
	release=$(cat "$out/kernel-release")
}

build_all() {
	need_packages mmdebstrap qemu-system-x86 cpio xz-utils e2fsprogs gcc make libc6-dev libxen-dev
	build_kernel
	kernel_headers
	artifact xen make_xen "$out/.root.tar.stamp"
	artifact vmlinux make_vmlinux "$out/.root.tar.stamp"
	artifact root.img make_root_img "$out/.root.tar.stamp"
	artifact remote make_remote "$here/remote.c"
	artifact nodes make_nodes "$here/nodes.c"
	artifact frontend make_frontend "$here"/../frontend/*.[ch] "$here/../../blkif.h"
	artifact replay-log make_replay_log "$here/replay-log.c"
	artifact meter make_meter "$here/../bench/meter.c"
	artifact tally make_tally "$here/../bench/tally.c"
	artifact connect make_connect "$here/../bench/connect.c"
	artifact count.so make_count_so "$here"/../bench/profile/{count.c,qemu.h}
	artifact oddgrants.ko make_oddgrants "$out/.root.tar.stamp" "$here/oddgrants.c"
	artifact early.cpio make_early_cpio "$out/.root.tar.stamp" "$here/build.sh" "$here/early.sh"
	artifact guest.cpio make_guest_cpio "$out/.root.tar.stamp" "$here/build.sh" \
		"$here/guest-init.sh" "$out/.remote.stamp" "$out/.frontend.stamp" "$out/.oddgrants.ko.stamp"
	artifact guest.img make_guest_img "$out/.vmlinux.stamp" "$out/.early.cpio.stamp" "$out/.guest.cpio.stamp" \
		"$out/.nodes.stamp" "$out/.replay-log.stamp" "$out/.meter.stamp" "$out/.tally.stamp" "$out/.connect.stamp"
	artifact erasable.ko make_erasable "$out/.root.tar.stamp" "$here/erasable.c"
}

# build_debug KIND CONFIG...: packages first, as one of them is an input, so a new source makes a new kernel.
build_debug() {
	need_packages linux-source-6.1 flex bison bc kmod libelf-dev libssl-dev xz-utils
	artifact "$1" "make_$1" "$here/debug-kernel.sh" "${@:2}" /usr/src/linux-source-6.1.tar.xz
	artifact "$1-erasable.ko" "make_$1_erasable" "$out/.$1.stamp" "$here/erasable.c"
}

mkdir -p "$out"
# Only one build at a time: a second one waits and then finds everything done.
exec 9>"$out/.lock"
flock 9
trap 'rm -rf "$root" "$root.new"' EXIT
build_all
case ${1-} in
debug) build_debug debug "$here/debug.config" ;;
kasan) build_debug kasan "$here"/{debug,kasan}.config ;;
kcsan) build_debug kcsan "$here"/{debug,kasan,kcsan}.config ;;
esac
