#!/usr/bin/env python3
"""Benchmarks next to the peers: run.py --build DIR [--repeat N] [--quick] [--only WORKLOAD]... [--markdown FILE]

Runs each workload bare, under each way of recording that is installed here, and bare again, in alternation; prints
the median ratio to the bare runs around it, and the spread.  CPU is user plus system time of the process and
its children; memory is the largest resident set.  A way that fails is reported as failed.
"""
import argparse
import datetime
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = os.path.join(HERE, "workloads")


class Run:
    """What one run cost."""

    def __init__(self, cpu, wall, memory, written, status):
        self.cpu, self.wall, self.memory, self.written, self.status = cpu, wall, memory, written, status


def measure(argv, env, directory, stdin=None):
    """Run argv to its end in `directory`, which is emptied first."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with open(os.devnull, "w") as null:
        process = subprocess.Popen(argv, env=env, cwd=directory, stdin=stdin or subprocess.DEVNULL, stdout=null,
                                   stderr=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    written = sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(directory) for name in names)
    return Run(cpu, wall, usage.ru_maxrss * 1024, written, status)


def compile_workloads(directory):
    """Build the C and C++ workloads as a user would: -O2, no frame pointers."""
    for name in ("deep", "factor", "larson", "covers"):
        subprocess.run(["gcc", "-O2", "-g", "-pthread", "-o", os.path.join(directory, name),
                        os.path.join(WORKLOADS, name + ".c")], check=True)
    subprocess.run(["g++", "-O2", "-g", "-o", os.path.join(directory, "churn"), os.path.join(WORKLOADS, "churn.cc")],
                   check=True)
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-o", os.path.join(directory, "forward.so"),
                    os.path.join(WORKLOADS, "forward.c")], check=True)
    with open(os.path.join(directory, "big.c"), "w") as out:
        subprocess.run([sys.executable, os.path.join(WORKLOADS, "big_source.py")], stdout=out, check=True)


def workloads(directory, quick):
    """name -> (argv, extra environment)"""
    scale = 0.1 if quick else 1

    def count(number):
        return str(int(number * scale))

    def local(name):
        return os.path.join(directory, name)

    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    found = {
        "deep": ([local("deep"), count(6e6), count(1e6)], {}),
        "deep4": ([local("deep"), count(8e6), count(1e6), "4"], {}),
        "churn": ([local("churn"), count(3e6)], {}),
        "cc1": ([cc1, "-quiet", "-O1", local("big.c"), "-o", os.devnull], {}),
        "factor": ([local("factor"), count(5e6)], {}),
        "larson": ([local("larson"), "4", count(40), "200000"], {}),
        "covers": ([local("covers"), count(40000)], {}),
    }
    if os.path.exists("/usr/bin/sqlite3"):
        found["sqlite"] = (["/usr/bin/sqlite3", ":memory:", ".read " + os.path.join(WORKLOADS, "rows.sql")], {})
    if os.path.exists("/usr/bin/python3"):
        found["python"] = (["/usr/bin/python3", os.path.join(WORKLOADS, "documents.py"), count(150)],
                           {"PYTHONMALLOC": "malloc"})
    return found


def find_library(pattern):
    output = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE).stdout.decode()
    for line in output.splitlines():
        if pattern in line and "=>" in line:
            return line.split("=>")[1].strip()
    return None


def ways(build, directory, slow):
    """name -> function(argv, env, out) -> (argv, env): how to record a command."""
    libsnap = os.path.join(os.path.abspath(build), "lib", "libsnap.so")

    def snap(extra):
        def prepare(argv, env, out):
            env = dict(env, LD_PRELOAD=libsnap, SNAP_ACTIVE="1", SNAP_OUT=out, **extra)
            return argv, env
        return prepare

    def preload(library, **extra):
        return lambda argv, env, out: (argv, dict(env, LD_PRELOAD=library, **extra))

    def wrapped(*prefix):
        return lambda argv, env, out: (list(prefix) + argv, env)

    found = {
        "forward only": preload(os.path.join(directory, "forward.so")),
        "snapdiff exact": snap({}),
        "snapdiff 512 KiB": snap({"SNAP_SAMPLE": "524288"}),
    }
    heaptrack = shutil.which("heaptrack")
    inner = find_heaptrack_preload()
    if inner:
        found["heaptrack in-process"] = lambda argv, env, out: (
            argv, dict(env, LD_PRELOAD=inner, DUMP_HEAPTRACK_OUTPUT=os.path.join(out, "raw")))
    if heaptrack:
        found["heaptrack"] = wrapped(heaptrack, "-o", "trace")
    tcmalloc = find_library("libtcmalloc.so.4")
    if tcmalloc and slow:
        found["gperftools HEAPPROFILE"] = preload(tcmalloc, HEAPPROFILE="heap")
    if slow and shutil.which("valgrind"):
        found["massif"] = wrapped("valgrind", "--tool=massif", "-q")
        found["dhat"] = wrapped("valgrind", "--tool=dhat", "-q")
    return found


def find_heaptrack_preload():
    for root in ("/usr/lib/heaptrack", "/usr/lib/x86_64-linux-gnu/heaptrack", "/usr/lib/aarch64-linux-gnu/heaptrack"):
        path = os.path.join(root, "libheaptrack_preload.so")
        if os.path.exists(path):
            return path
    return None


def compare(argv, env, prepare, repeat, directory):
    """Ratios of a way to the bare runs before and after it."""
    ratios = {"cpu": [], "wall": [], "memory": []}
    written = 0
    out = os.path.join(directory, "out")
    before = measure(argv, env, out)
    for _ in range(repeat):
        way_argv, way_env = prepare(argv, env, out)
        run = measure(way_argv, way_env, out)
        after = measure(argv, env, out)
        if run.status != 0:
            return None
        for field in ratios:
            base = (getattr(before, field) + getattr(after, field)) / 2
            ratios[field].append(getattr(run, field) / base if base else 1)
        written = run.written
        before = after
    return ratios, written


def show(values):
    return "%.2f (%.2f-%.2f)" % (statistics.median(values), min(values), max(values))


def size(number):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            return "%.3g %s" % (number, unit)
        number /= 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--slow", action="store_true", help="also massif, DHAT and gperftools")
    parser.add_argument("--only", action="append", help="workloads to run")
    parser.add_argument("--ways", action="append", help="ways to run")
    parser.add_argument("--markdown", help="append the table to this file")
    options = parser.parse_args()
    lines = ["%s, %s, %d CPUs, glibc %s" % (datetime.date.today(), platform.machine(), os.cpu_count(),
                                            platform.libc_ver()[1]), "",
             "| workload | recorded by | CPU | wall | peak memory | written |", "| --- | --- | --- | --- | --- | --- |"]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as directory:
        compile_workloads(directory)
        for name, (argv, extra) in workloads(directory, options.quick).items():
            if options.only and name not in options.only:
                continue
            for way, prepare in ways(options.build, directory, options.slow).items():
                if options.ways and way not in options.ways:
                    continue
                result = compare(argv, dict(os.environ, **extra), prepare, options.repeat, directory)
                if result is None:
                    line = "| %s | %s | failed | | | |" % (name, way)
                else:
                    ratios, written = result
                    line = "| %s | %s | %s | %s | %s | %s |" % (name, way, show(ratios["cpu"]), show(ratios["wall"]),
                                                                show(ratios["memory"]), size(written))
                print(line, flush=True)
                lines.append(line)
    if options.markdown:
        with open(options.markdown, "a") as out:
            out.write("\n".join(lines) + "\n")


main()
