#!/usr/bin/env python3
"""A directory in which one snapshot is damaged: every command names the file, and none ends with 0.

usage: damaged_directories.py SNAPDIFF STEP [unittest arguments]: every STEP-th kind of damage
"""
import gzip
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

from snapshots import one_site

SNAPDIFF, STEP = os.path.abspath(sys.argv.pop(1)), int(sys.argv.pop(1))
NAMES = ["prog.42.000001.snap", "prog.42.000002.snap", "prog.42.000003.snap"]


def sound(number):
    return one_site("prog", seq=str(number), pid="42", program="prog", command="./prog",
                    time_ns=str(number * 10 ** 9), start_time_ns="5")


def link_to(target):
    return lambda path, _: path.symlink_to(target)


def bind(path, _):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def content(change):
    return lambda path, data: path.write_bytes(change(data))


# What happened to the file.
DAMAGES = {
    "first byte": content(lambda data: b"\x88" + data[1:]),
    "line ends changed by a transfer": content(lambda data: data.replace(b"\r\n", b"\n")),
    "cut in the magic number": content(lambda data: data[:4]),
    "cut in the header": content(lambda data: data[:15]),
    "cut in the first chunk": content(lambda data: data[:30]),
    "cut in the middle": content(lambda data: data[:len(data) // 2]),
    "last byte missing": content(lambda data: data[:-1]),
    "a newer version": content(lambda data: data[:8] + b"\x63\0\0\0" + data[12:]),
    "empty": content(lambda data: b""),
    "zeros": content(lambda data: bytes(len(data))),
    "zeros behind half": content(lambda data: data[:len(data) // 2] + bytes(len(data) - len(data) // 2)),
    "something behind it": content(lambda data: data + b"x" * 100),
    "an error page": content(lambda data: b"<html><body>404</body></html>"),
    "gzip, cut": content(lambda data: gzip.compress(data)[:-9]),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a socket": bind,
    "a directory": lambda path, _: path.mkdir(),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a link to nothing": link_to("/nowhere/at/all"),
    "a link to a device": link_to("/dev/zero"),
}

# Each gives a report on the sound files, and ends with 3.
COMMANDS = [
    ["top", "dir"], ["ls", "dir"], ["info", "dir"], ["dump", "dir"], ["peek", "malloc", "dir"],
    ["compare", "base.snap", "dir"], ["compare", "--exit-code", "base.snap", "dir"],
    ["growth", "dir"], ["growth", "--exit-code", "dir"], ["load", "dir", "--db", "store.db"],
    ["check", "dir", "--baseline", "base.snap", "--max-total", "1GiB"],
    ["report", "-o", "page.html", "dir"], ["query", "select count(*) from snapshots", "dir"],
]
# These lack what they need in the sound files: they say why.
LACKING = [["holders", ".", "dir"], ["leaks", "dir"]]


class DamagedDirectories(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.home / "base.snap").write_bytes(sound(1))

    def run_tool(self, *argv):
        for made in ("store.db", "page.html"):
            (self.home / made).unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "SNAPDIFF_CONFIG": "", "LC_ALL": "C.UTF-8"}
        return subprocess.run([SNAPDIFF, *argv], cwd=self.home, env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)

    def directory(self, damaged=None, damage=None):
        directory = self.home / "dir"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for number, name in enumerate(NAMES, 1):
            if name == damaged:
                DAMAGES[damage](directory / name, sound(number))
            else:
                (directory / name).write_bytes(sound(number))

    def test_the_sound_directory_is_fine(self):
        self.directory()
        for argv in COMMANDS:
            with self.subTest(argv=argv):
                result = self.run_tool(*argv)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNotIn("warning: left out", result.stderr)

    def assert_said(self, name, damage):
        for argv in COMMANDS + LACKING:
            with self.subTest(damage=damage, name=name, argv=argv):
                result = self.run_tool(*argv)
                said = result.stderr + (result.stdout if argv[0] == "ls" else "")
                self.assertIn(name, said)
                if argv in COMMANDS:
                    self.assertEqual(result.returncode, 3, said)
                else:
                    self.assertIn(result.returncode, (2, 3), said)

    def test_the_newest_is_damaged(self):
        for damage in list(DAMAGES)[::STEP]:
            self.directory(NAMES[-1], damage)
            self.assert_said(NAMES[-1], damage)

    def test_an_older_one_is_damaged(self):
        for damage in list(DAMAGES)[::3 * STEP]:
            self.directory(NAMES[0], damage)
            self.assert_said(NAMES[0], damage)

    def test_other_things_in_a_directory_are_none_of_ours(self):
        self.directory()
        directory = self.home / "dir"
        os.mkfifo(directory / "pipe")
        (directory / "notes").mkdir()
        (directory / "current").symlink_to("/nowhere")
        (directory / "README").write_text("hello\n")
        (directory / ".hidden.snap").write_text("being written\n")
        (directory / "prog.42.000004.snap.tmp").write_text("being written\n")
        for argv in COMMANDS:
            with self.subTest(argv=argv):
                result = self.run_tool(*argv)
                self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
