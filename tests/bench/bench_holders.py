#!/usr/bin/env python3
"""What it costs to find out who holds what, next to LeakSanitizer: bench_holders.py SNAPDIFF [--repeat N] [--blocks N...]

A program keeps a chain of blocks; see workloads/held.c.  In alternation, LeakSanitizer looks through one that is
linked with it, and `snap --holders` and `snap --holders=retained` copy one that writes into random blocks meanwhile.
Printed are medians: how long the program stands still, the CPU time of the copy and its memory, and how fast the program
writes while the copy works and in the seconds after it, as a part of its speed before.
"""
import argparse
import glob
import os
import statistics
import subprocess
import sys
import tempfile
import time

from workloads import SOURCES

options = None
KINDS = ("", "=retained")


def compile_programs(directory):
    source = os.path.join(SOURCES, "held.c")
    subprocess.run(["gcc", "-O2", "-g", "-o", os.path.join(directory, "held"), source], check=True)
    done = subprocess.run(["gcc", "-O2", "-g", "-fsanitize=leak", "-DLEAK_SANITIZER", "-o",
                           os.path.join(directory, "held_lsan"), source])
    return done.returncode == 0


def lsan(directory, blocks):
    """Milliseconds that the program stands still, and of CPU time."""
    done = subprocess.run([os.path.join(directory, "held_lsan"), str(blocks)], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=600)
    return [float(word) for word in done.stdout.split()]


def facts(path):
    text = subprocess.run([options.snapdiff, "dump", "-q", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(line[2:].split("\t")[:2] for line in text.splitlines() if line.startswith("@ "))


def speed(windows, begin, end):
    """Writes in a second, in the windows that lie between; None: there are none."""
    inside = [i for i in range(1, len(windows)) if windows[i - 1][0] >= begin and windows[i][0] <= end]
    took = sum(windows[i][0] - windows[i - 1][0] for i in inside)
    return sum(windows[i][1] for i in inside) / took if took else None


def snap(directory, blocks, kind):
    """pause and CPU in ms, memory in MB, speed during and after in per cent."""
    out = tempfile.mkdtemp(dir=directory)
    with subprocess.Popen([options.snapdiff, "run", "-q", "-o", out, "--exit-snapshot", "none", "--",
                           os.path.join(directory, "held"), str(blocks)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as host:
        if host.stdout.readline() != "ready\n":
            sys.exit("the program did not start")
        time.sleep(options.seconds)
        begin = time.monotonic_ns()
        subprocess.run([options.snapdiff, "snap", "--holders" + kind, out], stdout=subprocess.DEVNULL, check=True,
                       timeout=600)
        end = time.monotonic_ns()
        time.sleep(options.seconds)
        host.stdin.close()
        windows = [tuple(map(int, line.split())) for line in host.stdout]
        if host.wait() != 0:
            sys.exit("the program failed under the copies")
    meta = facts(glob.glob(os.path.join(out, "*.000001.snap"))[0])
    if meta.get("holders", "").startswith("failed"):
        sys.exit("no copy can be made here: " + meta["holders"])
    before, during = speed(windows, 0, begin), speed(windows, begin, end)
    after = speed(windows, end, end + int(options.seconds * 1e9))
    return [int(meta["holders.pause_ns"]) / 1e6, int(meta["holders.cpu_ns"]) / 1e6, int(meta["holders.memory"]) / 1e6,
            100 * during / before if during else None, 100 * after / before if after else None]


def medians(rows):
    columns = [[value for value in column if value is not None] for column in zip(*rows)]
    return [statistics.median(column) if column else None for column in columns]


def shown(value, digits=1, unit=""):
    return "" if value is None else "%s%s" % (format(value, ",.%df" % digits), unit)


def measure(directory, blocks, has_lsan):
    runs = {kind: [] for kind in KINDS}
    peer = []
    for _ in range(options.repeat):
        if has_lsan:
            peer.append(lsan(directory, blocks))
        for kind in KINDS:
            runs[kind].append(snap(directory, blocks, kind))
    peer = medians(peer) if peer else None
    for kind in KINDS:
        pause, cpu, memory, during, after = medians(runs[kind])
        cells = [format(blocks, ","), "--holders" + kind, shown(pause), shown(cpu, 0), shown(memory, 0),
                 shown(during, 0, " %"), shown(after, 0, " %")]
        if peer:
            cells += [shown(peer[0], 0), shown(peer[1], 0), "1/%.0f" % (peer[0] / pause), "%.2f" % (cpu / peer[1])]
        print("| %s |" % " | ".join(cells), flush=True)


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapdiff")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1, help="how long it writes before and after the copy")
    parser.add_argument("--blocks", type=int, nargs="+", default=[100000, 1000000, 5000000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        has_lsan = compile_programs(directory)
        heads = ["blocks", "snap", "pause ms", "CPU ms", "memory MB", "speed during", "speed after"]
        if has_lsan:
            heads += ["LeakSanitizer: pause ms", "CPU ms", "pause to its", "CPU to its"]
        else:
            print("skipped: LeakSanitizer: gcc -fsanitize=leak cannot link")
        print("| %s |\n| ---: | --- |%s" % (" | ".join(heads), " ---: |" * (len(heads) - 2)))
        for blocks in options.blocks:
            measure(directory, blocks, has_lsan)
    return 0


sys.exit(main())
