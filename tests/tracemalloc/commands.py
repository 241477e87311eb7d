#!/usr/bin/env python3
"""Every command takes dumps: as files, directories and standard input, wrapped or not, in any order, under any name."""
import argparse
import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tracemalloc

NAMES = ["app.py", "nul\0.py", "new\nline.py", "tab\t.py", "cr\r.py", "com,ma.py", 'quote".py', "pipe|.py", "back\\.py",
         "caf\udce9.py", "\ud800.py", "\udfff\udc7f.py", "esc\x1b[31m.py", "\u202e.py", "\U0001f40d.py", "=1+1.py", ""]


def trace(size, *frames, domain=0):
    """Newest frame first; in the shape that this Python's own dumps have."""
    fields = (domain, size, frames)
    return fields + (len(frames),) if sys.version_info >= (3, 9) else fields


def write(path, traces, seconds=None):
    tracemalloc.Snapshot(traces, 5).dump(path)
    if seconds:
        os.utime(path, (seconds, seconds))


class Tests:
    """Each method is a test, named after what holds when it passes."""

    def __init__(self, snapdiff, testdata):
        self.snapdiff = snapdiff
        self.testdata = testdata

    def run(self, *args, status=0, stdin=None):
        result = subprocess.run([self.snapdiff] + list(args), input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert result.returncode == status, (args, result.returncode, result.stderr)
        self.errors = result.stderr.decode("utf-8", "backslashreplace")
        return result.stdout

    def report(self, *args, **more):
        return json.loads(self.run(*args, "-f", "json", **more))

    def live(self, name, **more):
        return self.report("top", name, **more)["totals"]["live_bytes"]

    def two_dumps_differ(self):
        write("old.dump", [trace(100, ("app.py", 1))])
        write("new.dump", [trace(100, ("app.py", 1)), trace(30, ("app.py", 2), ("main.py", 9), domain=7)])
        report = self.report("compare", "old.dump", "new.dump")
        assert [(row["key"], row["status"], row["delta_bytes"]) for row in report["rows"]] == [("app.py:2", "new", 30)]
        domains = self.report("top", "new.dump", "-g", "domain")["rows"]
        assert [(row["key"], row["live_bytes"]) for row in domains] == [("python", 100), ("python:7", 30)], domains

    def wrapped_and_piped_dumps_are_read(self):
        write("x.dump", [trace(123, ("app.py", 1))])
        with open("x.dump", "rb") as file:
            data = file.read()
        with open("x.gz", "wb") as file:
            file.write(gzip.compress(data))
        os.utime("x.gz", (1000000000, 1000000000))
        assert self.live("x.gz") == self.live("-", stdin=data) == self.live("-", stdin=gzip.compress(data)) == 123
        assert self.report("top", "x.gz")["inputs"][0]["time"].startswith("2001-09-09T01:46:40")
        text = self.run("top", "-", "--compat", "tracemalloc", stdin=gzip.compress(data))
        assert text == b"app.py:1: size=123 B, count=1, average=123 B\n", text
        if shutil.which("zstd"):
            subprocess.run(["zstd", "-q", "x.dump"], check=True)
            assert self.live("x.dump.zst") == 123

    def a_directory_is_one_series_and_its_newest_is_one_snapshot(self):
        os.mkdir("series")
        for step in range(1, 11):
            write("series/%d.dump" % step, [trace(100, ("app.py", 1))] * step, 1000000000 + step)
        row = self.report("growth", "series")["rows"][0]
        assert row["series"]["blocks"] == list(range(1, 11)) and row["verdict"] == "leak", row
        assert self.live("series") == 1000
        assert self.run("top", "series", "--compat", "tracemalloc").startswith(b"app.py:1: size=1000 B")

    def equal_dumps_of_a_series_are_all_there(self):
        for step in range(1, 5):
            write("%d.dump" % step, [trace(100, ("app.py", 1))], 1000000000 + step)
        assert len(self.report("growth", "1.dump", "2.dump", "3.dump", "4.dump")["inputs"]) == 4

    def order_is_time_or_name_or_as_given(self):
        for name, blocks, seconds in (("a.dump", 2, 30), ("b.dump", 3, 20), ("c.dump", 1, 10), ("d10.dump", 5, 5),
                                      ("d9.dump", 4, 6)):
            write(name, [trace(10, ("app.py", 1))] * blocks, 1000000000 + seconds)
        names = ["b.dump", "a.dump", "c.dump", "d9.dump", "d10.dump"]

        def blocks(*args):
            return self.report("growth", "--all", *args)["rows"][0]["series"]["blocks"]

        assert blocks(*names) == [5, 4, 1, 3, 2] and "--order" in self.errors, self.errors
        assert blocks(*names, "--order", "name") == [2, 3, 1, 4, 5]
        assert blocks(*names, "--order", "given") == [3, 2, 1, 4, 5]
        assert blocks(".", "--order", "name") == [2, 3, 1, 4, 5]
        self.run("load", ".", "--db", "heap.db", "--order", "name")
        assert blocks("--db", "heap.db") == [2, 3, 1, 4, 5]

    def the_same_content_is_loaded_once(self):
        write("x.dump", [trace(100, ("app.py", 1))])
        shutil.copy("x.dump", "y.dump")
        self.run("load", "x.dump", "y.dump", "--db", "heap.db")
        self.run("load", "x.dump", "--db", "heap.db")
        assert self.report("ls", "--db", "heap.db")["rows"].__len__() == 1

    def every_other_command_takes_a_dump(self):
        write("x.dump", [trace(100, ("app.py", 1), ("main.py", 2))])
        roles = [(row["role"], row["key"]) for row in self.report("peek", "app", "x.dump")["rows"]]
        assert ("function", "app.py") in roles and ("caller", "main.py") in roles, roles
        assert b"tracemalloc" in self.run("info", "x.dump")
        assert self.run("query", "-f", "csv", "SELECT live_bytes FROM snapshots", "x.dump").split() == [b"live_bytes", b"100"]
        assert self.report("ls", "x.dump")["rows"][0]["live_bytes"] == 100

    def text_and_snap_made_of_a_dump_say_the_same(self):
        write("x.dump", [trace(100 + i, (name, i), ("main.py", 2), domain=i % 3) for i, name in enumerate(NAMES)])
        text = self.run("dump", "x.dump")
        with open("x.txt", "wb") as file:
            file.write(text)
        self.run("build", "x.txt", "-o", "x.snap")
        assert self.run("dump", "x.snap") == text
        for group in ("line", "file", "stack"):
            args = ("--compat", "tracemalloc", "-g", group)
            assert self.run("top", "x.dump", *args) == self.run("top", "x.snap", *args)

    def odd_names_break_no_format(self):
        write("old.dump", [trace(100 + i, (name, i + 1)) for i, name in enumerate(NAMES)])
        write("new.dump", [trace(200 + 2 * i, (name, i + 1)) for i, name in enumerate(NAMES)])
        for command in (("top", "new.dump"), ("compare", "old.dump", "new.dump"), ("growth", "old.dump", "new.dump")):
            for group in ("line", "file", "stack"):
                args = command + ("--all", "-g", group)
                rows = self.report(*args)["rows"]
                table = self.run(*args).decode("utf-8")
                assert "\x1b" not in table and "\r" not in table and "\u202e" not in table
                for line in self.run(*args, "-f", "jsonl").decode("utf-8").splitlines():
                    json.loads(line)
                text = self.run(*args, "-f", "csv").decode("utf-8")
                cells = list(csv.reader(io.StringIO(text, newline="")))
                assert len({len(row) for row in cells}) == 1 and len(cells) > len(rows), (args, cells)
                lines = self.run(*args, "-f", "tsv").decode("utf-8").split("\n")[:-1]
                assert len({line.count("\t") for line in lines}) == 1, (args, lines)

    def pythons_that_surely_differ_are_warned_of(self):
        names = [os.path.join(self.testdata, "%s.after.dump" % version) for version in ("3.6", "3.8", "3.9", "3.13")]
        for command in ((), ("--compat", "tracemalloc")):
            for old, new, warned in ((0, 1, True), (1, 2, True), (3, 0, True), (2, 3, False), (1, 1, False)):
                self.run("compare", names[old], names[new], *command)
                assert ("of Python 3" in self.errors) == warned, (command, old, new, self.errors)
        self.run("compare", names[0], names[3], "--compat", "tracemalloc", "-q")
        assert not self.errors

    def source_lines_stand_below_their_rows(self):
        os.makedirs("src/app")
        with open("src/app/x.py", "w") as file:
            file.write("first\n\n\t the third \n")
        with open("secret", "w") as file:
            file.write("secret\n")
        write("x.dump", [trace(40, ("/srv/app/x.py", 3)), trace(30, ("/srv/app/x.py", 2)), trace(20, ("../secret", 1)),
                         trace(10, ("/srv/app/x.py", 99))])
        text = self.run("top", "x.dump", "--compat", "tracemalloc", "--source", "src").decode()
        assert [line for line in text.splitlines() if line.startswith(" ")] == ["    the third"], text
        assert text.splitlines()[1] == "    the third"
        by_file = self.run("top", "x.dump", "--compat", "tracemalloc", "--source", "src", "-g", "file").decode()
        assert "    " not in by_file
        self.run("top", "x.dump", "--compat", "tracemalloc", "--source", "absent", status=3)
        self.run("top", "x.dump", "--source", "src", status=2)
        self.run("top", "x.dump", "--compat", "tracemalloc", "--source", "src", "-f", "json", status=2)

    def mapped_names_are_one(self):
        write("old.dump", [trace(40, ("/old/x.py", 3))])
        write("new.dump", [trace(50, ("/new/x.py", 3))])
        text = self.run("compare", "old.dump", "new.dump", "--compat", "tracemalloc", "--map", "/old/=/new/")
        assert text == b"/new/x.py:3: size=50 B (+10 B), count=1 (+0), average=50 B\n", text
        self.run("compare", "old.dump", "new.dump", "--map", "/old/", status=2)
        self.run("top", "old.dump", "--map", "/old/=/new/", status=2)
        self.run("compare", "--exit-code", "old.dump", "new.dump", "--map", "/old/=/new/", status=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("testdata")
    options = parser.parse_args()
    tests = Tests(os.path.abspath(options.snapdiff), os.path.abspath(options.testdata))
    names = [name for name in vars(Tests) if "_" in name and not name.startswith("_")]
    for name in names:
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)
            try:
                getattr(tests, name)()
            except AssertionError:
                print("FAILED: %s" % name.replace("_", " "))
                raise
            finally:
                os.chdir("/")
    print("%d tests passed" % len(names))


main()
