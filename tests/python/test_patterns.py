#!/usr/bin/env python3
"""Known ways to leak: growth names the line, by what its objects are held, and the kind of leak; and what is no leak."""
import json
import re
import subprocess

import harness

SOURCE = (harness.PROGRAMS / "patterns.py").read_text().splitlines()


def marked(kind):
    """The line that allocates most of what stays."""
    return next(number for number, line in enumerate(SOURCE, 1) if line.endswith("# <- " + kind))


def at(text):
    """`patterns.py:LINE)` in a regular expression, for the line that begins with this text."""
    found = [number for number, line in enumerate(SOURCE, 1) if line.strip().startswith(text)]
    assert len(found) == 1, (text, found)
    return rf"patterns\.py:{found[0]}\)"


GLOBAL = r"module global, "
# By kind: the pattern, words of the diagnosis, type, holder.
LEAKS = {
    "global_container": ("global-container", r"global container: `history` keeps what is put into it", "dict",
                         rf"`history` \({GLOBAL}{at('history =')} -> list of 100"),
    "unbounded_cache": ("unbounded-cache", r"unbounded cache: `cache` has an entry for each key", "str",
                        rf"`cache` \({GLOBAL}{at('cache =')} -> dict of 100"),
    "compiled_patterns": ("global-container", r"global container: `compiled` keeps what is put into it", r"re\.Pattern",
                          rf"`compiled` \({GLOBAL}{at('compiled =')} -> dict of 100(; and by `_cache2?` .*)?"),
    "class_attribute": ("class-container", r"container of a class: `Client\.sessions` keeps", "bytearray",
                        rf"`Client\.sessions` \(class attribute, {at('sessions =')} -> dict of 100"),
    "object_attribute": ("object-container", r"container of an object that stays: `pool\.connections` keeps", "bytearray",
                         rf"`pool\.connections` \(attribute of Pool, {at('self.connections =')} -> list of 100"),
    "texts_as_keys": ("global-container", r"global container: `visitors` keeps what is put into it", "str",
                      rf"`visitors` \({GLOBAL}{at('visitors =')} -> dict of 100"),
    "one_for_each_name": ("class-container", r"container of a class: `OneForEachName\.tenants` keeps", "bytearray",
                          rf"`OneForEachName\.tenants` \(class attribute, {at('tenants =')} -> dict of 100 -> KeptTenant"),
    "default_argument": ("default-argument", r"default argument that is changed: `collect` keeps", "bytearray",
                         rf"default argument of `collect` \({at('def collect')} -> list of 100"),
    "closure": ("closure-container", r"container of a closure: `(make_counter\.<locals>\.)?count` keeps", "bytes",
                rf"closure of `(make_counter\.<locals>\.)?count` \({at('def count')} -> set of 100"),
    "thread_local": ("thread-container", r"container of a thread: `storage\.rows` keeps", "bytearray",
                     rf"`storage\.rows` \(thread-local, {at('storage.rows =')} -> list of 100"),
    "lru_cache_on_method": ("lru-cache-on-method",
                            r"lru_cache on a method: the cache of `Service\.lookup` keeps each `self`", "bytearray",
                            r"`Service\.lookup` \(class attribute, patterns\.py\) -> lru_cache of method `Service\.lookup` "
                            r"-> .*Service.*"),
    "lru_cache_without_limit": ("unbounded-cache", r"unbounded cache: the lru_cache of `square` keeps every result",
                                "bytearray", r"`square` \(module global, patterns\.py\) -> lru_cache of `square`.*"),
    "cache_with_a_huge_limit": ("filling-cache", r"cache that fills: the lru_cache of `fourth` has 100 of 1,000,000,000 "
                                r"entries; full, it would take about \d+\.\d GiB", "bytearray",
                                r"`fourth` \(module global, patterns\.py\) -> lru_cache of `fourth`.*"),
    "cache_that_grows_inside": ("unbounded-cache", r"unbounded cache: the lru_cache of `rows_of` keeps", "str",
                                r"`rows_of` \(module global, patterns\.py\) -> lru_cache of `rows_of` -> list of 3[34]"),
    "places_with_chains": ("global-container", r"global container: `slots` keeps what is put into it", "bytearray",
                           rf"`slots` \({GLOBAL}{at('slots =')} -> list of 10 -> Link( -> Link)*( -> \.\.\.)?"),
    "places_that_get_longer": ("global-container", r"global container: `visitors_by_seat` keeps what is put into it", "bytearray",
                               rf"`visitors_by_seat` \({GLOBAL}{at('visitors_by_seat =')} -> list of 300 -> Visitor"),
    "callbacks": ("callbacks", r"callbacks that are never unregistered: `bus\.handlers` keeps functions", "bytearray",
                  rf"`bus\.handlers` \(attribute of Bus, {at('self.handlers =')} -> list of 100 -> closure of "
                  r"`(subscribe\.<locals>\.)?on_event`"),
    "weak_callback": ("weak-callback", r"callback of a weak reference: what it closes over stays", "bytearray",
                      rf"`references` \({GLOBAL}{at('watched, references =')} -> list of 100 -> callback of a weakref -> "
                      r"closure of `(watch\.<locals>\.)?gone`"),
    "never_finished": ("tasks", r"tasks that never finish: 100 of wait_for_reply \(patterns\.py\): waiting in "
                       r"(Queue\.)?get \(queues\.py\); the oldest for 9 snapshots", "bytearray",
                       rf"`tasks` \({GLOBAL}{at('loop, tasks =')} -> set of 100 -> _asyncio\.Task -> "
                       r"coroutine `wait_for_reply`.*"),
    "never_awaited": ("tasks", r"coroutines that are never awaited: 100 of fetch_later \(patterns\.py\): never awaited; "
                      r"the oldest for 9 snapshots", "bytearray|coroutine|frame",  # up to 3.10 a frame is an object
                      rf"`forgotten` \({GLOBAL}{at('forgotten =')} -> list of 100.*"),
    "threads": ("threads", r"threads that never end: 21 run, and there were 3; see `wait_in_a_thread`", "bytearray",
                rf"local variable `body` of `wait_in_a_thread` \({at('def wait_in_a_thread')}"),
    "exceptions": ("exceptions", r"exceptions that are kept: each has its traceback", "bytearray",
                   rf"`errors` \({GLOBAL}{at('errors =')} -> list of 100 -> ValueError -> traceback -> .*"
                   rf"local variable `body` of `fetch` \({at('def fetch(')}"),
    "failures_of_an_executor": ("exceptions", r"exceptions that are kept: each has its traceback", "KeyError|tuple|int",
                                rf"`failures` \({GLOBAL}{at('failures =')} -> list of 100( -> KeyError)?"),
    "finalizers": ("finalizers", r"finalizers that do not run: the objects that `weakref\.finalize` watches stay", "bytearray",
                   r"`finalize\._registry` \(class attribute, weakref\.py.*\) -> dict of 10\d -> _Info -> tuple of 1"),
    "functions_at_exit": ("callbacks", r"functions that native code keeps, as atexit does", "bytearray",
                          # up to 3.9 the module has them, since then the interpreter, from 3.14 on in a list
                          rf"(native code, or the stack of a function( -> list of 100 -> tuple of 3)?|`atexit` \({GLOBAL}patterns\.py(:\d+)?\) -> native code of the "
                          r"module `atexit`) -> closure of `(functions_at_exit\.<locals>\.)?<lambda>`"),
    "timers": ("threads", r"threads that never end: 21 run, and there were 3; see `(Timer\.)?run`", "bytearray",
               r"local variable `self\.args\[0\]` of `(Timer\.)?run` \(threading\.py:\d+\)"),
    "never_due": ("callbacks", r"callbacks that are never unregistered: `loop\._scheduled` keeps functions", "bytearray",
                   rf"`loop\._scheduled` \(attribute of _UnixSelectorEventLoop, {at('loop, tasks =')} -> list of 100 -> "
                   r"TimerHandle -> tuple of 1"),
    "warnings_that_differ": ("global-container", r"warnings whose texts differ each time: `__warningregistry__`", "tuple|str",
                             rf"`__warningregistry__` \({GLOBAL}patterns\.py\) -> dict of 101( -> tuple of 3)?"),
    "handler_before_it": ("callbacks", r"handler of SIGUSR1: it refers to more and more, as to the handler before it", "bytearray",
                          r"handler of SIGUSR1 -> closure of `(handler_before_it\.<locals>\.)?handle`"),
    "context_variable": ("context-variable", r"context variable that is only added to: `trail` keeps", "bytearray",
                         r"`trail` \(context variable\) -> tuple of 2"),
    "weak_keys": ("weak-keys", r"weak keys that stay: `visits\.data` keeps each value as long as its key lives", "bytearray",
                  rf"`visits\.data` \(attribute of WeakKeyDictionary, {at('visits = weakref')} -> dict of 100 -> Session"),
    "modules_made": ("modules", r"modules that are made again and again: `sys\.modules` keeps each name", "bytearray",
                     rf"`modules` \({GLOBAL}sys\) -> dict of \d+ -> module"),
    "temporary_folders": ("global-container", r"global container: `folders` keeps", r"tempfile\.TemporaryDirectory|str",
                          rf"`folders` \({GLOBAL}{at('folders =')} -> list of 100( -> TemporaryDirectory)?"),
    "records_of_a_log": ("object-container", r"container of an object that stays: `log\.handlers\[0\]\.buffer` keeps",
                         r"logging\.LogRecord|str|dict",
                         rf"`log\.handlers\[0\]\.buffer` \(attribute of MemoryHandler, {at('log = None')} -> list of 100"
                         r"( -> LogRecord)?"),
    "backlog_of_an_executor": ("queue", r"queue that is filled faster than it is emptied: `pool_of_one\._work_queue`", "str",
                               rf"`pool_of_one\._work_queue` \(attribute of ThreadPoolExecutor, {at('pool_of_one, gate =')}"
                               # from 3.14 on, an item has a tuple with the function and its arguments
                               r" -> _queue\.SimpleQueue( -> list of 99)? -> _WorkItem( -> tuple of 3)? -> tuple of 1"),
    "code_objects": ("global-container", r"global container: `rules` keeps", "code|bytes|str",
                     rf"`rules` \({GLOBAL}{at('rules =')} -> dict of 100( -> code)?"),
    "written_text": ("growing-buffer", "text that gets longer: `written`", r"str|_io\.StringIO",
                     rf"`written` \({GLOBAL}{at('written =')}( -> _io\.StringIO( -> list of 100)?)?"),
    "queue_without_consumer": ("queue", r"queue that is filled faster than it is emptied: `jobs\.queue`", "bytearray",
                               r"`jobs\.queue` \(attribute of Queue, .*\) -> deque of 100"),
    "text": ("growing-buffer", "text that gets longer: `log_text`", "str", rf"`log_text` \({GLOBAL}{at('log_text =')}"),
    "buffer": ("growing-buffer", "buffer that gets longer: `stream`", r"_io\.BytesIO|bytes",
               rf"`stream` \({GLOBAL}{at('stream =')}( -> _io\.BytesIO)?"),
    "chain": ("chain", "chain that gets longer: `head` leads from one Link to the next", "bytearray",
              rf"`head` \({GLOBAL}{at('head = None')} -> Link -> Link"),
    "opaque_object": ("growing-object", "object that keeps more and more: `document`", r"str|xml\.etree\.ElementTree\.Element",
                      rf"`document` \({GLOBAL}{at('document =')}( -> xml\.etree\.ElementTree\.Element)?"),
    "memo_of_a_pickler": ("growing-object", "object that keeps more and more: `pickler`", "str",
                          rf"`pickler` \({GLOBAL}{at('pickler =')}( -> _pickle\.Pickler)?"),
    "contexts_of_decimal": ("global-container", "global container: `contexts` keeps what is put into it",
                            r"dict|decimal\.Context|.*SignalDict",
                            rf"`contexts` \({GLOBAL}{at('contexts =')} -> dict of 100( -> decimal\.Context)?"),
    "linked_dicts": ("growing-object|chain", r"(object that keeps more and more|chain that gets longer): "
                     r"`event_before(\['before'\]){0,3}`", "str|dict",
                     rf"`event_before(\['before'\]){{0,3}}` \({GLOBAL}{at('event_before = None')}( -> dict)*"),
    "made_names": ("namespace", r"names that are added to a module: `result_\d+` is one of them", "bytearray",
                   rf"`result_\d+` \({GLOBAL}patterns\.py\)"),
    "cycle": ("cycle", r"cycle of objects, and the collector is switched off", "bytearray",
              r"only a cycle of objects, until a collection: Node -> Node -> Node"),
    "extension_free": ("extension-free", r"native memory that no Python object leads to: an extension forgot to free it, "
                       r"or keeps it for itself", None, None),
    "extension_decref": ("extension-decref", r"reference too many: no object that the interpreter knows refers to them",
                         None, None),
    "extension_decref_of_a_container": ("extension-decref", r"reference too many: native code forgot a Py_DECREF, or keeps "
                                        r"them", "list", r"native code, or the stack of a function( -> list of 300)?"),
    "texts_in_a_native_table": ("growing-object", "object that keeps more and more: `short_texts`", "str",
                                rf"`short_texts` \({GLOBAL}{at('short_texts =')}"),
    "native_memory_in_a_dict": ("native-memory", r"native memory behind objects: each zlib\.Compress has some",
                                r"zlib\.Compress", rf"`digests` \({GLOBAL}{at('digests =')} -> dict of 100"),
    "kept_cursors": ("native-memory", r"native memory behind objects: each sqlite3\.Cursor has some", r"sqlite3\.Cursor",
                     rf"`cursors` \({GLOBAL}{at('cursors =')} -> list of 100(; and by .*)?"),
    "native_memory": ("native-memory", r"native memory behind objects: each sqlite3\.Connection has some",
                      r"sqlite3\.Connection", rf"`connections` \({GLOBAL}{at('connections =')} -> list of 100"),
}
OLDEST = {"compiled_patterns": 11}  # before, the module re holds the text by a way of its own
LONG = ("weak-keys", "modules")  # patterns that only the long test takes
CONTAINERS = {"text": 9, "buffer": 9, "written_text": 12}  # since that version their bytes grow, not their blocks
# What fills, and what is said of it.
FILLS = {
    "lru_cache": r"the lru_cache of `cube` has 100 of 5,000 entries; full, it takes about \d+\.\d MiB",
    "cached_property": r"100 of the 300 items that `articles` leads to have one; full, it takes about \d+\.\d KiB",
    "deque": r"`newest` has 100 of 2,000 entries; full, it takes about \d\.\d MiB",
    "statements": r"a connection of sqlite3 has 100 of 1(00|28) entries; full, it takes about \d+\.\d KiB",
    "re": r"the cache of the module re has (200|\d+) of (512|256) entries; full, it takes about \d+\.\d KiB",
}
CLEAN = ("bounded_deque", "replaced_table", "flushed_batch", "weak_values", "finished_tasks", "tuples_for_reuse",
         "cycles_that_wait")
KINDS_WITHOUT_GROWTH = {
    "big_load": "No leak: a big load was released: the peak of the heap was ",
    "bounded_cache": "No leak: the lru_cache of `page` is full (8 entries, its limit)",
}


class Patterns(harness.PythonTest):
    def growth(self, snapshots, *options):
        done = subprocess.run([self.snapdiff, "growth", *options, snapshots[0].parent], capture_output=True, text=True,
                              timeout=120, check=True)
        return done.stdout

    def check_leak(self, python, kind):
        if python.minor < OLDEST.get(kind, 0):
            self.skipTest("3.%d and later" % OLDEST[kind])
        name, words, held_type, holder = LEAKS[kind]
        _, snapshots = self.record(python, "patterns.py", kind, options=["--exit-snapshot", "none"])
        report = json.loads(self.growth(snapshots, "-f", "json"))
        row = report["rows"][0]
        self.assertTrue(row["file"].endswith("patterns.py"), row["key"])
        self.assertEqual(row["line"], marked(kind), report["rows"][:2])
        self.assertEqual((row["verdict"], row["confidence"]),
                         ("container-growth" if python.minor >= CONTAINERS.get(kind, 99) else "leak", "high"))
        self.assertRegex(row["pattern"], f"^({name})$", row["held_by"])
        self.assertRegex("\n".join(row["reasons"]), "(?m)^" + words)
        if holder is None:
            self.assertIsNone(row["held_by"])
        else:
            self.assertRegex(row["held_by"], f"^({holder})$")
            self.assertRegex(row["held_type"], f"^({held_type})$")
            self.assertTrue(row["reasons"][-1].endswith("held by " + row["held_by"]), row["reasons"])
        self.assertRegex(report["finding"], rf"patterns\.py:{marked(kind)}\b")

    def each_kind(self, kinds, check):
        """Each kind with every Python; in the short test with one of them, in turn: each takes seconds."""
        for i, kind in enumerate(kinds):
            for python in self.in_turn(i):
                with self.subTest(kind=kind, python=f"{python.version} {python.path}"):
                    check(python, kind)

    def test_leaks(self):
        """The short test takes the first kind of most patterns."""
        first = {pattern[0]: kind for kind, pattern in reversed(LEAKS.items()) if pattern[0] not in LONG}
        self.each_kind([kind for kind in LEAKS if not harness.is_short() or kind in first.values()], self.check_leak)

    def test_caches_that_fill(self):
        """What has a limit is no leak while it fills; what the program keeps as well is one."""
        def check(python):
            _, snapshots = self.record(python, "patterns.py", "caches_that_fill", options=["--exit-snapshot", "none"])
            report = json.loads(self.growth(snapshots, "-f", "json"))
            row = report["rows"][0]
            self.assertEqual((row["line"], row["verdict"], row["confidence"]), (marked("caches_that_fill"), "leak", "high"))
            self.assertRegex(row["held_by"], rf"`kept` \({GLOBAL}{at('kept =')} -> list of 100")
            rows = {row["line"]: row for row in report["rows"]}
            for kind, words in FILLS.items():
                row = rows[marked("fills: " + kind)]
                if kind == "statements" and python.minor < 11:  # the census does not know the limit
                    self.assertEqual((row["verdict"], row["confidence"]), ("leak", "low"), row)
                    self.assertRegex("\n".join(row["reasons"]), r"(?m)^not sure: it may be a cache that fills: a connection "
                                                                r"of sqlite3 keeps up to 128 statements$")
                    continue
                self.assertEqual((row["verdict"], row["pattern"]), ("warm-up", "filling-cache"), row)
                self.assertRegex("\n".join(row["reasons"]), "(?m)^no leak: cache that fills: %s$" % words)

        self.with_each_python(check)

    def test_caches_that_may_fill(self):
        """Without a census, functions of the standard library show that it is not sure."""
        def check(python):
            _, snapshots = self.record(python, "patterns.py", "caches_that_fill", options=["--exit-snapshot", "none"],
                                       env={"WITHOUT_CENSUS": "1"})
            rows = {row["line"]: row for row in json.loads(self.growth(snapshots, "-f", "json"))["rows"]}
            row = rows[marked("fills: re")]
            self.assertEqual((row["verdict"], row["confidence"]), ("leak", "low"), row)
            self.assertRegex(row["reasons"][0], r"^not sure: it may be a cache that fills: the module re keeps up to 512 "
                                                r"compiled patterns; a census tells \(--census\)$")
            self.assertEqual(rows[marked("fills: deque")]["confidence"], "high")

        self.with_each_python(check)

    def test_memory_that_is_not_searched_is_said(self):
        """Then nobody knows whether a reference is too many; a chance word may also look like a holder."""
        def check(python, kind):
            _, snapshots = self.record(python, "patterns.py", kind, options=["--exit-snapshot", "none"])
            row = json.loads(self.growth(snapshots, "-f", "json"))["rows"][0]
            self.assertEqual((row["line"], row["verdict"], row["confidence"]), (marked(kind), "leak", "high"))
            self.assertIn(row["pattern"], ("unsearched-objects", None))
            dumped = subprocess.run([self.snapdiff, "dump", snapshots[-1]], capture_output=True, text=True, timeout=120,
                                    check=False).stdout
            self.assertRegex(dumped, r"(?m)^@ census\.unsearched_objects\t[1-9]")

        self.each_kind(["too_much_to_search"], check)

    def test_mapped_memory(self):
        """With --mmap it is recorded at the line that maps it."""
        def check(python):
            _, snapshots = self.record(python, "patterns.py", "mapped_memory", options=["--exit-snapshot", "none", "--mmap"])
            row = json.loads(self.growth(snapshots, "-f", "json"))["rows"][0]
            self.assertEqual((row["line"], row["verdict"], row["confidence"]), (marked("mapped_memory"), "leak", "high"))
            self.assertGreaterEqual(row["last_bytes"], 100 << 16)
            self.assertEqual((row["pattern"], row["held_type"]), ("native-memory", "mmap.mmap"))
            self.assertRegex(row["held_by"], rf"^`maps` \({GLOBAL}{at('maps =')} -> list of 100$")

        self.with_each_python(check)

    def test_exact_number_of_objects(self):
        """"exactly 10 dict per snapshot": counted by type."""
        def check(python):
            _, snapshots = self.record(python, "patterns.py", "global_container", options=["--exit-snapshot", "none"])
            text = self.growth(snapshots)
            self.assertRegex(text.splitlines()[0], rf"patterns\.py:{marked('global_container')}\b")
            text = " ".join(text.split())
            self.assertRegex(text, LEAKS["global_container"][1])
            self.assertRegex(text, rf"exactly 10 dict per snapshot, held by `history` \({GLOBAL}{at('history =')}")
            self.assertRegex(text, rf"Grew: `history` \({GLOBAL}{at('history =')}, a list, from (fewer than 16|10) to 100 entries")

        self.with_each_python(check)

    def test_no_leak(self):
        def check(python, kind):
            _, snapshots = self.record(python, "patterns.py", kind, options=["--exit-snapshot", "none"])
            text = self.growth(snapshots)
            self.assertRegex(text.splitlines()[0], "^No leak found in 10 snapshots")
            self.assertIn(KINDS_WITHOUT_GROWTH[kind], " ".join(text.split()))

        self.each_kind(KINDS_WITHOUT_GROWTH, check)

    def test_clean(self):
        def check(python, kind):
            _, snapshots = self.record(python, "patterns.py", kind, options=["--exit-snapshot", "none"])
            # The interpreter keeps up to 255 objects of a type for reuse: no more is known after 100.
            self.assertRegex(self.growth(snapshots).splitlines()[0], "^No leak (found|is sure) in 10 snapshots")

        self.each_kind(CLEAN, check)

    def test_names_that_the_interpreter_keeps_are_no_leak(self):
        def check(python):
            if python.minor < 10:
                self.skipTest("3.10 and later")
            _, snapshots = self.record(python, "patterns.py", "names_looked_up", options=["--exit-snapshot", "none"])
            rows = json.loads(self.growth(snapshots, "-f", "json", "--all"))["rows"]
            row = next(row for row in rows if row["line"] == marked("names_looked_up"))
            self.assertGreaterEqual(row["last_blocks"], 50)
            self.assertEqual(row["verdict"], "warm-up", row)
            self.assertRegex("\n".join(row["reasons"]), r"(?m)^no leak: \d+ of its blocks are freed objects or names that the interp")

        self.with_each_python(check)

    def test_other_interpreter(self):
        """A census sees the main interpreter's objects: of another's no missing DECREF is said."""
        def check(python):
            _, snapshots = self.record(python, "interpreters.py", options=["--exit-snapshot", "none"])
            row = json.loads(self.growth(snapshots, "-f", "json"))["rows"][0]
            self.assertEqual((row["function"], row["line"]), ("handle", 6))
            self.assertRegex(row["file"], "^<(string|script)>$")  # script: from 3.14 on
            self.assertEqual((row["verdict"], row["confidence"], row["pattern"]), ("leak", "high", "other-interpreter"))

        self.with_each_python(check)

    def test_in_a_database(self):
        """What snapshots say of holders and types they also say once they are loaded."""
        def check(python):
            _, snapshots = self.record(python, "patterns.py", "global_container", options=["--exit-snapshot", "none"])
            database = str(snapshots[0].parent / "history.db")
            subprocess.run([self.snapdiff, "load", snapshots[0].parent, "--db", database], capture_output=True,
                           timeout=120, check=True)
            files = json.loads(self.growth(snapshots, "-f", "json"))
            done = subprocess.run([self.snapdiff, "growth", "-f", "json", "--db", database], capture_output=True, text=True,
                                  timeout=120, check=True)
            loaded = json.loads(done.stdout)
            for key in ("key", "verdict", "pattern", "held_type", "held_by", "reasons"):
                self.assertEqual(loaded["rows"][0][key], files["rows"][0][key], key)
            self.check_types(snapshots, database)

        self.with_each_python(check)

    def report(self, *arguments):
        done = subprocess.run([self.snapdiff, *arguments], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    def check_types(self, snapshots, database):
        """Reports by type are the same; which of the call stacks that hold equally much is shown may differ."""
        def rows(*arguments):
            report = json.loads(self.report(*arguments, "-g", "type", "--all", "-f", "json"))
            for row in report["rows"]:
                stack = row.pop("stack")
                if row["function"] == "dict":
                    row["stack"] = [(frame["function"], frame["file"], frame["line"]) for frame in stack]
                row.pop("next", None)
            return report["rows"], report.get("totals")

        first, last = map(str, (snapshots[0], snapshots[-1]))
        self.assertEqual(rows("top", "--db", database, "@-1"), rows("top", last))
        self.assertEqual(rows("compare", "--db", database, "@1", "@-1"), rows("compare", first, last))
        self.assertEqual(rows("growth", "--db", database), rows("growth", str(snapshots[0].parent)))
        types = dict(line.split(",") for line in self.report(
            "query", "--db", database, "-f", "csv", "SELECT type, count FROM types WHERE snapshot_id = "
            "(SELECT max(snapshot_id) FROM snapshots)").splitlines())
        counts = {row["key"]: str(row["live_blocks"]) for row in rows("top", last)[0]}
        self.assertGreater(int(types["dict"]), 100)
        self.assertEqual({key: count for key, count in types.items() if key in counts}, counts)


if __name__ == "__main__":
    harness.main()
