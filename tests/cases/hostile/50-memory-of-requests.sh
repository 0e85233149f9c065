#!/bin/bash
# memory that many large requests have taken goes back while the guest goes on with a few small ones

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# How many objects of the size that a request of 65 to 256 segments has are in use. KASAN keeps what was freed for a while,
# unless asked not to.
objects() {
	[ -z "${BACKEND-}" ] || there sh -c 'echo 1 >/sys/kernel/slab/kmalloc-8k/shrink'
	there awk '$1 == "kmalloc-8k" { print $2 }' /proc/slabinfo
}

requests='' singles=''
for queue in 0 1 2 3; do
	requests+="request queue=$queue op=indirect inner=read segs=65 times=30 wait=0"$'\n'
	singles+="request queue=$queue op=read segs=1 wait=0; "
done
hostile_start
# The small ones begin while the disk hangs still: a queue that gets none for a second is at rest, and has no memory anyway.
attack_background <<END
set queues=4 order=4
connect
fill
mark /tmp/connected
until /tmp/hung
${requests}push
repeat until=/tmp/enough : ${singles}push; sleep 300
wait
verify
END
attack_mark connected
# What the queues had for that goes back first.
sleep 5
before=$(objects) memory=$(free_kib) reads=$(statistic rd_req)
hang
guest_run attacker touch /tmp/hung
wait_until 60 "120 requests are at the disk" taken rd_req $((reads + 120))
full=$(objects)
note "objects: $before, then $full; $((memory - $(free_kib))) KiB"
[ $((full - before)) -ge 100 ] || error "120 requests take memory $((full - before)) times only"
resume
# A few more are always in use, as Linux counts those that it has ready for the CPU.
given_back() {
	note "objects: $(objects); $((memory - $(free_kib))) KiB"
	[ $(($(objects) - before)) -le 20 ] && [ $((memory - $(free_kib))) -le 6144 ]
} >&2
reads=$(statistic rd_req)
within 30 given_back || fail "$(($(objects) - before)) of $((full - before)) pieces of memory are still held, $((memory - $(free_kib))) KiB in all"
[ "$(statistic rd_req)" -gt "$reads" ] || error "no requests came meanwhile"
pass "$((full - before)) pieces of memory"
attack_finish enough
