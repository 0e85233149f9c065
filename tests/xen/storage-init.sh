#!/bin/bash
# Second stage of the first process of a storage domain: has disks served to other guests, as docs/driver-domain.md
# says, and then runs the commands that dom0 sends.

# shellcheck source=tests/xen/system.sh
. /job/tests/xen/system.sh

set_up_system storage
set_up_kernel
# Cases call their disk as they do in dom0.
ln -s xvdc /dev/vdc
modprobe -a xen-evtchn xen-gntdev xen-privcmd loop
mount -t xenfs xenfs /proc/xen
mkdir -p /run/xen /run/testbed /var/log/xen
xl devd
exec /guest/remote serve
