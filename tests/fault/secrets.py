#!/usr/bin/env python3
"""Secrets of a recorded program: no file that the recorder writes has those of its command line, of its environment
or of its memory, and nobody else may read it.

usage: secrets.py SNAPDIFF [unittest arguments]
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SNAPDIFF = os.path.abspath(sys.argv.pop(1))
SECRET = "Xq7secretvalue"
PROGRAM = ["env", "DB_PASSWORD=" + SECRET, "sh", "-c", "exec env true", "name", "--token", SECRET, "--port=8080",
           f"http://user:{SECRET}@host/"]


class Secrets(unittest.TestCase):
    def commands(self, *options, **env):
        """The commands of all snapshots, after a look for the secret in whole, unpacked files."""
        directory = self.enterContext(tempfile.TemporaryDirectory())
        subprocess.run([SNAPDIFF, "run", "-q", "-o", directory, *options, "--", *PROGRAM], timeout=300, check=True,
                       env={**os.environ, **env})
        snapshots = sorted(pathlib.Path(directory).glob("*.snap"))
        self.assertTrue(snapshots)
        dumps = [subprocess.run([SNAPDIFF, "dump", path], capture_output=True, text=True, timeout=300, check=True).stdout
                 for path in snapshots]
        self.text = "".join(dumps)
        return [line.split("\t", 1)[1] for line in self.text.splitlines() if line.startswith("@ command\t")]

    def test_masked_unless_asked(self):
        commands = self.commands()
        self.assertTrue(any("--port=8080" in command and "***" in command for command in commands), commands)
        self.assertNotIn(SECRET, self.text)

    def test_full(self):
        self.assertTrue(any("--token " + SECRET in command for command in self.commands("--record-command=full")))

    def test_name(self):
        for command in self.commands("--record-command=name"):
            self.assertRegex(command, r"^[a-z]+$")
        self.assertNotIn(SECRET, self.text)

    def test_none(self):
        self.assertEqual(self.commands("--record-command", "none"), [])
        self.assertNotIn(SECRET, self.text)

    def test_environment_and_memory(self):
        self.commands(HIDDEN_VARIABLE=SECRET)
        self.assertNotIn("HIDDEN_VARIABLE", self.text)
        self.assertNotIn(SECRET, self.text)

    def test_who_may_read(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for umask, database, page in ((0, 0o644, 0o666), (0o022, 0o644, 0o644), (0o077, 0o600, 0o600)):
            home = directory / f"{umask:o}"
            home.mkdir()
            for command in (["run", "-q", "-o", "out", "--", "true"], ["load", "-q", "--db", "x.db", "out"],
                            ["report", "-q", "out", "-o", "x.html"], ["top", "-q", "out", "-o", "x.txt"]):
                subprocess.run([SNAPDIFF, *command], cwd=home, umask=umask, timeout=300, check=True)
            modes = {path.suffix: path.stat().st_mode & 0o777 for path in home.rglob("*") if path.is_file()}
            self.assertEqual(modes, {".snap": 0o600, ".db": database, ".html": page, ".txt": page}, f"{umask:o}")

    def test_none_is_read(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        subprocess.run([SNAPDIFF, "run", "-q", "-o", directory, "--record-command=none", "--", "true"], timeout=300,
                       check=True)
        path = next(pathlib.Path(directory).glob("*.snap"))
        done = subprocess.run([SNAPDIFF, "info", "--format=json", path], capture_output=True, text=True, timeout=300,
                              check=True)
        json.loads(done.stdout)
        subprocess.run([SNAPDIFF, "compare", path, path], stdout=subprocess.DEVNULL, timeout=300, check=True)


if __name__ == "__main__":
    unittest.main()
