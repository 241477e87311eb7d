#!/usr/bin/env python3
"""Memory runs out at any allocation: a report is whole or there is none, and a database is as before.

Each command runs with a library that makes its 1st, 2nd, 3rd ... allocation fail: that one alone, and that one with
all after it.  Whatever is hit, one of two things must happen:
  - the command does without the memory: it prints what it prints otherwise, and has the same exit status;
  - it ends with exit status 4 and a message that says so.  Then the output file does not exist, no
    other file is left behind, and a database has none of the snapshots.

usage: short_memory.py LIBRARY SNAPDIFF some|all
"""
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import run as cli  # noqa: E402

# Allocations of each command that fail in either form: as many spread over all of them, most of which make the tables
# of a database; and as many of the last, which build and print what the user sees.
TRIED = {"some": 5, "all": 150}
EXIT_SYSTEM = 4


# SQLite and the C library name the file that they could not open.
MESSAGE = re.compile(rb"(?m)^snapdiff.*: (.*: )?(out of memory|Cannot allocate memory"
                     rb"|unable to open a temporary database file)")


class Fault(Exception):
    pass


class Trial:
    def __init__(self, library, snapdiff, home, command):
        self.library, self.snapdiff, self.home, self.command = library, snapdiff, home, command
        self.env = cli.environment(snapdiff, home)
        self.work = home / "work"

    def run(self, **short):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        env = dict(self.env, LD_PRELOAD=str(self.library), **short)
        # Under a shell: it would be the shell's allocations that fail.
        return subprocess.run([self.snapdiff, *map(str, self.command)], capture_output=True, env=env, cwd=self.work,
                              timeout=600, check=False)

    def outcome(self, result):
        """What there is to see: exit status, output, and what is in the files that were written."""
        files = {}
        for path in sorted(self.work.iterdir()):
            files[path.name] = rows_of(path) if path.suffix == ".db" else path.read_bytes()
        return result.returncode, result.stdout, files

    def calls(self):
        """How many allocations the command makes, and what it does with all of them."""
        count = self.home / "count"
        whole = self.outcome(self.run(SHORT_COUNT=str(count)))
        if whole[0] not in (0, 1):
            raise Fault(f"{self.command} ends with {whole[0]}")
        return int(count.read_text()), whole

    def check(self, at, many, whole):
        result = self.run(SHORT_AT=str(at), SHORT_FOR=str(many))
        seen = self.outcome(result)
        where = f"snapdiff {' '.join(map(str, self.command))}: allocation {at} of {many} that fail"
        if seen == whole:
            return
        if seen[0] != EXIT_SYSTEM:
            raise Fault(f"{where}: exit status {seen[0]}, {result.stderr!r}, {result.stdout[-300:]!r}")
        if not MESSAGE.search(result.stderr):
            raise Fault(f"{where}: the message is {result.stderr!r}")
        if any(content for content in seen[2].values()):
            raise Fault(f"{where}: left {[name for name, content in seen[2].items() if content]}")


def rows_of(database):
    """All snapshots of a database with their sums; None without any."""
    connection = sqlite3.connect(database)
    try:
        if connection.execute("pragma integrity_check").fetchone()[0] != "ok":
            raise Fault(f"{database.name} is damaged")
        tables = connection.execute("select count(*) from sqlite_master where name = 'history'").fetchone()[0]
        if not tables:
            return None
        return connection.execute("select seq, function, live_bytes from history order by 1, 2, 3").fetchall() or None
    finally:
        connection.close()


def which(calls, tried):
    """Numbers of allocations: spread over all, and closer together towards the end."""
    spread = range(1, calls + 1, max(1, calls // tried))
    last = {calls - round((calls / 4) ** (i / tried)) + 1 for i in range(tried)}
    return sorted({*spread, *last})


def main(arguments):
    if len(arguments) != 3 or arguments[2] not in TRIED:
        sys.exit(__doc__)
    library, snapdiff = (pathlib.Path(name).resolve() for name in arguments[:2])
    tried = 0
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        files = home / "snapshots"
        cli.build_snapshots(str(snapdiff), files)
        old, new = files / "before.snap", files / "after.snap"
        for command in (["top", "-o", "out", new], ["top", "-f", "markdown", "-g", "module", new],
                        ["compare", "-f", "json", old, new], ["compare", "-o", "out", old, new],
                        ["peek", "main", "-f", "csv", new], ["growth", *sorted(files.glob("series-*.snap"))],
                        ["load", "--db", "new.db", "-q", old]):
            trial = Trial(library, snapdiff, home, command)
            calls, whole = trial.calls()
            for at in which(calls, TRIED[arguments[2]]):
                for many in (1, 1 << 40):
                    trial.check(at, many, whole)
                    tried += 1
    print(f"{tried} commands without memory")
    return 0


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C.UTF-8"
    sys.exit(main(sys.argv[1:]))
