#!/usr/bin/env python3
"""By what objects are held, in words: each way of holding them that leaks are known for."""
import json
import re
import subprocess

import harness

SOURCE = (harness.PROGRAMS / "held.py").read_text().splitlines()


SHELF = (harness.PROGRAMS / "shelf.py").read_text().splitlines()


def at(text, file="held", source=SOURCE):
    """`(held.py:LINE)` in a regular expression, for the line of held.py that begins with this text."""
    found = [number for number, line in enumerate(source, 1) if line.strip().startswith(text)]
    assert len(found) == 1, (text, found)
    return rf"{file}\.py:{found[0]}\)"


WAYS = {
    "ByGlobal": rf"`history` \(module global, {at('history =')} -> list of 300 -> dict of 1",
    "ByClass": rf"`Client\.sessions` \(class attribute, {at('sessions =')} -> dict of 300",
    "ByInstance": rf"`pool\.connections` \(attribute of Pool, {at('self.connections =')} -> list of 300",
    "ByEntry": rf"`pool\.by_kind\['open'\]` \(attribute of Pool, {at('self.by_kind =')} -> list of 300",
    # The class is in another module, and inherits what it has; a class before it has the same name.
    "ByBaseClass": rf"`shelf\.rows` \(attribute of Shelf, {at('self.rows, self.count', 'shelf', SHELF)} -> list of 300",
    "ByBaseClassAttribute": rf"`Base\.covers` \(class attribute, {at('covers =', 'shelf', SHELF)} -> dict of 300",
    # The class is a library's, and a class of the program assigns the same name.
    "ByLibraryClass": rf"`notes\.data` \(attribute of WeakValueDictionary, {at('case, shelf, notes =')} -> dict of 300",
    "BySlot": rf"`slotted\.items` \(attribute of Slotted, {at('slotted.first, slotted.items =')} -> list of 300",
    "ByClosure": rf"closure of `(make_handler\.<locals>\.)?on_event` \({at('def on_event')} -> list of 300",
    "ByCache": r"`Service\.lookup` \(class attribute, held\.py\) -> lru_cache of method `Service\.lookup` -> .*",
    "ByTraceback": rf"`errors` \(module global, {at('handlers, errors')} -> list of 10 -> ValueError -> traceback -> "
                   rf".*local variable `body` of `fetch` \({at('def fetch')} -> list of 30",
    "ByThreadLocal": rf"`storage\.rows` \(thread-local, {at('storage.rows =')} -> list of 300",
    "ByLocal": rf"local variable `rows` of `take` \({at('def take')} -> list of 300",
    "ByTask": r".*coroutine `wait_for_ever` -> (local variable `batch` .* -> )?list of 30",
    "ByGenerator": rf"(`generator` \(module global, {at('generator =')}|"
                   rf"local variable `rows` of `generate` \({at('def generate')}) -> list of 300",
    "ByDeque": rf"`ring` \(module global, {at('ring,')} -> deque of 300 \(at most 300\)",
    "ByTextKey": rf"`sessions_by_name` \(module global, {at('sessions_by_name')} -> dict of 12 -> list of 20",
    "ByRecord": rf"`settings\['rows'\]` \(module global, {at('settings')} -> list of 20",
    "ByDefaultDict": rf"`by_key` \(module global, {at('ring,')} -> collections\.defaultdict of 300 -> list of 1",
    "ByCycle": r"only a cycle of objects, until a collection: ByCycle -> ByCycle",
    "ByFinalizer": r"only a cycle of objects, until a collection: ByFinalizer -> list -> ByFinalizer "
                   r"\(finalizer `ByFinalizer\.__del__`\)",
    "ByNative": r"native code, or the stack of a function",
    "ByLink": rf"`head` \(module global, {at('handlers, errors')}.*",
    "ByDefault": rf"default argument of `collect` \({at('def collect')} -> list of 300",
    "ByWeakref": rf"(closure of `(watch\.<locals>\.)?gone` \({at('def gone')}|"
                 rf"`reference` \(module global, .* -> callback of a weakref -> closure of .*) -> list of 300",
    "ByTwo": rf"`by_number` \(module global, {at('by_number,')} -> dict of 300; "
             rf"and by `by_text` \(module global, {at('by_number,')} -> dict of 300",
}


class Held(harness.PythonTest):
    def ways(self, snapshot):
        """By type: the way that holds most objects, how many, and of how many."""
        done = subprocess.run([self.snapdiff, "dump", snapshot], capture_output=True, text=True, timeout=120, check=True)
        rows = {"%group": [], "%root": [], "%edge": [], "%path": []}
        for line in done.stdout.splitlines():
            fields = line.split("\t")
            if fields[0] in rows:
                rows[fields[0]].append(fields[1:])
        self.meta = dict(line[2:].split("\t") for line in done.stdout.splitlines() if line.startswith("@ census"))
        ways = {}
        for path in rows["%path"]:
            group, root = rows["%group"][int(path[0][1:])], rows["%root"][int(path[1][1:])]
            edge = next(e for e in rows["%edge"] if e[0] == path[1])
            self.assertEqual(edge[1], path[0])
            self.assertEqual(root[0], "7")
            name = group[9].split(".")[-1]
            if group[9].startswith("__main__.") and (name not in ways or int(edge[3]) > ways[name][1]):
                ways[name] = (root[6], int(edge[3]), int(group[1]))
        return ways

    def test_ways(self):
        def check(python):
            _, snapshots = self.record(python, "held.py", options=["--exit-snapshot", "none"])
            ways = self.ways(snapshots[0])
            for name, words in WAYS.items():
                with self.subTest(name=name):
                    self.assertIn(name, ways)
                    said, held, objects = ways[name]
                    self.assertRegex(said, "^(" + words + ")$")
                    self.assertGreaterEqual(held, objects - 1)

        self.with_each_python(check)

    def test_things(self):
        """Caches, tasks, threads and the collector, as the program knows them."""
        def check(python):
            _, snapshots = self.record(python, "held.py", options=["--exit-snapshot", "none"])
            self.ways(snapshots[0])
            self.assertEqual(self.meta["census.lru_cache.1"],
                             "__main__.Service.lookup: entries 300, no limit, hits 0, misses 300")
            self.assertEqual(self.meta["census.task.1"], "10 of wait_for_ever (held.py): waiting in " + ("get" if python.minor < 11 else "Queue.get") + " (queues.py)")
            self.assertEqual(self.meta["census.task.2"], "1 of main (held.py): running")
            self.assertRegex(self.meta["census.thread.1"], r"^take \(held\.py\) < main \(held\.py\) < ")
            self.assertEqual(self.meta["census.gc.garbage"], "0")
            if python.minor < 14:
                self.assertEqual(self.meta["census.gc.enabled"], "0")
            sizes = {value for key, value in self.meta.items() if key.startswith("census.container.")}
            for size, name in (("list of 300", r"`history` \(module global, " + at("history =")),
                               ("dict of 300", r"`Client\.sessions` \(class attribute, " + at("sessions =")),
                               ("deque of 300", r"`ring` \(module global, " + at("ring,")),
                               ("list of 300", r"default argument of `collect` \(" + at("def collect"))):
                wanted = re.compile(rf"(collections\.)?{size}: {name}")
                self.assertTrue(any(wanted.fullmatch(value) for value in sizes), (name, sizes))
            self.assertGreaterEqual(int(self.meta["census.gc.collections.2"]), 1)

        self.with_each_python(check)

    def growth(self, python, kind, *options):
        _, snapshots = self.record(python, "leaks.py", kind, options=["--exit-snapshot", "none"])
        done = subprocess.run([self.snapdiff, "growth", "-f", "json", *options, snapshots[0].parent], capture_output=True,
                              text=True, timeout=120, check=True)
        return json.loads(done.stdout)["rows"]

    def test_growth_says_who_holds_it(self):
        def check(python):
            for options, wanted in (([], r"leaks\.py"), (["-g", "type"], r"^__main__\.Request$")):
                rows = [row for row in self.growth(python, "leak", *options) if row["verdict"] == "leak"]
                rows = [row for row in rows if re.search(wanted, row["key"])]
                self.assertTrue(rows)
                self.assertIn("held by `history` (module global, leaks.py:12) -> list of 1600", " ".join(rows[0]["reasons"]))

        self.with_each_python(check)

    def test_without_a_census_growth_says_how_to_record_one(self):
        def check(python):
            (self.dir / "grows.py").write_text("kept = []\nfor i in range(160): kept.append(bytes(100000))\n")
            _, snapshots = self.record(python, "grows.py", options=["--at-growth", "1MiB", "--exit-snapshot", "none"])
            done = subprocess.run([self.snapdiff, "growth", snapshots[0].parent], capture_output=True, text=True,
                                  timeout=120, check=True)
            self.assertIn(f"For types and holders: snapdiff run --census --every 1s -- {python.path} grows.py, then ",
                          done.stdout)

        self.with_each_python(check)

    def test_a_full_cache_is_no_leak(self):
        def check(python):
            rows = self.growth(python, "bounded", "-g", "type")
            grown = {row["key"] for row in rows if row["verdict"] in ("leak", "container-growth")}
            self.assertNotIn("__main__.Request", grown)
            self.assertNotIn("collections.deque", grown)

        self.with_each_python(check)


if __name__ == "__main__":
    harness.main()
