#!/usr/bin/env python3
"""What `snapdiff check` promises, promise by promise, on snapshots that are written here and on programs that are compiled here.

usage: bullets.py SNAPDIFF
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

SNAPDIFF = os.path.abspath(sys.argv[1])
KIB, MIB = 1024, 1024 * 1024

# Five sites of two modules; `sites` overrides bytes, None leaves one out.
SITES = {"parse": 100 * KIB, "decode": 200 * KIB, "index": 300 * KIB, "cache": 400 * KIB, "log": 50 * KIB}
MODULE = {"decode": "libcodec.so.2", "cache": "libcodec.so.2"}


def text(sites=None, seq=1, **meta):
    """The text form of a snapshot."""
    held = {**SITES, **(sites or {})}
    lines = ["#snaptext 1", f"@ seq\t{seq}", f"@ time_ns\t{1767323045123456789 + seq * 60_000_000_000}", "@ program\tserver",
             "@ pid\t7", *[f"@ {key.replace('__', '.')}\t{value}" for key, value in meta.items()]]
    for name, size in held.items():
        if size is not None:
            lines.append(f"{size}\t1\t{size}\t1\tmalloc\t-\t{name}|src/{name}.c|10|{MODULE.get(name, 'server')}\tmain|src/main.c|5|server")
    return "\n".join(lines) + "\n"


class Check(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="snapdiff bullets-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("SNAP_", "GITHUB_", "CI_", "GITLAB"))}

    def write(self, name, content):
        (self.place / name).write_text(content)
        return name

    def run_check(self, *arguments, **more):
        return subprocess.run([SNAPDIFF, "check", *arguments], cwd=self.place, env={**self.env, **more}, capture_output=True, text=True,
                              check=False, timeout=600)

    def report(self, *arguments, status=None):
        done = self.run_check("-f", "json", *arguments)
        self.assertIn(done.returncode, (0, 1, 5) if status is None else (status,), done.stdout + done.stderr)
        return json.loads(done.stdout)

    def failed_rules(self, *arguments):
        return {rule["name"] for rule in self.report(*arguments)["rules"] if not rule["passed"]}


class Policy(Check):
    # key: (a value that fails, a value that passes), on the sides below
    COMPARED = {"max-total": ("+1%", "+50%"), "max-site": ("+64KiB", "+1MiB"), "max-new-sites": ("0", "1"), "max-peak": ("+10%", "+60%"),
                "max-rss": ("64MiB", "128MiB")}
    SERIES = {"max-growth": ("1MiB/h", "1GiB/h"), "fail-on": ("container-growth:medium", "leak:high"), "max-never-freed": ("1KiB", "1GiB")}

    def sides(self):
        old = self.write("old.txt", text(metrics__rss=80 * MIB, **{"metrics__heap.peak_bytes": 2 * MIB}))
        new = self.write("new.txt", text({"parse": 200 * KIB, "fresh": 90 * KIB}, 2, metrics__rss=100 * MIB,
                                         **{"metrics__heap.peak_bytes": 3 * MIB}))
        return new, "--baseline", old

    def series(self):
        for number in range(10):
            kind = {"trigger": "exit"} if number == 9 else {}
            self.write(f"s{number}.txt", text({"parse": (100 + 30 * number) * KIB}, number + 1, **kind))
        return [f"s{number}.txt" for number in range(10)]

    def held_against(self, table, inputs):
        for key, (bad, good) in table.items():
            for value, fails in ((bad, True), (good, False)):
                with self.subTest(key=key, value=value):
                    quiet = [] if key in ("fail-on", "max-growth") else ["--fail-on", "none"]
                    by_option = self.report(*inputs, *quiet, f"--{key}", value)
                    self.write("gate.conf", f"{key} = {value}\n" + ("fail-on = none\n" if quiet else ""))
                    by_file = self.report(*inputs, "--policy", "gate.conf")
                    self.assertEqual((by_option.pop("policy"), by_file.pop("policy")), (None, "gate.conf"))
                    self.assertEqual(by_option, by_file)
                    self.assertEqual([rule["passed"] for rule in by_option["rules"] if rule["name"] == key], [not fails], by_option["rules"])

    def test_every_key_of_a_file_is_an_option(self):
        self.held_against(self.COMPARED, self.sides())
        self.held_against(self.SERIES, self.series())

    def test_the_other_keys(self):
        inputs = self.sides()
        self.write("gate.conf", "max-site = +1KiB\nmin-delta = 95KiB\n")
        self.assertEqual([row["function"] for row in self.report(*inputs, "--policy", "gate.conf")["rows"]], ["parse"])
        self.write("known", "leak:^parse$\n")
        self.write("gate.conf", "max-site = +95KiB\nsuppressions = known\n")
        report = self.report(*inputs, "--policy", "gate.conf", status=0)
        self.assertEqual([row["function"] for row in report["suppressed"]], ["parse"])
        self.write("gate.conf", "max-site = +1KiB\nrequire-confirm = 2\nstrict = true\n")
        self.report(*inputs, "--policy", "gate.conf", status=5)

    def test_the_file_in_the_working_directory_and_options_over_it(self):
        inputs = self.sides()
        self.write("snapdiff.conf", "max-site = +1KiB\n")
        self.assertEqual(self.failed_rules(*inputs), {"max-site"})
        self.assertEqual(self.failed_rules(*inputs, "--max-site", "+1MiB"), set())

    def test_rules_for_modules_functions_and_files(self):
        inputs = self.sides()
        self.write("changed.txt", text({"decode": 210 * KIB, "index": 310 * KIB}, 2))
        for scope, fails in (("module = libcodec*", True), ("module = server", True), ("module = other*", False), ("function = dec*", True),
                             ("function = cache", False), ("file = src/index.c", True), ("module = libcodec*\nfunction = index", False)):
            with self.subTest(scope=scope):
                self.write("gate.conf", f"max-site = +1MiB\n[rule part]\n{scope}\nmax-site = +0\n")
                failed = self.failed_rules("changed.txt", *inputs[1:], "--policy", "gate.conf")
                self.assertEqual(failed, {"part: max-site"} if fails else set())

    def test_what_is_compared_and_how_may_stand_in_the_file(self):
        new, _, old = self.sides()
        moved = self.write("moved.txt", text({"parse": 200 * KIB}, 2).replace("|src/parse.c|10|", "|src/parse.c|90|"))
        for lines, options in ((f"baseline = {old}", ["--baseline", old]), (f"baseline = {old}\nbaseline = {new}", ["--baseline", old, "--baseline", new]),
                               (f"baseline = {old}\nmatch = exact", ["--baseline", old, "--match", "exact"]),
                               (f"baseline = {old}\ngroup = module", ["--baseline", old, "-g", "module"]),
                               (f"baseline = {old}\nlibrary = parse\nlibrary = fresh", ["--baseline", old, "--library", "parse", "--library", "fresh"]),
                               (f"baseline = {old}\nlibrary = *\nown = main", ["--baseline", old, "--library", "*", "--own", "main"])):
            with self.subTest(lines=lines):
                self.write("gate.conf", "max-site = +1KiB\nmax-new-sites = 0\n" + lines + "\n")
                by_file = self.report(moved, "--policy", "gate.conf")
                by_option = self.report(moved, *options, "--max-site", "+1KiB", "--max-new-sites", "0")
                self.assertEqual((by_file.pop("policy"), by_option.pop("policy")), ("gate.conf", None))
                self.assertEqual(by_file, by_option)
                self.assertTrue(by_file["compared"] if "compared" in by_file else by_file["inputs"])
        self.write("gate.conf", f"baseline = {old}\nmatch = exact\ngroup = module\nmax-new-sites = 0\n")
        self.assertEqual(self.report(moved, "--policy", "gate.conf", "--match", "fuzzy", "-g", "line", status=0)["rows"], [], "options win")
        for line in ("match = nearly", "group = town"):
            self.write("gate.conf", line + "\n")
            done = self.run_check(new, "--policy", "gate.conf")
            self.assertEqual((done.returncode, "gate.conf, line 1: " in done.stderr), (2, True), done.stderr)

    def test_a_rule_that_means_no_site_is_not_judged(self):
        inputs = self.sides()
        top = "max-site = +1GiB\nfail-on = none\n"
        codec = "[rule codec]\nmodule = libcodec*\nmax-site = +1MiB\n"
        self.write("gate.conf", top + "[rule typo]\nmodule = libcodex*\nmax-site = 0\n" + codec)
        for sides in (inputs, inputs[:1]):
            done = self.run_check(*sides, "--policy", "gate.conf")
            self.assertRegex(done.stdout, r"not judged: rule typo: it means none of the [56] sites")
            self.assertNotIn("rule codec: it means", done.stdout)
            self.assertIn("typo: max-site 0: not judged", done.stdout)
        self.assertEqual(self.run_check(*inputs, "--policy", "gate.conf").returncode, 0)
        self.assertEqual(self.run_check(*inputs, "--policy", "gate.conf", "--strict").returncode, 5)
        self.write("gate.conf", top + codec)
        self.assertEqual(self.run_check(*inputs, "--policy", "gate.conf", "--strict").returncode, 0)

    def test_no_limit_of_a_rule_that_means_no_site_is_judged(self):
        inputs = self.sides()
        self.write("gate.conf", "max-site = +1GiB\nfail-on = none\n[rule typo]\nmodule = libcodex*\nmax-site = 0\nmax-total = 0\n"
                   "max-new-sites = 0\n")
        names = {f"typo: max-{limit}" for limit in ("site", "total", "new-sites")}
        for sides in (inputs, inputs[:1]):
            rules = {rule["name"]: rule["measured"] for rule in self.report(*sides, "--policy", "gate.conf", status=0)["rules"]}
            self.assertEqual({name for name in rules if name.startswith("typo")}, names)
            self.assertEqual({rules[name] for name in names}, {None})
            suite = ElementTree.fromstring(self.run_check(*sides, "--policy", "gate.conf", "-f", "junit").stdout.encode())
            cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
            self.assertEqual({name: cases[name] for name in names}, {name: ["skipped"] for name in names})
            self.assertGreaterEqual(int(suite.find("testsuite").get("skipped")), 3)

    def test_an_increase_without_a_baseline_says_what_it_lacks(self):
        new, _, _ = self.sides()
        said = self.run_check(new, "--max-peak", "+10%").stdout
        self.assertIn("max-peak: an increase of the peak of recorded memory needs --baseline", said)
        self.assertNotIn("not known of the baseline", said)
        self.assertEqual(self.run_check(new, "--max-peak", "+10%", "--strict").returncode, 5)

    def test_what_is_wrong_in_a_file_is_said_to_be_there(self):
        inputs = self.sides()
        for line, words in (("max-site = lots", "gate.conf, line 1: --max-site wants"), ("fail-on = leek", "gate.conf, line 1: --fail-on wants"),
                            ("strict = true\n\nmax-rss = much", "gate.conf, line 3: --max-rss wants"),
                            ("strict = yes", "gate.conf, line 1: strict is true or false"), ("max-sites = 1", "gate.conf, line 1: there is no key"),
                            ("[rule x]\nfile = a\nmax-total = 5%%", "gate.conf, line 3: max-total wants"),
                            ("[rule x]\nmax-total = 5%", "gate.conf, rule x: it names no module")):
            self.write("gate.conf", line + "\n")
            done = self.run_check(*inputs, "--policy", "gate.conf")
            self.assertEqual((done.returncode, words in done.stderr), (2, True), (line, done.stderr))

    def test_without_a_baseline_levels_hold_and_increases_are_not_judged(self):
        new = self.sides()[0]
        report = self.report(new, "--max-total", "1MiB", "--max-site", "350KiB", status=1)
        self.assertEqual({row["rule"]: row["function"] for row in report["rows"]}, {"max-total": None, "max-site": "cache"})
        self.assertEqual([row["measured"] for row in report["rows"]],
                         [sum(SITES.values()) + 190 * KIB, SITES["cache"]])
        for limit in (("--max-total", "+1%"), ("--max-site", "+1KiB"), ("--max-new-sites", "0"), ("--max-rss", "+1%")):
            self.report(new, *limit, "--strict", status=5)


class Suppressions(Check):
    def test_a_rule_that_is_exceeded_says_so(self):
        self.write("known", "leak:^cache$ max=64KiB\n")
        done = self.run_check(self.write("new.txt", text()), "--max-site", "350KiB", "--suppressions", "known")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("known, line 1: leak:^cache$ suppresses up to 64.0 KiB, and 400.0 KiB was found", done.stderr + done.stdout)
        self.assertNotIn("matched nothing", done.stderr + done.stdout)


    def test_each_file_has_its_own_name_and_lines(self):
        self.write("first", "# nothing here\nleak:^cache$\n")
        self.write("second", "leak:^parse$ expires=2020-01-31\nleak:nowhere\n")
        done = self.run_check(self.write("new.txt", text()), "--max-site", "350KiB", "--suppressions", "first", "--suppressions", "second")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("second, line 1: leak:^parse$ expired on 2020-01-31", done.stderr)
        self.assertIn("second, line 2: leak:nowhere matched nothing", done.stderr)
        self.write("second", "leak:^parse$\nrace:x\n")
        done = self.run_check("new.txt", "--suppressions", "first", "--suppressions", "second")
        self.assertEqual((done.returncode, "second, line 2: " in done.stderr), (2, True), done.stderr)

    def test_quiet_says_what_was_not_counted(self):
        self.write("known", "leak:^cache$\n")
        new = self.write("new.txt", text())
        self.assertIn("suppressed 1 by leak:^cache$", self.run_check("-q", new, "--max-site", "350KiB", "--suppressions", "known").stdout)
        self.assertIn("not counted, below --min-delta: cache ",
                      self.run_check("-q", new, "--max-site", "350KiB", "--min-delta", "1MiB").stdout)
        self.assertIn("not judged: ", self.run_check("-q", new, "--max-total", "+1%").stdout)


class Noise(Check):
    def side(self, name, values):
        return [self.write(f"{name}{i}.txt", text({"parse": value * KIB}, i + 1, pid=100 + i)) for i, value in enumerate(values)]

    def judged(self, old, new, *limits):
        old, new = self.side("old", old), self.side("new", new)
        return self.report(*new, *[word for name in old for word in ("--baseline", name)], "--fail-on", "none", *limits)

    def test_runs_that_overlap_are_noise_and_what_all_have_more_is_a_finding(self):
        limits = ("--max-site", "+64KiB", "--max-total", "+64KiB")
        self.assertTrue(self.judged([100, 300, 120], [290, 200, 310], *limits)["passed"])
        self.assertTrue(self.judged([100, 150, 120], [300, 200, 310], *limits)["passed"], "the least is 50 KiB above the most")
        report = self.judged([100, 150, 120], [300, 220, 310], *limits)
        self.assertEqual({rule["name"]: rule["passed"] for rule in report["rules"]},
                         {"max-total": False, "max-site": False})

    def test_confirmation_takes_so_many_repeats(self):
        limits = ("--max-site", "+64KiB", "--max-total", "+1%", "--require-confirm", "3")
        report = self.judged([100], [400, 410], *limits)
        self.assertTrue(report["passed"] and "--require-confirm 3: only 2 snapshots" in report["inconclusive"][0])
        self.assertFalse(self.judged([100], [400, 410, 420], *limits)["passed"])
        self.assertTrue(self.judged([100], [400, 90, 420], *limits)["passed"], "one of the repeats did not grow")

    def test_a_written_baseline_says_how_far_its_runs_differ(self):
        tight = ("--max-site", "+0", "--max-total", "+0", "--max-new-sites", "0", "--max-peak", "+0")
        peaks = {"metrics__heap.peak_bytes": 2 * MIB}
        runs = [self.write(f"run{i}.txt", text({"parse": size * KIB, "late": late}, i + 1, pid=100 + i,
                                                **{"metrics__heap.peak_bytes": 2 * MIB + size * KIB}))
                for i, (size, late) in enumerate(((100, None), (140, 8000), (120, None)))]
        self.assertEqual(self.run_check("--write-baseline", "base.txt", *runs).returncode, 0)
        lines = (self.place / "base.txt").read_text().splitlines()
        rows = {line.split("\t")[6].split("|")[0]: line.split("\t")[0] for line in lines if line[0] in "0123456789"}
        # the median, and half of what lies between the least and the most, up to two digits
        self.assertEqual((rows["parse"], rows["late"], rows["index"]), (f"{120 * KIB}~21000", "0~4000", str(300 * KIB)))
        for size, late, peak, failed in ((100, None, 100, set()), (200, 15000, 200, set()), (260, None, 100, {"max-site", "max-total"}),
                                         (120, 30000, 100, {"max-site"}), (120, None, 400, {"max-peak"})):
            with self.subTest(size=size, late=late, peak=peak):
                new = self.write("new.txt", text({"parse": size * KIB, "late": late}, 9, **{"metrics__heap.peak_bytes": 2 * MIB + peak * KIB}))
                self.assertEqual(self.failed_rules(new, "--baseline", "base.txt", *tight), failed)
        new = self.write("new.txt", text({"parse": 200 * KIB}, 9, **peaks))
        self.run_check("--write-baseline", "one.txt", runs[2])
        self.assertNotIn("~", (self.place / "one.txt").read_text())
        self.assertEqual(self.failed_rules(new, "--baseline", "one.txt", *tight), {"max-site", "max-total"})

    def test_a_baseline_with_a_broken_error_is_refused(self):
        new = self.sides_of_one()
        for broken in ("1024~", "1024~-3", "1024~x", "~5", "1024~5~6", "1024~99999999999999999999"):
            with self.subTest(broken=broken):
                self.write("old.txt", text().replace(f"{100 * KIB}\t", f"{broken}\t", 1))
                self.assertEqual(self.run_check(new, "--baseline", "old.txt").returncode, 3)

    def sides_of_one(self):
        return self.write("new.txt", text({}, 2))


class Recorded(Check):
    """Of real programs."""

    SOURCE = """#include <stdlib.h>
#include <string.h>
static char *make_row(size_t size) { char *row = malloc(size); return memset(row, 1, size); }
void load(int rows) { for (int i = 0; i < rows; i++) make_row(1000); }
int main(int argc, char **argv) { load(atoi(argv[1])); return argc == 0; }
"""

    def compile(self, name, source, *flags):
        if not shutil.which("cc"):
            self.skipTest("no C compiler")
        self.write("rows.c", source)
        subprocess.run(["cc", "-g", "-fno-builtin", "-fno-inline", *flags, "rows.c", "-o", name], cwd=self.place, check=True)

    def test_fingerprints_stay_over_rebuilds_and_moved_lines(self):
        self.compile("app", self.SOURCE, "-O1")
        first = self.report("--run", "6", "--", "./app", "50", status=1)
        self.compile("app", "\n\n/* moved */\n" * 5 + self.SOURCE.replace("void load", "\n\nvoid load"), "-O1", "-fPIE", "-pie")
        second = self.report("--run", "6", "--", "./app", "60", status=1)
        prints = [[(row["function"], row["fingerprint"]) for row in report["rows"]] for report in (first, second)]
        self.assertEqual(prints[0], prints[1])
        self.assertEqual([function for function, _ in prints[0]], ["make_row"])
        self.assertNotEqual(first["rows"][0]["line"], second["rows"][0]["line"])

    def test_the_difference_of_two_baselines_reads_like_the_finding(self):
        self.compile("app", self.SOURCE, "-O1")
        for name, rows in (("old.txt", "10"), ("again.txt", "10"), ("new.txt", "90")):
            self.assertEqual(self.run_check("--run", "3", "--write-baseline", name, "--", "./app", rows).returncode, 0)
        old, again, new = ((self.place / name).read_text().splitlines() for name in ("old.txt", "again.txt", "new.txt"))
        self.assertEqual(old, again)
        changed = [(a, b) for a, b in zip(old, new) if a != b and not a.startswith("@ ")]
        self.assertEqual(len(changed), 1, changed)
        self.assertTrue(changed[0][0].startswith("10000\t10\t") and changed[0][1].startswith("90000\t90\t"), changed)
        self.assertIn("\tmake_row|", changed[0][1])
        (finding,) = self.report("new.txt", "--baseline", "old.txt", status=1)["rows"]
        self.assertEqual((finding["function"], finding["measured"]), ("make_row", 80000))

    def test_recording_options_are_those_of_run(self):
        self.compile("app", self.SOURCE, "-O1")
        given = {"sample": "4096", "depth": "1", "exit-snapshot": "early", "every": "10s", "at-peak": "1GiB", "at-growth": "1GiB"}
        self.report("--run", "2", "--keep", "kept", *[f"--{name}={value}" for name, value in given.items()], "--no-follow",
                    "--python=off", "--", "./app", "500")
        for path in (self.place / "kept").glob("*.snap"):
            dump = subprocess.run([SNAPDIFF, "dump", "-q", path], capture_output=True, text=True, check=True).stdout.splitlines()
            self.assertIn("@ sample_period\t4096", dump)
            rows = [line.split("\t") for line in dump if line[0] in "0123456789"]
            self.assertTrue(rows and all(row[-1].startswith("[depth limit]") for row in rows), rows)
        for option in ("--sample=4096", "--depth=3", "--mmap", "--no-follow", "--python=off", "--exit-snapshot=early", "--every=1s"):
            self.assertEqual(self.run_check("kept", option).returncode, 2, option)
        self.assertEqual(self.run_check("--run", "1", "--mmap", "--sample=4096", "--", "./app", "1").returncode, 2)
        self.report("--run", "1", "--mmap", "--", "./app", "1")

    def test_a_directory_of_repeated_runs_is_compared_run_by_run(self):
        self.compile("app", self.SOURCE, "-O1")
        record = [SNAPDIFF, "run", "-q", "--repeat", "3", "-o"]
        # Of the shell and of what it starts, the one that leaves most is meant.
        subprocess.run([*record, "main", "--", "/bin/sh", "-c", "./app 10; exit 0"], cwd=self.place, env=self.env, check=True, timeout=600)
        done = self.run_check("--run", "3", "--baseline", "main", "-f", "json", "--", "./app", "90")
        report = json.loads(done.stdout)
        self.assertEqual([(row["function"], row["measured"]) for row in report["rows"] if row["rule"] == "max-site"], [("make_row", 80000)])
        self.assertEqual(len([given for given in report["compared"] if given["command"] == "./app 10"]), 3, report["compared"])

    POOL = """#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static char *make_row(size_t size) { char *row = malloc(size); return memset(row, 1, size); }
int main(int argc, char **argv) {
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			for (int row = 0; row < (i + 1) * atoi(argv[1]); row++)
				make_row(1000);
			exit(0);
		}
	while (wait(NULL) > 0)
		;
	return argc == 0;
}
"""

    def test_a_pool_of_processes_is_judged(self):
        self.compile("pool", self.POOL, "-O1")
        self.assertEqual(self.run_check("--run", "3", "--write-baseline", "base.txt", "--", "./pool", "1").returncode, 0)
        self.assertEqual(self.report("--run", "3", "--baseline", "base.txt", "--", "./pool", "1", status=0)["rows"], [])
        report = self.report("--run", "3", "--keep", "kept", "--baseline", "base.txt", "--max-total", "+1KiB", "--max-site", "+64KiB", "--", "./pool", "90", status=1)
        rows = {row["rule"]: (row["function"], row["measured"]) for row in report["rows"]}
        self.assertEqual(rows, {"max-total": (None, 356000), "max-site": ("make_row", 356000)}, "the worker with the most: 4 KB, 360 KB")
        # Without a baseline: what every run leaves is a leak.
        report = self.report("--run", "6", "--", "./pool", "90", status=1)
        self.assertEqual([(row["rule"], row["function"]) for row in report["rows"]], [("fail-on", "make_row")])
        self.assertIn("A run has several processes of pool", self.run_check("kept", "--baseline", "base.txt").stdout)
        os.makedirs(self.place / "once")
        subprocess.run([SNAPDIFF, "run", "-q", "-o", "once", "--", "./pool", "90"], cwd=self.place, env=self.env, check=True, timeout=600)
        # Not recorded by repeats: the processes are no series, and are compared all the same.
        report = self.report("once", "--baseline", "base.txt", "--strict", status=1)
        self.assertEqual([(row["rule"], row["measured"]) for row in report["rows"]], [("max-site", 356000)])
        self.assertTrue(any(line.startswith("growth: ") for line in report["inconclusive"]), report["inconclusive"])
        for form in ("once", "one run"):
            inputs = ["once"] if form == "once" else ["--run", "1", "--", "./pool", "90"]
            report = self.report("--max-never-freed", "100KiB", "--max-site", "1MiB", *inputs, status=1)
            self.assertEqual([(row["rule"], row["measured"]) for row in report["rows"]], [("max-never-freed", 360000)], form)
            self.report("--max-never-freed", "1MiB", "--max-site", "100KiB", "--strict", *inputs, status=1)
            self.report("--max-never-freed", "1MiB", "--max-site", "1MiB", "--strict", *inputs, status=5)
            report = self.report("--max-never-freed", "1MiB", "--max-growth", "1MiB/h", *inputs, status=0)
            self.assertIn(("max-growth", None), [(rule["name"], rule["measured"]) for rule in report["rules"]], "no series has no rate")
        with open(max((self.place / "kept").glob("*.snap")), "r+b") as file:
            file.seek(200)
            file.write(b"\0\xff" * 40)
        self.assertEqual(self.run_check("kept", "--baseline", "base.txt").returncode, 3, "a damaged file never passes")

    def test_recorded_snapshots_are_kept_in_a_directory_without_others(self):
        self.assertEqual(self.run_check("--run", "2", "--keep", "kept", "--", "/bin/true").returncode, 0)
        again = self.run_check("--run", "2", "--keep", "kept", "--", "/bin/true")
        self.assertEqual(again.returncode, 2)
        self.assertIn("kept has snapshots already", again.stderr)

    def test_few_runs_are_inconclusive(self):
        self.compile("app", self.SOURCE, "-O1")
        report = self.report("--run", "3", "--strict", "--", "./app", "50", status=5)
        self.assertTrue(report["passed"] and "too few snapshots" in report["inconclusive"][0])

    def test_a_failing_command_and_a_broken_input_are_no_finding(self):
        self.assertEqual(self.run_check("--run", "2", "--", "/bin/false").returncode, 4)
        self.write("bad.snap", "rubbish")
        self.assertEqual(self.run_check("bad.snap").returncode, 3)
        os.makedirs(self.place / "some")
        subprocess.run([SNAPDIFF, "run", "-q", "-o", self.place / "some", "--repeat", "2", "--", "/bin/true"], check=True, env=self.env, timeout=600)
        with open(next((self.place / "some").glob("*.snap")), "r+b") as file:
            file.seek(200)
            file.write(b"\0\xff" * 40)
        self.assertEqual(self.run_check("some").returncode, 3)


class NoWork(Check):
    """A program that did nothing has shown nothing."""

    def series(self, allocations):
        """Nine snapshots; between two of them so many blocks are allocated, and freed."""
        rows = text().replace(f"{100 * KIB}\t1\t{100 * KIB}\t1\t", f"{100 * KIB}\t1\t{{0}}\t{{1}}\t", 1)
        names = []
        for number in range(9):
            done = 1 + number * allocations
            body = rows.format(done * 100 * KIB, done).replace("@ seq\t1\n", f"@ seq\t{number + 1}\n")
            names.append(self.write(f"work{number}.txt", body.replace("@ time_ns\t1767", f"@ time_ns\t{1767 + number}")))
        return names

    def test_a_series_without_times_does_not_pass_a_limit_on_its_rate(self):
        where = self.place / "timeless"
        where.mkdir()
        for number in range(12):
            held = (100 + 100 * number) * 1000
            (where / f"p{number:02}.txt").write_text(
                f"#snaptext 1\n@ seq\t{number + 1}\n@ pid\t7\n@ program\tserver\n"
                f"{held}\t{held // 1000}\t{held}\t{held // 1000}\tmalloc\t-\tgrow|src/grow.c|3|server\tmain|src/main.c|5|server\n")
        self.assertEqual([row["rule"] for row in self.report("timeless", status=1)["rows"]], ["fail-on"])
        done = self.run_check("timeless", "--max-growth", "1MiB/h")
        self.assertEqual(done.returncode, 2, "a leak that was not judged does not pass: " + done.stdout)
        self.assertIn("does not rise", done.stderr)

    def test_a_leak_that_is_not_sure_enough_is_said(self):
        held, names = 1000, []
        for number, more in enumerate((0, 1, 2, 0, 1, 1, 0, 2, 1, 0, 1, 2, 0, 1, 1, 0, 2, 1, 0, 1)):
            held += more
            body = text({"parse": None}, number + 1)
            names.append(self.write(f"slow{number:02}.txt", body + f"{held * 100000}\t{held}\t{held * 100000}\t{held}\tmalloc\t-\tgrow|src/grow.c|3|server\n"
                                    f"100\t1\t{10**6 * (number + 1)}\t{10**4 * (number + 1)}\tmalloc\t-\twork|src/work.c|3|server\n"))
        for limit, code in (("leak:low", 1), ("leak:medium", 0)):
            done = self.run_check(*names, "--fail-on", limit)
            self.assertEqual(done.returncode, code, done.stdout)
            self.assertEqual("growth: 1 site may leak, but not surely enough for --fail-on" in done.stdout, code == 0, done.stdout)

    def test_an_idle_series_is_inconclusive(self):
        for allocations, idle in ((0, True), (15, True), (16, False), (10000, False)):
            with self.subTest(allocations=allocations):
                report = self.report(*self.series(allocations), "--strict", status=5 if idle else 0)
                self.assertTrue(report["passed"])
                self.assertEqual(any("did no work" in line for line in report["inconclusive"]), idle, report["inconclusive"])

    def test_a_few_large_blocks_are_work(self):
        names = []
        for number in range(9):
            done = 1 + number
            body = text({"parse": None}, number + 1) + (f"{done * MIB}\t{done}\t{done * MIB}\t{done}\tmalloc\t-\tgrow|src/grow.c|3|server\t"
                                                       "main|src/main.c|5|server\n")
            names.append(self.write(f"large{number}.txt", body))
        report = self.report(*names, "--strict", "--fail-on", "none", status=0)
        self.assertEqual(report["inconclusive"], [])

    def test_a_helper_that_lived_for_four_snapshots_leaves_nothing_open(self):
        helper = [self.write(f"helper{i}.txt", text({"parse": 100 * i * KIB}, i).replace("@ pid\t7", "@ pid\t8")
                             .replace("@ program\tserver", "@ program\thelper")) for i in range(1, 5)]
        self.report(*self.series(10000), *helper, "--strict", status=0)
        done = self.run_check(*self.series(10000), *helper, "--strict")
        self.assertIn("1 site of processes that lived for fewer than 5 snapshots is left out", done.stdout)
        self.report(*helper, "--strict", status=5)

    def test_runs_that_allocate_nothing_are_inconclusive(self):
        report = self.report("--run", "5", "--strict", "--", "/bin/true", status=5)
        self.assertIn("growth: the runs allocated nothing", report["inconclusive"])

    def test_a_new_side_that_did_less_is_inconclusive_and_one_that_did_more_is_not(self):
        nothing, little, much = (self.write(name, text({"parse": 100 * KIB}, 1, pid=pid) +
                                   f"0\t0\t{count * 10}\t{count}\tmalloc\t-\tspin|src/spin.c|1|server\n")
                        for name, pid, count in (("nothing.txt", 3, 20), ("little.txt", 1, 1000), ("much.txt", 2, 9000)))
        self.report(nothing, "--baseline", much, "--strict", status=5)
        report = self.report(little, "--baseline", much, "--strict", status=5)
        self.assertTrue(report["passed"] and "NEW did less work" in report["inconclusive"][0], report)
        self.report(much, "--baseline", little, "--strict", status=0)


class Output(Check):
    def test_a_level_has_no_sign_and_an_increase_has_one(self):
        old, new = self.write("old.txt", text()), self.write("new.txt", text({"parse": 200 * KIB}, 2))
        table = self.run_check(new, "--baseline", old, "--max-site", "390KiB", "--max-total", "+1KiB").stdout
        self.assertRegex(table, r"max-total +grew +\+100\.0 KiB +\+1KiB ")
        self.assertRegex(table, r"max-site +above +400\.0 KiB +390KiB +cache ")
        self.assertIn("400.0 KiB", self.run_check(new, "--max-site", "390KiB").stdout)
        self.assertNotIn("+400.0 KiB", self.run_check(new, "--max-site", "390KiB").stdout)

    def test_two_lines_of_one_function_are_two_findings(self):
        def side(name, lines):
            rows = "".join(f"{size}\t1\t{size}\t1\tmalloc\t-\tload|src/load.c|{line}|server\tmain|src/main.c|5|server\n"
                           for line, size in lines)
            return self.write(name, text() + rows)

        prints = []
        # The lines move, and which of them holds more changes, too.
        for lines in (((10, 2 * MIB), (20, MIB), (30, 3 * MIB)), ((17, MIB), (27, 3 * MIB), (37, 2 * MIB))):
            old, new = side("old.txt", [(line, 100) for line, _ in lines]), side("new.txt", lines)
            report = self.report(new, "--baseline", old, "-f", "json", status=1)
            prints.append([print_ for _, print_ in sorted((row["line"], row["fingerprint"]) for row in report["rows"])])
        self.assertEqual(len(set(prints[0])), 3, "a service takes equal fingerprints for one finding")
        self.assertEqual(prints[0], prints[1])

    def test_what_was_not_judged_is_in_the_formats_of_ci_systems(self):
        new = self.write("new.txt", text())
        self.write("known", "leak:^cache$\n")
        limits = (new, "--max-site", "350KiB", "--max-total", "+1%", "--suppressions", "known", "--strict")
        done = self.run_check(*limits, "-f", "github")
        self.assertEqual(done.returncode, 5)
        self.assertRegex(done.stdout, r"\A::warning title=snapdiff::not judged: .*there is no baseline|baseline.*\n\Z")
        done = self.run_check(*limits, "-f", "junit")
        (output,) = ElementTree.fromstring(done.stdout).iter("system-out")
        self.assertIn("suppressed 1 by leak:^cache$", output.text)
        self.assertIn("not judged: max-total", output.text)

    def test_mistakes_are_said_before_anything_is_recorded(self):
        for wrong in (("--also", "junit"), ("--also", "=x.xml"), ("--also", "junit="), ("--also", "pdf=x.pdf"), ("--fail-on", "")):
            done = self.run_check("--run", "1", *wrong, "--", "/bin/sh", "-c", "touch ran")
            self.assertEqual((done.returncode, (self.place / "ran").exists()), (2, False), (wrong, done.stderr))

    def test_names_of_any_length_stay_within_what_services_take(self):
        for letter in ("A", "<", "&", "@", "\\|", "`", "\u20ac", "\u0301", "\U0001f600"):
            with self.subTest(letter=letter):
                new = self.write("long.txt", text({f"{i}{letter * 20000}": 300 * KIB for i in range(40)}, 2))
                old = self.write("old.txt", text())
                self.write("known", "".join(f"leak:^{i}{letter[-1] * 50}\n" for i in range(10)))
                summary = self.place / "summary.md"
                summary.unlink(missing_ok=True)
                done = self.run_check(new, "--baseline", old, "--suppressions", "known", "--min-delta", "1KiB", GITHUB_ACTIONS="true",
                                      GITHUB_STEP_SUMMARY=str(summary))
                self.assertEqual(done.returncode, 1, done.stderr)
                page = summary.read_text()
                self.assertLess(len(page), 65536, "what GitHub takes as a comment")
                self.assertIn("more rows are not shown here", page)
                for line in (line for line in done.stdout.splitlines() if line.startswith("::error")):
                    self.assertLess(len(line), 4096 + 3 * 1000)
                for form, most in (("gitlab", 40 * 6000), ("sarif", 40 * 10000), ("junit", 40 * 8000)):
                    self.assertLess(len(self.run_check(new, "--baseline", old, "-f", form).stdout), most, form)

    def test_sarif_says_what_it_does_not_hold(self):
        many = self.write("many.txt", text({f"site_{i}": 100 * KIB for i in range(25010)}, 2))
        (run,) = json.loads(self.run_check(many, "--baseline", self.write("old.txt", text()), "-f", "sarif").stdout)["runs"]
        self.assertEqual(len(run["results"]), 25000, "what GitHub takes of one run")
        told = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
        self.assertEqual(told, ["10 more findings are not in this file"])
        (run,) = json.loads(self.run_check(self.write("new.txt", text()), "--max-total", "+1%", "-f", "sarif").stdout)["runs"]
        told = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
        self.assertTrue(any(line.startswith("not judged: max-total") for line in told), told)

    def test_annotations_do_not_stand_in_data(self):
        new = self.write("new.txt", text())
        for form in ("json", "csv", "sarif"):
            done = self.run_check(new, "--max-site", "350KiB", "-f", form, GITHUB_ACTIONS="true")
            self.assertEqual((done.returncode, done.stdout.count("::error"), done.stderr.count("::error")), (1, 0, 1), done)
        done = self.run_check(new, "--max-site", "350KiB", "-f", "json", "-o", "out.json", GITHUB_ACTIONS="true")
        self.assertEqual((done.returncode, done.stdout.count("::error")), (1, 1), done)
        done = self.run_check(new, "--max-site", "350KiB", "-f", "github", GITHUB_ACTIONS="true")
        self.assertEqual((done.stdout + done.stderr).count("::error"), 1, "not twice")

    def test_markdown_is_at_most_a_page(self):
        many = self.write("many.txt", text({f"site_{i}": 100 * KIB + i for i in range(500)}, 2))
        old = self.write("old.txt", text())
        summary = self.place / "summary.md"
        done = self.run_check(many, "--baseline", old, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
        self.assertEqual(done.returncode, 1)
        page = summary.read_text()
        self.assertLess(len(page), 65536, "what GitHub takes as a comment")
        self.assertLess(len([line for line in page.splitlines() if line.startswith("|")]), 60)
        self.assertIn("more", page)
        self.assertEqual(len([line for line in done.stdout.splitlines() if line.startswith("::error")]), 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
