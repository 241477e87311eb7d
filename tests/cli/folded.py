#!/usr/bin/env python3
"""-f folded against a folding of the same text files that this test does by itself.

usage: folded.py SNAPDIFF TESTDATA
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COLUMN = {"live": 0, "blocks": 1, "allocated": 2, "allocations": 3}
HEADER = "#snaptext 1\n@ pid\t7\n@ program\tp\nlive_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"


def frame_name(text):
    function, file, _, module = re.split(r"(?<!\\)\|", text)
    name = function or (f"[{os.path.basename(module)}]" if module else os.path.basename(file) or "[unknown]")
    return name.replace("\\|", "|").replace("\\t", "?").replace("\\n", "?").replace(";", ":")


def fold(path, metric="live", hide=None):
    sums = collections.Counter()
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        if line.startswith(("#", "@")) or fields[0] == "live_bytes":
            continue
        frames = [frame_name(frame) for frame in fields[6:]]
        frames = [frame for frame in frames if not (hide and re.search(hide, frame))]
        stack = ";".join(reversed(frames)) or "[unknown]"
        stack = re.sub(r" ([0-9][0-9.]*)$", r"_\1", stack)
        sums[stack] += int(fields[COLUMN[metric]].replace("-", "0"))
    return sums


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=120)


def printed(result):
    assert result.returncode == 0, result
    lines = result.stdout.splitlines()
    assert lines == sorted(lines), "the lines are in no order"
    return lines


def one(sums):
    return {f"{stack} {value}" for stack, value in sums.items() if value}


def two(old, new):
    return {f"{stack} {old[stack]} {new[stack]}" for stack in {*old, *new} if old[stack] or new[stack]}


def check_figures(snapdiff, data):
    before, after, series = data / "before.txt", data / "after.txt", [data / f"series-{i}.txt" for i in range(1, 9)]
    for metric in COLUMN:
        got = printed(run(snapdiff, "top", "-f", "folded", "--metric", metric, before))
        assert set(got) == one(fold(before, metric)), (metric, got)
        got = printed(run(snapdiff, "compare", "-f", "folded", "--metric", metric, before, after))
        assert set(got) == two(fold(before, metric), fold(after, metric)), (metric, got)
    for metric in ("live", "blocks"):
        got = printed(run(snapdiff, "growth", "-f", "folded", "--metric", metric, *series))
        assert set(got) == two(fold(series[0], metric), fold(series[-1], metric)), (metric, got)
    got = printed(run(snapdiff, "top", "-f", "folded", "--hide", "^(main|handle)$", before))
    assert set(got) == one(fold(before, hide="^(main|handle)$")), got
    got = printed(run(snapdiff, "top", "-f", "folded", "-n", "1", data / "many.txt"))
    assert set(got) == one(fold(data / "many.txt")), "folded stacks are all stacks"


def check_names(snapdiff, scratch):
    text = scratch / "names.txt"
    text.write_text(HEADER + "5\t1\t5\t1\tmalloc\t-\tpart 12|a.c|1|p\ta;b\\nc|m.c|2|p\t||0|/lib/lib x.so\n"
                    "7\t1\t7\t1\tmalloc\t-\t|dir/b.c|3|\n"
                    "9\t1\t9\t1\tmalloc\t-\tf 1.|a.c|1|p\n")
    assert printed(run(snapdiff, "top", "-f", "folded", text)) == ["[lib x.so];a:b?c;part_12 5", "b.c 7", "f_1. 9"]


def check_processes(snapdiff, scratch):
    """Stacks of several processes lie below their process."""
    for pid in (7, 8):
        for step in (1, 2, 3):
            path = scratch / f"p{pid}.{step}.txt"
            path.write_text(HEADER.replace("pid\t7", f"pid\t{pid}").replace("program\tp", f"program\tp{pid}") +
                            f"{pid * 100 * step}\t1\t1\t1\tmalloc\t-\tf|a.c|1|p\n")
            text = path.read_text().replace("@ pid", f"@ seq\t{step}\n@ time_ns\t{pid * 10**12 + step * 10**9}\n@ start_ns\t{pid}\n@ pid")
            path.write_text(text)
    got = printed(run(snapdiff, "growth", "-q", "-f", "folded", *sorted(scratch.glob("p*.txt"))))
    assert got == ["p7 (7);f 700 2100", "p8 (8);f 800 2400"], got


def check_refusals(snapdiff, data):
    before = data / "before.txt"
    for command in (["check"], ["ls"], ["info"], ["peek", "main"], ["top", "--cumulative"], ["top", "--sql"]):
        result = run(snapdiff, *command, "-f", "folded", before)
        assert result.returncode == 2 and result.stderr and not result.stdout, (command, result)


def main():
    snapdiff, data = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    check_figures(snapdiff, data)
    for check in (check_names, check_processes):
        with tempfile.TemporaryDirectory() as scratch:
            check(snapdiff, pathlib.Path(scratch))
    check_refusals(snapdiff, data)
    print("folded stacks are what the files say")
    return 0


if __name__ == "__main__":
    sys.exit(main())
