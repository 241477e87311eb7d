#!/usr/bin/env python3
"""A database of an older snapdiff is brought up to date as a whole, or stays as it was.

strace kills the process at the 1st, 2nd, 3rd ... write; three processes begin at once; and a database that cannot be
written is named, and left alone.

Exit status 77 without strace, or where tracing is not permitted.

usage: migration.py SNAPDIFF
"""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import run as cli  # noqa: E402

SNAPDIFF = pathlib.Path(sys.argv.pop(1)).resolve()
STORE = cli.TESTDATA.parent / "store"
KILLED_AT = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


def facts(database):
    """Version, and what people would miss."""
    connection = sqlite3.connect(database)
    try:
        whole = connection.execute("pragma integrity_check").fetchone()[0]
        version = connection.execute("pragma user_version").fetchone()[0]
        sums = connection.execute("select count(*), sum(live_bytes) from history").fetchone()
        return whole, version, sums
    finally:
        connection.close()


class Migration(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.home = pathlib.Path(self.scratch.name)
        self.env = cli.environment(SNAPDIFF, self.home)

    def tearDown(self):
        self.scratch.cleanup()

    def run_on(self, command, before=()):
        return subprocess.run([*before, SNAPDIFF, *command], cwd=self.home, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=600, check=False)

    def make_old(self, version, name="x.db"):
        for path in self.home.glob(name + "*"):
            path.unlink()
        connection = sqlite3.connect(self.home / name)
        connection.executescript((STORE / f"version_{version}.sql").read_text())
        connection.close()
        return self.home / name

    def versions(self):
        """The newest file is of our own version, which needs no step."""
        return sorted(int(path.stem.split("_")[1]) for path in STORE.glob("version_*.sql"))[:-1]

    def test_killed_at_a_write(self):
        for version in self.versions():
            expected = self.migrated(version)
            for when in KILLED_AT:
                with self.subTest(version=version, when=when):
                    database = self.make_old(version)
                    self.run_on(["ls", "--db", "x.db"], [
                        "strace", "-f", "-o", str(self.home / "log"), "-e", "trace=pwrite64,fdatasync",
                        f"--inject=pwrite64,fdatasync:signal=KILL:when={when}"])
                    result = self.run_on(["ls", "--db", "x.db"])
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertEqual(facts(database), expected)

    def migrated(self, version):
        database = self.make_old(version, "sound.db")
        before = facts(database)
        self.assertEqual(self.run_on(["ls", "--db", "sound.db"]).returncode, 0)
        after = facts(database)
        self.assertEqual((after[0], after[2]), ("ok", before[2]), "it holds something else")
        self.assertGreater(after[1], version)
        return after

    def test_three_at_once(self):
        for version in self.versions():
            expected = self.migrated(version)
            database = self.make_old(version)
            running = [subprocess.Popen([SNAPDIFF, *command, "--db", "x.db"], cwd=self.home, env=self.env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                       for command in (["ls"], ["top"], ["growth"])]
            for process in running:
                said = process.communicate(timeout=600)[1]
                self.assertIn(process.returncode, (0, 3) if "growth" in process.args else (0,), said)
            self.assertEqual(facts(database), expected)

    def test_a_database_that_cannot_be_written(self):
        as_nobody = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("run by root, and setpriv is not installed")
            as_nobody = ["setpriv", "--reuid=65534", "--clear-groups"]
            self.home.chmod(0o755)
            tool = self.home / "tool"
            shutil.copy(SNAPDIFF, tool)
            tool.chmod(0o755)
        else:
            tool = SNAPDIFF
        (self.home / "kept").mkdir()
        database = self.make_old(1, "kept/x.db")
        content = database.read_bytes()
        database.chmod(0o444)
        (self.home / "kept").chmod(0o555)
        try:
            for command in (["ls"], ["top"], ["load", str(STORE / "first.txt")]):
                with self.subTest(command=command):
                    result = subprocess.run([*as_nobody, tool, *command, "--db", "kept/x.db"], cwd=self.home, env=self.env,
                                            capture_output=True, timeout=600, check=False)
                    self.assertEqual((result.returncode, result.stdout), (3, b""), result.stderr)
                    self.assertIn(b"cannot be written: name a copy that can be written", result.stderr)
                    self.assertEqual(database.read_bytes(), content)
                    self.assertEqual([path.name for path in (self.home / "kept").iterdir()], ["x.db"])
        finally:
            (self.home / "kept").chmod(0o755)


if __name__ == "__main__":
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        print("skipped: strace is not installed, or tracing is not permitted here")
        sys.exit(77)
    unittest.main()
