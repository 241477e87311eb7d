#!/usr/bin/env python3
"""Every question of the cookbook runs, on a database of a recorded series, and those that must have an answer do.

Also what the manual promises of `query`: parameters, limits, and what a database that somebody else prepared can do.

usage: cookbook.py SNAPDIFF TESTDATA
"""

import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

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
    result = run(snapdiff, "query", "--db", database, "--param", "a=1", "--param", "b=2", "select :a; select @a")
    assert "no statement has a parameter :b" in result.stderr and ":a" not in result.stderr, result.stderr
    bomb = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    result = run(snapdiff, "query", "--db", database, "--timeout", "300ms", bomb, code=4)
    assert "stopped" in result.stderr, result.stderr
    cross = "select count(*) from frames a, frames b, frames c, frames d, frames e, frames f, frames g, frames h"
    run(snapdiff, "query", "--db", database, "--timeout", "300ms", cross, code=4)
    rows = "with recursive c(x) as (select 1 union all select x + 1 from c) select hex(zeroblob(100000)) from c"
    result = run(snapdiff, "query", "--db", database, "--max-memory", "8MiB", rows, code=4)
    assert "--max-memory" in result.stderr, "results count, too: " + result.stderr
    large = "select length(group_concat(hex(zeroblob(1000000)))) from frames"
    result = run(snapdiff, "query", "--db", database, "--max-memory", "8MiB", large, code=4)
    assert "max-memory" in result.stderr, result.stderr
    # The same for a snapshot that is named, whose database is a private one.
    result = run(snapdiff, "query", "-q", "--max-memory", "8MiB", "select length(hex(zeroblob(20000000)))",
                 ROOT / "testdata" / "golden" / "python.snap", code=4)
    assert "max-memory" in result.stderr, result.stderr


REFUSED = [
    "attach 'x.db' as x", "vacuum into 'x.db'", "vacuum", "pragma user_version = 9", "pragma writable_schema = 1",
    "pragma journal_mode = delete", "create temp table t(x)", "create temp trigger t after insert on run begin select 1; end",
    "delete from run", "update snapshots set seq = 1", "insert into top select * from top", "drop view top",
    "select load_extension('x')", "select writefile('x', 'y')", "select readfile('/etc/passwd')",
    "select fts3_tokenizer('simple')", "create virtual table t using fts5(x)", "begin; delete from snapshot; commit",
    "reindex", "analyze", "detach main", "alter table run rename to walk",
    "pragma query_only = 0", "pragma writable_schema = reset", "update sqlite_master set sql = ''", "pragma trusted_schema = 1",
    "pragma temp_store_directory = '/tmp'", "pragma cache_size = 9999999", "pragma mmap_size = 99999999", "pragma wal_checkpoint",
    "create temp view v as select 1", "create table t as select * from run", "replace into run select * from run",
    "insert into history select * from history", "delete from top", "update changes set delta_bytes = 0",
    "with a as (select 1) insert into run select * from run", "explain delete from run; delete from run", "savepoint s; delete from live",
    "select edit('x', 'touch x')", "select * from fsdir('/')", "select sqlite3_filename()", "create virtual table t using csv(filename='/etc/passwd')",
]


def check_read_only(snapdiff, database, scratch):
    before = pathlib.Path(database).read_bytes()
    for sql in REFUSED:
        result = subprocess.run([snapdiff, "query", "--db", database, sql], capture_output=True, text=True,
                                cwd=scratch, timeout=60, check=False)
        assert result.returncode == 2, f"{sql}: {result.returncode} {result.stderr}"
    assert pathlib.Path(database).read_bytes() == before, "a refused statement changed the database"
    assert not (scratch / "x.db").exists() and not (scratch / "x").exists()


# (SQL, exit status, what the message says): each is over in a few seconds of processor time, and takes little memory.
BOMBS = [
    ("select 'a' regexp '((((a{1,255}){1,255}){1,255}){1,255})'", 2, "repeats too much"),
    ("select 'a' regexp '(a{1,30000}){1,30000}'", 2, "repeats too much"),
    ("select replace(hex(zeroblob(40)), '0', 'a') regexp '(a*)*(a*)*(a*)*\\1\\2\\3b'", 2, "refer back"),
    ("select 'a' regexp replace(hex(zeroblob(2000)), '0', 'a')", 2, "too long"),
    ("select 'a' like replace(hex(zeroblob(2000)), '0', '%')", 2, "pattern too complex"),
    ("select 'a' glob replace(hex(zeroblob(2000)), '0', '*')", 2, "pattern too complex"),
    ("select length(zeroblob(2000000000))", 2, "too big"),
    ("select length(replace(hex(zeroblob(30000000)), '0', 'aaaaaaaaaa'))", 2, "too big"),
    ("select length(printf('%.*c', 2000000000, 'x'))", 4, "longer than"),
    ("select sum(length(randomblob(50000000))) from frames a, frames b, frames c", 4, "longer than"),
    ("with recursive c(x) as (select 1 union all select x + 1 from c) select group_concat(x) from c", 4, "longer than"),
    ("with recursive c(x) as (select 1 union all select x + 1 from c) select theil_sen(x, x) from c", 4, "longer than"),
    ("select count(*) from history a, history b, history c, history d, history e, history f", 4, "longer than"),
    ("select 1" + "+1" * 20000, 2, "too large"),
    ("select " + "(" * 5000 + "1" + ")" * 5000, 2, "parser stack overflow"),
]


def check_bombs(snapdiff, database):
    # 4 GB of address space are as good as a bound for memory: the program itself takes less than a tenth.
    bound = ["sh", "-c", 'ulimit -v 4000000; exec "$@"', "sh"]
    if subprocess.run([*bound, snapdiff, "version"], capture_output=True, timeout=600, check=False).returncode:
        print("skipped: a bound on the memory of queries, since an instrumented program needs all of the address space")
        bound = []
    for sql, code, why in BOMBS:
        timeout = "500ms" if why == "longer than" else "100s"
        result = subprocess.run([*bound, snapdiff, "query", "--db", database, "--timeout", timeout, sql],
                                capture_output=True, text=True, timeout=600, check=False)
        assert result.returncode == code and why in result.stderr, f"{sql[:100]}: {result.returncode} {result.stderr[:300]}"


def check_series_functions(snapdiff, database):
    """Against a straightforward count of pairs; and a long series takes no longer than sorting it."""
    values = [(i * i * 7919) % 101 for i in range(300)]
    s = sum((b > a) - (b < a) for i, a in enumerate(values) for b in values[i + 1:])
    ties = sum(count * (count - 1) * (2 * count + 5) for count in (values.count(value) for value in set(values)))
    n = len(values)
    z = (s - (s > 0) + (s < 0)) / ((n * (n - 1) * (2 * n + 5) - ties) / 18) ** 0.5
    sql = "select mann_kendall(v) from (select value as v from json_each(:values))"
    row = json.loads(run(snapdiff, "query", "--db", database, "-f", "json", "--param", f"values={json.dumps(values)}", sql).stdout)["rows"][0]
    assert abs(next(iter(row.values())) - z) < 1e-9, (row, z)
    run(snapdiff, "query", "--db", database, "--timeout", "60s",
        "with recursive c(x) as (select 1 union all select x + 1 from c limit 200000) select mann_kendall(x) from c")


def check_own_frame(snapdiff, database):
    """As the view names sites; NULL where no frame is own code."""
    sql = ("select count(*) as n, sum(own_frame(site_id) is own_function || coalesce(' ' || own_file || ':' || own_line, '')) as same, "
           "count(own_frame(site_id)) as own from sites")
    row = json.loads(run(snapdiff, "query", "--db", database, "-f", "json", sql).stdout)["rows"][0]
    assert row["n"] == row["same"] and row["own"] > 0, row


def check_planted(snapdiff, database, scratch):
    """A database that somebody else prepared: what it has beyond ours is refused, stopped, or never runs."""
    planted = str(scratch / "planted.db")
    shutil.copy(database, planted)
    with sqlite3.connect(planted) as db:
        db.executescript("""
            create table loot(x); create trigger t after insert on run begin insert into loot values (1); end;
            create view v_read as select readfile('/etc/passwd'); create view v_load as select load_extension('x');
            create view v_write as select writefile('x', 'y'); create view v_attach as select * from pragma_wal_checkpoint;
            create view v_regexp as select 'a' regexp '((((a{1,255}){1,255}){1,255}){1,255})' as r;
            create view v_bomb as with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c;
            create view v_printf as select length(printf('%.*c', 2000000000, 'x'));""")
    before = pathlib.Path(planted).read_bytes()
    for view in ("v_read", "v_load", "v_write", "v_attach", "v_regexp", "v_bomb", "v_printf"):
        result = subprocess.run([snapdiff, "query", "--db", planted, "--timeout", "500ms", f"select * from {view}"], capture_output=True,
                                text=True, cwd=scratch, timeout=600, check=False)
        assert result.returncode in (2, 3, 4) and "root:" not in result.stdout, f"{view}: {result.returncode} {result.stderr}"
    for command in (["top"], ["growth"], ["ls"]):  # it has what ours has not: whatever is answered, nothing runs
        subprocess.run([snapdiff, *command, "--db", planted], capture_output=True, timeout=600, check=False)
    assert pathlib.Path(planted).read_bytes() == before and not (scratch / "x").exists()


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
        check_bombs(snapdiff, database)
        check_series_functions(snapdiff, database)
        check_own_frame(snapdiff, database)
        check_planted(snapdiff, database, scratch)
    print("the cookbook holds")


if __name__ == "__main__":
    main()
