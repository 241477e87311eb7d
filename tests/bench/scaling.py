#!/usr/bin/env python3
"""How recording scales with threads: scaling.py --build DIR [--pairs N] [--repeat N]

The same number of malloc/free pairs is made by 1, 2, 4, 8 and 16 threads, of which each frees what it allocated, or
half of it what another one did; bare and recorded in alternation.  Printed is what part of the bare program's
pairs per second is left (wall clock), and the ratio of CPU time: what recording costs must not grow with the threads.
"""
import argparse
import os
import subprocess
import tempfile

import ways
from measure import Bench, spread
from workloads import SOURCES, Workload, compile_forward

THREADS = (1, 2, 4, 8, 16)
RECORDED_BY = ("snapdiff 512 KiB", "snapdiff exact", "heaptrack in-process")


def ratios(bench, workload, way, bare, repeat):
    """Lists of (pairs per second left, CPU ratio)."""
    left, cpu = [], []
    before = bench.run(workload, bare)
    for _ in range(repeat):
        run = bench.run(workload, way)
        after = bench.run(workload, bare)
        if run.status != 0:
            return None
        left.append((before.wall + after.wall) / 2 / run.wall)
        cpu.append(run.cpu / ((before.cpu + after.cpu) / 2))
        before = after
    return left, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--pairs", type=int, default=8000000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print("%d CPUs\n" % os.cpu_count())
    print("| freed by | threads | recorded by | pairs per second left | CPU |\n| --- | ---: | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory, limit=100)
        program = os.path.join(directory, "pairs")
        subprocess.run(["gcc", "-O2", "-pthread", "-o", program, os.path.join(SOURCES, "pairs.c")], check=True)
        compile_forward(directory)
        found = {way.name: way for way in ways.find_all(options.build, directory)[0]}
        for freed_by, extra in (("the same thread", []), ("another, half", ["cross"])):
            for threads in THREADS:
                workload = Workload([program, str(threads), str(options.pairs)] + extra, [], {})
                for name in [name for name in RECORDED_BY if name in found]:
                    result = ratios(bench, workload, found[name], found["bare"], options.repeat)
                    cells = [spread(values) for values in result] if result else ["failed", ""]
                    print("| %s | %d | %s | %s | %s |" % (freed_by, threads, name, *cells), flush=True)


main()
