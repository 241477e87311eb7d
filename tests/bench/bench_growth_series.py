#!/usr/bin/env python3
"""A long series through growth: from its files, and from a database.

    bench_growth_series.py SNAPDIFF [--snapshots N] [--sites N] [--runs R] [--limit-... X] [--keep DIR]

Writes a series whose call stacks are ten frames deep and in part shared, one stack per line of code; one in five
grows, the others go up and down.  Prints time and peak memory of `growth` from files, of `load`, and of `growth --db`,
and the ratio of their processor time to a floor of the same run: for files, reading each of them once (`info`, which
reads all of a file and keeps its totals); for the database, one scan of its figures by SQLite itself.

Exits 1 when growth takes longer than the limits, or more memory.
"""
import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HEAD = "#snaptext 1\n@ seq\t{0}\n@ time_ns\t{1}\n@ pid\t42\n@ command\t./server\n"


def stacks_of(sites):
    random_ = random.Random(1)
    for site in range(sites):
        callers = [f"layer{level}_{random_.randrange(4 ** min(level, 5))}|layer{level}.c|{level}|server" for level in range(9)]
        yield "\t".join([f"allocate_{site}|part{site % 50}.c|{site + 1}|server", *reversed(callers)])


def write_series(snapdiff, directory, snapshots, sites):
    stacks = list(stacks_of(sites))
    files = []
    for seq in range(1, snapshots + 1):
        text = directory / "snapshot.txt"
        with open(text, "w", encoding="ascii") as out:
            out.write(HEAD.format(seq, 1767323045000000000 + seq * 10**9))
            for site, stack in enumerate(stacks):
                live = seq + site % 7 if site % 5 == 0 else 10 + (site * 7 + seq * 13) % 90
                out.write(f"{live * 16}\t{live}\t{live * 64}\t{live * 4}\tmalloc\t-\t{stack}\n")
        files.append(directory / f"server.42.{seq:06}.snap")
        subprocess.run([snapdiff, "build", text, "-o", files[-1]], check=True)
    return files


def measure(*command):
    """Wall and processor seconds, and peak memory in MB."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {child.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--snapshots", type=int, default=1000)
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--limit-files", type=float, default=12.0, help="seconds")
    parser.add_argument("--limit-db", type=float, default=4.0, help="seconds")
    parser.add_argument("--limit-memory", type=float, default=400, help="MB")
    parser.add_argument("--keep", type=pathlib.Path, help="where the series is, or is written to, and stays")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or pathlib.Path(scratch)
        directory.mkdir(exist_ok=True)
        files = sorted(directory.glob("*.snap"))
        if len(files) != options.snapshots:
            files = write_series(options.snapdiff, directory, options.snapshots, options.sites)
        results = {}
        for run in range(options.runs):
            database = pathlib.Path(scratch) / f"{run}.db"
            for name, _, steps in cases(options.snapdiff, files, database):
                parts = [measure(*step) for step in steps]
                results.setdefault(name, []).append((sum(part[0] for part in parts), sum(part[1] for part in parts),
                                                     max(part[2] for part in parts)))
            database.unlink()
        return tell(options, {name: [statistics.median(run[i] for run in runs) for i in range(3)]
                              for name, runs in results.items()})


def cases(snapdiff, files, database):
    """(name, its floor or None, commands); the load makes the database that later ones read."""
    scan = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*), sum(bytes), sum(blocks) FROM live').fetchall()"
    return (("read files", None, [[snapdiff, "info", file] for file in files]),
            ("growth of files", "read files", [[snapdiff, "growth", *files]]),
            ("load", "read files", [[snapdiff, "load", *files, "--db", database]]),
            ("scan database", None, [[sys.executable, "-c", scan, database]]),
            ("growth of a database", "scan database", [[snapdiff, "growth", "--db", database]]))


def tell(options, medians):
    floors = {name: floor for name, floor, _ in cases("", [], "")}
    limits = {"growth of files": options.limit_files, "growth of a database": options.limit_db}
    failed = False
    print(f"{options.snapshots} snapshots of {options.sites} call stacks; medians of {options.runs} runs\n"
          f"{'':20} {'wall':>9} {'cpu':>9} {'memory':>9} {'cpu to floor':>13}")
    for name, (wall, processor, peak) in medians.items():
        ratio = f"{processor / medians[floors[name]][1]:12.1f}x" if floors[name] else ""
        missed = name in limits and (wall > limits[name] or peak > options.limit_memory)
        print(f"{name:20} {wall:7.2f} s {processor:7.2f} s {peak:6.0f} MB {ratio:>13}{' missed' if missed else ''}")
        failed |= missed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
