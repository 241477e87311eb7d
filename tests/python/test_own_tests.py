#!/usr/bin/env python3
"""CPython's own test modules have the same results recorded as bare.

Without more arguments a few quick modules are run; SNAP_TEST_MODULES, names separated by blanks, names others (all:
those that use threads, processes, the collector and the C API most).  SNAP_RUN_OPTIONS has options of `run`.
Interpreters without a `test` package, as Debian's where libpython3.11-testsuite is not installed, are left out, and
that is said.
"""
import collections
import os
import subprocess
import tempfile
import time
import xml.etree.ElementTree as xml

import harness

QUICK = "test_gc test_json test_capi"
ALL = ("test_threading test_asyncio test_gc test_multiprocessing_fork test_multiprocessing_forkserver "
       "test_multiprocessing_spawn test_subprocess test_json test_pickle test_ctypes test_embed test_capi test_tracemalloc")


def modules():
    named = os.environ.get("SNAP_TEST_MODULES", QUICK)
    return (ALL if named == "all" else named).split()


def outcome(case):
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    return kinds[0] if kinds else "ok"


class OwnTests(harness.PythonTest):
    every_python = True

    def results(self, prefix, python, module):
        """{test: outcome}, None if the interpreter has no such module; what it printed; its seconds."""
        with tempfile.TemporaryDirectory(dir=self.dir) as scratch:
            report = os.path.join(scratch, "report.xml")
            command = [*prefix, python.path, "-m", "test", "--junit-xml", report, "--timeout", "600", module]
            environment = {"PATH": os.environ["PATH"], "HOME": scratch, "LC_ALL": "C.UTF-8", "TMPDIR": scratch}
            begin = time.monotonic()
            done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=1800,
                                  stdin=subprocess.DEVNULL, errors="replace", check=False)
            seconds = time.monotonic() - begin
            said = done.stdout + done.stderr
            if not os.path.exists(report):
                return None, said, seconds
            cases = xml.parse(report).getroot().iter("testcase")
            return {case.get("name"): outcome(case) for case in cases}, said, seconds

    def check(self, python):
        options = os.environ.get("SNAP_RUN_OPTIONS", "").split()
        for module in modules():
            with self.subTest(module=module), \
                    tempfile.TemporaryDirectory(dir=self.dir, ignore_cleanup_errors=True) as out:
                bare, said, bare_seconds = self.results([], python, module)
                if not bare:
                    print(f"{python.version} ({python.path}): {module} cannot be run: {said.strip().splitlines()[-1:]}",
                          flush=True)
                    continue
                run = [self.snapdiff, "run", "-q", "-o", out, *options, "--"]
                recorded, said, seconds = self.results(run, python, module)
                self.assertIsNotNone(recorded, said[-3000:])
                differ = {name: (how, recorded.get(name)) for name, how in bare.items() if recorded.get(name) != how}
                counts = ", ".join(f"{count} {kind}" for kind, count in sorted(collections.Counter(bare.values()).items()))
                print(f"{python.version}: {module}: {counts}; {len(differ)} differ {differ or ''}; {bare_seconds:.0f} s "
                      f"bare, {seconds:.0f} s recorded, {len(os.listdir(out))} snapshots", flush=True)
                self.assertEqual(differ, {}, said[-3000:])

    def test_same_results(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
