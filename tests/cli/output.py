#!/usr/bin/env python3
"""Where output goes: files appear whole or not at all, full disks are noticed, readers may leave.

usage: output.py SNAPDIFF
"""

import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import unittest

import run

SNAPDIFF = None


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        home = pathlib.Path(cls.scratch.name)
        run.build_snapshots(SNAPDIFF, home / "snapshots")
        cls.env = run.environment(SNAPDIFF, home)
        cls.snapshot = home / "snapshots" / "before.snap"
        cls.many = home / "snapshots" / "many.snap"

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=self.scratch.name))

    def call(self, *arguments, **more):
        return subprocess.run([SNAPDIFF, *map(str, arguments)], capture_output=True, env=self.env,
                              cwd=self.directory, check=False, timeout=1200, **more)

    def test_a_file_holds_what_standard_output_would(self):
        printed = self.call("top", "-f", "json", self.snapshot)
        written = self.call("top", "-f", "json", "-o", "out.json", self.snapshot)
        self.assertEqual((written.returncode, written.stdout), (0, b""))
        self.assertEqual((self.directory / "out.json").read_bytes(), printed.stdout)
        self.assertEqual(os.listdir(self.directory), ["out.json"])

    def test_a_file_keeps_its_mode_and_a_link_stays_a_link(self):
        target = self.directory / "target"
        target.write_text("old")
        target.chmod(0o640)
        (self.directory / "link").symlink_to("target")
        self.assertEqual(self.call("top", "-o", "link", self.snapshot).returncode, 0)
        self.assertTrue((self.directory / "link").is_symlink())
        self.assertEqual(target.stat().st_mode & 0o777, 0o640)
        self.assertIn("cache_put", target.read_text())

    def test_a_failed_report_leaves_the_old_file(self):
        out = self.directory / "out"
        out.write_text("old")
        result = self.call("top", "-o", "out", "missing.snap")
        self.assertEqual(result.returncode, 3)
        self.assertEqual(out.read_text(), "old")
        self.assertEqual(os.listdir(self.directory), ["out"])

    def test_an_unwritable_output_is_a_sentence_and_4(self):
        for target in ("no/such/directory/out", "."):
            result = self.call("top", "-o", target, self.snapshot)
            self.assertEqual(result.returncode, 4, target)
            self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
            self.assertIn(b"cannot write", result.stderr)

    def test_a_device_is_written_to_not_replaced(self):
        self.assertEqual(self.call("top", "-o", "/dev/null", self.snapshot).returncode, 0)
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())

    def test_a_full_disk_is_noticed(self):
        for command in (["top", self.snapshot], ["version"], ["help"], ["dump", self.snapshot]):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([SNAPDIFF, *map(str, command)], stdout=full, env=self.env,
                                        stderr=subprocess.PIPE, check=False, timeout=1200)
            self.assertEqual(result.returncode, 4, command)
            self.assertIn(b"cannot write standard output", result.stderr)
        result = self.call("top", "-o", "/dev/full", self.snapshot)
        self.assertEqual(result.returncode, 4)

    def test_a_reader_may_leave(self):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            result = subprocess.run([SNAPDIFF, "top", "--all", str(self.many)], stdout=writing, env=self.env,
                                    stderr=subprocess.PIPE, check=False, timeout=1200)
        finally:
            os.close(writing)
        self.assertEqual(result.returncode, -signal.SIGPIPE)
        self.assertEqual(result.stderr, b"")

    def with_losses(self):
        text, snapshot = self.directory / "lost.txt", self.directory / "lost.snap"
        text.write_text("#snaptext 1\n@ losses.events_dropped\t7\n10\t1\t-\t-\tmalloc\t-\tf|f.c|1|a\n")
        self.assertEqual(self.call("build", text, "-o", snapshot).returncode, 0)
        return snapshot

    def test_a_reader_that_leaves_does_not_take_the_warnings_along(self):
        lost, damaged = self.with_losses(), self.directory / "damaged"
        damaged.mkdir()
        (damaged / "1.snap").write_bytes(self.many.read_bytes())
        (damaged / "2.snap").write_bytes(self.many.read_bytes()[:-40])
        for snapshot in (lost, damaged):
            whole = self.call("top", "--all", snapshot)
            self.assertIn(b"warning: ", whole.stderr)
            reading, writing = os.pipe()
            os.close(reading)
            try:
                left = subprocess.run([SNAPDIFF, "top", "--all", str(snapshot)], stdout=writing, env=self.env,
                                      cwd=self.directory, stderr=subprocess.PIPE, check=False, timeout=1200)
            finally:
                os.close(writing)
            self.assertEqual(left.returncode, -signal.SIGPIPE)
            warnings = [line for line in whole.stderr.splitlines() if b"warning: " in line]
            self.assertEqual(left.stderr.splitlines(), warnings)

    def test_a_terminal_shows_the_answer_before_the_warnings(self):
        shown, _ = self.on_terminal("top", "--no-pager", self.with_losses())
        self.assertLess(shown.index(b"f f.c:1"), shown.index(b"warning: "))

    def on_terminal(self, *arguments, **environment):
        """What a terminal shows, and the exit code."""
        env = dict(self.env, TERM="xterm", **environment)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(SNAPDIFF, [str(SNAPDIFF), *map(str, arguments)], env)
        shown = b""
        while True:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            shown += chunk
        os.close(terminal)
        return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_a_terminal_gets_a_pager(self):
        shown, code = self.on_terminal("top", self.snapshot, PAGER="sed s/^/paged:/")
        self.assertEqual(code, 0)
        self.assertIn(b"paged:", shown)

    def test_a_pager_that_is_not_there_is_a_sentence_and_4(self):
        shown, code = self.on_terminal("top", self.snapshot, PAGER="no-such-pager")
        self.assertEqual(code, 4)
        self.assertIn(b"the pager 'no-such-pager' cannot be run", shown)

    def test_no_pager_when_not_wanted(self):
        shown, _ = self.on_terminal("top", "--no-pager", self.snapshot, PAGER="sed s/^/paged:/")
        self.assertNotIn(b"paged:", shown)
        shown, _ = self.on_terminal("top", self.snapshot, PAGER="")
        self.assertIn(b"cache_put", shown)

    def test_colour_is_for_terminals_unless_it_is_unwanted(self):
        shown, _ = self.on_terminal("top", "--no-pager", self.snapshot)
        self.assertIn(b"\x1b[", shown)
        shown, _ = self.on_terminal("top", "--no-pager", self.snapshot, NO_COLOR="1")
        self.assertNotIn(b"\x1b[", shown)
        self.assertNotIn(b"\x1b[", self.call("top", self.snapshot).stdout)
        self.assertIn(b"\x1b[", self.call("top", "--color=always", self.snapshot).stdout)

    def test_tables_fit_the_width(self):
        hostile = self.snapshot.parent / "hostile.snap"
        for width in (72, 80, 132):
            env = dict(self.env, COLUMNS=str(width))
            result = subprocess.run([SNAPDIFF, "top", str(hostile)], env=env, capture_output=True,
                                    check=True, timeout=1200)
            table = result.stdout.decode().split("\n\n")[1]
            self.assertLessEqual(max(map(len, table.splitlines())), width)

    def long_names(self):
        """Ten snapshots, as text: C++ names of 700 characters that differ at their end only, and long paths."""
        scope = "::".join(f"component_number_{i}_of_the_platform" for i in range(19))
        self.assertGreater(len(scope), 600)
        frames = [f"{scope}::Registry<{scope}>::{name}(std::string const&, unsigned long)|"
                  f"/home/user/src/{'deep/' * 20}registry.cc|{line}|server" for name, line in
                  (("keep", 17), ("remember", 23), ("insert", 31))]
        directory = self.snapshot.parent / "long_names"
        directory.mkdir(exist_ok=True)
        for i in range(1, 11):
            rows = [(100 * i * k, i * k, 200 * i * k, 2 * i * k, "malloc", "-", frame, "main|main.cc|9|server")
                    for k, frame in enumerate(frames, 1)]
            (directory / f"s{i:02}.txt").write_text("\n".join(
                ["#snaptext 1", f"@ seq\t{i}", f"@ time_ns\t{10**18 + i * 10**9}", "@ pid\t7", "@ command\t./server"]
                + ["\t".join(map(str, row)) for row in rows]) + "\n")
        return directory

    def test_every_report_names_its_sites_at_every_width(self):
        directory = self.long_names()
        first, last = directory / "s01.txt", directory / "s10.txt"
        for command in (["growth", directory], ["compare", first, last], ["top", last], ["peek", "keep|remember", last],
                        ["check", directory]):
            for width in (40, 60, 80, 100, 120, 200):
                env = dict(self.env, COLUMNS=str(width))
                result = subprocess.run([SNAPDIFF, *map(str, command), "-q"], env=env, capture_output=True, check=False,
                                        timeout=1200)
                self.assertEqual(result.returncode, 1 if command[0] == "check" else 0, result.stderr)
                lines = result.stdout.decode().split("\n\n")[1].splitlines()
                at = (command[0], width)
                self.assertLessEqual(max(map(len, lines)), width, at)
                self.assertTrue(lines[0].endswith("site") or "  site  " in lines[0], (at, lines[0]))
                for name, line in (("keep", 17), ("remember", 23)):
                    name = name if command[0] != "check" else ""  # at 40 columns the line alone tells its rows apart
                    self.assertTrue([row for row in lines if name[:4] in row and f"y.cc:{line}" in row],
                                    (at, name, lines))

    def test_names_cannot_take_over_the_terminal(self):
        hostile = self.snapshot.parent / "hostile.snap"
        for command in (["top"], ["info"], ["top", "-f", "markdown"], ["ls"], ["peek", "red"]):
            result = self.call(*command, hostile)
            self.assertNotIn(b"\x1b", result.stdout + result.stderr, command)

    def test_names_that_are_no_utf8_survive_json(self):
        hostile = self.snapshot.parent / "hostile.snap"
        report = json.loads(self.call("top", "-f", "json", "--all", hostile).stdout)
        names = [row["function"].encode("utf-8", "surrogateescape") for row in report["rows"]]
        self.assertIn(b"bad\xff\xfeutf8", names)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    SNAPDIFF = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
