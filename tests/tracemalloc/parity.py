#!/usr/bin/env python3
"""Compare snapdiff's `--compat tracemalloc` with what this Python prints, byte for byte.

Random snapshots: sizes to 2**52, ties, shared tracebacks, deep and empty ones, many domains; file names with
surrogates, NUL, newlines and other scripts.  Any Python from 3.7 on will do; 3.6 keeps tracebacks the other way
round.  Every snapshot is grouped in every way, filtered and compared, through
py_stats_batch; a share of them goes through the command line itself, text and JSON.
"""
import argparse
import fnmatch
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import tracemalloc

KEYS = {"lineno": "line", "filename": "file", "traceback": "stack"}
NAMES = ["a.py", "b.py", "lib/x.py", "lib/y.pyc", "/srv/app/main.py", "<frozen importlib._bootstrap>",
         "dir with space/é.py", "\u0444\u0430\u0439\u043b.py", "\U0001f40d.py", "caf\udce9.py", "\udc80\udcff.py", "nul\0.py",
         "new\nline.py", "tab\t.py", "[x].py", "back\\slash.py", "z", "", "a.py.pyc", "\uffff.py", "\ue000", "\ud800high.py", "\udfff\udc7flow.py"]
GLOBS = ["*.py", "a*", "*", "?.py", "lib/*", "[ab].py", "[!a]*", "[^a]*", "[", "[]x].py", "[[]x].py", "[z-a]*", "[!z-a]",
         "*[a-c]*", "*.pyc", "[a-]*", "[-a]*", "*\\*", "*[]-a]*", "*[a-b-c]*", "nothing", "*\u0444*", "[!]a]*", "*.py*"]


def compiles(glob):
    """A reversed range matches nothing from 3.9 on; before that it is an exception."""
    try:
        return re.compile(fnmatch.translate(glob)) is not None
    except re.error:
        return False


GLOBS = [glob for glob in GLOBS if compiles(glob)]


def encode(text):
    """U+DC80 to U+DCFF are the bytes that they stand for; Python itself prints no other lone surrogate."""
    return b"".join(char.encode("utf-8", "surrogateescape" if 0xdc80 <= ord(char) <= 0xdcff else "surrogatepass")
                    for char in text)


def random_traceback(rng, names):
    length = rng.choice([1, 1, 1, 2, 3, 5, 10, 60]) if rng.random() > 0.02 else 0
    return tuple((rng.choice(names), rng.choice([0, 1, 2, 5, 10, 999, 2**31 + 5])) for _ in range(length))


def random_size(rng):
    return rng.choice([0, 1, 10, 512, 1023, 1024, 10239, 10240, 102400, rng.randrange(100), rng.randrange(10**5),
                       rng.randrange(2**30), rng.randrange(2**52)])


def random_snapshot(rng, tracebacks):
    count = rng.choice([0, 1, 2, 5, 20, 60])
    sizes = [random_size(rng) for _ in range(3)]
    traces = []
    for _ in range(count):
        frames = rng.choice(tracebacks)
        size = rng.choice(sizes) if rng.random() < 0.5 else random_size(rng)
        trace = (rng.choice([0, 0, 0, 1, 389047]), size, frames)
        traces.append(trace + (len(frames),) if sys.version_info >= (3, 9) else trace)
    return tracemalloc.Snapshot(traces, 60)


def random_filters(rng):
    filters = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        filters.append((rng.random() < 0.6, rng.choice(GLOBS), rng.choice([None, None, 1, 5])))
    return filters


def expected_text(statistics):
    lines = []
    for stat in statistics:
        if not len(stat.traceback):
            text = str(stat.__class__(tracemalloc.Traceback((("<no frames>", 0),)),
                                      *[getattr(stat, field) for field in stat.__slots__[1:]]))
            text = text.replace("<no frames>:0", "<no frames>", 1)
        else:
            text = str(stat)
        lines.append(encode(text) + b"\n")
    return b"".join(lines)


def python_answer(new, old, key, cumulative, filters, all_frames):
    """What Python prints, or None where it raises for a traceback without frames."""
    chosen = [tracemalloc.Filter(inclusive, glob, lineno, all_frames) for inclusive, glob, lineno in filters]
    try:
        if chosen:
            new = new.filter_traces(chosen)
            old = old and old.filter_traces(chosen)
        if old is None:
            return new.statistics(key, cumulative)
        return new.compare_to(old, key, cumulative)
    except IndexError:
        return None


class Batch:
    """The other end of py_stats_batch."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, key, cumulative, all_frames, new, old, filters):
        fields = [key, "01"[cumulative], "01"[all_frames], new, old or "-"]
        for inclusive, glob, lineno in filters:
            fields.append("%s%s:%s" % ("+" if inclusive else "-", glob, "" if lineno is None else lineno))
        self.process.stdin.write("\t".join(fields).encode("utf-8", "surrogatepass") + b"\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("py_stats_batch ended")
            if line == b"\x01\n":
                return b"".join(lines)
            lines.append(line)

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("py_stats_batch failed")


def command_line(snapdiff, key, cumulative, all_frames, new, old, filters):
    args = [snapdiff, "top"] + [new] if old is None else [snapdiff, "compare", old, new]
    args += ["--compat", "tracemalloc", "-g", KEYS[key]]
    if cumulative:
        args.append("--cumulative")
    if all_frames:
        args.append("--all-frames")
    for inclusive, glob, lineno in filters:
        args += ["--include" if inclusive else "--exclude", glob if lineno is None else "%s:%d" % (glob, lineno)]
    return args


def check_json(output, statistics, compared):
    rows = json.loads(output)["rows"]
    wanted = []
    for stat in statistics:
        row = {"frames": [[f.filename, f.lineno] for f in reversed(list(stat.traceback))],
               "size": stat.size, "count": stat.count}
        if compared:
            row.update(size_diff=stat.size_diff, count_diff=stat.count_diff)
        wanted.append(row)
    return rows == wanted


def fail(what, got, wanted):
    print("MISMATCH: %s\n got: %r\n want: %r" % (what, got[:2000], wanted[:2000] if wanted else wanted))
    sys.exit(1)


def check_batch(batch, what, arguments, new, old, paths):
    key, cumulative, all_frames, filters = arguments
    statistics = python_answer(new, old, key, cumulative, filters, all_frames)
    if statistics is None:
        return 0
    got = batch.ask(key, cumulative, all_frames, paths[0], paths[1] if old else None, filters)
    wanted = expected_text(statistics)
    if got != wanted:
        fail("%s %r" % (what, arguments), got, wanted)
    return 1


def check_command_line(snapdiff, arguments, new, old, paths):
    key, cumulative, all_frames, filters = arguments
    statistics = python_answer(new, old, key, cumulative, filters, all_frames)
    if statistics is None:
        return 0
    args = command_line(snapdiff, key, cumulative, all_frames, paths[0], paths[1] if old else None, filters)
    got = subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout
    wanted = expected_text(statistics)
    if got != wanted:
        fail(args, got, wanted)
    output = subprocess.run(args + ["-f", "json"], stdout=subprocess.PIPE, check=True).stdout
    if not check_json(output, statistics, old is not None):
        fail(args + ["-f", "json"], output, expected_text(statistics))
    return 2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--batch", required=True)
    parser.add_argument("--snapshots", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=400, help="how many go through the command line as well")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if sys.version_info < (3, 7):
        sys.exit("this takes Python 3.7 or later")
    rng = random.Random(options.seed)
    batch = Batch(options.batch)
    checked = runs = 0
    with tempfile.TemporaryDirectory() as directory:
        paths = [os.path.join(directory, "new.dump"), os.path.join(directory, "old.dump")]
        for number in range(options.snapshots):
            names = rng.sample(NAMES, rng.choice([2, 4, len(NAMES)]))
            tracebacks = [random_traceback(rng, names) for _ in range(rng.choice([1, 3, 20]))]
            new, old = random_snapshot(rng, tracebacks), random_snapshot(rng, tracebacks)
            new.dump(paths[0])
            old.dump(paths[1])
            filters = random_filters(rng)
            all_frames = rng.random() < 0.4
            for key in KEYS:
                for cumulative in (False, True):
                    if cumulative and key == "traceback":
                        continue
                    for chosen in ([], filters):
                        arguments = (key, cumulative, all_frames and bool(chosen), chosen)
                        checked += check_batch(batch, "statistics", arguments, new, None, paths)
                        checked += check_batch(batch, "compare_to", arguments, new, old, paths)
            if number * options.runs // options.snapshots != (number + 1) * options.runs // options.snapshots:
                key = rng.choice(list(KEYS))
                arguments = (key, key != "traceback" and rng.random() < 0.5, all_frames, filters)
                runs += check_command_line(options.snapdiff, arguments, new, rng.choice([None, old]), paths)
    batch.close()
    print("Python %s: %d snapshots, %d answers and %d command lines equal" %
          (sys.version.split()[0], options.snapshots, checked, runs))


main()
