#!/usr/bin/env python3
"""
heaptrack.py - the pairs of programs of corpus.py, compared by snapdiff and by heaptrack's own diff.

Nothing leaks and no size differs: every stack that a tool calls new or gone is on both sides.  So that heaptrack is not
blamed for where a program was built, both sides are compiled without their directory in the debug information, and
heaptrack records them at one and the same path.  Exits 1 when snapdiff with --match fuzzy loses more stacks than
heaptrack, 77 where heaptrack is not installed.

usage: heaptrack.py --snapdiff BIN --pairs BIN [--seed N] [CASE...]
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import corpus

SKIPPED = 77
GONE = re.compile(r"^-[0-9.]+\w* leaked over -([0-9]+) calls from", re.MULTILINE)


def build(program, where, order, options):
    options = dict(options, flags=[*options["flags"], f"-ffile-prefix-map={where}=."])
    corpus.build(program, where, order, options)


def track(where, place):
    """heaptrack's recording of the program in `where`, which runs at `place`: its path is part of what heaptrack pairs."""
    os.rename(where, place)
    subprocess.run(["heaptrack", "-o", f"{place}/heaptrack", "./program"], cwd=place, check=True, capture_output=True)
    os.rename(place, where)
    return glob.glob(f"{where}/heaptrack.*")[0]


def lost_by_heaptrack(old, new):
    """Allocations that were there before and, according to the diff, are no more."""
    out = subprocess.run(["heaptrack_print", "-f", new, "-d", old, "--merge-backtraces=0", "--print-peaks=0",
                          "--print-allocators=0", "--print-temporary=0", "--print-leaks=1", "--peak-limit=1000000"],
                         check=True, capture_output=True, text=True).stdout
    return sum(int(calls) for calls in GONE.findall(out))


def run_case(tools, name, base):
    edit, old_build, new_build, _, _ = corpus.CASES[name]
    old_program = corpus.make_old_program(tools.seed, old_build)
    new_program = edit(old_program, random.Random(tools.seed))
    count = corpus.count_allocations(old_program[0])
    order = corpus.shuffled(count, tools.seed + 1)
    tracks, snaps = [], []
    for side, program, options in (("old", old_program, old_build), ("new", new_program, new_build)):
        where = os.path.join(base, side)
        build(program, where, order, options)
        tracks.append(track(where, os.path.join(base, "place")))
        snaps.append(corpus.record(tools.snapdiff, where))
    lost = [corpus.measure(tools, *snaps, order, order, level)["lost"] for level in ("function", "fuzzy")]
    return count, lost_by_heaptrack(*tracks), *lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("cases", nargs="*")
    tools = parser.parse_args()
    tools.snapdiff, tools.pairs = os.path.abspath(tools.snapdiff), os.path.abspath(tools.pairs)
    if not shutil.which("heaptrack") or not shutil.which("heaptrack_print"):
        print("heaptrack is not installed")
        return SKIPPED
    worse = False
    print("| case | stacks | heaptrack | snapdiff | snapdiff `--match function` |\n| --- | ---: | ---: | ---: | ---: |")
    for name in tools.cases or corpus.CASES:
        with tempfile.TemporaryDirectory(prefix="snapdiff-heaptrack-") as base:
            count, heaptrack, function, fuzzy = run_case(tools, name, base)
        print(f"| {name} | {count} | {heaptrack} | {fuzzy} | {function} |", flush=True)
        worse |= fuzzy > heaptrack
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
