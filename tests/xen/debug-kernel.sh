#!/bin/bash
# Builds a debug kernel, for dom0 or a storage domain: Debian's source, with a configuration of our own.
#
#   debug-kernel.sh FOLDER CONFIG...
#
# Of what CONFIGs say about the same option the last word counts. FOLDER is made and then has:
#   vmlinux       the kernel              tree     what modules are built against
#   modules.img   its modules, and        config   what the CONFIGs have come to
#                 vmlinux, as ext4
#
# The source is unpacked beside FOLDER and goes again: ten minutes, and 3 GB meanwhile.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$1
configs=("${@:2}")
source=$out.source
log=$out.log

# shellcheck source=tests/lib/packages.sh
. "$here/../lib/packages.sh"

unpack() {
	mkdir "$source"
	tar -xf /usr/src/linux-source-6.1.tar.xz -C "$source" --strip-components=1
}

# changed FILE TIMES PATTERN: so often it is there now. Another source may want other changes.
changed() {
	[ "$(grep -cF -- "$3" "$1")" = "$2" ] || { say "$1 of this source could not be changed: '$3'"; return 1; }
}

# 6.1 cannot yet do what the cases want and later kernels can: fail the n-th allocation of those
# whose stack has our module in it. It looks at the stack last, when all other allocations have been
# counted; it has doubts about stacks on x86, which frame pointers dispel; and it never starts to
# count anew.
adapt_fault_injection() {
	cd "$source/lib"
	sed -i '/^config FAULT_INJECTION_STACKTRACE_FILTER/,/help/ { /depends on !X86_64/d }' Kconfig.debug
	sed -i -e 's/^\tif (atomic_read(&attr->space) > size) {/\tif (!fail_stacktrace(attr))\n\t\treturn false;\n&/' \
		-e 's/^\t\(debugfs_create_ul\)("interval", mode, dir, &attr->interval);/&\n\t\1("count", mode, dir, \&attr->count);/' \
		fault-inject.c
	changed fault-inject.c 2 '!fail_stacktrace(attr)'
	changed fault-inject.c 1 '"count"'
}

# gntdev touches user memory with its lock held, and takes its lock when user memory is mapped. That is
# not ours to mend, and lockdep, which says no more after what it finds first, must not end with it.
adapt_gntdev() {
	cd "$source/drivers/xen"
	sed -i 's/^\tmutex_init(&priv->lock);/&\n\tlockdep_set_novalidate_class(\&priv->lock);/' gntdev.c
	changed gntdev.c 1 'lockdep_set_novalidate_class(&priv->lock)'
}

# leave_out FOLDER OBJECT...: of what KASAN and KCSAN check.
leave_out() {
	local object
	for object in "${@:2}"; do
		sed -i "1a KASAN_SANITIZE_$object := n\nKCSAN_SANITIZE_$object := n" "$1/Makefile"
	done
}

# What runs in a PVH guest before KASAN's shadow is there, or KCSAN's own data, must not look at it.
adapt_early_code() {
	cd "$source"
	sed -i '1a KASAN_SANITIZE := n\nKCSAN_SANITIZE := n' arch/x86/platform/pvh/Makefile
	leave_out arch/x86/xen enlighten.o enlighten_pvh.o
	leave_out lib string.o
}

# Prints what to ask for.
wanted() {
	awk 'match($0, /CONFIG_[A-Z0-9_]+/) && /^(CONFIG|# CONFIG.* is not set)/ {
		name = substr($0, RSTART, RLENGTH)
		if (!(name in line)) order[++count] = name
		line[name] = $0
	}
	END { for (i = 1; i <= count; i++) print line[order[i]] }' "${configs[@]}"
}

# An option may have been renamed, or want another one: what was asked for must have come out.
configure() {
	local line
	cd "$source"
	wanted >"$source.config"
	make -s KCONFIG_ALLCONFIG="$source.config" allnoconfig >"$log" 2>&1 ||
		{ tail -n 20 "$log"; return 1; }
	while read -r line; do
		case $line in
		CONFIG*) grep -qxF "$line" .config ;;
		*) ! grep -q "^$(awk '{ print $2 }' <<<"$line")=" .config ;;
		esac || { say "not taken: $line"; return 1; }
	done <"$source.config"
}

# One line a minute shows that it goes on.
compile() {
	cd "$source"
	make -j"$(nproc)" vmlinux modules 2>&1 | tee "$log" |
		awk '/^  (CC|AS|LD|AR) / { count++ }
			/^  CC / && systime() >= next_time { if (next_time) print "# " count " files"; fflush(); next_time = systime() + 60 }' ||
		{ grep -B 5 -A 20 -m 1 -i 'error:' "$log" || tail -n 20 "$log"; return 1; }
}

# Not all of the tree: modules need headers, scripts and what was generated.
keep() {
	local release kept=(Makefile .config Module.symvers include scripts arch/x86)
	cd "$source"
	release=$(cat include/config/kernel.release)
	mkdir -p "$out/tree"
	strip -o "$out/vmlinux" vmlinux
	cp .config "$out/config"
	make -s INSTALL_MOD_PATH="$source/installed" modules_install >>"$log" 2>&1
	rm -f "installed/lib/modules/$release"/{build,source}
	ln "$out/vmlinux" installed/lib/modules/
	mke2fs -qF -t ext4 -O ^has_journal -m 0 -d installed/lib/modules "$out/modules.img" 256M >/dev/null
	find arch/x86 scripts -name '*.o' -delete
	[ ! -e tools/objtool/objtool ] || kept+=(tools/objtool/objtool)
	cp -a --parents "${kept[@]}" "$out/tree/"
}

rm -rf "$out" "$source" "$source.config"
mkdir -p "$out"
trap 'rm -rf "$source" "$source.config"' EXIT
timed "unpacking the kernel's source" unpack
adapt_fault_injection
adapt_gntdev
adapt_early_code
configure
timed "compiling the kernel" compile
timed "keeping what is needed of the kernel" keep
rm -f "$log"
