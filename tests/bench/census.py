#!/usr/bin/env python3
"""What a census of Python's objects costs: the pause of the program, CPU time and memory of the copy; beside
gc.get_objects() and a count of its types, in the program itself, and beside objgraph's search for what holds one object,
where that is installed.

census.py SNAPDIFF [--python PATH] [--objects N ...]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

PROGRAM = """
import collections, ctypes, gc, json, sys, time
class User:
    def __init__(self, i):
        self.number = i
        self.name = "user %d" % i
users = [User(i) for i in range(OBJECTS // 10)]
by_id = {i: (float(i), str(i)) for i in range(OBJECTS // 10)}
rows = [{"id": i, "tags": ["a", i]} for i in range(OBJECTS // 10)]
take = ctypes.CDLL(None).snap_take_census
try:
    import objgraph
except ImportError:
    objgraph = None
times, searches = [], []
for _ in range(3):
    began = time.perf_counter()
    collections.Counter(type(thing).__name__ for thing in gc.get_objects())
    times.append(time.perf_counter() - began)
    if objgraph:
        began = time.perf_counter()
        objgraph.most_common_types()
        objgraph.find_backref_chain(users[-1], objgraph.is_proper_module)
        searches.append(time.perf_counter() - began)
    if take(b"bench") != 0:
        sys.exit("no snapshot was taken")
print(json.dumps([sorted(times)[1], sorted(searches)[1] if searches else None]))
"""


def facts(snapdiff, snapshot):
    done = subprocess.run([snapdiff, "dump", "-q", snapshot], capture_output=True, text=True, check=True)
    lines = (line[2:].split("\t") for line in done.stdout.splitlines() if line.startswith("@ census"))
    found = dict(lines)
    if found.get("census") != "python":
        sys.exit(f"no census: {found}")
    return found


def measure(snapdiff, python, objects):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([snapdiff, "run", "-q", "-o", folder, "--exit-snapshot", "none", "--at-peak", "1TiB", "--",
                               python, "-c", PROGRAM.replace("OBJECTS", str(objects))],
                              capture_output=True, text=True, check=True)
        all_facts = [facts(snapdiff, path) for path in sorted(pathlib.Path(folder).glob("*.snap"))]
    middle = {key: statistics.median(int(found["census." + key]) for found in all_facts)
              for key in ("objects", "pause_ns", "cpu_ns", "memory")}
    count, search = json.loads(done.stdout)
    print(f"| {middle['objects']:,.0f} | {middle['pause_ns'] / 1e6:.1f} ms | {middle['cpu_ns'] / 1e6:,.0f} ms "
          f"| {middle['memory'] / 2**20:,.0f} MiB | {count * 1e3:,.0f} ms "
          f"| {f'{search * 1e3:,.0f} ms' if search else 'not installed'} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--objects", type=int, nargs="+", default=[100_000, 1_000_000])
    options = parser.parse_args()
    print("| objects | pause of the program | CPU of the copy | memory of the copy | gc.get_objects() and a count | objgraph: a count, and one way |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for objects in options.objects:
        measure(options.snapdiff, options.python, objects)


if __name__ == "__main__":
    main()
