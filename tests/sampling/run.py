#!/usr/bin/env python3
"""Are sampled figures true, and the errors that go with them honest?

run.py --library libsnap.so --program draws --snapdiff FILE [--seeds N] [--table] PERIOD

The same program is recorded exactly once, then sampled with each of N seeds.  Of every site above 1 % of the heap,
and of each of its figures:

- the mean of the estimates is the exact figure, to within its own error (4.5 standard deviations);
- the exact figure lies within estimate +- 1.96 standard errors, as the snapshot states them, as often as it should:
  95 % in all, and for a site whose blocks are of one size as often as the binomial distribution says, which is
  worked out here.  Observed shares may be off by what chance does once in 50,000 (one site) tries.

One thing cannot be had from sampling by bytes: how many blocks a site has whose sizes are far apart.  Its few small
blocks that are taken stand for hundreds each, and a draw without any of them knows of no uncertainty either.  There
only the mean is judged.

`snapdiff top` must print the same standard errors.
"""
import argparse
import bisect
import concurrent.futures
import glob
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import snapread  # noqa: E402

FIGURES = ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks")
LIMIT = 1.96
NOMINAL = 0.95
UNLIKELY = 1 / 50000
WORST_BIAS = 4.5
SIZES_FAR_APART = ("site_mixed", "site_grown")
# The limits of all sites' shares together.  The normal interval of a binomial is known to be a little short.
LEAST, MOST = 0.93, 0.97

# Snapshots are made durable: in memory that takes no time.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

options = None


class Functions:
    """The site_* functions of a program, by address."""

    def __init__(self, path):
        lines = subprocess.run(["nm", "--defined-only", path], capture_output=True, text=True, check=True).stdout
        rows = sorted((int(words[0], 16), words[2]) for words in map(str.split, lines.splitlines()) if len(words) == 3)
        self.path, self.rows, self.starts = path, rows, [address for address, _ in rows]

    def site(self, snap, node):
        """The name of the newest site_* function of a stack."""
        while node != snapread.NONE:
            node, location = snap["nodes"][node]
            where = snap["locations"][location]
            module = where["module"]
            if module < 0 or snap["strings"][snap["modules"][module]["path"]].decode() != self.path:
                continue
            name = self.rows[bisect.bisect_right(self.starts, where["address"]) - 1][1]
            if name.startswith("site_"):
                return name.split(".")[0]
        return None


def record(functions, directory, **settings):
    """{site: ([figures], [variances])} of one run, and the path of its snapshot."""
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library, **settings)
    subprocess.run([options.program, str(options.period)], env=env, check=True, timeout=1200)
    path = glob.glob(os.path.join(directory, "*.snap"))[0]
    snap = snapread.read(path)
    found = {}
    variances = snap["variances"] or [(0, 0, 0, 0)] * len(snap["sites"])
    for site, variance in zip(snap["sites"], variances):
        name = functions.site(snap, site["node"])
        if name:
            sums, spread = found.setdefault(name, ([0] * 4, [0] * 4))
            for i, figure in enumerate(FIGURES):
                sums[i] += site[figure]
                spread[i] += variance[i]
    return found, path


def sampled(functions, seed):
    directory = tempfile.mkdtemp(prefix="snap-sampling-", dir=PLACE)
    try:
        return record(functions, directory, SNAP_SAMPLE=str(options.period), SNAP_SEED=str(seed))[0]
    finally:
        shutil.rmtree(directory)


def binomial(n, p, k):
    if p >= 1:
        return 1.0 if k == n else 0.0
    return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) +
                    (n - k) * math.log1p(-p))


def expected_share(count, size):
    """How often the interval of `count` blocks of one size holds the truth."""
    p = -math.expm1(-size / options.period)
    return sum(binomial(count, p, k) for k in range(count + 1)
               if abs(k / p - count) <= LIMIT * math.sqrt(k * (1 - p)) / p)


def is_likely(hits, tries, share):
    """Neither tail of a binomial distribution is less than UNLIKELY."""
    low = sum(binomial(tries, share, k) for k in range(hits + 1)) if share > 0 else 1
    high = sum(binomial(tries, share, k) for k in range(hits, tries + 1))
    return low > UNLIKELY / 2 and high > UNLIKELY / 2


def compare_report(functions):
    """`snapdiff top` prints the estimates and the standard errors that the snapshot holds."""
    with tempfile.TemporaryDirectory(prefix="snap-sampling-", dir=PLACE) as directory:
        found, path = record(functions, directory, SNAP_SAMPLE=str(options.period), SNAP_SEED="1")
        done = subprocess.run([options.snapdiff, "top", "-g", "function", "--cumulative", "--all", "-f", "json", path],
                              capture_output=True, text=True, check=True)
    rows = {(row["function"] or "").split("(")[0]: row for row in json.loads(done.stdout)["rows"]}
    wrong = []
    for name, (sums, variances) in found.items():
        for i, figure in enumerate(FIGURES):
            stated = rows[name][figure + "_stderr"]
            if rows[name][figure] != sums[i] or abs(stated - math.sqrt(variances[i])) > 1e-6 * stated + 1e-3:
                wrong.append("top says %s of %s is %s +- %s" % (figure, name, rows[name][figure], stated))
    return wrong


def judge(name, figure, truth, estimates, errors, share):
    """(hits, complaints) of one figure of one site; `share`: how often it is due in its interval, None unknown."""
    tries = len(estimates)
    hits = sum(abs(e - truth) <= LIMIT * s + 0.5 for e, s in zip(estimates, errors))
    mean = sum(estimates) / tries
    spread = math.sqrt(sum((e - mean) ** 2 for e in estimates) / (tries - 1))
    stated = math.sqrt(sum(s * s for s in errors) / tries)
    wrong = []
    if abs(mean - truth) > WORST_BIAS * stated / math.sqrt(tries) + 1:
        wrong.append("%s of %s: mean of the estimates %.0f, truth %d" % (figure, name, mean, truth))
    if share is not None and not is_likely(hits, tries, share):
        wrong.append("%s of %s: within its interval in %d of %d, expected %.3f" % (figure, name, hits, tries, share))
    if options.table:
        print("%-15s %-16s %12d %+7.2f %% %8.2f %% %8.2f %% %6.3f %6s" %
              (name, figure, truth, 100 * (mean / truth - 1), 100 * spread / truth, 100 * stated / truth, hits / tries,
               "" if share is None else "%.3f" % share))
    return hits, wrong


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--table", action="store_true", help="print every site's figures")
    parser.add_argument("period", type=int)
    options = parser.parse_args()
    options.program = os.path.realpath(options.program)
    functions = Functions(options.program)
    with tempfile.TemporaryDirectory(prefix="snap-sampling-", dir=PLACE) as directory:
        exact = record(functions, directory)[0]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        draws = list(pool.map(lambda seed: sampled(functions, seed), range(1, options.seeds + 1)))
    wrong = compare_report(functions)
    heap = sum(sums[0] for sums, _ in exact.values())
    hits = tries = 0
    if options.table:
        print("%-15s %-16s %12s %9s %10s %10s %6s %6s" %
              ("site", "figure", "truth", "bias", "spread", "stated", "within", "due"))
    for name, (sums, _) in sorted(exact.items()):
        if sums[0] < heap / 100:
            wrong.append("%s holds less than 1 %% of the heap" % name)
        for i, figure in enumerate(FIGURES):
            blocks = sums[1] if i < 2 else sums[3]
            share = NOMINAL if "bytes" in figure else None
            if name not in SIZES_FAR_APART:
                share = expected_share(blocks, sums[0] // sums[1])
            found = [draw.get(name, ([0] * 4, [0] * 4)) for draw in draws]
            inside, complaints = judge(name, figure, sums[i], [f[0][i] for f in found],
                                       [math.sqrt(f[1][i]) for f in found], share)
            wrong += complaints
            # All blocks of the huge ones are taken as a rule, and then nothing is uncertain.
            if share is not None and name != "site_huge":
                hits, tries = hits + inside, tries + len(draws)
    print("%d sites, %d seeds: %.2f %% of the true figures within estimate +- 1.96 standard errors" %
          (len(exact), len(draws), 100 * hits / tries))
    if not LEAST < hits / tries < MOST:
        wrong.append("that is too few or too many")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
