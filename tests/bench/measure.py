"""One run of a program: what it cost, and what a snapshot says of it."""
import glob
import os
import shutil
import statistics
import subprocess
import sys
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))
import snapread  # noqa: E402

# Of a program, by its snapshot: allocations, frames on average, distinct stacks, peak of the live heap in bytes, and
# what the recorder says that it used.
Description = namedtuple("Description", "allocations frames stacks peak recorder")


def spread(values, digits=2):
    """The median, with the lowest and the highest."""
    if len(values) == 1:
        return "%.*f" % (digits, values[0])
    return "%.*f (%.*f-%.*f)" % (digits, statistics.median(values), digits, min(values), digits, max(values))


class Run:
    """What one run cost: seconds, bytes; `status` 0 is success, -1 is out of time."""

    def __init__(self, user, system, wall, memory, status, written):
        self.cpu, self.wall, self.memory = (user + system) / 1e6, wall / 1e6, memory * 1024
        self.status, self.written = status, written


class Bench:
    def __init__(self, directory, limit):
        self.directory, self.limit = directory, limit
        self.out = os.path.join(directory, "out")
        self.cost = os.path.join(directory, "cost")
        subprocess.run(["gcc", "-O2", "-o", self.cost, os.path.join(HERE, "cost.c")], check=True)

    def run(self, workload, way, small=False, limit=None):
        """Run to its end, or for `limit` seconds, in an empty directory."""
        shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out)
        environment, argv = way.start(workload.small if small else workload.argv, self.out)
        environment = dict(workload.environment, **environment)
        result = os.path.join(self.directory, "result")
        subprocess.run([self.cost, str(limit or self.limit), result] + ["%s=%s" % item for item in environment.items()]
                       + argv, cwd=self.out, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open(result) as figures:
            numbers = [int(word) for word in figures.read().split()]
        written = sum(os.path.getsize(os.path.join(root, name))
                      for root, _, names in os.walk(self.out) for name in names)
        return Run(*numbers, written)


def describe(out):
    """What the newest snapshot in `out` says of the program: a Description."""
    paths = glob.glob(os.path.join(out, "*.snap"))
    if not paths:
        return None
    snapshot = snapread.read(max(paths, key=os.path.getmtime))
    allocations = sum(site["allocated_blocks"] for site in snapshot["sites"])
    frames = sum(site["allocated_blocks"] * len(site["stack"]) for site in snapshot["sites"])
    return Description(allocations=allocations, frames=frames / allocations if allocations else 0,
                       stacks=len(snapshot["sites"]),
                       peak=int(snapshot["meta"][b"metrics.heap.peak_bytes"]),
                       recorder=int(snapshot["meta"][b"metrics.recorder.memory"]))
