#!/usr/bin/env python3
"""Comparing two tracemalloc dumps: snapdiff next to Python's own Snapshot.load and compare_to, in one run.

    bench_tracemalloc.py SNAPDIFF [--traces N] [--depth D] [--runs R] [--require RATIO]

Dumps of N traces at D frames each, once with 20,000 tracebacks shared by all traces (a loop that allocates), once with
a traceback of its own for every trace (the worst case).  Each is loaded and compared by line: by this Python, by
`snapdiff compare --compat tracemalloc` and by plain `snapdiff compare`.  The best of R runs each: CPU seconds, wall
seconds, peak memory, and the ratio to Python.  Exits 1 when --compat is less than RATIO times faster than Python, by
CPU or by wall, or needs more memory.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc

PYTHON = """
import sys, tracemalloc
old = tracemalloc.Snapshot.load(sys.argv[1])
new = tracemalloc.Snapshot.load(sys.argv[2])
for stat in new.compare_to(old, "lineno"):
    print(stat)
"""


def tracebacks(random_, count, depth):
    """Distinct tracebacks over 400 files: the last frame alone tells any two apart."""
    files = ["/srv/app/package_%d/module_%d.py" % (i % 20, i) for i in range(400)]
    frames = [(name, line) for name in files for line in range(10, 60)]
    made = []
    for i in range(count):
        newest = [random_.choice(frames) for _ in range(depth - 1)]
        made.append(tuple(newest) + ((files[i % 400], 1000 + i),))
    return made


def write_dump(path, random_, count, stacks):
    distinct = len(stacks) == count
    traces = []
    for i in range(count):
        frames = stacks[i] if distinct else random_.choice(stacks)
        traces.append((0, random_.randrange(16, 4096), frames, len(frames)))
    tracemalloc.Snapshot(traces, len(stacks[0])).dump(path)


def measure(args, output):
    """(CPU seconds, wall seconds, peak KiB) of a process of its own."""
    start = time.perf_counter()
    with open(output, "wb") as out:
        process = subprocess.Popen(args, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("%s: exit status %d" % (" ".join(args), process.returncode))
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss


def best(args, runs, output):
    return tuple(min(figures) for figures in zip(*(measure(args, output) for _ in range(runs))))


def compare(options, directory, name, paths):
    files = [os.path.join(directory, who + ".txt") for who in ("python", "compat", "plain")]
    python = best([sys.executable, "-c", PYTHON] + paths, options.runs, files[0])
    plain_args = [options.snapdiff, "compare"] + paths
    compat = best(plain_args + ["--compat", "tracemalloc"], options.runs, files[1])
    plain = best(plain_args, options.runs, files[2])
    with open(files[0], "rb") as wanted, open(files[1], "rb") as got:
        if wanted.read() != got.read():
            raise SystemExit("%s: --compat printed something else than Python" % name)
    print("%s (%d MB a dump)" % (name, os.path.getsize(paths[0]) // 10**6))
    for who, figures in (("Python", python), ("--compat", compat), ("compare", plain)):
        print("  %-9s CPU %6.2f s (%5.1fx)   wall %6.2f s (%5.1fx)   peak %5d MiB (%4.2f of Python's)" %
              (who, figures[0], python[0] / figures[0], figures[1], python[1] / figures[1], figures[2] // 1024,
               figures[2] / python[2]))
    fast = min(python[0] / compat[0], python[1] / compat[1]) >= options.require
    return fast and compat[2] < python[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapdiff")
    parser.add_argument("--traces", type=int, default=500_000)
    parser.add_argument("--depth", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--require", type=float, default=0, help="exit 1 below this ratio (default: never)")
    parser.add_argument("--keep", help="write the dumps to this directory and leave them there")
    options = parser.parse_args()
    fine = True
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or scratch
        os.makedirs(directory, exist_ok=True)
        for name, shared in (("20,000 shared tracebacks", 20_000), ("every traceback distinct", options.traces)):
            random_ = random.Random(1)
            stacks = tracebacks(random_, min(shared, options.traces), options.depth)
            paths = [os.path.join(directory, "%d.%s.dump" % (shared, side)) for side in ("old", "new")]
            for path in paths:
                if not os.path.exists(path):
                    write_dump(path, random_, options.traces, stacks)
            del stacks
            fine = compare(options, directory, name, paths) and fine
    return 0 if fine or not options.require else 1


if __name__ == "__main__":
    sys.exit(main())
