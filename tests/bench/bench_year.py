#!/usr/bin/env python3
"""A database that grows for a year: 10,000 snapshots of 400 nightly runs.

    bench_year.py SNAPDIFF [--snapshots N] [--sites N] [--keep DIR]

Writes 25 snapshots a night, whose call stacks are ten frames deep; each night one stack in a hundred is new, and one goes.  Loads them
night by night, as a job would, and prints the time and the memory of the first and last nights' loads, the size of the database, and what
the commands take that people type on it; last `load --keep 90d`, which drops three quarters.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from bench_growth_series import measure, stacks_of

A_NIGHT = 25
DAY = 86400


def write_nights(snapdiff, directory, snapshots, sites):
    """A list of files for each night."""
    count = snapshots // A_NIGHT
    stacks = list(stacks_of(sites + count * sites // 100))
    now = time.time_ns()

    def write_night(night):
        text = directory / f"{night}.txt"
        start = now - (count - night) * DAY * 10**9
        first = night * sites // 100
        files = []
        for seq in range(1, A_NIGHT + 1):
            rows = []
            for site in range(first, first + sites):
                live = seq + site % 7 if site % 5 == 0 else 10 + (site * 7 + seq * 13) % 90
                rows.append(f"{live * 16}\t{live}\t{live * 64}\t{live * 4}\tmalloc\t-\t{stacks[site]}\n")
            text.write_text(f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{start + seq * 60 * 10**9}\n@ start_ns\t{start}\n@ pid\t{1000 + night}\n"
                            "@ program\tserver\n@ command\t./server\n" + "".join(rows))
            files.append(directory / f"server.{1000 + night}.{seq:06}.snap")
            subprocess.run([snapdiff, "build", text, "-o", files[-1]], check=True)
        text.unlink()
        return files

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(write_night, range(count)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--snapshots", type=int, default=10_000)
    parser.add_argument("--sites", type=int, default=300)
    parser.add_argument("--keep", type=pathlib.Path, help="where the files are, or are written to, and stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or pathlib.Path(scratch) / "snaps"
        directory.mkdir(exist_ok=True)
        files = sorted(directory.glob("*.snap"))
        nights = [files[at:at + A_NIGHT] for at in range(0, len(files), A_NIGHT)]
        if len(files) != options.snapshots:
            nights = write_nights(options.snapdiff, directory, options.snapshots, options.sites)
        tell(options.snapdiff, pathlib.Path(scratch) / "year.db", nights)
    return 0


def line(name, measured):
    print(f"{name:44} {measured[0]:8.3f} s {measured[1]:8.3f} s {measured[2]:6.0f} MB", flush=True)


def size_of(database):
    return sum(file.stat().st_size for file in database.parent.glob(database.name + "*"))


def tell(snapdiff, database, nights):
    def load(night):
        return measure(snapdiff, "load", *night, "--db", database, "--label", f"night={night[0].name}")

    read = sum(file.stat().st_size for night in nights for file in night)
    count = sum(map(len, nights))
    print(f"{'':44} {'wall':>10} {'cpu':>10} {'memory':>9}")
    begun = time.perf_counter()
    loads = [load(night) for night in nights]
    spent = time.perf_counter() - begun
    line(f"load, first night ({A_NIGHT} snapshots)", loads[0])
    line(f"load, last night, into {count - A_NIGHT} snapshots", loads[-1])
    print(f"{'all nights':44} {spent:8.3f} s\n{'files':44} {read / 1e6:8.1f} MB\n{'database':44} {size_of(database) / 1e6:8.1f} MB, "
          f"{size_of(database) / count / 1e3:.1f} kB a snapshot")
    line("the last night once more: nothing is new", load(nights[-1]))
    pid = 1000 + len(nights) - 1
    for name, command in (("ls", ["ls"]), ("top", ["top"]), ("compare @1 @-1", ["compare", "@1", "@-1"]),
                          ("growth of the last night", ["growth", "--pid", str(pid)]),
                          ("growth of every night", ["growth"]),
                          ("query: snapshots", ["query", "select count(*), max(live_bytes) from snapshots"]),
                          ("query: history of one function", ["query", "select seq, live_bytes from history where function = 'allocate_1000'"]),
                          ("query: changes of one pair", ["query", "select * from changes where new_snapshot_id = 5000 limit 20"]),
                          ("query: top", ["query", "select * from top limit 20"])):
        line(name, measure(snapdiff, *command, "--db", database))
    line("load --keep 90d, nothing new", measure(snapdiff, "load", *nights[-1], "--db", database, "--keep", "90d"))
    print(f"{'database':44} {size_of(database) / 1e6:8.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
