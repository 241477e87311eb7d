#!/usr/bin/env python3
"""What a person reads of a comparison of two recorded runs: a C++ program over the standard library.

reading.py SNAPDIFF [unittest arguments]

Needs a C++ compiler.
"""
import json
import re
import subprocess
import sys
import unittest

import recorded

PROGRAM = """#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>
template <class Key, class Value> struct Cache {
	std::map<Key, std::vector<Value>> rows;
	__attribute__((noinline)) void put(const Key &key, const Value &value)
	{
		rows[key].push_back(value);
	}
};
struct Session {
	std::string user = std::string(100, 'u');
};
std::vector<std::shared_ptr<Session>> *sessions;
__attribute__((noinline)) void session_open()
{
	sessions->push_back(std::make_shared<Session>());
}
int main(int argc, char **argv)
{
	auto &cache = *new Cache<std::string, int>;
	sessions = new std::vector<std::shared_ptr<Session>>;
	for (int i = 0; i < 200; i++)
		cache.put("a key that is longer than its buffer " + std::to_string(i), i);
	for (int i = 0; i < std::atoi(argv[argc - 1]); i++)
		session_open();
}
"""


class Reading(recorded.RecordedTest):
    snapdiff_path = sys.argv[1]

    def setUp(self):
        super().setUp()
        self.old = self.record("old", self.compile("a/server", PROGRAM, language="cc"), 50)
        self.new = self.record("new", self.compile("b/server", "\n\n" + PROGRAM, language="cc"), 500)

    def hint(self, answer):
        """What the command under `Next:` prints, run by a shell as a person would."""
        command = re.search(r"^Next: snapdiff (.*?)(  \(.*)?$", answer.out, re.M)
        self.assertTrue(command, answer.out)
        done = subprocess.run(f"{self.snapdiff_path} {command.group(1)}", shell=True, cwd=self.dir, text=True,
                              capture_output=True, timeout=1200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_rows_of_library_functions_say_whose_line_wanted_the_memory(self):
        rows = [line for line in self.compare(self.old, self.new).out.splitlines() if line.startswith("grew")]
        text = [row for row in rows if "basic_string" in row]
        self.assertEqual(len(text), 1, rows)
        self.assertRegex(text[0], r" (Session::Session|session_open)(\(\))? source\.cc:[0-9]+ ")
        self.assertNotIn("/usr/include", text[0])

    def test_nobody_is_warned_of_an_ordinary_program(self):
        same = self.record("same", self.dir / "a/server", 50)
        self.assertEqual(self.compare(self.old, same).err, "")
        self.assertEqual(self.snapdiff("top", self.new).err, "")

    def test_ten_times_the_sessions_are_unequal_work_and_that_is_all_there_is_to_warn_of(self):
        self.assertRegex(self.compare(self.old, self.new).err,
                         r"\A[^\n]* NEW made 2 times as many allocations as OLD \([^\n]*--normalize [^\n]*\n\Z")

    def test_hints_work_when_pasted(self):
        self.assertRegex(self.hint(self.compare(self.old, self.new)),
                         r"function .* (Session::Session|session_open) ")
        self.assertIn("function ", self.hint(self.compare("-g", "function", self.old, self.new)))
        self.assertIn("caller", self.hint(self.snapdiff("top", self.new)))

    def test_the_tree_says_each_path_once_and_in_short(self):
        answer = self.compare("-g", "stack", self.old, self.new).out
        tree = answer.split("Changed call paths, callers first:\n")[1].split("\n\n")[0]
        self.assertEqual(tree.count("session_open"), 1, tree)
        self.assertRegex(tree.splitlines()[0], r"^ *\+[0-9.]+ KiB  main source\.cc:[0-9]+ > session_open source\.cc:[0-9]+")
        self.assertNotIn("_start", tree)
        for line in tree.splitlines():
            self.assertLess(len(line), 200)

    def test_names_are_whole_in_json(self):
        rows = json.loads(self.compare("-f", "json", "--all", self.old, self.new).out)["rows"]
        self.assertTrue([row for row in rows if "basic_string<char" in row["function"]], rows)
        self.assertTrue(all(row["status"] in ("grew", "moved", "same") for row in rows), rows)

    def test_what_is_shown_and_hidden_adds_up_in_every_format(self):
        for options in ((), ("-g", "stack"), ("-g", "module"), ("--cumulative",), ("-n", "1")):
            report = json.loads(self.compare(*options, "-f", "json", self.old, self.new).out)
            for side in ("old", "new"):
                self.assertEqual(report["shown"][side + "_bytes"] + report["hidden"][side + "_bytes"],
                                 report["totals"][side]["live_bytes"], options)
        markdown = self.compare("-n", "1", "-f", "markdown", self.old, self.new).out
        self.assertRegex(markdown, r"Shown: 1 of [0-9]+ changed rows, [0-9.]+ % of the bytes that changed; --all")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
