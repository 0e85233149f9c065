# SPDX-License-Identifier: GPL-2.0-only
#
#   make              build xen-blkback.ko
#   make check        everything but single attacks, a real Xen host included
#   make check-hostile  attacks of hostile guests
#   make check-debug  the cases and the attacks again, with every check that a kernel can do on itself
#   make check-kasan  the attacks, and some cases, in a driver domain with KASAN
#   make check-kcsan  attacks that are races, in a driver domain that looks for data races
#   make check-modes  the cases with each way that data may take, which is thrice
#   make check-stock  the cases and the attacks with the in-tree module: what fails tells the two apart
#   make fuzz         hostile guests made up by two fuzzers, for MINUTES= (30) each
#   make stress       disks, guests and the module come and go, for MINUTES= (10)
#   make bench        what I/O costs with this module and with the in-tree one; QUICK=1 for a part
#   make profile      which functions the instructions go to; ROWS=, MODULES=, PERSISTENT=
#   make bench-update make the last result of it the one in docs/, and what make check compares with
#   make demo         watch a guest get a disk from it
#   make install      put it before the in-tree module of the kernel built for, and install-tools
#   make install-tools  blkback-top and its manual, into PREFIX= (/usr/local); DESTDIR= is put before that
#   make dkms-install have DKMS build and install it for every kernel
#
# The kernel to build for is the one that runs here if its headers are
# installed, or else the newest whose headers are; KVER= or KDIR= say otherwise.
headers := $(shell printf '%s\n' $(patsubst /lib/modules/%/build/Makefile,%, \
	     $(wildcard /lib/modules/*/build/Makefile)) | sort -V)
KVER ?= $(or $(filter $(shell uname -r),$(headers)),$(lastword $(headers)))
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local

version := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
sources := $(filter-out %.mod.c,$(wildcard *.c *.h))
dkms-dir := $(DESTDIR)/usr/src/xen-blkback-$(version)

module: need-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

need-headers:
	@test -e $(KDIR)/Makefile || { \
	  echo "No kernel headers in $(KDIR): apt install linux-headers-amd64, or say KVER= or KDIR=" >&2; \
	  exit 1; }

check:
	@tests/check.sh

check-debug check-hostile check-kasan check-kcsan check-modes check-stock:
	@tests/check.sh $(@:check-%=%)

fuzz stress:
	@MINUTES=$(MINUTES) tests/check.sh $@

bench:
	@QUICK=$(QUICK) tests/bench/bench.sh run

# A comma within $(or ...) would part its arguments.
both := stock,ours

profile:
	@tests/bench/profile/profile.sh "$(or $(MODULES),$(both))" "$(or $(PERSISTENT),N)" \
	  "$(or $(ROWS),4k-randread-qd32)"

bench-update:
	@tests/bench/bench.sh update

demo:
	@tests/demo.sh

install: module install-tools
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates \
	  CONFIG_MODULE_SIG_ALL= modules_install
	depmod $(KVER)
	@test $(KVER) = $$(uname -r) || \
	  echo "Installed for kernel $(KVER); the one that runs here is $$(uname -r)."

install-tools:
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 tools/blkback-top $(DESTDIR)$(PREFIX)/sbin
	install -m 644 tools/blkback-top.8 $(DESTDIR)$(PREFIX)/share/man/man8

dkms-install:
	install -d $(dkms-dir)/compat/probes
	install -m 644 Makefile Kbuild dkms.conf LICENSE $(sources) $(dkms-dir)
	install -m 644 compat/*.h $(dkms-dir)/compat
	install -m 644 compat/probes/*.c $(dkms-dir)/compat/probes
	if [ -n "$$(dkms status -m xen-blkback -v $(version) -k $(KVER))" ]; then \
	  dkms remove -m xen-blkback -v $(version) -k $(KVER); \
	fi
	dkms install -m xen-blkback -v $(version) -k $(KVER)

clean: need-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

# The testbed's images too, which take minutes to build again.
distclean: clean
	rm -rf build

.PHONY: module need-headers check check-debug check-hostile check-kasan check-kcsan check-modes check-stock fuzz stress bench profile bench-update demo install install-tools dkms-install clean distclean
