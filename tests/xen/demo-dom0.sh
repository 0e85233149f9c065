#!/bin/bash
# The part of 'make demo' that runs in dom0: prints a page to read. Fails at the first thing that is
# not as it should be.
set -Eeuo pipefail

exec 3>&1
CASE=demo
# shellcheck source=tests/cases/lib.sh
. /job/tests/cases/lib.sh
mkdir -p "$state"
trap 'on_error $?' ERR
trap '[ $? -eq 0 ] || cat "$state/verdict"' EXIT

title() { printf '\n== %s\n' "$*"; }
show() { sed 's/^/   /'; }

title 'The module, loaded into dom0'
module_load max_queues=4 max_ring_page_order=4
modinfo /job/xen-blkback.ko | grep -E '^(version|license|alias|vermagic):' | show

title 'An LVM volume, and a guest that boots (stock kernel and frontend)'
first=$(volume first 16 2>/dev/null)
disk=$(volume data 128 2>/dev/null)
lvs --noheadings -o lv_path,lv_size | show
FRONTEND='frontend.max_queues=2 frontend.max_ring_page_order=2' guest_start guest 'vcpus=2' "disk=['phy:$first,xvda,w']"
xl list | show
guest_run guest uname -sr | show

title 'The volume becomes the second disk of the guest: xl block-attach'
attach guest "phy:$disk,xvdb,w"
xl block-list guest | show
path=$(backend_path guest xvdb)
front=$(frontend_path guest xvdb)
queues=$(xs_read "$front/multi-queue-num-queues")
order=$(xs_read "$front/ring-page-order")
[ "$queues" -ge 2 ] && [ "$order" -ge 1 ]
echo "   $queues queues with rings of $((1 << order)) pages"

title "The backend in xenstore: $path"
xenstore-ls "$path" | show

title 'The frontend: its queues and the pages of their rings'
xenstore-ls -f "$front" | sed "s,^$front/,," | grep -E '^(multi-queue|ring-page-order|queue-)' |
	grep -v ' = ""' | show

title 'The guest makes a file system, writes, syncs, reads back, verifies'
guest_run guest <<'SCRIPT' | show
set -e
mkfs.ext4 -q /dev/xvdb
mount /dev/xvdb /mnt
for size in 1 7 32; do
	dd if=/dev/urandom of=/mnt/file-$size bs=1M count=$size 2>/dev/null
done
cd /mnt
sha256sum file-* >checksums
sync
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c checksums
cat checksums | cut -c1-32,65-
cd /
umount /mnt
SCRIPT
sums=$(guest_run guest 'mount -o ro /dev/xvdb /mnt && cat /mnt/checksums && umount /mnt')

title 'Statistics of the disk in sysfs'
(cd "$(backend_sysfs guest xvdb)" && grep . physical_device mode statistics/*) | show

title 'xentop -b'
xentop -b -i 1 -x | sed -n '/NAME/,$p' |
	awk '/VBD BlkBack/ { print; next } { print substr($0, 1, 10) substr($0, 104) }' | show

title 'xl block-detach'
detach guest xvdb
xl block-list guest | show
no_thread() { ! threads_of_backend | grep -q xvdb; }
within 60 no_thread

title 'dom0 mounts the volume and verifies the same checksums'
mount -o ro "$disk" /mnt
[ "$(cat /mnt/checksums)" = "$sums" ]
(cd /mnt && sha256sum -c checksums) | show
umount /mnt

title 'Away with the guest and the module'
guest_destroy guest
module_unload
echo '   done'
