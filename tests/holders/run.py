#!/usr/bin/env python3
"""Who holds what, in programs of which it is known.

run.py --bin DIR --snapdiff FILE NAME
"""
import argparse
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

options = None
CASE = re.compile(r"(held|lost|hidden)_\w+")


def check(condition, sentence):
    if not condition:
        sys.exit("failed: " + sentence)


def skip(sentence):
    print("skipped: " + sentence)
    sys.exit(77)


def find_library(pattern):
    for directory in ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"):
        for path in sorted(glob.glob(os.path.join(directory, pattern))):
            return path
    return None


class Snapshot:
    """The graph of holders, read from the text form."""

    def __init__(self, path):
        done = subprocess.run([options.snapdiff, "dump", "-q", path], capture_output=True, text=True, timeout=600)
        check(done.returncode == 0, f"dump: {done.stderr}")
        self.path = path
        rows = {"%group": [], "%root": [], "%edge": [], "%path": []}
        self.meta = {}
        for line in done.stdout.splitlines():
            fields = line.split("\t")
            if fields[0] in rows:
                rows[fields[0]].append(fields[1:])
            elif line.startswith("@ "):
                self.meta[fields[0][2:]] = fields[1]
        self.groups, self.roots = rows["%group"], rows["%root"]
        self.edges, self.paths = rows["%edge"], rows["%path"]

    def functions(self, group):
        return [frame.split("|")[0].split("(")[0] for frame in self.groups[group][10:]]

    def group_of(self, function):
        """The group whose blocks `function` allocated itself."""
        found = [i for i in range(len(self.groups)) if self.functions(i)[0] == function]
        check(len(found) == 1, f"{len(found)} groups of {function}")
        return found[0]

    def figures(self, function):
        """blocks, bytes, direct blocks and bytes, indirect blocks and bytes, ring blocks, retained bytes"""
        return [None if f == "-" else int(f) for f in self.groups[self.group_of(function)][1:9]]

    def by_case(self):
        sums = {}
        for i, group in enumerate(self.groups):
            case = next((f for f in self.functions(i) if CASE.fullmatch(f)), None)
            if case:
                entry = sums.setdefault(case, [0, 0])
                entry[0] += int(group[1])
                entry[1] += int(group[3]) + int(group[5])
        return sums

    def edge(self, source, to):
        return next((e for e in self.edges if e[0] == source and e[1] == to), None)


def why_unread(snapshot):
    """Why the registers of some thread are unknown; None if all are known."""
    unread, late = (int(snapshot.meta["holders.threads_" + name]) for name in ("unread", "late"))
    if late:
        return f"{late} threads did not stop within 100 ms: the machine is busy"
    if snapshot.meta["holders.stop"] != "ptrace":
        return "ptrace is not permitted here"
    return f"the registers of {unread} threads could not be read" if unread else None


def needs_ptrace(snapshot):
    """Without a stop nothing is known of registers; a machine may forbid it."""
    done = snapshot.meta.get("holders", "")
    check("ended early" not in done and ("by signal" not in done or "a lock" in done), done)
    if done.startswith("failed"):
        skip("no copy can be made here: " + done)
    why = why_unread(snapshot)
    if why:
        skip(why)


def record(directory, command, *run_options, env=None):
    done = subprocess.run([options.snapdiff, "run", "-q", "-o", directory, *run_options, "--", *command],
                          capture_output=True, text=True, timeout=600, env=env)
    check(done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}")
    return done


def first_of(directory):
    files = sorted(glob.glob(os.path.join(directory, "*.000001.snap")))
    check(len(files) == 1, f"{len(files)} first snapshots in {directory}")
    return files[0]


def truth(directory, preload=None):
    program, plugin = os.path.join(options.bin, "holders_truth"), os.path.join(options.bin, "libholders_plugin.so")
    env = dict(os.environ, LD_PRELOAD=preload) if preload else None
    record(directory, [program, plugin], "--exit-snapshot", "none", env=env)
    snapshot = Snapshot(first_of(directory))
    needs_ptrace(snapshot)
    cases = snapshot.by_case()
    if "held_map" not in cases:
        skip("operator new of this allocator is not recorded: its blocks are not known")
    check_cases(snapshot, 42)
    kernel = {row[1]: row[2] for row in ask(snapshot.path, "SELECT kind, name, retained_bytes FROM roots WHERE kind = 'kernel'")}
    # Its thread is in a handler on that stack, which so holds it as well.
    check(kernel == {"what epoll gives back": str(30 * 231), "what timers give back": "241", "stacks for signals": "0"}, f"kept by the kernel: {kernel}")
    check(int(snapshot.meta["holders.unreachable_blocks"])
          == sum(int(g[3]) + int(g[5]) for g in snapshot.groups), "the sum of what is unreachable")


def truth_glibc(directory):
    truth(directory)


def truth_jemalloc(directory):
    library = find_library("libjemalloc.so*") or skip("jemalloc is not installed")
    truth(directory, library)


def truth_tcmalloc(directory):
    library = find_library("libtcmalloc_minimal.so*") or skip("tcmalloc is not installed")
    truth(directory, library)


def more(directory, preload=None):
    """The cases of truth_more.cpp."""
    program, plugin = os.path.join(options.bin, "holders_truth_more"), os.path.join(options.bin, "libholders_plugin.so")
    record(directory, [program, plugin], "--exit-snapshot", "none", env=dict(os.environ, LD_PRELOAD=preload) if preload else None)
    snapshot = Snapshot(first_of(directory))
    check("longer than" not in snapshot.meta["holders"], snapshot.meta["holders"])
    needs_ptrace(snapshot)
    if "held_deque" not in snapshot.by_case():
        skip("operator new of this allocator is not recorded: its blocks are not known")
    check_cases(snapshot, 50)
    check(snapshot.meta["holders.pages_unreadable"] == "0", f"pages: {snapshot.meta['holders.pages_unreadable']}")


def more_glibc(directory):
    more(directory)


def more_jemalloc(directory):
    more(directory, find_library("libjemalloc.so*") or skip("jemalloc is not installed"))


def more_tcmalloc(directory):
    more(directory, find_library("libtcmalloc_minimal.so*") or skip("tcmalloc is not installed"))


def more_mimalloc(directory):
    more(directory, find_library("libmimalloc.so*") or skip("mimalloc is not installed"))


def system(directory, preload=None):
    """The cases of truth_system.cpp."""
    program, plugin = os.path.join(options.bin, "holders_truth_system"), os.path.join(options.bin, "libholders_plugin.so")
    record(directory, [program, plugin], "--exit-snapshot", "none", env=dict(os.environ, LD_PRELOAD=preload) if preload else None)
    snapshot = Snapshot(first_of(directory))
    needs_ptrace(snapshot)
    if "held_deferred" not in snapshot.by_case():
        skip("operator new of this allocator is not recorded: its blocks are not known")
    check_cases(snapshot, 32)


def system_glibc(directory):
    system(directory)


def system_jemalloc(directory):
    system(directory, find_library("libjemalloc.so*") or skip("jemalloc is not installed"))


def system_tcmalloc(directory):
    system(directory, find_library("libtcmalloc_minimal.so*") or skip("tcmalloc is not installed"))


def check_cases(snapshot, least):
    cases = snapshot.by_case()
    check(len(cases) >= least, f"only {len(cases)} cases: {sorted(cases)}")
    for case, (blocks, lost) in cases.items():
        if case.startswith("held"):
            check(lost == 0, f"{case}: {lost} of {blocks} blocks are said to be unreachable")
        else:
            check(lost == blocks, f"{case}: {blocks - lost} of {blocks} blocks are said to be held")


def truth_rust(directory, preload=None):
    """truth_rust.rs: Rust's containers."""
    compiler = shutil.which("rustc", path=os.environ["PATH"] + os.pathsep + os.path.expanduser("~/.cargo/bin")) \
        or skip("there is no rustc")
    os.makedirs(directory)
    program = os.path.join(directory, "truth_rust")
    built = subprocess.run([compiler, "-C", "opt-level=1", "-g", "-o", program,
                            os.path.join(os.path.dirname(os.path.abspath(__file__)), "truth_rust.rs")],
                           capture_output=True, text=True, timeout=600)
    if built.returncode:
        skip("rustc cannot build the program: " + built.stderr.strip()[-300:])
    snaps = os.path.join(directory, "snaps")
    record(snaps, [program], "--exit-snapshot", "none", env=dict(os.environ, LD_PRELOAD=preload) if preload else None)
    snapshot = Snapshot(first_of(snaps))
    needs_ptrace(snapshot)
    check_cases(snapshot, 11)


def truth_rust_jemalloc(directory):
    truth_rust(directory, find_library("libjemalloc.so*") or skip("jemalloc is not installed"))


PYTHON = """
import ctypes, gc, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
held = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(1333)))
for _ in range(12):
    libc.malloc(ctypes.c_size_t(1777))
gc.collect()
print("ready", flush=True)
sys.stdin.read()
"""


def truth_python(directory):
    """All of an interpreter by way of malloc: nothing is lost but what was planted."""
    with subprocess.Popen([options.snapdiff, "run", "-q", "-o", directory, "--exit-snapshot", "none", "--python", "off",
                           "--", sys.executable, "-c", PYTHON], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, PYTHONMALLOC="malloc")) as host:
        check(host.stdout.readline() == "ready\n", "python did not start")
        done = subprocess.run([options.snapdiff, "snap", "--holders", directory], capture_output=True, text=True,
                              timeout=600)
        host.communicate(timeout=600)
    check(done.returncode == 0, f"snapdiff snap: {done.stderr}")
    snapshot = Snapshot(done.stdout.strip())
    needs_ptrace(snapshot)
    planted = [g for g in snapshot.groups if int(g[3]) + int(g[5]) > 0 and
               (int(g[4]) + int(g[6])) == 1777 * (int(g[3]) + int(g[5]))]
    check(sum(int(g[3]) + int(g[5]) for g in planted) == 12, f"the planted leaks: {planted}")
    # Interpreters may lose something themselves; Python 3.11 does not.
    others = int(snapshot.meta["holders.unreachable_blocks"]) - 12
    check(others <= int(snapshot.meta["holders.blocks"]) // 1000, f"{others} more blocks are said to be unreachable")


def named_variables(directory):
    """The server's variables have names by its debug file, and by the cache once both files are gone."""
    tools = [shutil.which(name) or skip(f"there is no {name}") for name in ("objcopy", "strip")]
    os.makedirs(directory)
    program, debug = os.path.join(directory, "server"), os.path.join(directory, "server.debug")
    shutil.copy(os.path.join(options.bin, "holders_server"), program)
    subprocess.run([tools[0], "--only-keep-debug", program, debug], check=True)
    subprocess.run([tools[1], program], check=True)
    subprocess.run([tools[0], "--add-gnu-debuglink=" + debug, program], check=True)
    recorded = Server(os.path.join(directory, "snaps"), program=program)
    path = recorded.snap("--holders").path
    recorded.end()
    needs_ptrace(Snapshot(path))
    os.environ["XDG_CACHE_HOME"] = os.path.join(directory, "cache")
    for where in ("its debug file", "the cache"):
        for name in ("g_registry (server)", "thread-local t_cache (server) of thread"):
            rows = ask(path, f"SELECT name FROM roots WHERE name LIKE '{name}%'")
            check(rows, f"{name} has no name from {where}: {ask(path, 'SELECT name FROM roots')}")
        for file in (program, debug):
            if os.path.exists(file):
                os.remove(file)


class Server:
    """server.c under `snapdiff run`."""

    def __init__(self, directory, *run_options, program=None):
        self.process = subprocess.Popen(
            [options.snapdiff, "run", "-q", "-o", directory, *run_options, "--",
             program or os.path.join(options.bin, "holders_server")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.process.stdout.readline() == "ready\n", "the server did not start")
        self.directory = directory

    def snap(self, *snap_options):
        done = subprocess.run([options.snapdiff, "snap", *snap_options, self.directory], capture_output=True,
                              text=True, timeout=600)
        check(done.returncode == 0, f"snapdiff snap: {done.stderr}")
        return Snapshot(done.stdout.strip())

    def end(self):
        self.process.communicate(timeout=600)
        check(self.process.returncode == 0, f"the server ended with {self.process.returncode}")


def check_server(snapshot):
    check(snapshot.figures("new_session")[:7] == [100, 4800, 0, 0, 0, 0, 0], "sessions are held")
    check(snapshot.figures("new_name")[:7] == [100, 3200, 0, 0, 0, 0, 0], "names are held")
    check(snapshot.figures("new_entry")[:7] == [7, 448, 0, 0, 0, 0, 0], "entries are held")
    check(snapshot.figures("lose")[:7] == [5, 280, 5, 280, 0, 0, 0], "what is lost directly")
    check(snapshot.figures("lose_inner")[:7] == [5, 520, 0, 0, 5, 520, 0], "what is lost with it")
    ring = [i for i in range(len(snapshot.groups)) if snapshot.functions(i)[0] == "new_link"]
    totals = [sum(int(snapshot.groups[i][k]) for i in ring) for k in range(1, 8)]
    check(totals == [2, 144, 0, 0, 2, 144, 1], f"the ring: {totals}")


def server(directory):
    recorded = Server(directory)
    snapshot = recorded.snap("--holders")
    recorded.end()
    needs_ptrace(snapshot)
    check(snapshot.meta["holders"] == "reach", "what was asked for")
    check_server(snapshot)
    names, sessions = (f"g{snapshot.group_of(f)}" for f in ("new_name", "new_session"))
    edge = snapshot.edge(sessions, names)
    check(edge and edge[2:] == ["100", "100", "3200", "-", "-"], f"sessions hold names: {edge}")
    entries = f"g{snapshot.group_of('new_entry')}"
    tls = [e for e in snapshot.edges if e[1] == entries and e[0][0] == "r"
           and snapshot.roots[int(e[0][1:])][0] == "1"]
    check(len(tls) == 1 and tls[0][2:5] == ["7", "7", "448"], f"the thread's variable holds entries: {tls}")
    path = next(p for p in snapshot.paths if p[0] == names and p[1] != "-")
    steps = [s.split(":") for s in path[4:]]
    check(len(steps) >= 3 and steps[-1][0] == names and steps[-2][0] == sessions and steps[-2][3] == "8",
          f"a name hangs at offset 8 of a session: {path}")


def retained(directory):
    recorded = Server(directory)
    snapshot = recorded.snap("--holders=retained")
    recorded.end()
    needs_ptrace(snapshot)
    check(snapshot.meta["holders"] == "retained", "what was asked for")
    check_server(snapshot)
    # 10 buckets of 8 bytes; 100 sessions of 48; 100 names of 32.
    check(snapshot.figures("fill_registry")[7] == 80 + 4800 + 3200, "the table retains all")
    check(snapshot.figures("new_session")[7] == 4800 + 3200, "sessions retain their names")
    check(snapshot.figures("new_name")[7] == 3200, "names retain themselves")
    check(snapshot.figures("lose")[7] == 280 + 520, "what is lost retains what it refers to")
    table = f"g{snapshot.group_of('fill_registry')}"
    edge = next(e for e in snapshot.edges if e[1] == table and snapshot.roots[int(e[0][1:])][0] == "0")
    check(edge[5:7] == ["1", "8080"], f"g_registry dominates its table: {edge}")
    check(snapshot.roots[int(edge[0][1:])][5] == "8080", "g_registry retains everything")
    # 7 entries of 64, which nothing else holds: not what libc keeps beside the variable either.
    entries = f"g{snapshot.group_of('new_entry')}"
    tls = next(e for e in snapshot.edges if e[1] == entries and snapshot.roots[int(e[0][1:])][0] == "1")
    check(tls[5:7] == ["7", "448"], f"the thread's variable dominates its entries: {tls}")
    holding = {e[0] for e in snapshot.edges}
    check(all(f"r{i}" in holding for i in range(len(snapshot.roots))), "each root holds something")


def ask(path, sql):
    done = subprocess.run([options.snapdiff, "query", "-f", "tsv", sql, path], capture_output=True, text=True,
                          timeout=600)
    check(done.returncode == 0, f"query: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()[1:]]


def views(directory):
    recorded = Server(directory)
    snapshot = recorded.snap("--holders=retained")
    recorded.end()
    needs_ptrace(snapshot)
    path = snapshot.path
    names = ask(path, "SELECT holder, refs, blocks, bytes, dominated_bytes FROM holders WHERE function = 'new_name'"
                      " AND holder_kind = 'site'")
    check(len(names) == 1 and names[0][0].startswith("new_session ") and names[0][1:] == ["100", "100", "3200", "3200"],
          f"sessions hold names: {names}")
    table = ask(path, "SELECT h.holder, r.kind, r.symbol, r.\"offset\", r.retained_bytes FROM holders AS h JOIN roots"
                      " AS r ON r.root_id = h.holder_root_id WHERE h.function = 'fill_registry'"
                      " AND r.kind = 'global'")
    check(["g_registry (holders_server)", "global", "g_registry", "0", "8080"] in table, f"g_registry: {table}")
    tls = ask(path, "SELECT r.symbol FROM holders AS h JOIN roots AS r ON r.root_id = h.holder_root_id"
                    " WHERE h.function = 'new_entry' AND r.kind = 'thread-local'")
    check(tls == [["t_cache"]], f"the thread's variable: {tls}")
    lost = ask(path, "SELECT function, direct_blocks, direct_bytes, indirect_blocks, indirect_bytes, ring_blocks"
                     " FROM leaks WHERE function LIKE 'lose%' ORDER BY 1")
    check(lost == [["lose", "5", "280", "0", "0", "0"], ["lose_inner", "0", "0", "5", "520", "0"]], f"{lost}")


def report(*arguments, code=0):
    done = subprocess.run([options.snapdiff, *arguments, "-f", "json", "--all"], capture_output=True, text=True,
                          timeout=600)
    check(done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout else done.stderr


def plainly(*arguments):
    done = subprocess.run([options.snapdiff, *arguments], capture_output=True, text=True, timeout=600)
    check(done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def check_sums(answer, figures):
    for figure in figures:
        shown, hidden = answer["shown"][figure], answer["hidden"][figure]
        check(shown + hidden == answer["totals"][figure], f"{figure}: {shown} + {hidden} is not the total")


LOST_FIGURES = [f"{kind}_{unit}" for kind in ("unreachable", "direct", "indirect") for unit in ("bytes", "blocks")]


def leaks(directory):
    recorded = Server(directory)
    plain = recorded.snap().path
    first = recorded.snap("--holders").path
    needs_ptrace(Snapshot(first))
    second = recorded.snap("--holders").path
    recorded.end()
    answer = report("leaks", first, "--exit-code", code=1)
    rows = {row["function"]: row for row in answer["rows"]}
    figures = ("direct_blocks", "direct_bytes", "indirect_blocks", "indirect_bytes", "live_bytes")
    check([rows["lose"][f] for f in figures] == [5, 280, 0, 0, 280], f"lost directly: {rows['lose']}")
    check([rows["lose_inner"][f] for f in figures] == [0, 0, 5, 520, 520], f"lost with it: {rows['lose_inner']}")
    ring = [rows["new_link"][f] for f in ("direct_blocks", "indirect_blocks", "indirect_bytes", "ring_blocks")]
    check(ring == [0, 2, 144, 1], f"the ring: {ring}")
    check("1 ring: blocks that refer to each other" in plainly("leaks", first), "what a ring is")
    check("new_session" not in rows and "new_entry" not in rows, "what is held is no leak")
    check_sums(answer, LOST_FIGURES)
    check(report("leaks", first, "--confirm", second)["rows"] == answer["rows"], "the second snapshot confirms all")
    supp = os.path.join(directory, "known.supp")
    with open(supp, "w") as file:
        file.write("leak:lose\nleak:new_link\n")
    known = report("leaks", first, "--suppressions", supp, "--exit-code", code=1 if set(rows) - {
        "lose", "lose_inner", "new_link"} else 0)
    check(not {"lose", "lose_inner", "new_link"} & {row["function"] for row in known["rows"]}, "suppressed")
    check(known["suppressed"]["unreachable_blocks"] == 12, f"suppressed: {known['suppressed']}")
    check_sums(known, LOST_FIGURES)
    focus = report("leaks", first, "--focus", "^lose_inner$")
    check([row["function"] for row in focus["rows"]] == ["lose_inner"], "filters")
    check_sums(focus, LOST_FIGURES)
    check("--holders" in report("leaks", plain, code=2), "how to take a snapshot that says who holds what")
    check("--holders" in report("holders", "lose", plain, code=2), "the same for holders")


def holders(directory):
    recorded = Server(directory)
    path = recorded.snap("--holders=retained").path
    recorded.end()
    needs_ptrace(Snapshot(path))
    answer = report("holders", "^new_session$", path)
    check_sums(answer, ("bytes", "blocks"))
    rows = {(row["role"], row["function"]): row for row in answer["rows"]}
    check(rows["blocks", "new_session"]["retained_bytes"] == 4800 + 3200, "sessions retain their names")
    held = rows["holds", "new_name"]
    check((held["references"], held["blocks"], held["bytes"]) == (100, 100, 3200), f"names: {held}")
    check(("held by", "fill_registry") in rows, f"the table holds sessions: {list(rows)}")
    way = [step["key"] for step in rows["blocks", "new_session"]["path"]]
    check(way[0] == "g_registry (holders_server)" and way[1].startswith("fill_registry ")
          and way[-1].startswith("new_session "), f"the way: {way}")
    root = report("holders", "^g_registry ", path)["rows"]
    check([r["kind"] for r in root] == ["global", "site"] and root[0]["retained_bytes"] == 8080
          and root[1]["function"] == "fill_registry", f"g_registry: {root}")
    lost = next(r for r in report("holders", "^lose_inner$", path)["rows"] if r["role"] == "blocks")
    way = [step["key"] for step in lost["path"]]
    check(way[0] is None and way[1].startswith("lose ") and lost["unreachable_blocks"] == 5,
          f"nothing reaches what leads to it: {way}")
    report("holders", "no_such_function", path, code=2)


def run_in_sqlite(database, text):
    """The rows of every SELECT that --sql printed, run by SQLite without us."""
    answers, statement = [], ""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        for line in text.splitlines(keepends=True):
            statement += "" if not statement and line.startswith("--") else line
            if statement.strip() and sqlite3.complete_statement(statement):
                rows = connection.execute(statement)
                if rows.description:
                    answers.append([dict(row) for row in rows])
                statement = ""
    check(not statement.strip(), f"a statement is not whole: {statement[:80]}")
    return answers


def check_scopes(answer, scopes, figures):
    for row in scopes:
        part = answer["totals" if row["scope"] == "all" else "shown"]
        check([row[name] or 0 for name in figures] == [part[name] for name in figures], f"{row} is not {part}")
    check([row["scope"] for row in scopes] == ["all", "shown"], f"{scopes}")


def sql_of_leaks(source, database, words):
    answer = json.loads(plainly("leaks", *source, *words, "-f", "json"))
    *_, rows, scopes = run_in_sqlite(database, plainly("leaks", *source, *words, "--sql"))
    figures = [*LOST_FIGURES, "ring_blocks", "live_bytes", "live_blocks"]
    wanted = [[row["key"], *(row[name] for name in figures)] for row in answer["rows"]]
    check([[row["key"], *(row[name] for name in figures)] for row in rows] == wanted, f"{words}: {rows} is not {wanted}")
    check_scopes(answer, scopes, LOST_FIGURES)
    return len(wanted)


def sql_of_holders(source, database, words):
    answer = json.loads(plainly("holders", *words, *source, "-f", "json"))
    _, held_by, blocks, holds, scopes = run_in_sqlite(database, plainly("holders", *words, *source, "--sql"))
    figures = ("key", "kind", "bytes", "blocks", "references", "retained_bytes", "unreachable_blocks")
    for rows, roles in ((held_by, ("held by", "held by itself")), (blocks, ("blocks", "root")), (holds, ("holds",))):
        wanted = [[row["role"], row["of"], *map(row.get, figures)] for row in answer["rows"] if row["role"] in roles]
        found = [[row.get("role", "root" if row["bytes"] is None else "blocks"), row.get("of", row["key"]), *map(row.get, figures)]
                 for row in rows]
        check(found == wanted, f"{words}: {found} is not {wanted}")
    check_scopes(answer, scopes, ("bytes", "blocks"))
    return len(answer["rows"])


def sql(directory):
    """What --sql prints gives the report's figures in SQLite, for the rows that are shown, in their order."""
    recorded = Server(directory)
    paths = [recorded.snap("--holders=retained").path, recorded.snap("--holders").path]
    recorded.end()
    needs_ptrace(Snapshot(paths[0]))
    supp, database = os.path.join(directory, "known.supp"), os.path.join(directory, "held.db")
    with open(supp, "w") as file:
        file.write("leak:lose_inner\n")
    plainly("load", "-q", "--db", database, *paths)
    count = 0
    for at, path in enumerate(paths):
        own = os.path.join(directory, f"held{at}.db")  # one snapshot, as the report on the file has it
        plainly("load", "-q", "--db", own, path)
        for source, where in (([path], own), (["--db", database, f"@{at + 1}"], database)):
            for words in ([], ["-n", "1"], ["-g", "function"], ["-g", "module"], ["--focus", "lose"], ["--suppressions", supp],
                          ["--sort", "key", "--all"], ["--min", "200"], ["--no-skip", "-g", "stack"]):
                count += sql_of_leaks(source, where, words)
            for words in (["."], ["^new_session$"], ["lose"], ["g_"], [".", "-g", "function", "-n", "2"], [".", "-g", "module", "--all"],
                          [".", "--focus", "new_", "--all"], [".", "-g", "stack"]):
                count += sql_of_holders(source, where, words)
    check(count > 200, f"only {count} rows")
    for words in (["leaks", paths[0], "--exit-code"], ["leaks", paths[0], "-f", "csv"],
                  ["holders", ".", paths[0], "-f", "csv"]):
        done = subprocess.run([options.snapdiff, *words, "--sql"], capture_output=True, text=True, timeout=600)
        check(done.returncode == 2 and not done.stdout, f"{words}: {done.returncode}, {done.stdout[:80]}")


def top(directory):
    """Columns that are there where the snapshot has the graph."""
    recorded = Server(directory)
    plain = recorded.snap().path
    reach = recorded.snap("--holders").path
    sized = recorded.snap("--holders=retained").path
    recorded.end()
    needs_ptrace(Snapshot(sized))
    rows = {row["function"]: row for row in report("top", sized, "-g", "function")["rows"]}
    check(rows["fill_registry"]["retained_bytes"] == 80 + 4800 + 3200, f"the table: {rows['fill_registry']}")
    check(rows["new_session"]["retained_bytes"] == 4800 + 3200, f"sessions: {rows['new_session']}")
    check(rows["lose"]["retained_bytes"] == 280 + 520, f"lost: {rows['lose']}")
    lost = [rows[name]["unreachable_bytes"] for name in ("lose", "lose_inner", "new_link", "new_session")]
    check(lost == [280, 520, 144, 0], f"unreachable: {lost}")
    (program,) = [row for row in report("top", sized, "-g", "module")["rows"] if "holders_server" in row["key"]]
    check(program["retained_bytes"] == program["live_bytes"], f"one row for all counts nothing twice: {program}")
    check("retained_bytes" not in report("top", reach)["rows"][0], "sizes were not asked for")
    check("unreachable_bytes" in report("top", reach)["rows"][0], "what is lost is known")
    check("unreachable_bytes" not in report("top", plain)["rows"][0], "nobody looked")
    check("retained_bytes" not in report("top", sized, "--cumulative")["rows"][0], "rows overlap")


def growth(directory):
    """What the last snapshot's graph says of rows that grow."""
    recorded = Server(directory)
    recorded.process.stdin.write("g" * 8)
    recorded.end()
    files = sorted(glob.glob(os.path.join(directory, "*.snap")))[:8]
    needs_ptrace(Snapshot(files[-1]))
    rows = {row["function"]: row for row in report("growth", *files)["rows"]}
    for function in ("lose", "lose_inner"):
        row = rows[function]
        check((row["verdict"], row["confidence"]) == ("leak", "high"), f"{function}: {row['verdict']}")
        check(any("nothing reaches" in reason for reason in row["reasons"]), f"{function}: {row['reasons']}")
    check("held by g_registry (holders_server)" in rows["new_session"]["reasons"],
          f"new_session: {rows['new_session']['reasons']}")


def growth_words(directory):
    """Rows that are lost in part, that only a stack holds, and of which a stack has a leftover: a graph in text."""
    os.mkdir(directory)
    frames = {name: f"{name}|a.c|{line}|app\tmain|a.c|90|app" for line, name in enumerate(("read", "render", "box", "cycle"), 1)}
    files = []
    for seq in range(1, 10):
        blocks = {"read": 90 * seq, "render": 50 * seq, "box": 1, "cycle": 20 * seq}
        lines = ["#snaptext 1", f"@ seq\t{seq}", f"@ time_ns\t{1767323045000000000 + seq * 60_000_000_000}", "@ pid\t7", "@ program\tapp"]
        lines += [f"{count * 100}\t{count}\t-\t-\tmalloc\t-\t{frames[name]}" for name, count in blocks.items()]
        lost = {"read": 30 * seq, "cycle": 20 * seq - 1}
        for name, count in blocks.items():
            gone = lost.get(name, 0)
            lines.append(f"%group\t0\t{count}\t{count * 100}\t{gone}\t{gone * 100}\t0\t0\t0\t-\t\t{frames[name]}")
        lines += ["%root\t0\t0\t0x1000\t8\t0\t-\t\tg_queue\tapp", "%root\t2\t7\t0x7000\t64\t0\t-\tworker\t\t",
                  "%path\tg0\tr0\t0\t0\tg0:0x10:100:0", "%path\tg1\tr1\t0\t0\tg2:0x20:100:0\tg1:0x30:100:0",
                  "%path\tg3\tr1\t0\t0\tg3:0x40:100:0"]
        files.append(os.path.join(directory, f"{seq}.txt"))
        with open(files[-1], "w") as file:
            file.write("\n".join(lines) + "\n")
    rows = {row["function"]: row for row in report("growth", *files)["rows"]}
    told = {name: "; ".join(row["reasons"]) for name, row in rows.items()}
    check((rows["read"]["verdict"], rows["read"]["confidence"]) == ("leak", "high"), f"read: {rows['read']}")
    check("nothing reaches 270 of its 810 blocks any more" in told["read"] and "held by g_queue (app)" in told["read"], told["read"])
    check("held by box a.c:3, from the stack of thread 7" in told["render"], told["render"])
    check("nothing reaches 179 of its 180 blocks any more" in told["cycle"] and "held by" not in told["cycle"], told["cycle"])


def growth_keeper(directory):
    """Who holds most of a row counts, not a pointer left over in freed memory; parts that point back at the whole do not:
    requests are in nodes of a map on a stack, each has a body and headers, which point back; scraps are mostly lost."""
    os.mkdir(directory)
    names = ("node", "request", "body", "header", "scratch", "scrap", "rest")
    frames = {name: f"make_{name}|a.c|{line}|app\tpostpone|a.c|80|app\tmain|a.c|90|app" for line, name in enumerate(names, 1)}
    frames["scratch"] = "refill|b.c|5|app\tmain|a.c|95|app"
    files = []
    for seq in range(1, 10):
        blocks = {name: 50 * seq for name in names} | {"scratch": 1}
        lines = ["#snaptext 1", f"@ seq\t{seq}", f"@ time_ns\t{1767323045000000000 + seq * 60_000_000_000}", "@ pid\t7", "@ program\tapp"]
        lines += [f"{count * 100}\t{count}\t-\t-\tmalloc\t-\t{frames[name]}" for name, count in blocks.items()]
        lost = {"scrap": 40 * seq, "rest": 40 * seq}
        for name, count in blocks.items():
            gone = lost.get(name, 0)
            lines.append(f"%group\t0\t{count}\t{count * 100}\t{gone}\t{gone * 100}\t0\t0\t0\t-\t\t{frames[name]}")
        lines += ["%root\t2\t7\t0x7000\t64\t0\t-\tworker\t\t", "%root\t0\t0\t0x1000\t8\t0\t-\t\tg_last\tapp"]
        most = 50 * seq
        for source, target, count in (("g0", "g1", most), ("g1", "g2", most), ("g1", "g3", most), ("g3", "g1", most),
                                      ("g4", "g2", 1), ("r0", "g0", 1), ("r0", "g4", 1), ("r1", "g5", 1)):
            lines.append(f"%edge\t{source}\t{target}\t{count}\t{count}\t{count * 100}\t-\t-")
        lines += ["%path\tg0\tr0\t0\t0\tg0:0x10:100:0", "%path\tg1\tr0\t0\t0\tg0:0x10:100:0\tg1:0x20:100:0",
                  "%path\tg2\tr0\t0\t0\tg4:0x50:100:0\tg2:0x30:100:0", "%path\tg5\tr1\t0\t0\tg5:0x60:100:0"]
        files.append(os.path.join(directory, f"{seq}.txt"))
        with open(files[-1], "w") as file:
            file.write("\n".join(lines) + "\n")
    rows = {row["function"]: row for row in report("growth", "--expand", *files)["rows"]}
    told = {name: "; ".join(row["reasons"]) for name, row in rows.items()}
    map_node = "held by make_node a.c:1, from the stack of thread 7"
    for name in ("make_body", "make_header", "make_request"):
        check(map_node in told[name], f"{name}: {told[name]}")
    check("held by stack of thread 7" in told["make_node"], told["make_node"])
    check("nothing reaches 360 of its 450 blocks any more" in told["make_scrap"]
          and "the others are held by g_last (app)" in told["make_scrap"], told["make_scrap"])
    table = plainly("growth", *files)
    check(map_node in table, table)
    focused = plainly("growth", "--focus", "make_(scrap|rest)", *files)
    check("2 sites grow in step" in focused and "nothing reaches 720 of their 900 blocks any more" in " ".join(focused.split()), focused)


def compare(directory):
    """Who holds something that did not before: rows, notes for rows that are not shown, every format."""
    recorded = Server(directory)
    plain = recorded.snap().path
    old = recorded.snap("--holders=retained").path
    needs_ptrace(Snapshot(old))
    recorded.process.stdin.write("h")
    recorded.process.stdin.flush()
    check(recorded.process.stdout.readline() == "held\n", "the server did as it was told")
    new = recorded.snap("--holders=retained").path
    recorded.end()
    rows = {row["function"]: row for row in report("compare", old, new, "-g", "function")["rows"]}
    sessions = rows["new_session"]
    check(sessions["status"] == "same", f"no session is new: {sessions['status']}")
    found = {(h["key"], h["kind"], h["root"], h["blocks"], h["bytes"]) for h in sessions["new_holders"]}
    check(found == {("hold (holders_server)", "site", "g_index (holders_server)", 100, 4800),
                    ("g_newest (holders_server)", "global", None, 1, 48)}, f"who holds sessions now: {found}")
    anew = "now also held by hold (holders_server), from g_index (holders_server) and 1 more"
    check(sessions["held"] == anew, sessions["held"])
    check(rows["new_name"]["new_holders"] == [], f"names: {rows['new_name']['new_holders']}")
    # The table held sessions and names alone; now an index does, too.
    table = rows["fill_registry"]
    check((table["old_retained_bytes"], table["new_retained_bytes"], table["delta_retained_bytes"])
          == (80 + 4800 + 3200, 80, -8000), f"the table retains less: {table}")
    index = rows["hold"]
    check(index["status"] == "new" and index["old_retained_bytes"] == 0 and index["new_retained_bytes"] == 800
          and index["held"] == "held by g_index (holders_server)", f"the index: {index}")
    check((rows["lose"]["old_unreachable_bytes"], rows["lose"]["new_unreachable_bytes"]) == (280, 280), "what is lost")
    again = {row["function"]: row for row in report("compare", new, old, "-g", "function")["rows"]}
    check(all(row["new_holders"] == [] for row in again.values()), "the other way round nothing is held anew")
    for form in ("table", "markdown"):
        text = plainly("compare", old, new, "-g", "function", "-f", form)
        check(f"new_session (holders_server) is {anew}." in text.replace("\\_", "_"), f"a row that is the same and held anew: {text}")
        text = plainly("compare", old, new, "-g", "function", "-f", form, "--all")
        check("held by hold" in text.replace("\\_", "_") and ") is now also" not in text, f"its row: {text}")
    header, *lines = plainly("compare", old, new, "-g", "function", "-f", "tsv", "--all").splitlines()
    line = next(dict(zip(header.split("\t"), row.split("\t"))) for row in lines if row.startswith("new_session"))
    check(line["held"] == sessions["held"] and line["old_retained_bytes"] == "8000", f"tsv: {line}")
    check("held" not in report("compare", plain, new)["rows"][0], "the old side does not say")
    for words, side in (((plain, new), "NEW"), ((old, plain), "OLD")):
        text = plainly("compare", *words)
        check(f"Only {side} says who holds what, so holders are not compared" in text and "now also" not in text, f"one-sided: {text}")
    check("says who holds what" not in plainly("compare", old, new) + plainly("compare", plain, plain), "both sides, or none")
    check("held" not in report("compare", old, new, "--cumulative")["rows"][0], "rows overlap")
    medians = json.loads(plainly("compare", "-f", "json", "--all", old, "--", new, new))
    check("held" not in medians["rows"][0], "medians are of no moment")


def gate(directory):
    """check --max-unreachable: the rule in every format, suppressions, and snapshots that do not say."""
    recorded = Server(directory)
    plain = recorded.snap().path
    path = recorded.snap("--holders").path
    needs_ptrace(Snapshot(path))
    recorded.end()

    def judged(limit, *more, code, names=(path,)):
        arguments = ["check", "--max-unreachable", limit, "--fail-on", "none", "-f", "json", *more, *names]
        done = subprocess.run([options.snapdiff, *arguments], capture_output=True, text=True, timeout=600, cwd=directory)
        check(done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stdout} {done.stderr}")
        answer = json.loads(done.stdout) if done.stdout else {}
        return answer, next((r for r in answer.get("rules", []) if r["name"] == "max-unreachable"), None)

    # 5 lost blocks of 56 bytes that refer to 5 of 104, and a ring of two of 72: 944 bytes (see server.c).
    answer, rule = judged("943", code=1)
    check(rule["measured"] == 944 and not rule["passed"] and rule["limit"] == "943", f"the rule: {rule}")
    found = {row["function"]: (row["measured"], row["status"]) for row in answer["rows"]}
    check(found == {"lose": (280, "unreachable"), "lose_inner": (520, "unreachable"), "new_link": (144, "unreachable")},
          f"findings: {found}")
    check("nothing reaches 280 B in 5 blocks" in next(r for r in answer["rows"] if r["function"] == "lose")["message"],
          "the message")
    answer, rule = judged("944", code=0)
    check(rule["passed"] and rule["measured"] == 944 and answer["rows"] == [], f"as much as is allowed: {rule}")
    supp = os.path.join(directory, "known.supp")
    with open(supp, "w") as file:
        file.write("leak:lose_inner\n")
    answer, rule = judged("424", "--suppressions", supp, code=0)
    check(rule["measured"] == 424 and len(answer["suppressed"]) == 1, f"without what is known: {rule}")
    answer, rule = judged("0", "--suppressions", supp, code=1)
    check({row["function"] for row in answer["rows"]} == {"lose", "new_link"}, "the rest")
    answer, rule = judged("0", "--min-delta", "200", code=1)
    check({row["function"] for row in answer["rows"]} == {"lose", "lose_inner"} and rule["measured"] == 800, f"{rule}")
    answer, rule = judged("0", code=0, names=(plain,))
    check(rule["measured"] is None and any("max-unreachable" in why for why in answer["inconclusive"]),
          f"not judged: {answer['inconclusive']}")
    judged("0", "--strict", code=5, names=(plain,))
    judged("0", code=1, names=(plain, path))
    judged("+5%", code=2)
    with open(os.path.join(directory, "policy.conf"), "w") as file:
        file.write("max-unreachable = 1KiB\n")
    done = subprocess.run([options.snapdiff, "check", "--policy", "policy.conf", "--fail-on", "none", path], cwd=directory,
                          capture_output=True, text=True, timeout=600)
    check(done.returncode == 0 and "max-unreachable 1KiB: passed" in done.stdout, f"the policy file: {done.stdout}")
    for form, words in (("junit", 'name="max-unreachable"'), ("sarif", '"max-unreachable"'), ("markdown", "unreachable"),
                        ("table", "unreachable"), ("github", "unreachable"), ("gitlab", "max-unreachable")):
        done = subprocess.run([options.snapdiff, "check", "--max-unreachable", "0", "-f", form, path], cwd=directory,
                              capture_output=True, text=True, timeout=600)
        check(done.returncode == 1 and words in done.stdout, f"{form}: {done.returncode} {done.stdout} {done.stderr}")
    run_gate(directory)


def run_gate(directory):
    """--run records what the rule needs."""
    arguments = ["check", "--run", "1", "--max-unreachable", "0", "--fail-on", "none", "-f", "json", "--",
                 os.path.join(options.bin, "holders_server")]
    done = subprocess.run([options.snapdiff, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600, cwd=directory)
    check(done.returncode == 1, f"{arguments} ended with {done.returncode}: {done.stdout} {done.stderr}")
    found = {row["function"]: row["measured"] for row in json.loads(done.stdout)["rows"]}
    check(found.get("lose") == 280 and found.get("lose_inner") == 520, f"at the exit: {found}")


LSAN = re.compile(r"(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object\(s\)")


def found_by_lsan(directory, source="server", arguments=()):
    """By function: direct blocks and bytes, indirect blocks and bytes, as LeakSanitizer finds them."""
    compiler = shutil.which("cc") or skip("there is no C compiler to build with LeakSanitizer")
    program = os.path.join(directory, source)
    built = subprocess.run([compiler, "-D_GNU_SOURCE", "-O1", "-g", "-fsanitize=leak", "-pthread", "-o", program,
                            os.path.join(os.path.dirname(os.path.abspath(__file__)), source + ".c")],
                           capture_output=True, text=True, timeout=600)
    if built.returncode:
        skip("the compiler has no LeakSanitizer: " + built.stderr.strip()[-200:])
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if "LeakSanitizer has encountered a fatal error" in done.stderr:
        skip("LeakSanitizer does not work here")
    found, entry = {}, None
    for line in done.stderr.splitlines():
        leak = LSAN.search(line)
        if leak:
            entry = leak
        elif entry and line.strip().startswith("#1 "):
            sums = found.setdefault(line.split(" in ")[1].split()[0], [0, 0, 0, 0])
            at = 0 if entry.group(1) == "Direct" else 2
            sums[at] += int(entry.group(3))
            sums[at + 1] += int(entry.group(2))
            entry = None
    check(found, f"LeakSanitizer finds nothing: {done.stderr}")
    return found


def lsan_agrees(directory):
    os.makedirs(directory)
    expected = found_by_lsan(directory)
    recorded = Server(os.path.join(directory, "snaps"))
    path = recorded.snap("--holders").path
    recorded.end()
    needs_ptrace(Snapshot(path))
    found = reported(path)
    check(found == expected, f"{found}, and by LeakSanitizer {expected}")


def reported(path):
    rows = report("leaks", path, "-g", "function")["rows"]
    return {row["function"]: [row[f"{kind}_{unit}"] for kind in ("direct", "indirect") for unit in ("blocks", "bytes")]
            for row in rows}


LOST = ("list", "tree", "shared", "inner", "freed", "mapping", "coroutine", "lost_coroutine", "mapped_stack",
        "filtered")
LOST_TRUTH = {  # blocks
    "coroutine": {"list_node": 100, "kept_node": 0},
    "mapped_stack": {"list_node": 100, "kept_node": 0},
    "lost_coroutine": {"context_node": 1, "stack_node": 1, "kept_node": 1, "list_node": 0},
}


def lost(directory, scenario):
    """What lost.c loses in this way, as the report tells it."""
    snaps = os.path.join(directory, "snaps-" + scenario)
    record(snaps, [os.path.join(options.bin, "holders_lost"), scenario], "--exit-snapshot", "none")
    path = first_of(snaps)
    needs_ptrace(Snapshot(path))
    found = reported(path)
    for function, blocks in LOST_TRUTH.get(scenario, {}).items():
        figures = found.get(function, [0] * 4)
        check(figures[0] + figures[2] == blocks, f"{scenario}: {function} loses {figures}")
    return found


def lsan_programs(directory):
    """The same in ten programs; the one difference is LeakSanitizer's: what only a mapping holds is no leak."""
    os.makedirs(directory)
    for scenario in LOST:
        expected = found_by_lsan(directory, "lost", [scenario])
        if scenario == "mapping":
            check(expected.pop("kept_node", None) == [30, 30 * 88, 0, 0], f"its false leaks: {expected}")
        if scenario == "mapped_stack":
            check(expected.pop("kept_node", None) == [1, 88, 0, 0], f"its false leak: {expected}")
        found = lost(directory, scenario)
        check(found == expected, f"{scenario}: {found}, and by LeakSanitizer {expected}")


def found_by_memcheck(directory, scenario):
    """The same as found_by_lsan() has it, then the blocks of each function that are possibly lost."""
    valgrind = shutil.which("valgrind") or skip("there is no valgrind")
    xml = os.path.join(directory, scenario + ".xml")
    done = subprocess.run([valgrind, "--leak-check=full", "--show-leak-kinds=all", "--xml=yes", "--xml-file=" + xml,
                           os.path.join(options.bin, "holders_lost"), scenario],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode or not os.path.exists(xml):
        skip("valgrind cannot run the program: " + done.stderr[-200:])
    found, possible = {}, {}
    for error in ElementTree.parse(xml).getroot().iter("error"):
        names = [frame.findtext("fn", "") for frame in error.find("stack").iter("frame")]
        function = next((name for name in names if name.endswith("_node")), None)
        blocks, size = (int(error.findtext("xwhat/" + field, "0")) for field in ("leakedblocks", "leakedbytes"))
        direct = re.search(r"\(([\d,]+) direct", error.findtext("xwhat/text", ""))
        kind = error.findtext("kind")
        if kind == "Leak_StillReachable":
            continue
        if function and kind == "Leak_PossiblyLost":
            possible[function] = possible.get(function, 0) + blocks
        elif function:
            sums = found.setdefault(function, [0, 0, 0, 0])
            at = 2 if kind == "Leak_IndirectlyLost" else 0
            sums[at] += blocks
            sums[at + 1] += int(direct.group(1).replace(",", "")) if direct else size
    return found, possible


def memcheck_programs(directory):
    """Memcheck finds the same.  Blocks to whose middle a pointer leads are held; it calls them possibly lost."""
    os.makedirs(directory)
    for scenario in ("tree", "inner", "mapping", "lost_coroutine", "mapped_stack"):
        expected, possible = found_by_memcheck(directory, scenario)
        check(possible == ({"kept_node": 50} if scenario == "inner" else {}), f"{scenario}: possibly lost: {possible}")
        found = lost(directory, scenario)
        check(found == expected, f"{scenario}: {found}, and by memcheck {expected}")


def truth_reports(directory, preload=None):
    """The cases of truth() once more, as the report on leaks tells them."""
    program, plugin = os.path.join(options.bin, "holders_truth"), os.path.join(options.bin, "libholders_plugin.so")
    env = dict(os.environ, LD_PRELOAD=preload) if preload else None
    record(directory, [program, plugin], "--exit-snapshot", "none", env=env)
    path = first_of(directory)
    snapshot = Snapshot(path)
    needs_ptrace(snapshot)
    if "held_map" not in snapshot.by_case():
        skip("operator new of this allocator is not recorded: its blocks are not known")
    found = {}
    for row in report("leaks", path, "-g", "stack")["rows"]:
        case = next((f["function"].split("(")[0] for f in row["stack"]
                     if CASE.fullmatch(f["function"].split("(")[0])), None)
        if case:
            found[case] = found.get(case, 0) + row["unreachable_blocks"]
    for case, (blocks, _) in snapshot.by_case().items():
        wanted = 0 if case.startswith("held") else blocks
        check(found.get(case, 0) == wanted, f"{case}: {found.get(case, 0)} of {blocks} blocks are reported")


def truth_reports_glibc(directory):
    truth_reports(directory)


def truth_reports_jemalloc(directory):
    truth_reports(directory, find_library("libjemalloc.so*") or skip("jemalloc is not installed"))


def huge(directory):
    """A block of more than 4 GiB: its size, a pointer far behind its begin, and one that lies far behind it."""
    program = subprocess.Popen([options.snapdiff, "run", "-q", "-o", directory, "--exit-snapshot", "none", "--",
                                os.path.join(options.bin, "holders_huge")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if program.stdout.readline() != "ready\n":
        skip(f"no block of 5 GiB: exit code {program.wait()}")
    done = subprocess.run([options.snapdiff, "snap", "--holders=retained", directory], capture_output=True, text=True, timeout=900)
    program.communicate()
    check(done.returncode == 0, done.stderr)
    path = done.stdout.strip()
    needs_ptrace(Snapshot(path))
    rows = {(row["role"], row["function"] or row["key"]): row for row in report("holders", "^make_", path, "-g", "function")["rows"]}
    check(rows["blocks", "make_huge"]["bytes"] == 5 << 30, f"the huge one: {rows['blocks', 'make_huge']}")
    check(rows["held by", "g_inside (holders_huge)"]["bytes"] == 5 << 30, f"who holds it: {list(rows)}")
    small = rows["blocks", "make_small"]
    check((small["bytes"], small["unreachable_blocks"]) == (77, 1), f"the small ones: {small}")
    check(rows["holds", "make_small"]["bytes"] == 33, f"what it holds: {rows['holds', 'make_small']}")


def repeated(directory):
    """Copies of a program that runs on: the same each time."""
    recorded = Server(directory)
    recorded.process.stdin.write("x" * 10)
    recorded.end()
    files = sorted(glob.glob(os.path.join(directory, "*.snap")))
    check(len(files) >= 10, f"only {len(files)} snapshots")
    needs_ptrace(Snapshot(files[0]))
    frames = set()
    for path in files[:10]:
        snapshot = Snapshot(path)
        check_server(snapshot)
        frames |= {root[7] for root in snapshot.roots if root[0] == "2"}
    # The thread that asked waits in libsnap's system call, unless it is just reading the clock in the kernel's page; the
    # frames above it have names all the same.
    check({"main", "worker"} <= frames, f"the frames of stacks: {frames}")


def late_thread(directory):
    """A thread that does not stop in time does not hold up the snapshot, and goes on as if nothing was."""
    recorded = Server(directory, program=os.path.join(options.bin, "holders_late"))
    snapshot = recorded.snap("--holders")
    out, _ = recorded.process.communicate(timeout=600)
    check(out == "on\n" and recorded.process.returncode == 0,
          f"the program ended with {recorded.process.returncode}: {out}")
    threads = [snapshot.meta["holders.threads_" + name] for name in ("unread", "late")]
    if threads == ["2", "0"]:
        skip("ptrace is not permitted here")
    check(threads in (["1", "1"], ["2", "2"]), f"threads that were not read, and that did not stop: {threads}")


def kernel_requests(directory):
    """Only the kernel knows to what requests of io_uring refer: the report says so."""
    done = subprocess.run([options.snapdiff, "run", "-q", "-o", directory, "--exit-snapshot", "none", "--",
                           os.path.join(options.bin, "holders_ring")], capture_output=True, text=True, timeout=600)
    if done.returncode == 77:
        skip("io_uring or aio is not permitted here")
    check(done.returncode == 0, f"the program ended with {done.returncode}: {done.stderr}")
    path = first_of(directory)
    needs_ptrace(Snapshot(path))
    for words in (("leaks",), ("holders", "new_request")):
        said = subprocess.run([options.snapdiff, *words, path], capture_output=True, text=True, timeout=600)
        check(said.returncode == 0 and "the program uses 2 rings of io_uring or aio: blocks that only pending requests refer to"
              in said.stderr, f"{words}: {said.stderr}")
    lost = {row["function"]: row["unreachable_blocks"] for row in report("leaks", path)["rows"]}
    check(0 < lost.get("new_request", 0) < 40, f"a part is still in the ring: {lost}")


def resizing(directory):
    """Copies while a thread is nearly always in realloc(): what the moving block holds is held."""
    record(directory, [os.path.join(options.bin, "holders_resize")], "--exit-snapshot", "none")
    files = sorted(glob.glob(os.path.join(directory, "*.snap")))
    check(len(files) == 8, f"{len(files)} snapshots")
    judged = 0
    for path in files:
        snapshot = Snapshot(path)
        why = why_unread(snapshot)
        if not why:
            judged += 1
            elements = snapshot.figures("held_element")
            check(elements[0] == 2000 and elements[2] + elements[4] == 0, f"{path}: elements {elements}")
            lost = snapshot.meta["holders.unreachable_blocks"]
            check(lost == "0", f"{path}: {lost} blocks are unreachable, such as the one that moves")
    if not judged:
        skip(why)


def many_roots(directory):
    """With more roots than the list has room for, what stacks, threads and mappings hold is no leak."""
    record(directory, [os.path.join(options.bin, "holders_many_roots")], "--exit-snapshot", "none")
    snapshot = Snapshot(first_of(directory))
    needs_ptrace(snapshot)
    for function, blocks in {"held_key": 150000, "held_value": 150000, "held_by_stack": 10, "held_by_mapping": 10,
                             "held_by_thread": 1}.items():
        figures = snapshot.figures(function)
        check(figures[0] == blocks and figures[2] + figures[4] == 0, f"{function}: {figures}")
    check(int(snapshot.meta["holders.roots_merged"]) > 0, "that roots were merged is not said")
    for function, kind in {"held_by_stack": "2", "held_by_mapping": "5"}.items():
        group = f"g{snapshot.group_of(function)}"
        holders = [e[0] for e in snapshot.edges if e[1] == group]
        check(kind in [snapshot.roots[int(h[1:])][0] for h in holders if h[0] == "r"], f"{function}: {holders}")


def shared_heap(directory):
    """A copy changes nothing in memory that it shares with the program."""
    heap = os.path.join(options.bin, "libholders_shared_heap.so")
    done = record(directory, [os.path.join(options.bin, "holders_shared")], "--exit-snapshot", "none",
                  env=dict(os.environ, LD_PRELOAD=heap))
    check(done.stdout == "0 bytes of the heap were changed\n", done.stdout)
    snapshot = Snapshot(first_of(directory))
    needs_ptrace(snapshot)
    lost = snapshot.meta["holders.unreachable_blocks"]
    check(lost == "0", f"{lost} blocks are unreachable: the old place of two threads is one block")


def refused(directory):
    """A sample does not know all blocks: the snapshot says so, and is whole otherwise."""
    recorded = Server(directory, "--sample", "64KiB")
    snapshot = recorded.snap("--holders")
    recorded.end()
    check(snapshot.meta["holders"].startswith("failed: "), "why there are no holders")
    check(not snapshot.groups, "no graph")


def at_exit(directory):
    recorded = Server(directory, "--holders-at-exit=retained")
    plain = recorded.snap()
    check("holders" not in plain.meta, "a snapshot that was not asked for it")
    recorded.end()
    files = sorted(glob.glob(os.path.join(directory, "*.snap")))
    snapshot = Snapshot(files[-1])
    needs_ptrace(snapshot)
    check(snapshot.meta["holders"] == "retained", "the one at exit says who holds what")
    check(snapshot.figures("lose")[:6] == [5, 280, 5, 280, 0, 0], "what is lost at exit")


def main():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        globals()[options.name](os.path.join(directory, "snaps"))


if __name__ == "__main__":
    main()
