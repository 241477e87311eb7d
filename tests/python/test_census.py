#!/usr/bin/env python3
"""The census of objects: what a program and its interpreter know of their objects is what a snapshot says."""
import collections
import json
import subprocess

import harness

# Types of which counting makes and frees some itself, or that the collector does not always track.
LOOSE = 12

SOURCE = (harness.PROGRAMS / "census.py").read_text().splitlines()


def line_of(text):
    """The line of census.py that has this text."""
    found = [i for i, line in enumerate(SOURCE, 1) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]


DICTS, BUFFERS = line_of('{"key%d" % i: i}'), line_of("bytearray(1000) for")
LISTS, FROZEN = line_of("[None] * 100"), line_of("frozenset(range")


class Census(harness.PythonTest):
    def groups(self, snapshot):
        """(type, newest line) -> [objects, bytes, objects that only the collector would free], and the meta keys."""
        done = subprocess.run([self.snapdiff, "dump", snapshot], capture_output=True, text=True, timeout=120, check=True)
        sums, meta = collections.defaultdict(lambda: [0, 0, 0]), {}
        for line in done.stdout.splitlines():
            fields = line.split("\t")
            if line.startswith("@ "):
                meta[fields[0][2:]] = fields[1]
            if fields[0] != "%group" or fields[1] != "1":
                continue
            frame = harness.parse_frame(fields[11]) if len(fields) > 11 and fields[11] else None
            entry = sums[fields[10], frame.line if frame and frame.file.endswith("census.py") else None]
            for i, column in enumerate((2, 3, 6)):
                entry[i] += int(fields[column])
        return sums, meta

    @staticmethod
    def of_type(sums, name):
        return [sum(entry[i] for (kind, _), entry in sums.items() if kind == name) for i in range(3)]

    def test_freed_objects_of_many_lines(self):
        """The interpreter keeps freed tuples for new ones: each is of another line, and the groups of the rest were few."""
        def check(python):
            lines = [f"kept.append(({', '.join(['one'] * size)}))" for size in (2, 3, 4) for _ in range(1500)]
            (self.dir / "freed.py").write_text("\n".join(["import ctypes", "one, kept = object(), []", *lines, "del kept",
                                                          'ctypes.CDLL(None).snap_take_census(b"x")', ""]))
            _, snapshots = self.record(python, "freed.py", options=["--exit-snapshot", "none"])
            _, meta = self.groups(snapshots[0])
            self.assertEqual(meta["census"], "python")
            done = subprocess.run([self.snapdiff, "dump", snapshots[0]], capture_output=True, text=True, timeout=120, check=True)
            kept = [int(line.split("\t")[2]) for line in done.stdout.splitlines() if line.startswith("%group\t2\t")]
            self.assertGreaterEqual(sum(kept), 4000)
            self.assertEqual(sum(kept), int(meta["census.reuse_objects"]))
            self.assertNotIn(0, kept)

        self.with_each_python(check)

    def check(self, python, lock):
        out, snapshots = self.record(python, "census.py", lock, options=["--exit-snapshot", "none"])
        counts = json.loads(out)
        sums, meta = self.groups(snapshots[0])
        self.assertEqual(meta["census"], "python")
        objects = {name: self.of_type(sums, name)[0] for name in {kind for kind, _ in sums}}
        self.assertEqual(int(meta["census.objects"]), sum(objects.values()))
        self.assertEqual(int(meta["census.bytes"]), sum(entry[1] for entry in sums.values()))
        self.assertEqual(meta["census.threads"], "2")
        # What the collector tracks is all there.  (Counter makes an object or two after it has counted.)
        for name, count in counts.items():
            self.assertGreaterEqual(objects.get(name, 0), count - LOOSE, name)
        for name in ("function", "module", "property", "classmethod", "list", "set", "cell"):
            self.assertLessEqual(abs(objects[name] - counts[name]), LOOSE, name)
        # The program's own.
        for name, count in (("Plain", 3200), ("Slots", 501), ("Outer.Inner", 70), ("Loop", 25)):
            self.assertEqual(objects["__main__." + name], count)
        self.assertEqual(sums["dict", DICTS][0], 1234)
        self.assertEqual(sums["bytearray", BUFFERS][0], 50)
        self.assertEqual(sums["list", LISTS][0], 322)
        return sums, meta

    def test_counts_without_the_lock(self):
        self.with_each_python(lambda python: self.check(python, "free"))

    def test_counts_with_the_lock_held(self):
        self.with_each_python(lambda python: self.check(python, "held"))

    def test_bytes(self):
        """An object's bytes are its block and those that it alone has."""
        def check(python):
            sums, _ = self.check(python, "free")
            sizes = json.loads(subprocess.run(
                [python.path, "-c", "import sys, json; print(json.dumps([sys.getsizeof({'k': 1}), "
                 "sys.getsizeof(bytearray(1000)), sys.getsizeof([None] * 100), sys.getsizeof(frozenset(range(1000)))]))"],
                capture_output=True, text=True, timeout=60, check=True).stdout)
            self.assertEqual(sums["dict", DICTS][1], 1234 * sizes[0])
            self.assertEqual(sums["bytearray", BUFFERS][1], 50 * sizes[1])
            self.assertGreaterEqual(sums["list", LISTS][1], 321 * sizes[2])
            self.assertLessEqual(sums["list", LISTS][1], 321 * sizes[2] + 3200)
            self.assertEqual(sums["frozenset", FROZEN][1], sizes[3])

        self.with_each_python(check)

    def test_what_only_the_collector_would_free(self):
        def check(python):
            sums, meta = self.check(python, "free")
            self.assertEqual(self.of_type(sums, "__main__.Loop")[2], 25)
            for name in ("Plain", "Slots", "Outer.Inner"):
                self.assertEqual(self.of_type(sums, "__main__." + name)[2], 0, name)
            self.assertEqual(int(meta["census.uncollected_objects"]), sum(entry[2] for entry in sums.values()))

        self.with_each_python(check)

    def test_report_by_type(self):
        def check(python):
            _, snapshots = self.record(python, "census.py", "free", options=["--exit-snapshot", "none"])
            done = subprocess.run([self.snapdiff, "top", "-g", "type", "-f", "json", "--all", snapshots[0]],
                                  capture_output=True, text=True, timeout=120, check=True)
            rows = {row["key"]: row for row in json.loads(done.stdout)["rows"]}
            self.assertEqual(rows["__main__.Plain"]["live_blocks"], 3200)
            done = subprocess.run([self.snapdiff, "compare", "-g", "type", snapshots[0], snapshots[0]],
                                  capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

        self.with_each_python(check)

    def test_while_threads_change_everything(self):
        """A census at any moment is whole, or says why it is not there; the program goes on in any case."""
        def check(python):
            out, snapshots = self.record(python, "churn.py", options=["--census", "--every", "50ms"])
            self.assertEqual(out, "done\n")
            self.assertGreaterEqual(len(snapshots), 3)
            whole = 0
            for snapshot in snapshots:
                sums, meta = self.groups(snapshot)
                if meta["census"] == "python":
                    whole += 1
                    self.assertGreater(int(meta["census.objects"]), 1000)
                else:
                    self.assertRegex(meta["census"], "^failed: ")
                    # The copy waits for no lock that a stopped thread had.
                    self.assertNotIn("took longer", meta["census"])
            self.assertGreater(whole, 0)
            # Nothing changes at the end: there the objects are known.
            self.assertEqual(self.of_type(sums, "__main__.Kept")[0], 70000)

        self.with_each_python(check)

    def test_what_cannot_be_followed(self):
        """Damaged lists, objects whose tp_traverse faults, and memory that is no object: the census has all the rest."""
        def check(python):
            _, snapshots = self.record(python, "unsound.py", options=["--exit-snapshot", "none"])
            sums, meta = self.groups(snapshots[0])
            self.assertEqual(meta["census"], "python")
            # [objects, those that only the collector would free] of what the program made.
            made = {name: self.of_type(sums, "__main__." + name)[::2] for name in ("Kept", "Faulty", "Other")}
            self.assertEqual(made, {"Kept": [1000 + 5 * 2 + 7 + 3 + 1000, 0], "Faulty": [7, 0], "Other": [3, 0]})
            self.assertEqual(meta["census.unfollowed_objects"], str(7 + 3))
            self.assertEqual(meta["census.unsound_references"], "5")

        self.with_each_python(check)

    def test_refused(self):
        """A program without an interpreter has no census, and the snapshot says so."""
        import pathlib
        import tempfile
        out = tempfile.mkdtemp(dir=self.dir)
        subprocess.run([self.snapdiff, "run", "-q", "-o", out, "--census", "--", "/bin/true"], timeout=60, check=True)
        snapshot = next(pathlib.Path(out).glob("*.snap"))
        _, meta = self.groups(snapshot)
        self.assertEqual(meta["census"], "failed: there is no interpreter of Python")
        done = subprocess.run([self.snapdiff, "top", "-g", "type", snapshot], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no interpreter of Python", done.stderr)


if __name__ == "__main__":
    harness.main()
