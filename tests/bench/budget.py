#!/usr/bin/env python3
"""Instructions for one malloc/free pair: budget.py --library LIBSNAP --program BUDGET --compiler NAME [--update]

Counted by valgrind's callgrind, and so the same each time: what recording adds to the bare pair, once call stacks are
known.  Compared with budget.txt beside this file: more than 5 percent above is a failure (1).  Without valgrind, or if
budget.txt has nothing for that compiler, nothing is judged (77).  --update writes what was counted.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from ways import under_valgrind
from workloads import compile_forward

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "budget.txt")
TOLERANCE = 0.05
PAIRS = 4000  # a round, in budget.c
SKIPPED = 77
HEADER = """# What recording adds to one malloc/free pair, in instructions: written by `./dev bench budget update`.
# compiler of libsnap | program | mode | instructions
"""
PROGRAMS = ("same 1", "same 10", "same 30", "tree")
MODES = {"forward": {}, "exact": {}, "sampled": {"SNAP_SAMPLE": "524288", "SNAP_SEED": "1"}}


def count(program, rounds, arguments, environment):
    """Instructions that the whole run takes."""
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *program, str(rounds)]
                         + arguments.split(), env=dict(os.environ, **environment), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=1200)
    collected = re.search(rb"Collected : (\d+)", run.stdout)
    if run.returncode != 0 or not collected:
        sys.exit("valgrind could not count:\n" + run.stdout.decode(errors="replace"))
    return int(collected.group(1))


def a_pair(program, arguments, environment):
    """Instructions for one pair whose call stack is known."""
    few, many = (count(program, rounds, arguments, environment) for rounds in (2, 6))
    return (many - few) / (4 * PAIRS)


def count_all(options, directory):
    """(program, mode) -> instructions added."""
    forward = compile_forward(directory)
    added = {}
    for arguments in PROGRAMS:
        bare = a_pair([options.program], arguments, {})
        for mode, settings in MODES.items():
            if mode == "forward" and arguments != "same 1":
                continue
            preload = forward if mode == "forward" else os.path.abspath(options.library)
            environment = dict(settings, SNAP_ACTIVE="1", SNAP_EXIT="none",
                               SNAP_OUT=os.path.join(directory, "snaps"))
            added[arguments, mode] = a_pair(under_valgrind(preload, options.program), arguments,
                                            environment) - bare
    return added


def read_budget():
    """(compiler, program, mode) -> instructions."""
    budget = {}
    with open(FILE) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                *key, instructions = [cell.strip() for cell in line.split("|")]
                budget[tuple(key)] = float(instructions)
    return budget


def write_budget(budget):
    with open(FILE, "w") as out:
        out.write(HEADER)
        for key in sorted(budget):
            out.write("%s | %.1f\n" % (" | ".join(key), budget[key]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not installed: nothing was counted")
        return SKIPPED
    budget = read_budget()
    if not options.update and not any(key[0] == options.compiler for key in budget):
        print("budget.txt has nothing for %s: nothing is judged" % options.compiler)
        return SKIPPED
    with tempfile.TemporaryDirectory() as directory:
        added = count_all(options, directory)
    failed = False
    print("%-10s %-10s %14s %10s" % ("program", "mode", "instructions", "budget"))
    for (arguments, mode), instructions in added.items():
        allowed = budget.get((options.compiler, arguments, mode))
        above = not options.update and (allowed is None or instructions > allowed * (1 + TOLERANCE) + 1)
        failed = failed or above
        print("%-10s %-10s %14.1f %10s%s" % (arguments, mode, instructions, "" if allowed is None else "%.1f" % allowed,
                                             "  over budget" if above else ""))
        budget[options.compiler, arguments, mode] = instructions
    if options.update:
        write_budget(budget)
    return 1 if failed else 0


sys.exit(main())
