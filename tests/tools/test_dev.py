"""`./dev`: what it lists it can do, and it says so where something is missing.

usage: test_dev.py SOURCE_DIR BUILD_DIR
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = BUILD = ""


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1200, stdin=subprocess.DEVNULL, **more)


def dev(*argv, **more):
    return run(os.path.join(ROOT, "dev"), *argv, **more)


class Dev(unittest.TestCase):
    def test_every_command_that_help_lists_exists_and_none_is_missing_from_it(self):
        listed = set(re.findall(r"^  ([a-z][a-z0-9-]+)", dev("help").stdout, re.MULTILINE))
        with open(os.path.join(ROOT, "dev"), encoding="utf-8") as file:
            text = file.read()
        defined = {name.replace("_", "-") for name in re.findall(r"^cmd_(\w+)\(\)", text, re.MULTILINE)} | {"clean"}
        self.assertEqual(listed, defined)
        for script in re.findall(r"\btests/[\w/]+\.(?:sh|py)\b", text):
            self.assertTrue(os.path.exists(os.path.join(ROOT, script)), script)

    def test_an_unknown_command_is_a_wrong_command_line(self):
        done = dev("frobnicate")
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: ./dev COMMAND", done.stderr)

    def test_packages_that_cannot_be_installed_are_named(self):
        with tempfile.TemporaryDirectory() as directory:
            for name, status in (("dpkg-query", 1), ("apt-get", 100), ("sudo", 1)):
                with open(os.path.join(directory, name), "w", encoding="ascii") as file:
                    file.write(f"#!/bin/sh\nexit {status}\n")
                os.chmod(file.name, 0o755)
            done = dev("setup", env=dict(os.environ, PATH=directory + ":" + os.environ["PATH"]))
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"no network, bring these packages.*libdw-dev.*sqlite3")

    def test_the_demo_runs_keeps_its_files_and_says_what_comes_next(self):
        with tempfile.TemporaryDirectory(prefix="snap demo ") as directory:
            work = os.path.join(directory, "work")
            done = run(os.path.join(ROOT, "tests", "demo", "demo.sh"), os.path.join(BUILD, "bin"), work)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
            self.assertIn(work, done.stdout)
            self.assertIn("-- ./your-program", done.stdout)
            self.assertTrue(os.path.exists(os.path.join(work, "memory.db")))


if __name__ == "__main__":
    ROOT, BUILD = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()
