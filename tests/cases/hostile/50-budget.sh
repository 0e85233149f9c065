#!/bin/bash
# a guest has no more pages and queues of dom0's than it may, however many disks and requests it has, and each disk goes on

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

# overspend SETTINGS COUNT REQUEST: four queues with so many requests, which have a thousand pages, at a disk that hangs,
# of a guest, or of a disk, that may have 1024. A Q in the request is the number of the queue.
overspend() {
	attack_background <<-END
		set queues=4 order=4 $1
		pool pages=4200
		connect
		fill
		mark /tmp/connected
		until /tmp/hung
		$(for queue in 0 1 2 3; do
			for ((i = 0; i < $2; i++)); do
				echo "request op=indirect queue=$queue wait=0 ${3//Q/$queue}"
			done
		done)
		push
		mark /tmp/sent
		until /tmp/go
		wait
		io count=300 kind=both
		verify
	END
	attack_mark connected
	hang
	guest_run attacker touch /tmp/hung
	attack_mark sent
	within 60 waits || fail "with pages of $(budget pages), and $(budget pages_waits) waits, more is served"
}
# Of 16 times 64 pages, and 32 of its own, a queue takes three times 64 for each of its four requests. What is not enough
# for one more is left to others.
waits() { [ "$(budget pages_waits)" -gt 0 ] && [ "$(budget pages)" = 960 ]; }

hostile_start
without_disks
parameter max_guest_pages 1024
parameter max_guest_queues 5
offer
overspend "" 4 "inner=write segs=200"
# Those of the rings; the others are dom0's own.
expect "pages of the guest that are mapped" 64 "$(grants_mapped "$(domid attacker)")"
pass "pages that are copied"
resume
attack_finish go

# One page for each queue is enough to fill any number of requests.
withdraw
offer
overspend "tell-persistent=1 persistent=1" 1 "times=4 inner=read seg=0-7@poolQ $(printf 'seg=0-7@same %.0s' {2..200})"
expect "pages of the guest that are mapped" "$((64 + $(budget persistent_grants)))" "$(grants_mapped "$(domid attacker)")"
pass "a page that is kept"
resume
attack_finish go

withdraw
mapped_only
offer
overspend "" 4 "inner=write segs=200"
# 32 for each queue, 1024 more, one request of 200 in any case, and four rings of 16 pages.
mapped=$(grants_mapped "$(domid attacker)")
{ [ "$mapped" -ge 600 ] && [ "$mapped" -le 1416 ]; } || fail "$mapped pages of the guest are mapped"
pass "$mapped pages that are mapped"

# It does not hang.
disk=/dev/testbed/further another_disk
attack <<'END'
set queues=2
refused no more queues: all disks of the guest would have 6, and 5 is the most
END
pass "queues"
attack <<'END'
connect
load
request op=indirect inner=read segs=256 times=3
io count=50 kind=both
verify
END
first_disk
pass "a request of any size at a disk that does not hang"
resume
attack_finish go

# What a busy queue has beyond what it needs, it gives back where others may have to go without. Of 17 times 64 pages the first
# queue has had three at least, and would keep them; two others need eight each.
without_disks
parameter max_guest_pages 1088
offer
attack_background <<'END'
set queues=4 order=4
pool pages=2000
connect
fill
request op=indirect queue=0 inner=read segs=200 times=2
mark /tmp/connected
repeat until=/tmp/hung : request queue=0 op=read segs=1 wait=0; push; sleep 100
request op=indirect queue=1 inner=write segs=250 times=2 wait=0
request op=indirect queue=2 inner=write segs=250 times=2 wait=0
push
repeat until=/tmp/enough : request queue=0 op=read segs=1 wait=0; push; sleep 300
until /tmp/go
wait
verify
END
attack_mark connected
writes=$(statistic wr_req)
hang
guest_run attacker touch /tmp/hung
within 60 taken wr_req $((writes + 4)) ||
	fail "a queue keeps what others need: $(($(statistic wr_req) - writes)) of 4 requests are served, the guest has $(budget pages) pages"
pass "pages that are kept for nothing"
guest_run attacker touch /tmp/enough
resume
attack_finish go

# A disk that hangs leaves its guest's others as much as it may not have itself.
without_disks
parameter max_guest_pages 2048
parameter max_disk_pages 1024
offer
overspend "" 4 "inner=write segs=200"
of_disk() { [ "$(budget disk_pages)" = 960 ]; }
within 60 of_disk || fail "the disk has $(budget disk_pages) pages, and its guest $(budget pages)"
disk=/dev/testbed/further another_disk
waits=$(budget pages_waits)
attack <<'END'
connect
load
io count=50 depth=4 kind=both
verify
END
expect "waits of another disk" "$waits" "$(budget pages_waits)"
pass "pages of a disk"
first_disk
resume
attack_finish go
expect "pages in the end" 0 "$(budget pages)"
expect "queues in the end" 0 "$(budget queues)"
# The next case has the usual limits again.
without_disks
