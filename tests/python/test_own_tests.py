#!/usr/bin/env python3
"""CPython's own test modules have the same results recorded as bare.

Without more arguments a few quick modules are run; SNAP_TEST_MODULES, names separated by blanks, names others (all:
those that use threads, processes, the collector and the C API most).  Interpreters without a `test` package, as
Debian's where libpython3.11-testsuite is not installed, are left out, and that is said.
"""
import os
import subprocess
import tempfile
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
        """{test: outcome}; None if the interpreter has no such module."""
        with tempfile.TemporaryDirectory(dir=self.dir) as scratch:
            report = os.path.join(scratch, "report.xml")
            command = [*prefix, python.path, "-m", "test", "--junit-xml", report, "--timeout", "600", module]
            environment = {"PATH": os.environ["PATH"], "HOME": scratch, "LC_ALL": "C.UTF-8", "TMPDIR": scratch}
            done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=1800,
                                  check=False)
            if not os.path.exists(report):
                return None, done
            cases = xml.parse(report).getroot().iter("testcase")
            return {case.get("name"): outcome(case) for case in cases}, done

    def check(self, python):
        for module in modules():
            with self.subTest(module=module), tempfile.TemporaryDirectory(dir=self.dir) as out:
                bare, said = self.results([], python, module)
                if not bare:
                    print(f"{python.version} ({python.path}): {module} cannot be run: "
                          f"{(said.stderr or said.stdout).strip().splitlines()[-1:]}", flush=True)
                    continue
                recorded, said = self.results([self.snapdiff, "run", "-q", "-o", out, "--"], python, module)
                text = said.stdout + said.stderr
                self.assertIsNotNone(recorded, text[-3000:])
                differ = {name: (how, recorded.get(name)) for name, how in bare.items() if recorded.get(name) != how}
                files = len(os.listdir(out))
                print(f"{python.version}: {module}: {len(bare)} tests, {len(differ)} differ {differ or ''}; "
                      f"{files} snapshots", flush=True)
                self.assertEqual(differ, {}, text[-3000:])

    def test_same_results(self):
        self.with_each_python(self.check)


if __name__ == "__main__":
    harness.main()
