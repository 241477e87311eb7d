#!/usr/bin/env python3
"""Every question of the cookbook runs, on a database of a recorded series, and those that must have an answer do.

Also what the manual promises of `query`: parameters, limits, and what a database that somebody else prepared can do.

usage: cookbook.py SNAPDIFF TESTDATA
"""

import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

# These have rows only where a snapshot has labels, a census, or losses.
MAY_BE_EMPTY = {5, 12, 18, 21, 22, 24}


def run(*command, code=0, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    assert result.returncode == code, f"{command}: {result.returncode}, {result.stderr}"
    return result


def questions(text):
    """(number, statement) of each entry."""
    entries = re.split(r"^-- (?=\d+\. )", text, flags=re.M)[1:]
    for entry in entries:
        lines = entry.splitlines()
        yield int(lines[0].split(".")[0]), "\n".join(line for line in lines[1:] if not line.startswith("--"))


def check_questions(snapdiff, database):
    text = run(snapdiff, "query", "--examples").stdout
    numbers = []
    for number, sql in questions(text):
        result = run(snapdiff, "query", "--db", database, "-f", "json", sql)
        rows = json.loads(result.stdout)["rows"]
        assert rows or number in MAY_BE_EMPTY, f"question {number} has no answer"
        numbers.append(number)
    assert numbers == list(range(1, 26)), numbers


def check_answers(snapdiff, database):
    """Two answers against figures worked out from the texts by another SQLite."""
    sql = dict(questions(run(snapdiff, "query", "--examples").stdout))
    rows = json.loads(run(snapdiff, "query", "--db", database, "-f", "json", sql[4]).stdout)["rows"]
    assert [row["function"] for row in rows] == ["arrival"], rows
    rows = json.loads(run(snapdiff, "query", "--db", database, "-f", "json", sql[6]).stdout)["rows"]
    leak = next(row for row in rows if row["function"] == "leak")
    assert leak["bytes_a_snapshot"] == 1000, leak
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        total = db.execute("select live_bytes from snapshots order by position desc limit 1").fetchone()[0]
    rows = json.loads(run(snapdiff, "query", "--db", database, "-f", "json", sql[17]).stdout)["rows"]
    assert sum(row["live_bytes"] for row in rows) == total


def check_options(snapdiff, database):
    count = run(snapdiff, "query", "--db", database, "--param", "f=leak", "-f", "csv",
                "select count(*) as n from history where function = :f").stdout.split()
    assert count == ["n", "9"], count
    result = run(snapdiff, "query", "--db", database, "select :missing", code=2)
    assert "missing" in result.stderr
    bomb = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    result = run(snapdiff, "query", "--db", database, "--timeout", "300ms", bomb, code=4)
    assert "stopped" in result.stderr, result.stderr
    cross = "select count(*) from frames a, frames b, frames c, frames d, frames e, frames f, frames g, frames h"
    run(snapdiff, "query", "--db", database, "--timeout", "300ms", cross, code=4)
    large = "select length(group_concat(hex(zeroblob(1000000)))) from frames"
    result = run(snapdiff, "query", "--db", database, "--max-memory", "8MiB", large, code=4)
    assert "max-memory" in result.stderr, result.stderr


REFUSED = [
    "attach 'x.db' as x", "vacuum into 'x.db'", "vacuum", "pragma user_version = 9", "pragma writable_schema = 1",
    "pragma journal_mode = delete", "create temp table t(x)", "create temp trigger t after insert on run begin select 1; end",
    "delete from run", "update snapshots set seq = 1", "insert into top select * from top", "drop view top",
    "select load_extension('x')", "select writefile('x', 'y')", "select readfile('/etc/passwd')",
    "select fts3_tokenizer('simple')", "create virtual table t using fts5(x)", "begin; delete from snapshot; commit",
    "reindex", "analyze", "detach main", "alter table run rename to walk",
]


def check_read_only(snapdiff, database, scratch):
    before = pathlib.Path(database).read_bytes()
    for sql in REFUSED:
        result = subprocess.run([snapdiff, "query", "--db", database, sql], capture_output=True, text=True,
                                cwd=scratch, timeout=60, check=False)
        assert result.returncode == 2, f"{sql}: {result.returncode} {result.stderr}"
    assert pathlib.Path(database).read_bytes() == before, "a refused statement changed the database"
    assert not (scratch / "x.db").exists() and not (scratch / "x").exists()


def main():
    snapdiff, testdata = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        database = str(scratch / "memory.db")
        run(snapdiff, "load", "-q", "--db", database, *[testdata / f"series-{i}.txt" for i in range(1, 9)])
        ninth = scratch / "series-9.txt"
        text = (testdata / "series-8.txt").read_text().replace("@ seq\t8", "@ seq\t9\n@ metrics.rss\t5000000")
        ninth.write_text(text.replace("@ time_ns\t1767323", "@ time_ns\t1767324") +
                         "640\t40\t640\t40\tmalloc\t8:40:640\tarrival|src/new.c|5|server\tmain|src/main.c|12|server\n")
        run(snapdiff, "load", "-q", "--db", database, ninth)
        check_questions(snapdiff, database)
        check_answers(snapdiff, database)
        check_options(snapdiff, database)
        check_read_only(snapdiff, database, scratch)
    print("the cookbook holds")


if __name__ == "__main__":
    main()
