#!/usr/bin/python3
"""Tests tools/blkback-top with a host that is made of files. One of them: test_top.py -k NAME."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import fake_host

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = TREE / "tools/blkback-top"


def load_program():
    """The program as a module. Nothing that Python compiles is left beside it."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("blkback_top", str(PROGRAM))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("blkback_top", loader))
    loader.exec_module(module)
    return module


top = load_program()


class NoNames:
    """In place of xenstore."""

    @staticmethod
    def of(domids, now):
        return {}


class GivenNames:
    """Likewise, with a name for each guest."""

    @staticmethod
    def of(domids, now):
        return {domid: f"guest{domid}" for domid in domids}


class Case(unittest.TestCase):
    """A test with a host in a folder of its own."""

    def setUp(self):
        # In memory if possible: these are thousands of small files.
        self.folder = tempfile.mkdtemp(prefix="blkback-top-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.addCleanup(shutil.rmtree, self.folder)
        self.host = fake_host.FakeHost(self.folder)
        self.seconds = 0

    def sample(self, seconds=2, names=NoNames, patterns=(None, None)):
        """All that is there, at a time so much later than the sample before."""
        self.seconds += seconds
        with mock.patch.object(top.time, "monotonic", return_value=self.seconds):
            return top.read_host(str(self.host.sysfs), str(self.host.debugfs), names, patterns)

    def figures(self, old, new=None):
        return top.host_figures(new or self.sample(), old)

    def disk(self, old, new=None):
        """Figures of the only disk."""
        disk, = self.figures(old, new)["disks"]
        return disk

    def run_program(self, *arguments, **more):
        command = [sys.executable, PROGRAM, "--sysfs", self.host.sysfs, "-i", "0.1", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=60, check=False, **more)


class Reading(Case):
    def test_top_finds_disks_and_queues(self):
        self.host.disk(3, 51712, queues=2)
        self.host.disk(10, 51728, queues=1)
        (self.host.sysfs / "bus/xen-backend/devices/vif-3-0").mkdir()
        disks = self.sample()["disks"]
        self.assertEqual(["vbd-3-51712", "vbd-10-51728"], list(disks))
        self.assertEqual([0, 1], list(disks["vbd-3-51712"]["queues"]))
        self.assertEqual("x86_64-abi", disks["vbd-3-51712"]["connection"]["protocol"])
        self.assertEqual(["persistent", "indirect", "flush", "discard"],
                         disks["vbd-3-51712"]["connection"]["features"])

    def test_top_leaves_out_a_disk_that_goes_while_it_is_read(self):
        gone, stays = self.host.disk(1, 51712), self.host.disk(2, 51712)
        read_queues = top.read_queues

        def read_and_lose(folder, debugfs):
            if gone.name in folder:
                gone.go()
            return read_queues(folder, debugfs)

        before = self.sample()
        with mock.patch.object(top, "read_queues", read_and_lose):
            after = self.sample()
        self.assertEqual([stays.name], [disk["disk"] for disk in self.figures(before, after)["disks"]])

    def test_top_leaves_out_a_queue_whose_connection_ends_while_it_is_read(self):
        disk = self.host.disk(1, 51712, queues=2)
        read_numbers = top.read_numbers

        def read_and_reconnect(folder, names):
            numbers = read_numbers(folder, names)
            if folder.endswith("queues/1") and disk.queues[1]["pid"] == 1001:
                disk.connect(2, 5000)
                disk.show()
            return numbers

        with mock.patch.object(top, "read_numbers", read_and_reconnect):
            self.assertEqual([0], list(self.sample()["disks"][disk.name]["queues"]))

    def test_top_does_without_files_that_have_no_number(self):
        disk = self.host.disk(1, 51712, queues=1)
        before = self.sample()
        disk.did(0, reads=10, writes=10, grant_calls=10)
        queue = disk.folder / "queues/0"
        (queue / "writes").unlink()
        (queue / "grant_calls").write_text("what\n")
        (queue / "in_flight").write_text("")
        figures = self.disk(before)
        self.assertEqual(5, figures["queues"][0]["per_second"]["reads"])
        self.assertNotIn("writes", figures["queues"][0]["per_second"])
        self.assertNotIn("grant_calls", figures["queues"][0]["per_second"])
        self.assertIsNone(figures["queues"][0]["in_flight"])

    def test_top_reads_files_that_are_documented(self):
        manual = (TREE / "docs/sysfs.md").read_text()
        files = [f"queues/N/{name}" for name in (*top.COUNTERS, *top.GAUGES, "pid")]
        files += [f"connection/{name}" for name in top.CONNECTION] + [f"budget/{name}" for name in top.BUDGET]
        files += [f"statistics/{name}" for name in top.STATISTICS] + ["physical_device", "mode", "queue-N/latency"]
        self.assertEqual([], [name for name in files if not re.search(rf"^What:.*/{name}$", manual, re.M)])

    def test_top_knows_how_guests_call_disks(self):
        names = {51712: "xvda", 51713: "xvda1", 51728: "xvdb", 51952: "xvdp", 268439552: "xvdq", 268439553: "xvdq1",
                 (1 << 28) + (26 << 8): "xvdaa", (1 << 28) + (702 << 8): "xvdaaa", 2048: "sda", 2065: "sdb1",
                 768: "hda", 833: "hdb1", 5632: "hdc", 12345678: None, 0: None}
        self.assertEqual(names, {number: top.device_name(number) for number in names})

    def test_top_shows_guests_and_disks_that_fit_patterns_only(self):
        for domid, device in ((3, 51712), (3, 51728), (10, 51712)):
            self.host.disk(domid, device)

        def found(guest, disk):
            sample = self.sample(names=GivenNames, patterns=(guest, disk))
            return [name[4:] for name in sample["disks"]]

        self.assertEqual(["3-51712", "3-51728"], found("guest3", None))
        self.assertEqual(["10-51712"], found("10", None))
        self.assertEqual(["3-51712", "10-51712"], found("guest*", "xvda"))
        self.assertEqual(["3-51728"], found("3", "51728"))
        self.assertEqual(["3-51712", "3-51728"], found(None, "vbd-3-*"))
        self.assertEqual([], found("guest", None))
        nothing = self.sample(names=GivenNames, patterns=("other", None))
        self.assertEqual(["none of the 3 disks is looked for"], top.notes_of(nothing))


class Names(Case):
    """xenstore-read is a script here, and leaves a line for each time it is started."""

    def setUp(self):
        super().setUp()
        self.log = pathlib.Path(self.folder) / "log"
        self.script('echo "${path%/name}" | sed s,.*/,guest,')
        patch = mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        patch.start()
        self.addCleanup(patch.stop)

    def script(self, answer):
        """One that answers so for each path, but knows no guest 7."""
        script = pathlib.Path(self.folder) / "xenstore-read"
        script.write_text(f"#!/bin/sh\necho $# >>{self.log}\nfor path; do\n"
                          f"case $path in */7/name) exit 1 ;; esac\n{answer}\ndone\n")
        script.chmod(0o755)

    def started(self):
        """What it has been asked for each time."""
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []

    def test_top_asks_for_all_names_at_once(self):
        self.assertEqual({1: "guest1", 2: "guest2"}, top.read_names([1, 2]))
        self.assertEqual([2], self.started())

    def test_top_goes_on_behind_a_guest_without_a_name(self):
        self.assertEqual({1: "guest1", 9: "guest9"}, top.read_names([1, 7, 9]))
        self.assertEqual([3, 1], self.started())

    def test_top_gives_up_where_xenstore_tells_nothing(self):
        self.script("exit 1")
        self.assertEqual({}, top.read_names(list(range(100))))
        self.assertLess(len(self.started()), 5)
        self.script("sleep 60")
        with mock.patch.object(top, "NAMES_TAKE", 0.2):
            self.assertEqual({}, top.read_names([1, 2]))
        with mock.patch.dict(os.environ, PATH="/nowhere"):
            self.assertEqual({}, top.read_names([1, 2]))

    def test_top_asks_for_names_of_new_guests_and_now_and_then(self):
        names = top.Names()
        names.of({1}, 0)
        self.assertEqual({1: "guest1"}, names.of({1}, 1))
        self.assertEqual([1], self.started())
        self.assertEqual({1: "guest1", 2: "guest2"}, names.of({1, 2}, 2))
        self.assertEqual([1, 2], self.started())
        self.script("echo renamed")
        self.assertEqual({1: "renamed", 2: "renamed"}, names.of({1, 2}, 2 + top.NAMES_LAST))


class Rates(Case):
    def test_top_tells_rates_of_a_disk_and_of_its_queues(self):
        disk = self.host.disk(1, 51712, queues=2)
        disk.did(0, reads=1000, read_sectors=8000)
        before = self.sample()
        disk.did(0, reads=20, read_sectors=160, bytes_copied=60, bytes_kept=20, in_flight=3)
        disk.did(1, writes=10, flushes=4, barriers=2, write_sectors=16, write_errors=1, refused=2, bytes_mapped=20)
        figures = self.disk(before)
        per_second = figures["per_second"]
        self.assertEqual((10, 5, 3, 1, 18), tuple(per_second[name] for name in (
            "reads", "writes", "flushes", "barriers", "requests")))
        self.assertEqual((40960, 4096), (per_second["read_bytes"], per_second["write_bytes"]))
        self.assertEqual({"copied": 0.6, "mapped": 0.2, "kept": 0.2}, figures["way"])
        self.assertEqual((3, 3, 3), (figures["errors"], figures["new_errors"], figures["in_flight"]))
        self.assertEqual([10, 8], [queue["per_second"]["requests"] for queue in figures["queues"]])
        self.assertEqual((1020, 1020 * 4096), (figures["totals"]["reads"], 8160 * 512))

    def test_top_knows_no_rates_from_one_sample(self):
        self.host.disk(1, 51712)
        figures = self.disk(None)
        for unknown in ("per_second", "latency_ns", "way", "new_errors"):
            self.assertIsNone(figures[unknown], unknown)
            self.assertIsNone(figures["queues"][0][unknown], unknown)

    def test_top_knows_no_rates_of_a_disk_that_has_just_come(self):
        before = self.sample()
        self.host.disk(1, 51712).did(0, reads=1000)
        self.assertIsNone(self.disk(before)["per_second"])

    def test_top_counts_a_new_connection_from_0(self):
        disk = self.host.disk(1, 51712, queues=1)
        disk.did(0, {("read", "total"): {1024: 5}}, reads=30)
        before = self.sample()
        disk.connect(2, pid=4000)
        disk.did(0, {("read", "total"): {1024: 50}}, reads=50)
        disk.did(1, {("read", "total"): {1024: 20}}, reads=20)
        figures = self.disk(before)
        self.assertEqual(35, figures["per_second"]["reads"])
        self.assertEqual(70, figures["latency_ns"]["read"]["total"]["count"])
        self.assertEqual(100, figures["totals"]["reads"])

    def test_top_goes_on_with_a_queue_whose_thread_has_ended(self):
        disk = self.host.disk(1, 51712, queues=1)
        disk.did(0, reads=30)
        before = self.sample()
        disk.did(0, reads=10, pid=-disk.queues[0]["pid"])
        after = self.sample()
        self.assertEqual(5, self.disk(before, after)["per_second"]["reads"])
        disk.connect(1, pid=4000)
        disk.did(0, reads=50)
        self.assertEqual(25, self.disk(after)["per_second"]["reads"])

    def test_top_tells_errors_of_all_connections(self):
        disk = self.host.disk(1, 51712, queues=1)
        disk.did(0, read_errors=3, flush_errors=1, refused=2, discard_sectors=8)
        before = self.sample()
        disk.connect(2, pid=4000)
        disk.did(1, write_errors=1)
        figures = self.disk(before)
        self.assertEqual(1, figures["errors"])
        self.assertEqual((5, 2, 4096), tuple(figures["totals"][name] for name in (
            "errors", "refused", "discard_bytes")))

    def test_top_counts_what_has_shrunk_from_0(self):
        self.assertEqual({"a": 5, "b": 2, "c": 0, "d": 4}, top.grown(
            {"a": 5, "b": 12, "c": 0, "d": 4}, {"a": 9, "b": 10, "c": 1}))

    def test_top_tells_what_a_disk_without_a_connection_has_done(self):
        disk = self.host.disk(1, 51712, queues=1)
        before = self.sample()
        disk.did(0, reads=10)
        disk.connection.update(state="waiting-for-frontend", protocol="-", queues=0, ring_pages=0, features="-")
        disk.connect(0, 0)
        disk.show()
        figures = self.disk(before)
        self.assertEqual("waiting-for-frontend", figures["state"])
        self.assertEqual({"state": "waiting-for-frontend", "protocol": None, "queues": 0, "ring_pages": 0,
                          "features": []}, figures["connection"])
        self.assertEqual(0, figures["per_second"]["requests"])
        self.assertEqual(10, figures["totals"]["reads"])
        self.assertIsNone(figures["in_flight"])

    def test_top_tells_totals_of_the_in_tree_module(self):
        disk = self.host.disk(1, 51712)
        self.host.load("in-tree")
        for folder in ("connection", "queues", "budget"):
            shutil.rmtree(disk.folder / folder)
        before = self.sample()
        fake_host.write_all(disk.folder / "statistics", {"rd_req": 30, "rd_sect": 80, "oo_req": 2, "f_req": 1})
        after = self.sample()
        figures = self.disk(before, after)
        self.assertEqual((15, 20480, 1, 15.5), tuple(figures["per_second"][name] for name in (
            "reads", "read_bytes", "out_of_memory", "requests")))
        for unknown in ("state", "connection", "latency_ns", "way", "errors", "in_flight"):
            self.assertIsNone(figures[unknown], unknown)
        fake_host.write_all(disk.folder / "statistics", {"rd_req": 4})
        self.assertEqual(2, self.disk(after)["per_second"]["reads"])


class Latencies(Case):
    def test_top_interpolates_in_a_bucket(self):
        self.assertAlmostEqual(1024 * 2 ** 0.5, top.percentile({1024: 8}, 0.5))
        self.assertAlmostEqual(2048, top.percentile({1024: 8}, 1))
        self.assertAlmostEqual(2048, top.percentile({1024: 5, 4096: 5}, 0.5))
        self.assertAlmostEqual(4096 * 2 ** 0.8, top.percentile({1024: 5, 4096: 5}, 0.9))
        self.assertAlmostEqual(256, top.percentile({0: 4}, 0.5))
        self.assertIsNone(top.percentile({}, 0.5))
        self.assertIsNone(top.percentile({1024: 0}, 0.5))

    def test_top_is_never_off_by_more_than_a_bucket(self):
        rng = random.Random(6)
        for _ in range(200):
            times = sorted(rng.lognormvariate(rng.uniform(7, 14), rng.uniform(0.1, 2))
                           for _ in range(rng.randint(1, 300)))
            buckets = {}
            for time_ns in times:
                start = 1 << (int(time_ns).bit_length() - 1) if time_ns >= 512 else 0
                buckets[start] = buckets.get(start, 0) + 1
            found = [top.percentile(buckets, share) for _, share in top.PERCENTILES]
            self.assertEqual(sorted(found), found)
            for (_, share), value in zip(top.PERCENTILES, found):
                true = times[max(0, int(-(-share * len(times) // 1)) - 1)]
                self.assertLessEqual(value, max(512, 2 * true) * 1.001)
                self.assertGreaterEqual(value, 0 if true < 512 else true / 2)

    def test_top_tells_percentiles_of_the_interval_by_kind_and_stage(self):
        disk = self.host.disk(1, 51712, queues=2)
        disk.did(0, {("read", "total"): {1 << 20: 1000}})
        before = self.sample()
        disk.did(0, {("read", "total"): {1024: 10}, ("read", "disk"): {512: 10}})
        disk.did(1, {("read", "total"): {1024: 10}, ("write", "total"): {4096: 20}})
        figures = self.disk(before)
        latency = figures["latency_ns"]
        self.assertEqual({"count": 20, "p50": 1448, "p95": 1978, "p99": 2034}, latency["read"]["total"])
        self.assertEqual({"count": 40, "p50": 2048}, {n: latency["all"]["total"][n] for n in ("count", "p50")})
        self.assertEqual(10, latency["read"]["disk"]["count"])
        self.assertNotIn("disk", latency["write"])
        self.assertNotIn("flush", latency)
        self.assertNotIn("write", figures["queues"][0]["latency_ns"])

    def test_top_skips_lines_that_are_no_buckets(self):
        text = "# kind stage from_ns count\nread total 1024 5\nread total\nread total x 7\nwrite total 0 1"
        self.assertEqual({"read": {"total": {1024: 5}}, "write": {"total": {0: 1}}}, top.parse_latency(text))

    def test_top_says_why_there_are_no_latencies(self):
        disk = self.host.disk(1, 51712)
        before = self.sample(names=GivenNames)
        shutil.rmtree(self.host.debugfs / "xen-blkback")
        after = self.sample(names=GivenNames)
        self.assertIsNone(self.disk(before, after)["latency_ns"])
        self.assertEqual([f"no latencies: no debugfs is mounted on {self.host.debugfs}"], top.notes_of(after))
        (self.host.debugfs / "bdi").mkdir()
        self.assertIn("there is no", top.why_no_latency(str(self.host.debugfs)))
        with mock.patch.object(top.os, "listdir", side_effect=PermissionError):
            self.assertEqual("only root may read debugfs", top.why_no_latency(str(self.host.debugfs)))
        disk.show()
        self.assertEqual([], top.notes_of(self.sample(names=GivenNames)))


class Notes(Case):
    def notes(self, **more):
        return " ".join(top.notes_of(self.sample(**more)))

    def test_top_says_what_is_not_there(self):
        self.assertEqual("no guest has a disk of this backend", self.notes())
        disk = self.host.disk(1, 51712)
        with mock.patch.object(top.os, "geteuid", return_value=1000):
            self.assertIn("only root may read xenstore", self.notes())
            self.assertEqual("", self.notes(names=GivenNames))
        self.assertEqual("", self.notes())
        self.host.load("in-tree")
        self.assertIn("in-tree xen-blkback, which counts requests and sectors only", self.notes())
        self.host.load(None)
        self.assertIn("not loaded", self.notes())
        (disk.folder / "driver").rmdir()
        self.assertEqual("unbound", self.disk(None)["state"])
        shutil.rmtree(self.host.sysfs / "bus")
        self.assertIn("no Xen host", self.notes())

    def test_top_fails_where_there_is_no_module(self):
        self.host.load(None)
        run = self.run_program("--once")
        self.assertEqual((1, ""), (run.returncode, run.stdout))
        self.assertIn("blkback-top: the module xen-blkback is not loaded", run.stderr)
        run = self.run_program("--once", "--json")
        self.assertEqual(1, run.returncode)
        self.assertIsNone(json.loads(run.stdout)["module"])


class Showing(Case):
    def test_top_shows_numbers_in_few_characters(self):
        for show, texts in (
                (top.show_count, {None: "-", 0: "0", 0.5: "0.5", 9.0: "9", 9.96: "10", 99999: "99999", 1e5: "100k",
                                  1234567: "1.23M", 1.23e10: "12.3G"}),
                (top.show_bytes, {None: "-", 0: "0", 1023: "1023", 1024: "1.00K", 1.5 * 2 ** 20: "1.50M",
                                  1000 * 2 ** 20: "1000M", 2 ** 30: "1.00G"}),
                (top.show_time, {None: "-", 512: "512ns", 1000: "1.00us", 999400: "999us", 12.34e6: "12.3ms",
                                 123e9: "123s"}),
                (top.show_share, {None: "-", 0: "0%", 0.126: "13%", 1.0: "100%"})):
            self.assertEqual(texts, {value: show(value) for value in texts})
        for power in range(180):
            self.assertLessEqual(len(top.show_count(1.3 ** power % 1e17)), 6)
            self.assertLessEqual(len(top.show_bytes(1.3 ** power % 1e18)), 6)
            self.assertLessEqual(len(top.show_time(1.3 ** power % 1e14)), 7)

    def test_top_sorts_by_any_column_with_the_unknown_last(self):
        rows = [{"disk": f"vbd-{domid}-51712", "requests/s": value} for domid, value in ((2, 5), (10, None), (3, 50))]

        def order(title, backwards=False):
            column = top.find_column(top.DISK_COLUMNS, title)
            return [int(row["disk"].split("-")[1]) for row in top.in_order(rows, column, backwards)]

        self.assertEqual([3, 2, 10], order("IOPS"))
        self.assertEqual([2, 3, 10], order("IOPS", True))
        self.assertEqual([2, 3, 10], order("DISK"))
        self.assertEqual([10, 3, 2], order("DISK", True))

    def test_top_leaves_out_columns_for_which_there_is_no_room(self):
        widths = top.widths_of(top.DISK_COLUMNS, [])
        before = None
        for room in range(200, 0, -1):
            shown = top.fitting(top.DISK_COLUMNS, widths, room)
            self.assertTrue(before is None or set(shown) <= set(before))
            before = shown
        self.assertEqual(["DISK", "IOPS"], [column.title for column in before])
        self.assertEqual(len(top.DISK_COLUMNS), len(top.fitting(top.DISK_COLUMNS, widths, 200)))
        titles = [column.title for column in top.fitting(top.DISK_COLUMNS, widths, 80)]
        for title in ("DISK", "GUEST", "IOPS", "READ/s", "WRITE/s", "INFL", "P50", "P99", "ERRORS"):
            self.assertIn(title, titles)

    def test_top_sends_no_control_characters_of_names_to_the_terminal(self):
        self.assertEqual("a?[2Jb?", top.show_text("a\x1b[2Jb\xe9"))

    def test_top_fits_terminals_of_all_sizes(self):
        for domid in range(1, 13):
            self.host.disk(domid, 51712, queues=3 * (domid == 1)).show()
        before = self.sample()
        figures = self.figures(before)
        for height in list(range(1, 12)) + [24, 60]:
            for width in (1, 5, 20, 40, 80, 132, 250):
                for keys in ("", "down " * 9, "end", "open", "open down down end", "help end", "kind stage left end"):
                    view = top.View("IOPS")
                    for key in ["", *keys.split()]:
                        view.press(key)
                        lines = top.screen_lines(figures, view, width, height, 1)
                        self.assertEqual(height, len(lines))
                    if not view.help and not view.opened and height > 1:
                        chosen, = (line for line in lines if line and line[0][1] == top.CHOSEN)
                        self.assertEqual(view.names[view.place()], chosen[0][0].strip())

    def test_top_keeps_the_disk_that_was_chosen(self):
        first, second, third = (self.host.disk(domid, 51712) for domid in (1, 2, 3))
        view = top.View("IOPS")
        samples = [self.sample()]

        def chosen():
            samples.append(self.sample())
            top.screen_lines(self.figures(*samples[-2:]), view, 80, 24, 1)
            return view.names[view.place()]

        first.did(0, reads=10)
        self.assertEqual(first.name, chosen())
        third.did(0, reads=10)
        self.assertEqual(third.name, chosen(), "nobody has chosen, so it is the first one")
        third.did(0, reads=10)
        first.did(0, reads=5)
        chosen()
        view.press("down")
        self.assertEqual(first.name, chosen())
        second.did(0, reads=10)
        third.did(0, reads=5)
        self.assertEqual(first.name, chosen(), "though it is the last one now")
        first.go()
        second.did(0, reads=10)
        self.assertEqual(third.name, chosen(), "which is in its place")

    def test_top_shows_errors_that_are_new(self):
        busy, failing = self.host.disk(1, 51712), self.host.disk(2, 51712)
        failing.did(0, read_errors=3)
        before = self.sample()
        busy.did(0, reads=7)
        failing.did(0, read_errors=2)
        between = self.sample()

        def style(figures):
            lines = top.screen_lines(figures, top.View("IOPS"), 200, 24, 1)
            return next(style for line in lines for text, style in line if text.strip() == "5")

        self.assertEqual(top.STRONG, style(self.figures(before, between)))
        self.assertEqual(top.PLAIN, style(self.figures(between)))

    def test_top_says_that_the_opened_disk_is_gone(self):
        disk = self.host.disk(1, 51712)
        view = top.View("IOPS")
        top.screen_lines(self.figures(None), view, 80, 24, 1)
        view.press("open")
        lines = [top.text_of(line) for line in top.screen_lines(self.figures(None), view, 80, 24, 1)]
        self.assertIn("x86_64-abi, 2 queues with rings of 4 pages; persistent indirect flush discard", lines)
        disk.go()
        lines = [top.text_of(line) for line in top.screen_lines(self.figures(None), view, 80, 24, 1)]
        self.assertIn("vbd-1-51712 is gone", lines)
        view.press("back")
        lines = [top.text_of(line) for line in top.screen_lines(self.figures(None), view, 80, 24, 1)]
        self.assertIn("no guest has a disk of this backend", lines)


class Scripts(Case):
    def setUp(self):
        super().setUp()
        self.disks = [self.host.disk(1, 51712), self.host.disk(2, 51728, queues=3)]

    def fields(self, value):
        """All names of fields in a piece of JSON."""
        if isinstance(value, list):
            return {name for one in value for name in self.fields(one)}
        if not isinstance(value, dict):
            return set()
        return set(value) | self.fields(list(value.values()))

    def test_top_reports_json(self):
        run = self.run_program("--once", "--json")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        line, = run.stdout.splitlines()
        report = json.loads(line)
        self.assertEqual((1, "ours", []), (report["format"], report["module"], report["notes"]))
        self.assertAlmostEqual(time.time(), report["time"], delta=60)
        self.assertGreaterEqual(report["interval"], 0.1)
        self.assertEqual(["vbd-1-51712", "vbd-2-51728"], [disk["disk"] for disk in report["disks"]])
        self.assertEqual([0, 1, 2], [queue["queue"] for queue in report["disks"][1]["queues"]])

    def test_top_documents_all_fields_of_the_json(self):
        before = self.sample()
        stages = {(kind, stage): {1024: 1} for kind in top.KINDS[1:] for stage in top.STAGES}
        for disk in self.disks:
            disk.did(0, stages, bytes_copied=1)
        fields = self.fields(json.loads(json.dumps(self.figures(before))))
        self.assertGreater(len(fields), 70)
        manual = (TREE / "tools/blkback-top.8").read_text()
        self.assertEqual([], sorted(name for name in fields if rf"\fB{name}\fR" not in manual))

    def test_top_reports_json_again_and_again(self):
        command = [sys.executable, PROGRAM, "--sysfs", self.host.sysfs, "-i", "0.1", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as program:
            for _ in range(3):
                json.loads(program.stdout.readline())
            program.stdout.close()
            self.assertEqual((0, ""), (program.wait(timeout=30), program.stderr.read()), "the reader has gone")

    def test_top_reports_a_table(self):
        run = self.run_program("--once", "--sort", "disk")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        head, *rows = run.stdout.splitlines()
        self.assertEqual([column.title for column in top.DISK_COLUMNS], head.split())
        self.assertEqual(["vbd-1-51712", "vbd-2-51728"], [row.split()[0] for row in rows])
        run = self.run_program("--once", "--queues", "--disk", "xvdb")
        head, *rows = run.stdout.splitlines()
        self.assertEqual([column.title for column in top.ALL_QUEUES_COLUMNS], head.split())
        self.assertEqual([["xvdb", "0"], ["xvdb", "1"], ["xvdb", "2"]], [row.split()[2:4] for row in rows])

    def test_top_refuses_options_that_make_no_sense(self):
        for arguments, reason in ((["-i", "0"], "0.1 to 86400 seconds"), (["-i", "nan"], "0.1 to"), (["-i", "x"], "-i"),
                                  (["-s", "size"], "it is one of DISK GUEST"), (["what"], "what"),
                                  ([], "this is no terminal"), (["--queues"], "--once")):
            run = self.run_program(*arguments, stdin=subprocess.DEVNULL)
            self.assertEqual((2, ""), (run.returncode, run.stdout), arguments)
            self.assertIn(reason, run.stderr)

    def test_top_has_the_version_of_the_module(self):
        version = re.search('PACKAGE_VERSION="(.*)"', (TREE / "dkms.conf").read_text())[1]
        self.assertEqual(f"blkback-top {version}\n", self.run_program("--version").stdout)
        self.assertIn(f"xen-blkback {version}", (TREE / "tools/blkback-top.8").read_text())

    def test_top_is_installed_with_its_manual(self):
        subprocess.run(["make", "-s", "-C", TREE, "install-tools", f"DESTDIR={self.folder}", "PREFIX=/usr"],
                       check=True, stdout=subprocess.PIPE, timeout=60)
        program = pathlib.Path(self.folder) / "usr/sbin/blkback-top"
        self.assertIn("blkback-top", subprocess.check_output([program, "--version"], encoding="utf-8", timeout=60))
        self.assertTrue((pathlib.Path(self.folder) / "usr/share/man/man8/blkback-top.8").exists())

    def test_top_documents_all_options_keys_and_columns(self):
        manual = (TREE / "tools/blkback-top.8").read_text().replace("\\-", "-")
        options = set(re.findall(r"--[a-z]+", self.run_program("--help").stdout))
        self.assertGreater(len(options), 9)
        columns = {column.title for column in (*top.ALL_QUEUES_COLUMNS, *top.DISK_COLUMNS, *top.LATENCY_COLUMNS)}
        for word in options | columns:
            self.assertIn(word, manual)


class Terminal(Case):
    """The program in tmux, which is a terminal of any size that can be read and typed on."""

    def setUp(self):
        super().setUp()
        self.socket = f"{self.folder}/tmux"
        self.disks = [self.host.disk(domid, 51712, queues=1) for domid in range(1, 13)]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "12",
                  f"{sys.executable} {PROGRAM} --sysfs {self.host.sysfs} -i 0.2; echo status $?; sleep 60")
        self.addCleanup(self.tmux, "kill-server")
        self.shows("DISK .*INFL")

    def tmux(self, *arguments):
        run = subprocess.run(["tmux", "-u", "-S", self.socket, *arguments], stdout=subprocess.PIPE, check=True,
                             env=dict(os.environ, TERM="screen", LC_ALL="C.UTF-8"), encoding="utf-8", timeout=30)
        return run.stdout

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def shows(self, pattern):
        """Waits until there is such a line, and returns all of them."""
        for _ in range(200):
            lines = self.tmux("capture-pane", "-p").splitlines()
            if any(re.search(pattern, line) for line in lines):
                return lines
            time.sleep(0.05)
        return self.fail(f"no line like '{pattern}' in:\n" + "\n".join(lines))

    def first_disk(self):
        return next(line for line in self.shows("^vbd-") if line.startswith("vbd-")).split()[0]

    def test_top_sorts_opens_and_ends(self):
        self.shows("by IOPS, latencies: all requests, total")
        self.press("End")
        self.shows("^vbd-12-51712")
        self.press("Right")
        self.shows("by R/s,")
        self.press("Left", "Left", "Left", "Left")
        self.shows("by DISK,")
        self.press("r")
        self.shows("by DISK backwards")
        self.assertEqual("vbd-12-51712", self.first_disk())
        self.press("Down", "Enter")
        self.shows("^vbd-11-51712: xvda of - .domain 11., fd:3, writable, connected")
        self.shows("^all, wait ")
        self.press("l", "s")
        self.shows("latencies: read requests, wait")
        self.press("j", "j", "j")
        self.shows("^read, answer ")
        self.press("Escape")
        self.shows("^vbd-12-51712")
        self.press("?")
        self.shows("^Enter +open it")
        self.press("?")
        self.shows("^vbd-12-51712")
        self.press("q")
        self.shows("^status 0")

    def test_top_follows_the_size_of_the_terminal(self):
        for width, height, pattern in ((200, 40, "STATE.*KEEP"), (60, 10, "^DISK .*P99 ERRORS$"),
                                       (20, 3, "^DISK +IOPS$"), (100, 12, "^DISK .*R/s .*ERRORS$")):
            self.tmux("resize-window", "-x", str(width), "-y", str(height))
            self.assertEqual(height, len(self.shows(pattern)))

    def test_top_shows_disks_that_come_and_go(self):
        for disk in self.disks[:-1]:
            disk.go()
        self.shows("^1 disk: ")
        self.press("Enter")
        self.shows("^x86_64-abi")
        self.disks[-1].go()
        self.shows("^vbd-12-51712 is gone")
        self.press("BSpace")
        self.shows("^no guest has a disk")
        self.host.disk(5, 51728).did(0, reads=1)
        self.shows("^vbd-5-51728 ")
        self.host.load(None)
        self.shows("^the module xen-blkback is not loaded")

    def test_top_leaves_the_terminal_as_it_was_when_it_is_ended(self):
        pid = self.tmux("list-panes", "-F", "#{pane_pid}").strip()
        child = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        os.kill(int(child), 15)
        self.shows("^status 143")
        self.assertEqual("0", self.tmux("display-message", "-p", "#{alternate_on}").strip())


if __name__ == "__main__":
    unittest.main()
