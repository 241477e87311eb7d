"""The series of one row of recorded snapshots, as recorded_series.c reads it.

usage: series_of.py SNAPDIFF NAME TRUTH FUNCTION[:LINE] DIR

TRUTH is leaks or clean.  The row is all call stacks that pass through FUNCTION.
"""
import glob
import os
import subprocess
import sys


def read(snapdiff, path):
    """The facts of a snapshot, and its rows of figures and frames."""
    text = subprocess.run([snapdiff, "dump", path], capture_output=True, text=True, check=True).stdout
    facts, rows = {}, []
    for line in text.splitlines():
        cells = line.split("\t")
        if line.startswith("@ "):
            facts[cells[0][2:]] = cells[1]
        elif cells[0].isdigit():
            rows.append(cells)
    return facts, rows


def is_of(row, function, line):
    """Does the call stack pass through the function, at that line?"""
    frames = (frame.split("|") for frame in row[6:])
    return any(frame[0].split("(")[0] == function and line in ("", frame[2]) for frame in frames)


def births_of(rows):
    births = {}
    for row in rows:
        for cohort in row[5].split(",") if row[5] != "-" else []:
            birth, blocks, size = map(int, cohort.split(":"))
            old = births.get(birth, (0, 0))
            births[birth] = (old[0] + blocks, old[1] + size)
    return births


def main():
    snapdiff, name, truth, wanted, directory = sys.argv[1:6]
    function, line = wanted, ""
    if wanted.rpartition(":")[2].isdigit():
        function, _, line = wanted.rpartition(":")
    paths = sorted(glob.glob(os.path.join(directory, "*.snap")), key=lambda path: int(path.split(".")[-2]))
    print(f"= {name}\n{truth}")
    last_others = None
    for path in paths:
        facts, rows = read(snapdiff, path)
        mine = [row for row in rows if is_of(row, function, line)]
        held, blocks = sum(int(row[0]) for row in mine), sum(int(row[1]) for row in mine)
        total = sum(int(row[0]) for row in rows)
        if facts["trigger"] == "exit":
            frees_others = held <= last_others and 2 * (total - held) <= last_others
            print(f"exit {blocks} {held} {int(frees_others)}")
            continue
        births = births_of(mine)
        print(int(facts["mono_ns"]) // 1000000, blocks, held, sum(int(row[3]) for row in rows),
              int(facts["metrics.process.cpu_ns"]) // 1000,
              ",".join(f"{b}:{births[b][0]}:{births[b][1]}" for b in sorted(births)) or "-")
        last_others = total - held


if __name__ == "__main__":
    main()
