#!/usr/bin/env python3
"""Two snapshots of 100,000 call stacks, 30 frames deep, compared from their files.

    bench_compare_files.py SNAPDIFF [--sites N] [--depth D] [--runs R] [--limit SECONDS] [--keep DIR]

Writes pairs of snapshots in the text form, turns them into files with `snapdiff build`, and times
`snapdiff compare OLD NEW -f json`.  A tenth of the stacks is new on the right, a tenth is gone, and
a fifth has other figures.  The pairs:

    little shared   stacks part ways near their roots: nearly every frame is a node of its own
    much shared     stacks part ways in their last frames, as most programs' do
    rebuilt         little shared, and every line of the right side moved, as if recompiled

Each is compared from files and from text; `much shared` also with options.  Runs of all cases take
turns, so that a busy moment of the machine hits all alike, and medians are printed, next to a floor of
the same run: reading both files once after the other, without comparing (`snapdiff info` of each,
which reads all of a file and keeps its totals).  Processor time (user and system, all threads) is
what a busy machine changes least.

Exits 1 when the median of a compare from files without options is above the limit.
"""
import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

OPTIONS = {"group": ["-g", "function"], "cumulative": ["--cumulative"], "focus": ["--focus", "function_7"]}


def frame(level, pick, moved):
    return (f"module{level % 7}_function_{level}_{pick}(int, char const*)"
            f"|src/part{level % 7}/file_{pick % 50}.cc|{10 + pick + moved}|libpart{level % 7}.so")


def width_of(level, depth, shared):
    """How many functions may be called at a level."""
    if shared:
        return 60 if level >= depth - 4 else 1 + level % 3 * (level < 12)
    return min(3 + level * level, 900) if level > 2 else 1


def call_stacks(random_, sites, depth, shared):
    """Stacks as the functions' numbers, root first; all differ."""
    stacks = {}
    while len(stacks) < sites:
        stacks[tuple(random_.randrange(width_of(level, depth, shared)) for level in range(depth))] = None
    return list(stacks)


def write_text(path, seq, rows, moved):
    with open(path, "w", encoding="ascii") as out:
        out.write(f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{1767323045000000000 + seq * 10**9}\n"
                  "@ pid\t42\n@ command\t./server\n")
        for stack, live in rows:
            frames = "\t".join(frame(level, stack[level], moved) for level in reversed(range(len(stack))))
            out.write(f"{live * 16}\t{live}\t{live * 64}\t{live * 4}\tmalloc\t0:{live}:{live * 16}\t{frames}\n")


def make_pair(snapdiff, directory, sites, depth, shared, moved):
    """Text and file paths of a pair, old before new."""
    os.makedirs(directory, exist_ok=True)
    random_ = random.Random(1)
    stacks = call_stacks(random_, sites + sites // 10, depth, shared)
    old = [(stack, random_.randrange(1, 100)) for stack in stacks[:sites]]
    new = [(stack, live + (random_.randrange(5) == 0)) for stack, live in old[sites // 10:]]
    new += [(stack, random_.randrange(1, 100)) for stack in stacks[sites:]]
    texts, files = [], []
    for seq, rows, by in ((1, old, 0), (2, new, moved)):
        texts.append(os.path.join(directory, f"{seq}.txt"))
        files.append(os.path.join(directory, f"server.42.{seq:06}.snap"))
        write_text(texts[-1], seq, rows, by)
        subprocess.run([snapdiff, "build", texts[-1], "-o", files[-1]], check=True)
    return texts, files


def measure(commands):
    """Wall and processor seconds of running the commands one after the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cases_of(snapdiff, name, texts, files):
    """(case, its floor's case or None, commands)"""
    compare = [snapdiff, "compare"]
    floor = f"{name}: read only"
    yield floor, None, [[snapdiff, "info", path] for path in files]
    yield f"{name}: compare files", floor, [[*compare, *files, "-f", "json"]]
    yield f"{name}: compare texts", floor, [[*compare, *texts, "-f", "json"]]
    if name == "much shared":
        for option, words in OPTIONS.items():
            yield f"{name}: compare files, {option}", floor, [[*compare, *files, "-f", "json", *words]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--keep", help="write the inputs to this directory and leave them there")
    options = parser.parse_args()
    pairs = {"little shared": (False, 0), "much shared": (True, 0), "rebuilt": (False, 7)}
    cases, times = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, (shared, moved) in pairs.items():
            directory = os.path.join(options.keep or scratch, name.replace(" ", "-"))
            texts, files = make_pair(options.snapdiff, directory, options.sites, options.depth, shared, moved)
            cases += cases_of(options.snapdiff, name, texts, files)
        for _ in range(options.runs):
            for name, _, commands in cases:
                times.setdefault(name, []).append(measure(commands))
    wall = {name: statistics.median(run[0] for run in runs) for name, runs in times.items()}
    processor = {name: statistics.median(run[1] for run in runs) for name, runs in times.items()}
    print(f"two snapshots of {options.sites} call stacks, {options.depth} frames deep; "
          f"medians of {options.runs} runs\n{'':40} {'wall':>8} {'cpu':>8} {'cpu to floor':>13}")
    for name, floor, _ in cases:
        ratio = f"{processor[name] / processor[floor]:12.1f}x" if floor else ""
        print(f"{name:40} {wall[name]:6.3f} s {processor[name]:6.3f} s {ratio:>13}")
    return 1 if any(wall[f"{name}: compare files"] > options.limit for name in pairs) else 0


if __name__ == "__main__":
    sys.exit(main())
