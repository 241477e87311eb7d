#!/usr/bin/env python3
"""The recorder's own memory: memory.py --library LIBSNAP [PROGRAM]...

Runs programs bare, recorded exactly and sampled, and prints what recording adds to the largest resident set, what
the snapshot says that it uses, and what is allowed: 30 % of the peak heap, 64 bytes a distinct call stack and 8 MB;
sampled, 1 % and 8 MB; and never more than 25 MB for covers, whose heap is tiny and whose stacks are many.  Exit status
1 if one of them is exceeded.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import goals
import ways
from measure import Bench, describe
from workloads import SOURCES, Workload

PROGRAMS = {
    "deep": ("deep", ["1300000", "1000000"]),
    "paths": ("paths", ["1300000", "1000000"]),
    "covers": ("covers", ["3000"]),
    "64 threads": ("deep", ["400000", "200000", "64"]),
}
COVERS_MOST = 25e6
MB = 1e6


def compile_all(directory):
    for source in {source for source, _ in PROGRAMS.values()}:
        subprocess.run(["gcc", "-O2", "-pthread", "-o", os.path.join(directory, source),
                        os.path.join(SOURCES, source + ".c")], check=True)


def check(bench, name, library):
    """Print a row for each mode; False if more is used than is allowed."""
    source, arguments = PROGRAMS[name]
    workload = Workload([os.path.join(bench.directory, source)] + arguments, [], {})
    bare = bench.run(workload, ways.Way("bare", None, lambda argv, out: ({}, argv), "usual", False))
    fine, about = True, None
    for mode, settings in (("exact", {}), ("sampled", {"SNAP_SAMPLE": str(ways.PERIOD)})):
        run = bench.run(workload, ways.Way(mode, "bare", ways.snap(library, **settings), "usual", True))
        said = describe(bench.out)
        if run.status != 0 or not said:
            print("%-12s %-8s failed" % (name, mode))
            return False
        about = about or said
        allowed = goals.allowed_exact(about) if mode == "exact" else goals.allowed_sampled(about)
        if name == "covers":
            allowed = min(allowed, COVERS_MOST)
        added = run.memory - bare.memory
        over = max(added, said.recorder) > allowed
        print("%-12s %-8s %9.1f %9s %9.1f %9.1f %9.1f%s" % (
            name, mode, said.peak / MB, format(said.stacks, ","), added / MB, said.recorder / MB, allowed / MB,
            "  over" if over else ""))
        fine = fine and not over
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("programs", nargs="*", help=", ".join(PROGRAMS))
    options = parser.parse_args()
    print("%-12s %-8s %9s %9s %9s %9s %9s" % ("program", "mode", "heap MB", "stacks", "added MB", "says MB", "allowed"))
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory, limit=100)
        compile_all(directory)
        results = [check(bench, name, os.path.abspath(options.library)) for name in options.programs or PROGRAMS]
    return 0 if all(results) else 1


sys.exit(main())
