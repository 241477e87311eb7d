#!/usr/bin/env python3
"""Live bytes and blocks of every line are those of tracemalloc, which watches the same process.

Where a line reuses a block that CPython had kept, tracemalloc counts it there, and the recorder where its memory was
allocated.  So a line of a function may differ by such blocks, and by nothing else: at most MOVED of them came or went,
each of a size that CPython keeps.  The program says which sizes these are; up to 3.10 frames, whose size is that of
their function, are kept as well, and from 3.14 on up to a hundred integers, which loops free and computations take.
Lines that make no such objects do not differ at all.
"""
import collections
import itertools
import json

import harness

MOVED = 4
FRAME = range(300, 600)  # of the program's functions and comprehensions, in 3.9 and 3.10


INTEGER, INTEGERS = 32, 100  # the size of a block, and how many of them 3.14 keeps


def is_explained(size, blocks, kept, minor):
    """Is a difference what CPython's stores can make?"""
    if are_few(size, blocks, kept, minor <= 10):
        return True
    return minor >= 14 and any(are_few(size - INTEGER * moved, blocks - moved, kept[:1], False)
                               for moved in range(-INTEGERS, INTEGERS + 1))


def are_few(size, blocks, kept, frames):
    """Is a difference what a few blocks of those sizes make, that came to a line (1) or went from it (-1)?"""
    for count in range(MOVED + 1):
        for ways in itertools.product((1, -1), repeat=count):
            if sum(ways) != blocks:
                continue
            for sizes in itertools.combinations_with_replacement(kept, count):
                rest = size - sum(way * one for way, one in zip(ways, sizes))
                if rest == 0:
                    return True
            for sizes in itertools.combinations_with_replacement(kept, count - 1) if frames and count else ():
                rest = size - sum(way * one for way, one in zip(ways[1:], sizes))
                if ways[0] * rest in FRAME:
                    return True
    return False


class Tracemalloc(harness.PythonTest):
    every_python = True

    def ours(self, sites):
        """Bytes and blocks of each line of the program, as recorded."""
        found = collections.defaultdict(lambda: [0, 0])
        for site in sites:
            newest = next((frame for frame in site.frames if not frame.module), None)
            if newest and newest.file.endswith("totals.py"):
                found[newest.line][0] += site.bytes
                found[newest.line][1] += site.blocks
        return found

    def check(self, python):
        out, snapshots = self.record(python, "-X", "tracemalloc=1", "totals.py")
        sites, meta = self.dump(snapshots[0], lambda size, domain: size > 0 and domain == "python")
        self.assertEqual(meta["label"], "here")
        self.assertEqual(meta["losses.unseen_frees"], "0")
        self.assertEqual(meta["losses.unknown_frees"], "0")
        ours, (theirs, kept) = self.ours(sites), map(json.loads, out.splitlines())
        theirs = {line: [size, count] for file, line, size, count in theirs if file.endswith("totals.py")}
        source = (harness.PROGRAMS / "totals.py").read_text().splitlines()
        last = next(i for i, line in enumerate(source, 1) if line.startswith("emptied"))
        lines = sorted(line for line in {**ours, **theirs} if line < last and source[line - 1].startswith(" "))
        self.assertGreater(len(lines), 15)
        equal = 0
        for line in lines:
            mine, their = ours[line], theirs.get(line, [0, 0])
            equal += mine == their
            if source[line - 1].endswith("# exact"):
                self.assertEqual(mine, their, f"line {line}")
            self.assertTrue(is_explained(mine[0] - their[0], mine[1] - their[1], sorted(set(kept)), python.minor),
                            f"line {line}: {their} and {mine}: {source[line - 1]}")
        print(f"{python.version}: {equal} of {len(lines)} lines are equal, the rest by blocks that CPython kept",
              flush=True)

    def test_live_totals_of_every_line_are_equal(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
