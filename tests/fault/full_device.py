#!/usr/bin/env python3
"""Output that cannot be written never looks like output that was.

Every command, in every format, writes to a full device: standard output, -o, and what else it writes.  It ends with exit
status 4, and one line says what could not be written and why.  What a file held before is kept, and
nothing is left beside it.  A pager that dies is a fault, one that the user left is not.

usage: full_device.py SNAPDIFF
"""
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import run as cli  # noqa: E402

SNAPDIFF = pathlib.Path(sys.argv.pop(1)).resolve()
FORMATS = ["table", "json", "jsonl", "csv", "tsv", "markdown"]
SITES, GATE = ["folded"], ["junit", "sarif", "github", "gitlab"]
NO_SPACE = "No space left on device"

# What each command prints from; and its formats.
REPORTS = {
    "top": (["top", "-q", "before.snap"], FORMATS + SITES),
    "compare": (["compare", "-q", "before.snap", "after.snap"], FORMATS + SITES),
    "growth": (["growth", "-q", "series-1.snap", "series-2.snap", "series-3.snap"], FORMATS + SITES),
    "peek": (["peek", "-q", ".", "before.snap"], FORMATS),
    "leaks": (["leaks", "-q", "held.snap"], FORMATS),
    "holders": (["holders", "-q", ".", "held.snap"], FORMATS),
    "ls": (["ls", "-q", "before.snap"], FORMATS),
    "info": (["info", "-q", "before.snap"], FORMATS),
    "schema": (["schema", "-q"], FORMATS),
    "query": (["query", "-q", "select * from sites", "before.snap"], FORMATS),
    "check": (["check", "-q", "--max-site", "1", "after.snap", "--baseline", "before.snap"], FORMATS + GATE),
}
# Commands and forms of them without a choice of formats.
OTHERS = {
    "": [[]],
    "help": [["help"], ["help", "--all"], ["help", "top"], ["--help"]],
    "version": [["version"], ["--version"]],
    "dump": [["dump", "-q", "before.snap"], ["dump", "-q", "long.txt"]],
    "report": [["report", "-q", "before.snap"], ["report", "-q", "before.snap", "after.snap"]],
    "top": [["top", "-q", "before.snap", "--sql"], ["top", "--compat", "tracemalloc", "-q", "before.snap"]],
    "query": [["query", "--examples"]],
    "check": [["check", "-q", "before.snap", "--write-baseline", "-"]],
}
# They print nothing unless they are recording, or on a terminal; their help is tried with all others.
SILENT = {"run", "snap", "status", "load", "build", "watch", "browse"}


class Full(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        home = pathlib.Path(cls.scratch.name)
        cls.work = home / "snapshots"
        cli.build_snapshots(SNAPDIFF, cls.work)
        cls.env = cli.environment(SNAPDIFF, home)
        # More than a pipe holds, so that a pager which reads nothing is noticed.
        rows = "".join(f"{n}\t1\t{n}\t1\tmalloc\t-\tfunction_{n}|source.c|{n}|program\n" for n in range(1, 3000))
        (cls.work / "long.txt").write_text("#snaptext 1\n" + rows)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_with(self, command, stdout, **more):
        env = dict(self.env, **more.pop("env", {}))
        return subprocess.run([SNAPDIFF, *command], cwd=self.work, env=env, stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=600, check=False, **more)

    def assert_said(self, result, what):
        said = result.stderr.decode().splitlines()
        self.assertEqual(result.returncode, 4, said)
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said[0], rf"^snapdiff.*: cannot write {re.escape(what)}: {NO_SPACE}$")

    def lines(self):
        for name, (command, formats) in REPORTS.items():
            for form in formats:
                yield name, [*command, "-f", form]
        for name, commands in OTHERS.items():
            for command in commands:
                yield name, command

    def test_every_command_and_format_on_standard_output(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            for _, command in self.lines():
                with self.subTest(command=command):
                    self.assert_said(self.run_with(command, full), "standard output")

    def test_help_of_every_command(self):
        listed = self.run_with(["help", "--all"], subprocess.PIPE).stdout.decode()
        names = set(re.findall(r"(?m)^  ([a-z]+)  ", listed))
        known = {*REPORTS, *OTHERS, *SILENT} - {""}
        self.assertEqual(names, known, "a command is not tried, or is gone")
        with open("/dev/full", "w", encoding="utf-8") as full:
            for name in sorted(names):
                with self.subTest(command=name):
                    self.assert_said(self.run_with([name, "--help"], full), "standard output")

    def test_every_option_that_names_an_output(self):
        cases = [[*command, "-f", formats[-1], "-o", "/dev/full"] for command, formats in REPORTS.values()]
        cases += [["dump", "-q", "before.snap", "-o", "/dev/full"], ["report", "-q", "before.snap", "-o", "/dev/full"],
                  ["check", "-q", "before.snap", "--write-baseline", "/dev/full"],
                  ["check", "-q", "--max-site", "1GiB", "after.snap", "--baseline", "before.snap", "--also",
                   "junit=/dev/full"]]
        for command in cases:
            with self.subTest(command=command):
                self.assert_said(self.run_with(command, subprocess.PIPE), "/dev/full")

    def test_a_snapshot_that_is_built(self):
        result = self.run_with(["build", "before.txt", "-o", "/dev/full"], subprocess.PIPE)
        self.assertEqual(result.returncode, 4)
        self.assertEqual(result.stderr.decode(), f"snapdiff build: /dev/full: {NO_SPACE}\n")

    def test_the_step_summary_is_missed_aloud(self):
        command = ["check", "-q", "--max-site", "1GiB", "after.snap", "--baseline", "before.snap", "--annotate", "github"]
        for size in ("before.snap", "long.txt"):  # less and more than a buffer
            result = self.run_with([*command[:4], size, *command[5:]], subprocess.PIPE,
                                   env={"GITHUB_STEP_SUMMARY": "/dev/full"})
            self.assertIn(b"the step summary could not be written to /dev/full", result.stderr)
            self.assertIn(result.returncode, (0, 1))

    def test_a_file_keeps_what_it_held(self):
        """The file system is full for us: a limit on the size of files, which is an error, not a signal."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))

        commands = [[*command, "-f", "json"] for command, _ in REPORTS.values()]
        commands += [["dump", "-q", "many.snap"], ["report", "-q", "before.snap"], ["build", "many.txt"]]
        for command in commands:
            with self.subTest(command=command):
                kept = self.work / "kept"
                kept.write_text("what was here before\n")
                before = sorted(self.work.iterdir())
                result = self.run_with([*command, "-o", "kept"], subprocess.PIPE, preexec_fn=limit)
                self.assertEqual(result.returncode, 4, result.stderr)
                self.assertRegex(result.stderr.decode(), r"^snapdiff [a-z]+: [^\n]*kept: File too large\n$")
                self.assertEqual(kept.read_text(), "what was here before\n")
                self.assertEqual(sorted(self.work.iterdir()), before)

    def in_terminal(self, pager, command):
        """Exit status and messages of a command whose standard output is a terminal."""
        master, slave = pty.openpty()
        env = dict(self.env, PAGER=pager, TERM="xterm")
        process = subprocess.Popen([SNAPDIFF, *command], cwd=self.work, env=env, stdin=subprocess.DEVNULL,
                                   stdout=slave, stderr=subprocess.PIPE)
        os.close(slave)
        said = process.communicate(timeout=600)[1].decode()
        os.close(master)
        return process.returncode, said

    def test_a_pager_that_dies(self):
        for pager, word in (("kill -SEGV $$", "died"), ("kill -KILL $$", "died"), ("exit 3", "ended with status 3"),
                            ("/nonexistent/pager", "cannot be run")):
            with self.subTest(pager=pager):
                status, said = self.in_terminal(pager, ["top", "-q", "--all", "long.txt"])
                self.assertEqual(status, 4, said)
                self.assertRegex(said, rf"snapdiff top: the pager '.*' {word}[^\n]*; see --no-pager\n$")

    def test_a_pager_that_the_user_left(self):
        for pager in ("head -n 1", "cat >/dev/null; exit 1", "kill -TERM $$", "exit 0"):
            with self.subTest(pager=pager):
                status, said = self.in_terminal(pager, ["top", "-q", "--all", "long.txt"])
                self.assertEqual((status, said), (0, ""))


if __name__ == "__main__":
    unittest.main()
