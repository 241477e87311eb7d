#!/usr/bin/env python3
"""Recording that begins while a Python program runs: what its allocators hand out from then on, and no more."""
import collections
import json
import pathlib
import re
import subprocess
import tempfile

import harness

SOURCE = (harness.PROGRAMS / "late.py").read_text().splitlines()
# Blocks that a line got from a store of CPython's; tracemalloc is told of them, the recorder cannot know.
REUSED_BLOCKS, REUSED_BYTES = 6, 600


def line_of(text):
    return next(number for number, line in enumerate(SOURCE, 1) if text in line)


class Late(harness.PythonTest):
    def start_late(self, python, how, env=None, options=()):
        """What was printed, and the snapshots by their process, oldest first."""
        out = tempfile.mkdtemp(dir=self.dir)
        library = pathlib.Path(self.snapdiff).resolve().parent.parent / "lib" / "libsnap.so"
        done = subprocess.run([python.path, *options, "late.py", library, out, how], cwd=self.dir,
                              env={"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(self.dir), **(env or {})}, text=True,
                              capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.stderr = done.stderr
        found = collections.defaultdict(list)
        for path in sorted(pathlib.Path(out).glob("*.snap")):
            found[path.name.split(".")[-3]].append(path)
        return done.stdout, list(found.values())

    def lines(self, snapshot):
        """Bytes and blocks of each line of the program."""
        sites, meta = self.dump(snapshot)
        self.assertEqual({site.domain for site in sites}, {"python"})
        found = collections.defaultdict(lambda: [0, 0])
        for site in sites:
            newest = next((frame for frame in site.frames if not frame.module), None)
            if newest and newest.file.endswith("late.py"):
                found[newest.line][0] += site.bytes
                found[newest.line][1] += site.blocks
        return found, meta

    def check_totals(self, python, **settings):
        out, [snapshots] = self.start_late(python, "totals", **settings)
        ours, meta = self.lines(snapshots[0])
        theirs = {line: [size, count] for line, size, count in json.loads(out)}
        self.assertEqual(meta["label"], "here")
        for number in range(line_of("objects = ["), line_of("table[0] =")):
            mine, their = ours[number], theirs[number]
            self.assertGreater(their[1], 5)
            self.assertLessEqual(abs(mine[1] - their[1]), REUSED_BLOCKS, f"line {number}: {their} and {mine}")
            self.assertLessEqual(abs(mine[0] - their[0]), REUSED_BYTES, f"line {number}: {their} and {mine}")
        self.assertEqual(ours[line_of("early = [")], [0, 0])
        self.assertGreaterEqual(int(meta["losses.unknown_frees"]), 1999)  # of what was there before
        return meta

    def test_totals_are_those_of_tracemalloc(self):
        self.with_each_python(self.check_totals)

    def test_other_allocators(self):
        def check(python):
            for settings in ({"env": {"PYTHONMALLOC": "malloc"}}, {"env": {"PYTHONMALLOC": "debug"}},
                             {"options": ["-X", "dev"]}):
                with self.subTest(settings=settings):
                    self.check_totals(python, **settings)

        self.with_each_python(check)

    def test_what_is_not_recorded_is_said(self):
        def check(python):
            _, [snapshots] = self.start_late(python, "twice")
            lines, meta = self.lines(snapshots[0])
            self.assertRegex(self.stderr, r"\Alibsnap: recording only what Python's own allocators hand out; not "
                             r"recorded: .*\(\d+ KiB resident.*\). .*\n\Z")
            self.assertIn("not recorded: malloc of native libraries", meta["python.recorded"])
            resident = re.match(r"(\d+) KiB resident", meta["python.before_start"])
            self.assertGreater(int(resident[1]), 2000)
            self.assertEqual(lines[line_of("first = [")], [0, 0])
            self.assertEqual(lines[line_of("unseen = [")], [0, 0])
            self.assertGreaterEqual(lines[line_of("last = [")][1], 400)
            last, meta = self.lines(snapshots[-1])
            self.assertEqual(meta["trigger"], "exit")
            self.assertGreaterEqual(last[line_of("last = [")][1], 400)

        self.with_each_python(check)

    def test_threads_that_run_meanwhile(self):
        def check(python):
            _, [snapshots] = self.start_late(python, "threads")
            self.assertGreaterEqual(self.lines(snapshots[-1])[0][line_of("held = [")][1], 5000)

        self.with_each_python(check)

    def test_a_forked_child(self):
        def check(python):
            _, processes = self.start_late(python, "fork")
            self.assertEqual(len(processes), 2)
            for snapshots in processes:
                line = [i for i, text in enumerate(SOURCE, 1) if "held = [" in text][-1]
                self.assertGreaterEqual(self.lines(snapshots[-1])[0][line][1], 5000)

        self.with_each_python(check)


if __name__ == "__main__":
    harness.main()
