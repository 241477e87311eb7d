#!/usr/bin/env python3
"""
corpus.py - is the same site the same site?  Builds pairs of programs whose true pairing is known, records both,
and measures what the comparison makes of them.

A program is a tree of function calls; each allocation happens on a call stack of its own, and the size of its one
block says which: allocation n of the program has 1000 + p(n) bytes, p a permutation.  It is the same on both sides, as
sizes are in real programs; with --misleading it is another on the new side, so that sizes speak against the truth.
The new side also leaks in one place.

usage: corpus.py --snapdiff BIN --pairs BIN [--write FILE.md] [--keep DIR] [--misleading] [--seeds N|A-B]
                 [CASE...]
"""
import argparse
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

LEAK_BLOCKS, LEAK_SIZE = 37, 5003


class Function:
    def __init__(self, name, file, static):
        self.name, self.file, self.static = name, file, static
        self.body = []  # ("alloc",) or ("call", Function); each becomes one line of C
        self.type = None  # of a template: its argument
        self.parameters = 0  # further int parameters, which a changed signature adds
        self.filler = 0  # comment lines above


def make_program(seed, functions=60, files=6, leaves=2):
    """A random call tree: function i calls functions with larger numbers, so that it ends."""
    rng = random.Random(seed)
    verbs = "load parse build scan fill read open push visit merge index store fetch route split pack".split()
    nouns = "table node list cache config route packet column token header entry buffer symbol graph".split()
    names = [f"{v}_{n}" for v in verbs for n in nouns]
    rng.shuffle(names)
    program = [Function(names[i], f"part{rng.randrange(files)}", rng.random() < 0.7) for i in range(functions)]
    for i, function in enumerate(program):
        for _ in range(rng.randint(1, 2) if i < functions // 2 else rng.randint(1, leaves)):
            function.body.append(("alloc",))
        if i < functions - 8:
            for _ in range(rng.randint(1, 2)):
                function.body.append(("call", program[rng.randint(i + 1, min(functions - 1, i + 12))]))
        rng.shuffle(function.body)
    program[0].static = False  # main() calls it
    # A static function is called within its own file.
    for function in program:
        for step in function.body:
            if step[0] == "call" and step[1].file != function.file:
                step[1].static = False
    prune(program)
    return program


def count_allocations(function):
    return sum(1 if s[0] == "alloc" else 1 if s[0] == "leak" else count_allocations(s[1]) for s in function.body)


def prune(program, most=400):
    """Drop calls, outermost last, until the whole tree allocates at most `most` times."""
    rng = random.Random(1)
    while count_allocations(program[0]) > most:
        function = rng.choice(program)
        calls = [s for s in function.body if s[0] == "call"]
        if len(calls) > 1:
            function.body.remove(calls[-1])


def reachable(program):
    seen, todo = [], [program[0]]
    while todo:
        function = todo.pop()
        if function not in seen:
            seen.append(function)
            todo += [s[1] for s in function.body if s[0] == "call"]
    return seen


# ---- edits: what a change to a program may be; each returns the new program ----

def edited(edit):
    def apply(program, rng):
        program = copy.deepcopy(program)
        edit(program, rng)
        return program
    return apply


def some(program, rng, count):
    candidates = [f for f in reachable(program) if f is not program[0]]
    return rng.sample(candidates, min(count, len(candidates)))


@edited
def nothing(program, rng):
    pass


@edited
def insert_lines(program, rng):
    for function in some(program, rng, 15):
        function.filler += rng.randint(1, 9)


@edited
def edit_elsewhere(program, rng):
    stranger = Function("brand_new_helper", program[0].file, False)
    program.append(stranger)
    for function in some(program, rng, 3):
        function.filler += 3


@edited
def rename(program, rng):
    for function in some(program, rng, 5):
        function.name = function.name.replace("_", rng.choice(["_the_", "_one_", "_new_"])) + rng.choice(["", "2", "s"])


@edited
def move_file(program, rng):
    for function in some(program, rng, 5):
        function.file = "moved"
    for function in program:  # calls now cross files
        function.static = False


@edited
def change_signature(program, rng):
    for function in some(program, rng, 6):
        function.parameters += 1


@edited
def change_template(program, rng):
    templates = [function for function in reachable(program) if function.type]
    for function in rng.sample(templates, (2 * len(templates) + 2) // 3):
        function.type = "Wide"


@edited
def add_wrapper(program, rng):
    for function in some(program, rng, 4):
        wrapper = Function("checked_" + function.name, function.file, function.static)
        wrapper.body.append(("call", function))
        for caller in program:
            caller.body = [("call", wrapper) if s == ("call", function) else s for s in caller.body]
        program.append(wrapper)


def times_called(program, function):
    def calls(caller):
        return (caller is function) + sum(calls(s[1]) for s in caller.body if s[0] == "call")
    return calls(program[0])


def plant_leak(program, function):
    """First thing in `function`; returns how often the leak runs."""
    function.body.insert(0, ("leak",))
    return times_called(program, function)


# ---- programs as source ----

def prototype(function, declared):
    parameters = ", ".join(["void"] if not function.parameters else ["int p%d" % i for i in range(function.parameters)])
    static = "static " if function.static and not declared else ""
    template = "template <class T> " if function.type else ""
    return f"{template}{static}void {function.name}({parameters})"


def write_sources(program, where, permutation, suffix):
    order = iter(permutation)
    files = {}
    os.makedirs(where)
    header = ["#include <stdlib.h>", "extern void *volatile kept[];", "extern unsigned next;",
              "extern const unsigned short sizes[];", "extern volatile int tag;",
              "#define ALLOCATE() do { void *p_ = malloc(sizes[next]); kept[next++] = p_; } while (0)"]
    if any(f.type for f in program):
        header.append("struct Wide { long parts[2]; };")
    header += [f"{prototype(f, True)};" for f in program if not f.static]
    with open(f"{where}/all.h", "w") as out:
        out.write("\n".join(header) + "\n")
    for function in program:
        lines = files.setdefault(function.file, ['#include "all.h"'])
        if function.static:
            lines.insert(1, f"{prototype(function, False)};")
    for function in program:
        lines = files[function.file]
        lines += ["/* a comment */"] * function.filler + [prototype(function, False), "{"]
        lines += [f"\ttag = {len(function.name) * 1000 + sum(map(ord, function.name))}; /* no two are the same */"]
        for step in function.body:
            if step[0] == "alloc":
                lines.append("\tALLOCATE();")
            elif step[0] == "leak":
                lines.append(f"\tfor (int i = 0; i < {LEAK_BLOCKS}; i++)")
                lines.append(f"\t\tkept[2000 + i] = malloc({LEAK_SIZE});")
            elif step[0] == "call":
                argument = f"<{step[1].type}>" if step[1].type else ""
                lines.append(f"\t{step[1].name}{argument}({', '.join('1' for _ in range(step[1].parameters))});")
        lines += ["}", ""]
    sizes = ", ".join(str(1000 + n) for n in order)
    files["main"] = ['#include "all.h"', "void *volatile kept[4000];", "unsigned next;", "volatile int tag;",
                     f"const unsigned short sizes[] = {{{sizes}}};",
                     "int main(void)", "{", f"\t{program[0].name}();", "\treturn 0;", "}"]
    for name, lines in files.items():
        with open(f"{where}/{name}.{suffix}", "w") as out:
            out.write("\n".join(lines) + "\n")
    return [f"{name}.{suffix}" for name in sorted(files)]


def build(program, where, permutation, build_options):
    suffix = build_options.get("suffix", "c")
    sources = write_sources(program, where, permutation, suffix)
    flags = ["-w", "-fno-builtin-malloc"] + build_options["flags"]
    library = build_options.get("library")
    if library:
        inside = [s for s in sources if not s.startswith(("main.", program[0].file + "."))]
        subprocess.run([build_options["cc"], *flags, "-shared", "-fPIC", f"-Wl,-soname,{library}", "-o", library,
                        *inside], cwd=where, check=True)
        subprocess.run([build_options["cc"], *flags, "-rdynamic", "-o", "program",
                        *[s for s in sources if s not in inside], f"./{library}", "-Wl,-rpath,$ORIGIN"],
                       cwd=where, check=True)
    else:
        subprocess.run([build_options["cc"], *flags, "-o", "program", *sources], cwd=where, check=True)


# ---- recording and measuring ----

def record(snapdiff, where):
    snaps = f"{where}/snaps"
    subprocess.run([snapdiff, "run", "-o", snaps, "--", "./program"], cwd=where, check=True, capture_output=True)
    return os.path.join(snaps, sorted(os.listdir(snaps))[-1])


def shuffled(count, seed):
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


def measure(tools, old, new, old_order, new_order, level):
    """Which allocations were paired with themselves, with others, or not at all."""
    old_of = {1000 + size: n for n, size in enumerate(old_order)}
    new_of = {1000 + size: n for n, size in enumerate(new_order)}
    out = subprocess.run([tools.pairs, level, old, new], check=True, capture_output=True, text=True).stdout
    result = {"right": 0, "wrong": 0, "lost": 0, "merged": 0, "bytes": 0, "right_bytes": 0, "by": {}}
    for line in out.splitlines():
        match, old_bytes, old_blocks, new_bytes, new_blocks = line.split()
        if old_blocks == "1" and new_blocks == "1":
            right = old_of.get(int(old_bytes)) == new_of.get(int(new_bytes))
            result["right" if right else "wrong"] += 1
            result["bytes"] += int(old_bytes)
            result["right_bytes"] += int(old_bytes) if right else 0
            if right:
                result["by"][match] = result["by"].get(match, 0) + 1
        elif old_blocks == "1":
            if int(old_bytes) in old_of:
                result["lost"] += 1
                result["bytes"] += int(old_bytes)
        elif old_blocks not in ("-", "0"):
            result["merged"] += 1  # several allocations on one stack: their sizes no longer tell them apart
    return result


def leak_is_first(tools, old, new, times, level):
    out = subprocess.run([tools.snapdiff, "compare", "-f", "json", "--match", level, old, new], check=True,
                         capture_output=True, text=True).stdout
    first = json.loads(out)["rows"][0]
    return (first["delta_bytes"], first["delta_blocks"]) == (times * LEAK_BLOCKS * LEAK_SIZE, times * LEAK_BLOCKS)


GCC2 = {"cc": "gcc", "flags": ["-g", "-O2"]}
GCC0 = {"cc": "gcc", "flags": ["-g", "-O0"]}
CASES = {
    # name: (edit, build of old, build of new, least share of bytes right with fuzzy, false new/gone allowed)
    "same source rebuilt": (nothing, GCC2, GCC2, 1.0, 0),
    "lines inserted": (insert_lines, GCC2, GCC2, 1.0, 0),
    "edit elsewhere": (edit_elsewhere, GCC2, GCC2, 1.0, 0),
    "renamed": (rename, GCC2, GCC2, 0.9, None),
    "moved to another file": (move_file, GCC2, GCC2, 0.9, None),
    "signature changed (C++)": (change_signature, {"cc": "g++", "flags": ["-g", "-O2"], "suffix": "cc"},
                                {"cc": "g++", "flags": ["-g", "-O2"], "suffix": "cc"}, 0.9, None),
    "template type changed (C++)": (change_template,
                                    {"cc": "g++", "flags": ["-g", "-O2"], "suffix": "cc", "templates": True},
                                    {"cc": "g++", "flags": ["-g", "-O2"], "suffix": "cc"}, 0.9, None),
    "wrapper added": (add_wrapper, GCC2, GCC2, 0.9, None),
    "-O0 to -O2": (nothing, GCC0, GCC2, 0.95, None),
    "-O0 to -O2 and lines inserted": (insert_lines, GCC0, GCC2, 0.95, None),
    "gcc to clang": (nothing, GCC2, {"cc": "clang", "flags": ["-g", "-O2"]}, 0.95, None),
    "LTO": (nothing, GCC2, {"cc": "gcc", "flags": ["-g", "-O2", "-flto"]}, 0.9, None),
    "-O0 to -O2 without debug information": (nothing, {"cc": "gcc", "flags": ["-O0"]}, {"cc": "gcc", "flags": ["-O2"]},
                                             None, None),
    "debug information stripped of -O2": (nothing, GCC2, {"cc": "gcc", "flags": ["-O2"]}, 1.0, None),
    "debug information added to -O2": (nothing, {"cc": "gcc", "flags": ["-O2"]}, GCC2, 1.0, None),
    "library upgraded": (insert_lines, dict(GCC2, library="libparts.so.1.2"), dict(GCC2, library="libparts.so.2.0"),
                         1.0, 0),
}


def make_old_program(seed, old_build):
    """As the build wants it: functions of a library are all seen from outside, templates only in their own file."""
    program = make_program(seed)
    for function in program:
        if old_build.get("library"):
            function.static = False
        if old_build.get("templates") and function.static:
            function.type = "int"
    return program


def run_case(tools, name, seed, where):
    edit, old_build, new_build, least, allowed = CASES[name]
    rng = random.Random(seed)
    old_program = make_old_program(seed, old_build)
    new_program = edit(old_program, rng)
    count = count_allocations(old_program[0])
    # A leak may change how its own function is inlined; where nothing may be new but the leak, it is planted at the root.
    where_to_leak = new_program[0] if allowed == 0 else rng.choice(reachable(new_program)[1:])
    times = plant_leak(new_program, where_to_leak)
    old_order = shuffled(count, seed + 1)
    new_order = shuffled(count, seed + 2) if tools.misleading else old_order
    build(old_program, f"{where}/old", old_order, old_build)
    build(new_program, f"{where}/new", new_order, new_build)
    old, new = record(tools.snapdiff, f"{where}/old"), record(tools.snapdiff, f"{where}/new")
    plain = measure(tools, old, new, old_order, new_order, "function")
    fuzzy = measure(tools, old, new, old_order, new_order, "fuzzy")
    share = fuzzy["right_bytes"] / max(1, fuzzy["bytes"])
    problems = []
    if least is not None and not tools.misleading and share < least:
        problems.append(f"only {100 * share:.1f} % of bytes paired rightly")
    if allowed is not None and not tools.misleading and plain["lost"] > allowed:
        problems.append(f"{plain['lost']} stacks falsely new or gone")
    for level in ("function", "fuzzy") if allowed == 0 else ("fuzzy",):
        if least is not None and not tools.misleading and not leak_is_first(tools, old, new, times, level):
            problems.append(f"the leak is not the first row with --match {level}")
    return count, plain, fuzzy, share, problems


def sum_up(case, results):
    """One line for all seeds of a case."""
    stacks, lost, wrong_plain, wrong, unpaired = (sum(result[i] for result in results) for i in range(5))
    least = min(result[5] for result in results)
    return (f"| {case} | {len(results)} | {stacks} | {lost} | {wrong_plain} | {100 * least:.1f} % | {wrong} |"
            f" {unpaired} |")


def seed_range(text):
    first, _, last = text.rpartition("-")
    return range(int(first or 1), int(last) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--write")
    parser.add_argument("--keep")
    parser.add_argument("--misleading", action="store_true")
    parser.add_argument("--seeds", type=seed_range, default=range(1, 2), help="how many from 1 on, or A-B")
    parser.add_argument("cases", nargs="*")
    tools = parser.parse_args()
    tools.snapdiff, tools.pairs = os.path.abspath(tools.snapdiff), os.path.abspath(tools.pairs)
    base = tools.keep or tempfile.mkdtemp(prefix="snapdiff-compare-")
    lines = ["| case | stacks | false new/gone at `function` | wrong at `function` | right bytes with `fuzzy` |"
             " wrong | unpaired | merged |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    sums = ["| case | seeds | stacks | false new/gone at `function` | wrong at `function` |"
            " least right bytes with `fuzzy` | wrong | unpaired |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    failed = False
    for name in tools.cases or CASES:
        results = []
        for seed in tools.seeds:
            where = os.path.join(base, re.sub(r"\W+", "_", name) + f"_{seed}")
            count, plain, fuzzy, share, problems = run_case(tools, name, seed, where)
            lines.append(f"| {name} | {count} | {plain['lost']} | {plain['wrong']} | {100 * share:.1f} % |"
                         f" {fuzzy['wrong']} | {fuzzy['lost']} | {fuzzy['merged']} |")
            print(lines[-1], flush=True)
            results.append((count, plain["lost"], plain["wrong"], fuzzy["wrong"], fuzzy["lost"], share))
            for problem in problems:
                print(f"FAILED: {name}, seed {seed}: {problem}", flush=True)
                failed = True
        sums.append(sum_up(name, results))
    if len(tools.seeds) > 1:
        print("\n".join(["", *sums]))
    if tools.write:
        with open(tools.write, "w") as out:
            out.write("\n".join(lines) + "\n")
    if not tools.keep:
        shutil.rmtree(base)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
