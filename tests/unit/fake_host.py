#!/usr/bin/python3
"""A host made of files, for tests of blkback-top: what sysfs, debugfs and xenstore would say.

    fake_host.py FOLDER [DISKS [QUEUES]]    makes one there with that many disks, and has it work until it is killed
"""
import pathlib
import shutil
import sys
import time

COUNTERS = (
    "reads writes flushes barriers discards read_sectors write_sectors discard_sectors read_errors write_errors "
    "flush_errors discard_errors refused in_flight out_of_memory out_of_budget bytes_copied bytes_mapped bytes_kept "
    "grant_maps grant_unmaps grant_copies grant_calls persistent_grants persistent_grants_max events_in events_out "
    "wakeups poll_hits poll_misses").split()
STATISTICS = {"rd_req": "reads", "wr_req": "writes", "f_req": "flushes", "ds_req": "discards",
              "rd_sect": "read_sectors", "wr_sect": "write_sectors", "ds_sect": "discard_sectors",
              "oo_req": "out_of_memory", "refused": "refused"}
ERRORS = [name for name in COUNTERS if name.endswith("_errors")]
CONNECTION = {"state": "connected", "protocol": "x86_64-abi", "queues": 0, "ring_pages": 4,
              "features": "persistent indirect flush discard"}


def write_all(folder, values):
    """Files of these names and values. Whoever reads them sees the old value or the new one, as in sysfs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        file, text = folder / name, f"{value}\n"
        if not file.exists():
            file.write_text(text)
        elif file.read_text() != text:
            new = folder / f".{name}"
            new.write_text(text)
            new.replace(file)


class FakeDisk:
    """A disk of a guest. What it counts is in queues, a dict for each; show() writes it to the files."""

    def __init__(self, host, domid, device, queues):
        self.name = f"vbd-{domid}-{device}"
        self.folder = host.sysfs / "bus/xen-backend/devices" / self.name
        self.debugfs = host.debugfs / "xen-blkback" / self.name
        self.connection = dict(CONNECTION, queues=queues)
        self.past = dict.fromkeys((*STATISTICS.values(), *ERRORS), 0)
        self.queues = []
        self.connect(queues, 1000 * domid)
        write_all(self.folder, {"physical_device": "fd:3", "mode": "w"})
        write_all(self.folder / "driver", {})
        write_all(self.folder / "budget", {
            "pages": 640, "pages_max": 16384, "disk_pages": 64, "disk_pages_max": 8192, "pages_waits": 0,
            "queues": queues, "queues_max": 512,
            "persistent_grants": 0, "persistent_grants_max": 16384, "restarts_held": 0, "messages_held": 0})
        self.show()

    def connect(self, queues, pid):
        """Anew: all counters of its queues begin at 0."""
        for queue in self.queues:
            for name in self.past:
                self.past[name] += queue[name]
        self.queues = [dict.fromkeys(COUNTERS, 0) for _ in range(queues)]
        for number, queue in enumerate(self.queues):
            queue.update(pid=pid + number, persistent_grants_max=264, latency={})
        shutil.rmtree(self.folder / "queues", ignore_errors=True)
        shutil.rmtree(self.debugfs, ignore_errors=True)

    def did(self, number, latency=None, **counts):
        """A queue has done that much more. LATENCY is {(kind, stage): {from_ns: requests}}."""
        queue = self.queues[number]
        for name, count in counts.items():
            queue[name] += count
        for key, buckets in (latency or {}).items():
            known = queue["latency"].setdefault(key, {})
            for start, count in buckets.items():
                known[start] = known.get(start, 0) + count
        self.show()

    def show(self):
        write_all(self.folder / "connection", self.connection)
        totals = {name: past + sum(queue[name] for queue in self.queues) for name, past in self.past.items()}
        write_all(self.folder / "statistics", {file: totals[name] for file, name in STATISTICS.items()})
        write_all(self.folder / "statistics", {"errors": sum(totals[name] for name in ERRORS)})
        for number, queue in enumerate(self.queues):
            write_all(self.folder / "queues" / str(number), {n: v for n, v in queue.items() if n != "latency"})
            lines = ["# kind stage from_ns count"] + [
                f"{kind} {stage} {start} {count}" for (kind, stage), buckets in queue["latency"].items()
                for start, count in buckets.items()]
            write_all(self.debugfs / f"queue-{number}", {"latency": "\n".join(lines)})

    def go(self):
        shutil.rmtree(self.folder)
        shutil.rmtree(self.debugfs, ignore_errors=True)


class FakeHost:
    """The files of a host, in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.sysfs = self.folder / "sys"
        self.debugfs = self.sysfs / "kernel/debug"
        write_all(self.sysfs / "bus/xen-backend/devices", {})
        write_all(self.debugfs / "xen-blkback", {})
        self.load("ours")

    def load(self, module):
        """'ours', 'in-tree' or None."""
        shutil.rmtree(self.sysfs / "module", ignore_errors=True)
        if module:
            parameters = {"max_queues": 4, **({"copy_read_max": 1048576} if module == "ours" else {})}
            write_all(self.sysfs / "module/xen_blkback/parameters", parameters)

    def disk(self, domid, device, queues=2):
        return FakeDisk(self, domid, device, queues)


def work(disk, share):
    """What happens in a tenth of a second."""
    for number in range(len(disk.queues)):
        reads, writes = round(40 * share), round(25 * share)
        latency = {}
        for kind, count in (("read", reads), ("write", writes)):
            for stage, start in (("wait", 8192), ("disk", 65536), ("answer", 4096), ("total", 131072)):
                latency[kind, stage] = {start: count // 2, 2 * start: count // 4, 8 * start: count // 8}
        disk.queues[number]["in_flight"] = round(16 * share)
        disk.did(number, latency, reads=reads, writes=writes, read_sectors=8 * reads, write_sectors=16 * writes,
                 bytes_copied=4096 * reads, bytes_kept=8192 * writes, grant_copies=reads, grant_calls=4, events_in=12,
                 events_out=20, wakeups=15)


def main(folder, disks="4", queues="2"):
    host = FakeHost(folder)
    made = [host.disk(1 + number // 2, 51712 + 16 * (number % 2), int(queues)) for number in range(int(disks))]
    print("ready", flush=True)
    while True:
        for number, disk in enumerate(made):
            work(disk, (number + 1) / len(made))
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
