#!/usr/bin/env python3
"""Lines are recorded whichever allocators are chosen, at the start or while the program runs."""
import sys

import harness

BYTES = 100 + sys.getsizeof(b"")


class Allocators(harness.PythonTest):
    def sums(self, snapshot, end):
        """Bytes and blocks of the domains, of sites whose newest line of Python is in a file."""
        sums = {}
        for site in self.dump(snapshot)[0]:
            newest = next((frame for frame in site.frames if not frame.module), None)
            if newest and newest.file.endswith(end):
                key = (newest.line, site.domain)
                sums[key] = [a + b for a, b in zip(sums.get(key, (0, 0)), (site.bytes, site.blocks))]
        return sums

    def expect(self, python, arguments, env):
        _, snapshots = self.record(python, *arguments, "allocators.py", env=env)
        sums = self.sums(snapshots[-1], "allocators.py")
        size, blocks = sums[7, "python"]
        self.assertLessEqual(abs(blocks - 1000), 2, sums)
        self.assertGreaterEqual(size, 1000 * BYTES)
        self.assertLessEqual(size, 1000 * BYTES + 20000)
        self.assertGreaterEqual(sums[8, "python"][0], 1000 * 2000)
        self.assertEqual(self.dump(snapshots[-1], lambda *_: False)[1]["losses.unseen_frees"], "0")

    def test_default(self):
        self.with_each_python(lambda python: self.expect(python, [], {}))

    def test_chosen_by_the_environment(self):
        def check(python):
            for name in ("debug", "malloc", "malloc_debug"):
                with self.subTest(name=name):
                    self.expect(python, [], {"PYTHONMALLOC": name})

        self.with_each_python(check)

    def test_development_mode(self):
        self.with_each_python(lambda python: self.expect(python, ["-X", "dev"], {}))

    def test_tracemalloc_in_front(self):
        self.with_each_python(lambda python: self.expect(python, ["-X", "tracemalloc"], {}))

    def test_tracemalloc_comes_and_goes(self):
        def check(python):
            program = ("import tracemalloc\nexec(open('allocators.py').read())\n"
                       "for _ in range(3):\n tracemalloc.start()\n fill(100)\n tracemalloc.stop()\n fill(100)\n")
            _, snapshots = self.record(python, "-c", program)
            sums = self.sums(snapshots[-1], "<string>")
            self.assertLessEqual(abs(sums[7, "python"][1] - 1600), 3)

        self.with_each_python(check)

    def test_each_block_of_the_interpreter(self):
        """The interpreter counts its blocks itself.  Those of its start, thousands, are one site."""
        def check(python):
            out, snapshots = self.record(python, "blocks.py", options=["--exit-snapshot", "none"])
            sites = [site for site in self.dump(snapshots[0])[0] if site.domain == "python"]
            self.assertAlmostEqual(sum(site.blocks for site in sites), int(out), delta=5)
            start = [site for site in sites if site.frames[0].function == "Py_InitializeFromConfig"]
            self.assertEqual(len(start), 1, start)
            self.assertGreater(start[0].blocks, 3000)
            self.assertFalse(any(not frame.module for frame in start[0].frames), start)

        self.with_each_python(check)


if __name__ == "__main__":
    harness.main()
