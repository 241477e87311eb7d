#!/usr/bin/env python3
"""Two snapshots of 100,000 call stacks, 30 frames deep, compared from their files.

    bench_compare_files.py SNAPDIFF [--sites N] [--depth D] [--runs R] [--limit SECONDS] [--fuzzy-limit RATIO]
                           [--keep DIR] [--only PATTERN]

Writes pairs of snapshots in the text form, turns them into files with `snapdiff build`, and times
`snapdiff compare OLD NEW -f json`.  The pairs:

    little shared   stacks part ways near their roots: nearly every frame is a node of its own
    much shared     stacks part ways in their last frames, as most programs' do
    rebuilt         little shared, and every line of the right side moved, as if recompiled
    drawn           20 frames, each drawn from all of 4,000 or 20,000 functions: no two stacks have a caller in common

In these, a tenth of the stacks is new on the right, a tenth is gone, and a fifth has other figures.
Each is compared from files and from text; `much shared` also with options.  For `--match fuzzy`, next to the same
pair compared without it:

    renamed         some functions have another name: a fifth of the stacks goes through one of them
    partly inlined  a fifth of the stacks lacks one frame, whose function is still there in others
    inlined         a quarter of all functions is gone from every stack, as from -O0 to -O2
    handlers        a tenth as many stacks: one dispatcher calls functions of which none kept its name
    one function    a tenth as many stacks, nothing but one function that calls itself, from other lines

Runs of all cases take turns, so that a busy moment of the machine hits all alike, and medians are printed, next to a
floor of the same run: for the first three, reading both files once after the other, without comparing (`snapdiff info`
of each, which reads all of a file and keeps its totals); for fuzzy, the compare without it.  Processor time (user and
system, all threads) is what a busy machine changes least.

Exits 1 when the median of a compare from files without options is above the limit, or fuzzy on `renamed` takes more
processor time than the ratio allows.
"""
import argparse
import multiprocessing
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

OPTIONS = {"group": ["-g", "function"], "cumulative": ["--cumulative"], "focus": ["--focus", "function_7"]}


def frame(level, pick, moved=0, verb="function"):
    return (f"module{level % 7}_{verb}_{level}_{pick}(int, char const*)"
            f"|src/part{level % 7}/file_{pick % 50}.cc|{10 + pick + moved}|libpart{level % 7}.so")


DRAWN_DEPTH = 20


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


def drawn_stacks(random_, sites, functions):
    """The same, of functions that any other may call."""
    return [tuple(random_.randrange(functions) for _ in range(DRAWN_DEPTH)) for _ in range(sites)]


# ---- what becomes of a stack: functions (number of the stack, its functions) -> frames, newest first ----

def kept(moved):
    def frames(_, stack):
        return [frame(level, stack[level], moved) for level in reversed(range(len(stack)))]
    return frames


def drawn(_, stack):
    return [frame(0, pick) for pick in stack]


def renamed(stacks):
    """Rename functions until a fifth of the stacks has one, but none that a fiftieth has by itself."""
    users = {}
    for number, stack in enumerate(stacks):
        for function in enumerate(stack):
            users.setdefault(function, []).append(number)
    functions, changed = set(), set()
    order = sorted(users)
    random.Random(4).shuffle(order)
    for function in order:
        if len(changed) < len(stacks) // 5 and len(users[function]) < len(stacks) // 50 + 1:
            functions.add(function)
            changed.update(users[function])

    def frames(_, stack):
        return [frame(*function, verb="renamed" if function in functions else "function")
                for function in reversed(list(enumerate(stack)))]
    return frames


def partly_inlined(stacks):
    random_ = random.Random(5)
    lost = [random_.randrange(len(stack)) if random_.randrange(5) == 0 else None for stack in stacks]

    def frames(number, stack):
        return [frame(*function) for function in reversed(list(enumerate(stack))) if function[0] != lost[number]]
    return frames


def inlined(_):
    def frames(_, stack):
        return [frame(level, pick) for level, pick in reversed(list(enumerate(stack))) if (7 * level + pick) % 4 or level < 2]
    return frames


def handlers(verb):
    def frames(number, stack):
        return [frame(len(stack), number, verb=verb)] + [frame(level, 0) for level in reversed(range(len(stack) - 1))]
    return frames


def one_function(verb):
    def frames(number, stack):
        return [frame(0, 0, number, verb)] + [frame(0, 0, 0, verb)] * (number % len(stack))
    return frames


def write_text(path, seq, rows, frames):
    """Rows: number of the stack, its functions, blocks."""
    with open(path, "w", encoding="ascii") as out:
        out.write(f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{1767323045000000000 + seq * 10**9}\n"
                  "@ pid\t42\n@ command\t./server\n")
        for number, stack, live in rows:
            columns = "\t".join(frames(number, stack))
            out.write(f"{live * 16}\t{live}\t{live * 64}\t{live * 4}\tmalloc\t0:{live}:{live * 16}\t{columns}\n")


def write_pair(snapdiff, directory, sides):
    """Text and file paths of a pair, old before new; sides are rows and what becomes of their stacks."""
    os.makedirs(directory, exist_ok=True)
    texts, files = [], []
    for seq, (rows, frames) in enumerate(sides, 1):
        texts.append(os.path.join(directory, f"{seq}.txt"))
        files.append(os.path.join(directory, f"server.42.{seq:06}.snap"))
        write_text(texts[-1], seq, rows, frames)
        subprocess.run([snapdiff, "build", texts[-1], "-o", files[-1]], check=True)
    return texts, files


def make_pair(snapdiff, directory, sites, depth, shared, moved):
    stacks = call_stacks(random.Random(1), sites + sites // 10, depth, shared)
    return edit_pair(snapdiff, directory, sites, stacks, kept(0), kept(moved))


def make_drawn_pair(snapdiff, directory, sites, functions):
    stacks = drawn_stacks(random.Random(1), sites + sites // 10, functions)
    return edit_pair(snapdiff, directory, sites, stacks, drawn, drawn)


def edit_pair(snapdiff, directory, sites, stacks, before, after):
    random_ = random.Random(2)
    old = [(number, stack, random_.randrange(1, 100)) for number, stack in enumerate(stacks[:sites])]
    new = [(number, stack, live + (random_.randrange(5) == 0)) for number, stack, live in old[sites // 10:]]
    new += [(number, stack, random_.randrange(1, 100)) for number, stack in enumerate(stacks[sites:], sites)]
    return write_pair(snapdiff, directory, [(old, before), (new, after)])


def make_fuzzy_pair(snapdiff, directory, sites, depth, shared, edit):
    random_ = random.Random(1)
    stacks = call_stacks(random_, sites, depth, shared)
    old = [(number, stack, random_.randrange(1, 100)) for number, stack in enumerate(stacks)]
    new = [(number, stack, live + (random_.randrange(5) == 0)) for number, stack, live in old]
    before, after = edit(stacks)
    return write_pair(snapdiff, directory, [(old, before), (new, after)])


PAIRS = {"little shared": (False, 0), "much shared": (True, 0), "rebuilt": (False, 7)}
DRAWN_PAIRS = {"drawn from 4,000": 4000, "drawn from 20,000": 20000}
FUZZY_PAIRS = {
    # name: (part of the stacks, much shared, the two sides' frames)
    "renamed, little shared": (1, False, lambda stacks: (kept(0), renamed(stacks))),
    "renamed, much shared": (1, True, lambda stacks: (kept(0), renamed(stacks))),
    "partly inlined, little shared": (1, False, lambda stacks: (kept(0), partly_inlined(stacks))),
    "partly inlined, much shared": (1, True, lambda stacks: (kept(0), partly_inlined(stacks))),
    "inlined, little shared": (1, False, lambda stacks: (kept(0), inlined(stacks))),
    "inlined, much shared": (1, True, lambda stacks: (kept(0), inlined(stacks))),
    "handlers": (10, False, lambda stacks: (handlers("serve"), handlers("answer"))),
    "one function": (10, False, lambda stacks: (one_function("walk"), one_function("visit"))),
}


def measure(commands):
    """Wall and processor seconds of running the commands one after the other, and the largest one's peak memory."""
    start, processor, peak = time.perf_counter(), 0.0, 0
    for command in commands:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: exit status {child.returncode}")
        processor += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
    return time.perf_counter() - start, processor, peak / 1024


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


def fuzzy_cases_of(snapdiff, name, files):
    floor = f"{name}: plain"
    yield floor, None, [[snapdiff, "compare", *files, "-f", "json"]]
    yield f"{name}: fuzzy", floor, [[snapdiff, "compare", *files, "-f", "json", "--match", "fuzzy"]]


def write_inputs(options, name, where):
    if name in PAIRS:
        return make_pair(options.snapdiff, where, options.sites, options.depth, *PAIRS[name])
    if name in DRAWN_PAIRS:
        return make_drawn_pair(options.snapdiff, where, options.sites, DRAWN_PAIRS[name])
    part, shared, edit = FUZZY_PAIRS[name]
    return make_fuzzy_pair(options.snapdiff, where, options.sites // part, options.depth, shared, edit)


def make_cases(options, directory):
    cases = []
    for name in [*PAIRS, *DRAWN_PAIRS, *FUZZY_PAIRS]:
        if not re.search(options.only, name):
            continue
        where = os.path.join(directory, re.sub(r"\W+", "-", name))
        with multiprocessing.Pool(1) as pool:  # a child's peak memory is at least that of the process that forked it
            texts, files = pool.apply(write_inputs, (options, name, where))
        cases += cases_of(options.snapdiff, name, texts, files) if name not in FUZZY_PAIRS else fuzzy_cases_of(
            options.snapdiff, name, files)
    return cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("snapdiff")
    parser.add_argument("--sites", type=int, default=100_000)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--fuzzy-limit", type=float, default=2.0)
    parser.add_argument("--keep", help="write the inputs to this directory and leave them there")
    parser.add_argument("--only", default="", help="pairs whose name matches this pattern")
    options = parser.parse_args()
    times = {}
    with tempfile.TemporaryDirectory() as scratch:
        cases = make_cases(options, options.keep or scratch)
        for _ in range(options.runs):
            for name, _, commands in cases:
                times.setdefault(name, []).append(measure(commands))
    wall, processor, peak = ({name: statistics.median(run[i] for run in runs) for name, runs in times.items()}
                             for i in range(3))
    print(f"two snapshots of {options.sites} call stacks, {options.depth} frames deep; "
          f"medians of {options.runs} runs\n{'':40} {'wall':>8} {'cpu':>8} {'memory':>8} {'cpu to floor':>13}")
    failed = False
    for name, floor, _ in cases:
        ratio = processor[name] / processor[floor] if floor else None
        print(f"{name:40} {wall[name]:6.3f} s {processor[name]:6.3f} s {peak[name]:5.0f} MB "
              f"{f'{ratio:12.1f}x' if floor else '':>13}")
        failed |= name.endswith(": compare files") and wall[name] > options.limit
        failed |= name.startswith("renamed") and name.endswith(": fuzzy") and ratio > options.fuzzy_limit
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
