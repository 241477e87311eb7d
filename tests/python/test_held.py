#!/usr/bin/env python3
"""By what objects are held, in words: each way of holding them that leaks are known for."""
import json
import re
import subprocess

import harness

WAYS = {
    "ByGlobal": r"`history` \(module global, held\.py\) -> list of 300 -> dict of 1",
    "ByClass": r"`Client\.sessions` \(class attribute, held\.py\) -> dict of 300",
    "ByInstance": r"`pool\.connections` \(attribute of Pool, held\.py\) -> list of 300",
    "BySlot": r"`slotted\.items` \(attribute of Slotted, held\.py\) -> list of 300",
    "ByClosure": r"closure of `(make_handler\.<locals>\.)?on_event` \(held\.py\) -> list of 300",
    "ByCache": r"`Service\.lookup` \(class attribute, held\.py\) -> lru_cache of `Service\.lookup` -> .*",
    "ByTraceback": r"`errors` \(module global, held\.py\) -> list of 10 -> ValueError -> traceback -> .*"
                   r"local variable `body` of `fetch` \(held\.py\) -> list of 30",
    "ByThreadLocal": r"`storage\.rows` \(thread-local, held\.py\) -> list of 300",
    "ByLocal": r"local variable `rows` of `take` \(held\.py\) -> list of 300",
    "ByTask": r".*coroutine `wait_for_ever` -> (local variable `batch` .* -> )?list of 30",
    "ByGenerator": r"(`generator` \(module global, held\.py\)|local variable `rows` of `generate` \(held\.py\)) -> list of 300",
    "ByDeque": r"`ring` \(module global, held\.py\) -> deque of 300",
    "ByDefaultDict": r"`by_key` \(module global, held\.py\) -> collections\.defaultdict of 300 -> list of 1",
    "ByCycle": r"only a cycle of objects, until a collection",
    "ByNative": r"native code, or the stack of a function",
    "ByLink": r"`head` \(module global, held\.py\).*",
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
            self.assertEqual(self.meta["census.task.1"], "10 of wait_for_ever (held.py)")
            self.assertEqual(self.meta["census.task.2"], "1 of main (held.py)")
            self.assertRegex(self.meta["census.thread.1"], r"^take \(held\.py\) < main \(held\.py\) < ")
            self.assertEqual(self.meta["census.gc.garbage"], "0")
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
                self.assertIn("held by `history` (module global, leaks.py) -> list of 1600", " ".join(rows[0]["reasons"]))

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
