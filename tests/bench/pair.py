#!/usr/bin/env python3
"""Nanoseconds of CPU for one malloc/free pair: pair.py --build DIR [--repeat N]

The program of the counted budget (budget.c), through the preload library: what the bare pair takes, and what
forwarding, sampled and exact recording add to it, in alternation; medians, with the spread.
"""
import argparse
import os
import subprocess
import tempfile

import ways
from measure import Bench, spread
from workloads import Workload, compile_forward

HERE = os.path.dirname(os.path.abspath(__file__))
PAIRS = 4000  # a round, in budget.c
ROUNDS = {"same 1": 4000, "same 10": 4000, "same 30": 4000, "tree": 500}
ADDED = ("forward only", "snapdiff 512 KiB", "snapdiff exact")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print("ns for one malloc/free pair\n\n| call stack | bare | %s |\n| --- |%s" % (
        " | ".join("%s adds" % name for name in ADDED), " --- |" * (1 + len(ADDED))))
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory, limit=100)
        program = os.path.join(directory, "budget")
        subprocess.run(["gcc", "-O2", "-fno-builtin", "-o", program, os.path.join(HERE, "budget.c")], check=True)
        compile_forward(directory)
        found = {way.name: way for way in ways.find_all(options.build, directory)[0]}
        for arguments, rounds in ROUNDS.items():
            workload = Workload([program, str(rounds)] + arguments.split(), [], {})
            bare, added = [], {name: [] for name in ADDED}
            for _ in range(options.repeat):
                floor = bench.run(workload, found["bare"]).cpu
                bare.append(floor * 1e9 / (rounds * PAIRS))
                for name in ADDED:
                    added[name].append((bench.run(workload, found[name]).cpu - floor) * 1e9 / (rounds * PAIRS))
            label = arguments.replace("same", "the same, depth").replace("tree", "random tree, some 30 frames")
            cells = [spread(values, 1) for values in [bare] + [added[name] for name in ADDED]]
            print("| %s | %s |" % (label, " | ".join(cells)), flush=True)


main()
