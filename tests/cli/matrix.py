#!/usr/bin/env python3
"""Every option of every report in every format: it works, or it is refused with a sentence; never ignored.

The options come from `snapdiff help --json`, so a new one is tried as soon as it exists.  What works must parse
in its format, and shown + hidden must be the total there; an option must leave a trace in what is printed.

Each option is tried in JSON and, in turn, in one of the other formats; with --all in all of them.

usage: matrix.py [-v] [--all] SNAPDIFF
"""

import concurrent.futures
import csv
import io
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import run
import sql as sql_test

FORMATS = ["table", "json", "jsonl", "csv", "tsv", "markdown"]

# Operands of each report, and the same in a database that holds before, after, series-1 ... series-8.
# The program was restarted in the middle of the series, and a line of it had moved.
SERIES = [f"{run_name}-{n}.snap" for run_name in ("series", "later") for n in range(1, 5)]
OPERANDS = {
    "top": ["before.snap"],
    "compare": ["before.snap", "after.snap"],
    "growth": SERIES,
    "peek": ["handle|parse|main|render", "before.snap"],
    "leaks": ["held.snap"],
    "holders": ["cache_put|intern|parse|g_cache|t_config", "held.snap"],
    "ls": ["before.snap", "after.snap"],
    "info": ["after.snap"],
    "query": ["select * from history order by site_id, snapshot_id", "before.snap"],
    "schema": [],
}

# The same for --compat tracemalloc, which has no answer about traces without frames.
COMPAT_OPERANDS = {"top": ["series-1.snap"], "compare": ["series-1.snap", "series-8.snap"]}

# Those that report on sites: their figures add up, their rows have the fields of a site.
SITE_REPORTS = {"top", "compare", "growth", "peek", "leaks", "holders"}
# Reports whose rows overlap, or are more than what is shown: they do not add up to it.
OVERLAPPING = {"peek", "holders"}

# Values to try; each must change what is printed, compared with a call without it.
VALUES = {
    "sort": ["key"],
    "rows": ["1"],
    "limit": ["1GiB"],
    "per": ["second"],
    "warmup": ["0"],
    "control": [],  # tried on its own
    "min": ["10KiB"],
    "focus": ["cache"],
    "ignore": ["cache"],
    "show": ["cache|leak"],
    "hide": ["cache|leak|handle"],
    "domain": ["python", "malloc"],
    "module": ["lib*", "server"],
    "pid": ["4242"],
    "program": ["server"],
    "output": ["out"],
    "file": [],  # needs a file, and then no SQL
    "include": ["*cache*"],
    "exclude": ["*cache*"],
    "map": ["src=source"],
    "confirm": ["held-later.snap"],
    "suppressions": ["known.supp"],
    "py-domain": ["1"],
    "timeout": ["10s"],
    "max-rows": ["1"],
    "max-memory": ["1GiB"],
}

# (command, option, value) that rightly change nothing here, and why.
NO_TRACE = {
    ("*", "all", None): "few rows: nothing was hidden",
    ("*", "pid", "4242"): "all snapshots are of this process",
    ("*", "program", "server"): "all snapshots are of this program",
    ("*", "csv", "safe"): "changes csv and tsv only, and hostile names",
    ("*", "csv", "raw"): "changes csv and tsv only, and hostile names",
    ("*", "max-memory", "1GiB"): "it takes less",
    ("*", "debuginfod", None): "no module is looked for",
    ("*", "native", None): "no line of Python calls native code there (unit/test_select does)",
    ("*", "no-pager", None): "there is no terminal",
    ("*", "exit-code", None): "changes the exit code only",
    ("ls", "quiet", None): "it has no closing lines",
    ("info", "quiet", None): "it has no closing lines",
    ("peek", "quiet", None): "it has no closing lines",
    ("query", "quiet", None): "it has no closing lines",
    ("info", "verbose", None): "it is exact already",
    ("schema", "verbose", None): "it has no figures",
    ("query", "timeout", "10s"): "it takes less",
    ("query", "write", None): "the statement only reads",
    ("peek", "group", "function"): "its default",
    ("leaks", "ignore", "cache"): "the cache lost nothing",
    ("leaks", "domain", "malloc"): "all that is lost is of this domain",
    ("holders", "domain", "malloc"): "all that matches is of this domain",
    ("holders", "module", "server"): "all that matches is of this module",
    ("*", "all-frames", None): "there is no --include or --exclude that it could widen",
    ("growth", "match", "function"): "there is one run, and nothing to pair",
    ("compare", "map", "src=source"): "no file is called so in the new snapshot",
    ("growth", "expand", None): "machine formats have a row for each site",
    ("growth", "order", "time"): "these say their place in the series themselves",
    ("growth", "order", "name"): "these say their place in the series themselves",
    ("growth", "order", "given"): "these say their place in the series themselves",
    ("*", "output", "out"): "changes the place only; compared byte for byte instead",
}
# Options of how it looks leave their trace in a table, those about data in JSON.
LOOKS = {"chart", "color", "quiet", "verbose"}
DEFAULTS = {"group": "line", "metric": "live", "match": "fuzzy", "format": "table", "color": "auto",
            "at": "auto"}
# Not of one report each: they are tried on their own below, or lead to another program.
SEPARATE = {"format", "db", "help", "output", "sql", "compat", "examples"}


class Fault(Exception):
    """What is wrong, in a sentence."""


def check(condition, sentence):
    if not condition:
        raise Fault(sentence)


# ---- figures: shown + hidden = totals ----

def totals_of(command, totals, figure):
    """The total that belongs to a figure of `shown` and `hidden`, or None where the report has none."""
    if command == "compare":
        side, rest = figure.split("_", 1)
        return totals[side][rest if rest.startswith("allocated") else f"live_{rest}"]
    if command == "growth":
        side = figure.split("_")[0]
        return totals.get(figure, totals.get(side, {}).get("live_bytes") if isinstance(totals.get(side), dict) else None)
    return totals.get(figure)


def check_summary(command, head, rows, tail, options):
    if command not in SITE_REPORTS:
        return
    shown, hidden = tail["shown"], tail["hidden"]
    if command == "holders":
        rows = [row for row in rows if row["role"] in ("blocks", "root")]
    check(shown["rows"] == len(rows), f"shown.rows is {shown['rows']}, but there are {len(rows)} rows")
    for figure in shown:
        if figure == "rows":
            continue
        total = totals_of(command, head["totals"], figure)
        check(total is not None, f"shown.{figure} has no total")
        check(shown[figure] + hidden[figure] == total,
              f"{figure}: shown {shown[figure]} + hidden {hidden[figure]} is not the total {total}")
        if "cumulative" not in options and command not in OVERLAPPING:
            added = sum(row[figure] for row in rows)
            check(added == shown[figure], f"{figure}: the rows add up to {added}, shown is {shown[figure]}")
    for row in rows:
        for field in ("key", "function", "file", "line", "module", "stack"):
            check(field in row, f"a row has no {field}")


def check_json(command, text, options):
    report = json.loads(text)
    names = list(report)
    check(report["schema"].startswith(f"snapdiff.{command}/"), f"the schema is {report['schema']}")
    check(names[0] == "schema" and names[-1] == "warnings", f"the fields are {names}")
    check_summary(command, report, report["rows"], report, options)


def check_jsonl(command, text, options):
    lines = [json.loads(line) for line in text.splitlines()]
    check(lines[0]["record"] == "report" and lines[-1]["record"] == "summary", "head or summary is missing")
    check_summary(command, lines[0], lines[1:-1], lines[-1], options)


def check_cells(command, rows, report, options):
    """Flat formats: as many cells everywhere, and columns that add up to the totals of the JSON report."""
    header, *rows = rows
    check(rows or not report["rows"], "there are no rows")
    check(all(len(row) == len(header) for row in rows), "rows differ in their number of cells")
    if command not in SITE_REPORTS:
        return
    check("key" in header, "there is no key")
    if "cumulative" in options or command in OVERLAPPING:
        return
    for figure in report["shown"]:
        if figure == "rows":
            continue
        column = header.index(figure)
        added = sum(int(row[column]) for row in rows)
        total = report["shown"][figure] + report["hidden"][figure]
        check(added == total, f"{figure}: the column adds up to {added}, the total is {total}")


def check_markdown(text, report):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    check(lines or not report["rows"], "there is no table")
    pipes = {line.replace("\\|", "").count("|") for line in lines}
    check(len(pipes) <= 1, "rows differ in their number of cells")


def check_output(command, form, text, options, report):
    """`report` is the same call in JSON."""
    if form == "json":
        check_json(command, text, options)
    elif form == "jsonl":
        check_jsonl(command, text, options)
    elif form == "csv":
        check_cells(command, list(csv.reader(io.StringIO(text, newline=""), strict=True)), report, options)
    elif form == "tsv":
        check_cells(command, [line.split("\t") for line in text.rstrip("\n").split("\n")], report, options)
    elif form == "markdown":
        check_markdown(text, report)
    else:
        check(text.strip(), "nothing was printed")


# ---- calls ----

class Matrix:
    def __init__(self, snapdiff, directory, env, all_formats):
        self.snapdiff, self.directory, self.env = snapdiff, directory, env
        self.all_formats = all_formats

    def formats(self, turn):
        others = [form for form in FORMATS if form != "json"]
        return FORMATS if self.all_formats else ["json", others[turn % len(others)]]

    def call(self, *arguments):
        return subprocess.run([self.snapdiff, *arguments], cwd=self.directory, env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=1200)

    def answer(self, command, *arguments):
        """Standard output as text; None if it was refused as it should be."""
        result = self.call(command, *arguments)
        out, err = result.stdout.decode(), result.stderr.decode()
        if result.returncode == 2:
            check(not out, "refused, but something was printed")
            check(err.startswith(f"snapdiff {command}: ") and err.count("\n") == 1,
                  f"refused, but not with one sentence: {err!r}")
            return None
        check(result.returncode == 0 or (result.returncode == 1 and "--exit-code" in arguments),
              f"exit code {result.returncode}: {err.strip()}")
        return out

    def try_option(self, command, option, value, turn):
        """The option in the formats whose turn it is; and its trace."""
        written = [f"--{option}" + (f"={value}" if value is not None else "")]
        operands = OPERANDS[command]
        text = self.answer(command, *written, "-f", "json", *operands)
        report = json.loads(text) if text is not None else None
        for form in self.formats(turn):
            text = self.answer(command, *written, "-f", form, *operands)
            check((text is None) == (report is None), f"works in some formats only: not in {form}")
            if text is not None:
                check_output(command, form, text, {option}, report)
        if report is None:
            return "refused"
        self.check_trace(command, option, value, written)
        return "works"

    def check_trace(self, command, option, value, written):
        if (command, option, value) in NO_TRACE or ("*", option, value) in NO_TRACE:
            return
        if DEFAULTS.get(option) == value and value is not None or (option, value) == ("color", "never"):
            return
        form = "table" if option in LOOKS else "json"
        plain = self.answer(command, "-f", form, *OPERANDS[command])
        with_it = self.answer(command, *written, "-f", form, *OPERANDS[command])
        check(plain != with_it, f"leaves no trace in {form}")

    def try_compat(self, command, option, value):
        """With --compat an option works on what the other tool prints, or is refused."""
        written = ["--compat=tracemalloc", f"--{option}" + (f"={value}" if value is not None else "")]
        with_it = self.answer(command, *written, *COMPAT_OPERANDS[command])
        if with_it is None:
            return "refused"
        plain = self.answer(command, written[0], *COMPAT_OPERANDS[command])
        traceless = (command, option, value) in NO_TRACE or ("*", option, value) in NO_TRACE
        check(option in LOOKS or traceless or DEFAULTS.get(option) == value is not None or plain != with_it,
              "leaves no trace beside --compat")
        return "works"

    def try_output(self, command):
        for form in FORMATS:
            name = f"{command}.{form}"
            printed = self.answer(command, "-f", form, *OPERANDS[command])
            check(self.answer(command, "-f", form, "-o", name, *OPERANDS[command]) == "", "-o printed something")
            check((self.directory / name).read_bytes().decode() == printed, f"-o differs in {form}")

    def try_bad_values(self, command, option):
        """Nonsense is refused for every option that takes a value which can be nonsense."""
        if option["type"] in ("count", "size", "duration", "choice") or option["name"] == "sort":
            answer = self.answer(command, f"--{option['name']}=nonsense", *OPERANDS[command])
            check(answer is None, "takes nonsense")
        if option["type"] == "regex":
            check(self.answer(command, f"--{option['name']}=a[", *OPERANDS[command]) is None, "takes nonsense")

    def try_database(self, command):
        """The same answer from a database as from files; and its SQL in plain SQLite."""
        database = self.directory / f"{command}.db"
        files = [name for name in OPERANDS[command] if name.endswith(".snap")]
        words = [name for name in OPERANDS[command] if not name.endswith(".snap")]
        result = self.call("load", *files, "--db", database)
        check(result.returncode == 0, f"load failed: {result.stderr.decode()}")
        names = [f"@{i + 1}" for i in range(len(files))]
        stored = json.loads(self.answer(command, "-f", "json", "--db", database, *words, *names))
        direct = json.loads(self.answer(command, "-f", "json", *OPERANDS[command]))
        for row in stored["rows"] + direct["rows"]:
            row.pop("next", None)  # names the database
        check(stored["rows"] == direct["rows"], "a database gives other rows than the files")
        sql = self.answer(command, "--sql", "--db", database, *words, *names)
        if sql is None:
            return
        try:
            answers, _ = sql_test.run_sql(database, sql)
        except sql_test.Fault as fault:
            raise Fault(str(fault)) from fault
        check(any(answers), "--sql finds no rows in plain SQLite")

    def try_process(self, command):
        """A process or program that is not there is said to be so."""
        for option in ("--pid=1", "--program=nobody"):
            result = self.call(command, option, *OPERANDS[command])
            check(result.returncode in (2, 3) and result.stderr.count(b"\n") >= 1,
                  f"{option} is answered with exit code {result.returncode}")


def doubles(command):
    """Names and letters that a command has twice."""
    names = [option["name"] for option in command["options"]]
    names += [option["letter"] for option in command["options"] if option["letter"]]
    return sorted({name for name in names if names.count(name) > 1})


def values_of(option):
    if option["type"] == "flag":
        return [None]
    if option["type"] == "choice":
        return option["choices"]
    return VALUES.get(option["name"], [])


def plan(matrix, tables):
    """(label, thunk) of everything to try."""
    turn = itertools.count()
    for command in tables["rows"]:
        name = command["name"]
        if name not in OPERANDS:
            continue
        options = {option["name"]: option for option in command["options"]}
        for option in options.values():
            label = f"{name} --{option['name']}"
            yield f"{label}=nonsense", lambda n=name, o=option: matrix.try_bad_values(n, o)
            if option["name"] in SEPARATE:
                continue
            for value in values_of(option):
                shown = f"{label}={value}" if value is not None else label
                yield shown, lambda n=name, o=option["name"], v=value, t=next(turn): matrix.try_option(n, o, v, t)
                if "compat" in options:
                    yield (f"{shown} --compat",
                           lambda n=name, o=option["name"], v=value: matrix.try_compat(n, o, v))
        yield f"{name} --output", lambda n=name: matrix.try_output(n)
        if name in SITE_REPORTS:
            yield f"{name} --db", lambda n=name: matrix.try_database(n)
        if "pid" in options:
            yield f"{name} --pid, --program", lambda n=name: matrix.try_process(n)


def attempt(thunk):
    try:
        return thunk() or "works", None
    except Fault as fault:
        return "FAULT", str(fault)
    except Exception as error:  # what was printed is not what the format promises
        return "FAULT", f"{type(error).__name__}: {error}"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument not in ("-v", "--all")]
    if len(arguments) != 1:
        sys.exit(__doc__)
    snapdiff = pathlib.Path(arguments[0]).resolve()
    faults = 0
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        run.build_snapshots(snapdiff, home / "snapshots")
        (home / "snapshots" / "known.supp").write_text("leak:buffer_reserve\n")
        matrix = Matrix(snapdiff, home / "snapshots", run.environment(snapdiff, home), "--all" in sys.argv)
        tables = json.loads(matrix.call("help", "--json").stdout)
        tasks = list(plan(matrix, tables))
        for command in tables["rows"]:
            for name in doubles(command):
                faults += 1
                print(f"FAULT    {command['name']} has {name} twice")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            outcomes = list(pool.map(lambda task: attempt(task[1]), tasks))
    for (label, _), (outcome, why) in zip(tasks, outcomes):
        faults += outcome == "FAULT"
        if outcome == "FAULT" or "-v" in sys.argv:
            print(f"{outcome:8} {label}" + (f": {why}" if why else ""))
    print(f"{len(tasks) - faults} of {len(tasks)} hold")
    return 1 if faults or not tasks else 0


if __name__ == "__main__":
    sys.exit(main())
