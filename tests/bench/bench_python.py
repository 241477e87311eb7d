#!/usr/bin/env python3
"""What recording a Python program costs, next to tracemalloc at 1 and 25 frames (and memray, where it is).

usage: bench_python.py [--runs N] [--scale PERCENT] [--python PATH] SNAPDIFF

Each program runs bare and under each recorder in turn; figures are medians of CPU time (user and system, children
included) and of the largest resident memory.  What is added is without what the recorder adds to a program that
does nothing, its start and end, which is the first row; "of X" is added time over the time that X adds.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

PROGRAMS = {
    "nothing": "",
    "json churn": """
import json
text = json.dumps([{"id": i, "name": str(i), "tags": [i, i + 1]} for i in range(300)])
for _ in range(scale(1500)): json.loads(text)
""",
    "dict, list, class churn": """
class Item:
    def __init__(self, i): self.key, self.rest = i, [i, i + 1]
for i in range(scale(1000000)):
    item = Item(i); table = {"item": item, i: (i, item)}
""",
    "generators": """
def numbers(n):
    for i in range(n): yield i * 1000003
for _ in range(scale(15000)): sum(x + 1.5 for x in numbers(100))
""",
    "recursion (fib)": """
def fib(n): return n + 1000000.5 if n < 2 else fib(n - 1) + fib(n - 2)
for _ in range(scale(30)): fib(20)
""",
    "asyncio": """
import asyncio
async def work(n):
    await asyncio.sleep(0)
    return [n] * 10
async def main():
    for _ in range(scale(600)): await asyncio.gather(*(work(i) for i in range(60)))
asyncio.run(main())
""",
    "depth 60": """
def deep(n):
    if n: return deep(n - 1)
    return [[i, str(i)] for i in range(1000)]
for _ in range(scale(1000)): deep(60)
""",
}
# What is alive at the end, for the memory of the recorders.
OBJECTS = {
    "1.5 M ints": "kept = [i * 1000003 for i in range(scale(1500000))]",
    "150,000 tuples with a str, a dict, a list": "kept = [(str(i), {i: i}, [i]) for i in range(scale(150000))]",
    "250 json documents of 300 dicts": '''
import json
text = json.dumps([{"id": i, "name": str(i), "tags": [i, i + 1]} for i in range(300)])
kept = [json.loads(text) for _ in range(scale(250))]
''',
    "250,000 dicts": "kept = [{'a': i} for i in range(scale(250000))]",
    "350,000 strings of 100 to 150 bytes": "kept = ['x' * (100 + i % 51) for i in range(scale(350000))]",
    "20,000 bytearrays of 3 kB": "kept = [bytearray(3000) for _ in range(scale(20000))]",
}
OTHERS = ("tracemalloc 1", "tracemalloc 25", "memray")
HEAD = "def scale(n): return max(1, n * %d // 100)\n"


def commands(options, program, scratch):
    python, snaps = options.python, os.path.join(scratch, "snaps")
    run = [options.snapdiff, "run", "-q", "-o", snaps]
    found = {
        "bare": [python, program],
        "tracemalloc 1": [python, "-X", "tracemalloc=1", program],
        "tracemalloc 25": [python, "-X", "tracemalloc=25", program],
        "snapdiff": [*run, "--", python, program],
        "snapdiff sampled": [*run, "--sample", "512KiB", "--", python, program],
    }
    if subprocess.run([python, "-c", "import memray"], capture_output=True, check=False).returncode == 0:
        found["memray"] = [python, "-m", "memray", "run", "-q", "-f", "--trace-python-allocators", "-o",
                           os.path.join(scratch, "memray.bin"), program]
    return found


def measure(command):
    """CPU seconds and the largest resident memory in KiB."""
    child = os.posix_spawn(command[0], command, dict(os.environ, PYTHONHASHSEED="0"),
                           file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{command}: ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure_program(options, code):
    """Median CPU seconds and memory of each recorder."""
    seconds, memory = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        program = os.path.join(scratch, "program.py")
        with open(program, "w", encoding="utf-8") as file:
            file.write(HEAD % options.scale + code)
        for _ in range(options.runs):
            for how, command in commands(options, program, scratch).items():
                cpu, rss = measure(command)
                seconds.setdefault(how, []).append(cpu)
                memory.setdefault(how, []).append(rss)
                shutil.rmtree(os.path.join(scratch, "snaps"), ignore_errors=True)
    return ({how: statistics.median(values) for how, values in seconds.items()},
            {how: statistics.median(values) for how, values in memory.items()})


def print_rows(name, cpu, rss, start):
    """`start`: CPU seconds that each recorder adds to a program that does nothing."""
    added = {how: cpu[how] - cpu["bare"] - start.get(how, 0) for how in cpu}
    for how in cpu:
        shares = [f"{100 * added[how] / added[other]:.0f} %"
                  if how.startswith("snapdiff") and added.get(other, 0) > 0 and start else "" for other in OTHERS]
        print(f"| {name} | {how} | {cpu[how]:.2f} s | {1000 * added[how]:.0f} ms | {100 * added[how] / cpu['bare']:+.0f} % "
              f"| {' | '.join(shares)} | {rss[how] / 1024:.1f} MiB |", flush=True)


def print_memory(options):
    """What recorders add to the largest resident memory, their start included."""
    print("\n| objects | bare | tracemalloc 1 adds | snapdiff adds | share |\n| --- | ---: | ---: | ---: | ---: |")
    for name, code in OBJECTS.items():
        _, rss = measure_program(options, code)
        added = {how: rss[how] - rss["bare"] for how in rss}
        print(f"| {name} | {rss['bare'] / 1024:.1f} | {added['tracemalloc 1'] / 1024:.1f} | {added['snapdiff'] / 1024:.1f} "
              f"| {100 * added['snapdiff'] / added['tracemalloc 1']:.0f} % |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=int, default=100, help="size of the programs in per cent")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--memory", action="store_true", help="only the memory that recorders add for live objects")
    parser.add_argument("snapdiff")
    options = parser.parse_args()
    version = subprocess.run([options.python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, {options.runs} runs of each in turn, medians.\n")
    if options.memory:
        print_memory(options)
        return
    print("| program | recorder | CPU | added | added | of tracemalloc 1 | of tracemalloc 25 | of memray | memory |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    start = {}
    for name, code in PROGRAMS.items():
        cpu, rss = measure_program(options, code)
        print_rows(name, cpu, rss, start)
        start = start or {how: cpu[how] - cpu["bare"] for how in cpu}
    print_memory(options)


if __name__ == "__main__":
    main()
