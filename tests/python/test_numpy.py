#!/usr/bin/env python3
"""The data of a NumPy array are counted at the Python line that made it, as tracemalloc counts them."""
import json
import subprocess

import harness


def has_numpy(python):
    return subprocess.run([python.path, "-c", "import numpy"], capture_output=True, timeout=120, check=False).returncode == 0


class Arrays(harness.PythonTest):
    every_python = True

    @staticmethod
    def is_data(site, size, count):
        """Each line makes arrays of one size; NumPy takes blocks of other sizes for itself."""
        return site.bytes * count == site.blocks * size

    def check(self, python):
        if not has_numpy(python):
            print(f"skipped: {python.version} ({python.path}) has no NumPy (Debian: python3-numpy)", flush=True)
            return
        out, snapshots = self.record(python, "-X", "tracemalloc=5", "arrays.py")
        theirs = {int(line): figures for line, figures in json.loads(out).items()}
        sites, _ = self.dump(snapshots[0], lambda size, domain: domain == "malloc")
        ours = {line: [0, 0] for line in theirs}
        for site in sites:
            newest = next((frame.line for frame in site.frames if frame.file.endswith("arrays.py")), None)
            modules = "".join(frame.module for frame in site.frames)
            if newest in theirs and "_multiarray_umath" in modules and self.is_data(site, *theirs[newest]):
                ours[newest][0] += site.bytes
                ours[newest][1] += site.blocks
        self.assertGreaterEqual(len(theirs), 7)
        self.assertEqual(ours, theirs)
        print(f"{python.version}: {len(theirs)} lines are equal", flush=True)

    def test_data_are_on_the_line_that_made_them(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
