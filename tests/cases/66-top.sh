#!/bin/bash
# blkback-top: a load that is known, on a terminal and for scripts, with errors, for others than root, by any module

[ -e /job/xen-blkback.ko ] || skip "the in-tree module counts hardly anything"

top=/job/tools/blkback-top

screen() { tmux -L top capture-pane -p; }
on_screen() { screen | grep -qE -e "$1"; }
press() { tmux -L top send-keys "$@"; }
# shown REGEX: waits for such a line.
shown() { within 60 on_screen "$1" || fail "no line like '$1' on the screen: $(screen)"; }

# column TITLE: what is in that column of $state/table for the disk.
column() {
	awk -v "title=$1" -v "disk=vbd-$id-51728" '
		$1 == "DISK" { for (i = 1; i <= NF; i++) if ($i == title) column = i }
		$1 == disk { print $column }' "$state/table"
}

# iops_are LEAST MOST: in that table.
iops_are() {
	cat "$state/table"
	awk -v "found=$(column IOPS)" "BEGIN { exit !(found >= $1 && found <= $2) }" ||
		fail "expected $1 to $2 IOPS, found '$(column IOPS)'"
}

# A disk that takes 20 ms is asked for 30 reads and 10 writes of 8 KiB in a second, on two queues.
modprobe dm-delay
disk=$(volume disk 64)
dmsetup create slow --table "0 131072 delay $disk 0 20"
at_end dmsetup remove slow
guest_start main
guest_frontend main max_queues=2 max_ring_page_order=1 feature_persistent=0
attach main "phy:/dev/mapper/slow,xvdb,w"
id=$(domid main)
guest_background main load fio --name=load --filename=/dev/xvdb --numjobs=2 --cpus_allowed=0,3 \
	--cpus_allowed_policy=split --rw=randrw --rwmixread=75 --bs=8k --rate_iops=15,5 --direct=1 --ioengine=libaio \
	--iodepth=4 --time_based --runtime=3600
tmux -u -L top -f /dev/null new-session -d -x 126 -y 24 "$top -i 2; echo status \$?; sleep 600"
at_end sh -c 'tmux -L top kill-server 2>/dev/null || :'
has_load() { [ "$(cat "$(backend_sysfs main xvdb)/statistics/wr_req")" -gt 20 ]; }
wait_until 60 "the guest writes" has_load

"$top" --once --json --interval 4 --disk xvdb >"$state/json"
cat "$state/json"
python3 - "$state/json" "$id" "$slow" <<'END' || fail "figures are not those of the load"
import json, sys
file, domid, slow = sys.argv[1:]
report = json.load(open(file))
disk, = report["disks"]
seconds, rates, latency = report["interval"], disk["per_second"], disk["latency_ns"]

def equal(found, wanted):
    assert found == wanted, (found, wanted)

# What is read first and what is read last may be some requests apart, at both ends of the interval; and more of
# them when the emulated host stands still meanwhile.
def alike(one, other, unit=1):
    assert abs(one - other) < max(12 * unit / seconds, 0.4 * one), (one, other)

def between(least, value, most):
    assert least <= value <= most, value

equal((report["module"], disk["disk"], disk["dev"], disk["state"], disk["mode"], disk["errors"]),
      ("ours", f"vbd-{domid}-51728", "xvdb", "connected", "w", 0))
equal(disk["connection"], {"state": "connected", "protocol": "x86_64-abi", "queues": 2, "ring_pages": 2,
                           "features": ["indirect", "flush", "barrier", "discard"]})
# Whichever way the whole run is to have.
equal(sorted(disk["way"].values()), [0, 0, 1])
between(4, seconds, 10)
between(15, rates["reads"], 45)
between(5, rates["writes"], 15)
for kind in ("read", "write"):
    alike(rates[f"{kind}_bytes"], 8192 * rates[f"{kind}s"], 8192)
    alike(latency[kind]["total"]["count"] / seconds, rates[f"{kind}s"])
alike(rates["bytes_copied"] + rates["bytes_mapped"], rates["read_bytes"] + rates["write_bytes"], 8192)
alike(rates["grant_copies"] + rates["grant_maps"], 2 * rates["requests"], 2)
for name, value in rates.items():
    between(-0.1, value - sum(queue["per_second"][name] for queue in disk["queues"]), 0.1)
for queue in disk["queues"]:
    between(3, queue["per_second"]["requests"], 35)
    equal(open(f"/proc/{queue['pid']}/comm").read().split(".")[0], "blkback")
# 20 ms are in the bucket from 16.8 to 33.5 ms. The emulated host adds some.
between(2 ** 24, latency["all"]["disk"]["p50"], 2 ** 26 * int(slow))
for stage in latency["all"].values():
    between(stage["p50"], stage["p95"], stage["p99"])
between(latency["all"]["answer"]["p50"], latency["all"]["disk"]["p50"], latency["all"]["total"]["p50"])
between(0, disk["in_flight"], 8)
END
pass "for scripts, figures are those of the load, and agree with each other"

setpriv --reuid=65534 --regid=65534 --clear-groups "$top" --once >"$state/table" 2>"$state/notes"
cat "$state/notes"
iops_are 15 80
grep -q 'no latencies: only root may read debugfs' "$state/notes" || fail "it is not said why there are no latencies"
pass "in a table, for others than root"

shown "^vbd-$id-51728 +main .* [1-9][0-9.]*ms "
screen >"$state/table"
iops_are 15 80
press Enter
shown "^vbd-$id-51728: xvdb of main \(domain $id\), fd:[0-9a-f]+, writable, connected$"
shown '^x86_64-abi, 2 queues with rings of 2 pages; indirect'
shown '^all, disk .* [2-9][0-9.]+ms '
shown '^1 +[0-9]+ .* 100% '
screen
press Escape
shown '^DISK .*GUEST'

# The disk fails, and goes.
dmsetup suspend --noflush slow
echo "0 131072 error" | dmsetup load slow
dmsetup resume slow
has_errors() { screen >"$state/table" && [ "$(column ERRORS)" -gt 0 ]; }
wait_until 60 "errors are on the screen" has_errors
guest_finish main load >"$state/load" && fail "the guest saw no error"
detach main xvdb
shown '^no guest has a disk of this backend'
press q
shown '^status 0$'
pass "on a terminal, live"

at_end module_load max_queues=4
at_end sh -c '! [ -d /sys/module/xen_blkback ] || rmmod xen_blkback'
wait_until 60 "the module can be unloaded" module_unload
if "$top" --once 2>"$state/notes"; then fail "there is no module, and it does not fail"; fi
grep -q 'xen-blkback is not loaded' "$state/notes" || fail "it is not said that there is no module"
pass "without a module it says so"

# The debug kernel has something against the in-tree module: see 36-drop-in.
[ "$slow" = 1 ] && modprobe xen-blkback || exit 0
attach main "phy:$disk,xvdb,w"
guest_background main load 'while dd if=/dev/xvdb of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null; do
	[ ! -e /tmp/stop ] || exit 0; sleep 0.1; done; exit 1'
"$top" --once >"$state/table" 2>"$state/notes"
cat "$state/notes"
iops_are 1 20
expect "errors, which it does not count" - "$(column ERRORS)"
grep -q 'in-tree xen-blkback, which counts requests and sectors only' "$state/notes" ||
	fail "it is not said which module it is"
guest_run main touch /tmp/stop
guest_finish main load
guest_run main rm /tmp/stop
detach main xvdb
wait_until 60 "the in-tree module can be unloaded" module_unload
pass "by the in-tree module, what that counts"
