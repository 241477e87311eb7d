#!/usr/bin/env python3
"""Symbolising a snapshot of a large C++ program, without and with what is remembered.

    bench_symbols.py SNAPDIFF [--units N] [--functions N] [--called N] [--runs R] [--keep DIR]

Writes a program of N units, each full of templates over containers, strings, smart pointers and lambdas (the
default becomes a binary of about 300 MB, almost all of it debug information), compiles and links it, records a
run in which every unit allocates from its first --called functions (the default gives about 20,000 distinct
frames), and times `snapdiff top`:

    cold    nothing is remembered: the files' debug information is read
    warm    every name comes from the cache that the cold run wrote

next to floors of the same machine and moment: reading the binary once, and addr2line on the same addresses,
inlined frames and demangling included, where binutils is installed.  Runs take turns; medians are printed.
Processor time (user and system) is what a busy machine changes least.

Exits 1 when the median of the processor time is above 10 s cold or 0.3 s warm.
"""
import argparse
import concurrent.futures
import glob
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

LIMITS = {"cold": 10, "warm": 0.3}
KINDS = 20  # types that a unit's templates are instantiated for

UNIT = """#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
extern void *volatile kept;
namespace unit%(unit)d {
template <int K> struct item {
	int id = K;
	std::string name;
	std::vector<std::shared_ptr<item>> links;
};
template <int K> struct table {
	std::map<std::string, item<K>> by_name;
	std::unordered_map<int, std::vector<item<K>>> by_id;
	std::function<void(item<K> &)> visit;
	void put(int i)
	{
		auto &one = by_name["x" + std::to_string(i)];
		one.links.push_back(std::make_shared<item<K>>(one));
		by_id[i].push_back(one);
		visit = [this, i](item<K> &other) { other.id = i + (int)by_id.size(); };
		visit(one);
	}
};
template <int N> __attribute__((noinline)) void step(int i)
{
	auto *mine = new table<N %% %(kinds)d>;
	mine->put(i);
	kept = mine;
}
"""

FUNCTION = """__attribute__((noinline)) void f%(number)d(int i)
{
	kept = new char[%(size)d];
	step<%(number)d>(i);
}
"""


def unit_source(unit, functions):
    calls = "".join(f"\tif (called > {i})\n\t\tf{i}({i});\n" for i in range(functions))
    return (UNIT % {"unit": unit, "kinds": KINDS} +
            "".join(FUNCTION % {"number": i, "size": 16 + i} for i in range(functions)) +
            f"void run(int called)\n{{\n{calls}}}\n}}\n")


def main_source(units):
    return ("#include <cstdlib>\nvoid *volatile kept;\n" +
            "".join(f"namespace unit{i} {{ void run(int); }}\n" for i in range(units)) +
            "int main(int, char **words)\n{\n" +
            "".join(f"\tunit{i}::run(std::atoi(words[1]));\n" for i in range(units)) + "}\n")


def compile_one(source):
    subprocess.run(["nice", "c++", "-std=c++17", "-g", "-O1", "-c", source, "-o", source[:-4] + ".o"], check=True)
    return source[:-4] + ".o"


def build(directory, units, functions):
    """The program's path."""
    program, sources = os.path.join(directory, "program"), []
    for name, text in [("main", main_source(units)), *((f"u{i}", unit_source(i, functions)) for i in range(units))]:
        sources.append(os.path.join(directory, name + ".cpp"))
        with open(sources[-1], "w", encoding="ascii") as out:
            out.write(text)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    subprocess.run(["c++", *objects, "-Wl,--build-id", "-o", program], check=True)
    for path in objects:
        os.unlink(path)
    return program


def record(snapdiff, program, called, directory):
    """The newest snapshot of a run, fresh or kept."""
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run([snapdiff, "run", "-q", "-o", directory, "--", program, str(called)], check=True)
    return sorted(glob.glob(os.path.join(directory, "*.snap")))[-1]


def measure(command, **options):
    """Wall and processor seconds, peak MiB."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {child.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def remembered(cache, program, into):
    """How many addresses the cache has; those of the program go to the file `into`, as addr2line wants them."""
    notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True, check=True).stdout
    build_id = notes.split("Build ID: ")[1].split()[0]
    with sqlite3.connect(os.path.join(cache, "snapdiff", "symbols.db")) as database:
        count, = database.execute("select count(*) from (select distinct build_id, address from symbol)").fetchone()
        own = database.execute("select distinct address from symbol where build_id like ? || '%' order by address",
                               (build_id,)).fetchall()
    with open(into, "w", encoding="ascii") as out:
        out.writelines(f"{address:#x}\n" for address, in own)
    return count


def run(arguments, directory):
    program, snaps = os.path.join(directory, "program"), os.path.join(directory, "snaps")
    cache, addresses = os.path.join(directory, "cache"), os.path.join(directory, "addresses")
    if not os.path.exists(program):
        program = build(directory, arguments.units, arguments.functions)
    snapshot = record(arguments.snapdiff, program, arguments.called, snaps)
    environment = dict(os.environ, XDG_CACHE_HOME=cache)
    environment.pop("DEBUGINFOD_URLS", None)
    top = [arguments.snapdiff, "top", "-n", "5", "-f", "json", snapshot]
    figures = {}
    for _ in range(arguments.runs):
        shutil.rmtree(cache, ignore_errors=True)
        os.makedirs(cache)
        figures.setdefault("read once", []).append(measure(["cat", program]))
        figures.setdefault("cold", []).append(measure(top, env=environment))
        count = remembered(cache, program, addresses)
        figures.setdefault("warm", []).append(measure(top, env=environment))
        if arguments.addr2line and shutil.which("addr2line"):
            with open(addresses, encoding="ascii") as source:
                figures.setdefault("addr2line", []).append(measure(["addr2line", "-ifCe", program], stdin=source))
    print(f"{os.path.getsize(program) / 1e6:.0f} MB, {count} distinct frames; medians of {arguments.runs}")
    return figures


def report(figures):
    """False when a limit is broken."""
    medians = {name: [statistics.median(values) for values in zip(*runs)] for name, runs in figures.items()}
    print(f"{'':12}{'wall s':>10}{'cpu s':>10}{'peak MiB':>10}{'cpu / read once':>17}{'cpu / addr2line':>17}")
    for name, (wall, cpu, peak) in medians.items():
        ratios = [f"{cpu / medians[floor][1]:.2f}" if floor in medians and medians[floor][1] else "-"
                  for floor in ("read once", "addr2line")]
        print(f"{name:12}{wall:>10.2f}{cpu:>10.2f}{peak:>10.0f}{ratios[0]:>17}{ratios[1]:>17}")
    broken = [name for name, limit in LIMITS.items() if medians[name][1] > limit]
    for name in broken:
        print(f"{name}: more than {LIMITS[name]} s of processor time", file=sys.stderr)
    return not broken


def main():
    parser = argparse.ArgumentParser(description="Time symbolising")
    parser.add_argument("snapdiff")
    parser.add_argument("--units", type=int, default=40)
    parser.add_argument("--functions", type=int, default=500, help="of each unit")
    parser.add_argument("--called", type=int, default=14, help="functions of each unit that run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-addr2line", dest="addr2line", action="store_false", help="it takes long")
    parser.add_argument("--keep", help="a directory for the program; one that is there is used again")
    arguments = parser.parse_args()
    if arguments.keep:
        os.makedirs(arguments.keep, exist_ok=True)
        sys.exit(0 if report(run(arguments, arguments.keep)) else 1)
    with tempfile.TemporaryDirectory(prefix="snap-symbols-") as directory:
        sys.exit(0 if report(run(arguments, directory)) else 1)


if __name__ == "__main__":
    main()
