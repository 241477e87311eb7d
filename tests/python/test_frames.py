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

    def check_deep(self, python):
        """Of a deep stack, at least the newest half of the limit is shown and at most all of it, then that it is cut."""
        out, snapshots = self.record(python, "deep.py")
        sites, meta = self.dump(snapshots[-1], lambda size, domain: size >= 10000 and domain == "python")
        limit = int(meta["depth_limit"])
        expected, recorded, stacks = collections.Counter(), collections.Counter(), collections.defaultdict(list)
        for size, depth, frames in json.loads(out):
            stack = tuple(map(tuple, frames))
            key = stack[:limit // 2], depth >= limit
            expected[key] += size
            stacks[key].append(stack)
        newest = {stack[0] for stack, _ in expected}
        for site in sites:
            frames = [(frame.function, frame.file, frame.line) for frame in site.frames]
            if not frames or frames[0] not in newest:
                continue
            cut = frames[-1][0] == "[depth limit]"
            shown = tuple(frames[:-1] if cut else frames)
            key = shown[:limit // 2], cut
            self.assertTrue(not cut or limit // 2 <= len(shown) <= limit, len(shown))
            self.assertTrue(any(stack[:len(shown)] == shown if cut else stack == shown for stack in stacks[key]),
                            f"{len(shown)} frames, cut: {cut}: {shown[:3]}")
            recorded[key] += site.bytes
        self.assertEqual(sorted(recorded.values()), sorted(expected.values()))
        self.assertTrue(recorded == expected)
        print(f"{python.version}: {len(expected)} deep stacks agree", flush=True)

    def test_deep_stacks_are_cut_where_they_are_oldest(self):
        self.with_each_python(self.check_deep)


if __name__ == "__main__":
    harness.main()
