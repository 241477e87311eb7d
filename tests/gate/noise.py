#!/usr/bin/env python3
"""A gate must not fail by chance, and must still find what is there.

usage: noise.py SNAPDIFF STEADY PAIRS

STEADY (steady.c) is a program that holds the same after each step.  It is recorded by samples, twice PAIRS times, each time with
another seed.  With the tightest limits at most one pair in 200 may fail; so may one series in 200 that is judged by growth.  A program
that leaks must be found nearly always.  The seeds are fixed, so that the result is the same each time.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

SNAPDIFF, STEADY, PAIRS = sys.argv[1], sys.argv[2], int(sys.argv[3])
TIGHT = ("--max-total", "+1%", "--max-site", "+0", "--max-new-sites", "0", "--max-peak", "+20%")
PERIOD = "16KiB"


def record(directory, seed, *arguments):
    subprocess.run([SNAPDIFF, "run", "-q", "--sample", PERIOD, "--exit-snapshot", "none", "-o", directory, "--", STEADY, *arguments],
                   check=True, env={**os.environ, "SNAP_SEED": str(seed)}, timeout=1200)


def check(*arguments):
    """(exit status, the report)"""
    done = subprocess.run([SNAPDIFF, "check", "-f", "json", "-q", *arguments], capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def judge_pair(number, steps="1", *more):
    with tempfile.TemporaryDirectory(prefix="snapdiff-noise-") as place:
        old, new = os.path.join(place, "old"), os.path.join(place, "new")
        record(old, 2 * number + 1, steps)
        record(new, 2 * number + 2, steps, *more)
        status, report = check(new, "--baseline", old, *TIGHT)
        assert all(given["sample_period"] == 16384 for given in report["inputs"])
        return status, [row["message"] for row in report["rows"]]


def judge_text(number, *more):
    """A baseline that is written from sampled runs says how sure its figures are."""
    with tempfile.TemporaryDirectory(prefix="snapdiff-noise-") as place:
        olds, new = [os.path.join(place, f"old{i}") for i in range(number % 3 + 1)], os.path.join(place, "new")
        for i, old in enumerate(olds):
            record(old, 200000 + 10 * number + i, "1")
        record(new, 300000 + number, "1", *more)
        baseline = os.path.join(place, "memory.txt")
        subprocess.run([SNAPDIFF, "check", "-q", "--write-baseline", baseline, *olds], check=True, timeout=1200)
        status, report = check(new, "--baseline", baseline, *TIGHT)
        return status, [row["message"] for row in report["rows"]]


def judge_series(number, *more):
    with tempfile.TemporaryDirectory(prefix="snapdiff-noise-") as place:
        record(place, 100000 + number, "10", *more)
        status, report = check(place, "--max-growth", "1MiB/h")
        return status, [row["message"] for row in report["rows"]]


def count(what, judge, arguments, least, most, tries):
    """Of so many tries at least `least` and at most `most` may fail."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda number: judge(number, *arguments), range(tries)))
    failed = [messages for status, messages in results if status == 1]
    fine = least <= len(failed) <= most
    print(f"{what}: {len(failed)} of {len(results)} fail{'' if fine else ', WRONG: ' + str(failed[:3])}")
    return fine


def main():
    few = max(PAIRS // 10, 1)
    chance = max(PAIRS // 200, 1)
    fine = [count("clean pairs of sampled runs", judge_pair, (), 0, chance, PAIRS),
            count("clean runs against a written baseline", judge_text, (), 0, chance, PAIRS // 4),
            count("runs with 2 MiB more than a written baseline", judge_text, ("512",), few, few, few),
            count("clean series of sampled snapshots", judge_series, (), 0, chance, PAIRS),
            count("pairs with 2 MiB more at one site", judge_pair, ("1", "512"), few, few, few),
            count("series that leak 256 KiB a step", judge_series, ("64",), few - few // 10, few, few)]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
