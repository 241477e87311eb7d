#!/usr/bin/env python3
"""Benchmarks next to the peers: run.py --build DIR [--quick] [--only WORKLOAD]... [--ways WAY]... [--markdown FILE]

Runs each workload bare, under each way of recording that is installed here, and bare again, in alternation; prints
the median ratio to the bare runs around it, and the spread.  CPU is user plus system time of the process and the
children that it waited for; memory is the largest resident set of one process.  A way that fails is reported as
failed, one that takes too long as over so many times the bare program.  The second half of the output holds the
figures against the project's goals.
"""
import argparse
import datetime
import os
import platform
import statistics
import tempfile
import time

import goals
import results
import ways as peers
import workloads
from measure import Bench, describe, spread

FIELDS = ("cpu", "wall", "memory")
# Parts of a workload's share of the time: what is recorded over its own allocator, and over each other one.  What is
# left is for slow peers, and for the repeats that were under way when the time was up.
SHARE_OF_OURS, SHARE_OF_OTHERS = 0.5, 0.12


class Result:
    """What a way of recording did to a workload: lists of ratios to the bare runs around it."""

    def __init__(self, workload, way):
        self.workload, self.way = workload, way
        self.ratios = {field: [] for field in FIELDS}
        self.added_memory = []  # bytes
        self.written = 0
        self.trouble = None

    def median(self, field):
        values = self.ratios[field]
        return statistics.median(values) if values and not self.trouble else None

    def take(self, run, before, after):
        if run.status == -1:
            times = run.cpu / before.cpu
            self.trouble = "over %.0f x" % times if times > 2 else "no end within %.0f s" % run.wall
        elif run.status != 0:
            self.trouble = "failed (exit status %d)" % os.waitstatus_to_exitcode(run.status)
        elif self.way.writes and run.written == 0:
            self.trouble = "failed (wrote nothing)"
        else:
            for field in FIELDS:
                base = (getattr(before, field) + getattr(after, field)) / 2
                self.ratios[field].append(getattr(run, field) / base if base else 1)
            self.added_memory.append(run.memory - (before.memory + after.memory) / 2)
            self.written = run.written


def measure(bench, name, workload, ways, options):
    """way name -> Result, and what the exact snapshot says of the workload."""
    results = {way.name: Result(name, way) for way in ways if way.base}
    description = None
    for base in [way for way in ways if way.base is None]:
        group = [way for way in ways if way.base == base.name]
        if not group:
            continue
        end = time.monotonic() + options.seconds * (SHARE_OF_OURS if base.name == "bare" else SHARE_OF_OTHERS)
        for repeat in range(options.repeat):
            if repeat >= 2 and time.monotonic() > end:
                break
            before = bench.run(workload, base)
            for way in group:
                if (way.effort != "usual" and repeat > 0) or results[way.name].trouble or way.effort == "slow":
                    continue
                run = bench.run(workload, way, limit=options.once_limit if way.effort == "once" else None)
                if way.name == "snapdiff exact" and repeat == 0:
                    description = describe(bench.out)
                after = bench.run(workload, base)
                results[way.name].take(run, before, after)
                before = after
        for way in [way for way in group if way.effort == "slow"]:
            before = bench.run(workload, base, small=True)
            run = bench.run(workload, way, small=True, limit=options.slow_limit)
            results[way.name].take(run, before, before)
    return results, description


def size(number):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            return "%.3g %s" % (number, unit)
        number /= 1024


def row(name, result):
    way = result.way.name + {"usual": "", "once": " (once)", "slow": " (once, small)"}[result.way.effort]
    if result.trouble:
        return "| %s | %s | %s | | | |" % (name, way, result.trouble)
    return "| %s | %s | %s | %s |" % (name, way, " | ".join(spread(result.ratios[field]) for field in FIELDS),
                                       size(result.written) if result.way.writes else "")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--repeat", type=int, default=5, help="at most so many times (default 5), and at least twice")
    parser.add_argument("--minutes", type=float, default=25, help="for all of it: fewer repeats when time runs out")
    parser.add_argument("--quick", action="store_true", help="small sizes, no slow peers")
    parser.add_argument("--only", action="append", help="workloads to run")
    parser.add_argument("--ways", action="append", help="ways to run")
    parser.add_argument("--c-source", help="what cc1 compiles, instead of generated functions")
    parser.add_argument("--markdown", help="write the tables into this file, in its part `engine`: see results.py")
    options = parser.parse_args()
    options.once_limit, options.slow_limit = 20, 8  # seconds
    return options


def main():
    options = parse_options()
    lines = []

    def say(line):
        print(line, flush=True)
        lines.append(line)

    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(directory, limit=120)
        workloads.compile_all(directory, options.c_source)
        chosen = {name: workload for name, workload in workloads.find_all(directory).items()
                  if not options.only or name in options.only}
        ways, missing = peers.find_all(options.build, directory)
        ways = [way for way in ways if not options.ways or way.base is None or way.name in options.ways]
        if options.quick:
            chosen = {name: workload._replace(argv=workload.small) for name, workload in chosen.items()}
            ways = [way for way in ways if way.effort != "slow"]
        options.seconds = options.minutes * 60 / max(1, len(chosen))
        say("%s, %s, %d CPUs (%.1f processes running besides at the start), glibc %s; %s.\n" % (
            datetime.date.today(), platform.machine(), os.cpu_count(), os.getloadavg()[0], platform.libc_ver()[1],
            "small sizes" if options.quick else "full sizes"))
        for sentence in missing:
            say(sentence + "\n")
        say("| workload | recorded by | CPU | wall | peak memory | written |\n| --- | --- | --- | --- | --- | --- |")
        measured, descriptions = {}, {}
        for name, workload in chosen.items():
            measured[name], descriptions[name] = measure(bench, name, workload, ways, options)
            for result in measured[name].values():
                if result.trouble or result.ratios["cpu"]:
                    say(row(name, result))
    for line in goals.tables(measured, descriptions):
        say(line)
    if options.markdown:
        results.replace(options.markdown, "engine", "\n".join(lines) + "\n")


main()
