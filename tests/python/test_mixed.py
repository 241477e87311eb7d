#!/usr/bin/env python3
"""Blocks that extensions take from malloc are below the right line of Python."""
import collections
import json

import harness

# What belongs to the interpreter and must not stand between an extension's frames.
INTERPRETER = ("EvalFrame", "Py_RunMain", "pymain", "libc_start")


class Mixed(harness.PythonTest):
    every_python = True

    def check(self, python):
        out, snapshots = self.record(python, "mixed.py")
        sites, _ = self.dump(snapshots[-1], lambda size, domain: size >= 20000 and domain == "malloc")
        expected = collections.Counter()
        for _, size, frames in json.loads(out):
            expected[tuple(map(tuple, frames))] += size
        newest = {stack[0] for stack in expected}
        recorded = collections.Counter()
        for site in sites:
            kinds = ["native" if frame.module else "python" for frame in site.frames]
            lines = tuple(tuple(frame[:3]) for frame in site.frames if not frame.module)
            if not lines or lines[0] not in newest:
                continue
            native = [frame.function for frame in site.frames if frame.module]
            self.assertEqual(kinds, sorted(kinds), site.frames[:8])
            self.assertTrue(native, lines[:3])
            self.assertFalse([name for name in native if any(part in name for part in INTERPRETER)], native)
            recorded[lines] += site.bytes
        for stack, size in expected.items():
            self.assertEqual(recorded.get(stack), size, f"{len(stack)} frames: {stack[:3]} ... {stack[-2:]}")
        self.assertEqual(recorded, expected)
        print(f"{python.version}: {len(expected)} stacks agree", flush=True)

    def test_native_frames_are_below_the_line_that_called_the_extension(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
