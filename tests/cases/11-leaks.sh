#!/bin/bash
# attaching and detaching a dozen times leaks no thread, interrupt or grant, nor memory in bulk
# Takes long.

disk=$(volume disk 64)
guest_start main
# The fewer segments a request has, the less memory a Linux guest sets aside for persistent grants.
guest_frontend main max_queues=4 max_ring_page_order=4 max_indirect_segments=0

# Kilobytes of kernel memory that a driver may have forgotten.
kernel_memory() { awk '/^(SUnreclaim|VmallocUsed|KernelStack|PageTables)/ { sum += $2 } END { print sum }' /proc/meminfo; }

cycle() {
	plug main "phy:$disk,xvdb,w"
	# What is looked for afterwards can be seen while it is there.
	expect "threads" 4 "$(threads_of_backend | wc -l)"
	expect "interrupts" 4 "$(irqs_of_backend | wc -l)"
	guest_io main dd if=/dev/xvdb of=/dev/null bs=1M count=4 iflag=direct >/dev/null
	detach main xvdb
	wait_until 60 "nothing is left" nothing_left
}

plug main "phy:$disk,xvdb,w"
[ "$(grants_mapped "$(domid main)")" -ge 64 ] || error "Xen tells of $(grants_mapped "$(domid main)") grants, and 4 rings of 16 pages are mapped"
detach main xvdb

# The first rounds fill caches that stay.
for _ in 1 2 3; do
	cycle
done
before=$(kernel_memory)
for _ in $(seq 8); do
	cycle
done
after=$(kernel_memory)
note "kernel memory: $before KiB, eight rounds later $after KiB"
# Eight connections take some 3 MiB while they last: forgetting a quarter of that shows. The debug kernel
# sees every byte.
[ $((after - before)) -lt 750 ] || fail "kernel memory grew by $((after - before)) KiB"
