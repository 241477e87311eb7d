#!/usr/bin/env python3
"""Write the dumps of testdata/tracemalloc: make_dumps.py DIR, once with each Python from 3.6 on.

Runs a small program under tracemalloc and dumps two snapshots, and next to each what this very Python prints for
it (`VERSION.KEY.txt`), which is what versions.py holds snapdiff to.
"""
import os
import sys
import tracemalloc

# Python 3.6 still kept tracebacks newest first; what it prints for them is not what 3.7 and later print.
KEYS = ("lineno", "filename", "traceback") if sys.version_info >= (3, 7) else ("lineno", "filename")


def keep(count, size):
    blocks = []
    for _ in range(count):
        blocks.append(bytearray(size))
    return blocks


def outer(count):
    return keep(count, 1000) + keep(count // 2, 20)


def snapshot():
    """Only this file's traces: the interpreter's own path is nobody's business."""
    return tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])


def write(path, statistics):
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        for stat in statistics:
            file.write("%s\n" % stat)


def main():
    directory = sys.argv[1]
    name = os.path.join(directory, "%d.%d" % sys.version_info[:2])
    tracemalloc.start(5)
    held = outer(20)
    before = snapshot()
    held += outer(50)
    del held[:10]
    after = snapshot()
    tracemalloc.stop()
    before.dump(name + ".before.dump")
    after.dump(name + ".after.dump")
    for key in KEYS:
        write("%s.top.%s.txt" % (name, key), after.statistics(key))
        write("%s.compare.%s.txt" % (name, key), after.compare_to(before, key))


main()
