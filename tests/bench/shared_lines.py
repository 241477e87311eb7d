#!/usr/bin/env python3
"""Does recording write to cache lines that threads share?  shared_lines.py --library LIBSNAP --program SHARED_LINES

Two threads make malloc/free pairs in turns, from call stacks that are known, under valgrind's lackey, which lists
every store; those that libsnap's own code makes for both threads to one line of 64 bytes are counted.  Once in 1,024
captures a thread adds its counts to the shared ones: four such stores for 1,000 pairs are allowed (1 otherwise).  Then
one thread allocates what the other frees: the slots of those blocks change hands with them, and nothing else may be
shared.  Without valgrind nothing is judged (77).
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from ways import under_valgrind

LINE = 64
PAIRS, HANDED_OVER = 1100, 300  # as in shared_lines.c
MOST_A_THOUSAND = 4
SKIPPED = 77
SETTINGS = {"exact": {}, "sampled": {"SNAP_SAMPLE": "524288", "SNAP_SEED": "1"}}


def trace(program, library, settings, directory):
    """Lines that the program printed, and the path of the list of its memory accesses."""
    log = os.path.join(directory, "accesses")
    environment = dict(os.environ, SNAP_ACTIVE="1", SNAP_EXIT="none",
                       SNAP_OUT=os.path.join(directory, "snaps"), **settings)
    run = subprocess.run(["valgrind", "--tool=lackey", "--basic-counts=no", "--trace-mem=yes", "--log-file=" + log,
                          *under_valgrind(library, program)], env=environment, stdout=subprocess.PIPE, timeout=200)
    if run.returncode != 0:
        sys.exit("the program failed under valgrind: status %d" % run.returncode)
    return [line.split() for line in run.stdout.decode().splitlines()], log


def stores_by_phase(said, log):
    """For each phase 1 to 4: cache line -> Counter of the instructions of libsnap that stored to it."""
    mark = int(next(words[1] for words in said if words[0] == "phase"), 16)
    code = [(int(words[1], 16), int(words[1], 16) + int(words[2], 16)) for words in said if words[0] == "code"]
    if len(code) != 1:
        sys.exit("libsnap is not loaded, or in several pieces")
    begin, end = code[0]
    phases = {number: {} for number in (1, 2, 3, 4)}
    current, marks, ours, at = None, 0, False, 0
    with open(log) as accesses:
        for access in accesses:
            if access[0] == "I":
                at = int(access[3:access.index(",")], 16)
                ours = begin <= at < end
            elif access[:2] in (" S", " M"):
                address, size = access[3:].split(",")
                address = int(address, 16)
                if address == mark:
                    marks += 1
                    current = phases[marks // 2 + 1] if marks % 2 else None
                elif ours and current is not None:
                    for line in range(address // LINE, (address + int(size) - 1) // LINE + 1):
                        current.setdefault(line, Counter())[at - begin] += 1
    return phases


def shared(first, second):
    """(stores, cache lines) that both threads made."""
    lines = set(first) & set(second)
    return sum(sum(stores[line].values()) for stores in (first, second) for line in lines), lines


def judge(mode, phases):
    stores, lines = shared(phases[1], phases[2])
    a_thousand = stores * 1000 / (2 * PAIRS)
    handed, handed_lines = shared(phases[3], phases[4])
    most_handed = 2 * HANDED_OVER * (1 + MOST_A_THOUSAND / 1000)  # put once and taken once
    print("%-8s own blocks: %d of %d stores by libsnap went to %d shared lines (%.1f for 1,000 pairs, allowed %d)" % (
        mode, stores, sum(sum(c.values()) for p in (1, 2) for c in phases[p].values()), len(lines), a_thousand,
        MOST_A_THOUSAND))
    print("%-8s freed by another thread: %d stores to %d shared lines for %d blocks (allowed: twice each)" % (
        mode, handed, len(handed_lines), HANDED_OVER))
    if mode == "exact" and not phases[1]:
        sys.exit("nothing was recorded")
    return a_thousand <= MOST_A_THOUSAND and handed <= most_handed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not installed: nothing was counted")
        return SKIPPED
    fine = True
    for mode, settings in SETTINGS.items():
        with tempfile.TemporaryDirectory() as directory:
            fine = judge(mode, stores_by_phase(*trace(options.program, options.library, settings, directory))) and fine
    return 0 if fine else 1


sys.exit(main())
