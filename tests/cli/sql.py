#!/usr/bin/env python3
"""What --sql prints, run in plain SQLite on a loaded database, gives the report's figures.

    sql.py [--all] SNAPDIFF [TRACE_LIBRARY]

Every report, every grouping, and some thirty combinations of options; with --all, these for every grouping.  The statements are printed once from the
files and once from the database that they were loaded into; run by SQLite without snapdiff, they must give the figures
that the report shows in JSON, for the rows that it shows, in its order.

With TRACE_LIBRARY (trace_sql.c), each report is also run with SQLite telling which statements it executes.  Those that
--sql prints must be among them, in their order; and what the report asks of the rows must be printed.  The relation between
call stacks and rows is the exception: --sql prints INSERTs and views, which any SQLite can run, where a report hands over an
array (cmd/store/sqlite/array_tables.h).
"""
import concurrent.futures
import itertools
import json
import math
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

import run

SERIES = [f"series-{i}.snap" for i in range(1, 9)]
PAIR = ["before.snap", "after.snap"]
REPORTS = {
    "top": ([], ["before.snap"]),
    "compare": ([], PAIR),
    "growth": ([], SERIES),
    "peek": (["handle|parse|main|render"], ["before.snap"]),
    "peek of two": (["handle|parse|main|render"], PAIR),
    "top of a sampled one": ([], ["sampled.snap"]),
    "top of unknown figures": ([], ["unknown.snap"]),
    "compare backwards in time": ([], PAIR[::-1]),
    "compare with a sampled one": ([], ["before.snap", "sampled.snap"]),
}
HELD = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "store" / "held.txt"
GROUPS = ["line", "function", "file", "module", "stack", "domain"]
FILTERS = [
    [], ["--cumulative"], ["--focus", "cache"], ["--ignore", "cache"], ["--show", "cache|leak|serve"],
    ["--hide", "cache|leak|handle"], ["--domain", "malloc"], ["--module", "server"], ["--no-skip"], ["-n", "2"], ["--all"],
    ["--min", "1KiB"], ["--sort", "key"], ["--own", "*libstdc*"], ["--library", "*server*"], ["--pid", "4242"],
    ["--cumulative", "--focus", "main", "-n", "1"], ["--cumulative", "--hide", "main", "--all"],
    ["--focus", "main", "--min", "2KiB", "-n", "3"], ["--module", "lib*", "--no-skip"],
    ["--domain", "malloc", "--ignore", "parse", "--sort", "key"], ["--show", "cache", "--cumulative"],
]
OF_FIGURES = [["--metric", "blocks"], ["--metric", "allocated"], ["--metric", "allocations", "-n", "3"]]
OF_MATCHES = [["--match", level] for level in ("exact", "line", "function", "fuzzy")]
OF_SERIES = [["--warmup", "0"], ["--per", "second"], ["--limit", "1GiB"], ["--metric", "blocks"]]
FIGURES = ["live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks"]
FILLS_RELATION = (r"DROP TABLE IF EXISTS temp\.credit;|CREATE TEMP TABLE credit\(|INSERT INTO temp\.credit\("
                  r"|CREATE TEMP VIEW IF NOT EXISTS (held|counted) ")
FILLS_ROWS = r"INSERT INTO temp\.(shown|member|node)\("  # one statement for each row, or one for several
ASKS = r"\s*(SELECT|WITH|INSERT INTO temp\.(lost|link|size))\b.*\btemp\.(credit|held|counted|shown|member|node|lost|link|size)\b"
# Reports on who holds what; tests/holders compares their figures, too, of recorded programs.
HELD_PAIR = ["held.snap", "held-later.snap"]  # of testdata/cli
GROWN = [f"grown-{k}.snap" for k in range(1, 6)]  # see grown()
OF_HOLDERS = {"leaks": ([], ["graph.snap"]), "holders": (["."], ["graph.snap"]), "leaks twice": ([], HELD_PAIR),
              "top of a graph": ([], HELD_PAIR[:1]), "compare of graphs": (["--all"], HELD_PAIR),
              "growth of graphs": (["--warmup", "0"], GROWN)}
OF_GROUPS = [[], ["-n", "1"], ["--all"], ["--sort", "key"], ["--module", "app"], ["--no-skip"], ["--own", "*app*"],
             ["--library", "*app*"], ["--focus", "main"], ["--ignore", "put"], ["--show", "put"], ["--hide", "grow"],
             ["--min", "1KiB"], ["--pid", "43"], ["--pid", "4242"], ["-n", "1", "--no-skip"],
             ["--cumulative"]]
LOST = ["unreachable_bytes", "unreachable_blocks", "direct_bytes", "direct_blocks", "indirect_bytes", "indirect_blocks"]
HOLDS = ["role", "of", "key", "kind", "bytes", "blocks", "references", "retained_bytes"]
HAS = ["key", "kind", "bytes", "blocks", "unreachable_blocks", "retained_bytes"]
SIDES = ["bytes", "blocks", "allocated_bytes", "allocated_blocks"]


class Fault(Exception):
    """What is wrong, in a sentence."""


def check(condition, sentence):
    if not condition:
        raise Fault(sentence)


# ---- running what was printed ----

def statements(text):
    statement = ""
    for line in text.splitlines(keepends=True):
        if not statement and (line.startswith("--") or not line.strip()):
            continue
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    check(not statement.strip(), f"a statement is not whole: {statement[:80]}")


def run_sql(database, text, reverse=False):
    """The rows of every SELECT, as dictionaries; and those of the table of shown rows, at each time it was filled.

    With `reverse`, SQLite reads backwards whatever has no ORDER BY."""
    answers = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.execute(f"PRAGMA reverse_unordered_selects = {reverse:d}")
        connection.row_factory = sqlite3.Row
        for statement in statements(text):
            rows = connection.execute(statement)
            if rows.description:
                answers.append([dict(row) for row in rows])
        shown = [dict(row) for row in connection.execute("SELECT place, row, key FROM temp.shown ORDER BY place")]
    return answers, shown


def is_shown(answer):
    return bool(answer) and "place" in answer[0]


# ---- against the report ----

def same(is_, should):
    if is_ is None or should is None:
        return is_ is None and should is None
    return math.isclose(is_, should, rel_tol=1e-9, abs_tol=1e-9)


def check_rows(rows, answer, names, prefix=""):
    """Each row of the report has the figures of its place in the answer; who has none there holds nothing."""
    by_place = {row["place"]: row for row in answer}
    for place, row in enumerate(rows):
        found = by_place.get(place, dict.fromkeys(FIGURES, 0) | {"key": row["key"]})
        check(found["key"] == row["key"], f"row {place} is {found['key']}, not {row['key']}")
        for figure, name in zip(FIGURES, names):
            check(same(found[figure], row[prefix + name]),
                  f"{row['key']}: {prefix}{name} is {found[figure]}, not {row[prefix + name]}")
            variance = found.get(f"{figure}_variance")
            if variance is not None and f"{prefix}{name}_stderr" in row:
                check(same(math.sqrt(variance), row[f"{prefix}{name}_stderr"]), f"{row['key']}: {name}_stderr differs")


def scopes(answers):
    return [answer[0] for answer in answers if len(answer) == 1 and "scope" in answer[0]]


def check_totals(scope_rows, scope, totals, names=FIGURES):
    found = [row for row in scope_rows if row["scope"] == scope]
    for row, total in zip(found, totals):
        for figure, name in zip(FIGURES, names):
            check(same(row[figure] or 0, total[name] or 0), f"{scope}: {name} is {row[figure]}, not {total[name]}")
    return len(found)


def shown_answers(answers, report, count):
    """The answers about rows that are shown: one for each snapshot asked; empty ones look like any other."""
    found = [answer for answer in answers if is_shown(answer)]
    return found + [[]] * (count - len(found)) if not report["rows"] else found


def check_top(report, answers, _):
    check_rows(report["rows"], shown_answers(answers, report, 1)[0], FIGURES)
    check(check_totals(scopes(answers), "all", [report["totals"]]) == 1, "there are no totals")
    check_totals(scopes(answers), "shown", [report["shown"]])


def check_compare(report, answers, _):
    sides = [answer for answer in answers if is_shown(answer) and FIGURES[0] in answer[0]]
    if len(sides) < 2 and report["rows"]:  # all rows are new, or all are gone
        sides = [[], sides[0]] if report["rows"][0]["old_bytes"] == 0 else [sides[0], []]
    for answer, prefix in zip(sides, ("old_", "new_")):
        check_rows(report["rows"], answer, SIDES, prefix)
    check(check_totals(scopes(answers), "all", [report["totals"]["old"], report["totals"]["new"]]) == 2,
          "there are no totals")


def check_peek(report, answers, names):
    found = shown_answers(answers, report, 1)
    check_rows(report["rows"], found[-1], FIGURES)
    if len(names) == 2 and len(found) == 2:
        for answer, prefix in zip(found, ("old_", "new_")):
            check_rows(report["rows"], answer, SIDES, prefix)
    check(check_totals(scopes(answers), "shown", [report["shown"]] if len(names) == 1 else []) >= 0, "")


def check_growth(report, answers, names, shown):
    """The series of each row, snapshot by snapshot; at both ends once more, by key."""
    left_out = {os.path.basename(path) for path in report.get("left_out", [])}
    series = [answer for answer in answers if answer and {"row", "live_bytes"} <= answer[0].keys()]
    snapshots = [name for name in names if name not in left_out]
    if not report["rows"]:
        return
    check(len(series) >= len(snapshots), f"{len(series)} snapshots are summed, not {len(snapshots)}")
    for place, row in zip(shown, report["rows"]):
        check(place["key"] == row["key"], f"{place['key']} is shown, not {row['key']}")
        for i, answer in enumerate(series[:len(snapshots)]):
            found = {found["row"]: found for found in answer}.get(place["row"], {"live_bytes": 0, "live_blocks": 0})
            check(found["live_bytes"] == row["series"]["bytes"][i], f"{row['key']}: snapshot {i} has other bytes")
            if row["series"]["blocks"]:
                check(found["live_blocks"] == row["series"]["blocks"][i], f"{row['key']}: snapshot {i}: other blocks")
    ends = [(row["scope"], row["live_bytes"] or 0) for row in scopes(answers)]
    check(ends[:2] == [("all", report["totals"][f"{end}_bytes"]) for end in ("first", "last")], f"totals are {ends}")
    check(ends[-2:] == [("shown", report["shown"][f"{end}_bytes"]) for end in ("first", "last")], f"shown is {ends}")


def check_scopes(report, answers, names):
    found = {row["scope"]: row for answer in answers if answer and "scope" in answer[0] for row in answer}
    for scope, part in (("all", "totals"), ("shown", "shown")):
        check([found[scope][name] or 0 for name in names] == [report[part][name] for name in names],
              f"{scope}: {found[scope]} is not {report[part]}")


def check_leaks(report, answers, _):
    names = ["key", *LOST, "ring_blocks", "live_bytes", "live_blocks"]
    (found,) = [answer for answer in answers if is_shown(answer)] or [[]]
    check([[row[name] for name in names] for row in found] == [[row[name] for name in names] for row in report["rows"]],
          f"{found} is not {report['rows']}")
    check_scopes(report, answers, LOST)
    if "unconfirmed" in report:
        (rest,) = [answer[0] for answer in answers if answer and "unconfirmed_bytes" in answer[0]]
        check([rest["unconfirmed_bytes"], rest["unconfirmed_blocks"]]
              == [report["unconfirmed"]["unreachable_bytes"], report["unconfirmed"]["unreachable_blocks"]], f"{rest}")


def check_holders(report, answers, _):
    """By role: those that hold, the rows themselves, those that are held."""
    shown = [answer for answer in answers if is_shown(answer)]
    links = [[row.get(name) for name in HOLDS] for answer in shown if "role" in answer[0] for row in answer]
    sizes = [[row.get(name) for name in HAS] for answer in shown if "role" not in answer[0] for row in answer]
    rows = report["rows"]
    roles = {role: [row for row in rows if row["role"] in role] for role in
             (("held by", "held by itself"), ("blocks", "root"), ("holds",))}
    held_by, own, holds = roles.values()
    check(links == [[row.get(name) for name in HOLDS] for row in held_by + holds], f"{links} is not {held_by + holds}")
    check(sizes == [[row.get(name) for name in HAS] for row in own], f"{sizes} is not {own}")
    check_scopes(report, answers, ["bytes", "blocks"])


def check_reach_of(rows, answer, prefix):
    by_place = {row["place"]: row for row in answer}
    for place, row in enumerate(rows):
        is_ = by_place.get(place, {"key": row["key"], "unreachable_bytes": 0, "retained_bytes": 0})
        check([is_["key"], is_["unreachable_bytes"]] == [row["key"], row[prefix + "unreachable_bytes"]], f"{is_} is not {row}")
        check(is_["retained_bytes"] == row.get(prefix + "retained_bytes") or place not in by_place, f"{is_} is not {row}")


def reach_answers(answers):
    return [answer for answer in answers if is_shown(answer) and "unreachable_bytes" in answer[0]]


def check_reach(report, answers, _):
    (found,) = reach_answers(answers) or [[]]
    check_reach_of(report["rows"], found, "")


def check_new_holders(report, answers, shown):
    """A row that refers to a hundredth of the blocks or less may do so by chance: it is summed, and not told."""
    (found,) = [answer for answer in answers if answer and "holder" in answer[0]] or [[]]
    for place, row in zip(shown, report["rows"]):
        new = [[holder[name] for name in ("key", "kind", "blocks", "bytes")] for holder in found
               if holder["row"] == place["row"] and (holder["kind"] != "site" or holder["blocks"] * 100 > holder["new_blocks"])]
        told = [[holder[name] for name in ("key", "kind", "blocks", "bytes")] for holder in row["new_holders"]]
        check(new == told, f"{row['key']}: {new} is not {told}")
    check(bool(found) or not any(row["new_holders"] for row in report["rows"]), "nobody asks for new holders")


def check_both_graphs(report, answers, shown):
    check_compare(report, answers, None)
    if not report["rows"] or "new_holders" not in report["rows"][0]:
        check(not reach_answers(answers), "the graph is asked, and the report does not tell")
        return
    found = reach_answers(answers)
    check(len(found) == 2, f"{len(found)} graphs are summed, not two")
    for answer, prefix in zip(found, ("old_", "new_")):
        check_reach_of(report["rows"], answer, prefix)
    check_new_holders(report, answers, shown)


def check_grown_graph(report, answers, shown):
    """What the series was made of (see grown()), and what the report says of it."""
    (lost,) = [answer for answer in answers if answer and "unreachable_blocks" in answer[0]] or [[]]
    lost = {row["row"]: row for row in lost}
    counts = [{(row["row"], row["type"], row["is_reuse"]): row["objects"] for row in answer} for answer in answers
              if answer and "objects" in answer[0]]
    last = len(GROWN)
    for place, row in zip(shown, report["rows"]):
        said = re.search(r"nothing reaches (\d+) of its (\d+) blocks", " ".join(row["reasons"]))
        own = lost.get(place["row"], {"unreachable_blocks": 0, "direct_blocks": 0, "live_blocks": 0})
        check(bool(said) == (own["unreachable_blocks"] > 0), f"{row['key']}: {own} is not {row['reasons']}")
        if said:
            check([int(number) for number in said.groups()] == [own["unreachable_blocks"], own["live_blocks"]],
                  f"{own} is not {said[0]}")
            check([own["unreachable_blocks"], own["direct_blocks"], own["live_blocks"]] == [800 * last, 700 * last, 1000 * last],
                  f"{own} is not what is in the snapshot")
        if row["held_type"]:
            check([count.get((place["row"], "app.Item", 0)) for count in counts] ==
                  [700 * last, *(700 * k for k in range(last, 0, -1))], f"{row['key']}: other objects")
            check(counts[0].get((place["row"], "dict", 1)) == 100 * last, f"{row['key']}: other memory for reuse")


# ---- the combinations ----

def combinations(name, all_of_them):
    command = name.split()[0]
    groups = ["function", "line"] if command == "peek" else GROUPS
    filters = [words for words in FILTERS if not (command == "peek" and "--cumulative" in words)]
    more = {"top": OF_FIGURES, "compare": OF_FIGURES + OF_MATCHES, "peek": OF_FIGURES, "growth": OF_SERIES + OF_MATCHES}
    for group, words in itertools.product(groups, filters + more[command]):
        if all_of_them or group == groups[0] or words in (FILTERS[0], FILTERS[1], FILTERS[-1]):
            yield ["-g", group, *words]


REFUSED = [
    ["compare", "before.snap", "before.snap", "--", "after.snap"],
    ["compare", "--normalize", "allocations", *PAIR],
    ["compare", "--exit-code", *PAIR],
    ["growth", "--exit-code", *SERIES],
    ["top", "-f", "json", "before.snap"],
    ["top", "-g", "type", "before.snap"],
    ["top", "--compat", "tracemalloc", "series-1.snap"],
]


class Cases:
    def __init__(self, snapdiff, directory, env, trace):
        self.snapdiff, self.directory, self.env, self.trace = snapdiff, directory, env, trace

    def call(self, *words, **more):
        return subprocess.run([self.snapdiff, *words], cwd=self.directory, env=self.env | more, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, check=False)

    def answer(self, *words):
        result = self.call(*words)
        check(result.returncode == 0, f"exit code {result.returncode}: {result.stderr.decode()}")
        return result.stdout.decode()

    def load(self, names):
        database = self.directory / ("+".join(names)[:80] + ".db")
        if not database.exists():
            self.answer("load", "-q", "--order", "given", *names, "--db", database)
        return database

    def run_ordered(self, database, text):
        """As run_sql(); the order of all answers must be said in their statements."""
        answers, shown = run_sql(database, text)
        for one, other in zip(answers, run_sql(database, text, reverse=True)[0], strict=True):
            check(one == other, f"the order of rows is not fixed: {one[:2]}... and {other[:2]}...")
        return answers, shown

    def check_report(self, name, options):
        command = name.split()[0]
        words, names = REPORTS[name]
        result = self.call(command, "-f", "json", *options, *words, *names)
        if result.returncode == 2:
            check(self.call(command, "--sql", *options, *words, *names).returncode == 2, "only --sql takes these options")
            return
        check(result.returncode == 0, result.stderr.decode())
        report = json.loads(result.stdout)
        database = self.load(names)
        by_time = ["@2", "@1"] if "backwards" in name else [f"@{i + 1}" for i in range(len(names))]
        for source in ([*words, *names], ["--db", database, *words, *by_time]):
            answers, shown = self.run_ordered(database, self.answer(command, "--sql", *options, *source))
            if command == "growth":
                check_growth(report, answers, names, shown)
            else:
                {"top": check_top, "compare": check_compare, "peek": check_peek}[command](report, answers, names)

    def check_held(self, name, options):
        """The same of leaks and holders, which are not on the figures of call stacks."""
        command = name.split()[0]
        words, names = OF_HOLDERS[name]
        database = self.load(names)
        for of in (names, ["--db", database, *(f"@{i + 1}" for i in range(len(names)))]):
            source = [*of[:-1], "--confirm", of[-1]] if command == "leaks" and len(names) == 2 else [*words, *of]
            result = self.call(command, "-f", "json", *options, *source)
            if result.returncode in (2, 3):  # a filter leaves nothing
                check(self.call(command, "--sql", *options, *source).returncode == result.returncode,
                      "only --sql takes these options")
                continue
            check(result.returncode == 0, result.stderr.decode())
            answers, shown = self.run_ordered(database, self.answer(command, "--sql", *options, *source))
            {"leaks": check_leaks, "holders": check_holders, "top": check_reach, "compare": check_both_graphs,
             "growth": check_grown_graph}[command](json.loads(result.stdout), answers, shown)

    def executed(self, command, words):
        """The statements of a report, as SQLite tells them; None where the report refuses the options."""
        with tempfile.NamedTemporaryFile(dir=self.directory, prefix="trace-", suffix=".sql") as log:
            result = self.call(command, "-f", "json", *words, LD_PRELOAD=str(self.trace), SQL_TRACE=log.name)
            check(result.returncode in (0, 2, 3), result.stderr.decode())
            return [text.strip() for text in statements(log.read().decode())] if result.returncode == 0 else None

    def check_trace(self, name, options):
        """What is printed is executed, in its order; what is asked of rows is printed."""
        command = name.split()[0]
        words, names = (REPORTS | OF_HOLDERS)[name]
        if command == "leaks" and len(names) == 2:
            words, names = ["--confirm", names[1]], names[:1]
        executed = self.executed(command, [*options, *words, *names])
        if executed is None:
            check(self.call(command, "--sql", *options, *words, *names).returncode in (2, 3), "only --sql takes these options")
            return
        printed = [text.strip() for text in statements(self.answer(command, "--sql", *options, *words, *names))]
        asked = [text for text in printed if not re.match(FILLS_RELATION, text) and not re.match(FILLS_ROWS, text)]
        check(any(re.match(ASKS, text, re.DOTALL) for text in asked), "no statement asks for sums")
        rest = iter(executed)
        for text in asked:
            check(text in rest, f"is not executed in this order: {text[:200]}")
        for text in executed:
            check(not re.match(ASKS, text, re.DOTALL) or text in printed, f"is not printed: {text[:200]}")


def sample(directory):
    """A sampled snapshot; its variances are not in the text form, so it is none of `dump`'s."""
    text = (directory / "before.txt").read_text()
    (directory / "sampled.txt").write_text(text.replace("@ seq", "@ sample_period\t1024\n@ seq", 1))


def grown(k):
    """Snapshot k of a series: nothing reaches eight of ten blocks, and 700 objects of a type come each time."""
    k *= 100
    blocks, objects = 10 * k, 7 * k
    lose, add = "lose|app.c|5|app\tmain|app.c|9|app", "add|app.py|7|\tmain|app.py|20|"
    return "\n".join([
        "#snaptext 1", f"@ seq\t{k // 100}", f"@ time_ns\t{1767323000000000000 + k * 10**8}", "@ pid\t77",
        "@ start_ns\t1767322000000000000", "@ command\t./app", "@ program\tapp", "@ holders\tyes", "@ census\tpython",
        "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...",
        f"{100 * blocks}\t{blocks}\t{100 * blocks}\t{blocks}\tmalloc\t-\t{lose}",
        f"{48 * objects}\t{objects}\t{48 * objects}\t{objects}\tpython\t-\t{add}",
        f"%group\t0\t{blocks}\t{100 * blocks}\t{7 * k}\t{700 * k}\t{k}\t{100 * k}\t0\t-\tmalloc\t{lose}",
        f"%group\t1\t{objects}\t{48 * objects}\t0\t0\t0\t0\t0\t-\tapp.Item\t{add}",
        f"%group\t2\t{k}\t{48 * k}\t0\t0\t0\t0\t0\t-\tdict\t{add}",
        "%root\t7\t0\t0x0\t0\t0\t-\titems (module global, app.py:2)\t\t", "%edge\tr0\tg1\t1\t1\t48\t-\t-",
        "%path\tg1\tr0\t0\t0\tg1:0x1000:48:0", ""])


def attempt(faults, label, thunk):
    try:
        thunk()
    except Fault as fault:
        faults.append(label)
        print(f"FAULT {label}: {fault}")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--all"]
    all_of_them = len(arguments) + 1 < len(sys.argv)
    snapdiff = pathlib.Path(arguments[0]).resolve()
    trace = pathlib.Path(arguments[1]).resolve() if len(arguments) > 1 else None
    faults, count = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        run.build_snapshots(snapdiff, home / "snapshots")
        sample(home / "snapshots")
        cases = Cases(snapdiff, home / "snapshots", run.environment(snapdiff, home), trace)
        cases.answer("build", "sampled.txt", "-o", "sampled.snap")
        cases.answer("build", HELD, "-o", "graph.snap")
        for k, name in enumerate(GROWN, 1):
            (home / "snapshots" / "grown.txt").write_text(grown(k))
            cases.answer("build", "grown.txt", "-o", name)
        for words, names in (REPORTS | OF_HOLDERS).values():  # once, before many ask at the same time
            cases.load(names)
        of_holders = [(name, ["-g", group, *words]) for name in OF_HOLDERS for words in OF_GROUPS
                      for group in (GROUPS[:5] if not words else GROUPS[:1])]
        tasks = [(name, options) for name in REPORTS for options in combinations(name, all_of_them)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda task: attempt(faults, f"{task[0]} {' '.join(task[1])}",
                                               lambda: cases.check_report(*task)), tasks))
            list(pool.map(lambda task: attempt(faults, f"{task[0]} {' '.join(task[1])}", lambda: cases.check_held(*task)),
                          of_holders))
        count += len(tasks) + len(of_holders)
        for words in REFUSED:
            count += 1
            result = cases.call(words[0], "--sql", *words[1:])
            attempt(faults, f"{' '.join(words)} --sql",
                    lambda r=result: check(r.returncode == 2 and not r.stdout, f"exit code {r.returncode}, not refused"))
        if trace:
            tasks = [(name, options) for name in REPORTS for options in combinations(name, False)]
            tasks = (tasks if all_of_them else tasks[::3]) + of_holders  # the figures of all were compared above
            count += len(tasks)
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(lambda task: attempt(faults, f"trace of {task[0]} {' '.join(task[1])}",
                                                   lambda: cases.check_trace(*task)), tasks))
    print(f"{count - len(faults)} of {count} hold")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
