"""Functions that are known to leak or not, judged by snapdiff.repeat(); prints a line of JSON for each.

usage: leaks.py [DIRECTORY [FUNCTION...]]
"""

import functools
import json
import sys

import snapdiff

kept = []
registry = {}


def clean():
    return [str(number) for number in range(1000)]


def list_grows():
    kept.append(bytearray(5000))


def dict_grows():
    registry[len(registry)] = "x" * (2000 + len(registry))


@functools.lru_cache(maxsize=2)
def bounded(number):
    return bytearray(3000 + number)


def full_cache():
    for number in range(10):
        bounded(number % 5)


class Node:
    """Two of these hold each other: only the collector frees them."""

    def __init__(self):
        self.other = None
        self.load = bytearray(4000)


def cycle():
    first, second = Node(), Node()
    first.other, second.other = second, first


for function in (clean, list_grows, dict_grows, full_cache, cycle):
    if sys.argv[2:] and function.__name__ not in sys.argv[2:]:
        continue
    report = snapdiff.repeat(function, times=8, warmup=3)
    print(json.dumps({"function": function.__name__, "found": [
        {"file": row.file, "line": row.line, "key": row.key} for row in report.findings]}), flush=True)

if sys.argv[1:] and sys.argv[1]:
    with snapdiff.recording(sys.argv[1]) as directory:
        kept.append(bytearray(100_000))
        first = snapdiff.take("first")
        kept.append(bytearray(200_000))
        second = snapdiff.take("second")
    rows = snapdiff.compare(first, second).grown
    print(json.dumps({"compared": [[row.key, row.bytes] for row in rows if row.bytes >= 200_000]}))
