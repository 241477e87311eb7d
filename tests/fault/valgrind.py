#!/usr/bin/env python3
"""The commands under valgrind: no read of what was never written, no access out of bounds, nothing lost.

Exit status 77 without valgrind.

usage: valgrind.py SNAPDIFF
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "testdata"
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--child-silent-after-fork=yes"]


def commands(home):
    first, second = DATA / "store" / "first.txt", DATA / "store" / "second.txt"
    yield 0, ["build", first, "-o", home / "first.snap"]
    yield 3, ["dump", DATA / "golden" / "held.snap"]  # its figures are those of no process
    yield 0, ["info", DATA / "golden" / "sampled.snap"]
    yield 3, ["info", DATA / "bad" / "cut-in-payload.snap"]
    yield 0, ["top", "-f", "json", "--all", first]
    yield 0, ["top", "--cumulative", "-g", "stack", DATA / "tracemalloc" / "3.11.after.dump"]
    yield 0, ["compare", first, second]
    yield 0, ["growth", "-f", "markdown", *sorted((DATA / "cli").glob("series-*.txt"))]
    yield 0, ["peek", ".", first]
    yield 0, ["holders", ".", DATA / "store" / "held.txt"]
    yield 0, ["leaks", DATA / "store" / "held.txt"]
    yield 0, ["load", "--db", home / "a.db", first, second, DATA / "store" / "held.txt"]
    yield 0, ["ls", "--db", home / "a.db"]
    yield 0, ["top", "--db", home / "a.db", "--sql"]
    yield 0, ["compare", "--db", home / "a.db", "@1", "@2", "-f", "csv"]
    yield 0, ["query", "--db", home / "a.db", "select function, stack_text(site_id) from top"]
    yield 1, ["check", second, "--baseline", first, "--max-total", "1"]
    yield 0, ["report", "-o", home / "a.html", first, second]
    yield 2, ["top", "--colour"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        sys.exit(77)
    wrong, tried = 0, 0
    with tempfile.TemporaryDirectory() as directory:
        home = pathlib.Path(directory)
        env = {"PATH": os.environ["PATH"], "HOME": directory, "SNAPDIFF_CONFIG": ""}
        for code, words in commands(home):
            tried += 1
            result = subprocess.run([*VALGRIND, os.path.abspath(sys.argv[1]), *map(str, words)], env=env, text=True,
                                    capture_output=True, timeout=900, check=False)
            if result.returncode != code:
                print(f"FAULT {' '.join(map(str, words))}: {result.returncode}\n{result.stderr[-3000:]}")
                wrong += 1
    print(f"{tried} commands, {wrong} faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
