#!/usr/bin/python3
"""Tells where the instructions of an I/O go.

    places.py [-n LINES] RUN FOLDER

RUN is the folder of a run of 'host.sh -p' with PROFILE=1 dom0-bench.sh. Writes for each row that was
measured FOLDER/MODULE.PERSISTENT.ROW.txt: instructions and calls per I/O, by purpose and by function; and
FOLDER/purposes.md, a table of all, and what would be left of each row without the backend's own code.
"""
import argparse
import bisect
import collections
import pathlib
import re
import sys

DOMAINS = ("dom0", "guest")
XEN = range(0xFFFF82D000000000, 0xFFFF830000000000)
KERNEL = range(0xFFFF800000000000, 0x10000000000000000)

# What functions are for, by their names; the first that fits counts.
XEN_PURPOSES = [
    ("copying of data", r"memcpy$"),
    ("entry and exit", r"lstar_enter|pv_hypercall|restore_all_guest|test_all_events|\w*bounce_frame|"
                       r"do_iret|iret_|toggle_guest_mode|__x86_|handle_exception|handle_ist|test_guest_events|"
                       r"make_cr3|update_cr3|switch_to_kernel|general_protection|_einittext"),
    ("emulation", r"x86_|pv_emul|read_segment|insn_fetch|read_msr|guest_rdmsr|do_general_protection|"
                  r"gtime_to|get_cpl|validate|priv_op|pv_soft_rdtsc|put_fpu|get_s_time_fixed"),
    ("grants", r"\w*(gnttab|grant|maptrack|unmap_common|paged_frame|_set_status|shared_entry|pv_mapping)|"
               r"_?(get|put)_page|\w*map_domain_page|__mfn_valid|copy_(from|to)_guest|check_get_page|"
               r"map_guest_l1e|page_(un)?lock|rcu_(un)?lock_domain|flush_area|is_iomem"),
    ("events", r"\w*evtchn|\w*event_channel|vcpu_mark_events|send_guest"),
    ("scheduling", r"\w*(sched|runq|runstate|vcpu_|context_switch|timer|bitmap|cpumask|unit_)|"
                   r"do_set_segment|do_update_desc|do_fpu|do_stack|get_s_time|update_svc|burn_|tickle|"
                   r"__find_|switch_cr3|write_ptbase|svm_load|amd_ctxt|\w*softirq|rcu_pending|\w*heap|"
                   r"add_entry|\w*ctxt_switch|update_guest_memory"),
]
KERNEL_PURPOSES = [
    ("block layer", r"_*(bio|blk|blkdev|blkcg|bvec|submit_bio|elv|sbitmap|disk|bdev|part|block|mempool|"
                    r"update_io_ticks|wbt|rq_qos|dd|deadline|get_task_ioprio|iov_iter|kthread_blkcg)(_|$)"),
    ("clock", r"ktime_|read_tsc|pvclock|sched_clock|xen_clocksource|xen_sched_clock|read_persistent"),
    ("grants, p2m", r"\w*(gnttab|p2m|mfn_to_pfn|phys_to_machine|biovec_phys)|lookup_address|"
                    r"(__raw_callee_save_)?xen_(p[gu4m]d|p4d|pud|pmd|pte|make)"),
    ("memory", r"_*(kmem_|kmalloc|kfree|kvfree|slab|memset|free_|alloc_pages|get_page_from|cache_from|"
               r"get_partial|put_cpu_partial|memcg|unfreeze|discard_slab|rmqueue)"),
    ("events, interrupts", r"\w*(evtchn|irq|xen_send|eoi|notify_remote|upcall|radix_tree_lookup)"),
    ("scheduling", r"\w*(sched|psi_|update_load|queue_entity|queue_task|pick_|wake|switch|update_curr|"
                   r"_wait_|finish_wait|load_TLS|xen_mc|place_entity|set_next|put_prev|fpu|kthread_should|"
                   r"timer|tick_|idle|ttwu_|rq_clock|record_times|xen_load_|lazy_mode|rseq)"),
    ("entry and exit", r"\w*(syscall|SYSCALL|exit_to_user|regs_and_return|error_entry|hypercall)|x64_sys_call"),
]


class Symbols:
    """Names for addresses."""

    def __init__(self):
        self.found = []
        self.addresses = []

    def add(self, path, modules=True):
        for line in path.read_text(encoding="utf-8").splitlines():
            address, kind, name, *module = line.split()
            if kind in "tTwW" and (modules or not module):
                self.found.append((int(address, 16), name.split("#")[-1], *module))
        self.found.sort()
        self.addresses = [symbol[0] for symbol in self.found]

    def find(self, address):
        """Start, name and, if there is one, module of the function."""
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.found[index] if index >= 0 else (0, "?")


class Namer:
    """Knows what is at an address of a domain, Xen included."""

    def __init__(self, folder):
        self.xen, self.dom0, self.guest = Symbols(), Symbols(), Symbols()
        self.xen.add(folder / "xen")
        self.dom0.add(folder / "dom0")
        # The guest has dom0's kernel, but modules of its own.
        self.guest.add(folder / "dom0", modules=False)
        self.guest.add(folder / "guest")
        self.files = list(read_maps(folder / "fio"))

    def find(self, domain, address):
        """Domain and purpose, name of the function, and whether it starts there."""
        if address in XEN:
            start, name = self.xen.find(address)
            return (domain, "Xen: " + purpose(XEN_PURPOSES, name)), name, start == address
        if address in KERNEL:
            start, name, *module = getattr(self, domain).find(address)
            return (domain, kernel_purpose(name, module)), name, start == address
        return (domain, "user space"), self.user(domain, address), False

    def user(self, domain, address):
        """The file, and only for fio."""
        if domain == "guest":
            for start, end, name in self.files:
                if start <= address < end:
                    return name
        return "?"


def purpose(purposes, name):
    for what, pattern in purposes:
        if re.match(pattern, name):
            return what
    return "other"


def kernel_purpose(name, module):
    if module in (["[null_blk]"], []):
        return "kernel: " + ("block layer" if module else purpose(KERNEL_PURPOSES, name))
    return module[0].strip("[]")


def read_maps(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        field = line.split()
        if len(field) > 5:
            start, end = (int(part, 16) for part in field[0].split("-"))
            yield start, end, field[5].rsplit("/", 1)[-1]


class Cost:
    """Of one I/O."""

    def __init__(self):
        self.instructions = self.calls = 0


class Profile:
    """What one I/O of a row costs, in places: (domain, purpose), function."""

    def __init__(self, counts, row, namer):
        self.namer = namer
        self.ios = int(row["count"]) * int(row["total"]) / int(row["made"])
        self.places = collections.defaultdict(Cost)
        self.add(counts / row["metering"])
        self.purposes = collections.Counter()
        for (where, _), cost in self.places.items():
            self.purposes[where] += cost.instructions
        self.metered = {domain: int(row[domain]) / self.ios for domain in DOMAINS}

    def add(self, path):
        for line in path.read_text(encoding="utf-8").splitlines():
            address, length, *executed = line.split()
            for domain, times in zip(DOMAINS, executed):
                if times != "0":
                    where, name, starts = self.namer.find(domain, int(address, 16))
                    cost = self.places[where, name]
                    cost.instructions += int(length) * int(times) / self.ios
                    cost.calls += int(times) / self.ios if starts else 0

    def total(self, domain):
        return sum(cost for where, cost in self.purposes.items() if where[0] == domain)

    def write(self, file, lines):
        for domain in DOMAINS:
            print(f"{self.total(domain):10.0f}  {domain} (by Xen's account {self.metered[domain]:.0f})",
                  file=file)
            for where, cost in self.purposes.most_common():
                if where[0] == domain and cost >= 1:
                    print(f"{cost:10.0f}      {where[1]}", file=file)
        for where, cost in sorted(self.purposes.items(), key=lambda item: (item[0][0], -item[1])):
            if cost >= 1:
                self.write_functions(file, where, lines)

    def write_functions(self, file, where, lines):
        print(f"\n{'instr.':>10}{'calls':>8}  {': '.join(where)}", file=file)
        functions = sorted(((cost.instructions, cost.calls, name)
                            for (there, name), cost in self.places.items() if there == where), reverse=True)
        for instructions, calls, name in functions[:lines]:
            if instructions >= 0.5:
                print(f"{instructions:10.1f}{f'{calls:8.2f}' if calls >= 0.005 else '':8}  {name}", file=file)


def read_rows(run):
    """What was measured, by module, persistent grants, and row."""
    rows = {}
    for line in (run / "verdict").read_text(encoding="utf-8").splitlines():
        kind, *pairs = line.split() or [""]
        keys = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if kind in ("row", "failed"):
            rows[keys["module"], keys["persistent"], keys["row"]] = keys
    return rows


def write_purposes(file, profiles):
    """A table of what dom0 does; its columns are the rows that were measured."""
    totals = collections.Counter()
    for profile in profiles.values():
        totals.update(profile.purposes)
    purposes = [what for (domain, what), _ in totals.most_common() if domain == "dom0"]
    print("| dom0, instructions per I/O | " + " | ".join(map(" ".join, profiles)) + " |", file=file)
    print("|---|" + "---:|" * len(profiles), file=file)
    for what in purposes:
        costs = [profile.purposes["dom0", what] for profile in profiles.values()]
        if max(costs) >= 1:
            print(f"| {what} | " + " | ".join(f"{cost:.0f}" for cost in costs) + " |", file=file)
    print("| all | " + " | ".join(f"{profile.total('dom0'):.0f}" for profile in profiles.values()) + " |",
          file=file)


def write_floors(file, profiles):
    """What ours takes by what the in-tree module does, as it is and if its own code took nothing."""
    rows = [[persistent, row, profile, profiles["stock", persistent, row].total("dom0")]
            for (module, persistent, row), profile in profiles.items()
            if module == "ours" and ("stock", persistent, row) in profiles]
    if rows:
        print("\n| ours by stock | ratio | without own code |\n|---|---:|---:|", file=file)
    for persistent, row, profile, stock in rows:
        ours = profile.total("dom0")
        floor = ours - profile.purposes["dom0", "xen_blkback"]
        print(f"| {persistent} {row} | {ours / stock:.2f} | {floor / stock:.2f} |", file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-n", dest="lines", type=int, default=25, help="functions for each purpose")
    parser.add_argument("run", type=pathlib.Path, help="folder of a run")
    parser.add_argument("folder", type=pathlib.Path, help="for the results")
    arguments = parser.parse_args()
    namers, profiles, incomplete = {}, {}, False
    for row, keys in read_rows(arguments.run).items():
        module = row[0]
        if "metering" not in keys:
            print(f"not measured: {' '.join(row)}", file=sys.stderr)
            incomplete = True
            continue
        if module not in namers:
            namers[module] = Namer(arguments.run / "job/symbols" / module)
        profiles[row] = Profile(arguments.run / "profile", keys, namers[module])
        name = ".".join(row).replace("/", ".") + ".txt"
        with open(arguments.folder / name, "w", encoding="utf-8") as file:
            profiles[row].write(file, arguments.lines)
    with open(arguments.folder / "purposes.md", "w", encoding="utf-8") as file:
        write_purposes(file, profiles)
        write_floors(file, profiles)
    return incomplete


sys.exit(main())
