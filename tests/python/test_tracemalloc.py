#!/usr/bin/env python3
"""Live bytes and blocks of every line are those of tracemalloc, which watches the same process.

Where a line reuses an object that CPython had kept, tracemalloc counts it there, and the recorder where its memory
was allocated: a line may differ by a few blocks, most must not differ at all.
"""
import collections
import json

import harness

REUSED_BLOCKS, REUSED_BYTES = 6, 600


class Tracemalloc(harness.PythonTest):
    def check(self, python):
        out, snapshots = self.record(python, "-X", "tracemalloc=1", "totals.py")
        sites, meta = self.dump(snapshots[0], lambda size, domain: size > 0 and domain == "python")
        self.assertEqual(meta["label"], "here")
        self.assertEqual(meta["losses.unseen_frees"], "0")
        self.assertEqual(meta["losses.unknown_frees"], "0")
        ours = collections.defaultdict(lambda: [0, 0])
        for site in sites:
            newest = next((frame for frame in site.frames if not frame.module), None)
            if newest and newest.file.endswith("totals.py"):
                ours[newest.line][0] += site.bytes
                ours[newest.line][1] += site.blocks
        theirs = {line: [size, count] for file, line, size, count in json.loads(out) if file.endswith("totals.py")}
        first = min(line for line, (_, count) in theirs.items() if count > 100)  # of work()
        source = (harness.PROGRAMS / "totals.py").read_text().splitlines()
        last = next(i for i, line in enumerate(source, 1) if line.startswith("emptied"))
        lines = sorted(line for line in {**ours, **theirs} if first <= line < last)
        self.assertGreater(len(lines), 15)
        equal = 0
        for line in lines:
            mine, their = ours[line], theirs.get(line, [0, 0])
            equal += mine == their
            self.assertLessEqual(abs(mine[1] - their[1]), REUSED_BLOCKS, f"line {line}: {their} and {mine}")
            self.assertLessEqual(abs(mine[0] - their[0]), REUSED_BYTES, f"line {line}: {their} and {mine}")
        self.assertGreaterEqual(equal, len(lines) / 2, [(line, theirs.get(line), ours[line]) for line in lines])
        print(f"{python.version}: {equal} of {len(lines)} lines are equal", flush=True)

    def test_live_totals_of_every_line_are_equal(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
