#!/usr/bin/env python3
"""A directory of a stranger: names that speak, links in circles, files that go while they are read, 20,000 files.

Whatever a file is called, every line of a message is ours, no byte of it is obeyed by a terminal or by what reads a
log, and a file that is no part of a report is named.

usage: hostile_files.py SNAPDIFF
"""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import run as cli  # noqa: E402

SNAPDIFF = pathlib.Path(sys.argv.pop(1)).resolve()
NAMES = ["a\n::error::forged.snap", "b\r::stop-commands::x.snap", "\x1b[31mred.snap", "tab\there.snap", "-rf.snap",
         "space in it.snap", "quote\"'`.snap", "$(touch run).snap", "; touch run.snap", "%s%n.snap", "\x9b2J.snap",
         "\u202eright.snap"]
COMMANDS = [["ls"], ["top"], ["growth", "--exit-code"], ["check"], ["check", "-f", "github"], ["load", "--db", "new.db"],
            ["report", "-o", "page.html"], ["dump"], ["info"]]
OBEYED = set(range(0x20)) - {0x09, 0x0a} | {0x7f} | set(range(0x80, 0xa0)) | set(range(0x202a, 0x202f))


class Files(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.home = pathlib.Path(self.scratch.name)
        cli.build_snapshots(SNAPDIFF, self.home / "s")
        self.env = cli.environment(SNAPDIFF, self.home)
        self.strange = self.home / "strange"
        self.strange.mkdir()

    def tearDown(self):
        self.scratch.cleanup()

    def run_on(self, command, *names):
        return subprocess.run([SNAPDIFF, *command, *names], cwd=self.home, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=600, check=False)

    def put(self, name, content):
        with open(os.path.join(os.fsencode(self.strange), os.fsencode(name)), "wb") as file:
            file.write(content)

    def assert_ours(self, result, tool):
        for line in result.stderr.decode("utf-8", "surrogateescape").splitlines():
            self.assertRegex(line, rf"^(snapdiff {tool}: |new\.db: \d+ snapshot)")
            self.assertFalse({ord(c) for c in line} & OBEYED, repr(line))

    def test_names_of_whole_and_damaged_snapshots(self):
        whole = (self.home / "s/series-1.snap").read_bytes()
        for damaged in (False, True):
            for n, name in enumerate(NAMES):
                self.put(name, whole[:100 + n] if damaged else (self.home / f"s/series-{n % 8 + 1}.snap").read_bytes())
            self.put("whole.snap", whole)
            for command in COMMANDS:
                with self.subTest(command=command, damaged=damaged):
                    result = self.run_on(command, "strange")
                    self.assertIn(result.returncode, (3,) if damaged else (0, 1), result.stderr)
                    self.assert_ours(result, command[0])
            for path in self.home.glob("new.db*"):
                path.unlink()
        self.assertFalse(list(self.home.glob("**/run")), "a name was run")

    def test_a_name_that_is_given(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.put(name, b"no snapshot")
                result = self.run_on(["top"], os.path.join("strange", name))
                self.assertEqual(result.returncode, 3)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assert_ours(result, "top")

    def test_a_journal_that_names_another_file(self):
        """SQLite deletes what the journal of a transaction on several databases names, when it rolls it back."""
        database, victim = self.strange / "x.db", self.home / "precious"
        for command in (["ls"], ["top", "@1"], ["query", "select 1"], ["load", self.home / "s/series-2.snap"]):
            with self.subTest(command=command):
                database.unlink(missing_ok=True)
                self.assertEqual(self.run_on(["load", "-q", "--db", database], self.home / "s/series-1.snap").returncode, 0)
                victim.write_text("precious")
                self.leave_journal(database, victim)
                result = self.run_on([*command, "--db", database])
                self.assertEqual(victim.read_text(), "precious")
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertIn(b"damaged", result.stderr)

    def test_names_that_are_no_file_for_sqlite(self):
        for name in (":memory:", "file:x.db?mode=memory", "-x.db"):
            with self.subTest(name=name):
                result = self.run_on(["load", "-q", f"--db={name}"], self.home / "s/series-1.snap")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertTrue((self.home / name).is_file())
                result = self.run_on(["query", f"--db={name}", "-f", "csv", "select count(*) as n from snapshots"])
                self.assertEqual(result.stdout.split(), [b"n", b"1"], result.stderr)
        result = self.run_on(["load", "--db", ""], self.home / "s/series-1.snap")
        self.assertEqual((result.returncode, result.stdout), (4, b""))
        self.assertIn(b"empty", result.stderr)

    def leave_journal(self, database, victim):
        """What a process leaves that is killed in a transaction, and the record that names `victim` (SQLite's format)."""
        writer = ("import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('pragma "
                  "cache_size=1'); c.execute('begin immediate'); c.execute('create table z(a)'); [c.execute('insert into z "
                  "values(?)', (os.urandom(2000),)) for _ in range(200)]; os._exit(0)")
        subprocess.run([sys.executable, "-c", writer, database], check=True)
        name = os.fsencode(victim)
        with open(f"{database}-journal", "ab") as journal:
            journal.write(struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name)) +
                          bytes.fromhex("d9d505f920a163d7"))

    def database_of_a_stranger(self, *changes):
        """A sound one, and what somebody did to its schema with SQLite."""
        database = self.strange / "x.db"
        for path in self.strange.glob("x.db*"):
            path.unlink()
        self.assertEqual(self.run_on(["load", "-q", "--db", database], self.home / "s/series-1.snap").returncode, 0)
        connection = sqlite3.connect(database, isolation_level=None)
        connection.execute("pragma writable_schema=on")
        for change in changes:
            if callable(change):
                change(connection)
            else:
                connection.execute(change)
        connection.close()
        return database

    def asked(self, database):
        """The ways to use it: (command, result)."""
        for command in (["ls"], ["top", "@1"], ["growth"], ["query", "select count(*) from sites"],
                        ["load", self.home / "s/series-2.snap"]):
            yield command, self.run_on([*command, "--db", database])

    def test_pipes_and_links_beside_a_database(self):
        """SQLite opens what has the name of a journal, and waits for a pipe's other end."""
        victim = self.home / "precious"
        for mode, end in (("delete", "-journal"), ("wal", "-wal"), ("wal", "-shm")):
            for kind in ("pipe", "link", "socket"):
                database = self.database_of_a_stranger(f"pragma journal_mode={mode}")
                beside = pathlib.Path(f"{database}{end}")
                victim.write_text("precious")
                if kind == "pipe":
                    os.mkfifo(beside)
                elif kind == "link":
                    beside.symlink_to(victim)
                else:
                    with socket.socket(socket.AF_UNIX) as bound:
                        bound.bind(str(beside))
                for command, result in self.asked(database):
                    with self.subTest(end=end, kind=kind, command=command):
                        self.assertEqual(result.returncode, 3, result.stderr)
                        self.assertIn(b"no plain file", result.stderr)
                self.assertEqual(victim.read_text(), "precious")

    def test_indexes_that_compute(self):
        """`load` would call the functions for each row, and SQLite cannot be interrupted in a function."""
        forever = "instr(hex(zeroblob(50000000)), hex(zeroblob(25000000))||'1')"
        for index in (f"frame({forever})", f"frame(function) where {forever}", f"live(bytes, {forever})",
                      f"frame(function, printf('%.100000000d', line))"):
            database = self.database_of_a_stranger(
                "create index strange on " + ("live(bytes)" if index.startswith("live") else "frame(line)"),
                lambda c, sql=f"CREATE INDEX strange on {index}": c.execute(
                    "update sqlite_schema set sql = ? where name = 'strange'", (sql,)))
            for command, result in self.asked(database):
                with self.subTest(index=index, command=command):
                    self.assertEqual(result.returncode, 3, result.stderr)
                    self.assertIn(b"its index 'strange' sorts by an expression", result.stderr)
        database = self.database_of_a_stranger("create index own on live(bytes desc, blocks)",
                                               "create unique index more on run(host collate nocase, pid, start_time_ns)")
        for command, result in self.asked(database):
            with self.subTest(command=command):
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_triggers_and_constraints_of_a_stranger(self):
        """They are not ours to run: neither when rows are added nor when a damaged database is looked at."""
        forever = "instr(hex(zeroblob(50000000)), hex(zeroblob(25000000))||'1')"
        database = self.database_of_a_stranger(
            f"create trigger t after insert on snapshot begin insert into label select new.id, {forever}, 'v'; end",
            f"create trigger d after delete on live begin insert into label select 1, {forever}, 'v'; end",
            "create table z(a, b as (a + 1), check(a > 0))", "insert into z values(1)",
            f"update sqlite_schema set sql = 'create table z(a, b as ({forever.replace(chr(39), chr(39) * 2)}), "
            f"check({forever.replace(chr(39), chr(39) * 2)}))' where name = 'z'")
        for command, result in self.asked(database):
            with self.subTest(command=command):
                self.assertEqual(result.returncode, 0, result.stderr)
        connection = sqlite3.connect(database, isolation_level=None)
        connection.execute("update site set frames = 'no list'")
        connection.close()
        result = self.run_on(["top", "--db", database, "@1"])
        self.assertEqual(result.returncode, 3, result.stderr)
        result = self.run_on(["load", "-q", "--keep", "1s", "--db", database])
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_figures_that_are_negative(self):
        """They count as 0: what is shown and what is hidden are the total, and all are what rows of plain SQL add up to."""
        changes = ([f"update block_group set {figure} = -500 where id = 0"
                    for figure in ("bytes", "blocks", "direct_bytes", "direct_blocks", "indirect_bytes", "indirect_blocks",
                                   "ring_blocks", "retained_bytes")] +
                   ["update block_group set direct_bytes = -500, direct_blocks = -1 where id = 0",
                    "update block_group set bytes = -5000, blocks = -7 where id = 0",
                    "update block_group set direct_bytes = -500, direct_blocks = -1, indirect_bytes = -9, bytes = -1",
                    "update edge set refs = -1, blocks = -2, bytes = -300, dominated_bytes = -4"])
        for change in changes:
            database = self.strange / "x.db"
            database.unlink(missing_ok=True)
            held = [self.home / "s" / name for name in ("held.snap", "held-later.snap")]
            self.assertEqual(self.run_on(["load", "-q", "--db", database], *held).returncode, 0)
            with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
                connection.execute(change)
                wanted = {
                    "leaks": self.sums(connection, ("direct_bytes", "direct_blocks", "indirect_bytes", "indirect_blocks")),
                    "holders": self.sums(connection, ("bytes", "blocks"))}
            for command in (["leaks", "@1"], ["leaks", "-n", "1", "@1"], ["leaks", "--confirm", "@2", "@1"],
                            ["holders", ".", "@1"], ["holders", "-n", "1", ".", "@1"]):
                with self.subTest(change=change, command=command):
                    result = self.run_on([*command, "--db", database, "-f", "json"])
                    self.assertEqual(result.returncode, 0, result.stderr)
                    report = json.loads(result.stdout)
                    for figure, total in report["totals"].items():
                        self.assertEqual(report["shown"][figure] + report["hidden"][figure], total, figure)
                        self.assertLess(total, 1 << 40, figure)
                    if "--confirm" not in command:
                        self.assertEqual({figure: report["totals"][figure] for figure in wanted[command[0]]},
                                         wanted[command[0]])

    @staticmethod
    def sums(connection, figures):
        first = "snapshot_id = (select min(snapshot_id) from block_group)"
        return {figure: sum(max(0, value) for value, in connection.execute(f"select {figure} from block_group where {first}"))
                for figure in figures}

    def test_more_tables_than_anybody_has(self):
        """SQLite compares each name with all others: a minute of CPU time for these."""
        def add(connection):
            connection.execute("create table t0(a)")
            page = connection.execute("select rootpage from sqlite_schema where name = 't0'").fetchone()[0]
            connection.execute("begin")
            connection.executemany("insert into sqlite_schema values('table', ?, ?, ?, ?)",
                                   ((f"t{i}", f"t{i}", page, f"CREATE TABLE t{i}(a)") for i in range(1, 200000)))
            connection.execute("commit")

        database = self.database_of_a_stranger(add)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = self.run_on(["ls", "--db", database])
        self.assertIn(result.returncode, (0, 3), result.stderr)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 15, result.stderr)

    def test_more_modules_than_anybody_has(self):
        """Compared each with all others, these would take minutes."""
        with open(self.home / "m.txt", "w") as text:
            text.write("#snaptext 1\n")
            for n in range(150000):
                text.write(f"@ metrics.module_resident./lib/{n:06}\t4096\n@ metrics.module_private./lib/{n:06}\t{n}\n")
            text.write("10\t1\t-\t-\tmalloc\t-\tf|f.c|1|a\n")
        self.assertEqual(self.run_on(["build", "m.txt", "-o", "m.snap"]).returncode, 0)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        result = self.run_on(["info", "-f", "csv", "m.snap"])
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 30)
        self.assertEqual((result.returncode, result.stdout.count(b"in memory,/lib/")), (0, 150000), result.stderr)

    def test_small_files_with_holes(self):
        """A file of a few KiB says that it has 64 GiB.  What is behind a dump is not read, and is said."""
        dump = (cli.TESTDATA.parent / "tracemalloc" / "3.10.after.dump").read_bytes()
        for name, begin in (("dump", dump), ("zeros.snap", b""), ("cut.snap", (self.home / "s/series-1.snap").read_bytes()),
                            ("q.sql", b"select 1;")):
            self.put(name, begin)
            os.truncate(self.strange / name, 64 << 30)
        limits = ["--max-memory", "256MiB"]
        result = self.run_on(["top", *limits], "strange/dump")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(b"% of total", result.stdout)
        self.assertRegex(result.stderr.decode(), "follow at least [0-9]+ bytes")
        for name in ("zeros.snap", "cut.snap"):
            result = self.run_on(["top", *limits], f"strange/{name}")
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn(name, result.stderr.decode())
        result = self.run_on(["query", *limits, "-F", "strange/q.sql"], self.home / "s/series-1.snap")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("q.sql", result.stderr.decode())

    def test_links_in_circles(self):
        shutil.copy(self.home / "s/series-1.snap", self.strange)
        for name, target in (("self.snap", "self.snap"), ("one.snap", "two.snap"), ("two.snap", "one.snap"), ("here", ".")):
            (self.strange / name).symlink_to(target)
        for command in COMMANDS:
            with self.subTest(command=command):
                result = self.run_on(command, "strange")
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertIn(b"a symbolic link that leads to no file", result.stderr)

    def test_many_files_that_are_no_snapshots(self):
        for n in range(20000):
            (self.strange / f"{n}.log").write_text("x")
        for n in (1, 2, 3):
            shutil.copy(self.home / f"s/series-{n}.snap", self.strange)
        for command in (["ls"], ["growth"], ["top"]):
            with self.subTest(command=command):
                result = self.run_on(command, "strange")
                self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"3 snapshots", self.run_on(["ls"], "strange").stdout)


if __name__ == "__main__":
    unittest.main()
