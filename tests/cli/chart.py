#!/usr/bin/env python3
"""`growth --chart`: each column of the picture is as high as the snapshot that it stands for.

usage: chart.py SNAPDIFF
"""

import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

VALUES = [1000, 5000, 3000, 9000, 12000, 15000, 15500, 19000]
AT_SECONDS = [0, 10, 20, 60, 70, 80, 90, 140]
UNITS = {"B": 1, "KiB": 1024, "MiB": 1 << 20}


def write_series(scratch):
    for seq, (value, at) in enumerate(zip(VALUES, AT_SECONDS), 1):
        (scratch / f"{seq}.txt").write_text(
            f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{10**18 + at * 10**9}\n@ pid\t7\n@ start_ns\t1\n@ program\tp\n"
            "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
            f"{value}\t{seq}\t{value}\t{seq}\tmalloc\t-\tgrow|g.c|1|p\n")


def run(snapdiff, scratch, locale, *options):
    env = {**os.environ, "LC_ALL": locale, "COLUMNS": "62"}
    return subprocess.run([snapdiff, "growth", "--chart", *options, *sorted(scratch.glob("*.txt"))], env=env, check=True,
                          capture_output=True, text=True, timeout=60).stdout


def charts(text, bar):
    """The plots: each a list of (label, cells), the uppermost first."""
    found = []
    for line in text.splitlines():
        match = re.match(rf"^(.{{10}}) {re.escape(bar)}(.*)$", line)
        if match and (not found or found[-1] is None):
            found = found[:-1] + [[]]
        if match:
            found[-1].append((match[1].strip(), match[2]))
        elif found and found[-1]:
            found.append(None)
    return [plot for plot in found if plot]


def size(label):
    number, unit = label.split()
    return float(number) * UNITS[unit]


def check(plot):
    labels = [(len(plot) - row, size(label)) for row, (label, _) in enumerate(plot) if label]
    step = labels[0][1] / labels[0][0]
    assert all(value == line * step for line, value in labels), labels
    width = len(plot[0][1])
    assert width == 62 - 12 and all(len(cells) == width for _, cells in plot), plot
    for value, at in zip(VALUES, AT_SECONDS):
        column = math.ceil(at / AT_SECONDS[-1] * (width - 1) - 1e-9)
        high = sum(cells[column] != " " for _, cells in plot)
        assert high == math.ceil(value / step), (value, at, high, step)


def main():
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        write_series(scratch)
        for locale, bar in (("C", "|"), ("C.UTF-8", "┤")):
            text = run(sys.argv[1], scratch, locale)
            plots = charts(text, bar)
            assert len(plots) == 2, text
            for plot in plots:
                check(plot)
            assert text.count("2.3 min") >= 2, "the axis has the time"
            assert locale != "C" or text.isascii(), "blocks that the terminal cannot show"
        assert "KiB |" not in run(sys.argv[1], scratch, "C", "-f", "json"), "other formats have no chart"
    print("charts are as high as what they show")
    return 0


if __name__ == "__main__":
    sys.exit(main())
