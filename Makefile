# SPDX-License-Identifier: GPL-2.0-only
# The kernel to build for: the one that runs here if its headers are installed,
# or else the newest whose headers are.
headers := $(sort $(patsubst /lib/modules/%/build/Makefile,%, \
	     $(wildcard /lib/modules/*/build/Makefile)))
KVER ?= $(or $(filter $(shell uname -r),$(headers)),$(lastword $(headers)))
KDIR ?= /lib/modules/$(KVER)/build

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build
