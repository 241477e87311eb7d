#!/usr/bin/env python3
"""Are recorded stacks true?  Programs under SNAP_VERIFY, which unwinds stacks a second time with libunwind.

verify.py --library libsnap.so [--every N]... [--long] [--table] NAME...

NAME is frames, leaps, modules, bare, workloads, or a command in one word, such as 'git log --stat'.  Programs of this
directory are compiled here, with each compiler that is installed.  --long: more of everything; --table: print the counts
as rows of a table.
"""
import argparse
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
import snapread  # noqa: E402

REPORT = re.compile(r"SNAP_VERIFY: \S+ \(\d+\): (\d+) equal and complete, (\d+) mismatches, (\d+) cut at the depth limit, "
                    r"(\d+) truncated by us, (\d+) truncated by libunwind, (\d+) not reached by libunwind, (\d+) skipped")
COUNTS = ("equal", "mismatches", "depth limit", "truncated", "theirs truncated", "not reached", "skipped")
COMPILERS = [pair for pair in (("gcc", "g++"), ("clang", "clang++")) if shutil.which(pair[0]) and shutil.which(pair[1])]
SKIPPED = 77
FLAGS = ("-O2", "-O2 -fno-omit-frame-pointer", "-O0", "-Os", "-O3 -fno-optimize-sibling-calls")

options = None
failures = 0


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def compile_to(output, compiler, flags, *sources):
    subprocess.run([compiler, *shlex.split(flags), "-D_GNU_SOURCE", "-g", "-w", "-pthread", "-o", output, *sources],
                   check=True)
    return output


def source(name):
    return os.path.join(HERE, name)


class Verified:
    """One command under SNAP_VERIFY: its counts, summed over its processes, and what it left."""

    def __init__(self, what, argv, every, directory, **environment):
        self.out = tempfile.mkdtemp(dir=directory)
        env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=self.out, SNAP_VERIFY=str(every), LD_PRELOAD=options.library,
                   **environment)
        env.pop("LD_BIND_NOW", None)
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", timeout=3000, cwd=directory)
        if "no stack is verified" in done.stderr:
            print("skipped: " + done.stderr.strip())
            sys.exit(SKIPPED)
        self.what, self.stdout = what, done.stdout
        reports = REPORT.findall(done.stderr)
        self.counts = dict(zip(COUNTS, (sum(map(int, column)) for column in zip(*reports)))) or self.recorded()
        check(done.returncode == 0, f"{what}: ended with {done.returncode}: {done.stderr[-500:]}")
        check(self.counts["equal"] + self.counts["truncated"] > 0, f"{what}: nothing was verified: {done.stderr[-500:]}")
        if self.counts["mismatches"]:
            print("\n".join(line for line in done.stderr.splitlines() if line.startswith("libsnap:")), file=sys.stderr)
        self.check_all("mismatches", "not reached")
        if options.table:
            print(f"| {what} | {every} | " + " | ".join(f"{self.counts[c]:,}" for c in COUNTS) + " |", flush=True)

    def recorded(self):
        """The counts that snapshots have, of programs that close their standard error before they end."""
        metas = [snapread.read(path)["meta"] for path in glob.glob(self.out + "/*.snap")]
        return dict(dict.fromkeys(COUNTS, 0),
                    equal=sum(int(meta.get(b"metrics.recorder.stacks_verified", 0)) for meta in metas),
                    mismatches=sum(int(meta.get(b"losses.verify_mismatches", 0)) for meta in metas))

    def check_all(self, *names):
        """These counts must be 0."""
        for name in names:
            check(self.counts[name] == 0, f"{self.what}: {name}: {self.counts[name]}")

    def snapshot(self):
        """That of the process which was started, not of its children."""
        found = [snapread.read(path) for path in glob.glob(self.out + "/*.snap")]
        pids = {snapshot["meta"][b"pid"] for snapshot in found}
        return next(snapshot for snapshot in found if snapshot["meta"][b"ppid"] not in pids)


def each_build(directory, name, cxx=False):
    """(what, path) of the program in each compiler's builds; the first compiler's of all kinds, -O2 of others."""
    for number, compilers in enumerate(COMPILERS):
        for flags in FLAGS if number == 0 or options.long else FLAGS[:1]:
            compiler = compilers[cxx]
            path = os.path.join(directory, f"{name}.{compiler}{flags.replace(' ', '')}")
            yield f"{name}, {compiler} {flags}", compile_to(path, compiler, flags, source(name + (".cpp" if cxx else ".c")))


def frames(directory):
    for what, program in each_build(directory, "t19_frames"):
        for every in options.every or (range(1, 8) if "gcc -O2" == what[-7:] or options.long else (3,)):
            run = Verified(what, [program, "400" if options.long else "30"], every, directory)
            check(run.counts["equal"] > 1000, f"{what}: only {run.counts['equal']} stacks were verified")
            run.check_all("truncated", "theirs truncated", "depth limit", "skipped")


def leaps(directory):
    for what, program in each_build(directory, "t19_leaps", cxx=True):
        for every in options.every or (range(1, 8) if options.long else (1, 7)):
            run = Verified(what, [program, "1000" if options.long else "100"], every, directory)
            check(run.counts["equal"] > 1000, f"{what}: only {run.counts['equal']} stacks were verified")
            check(run.counts["depth limit"] > 0, f"{what}: no stack is cut at the depth limit")
            run.check_all("truncated", "theirs truncated")


def live_through(snapshot, module):
    """Live bytes of stacks with a frame in `module`."""
    return sum(site["live_bytes"] for site in snapshot["sites"]
               if any(os.path.basename(frame[3]).decode() == module for frame in site["stack"]))


def modules(directory):
    """Two modules take turns at one place: what was allocated through each stays its own.

    With frames of two sizes, so that stale rules are noticed; and of one, so that nothing on the stack tells the two apart.
    """
    red, blue, large_blue = (compile_to(os.path.join(directory, f"librelay_{name}.so"), COMPILERS[0][0],
                                        f"-O2 -fPIC -shared -DFRAME_BYTES={size}", source("relay.c"))
                             for name, size in (("red", 72), ("blue", 72), ("large_blue", 104)))
    for what, program in each_build(directory, "t19_modules"):
        for every, plugins in [(n, (red, b)) for n in options.every or (1, 5) for b in (blue, large_blue)]:
            run = Verified(what, [program, *plugins], every, directory)
            run.check_all("truncated", "theirs truncated", "depth limit")
            check(int(run.stdout.split()[-1]) > 50, f"{what}: the modules were not mapped at one place, which proves nothing")
            found = [live_through(run.snapshot(), os.path.basename(plugin)) for plugin in plugins]
            check(found == [7 * 2000, 5 * 3000], f"{what}: closed modules have {found} bytes")


def bare(directory):
    """Without call frame information and frame pointers a stack is truncated, and says so."""
    for compiler, _ in COMPILERS:
        what = f"t19_bare, {compiler}"
        part = compile_to(os.path.join(directory, "bare.o"), compiler,
                          "-O2 -c -DBARE -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables",
                          source("t19_bare.c"))
        program = compile_to(os.path.join(directory, "t19_bare"), compiler, "-O2", part, source("t19_bare.c"))
        run = Verified(what, [program], 1, directory)
        run.check_all("equal", "theirs truncated", "depth limit")
        check(run.counts["truncated"] > 100, f"{what}: {run.counts['truncated']} stacks are said to be truncated")
        snapshot = run.snapshot()
        check(int(snapshot["meta"][b"losses.stacks_truncated"]) >= run.counts["truncated"], f"{what}: losses")
        for site in snapshot["sites"]:
            check(site["stack"] and site["stack"][-1][0] == b"[truncated]", f"{what}: {site['stack']} is not said to be truncated")


def workloads(directory):
    """The programs of the benchmarks."""
    import workloads as programs
    programs.compile_all(directory)
    for name, workload in programs.find_all(directory).items():
        # Objects of Python have Python's stacks otherwise, which nobody else can unwind.
        environment = {"SNAP_PYTHON": "off", **workload.environment}
        for every in options.every or (97,):
            run = Verified(name, workload.argv if options.long else workload.small, every, directory, **environment)
            check(run.counts["equal"] > 100, f"{name}: only {run.counts['equal']} stacks were verified")


TESTS = {"frames": frames, "leaps": leaps, "modules": modules, "bare": bare, "workloads": workloads}


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--every", type=int, action="append")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    options.library = os.path.abspath(options.library)
    for name in options.names:
        before = failures
        with tempfile.TemporaryDirectory(prefix="snap-verify-") as directory:
            if name in TESTS:
                TESTS[name](directory)
            else:
                Verified(name, shlex.split(name), (options.every or [1])[0], directory)
        print(f"{'ok    ' if failures == before else 'FAILED'} {name}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
