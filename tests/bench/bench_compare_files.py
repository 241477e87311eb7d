#!/usr/bin/env python3
"""Two snapshots of 100,000 call stacks, 30 frames deep, compared from their files.

    bench_compare_files.py SNAPDIFF [--sites N] [--depth D] [--runs R] [--limit SECONDS]

Writes two snapshots in the text form, turns them into files with `snapdiff build`, and times
`snapdiff compare OLD NEW -f json`, best and median of R runs.  Exits 1 when the median is above the limit.
A tenth of the stacks is new on the right, a tenth is gone, and a fifth has other figures.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time


def call_tree(random_, sites, depth):
    """Stacks as they are in programs: few roots, more choice the deeper one looks."""
    stacks = []
    for _ in range(sites):
        frames = []
        for level in range(depth):
            width = min(3 + level * level, 900)
            pick = random_.randrange(width) if level > 2 else 0
            frames.append(f"module{level % 7}_function_{level}_{pick}(int, char const*)"
                          f"|src/part{level % 7}/file_{pick % 50}.cc|{10 + pick}|libpart{level % 7}.so")
        stacks.append("\t".join(reversed(frames)))
    return stacks


def write_text(path, seq, rows):
    with open(path, "w", encoding="ascii") as out:
        out.write(f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{1767323045000000000 + seq * 10**9}\n"
                  "@ pid\t42\n@ command\t./server\n")
        for stack, live in rows:
            out.write(f"{live * 16}\t{live}\t{live * 64}\t{live * 4}\tmalloc\t0:{live}:{live * 16}\t{stack}\n")


def make_inputs(snapdiff, directory, sites, depth):
    random_ = random.Random(1)
    stacks = call_tree(random_, sites + sites // 10, depth)
    old = [(stack, random_.randrange(1, 100)) for stack in stacks[:sites]]
    new = [(stack, live + (random_.randrange(5) == 0)) for stack, live in old[sites // 10:]]
    new += [(stack, random_.randrange(1, 100)) for stack in stacks[sites:]]
    paths = []
    for seq, rows in ((1, old), (2, new)):
        text = os.path.join(directory, f"{seq}.txt")
        paths.append(os.path.join(directory, f"server.42.{seq:06}.snap"))
        write_text(text, seq, rows)
        subprocess.run([snapdiff, "build", text, "-o", paths[-1]], check=True)
    return paths


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--keep", help="write the inputs to this directory and leave them there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or scratch
        os.makedirs(directory, exist_ok=True)
        paths = make_inputs(options.snapdiff, directory, options.sites, options.depth)
        times = [seconds([options.snapdiff, "compare", *paths, "-f", "json"]) for _ in range(options.runs)]
    median = statistics.median(times)
    print(f"compare of two files of {options.sites} call stacks, {options.depth} frames deep: "
          f"best {min(times):.3f} s, median {median:.3f} s, limit {options.limit:.3f} s")
    return 1 if median > options.limit else 0


if __name__ == "__main__":
    sys.exit(main())
