#!/usr/bin/env python3
"""Run CPython's own tests of tracemalloc's snapshots with the statistics computed by snapdiff.

Snapshot.statistics() and compare_to() are replaced: they dump the snapshot and build their result from
`snapdiff --compat tracemalloc -f json`.  Exit status 77 when this Python comes without its test suite.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
import unittest

KEYS = {"lineno": "line", "filename": "file", "traceback": "stack"}


def ask(snapdiff, command, snapshots, key_type, cumulative):
    if key_type not in KEYS:
        raise ValueError("unknown key_type: %r" % (key_type,))
    with tempfile.TemporaryDirectory() as directory:
        args = [snapdiff, command]
        for number, snapshot in enumerate(snapshots):
            path = os.path.join(directory, "%d.dump" % number)
            snapshot.dump(path)
            args.append(path)
        args += ["--compat", "tracemalloc", "-g", KEYS[key_type], "-f", "json"]
        if cumulative:
            args.append("--cumulative")
        result = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode == 2:
            raise ValueError(result.stderr.decode().strip().split(": ", 2)[-1])
        if result.returncode:
            raise RuntimeError(result.stderr.decode())
        return json.loads(result.stdout)["rows"]


def traceback_of(row):
    return tracemalloc.Traceback(tuple((name, line) for name, line in row["frames"]))


def reroute(snapdiff):
    def statistics(self, key_type, cumulative=False):
        return [tracemalloc.Statistic(traceback_of(row), row["size"], row["count"])
                for row in ask(snapdiff, "top", [self], key_type, cumulative)]

    def compare_to(self, old_snapshot, key_type, cumulative=False):
        return [tracemalloc.StatisticDiff(traceback_of(row), row["size"], row["size_diff"], row["count"],
                                          row["count_diff"])
                for row in ask(snapdiff, "compare", [old_snapshot, self], key_type, cumulative)]

    tracemalloc.Snapshot.statistics = statistics
    tracemalloc.Snapshot.compare_to = compare_to


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff", required=True)
    options = parser.parse_args()
    try:
        from test import test_tracemalloc
    except ImportError as error:
        print("skipped: this Python has no test suite (%s)" % error)
        sys.exit(77)
    reroute(os.path.abspath(options.snapdiff))
    suite = unittest.TestSuite()
    for case in (test_tracemalloc.TestSnapshot, test_tracemalloc.TestFilters):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


main()
