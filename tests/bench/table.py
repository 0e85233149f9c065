#!/usr/bin/python3
"""Turns what dom0-bench.sh has printed into tables.

    table.py write FOLDER             FOLDER/raw -> results.csv, ratios.csv, disks.csv, table.md, ratios.dat
    table.py guard FOLDER COMMITTED   compares ratios with those of COMMITTED; prints TAP
    table.py compare RATIOS RATIOS    compares those of two runs; prints TAP

FOLDER/raw has the lines, FOLDER/fio what fio said, a file for each row. A row that was planned and
could not be measured is an error in every table.
"""
import csv
import json
import os
import sys

MODULES = ["stock", "ours"]
# What is measured for a part of the time, what is counted all the time, and what in passes that are traced.
MEASURED = ["dom0", "guest"]
COUNTED = ["wakeups", "to_guest", "from_guest"]
TRACED = ["hypercalls", "grant_calls", "grants", "maps", "unmaps", "copies", "event_calls"]
LATENCY = ["p50_us", "p99_us"]
FIELDS = MEASURED + COUNTED + TRACED + ["iops"] + LATENCY
# A row's ratio may get that much worse before the guard minds; and by so much in any case, as of few hypercalls
# one more is much.
TOLERANCE = 0.05
LITTLE = 0.01
# Two runs of the whole bench have to agree as well as this.
AGREEMENT = 1.02
# And they do as well as this; no more is asked of "not worse".
NOISE = 1.01


def read_lines(path):
    """Yields the kind of each line of results, and its keys and values."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            kind, *pairs = line.split() or [""]
            if kind in ("plan", "row", "pass", "failed", "idle", "disk"):
                yield kind, dict(pair.split("=", 1) for pair in pairs)


def planned(lines):
    """The rows there have to be: (row, persistent), in the order of the plan."""
    return [(keys["row"], persistent) for kind, keys in lines if kind == "plan"
            for persistent in keys["persistent"].split(",")]


def slope(short, long, field):
    """What each further I/O of the longer pass has cost."""
    ios = int(long["ios"]) - int(short["ios"])
    return (int(long[field]) - int(short[field])) / ios


def fio_figures(path):
    """Completion latencies, of reads unless there are only writes."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    job = json.loads(text[text.index("{"):])["jobs"][0]
    main = job["read"] if job["read"]["total_ios"] else job["write"]
    percentile = main["clat_ns"]["percentile"]
    return {
        "p50_us": percentile["50.000000"] / 1000,
        "p99_us": percentile["99.000000"] / 1000,
    }


class Results:
    """All that was measured, by (row, persistent, module)."""

    def __init__(self, folder):
        self.folder = folder
        lines = list(read_lines(os.path.join(folder, "raw")))
        self.rows = planned(lines)
        self.traced = {keys["row"] for kind, keys in lines if kind == "plan" and keys["traced"]}
        self.measured, self.passes, self.reasons, self.idle = {}, {}, {}, {}
        for kind, keys in lines:
            if kind == "idle":
                self.idle[keys["config"], keys["persistent"], keys["module"]] = keys
            elif kind == "row":
                self.measured[self.name(keys)] = keys
            elif kind == "pass":
                self.passes.setdefault(self.name(keys), {})[keys["kind"]] = keys
            elif kind == "failed":
                self.reasons[self.name(keys)] = keys["reason"]
        self.disks = {keys["module"]: keys for kind, keys in lines if kind == "disk"}
        self.figures = {(row, persistent, module): self.measure(row, persistent, module)
                        for row, persistent in self.rows for module in MODULES}

    @staticmethod
    def name(keys):
        return keys["row"], keys["persistent"], keys["module"]

    def measure(self, *name):
        """The figures of a row, or {} if it failed; then self.reasons tells why."""
        row, persistent, module = name
        passes = self.passes.get(name, {})
        if name in self.reasons:
            return {}
        try:
            measured = self.measured[name]
            idle = self.idle[row.split("/")[0], persistent, module]
            ios = int(measured["count"]) * int(measured["total"]) / int(measured["made"])
            figures = {field: int(measured[field]) / int(measured["total"]) for field in COUNTED}
            figures["iops"] = ios / (int(measured["time"]) / 1e9)
            for domain in MEASURED:
                cost = int(measured[domain]) - int(idle[domain]) * int(measured["time"]) / int(idle["time"])
                figures[domain] = cost / ios
            if row in self.traced:
                figures.update({field: slope(passes["traced-short"], passes["traced-long"], field)
                                for field in TRACED})
            figures.update(fio_figures(os.path.join(
                self.folder, "fio", f"{module}.{persistent}.{row.replace('/', '.')}.json")))
            return figures
        except (KeyError, ValueError, OSError, ZeroDivisionError) as error:
            self.reasons[name] = f"{type(error).__name__}:{error}".replace(" ", "_")
            return {}

    def pair(self, row, persistent):
        return [self.figures[row, persistent, module] for module in MODULES]

    def ratio(self, row, persistent, field):
        """Ours to stock, or None; if there is nothing to divide by, 1 if there is nothing at all."""
        stock, ours = (figures.get(field) for figures in self.pair(row, persistent))
        if stock is None or ours is None:
            return None
        if stock <= 0:
            return 1.0 if ours <= 0 else None
        return ours / stock

    def reason(self, row, persistent):
        reasons = [f"{module}: {self.reasons[row, persistent, module]}" for module in MODULES
                   if (row, persistent, module) in self.reasons]
        return "; ".join(reasons)


# --- Targets --------------------------------------------------------------------------------------

def dom0_target(row, persistent):
    """The most that ours may cost, in terms of the in-tree module; None if nothing was promised."""
    workload = row.split("/")[1]
    if workload.endswith("qd1"):
        return 0.80
    if "qd32" in workload or workload.startswith(("128k", "1m")):
        return 0.45 if persistent == "N" else 0.60
    return None


def iops_target(row, persistent):
    """The least, likewise."""
    return 1.3 if "qd32" in row and persistent == "N" else 1.0


def iops_limit(results, row, persistent):
    """What IOPS would gain from a backend that costs nothing, while one CPU does the guest's work, too."""
    stock = results.pair(row, persistent)[0]
    if not row.startswith("1q/") or not stock.get("guest"):
        return None
    return (stock["guest"] + stock["dom0"]) / stock["guest"]


def grant_calls_target(row):
    """The most calls for grants that an I/O may take."""
    if row.endswith("256seg"):
        return 4
    return 1 / 16 if "/4k" in row and "qd32" in row else None


def met(value, target, least=False):
    if value is None:
        return "ERROR"
    if least:
        return "yes" if value * (NOISE if target == 1 else 1) >= target else "**no**"
    return "yes" if value <= target else "**no**"


# --- Tables ---------------------------------------------------------------------------------------

def number(value):
    """Three digits that matter."""
    if value is None:
        return "ERROR"
    if value >= 100000:
        return f"{value / 1000:.0f} k"
    if value >= 1000:
        return f"{value / 1000:.1f} k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.1 or value <= 0 else f"{value:.3f}"


def markdown(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def name_row(row, persistent):
    config, workload = row.split("/")
    return [workload, config, "on" if persistent == "Y" else "off"]


def cost_rows(results):
    for row, persistent in results.rows:
        stock, ours = results.pair(row, persistent)
        ratio = results.ratio(row, persistent, "dom0")
        target = dom0_target(row, persistent)
        guest = results.ratio(row, persistent, "guest")
        iops = results.ratio(row, persistent, "iops")
        least = iops_target(row, persistent)
        limit = iops_limit(results, row, persistent)
        yield name_row(row, persistent) + [
            number(stock.get("dom0")), number(ours.get("dom0")), number(ratio),
            f"≤ {target:.2f}" if target else "", met(ratio, target) if target else "",
            number(stock.get("guest")), number(ours.get("guest")), number(guest), met(guest, NOISE),
            number(iops), f"≥ {least}", met(iops, least, least=True), number(limit) if limit else ""]


def change(results, row, persistent, field):
    """'stock → ours (ratio)'."""
    if field in TRACED and row not in results.traced:
        return ""
    ratio = results.ratio(row, persistent, field)
    return (" → ".join(number(figures.get(field)) for figures in results.pair(row, persistent))
            + ("" if ratio is None else f" ({ratio:.2f})"))


def detail_rows(results):
    for row, persistent in results.rows:
        target = grant_calls_target(row) if row in results.traced else None
        ours = results.pair(row, persistent)[1].get("grant_calls")
        yield name_row(row, persistent) + [
            change(results, row, persistent, "p50_us"), change(results, row, persistent, "p99_us"),
            change(results, row, persistent, "grant_calls"),
            (f"≤ {target:.3g}: " + met(ours, target)) if target else "",
            change(results, row, persistent, "from_guest"),
            change(results, row, persistent, "to_guest"),
            change(results, row, persistent, "wakeups")]


def ratio_of(stock, ours):
    return number(ours / stock) if stock and ours is not None else ""


def queue_rows(results):
    """What an I/O costs with four queues, by what it costs with one: in the same guest, and in one with one CPU."""
    for row, persistent in results.rows:
        config, workload = row.split("/")
        if config != "4q":
            continue
        for other, target in ("4v1q", 1.05), ("1q", None):
            if (f"{other}/{workload}", persistent) not in results.rows:
                continue
            stock, ours = (quotient(*(results.figures[f"{config}/{workload}", persistent, module].get("dom0")
                                      for config in ("4q", other))) for module in MODULES)
            yield [workload, other, "on" if persistent == "Y" else "off", number(stock), number(ours),
                   f"≤ {target}" if target else "", met(ours, target) if target else ""]


def quotient(one, other):
    return one / other if one and other else None


# Key of a line 'disk', what it is, the most it may be, in what it is printed.
DISK = [
    ("idle_kib", "memory of an idle queue with a ring of 16 pages, KiB", 256),
    ("busy_kib", "memory of a busy queue with a ring of 16 pages, KiB", None),
    ("idle_wakeups", "wakeups of four idle queues in 10 s", 0),
    ("connect_us", "from Initialised to Connected, µs", None),
]


def disk_pair(results, key):
    return [float(results.disks[module][key]) if key in results.disks.get(module, {}) else None
            for module in MODULES]


def disk_rows(results):
    if not results.disks and not any(row.startswith("4q") for row, _ in results.rows):
        return
    for key, what, target in DISK:
        stock, ours = disk_pair(results, key)
        yield [what, number(stock), number(ours), ratio_of(stock, ours),
               "" if target is None else f"≤ {target}", "" if target is None else met(ours, target)]


def tables(results):
    yield from markdown(
        ["workload", "config", "persistent", "dom0, stock", "dom0, ours", "ratio", "target", "met",
         "guest, stock", "guest, ours", "ratio", "met", "IOPS, ratio", "target", "met", "if dom0 cost nothing"],
        cost_rows(results))
    yield ""
    yield from markdown(
        ["workload", "config", "persistent", "p50, µs", "p99, µs", "grant calls", "target",
         "notifications from the guest", "to the guest", "wakeups"], detail_rows(results))
    for heads, rows in (
            (["dom0, four queues by one", "the one", "persistent", "stock", "ours", "target", "met"],
             queue_rows(results)),
            (["disk", "stock", "ours", "ratio", "target", "met"], disk_rows(results))):
        rows = list(rows)
        if rows:
            yield ""
            yield from markdown(heads, rows)
    if results.reasons:
        yield ""
        for (row, persistent, module), reason in results.reasons.items():
            yield f"* ERROR: {row}, persistent={persistent}, {module}: {reason}"


def write_csv(path, heads, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([heads, *rows])


def all_figures(results):
    for row, persistent in results.rows:
        for module in MODULES:
            figures = results.figures[row, persistent, module]
            yield [row, persistent, module,
                   *(f"{figures[field]:.6g}" if field in figures else "" for field in FIELDS),
                   results.reasons.get((row, persistent, module), "")]


def all_ratios(results):
    for row, persistent in results.rows:
        ratios = [results.ratio(row, persistent, field) for field in FIELDS]
        yield [row, persistent, *("" if ratio is None else f"{ratio:.4f}" for ratio in ratios)]


def all_disks(results):
    for key, _, _ in DISK:
        pair = disk_pair(results, key)
        if None not in pair:
            yield [key, *(f"{value:.6g}" for value in pair), ratio_of(*pair)]


def plot_lines(results):
    """For gnuplot: workload, then ratio and target, by config and persistent grants."""
    workloads = list(dict.fromkeys(row.split("/")[1] for row, _ in results.rows))
    for workload in workloads:
        values = []
        for config in ("1q", "4q"):
            for persistent in ("N", "Y"):
                row = f"{config}/{workload}"
                known = (row, persistent) in results.rows
                values += [results.ratio(row, persistent, "dom0") if known else None,
                           dom0_target(row, persistent)]
        yield " ".join([workload, *("NaN" if value is None else f"{value:.4f}" for value in values)])


def write(folder):
    results = Results(folder)
    write_csv(os.path.join(folder, "results.csv"),
              ["row", "persistent", "module", *FIELDS, "error"], all_figures(results))
    write_csv(os.path.join(folder, "ratios.csv"), ["row", "persistent", *FIELDS], all_ratios(results))
    write_csv(os.path.join(folder, "disks.csv"), ["figure", *MODULES, "ratio"], all_disks(results))
    for name, lines in ("table.md", tables(results)), ("ratios.dat", plot_lines(results)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
    return 1 if results.reasons or not results.rows else 0


# --- Guard ----------------------------------------------------------------------------------------

def judge(results, row, persistent, committed):
    """The verdict on a row, and the explanation."""
    name = f"bench/{row} persistent={persistent}"
    if results.reason(row, persistent):
        return f"not ok - {name}: {results.reason(row, persistent)} # ERROR"
    if (row, persistent) not in committed:
        return f"not ok - {name}: nothing is committed to compare with # ERROR"
    said, passed = [], True
    for field in MEASURED + (["grant_calls"] if row in results.traced else []):
        ratio, was = results.ratio(row, persistent, field), committed[row, persistent].get(field)
        if ratio is None or was is None:
            return f"not ok - {name}: {field} cannot be compared # ERROR"
        passed = passed and ratio <= was + max(was * TOLERANCE, LITTLE)
        said.append(f"{field} {ratio:.3f}, committed {was:.3f}")
    return f"{'ok' if passed else 'not ok'} - {name}: ours by in-tree: {'; '.join(said)}"


def read_committed(path):
    with open(path, encoding="utf-8") as file:
        return {(line["row"], line["persistent"]):
                {field: float(line[field]) for field in MEASURED + ["grant_calls"] if line[field]}
                for line in csv.DictReader(file) if line["dom0"] and line["guest"]}


def guard(folder, path):
    results = Results(folder)
    committed = read_committed(path)
    verdicts = [judge(results, *name, committed) for name in results.rows]
    print("\n".join(verdicts or ["not ok - bench: nothing was measured # ERROR"]))
    return 0 if verdicts and all(verdict.startswith("ok") for verdict in verdicts) else 1


def compare(one, other):
    """Whether a second run has found what the first one has."""
    first, second = read_committed(one), read_committed(other)
    verdicts = []
    for row, persistent in dict.fromkeys([*first, *second]):
        name = f"bench/{row} persistent={persistent}"
        if (row, persistent) not in first or (row, persistent) not in second:
            verdicts.append(f"not ok - {name}: only in one of them # ERROR")
            continue
        pairs = [(domain, first[row, persistent][domain], second[row, persistent][domain])
                 for domain in MEASURED]
        agree = all(max(pair) <= min(pair) * AGREEMENT for _, *pair in pairs)
        verdicts.append(f"{'ok' if agree else 'not ok'} - {name}: " +
                        "; ".join(f"{domain} {was:.3f}, then {now:.3f}" for domain, was, now in pairs))
    print("\n".join(verdicts or ["not ok - bench: nothing to compare # ERROR"]))
    return 0 if verdicts and all(verdict.startswith("ok") for verdict in verdicts) else 1


def main(arguments):
    if arguments[:1] == ["write"] and len(arguments) == 2:
        return write(arguments[1])
    if arguments[:1] == ["guard"] and len(arguments) == 3:
        return guard(arguments[1], arguments[2])
    if arguments[:1] == ["compare"] and len(arguments) == 3:
        return compare(arguments[1], arguments[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
