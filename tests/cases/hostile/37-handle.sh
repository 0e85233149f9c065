#!/bin/bash
# the handle of another disk means nothing: a request is about the disk of its ring

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
other=$(there volume other 4)
there dd if=/dev/urandom of="$other" bs=1M count=4 status=none
sum=$(there sum_of "$other")
mine=$disk disk=$other
another_disk
attack_background <<'END'
connect
mark /tmp/connected
until /tmp/go
END
attack_mark connected
vbd_number=51952
for handle in 51936 51952 0 65535; do
	attack <<-END
		connect
		fill
		request op=write handle=$handle segs=11
		request op=indirect inner=write handle=$handle segs=40
		verify
	END
done
vbd_number=51936
attack_finish go
first_disk
disk=$mine
expect "checksum of the other disk" "$sum" "$(there sum_of "$other")"
