#!/usr/bin/env python3
"""Recorded stacks are those that sys._getframe() shows."""
import collections
import json

import harness


class Frames(harness.PythonTest):
    every_python = True

    def check(self, python):
        out, snapshots = self.record(python, "frames.py")
        sites, meta = self.dump(snapshots[-1], lambda size, domain: size >= 10000 and domain == "python")
        self.assertEqual(meta["python.version"], python.version)
        expected = collections.Counter()
        for _, size, frames in json.loads(out):
            expected[tuple(map(tuple, frames))] += size
        newest = {stack[0] for stack in expected}
        recorded = collections.Counter()
        for site in sites:
            frames = tuple((frame.function, frame.file, frame.line) for frame in site.frames)
            if frames and frames[0] in newest:
                recorded[frames] += site.bytes
        for stack, size in expected.items():
            self.assertEqual(recorded.get(stack), size, f"{len(stack)} frames: {stack[:3]} ... {stack[-2:]}")
        self.assertEqual(recorded, expected)
        print(f"{python.version}: {len(expected)} stacks agree", flush=True)

    def test_every_block_has_the_stack_that_the_program_saw(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
