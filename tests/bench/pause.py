#!/usr/bin/env python3
"""What a snapshot does to allocating threads: pause.py --build DIR [--live BLOCKS] [--threads N] [--repeat N]

Threads replace blocks of a large heap and note how long each malloc/free pair took; see workloads/pause.c.  Printed
are percentiles and the longest pair, in microseconds: of the bare program, recorded without a snapshot, and while
one is written.  A long pair is either *preempted* (the kernel gave the processor to somebody else: scheduling noise),
*waiting* (the thread gave it up by itself, for a lock or a page: that would be our doing) or neither, and then what
counts is the CPU time that it took: the rest was taken from the whole machine.  Exit status 1 if waiting or CPU time
exceeds a millisecond while a snapshot is written.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from workloads import SOURCES

FIELDS = ("pairs", "50 %", "99 %", "99.99 %", "99.9999 %", "longest", "by CPU", "preempted", "waiting", "neither")
MOST_US = 1000


def run(directory, options, environment):
    """kind of time -> numbers, as pause.c prints them; and how long the snapshot took, in ms."""
    snaps = os.path.join(directory, "snaps")
    shutil.rmtree(snaps, ignore_errors=True)
    os.makedirs(snaps)
    output = subprocess.run([os.path.join(directory, "pause"), str(options.live), str(options.threads), "2"],
                            env=dict(os.environ, SNAP_OUT=snaps, **environment), stdout=subprocess.PIPE, check=True,
                            timeout=1200).stdout.decode()
    lines = {words[0]: [float(word) for word in words[1:]] for words in map(str.split, output.splitlines())}
    return lines, lines.pop("took")[0] / 1000


def row(what, numbers):
    return "| %s | %s |" % (what, " | ".join("%.0f" % n if n >= 100 or n == 0 else "%.1f" % n for n in numbers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--live", type=int, default=5000000)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) - 1),
                        help="default: one less than processors, for the one that writes")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    recorded = {"LD_PRELOAD": os.path.join(os.path.abspath(options.build), "lib", "libsnap.so"), "SNAP_ACTIVE": "1",
                "SNAP_EXIT": "none"}
    fine = True
    print("%s live blocks, %d threads that allocate; microseconds for a malloc/free pair.\n" % (
        format(options.live, ","), options.threads))
    print("| | %s |\n| --- |%s" % (" | ".join(FIELDS), " ---: |" * len(FIELDS)))
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["gcc", "-O2", "-g", "-D_GNU_SOURCE", "-pthread", "-o", os.path.join(directory, "pause"),
                        os.path.join(SOURCES, "pause.c"), "-ldl"], check=True)
        for _ in range(options.repeat):
            bare, _ = run(directory, options, {})
            lines, took = run(directory, options, recorded)
            writing = dict(zip(FIELDS, lines["writing"]))
            fine = fine and max(writing["by CPU"], writing["waiting"]) <= MOST_US
            print(row("bare", bare["quiet"]))
            print(row("recorded", lines["quiet"]))
            print(row("snapshot of %.0f ms" % took, lines["writing"]), flush=True)
    return 0 if fine else 1


sys.exit(main())
