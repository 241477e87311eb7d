#!/usr/bin/env python3
"""The layering check notices what it is for: small houses with one wrong door each."""

import pathlib
import tempfile
import unittest

import layering


class Includes(unittest.TestCase):
    def faults(self, path, text):
        with tempfile.TemporaryDirectory() as scratch:
            file = pathlib.Path(scratch) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            return list(layering.check_includes(pathlib.Path(scratch)))

    def test_an_arrow_may_be_followed(self):
        self.assertEqual(self.faults("cmd/render/a.c", '#include "report/report.h"\n'), [])

    def test_an_arrow_may_not_be_followed_back(self):
        faults = self.faults("cmd/report/a.c", '#include "render/render.h"\n')
        self.assertEqual(len(faults), 1)
        self.assertIn("no arrow leads from cmd/report to cmd/render", faults[0])

    def test_siblings_do_not_know_each_other(self):
        self.assertTrue(self.faults("libsnap/write/a.c", '#include "read/limits.h"\n'))

    def test_the_guest_does_not_know_the_analyst(self):
        self.assertTrue(self.faults("libsnap/runtime/unwind/a.c", '#include "model/model.h"\n'))

    def test_the_public_headers_know_only_themselves(self):
        self.assertTrue(self.faults("include/snap/a.h", '#include "format/frame.h"\n'))
        self.assertEqual(self.faults("include/snap/a.h", '#include "snap/status.h"\n'), [])

    def test_few_rooms_include_a_dependency(self):
        self.assertEqual(self.faults("cmd/store/sqlite/a.c", "#include <sqlite3.h>\n"), [])
        self.assertTrue(self.faults("cmd/store/a.c", "#include <sqlite3.h>\n"))
        self.assertTrue(self.faults("cmd/report/a.c", "#  include <sqlite3.h>\n"))

    def test_a_new_room_is_noticed(self):
        self.assertTrue(self.faults("cmd/cellar/a.c", ""))


class Endings(unittest.TestCase):
    def faults(self, path, text):
        with tempfile.TemporaryDirectory() as scratch:
            file = pathlib.Path(scratch) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            return list(layering.check_endings(pathlib.Path(scratch)))

    def test_no_room_ends_the_program(self):
        for ending in ("exit(1);", "\t_exit (4);", "abort();"):
            self.assertEqual(len(self.faults("cmd/report/a.c", ending)), 1, ending)
        self.assertEqual(self.faults("cmd/report/a.c", '/* exit() is not called */ at_exit(1); say("exit(1)");'), [])

    def test_the_door_stays_in_its_rooms(self):
        self.assertEqual(self.faults("cmd/report/a.c", "memory_need(x, y);"), [])
        for room in ("store/sqlite", "snapshots", "dataset", "tracemalloc", "input", "capture"):
            self.assertEqual(len(self.faults(f"cmd/{room}/a.c", "memory_need(x, y);")), 1, room)


class Circles(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as scratch:
            for path, text in files.items():
                file = pathlib.Path(scratch) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return list(layering.check_circles(pathlib.Path(scratch)))

    def test_a_file_and_its_header_are_one(self):
        self.assertEqual(self.faults({"cmd/base/a.h": "", "cmd/base/a.c": '#include "base/a.h"\n'}), [])

    def test_two_files_that_use_each_other_are_a_circle(self):
        faults = self.faults({
            "cmd/base/a.h": "", "cmd/base/a.c": '#include "base/a.h"\n#include "base/b.h"\n',
            "cmd/base/b.h": "", "cmd/base/b.c": '#include "base/b.h"\n#include "base/a.h"\n'})
        self.assertEqual(faults, ["a circle of includes: cmd/base/a -> cmd/base/b -> cmd/base/a"])

    def test_a_circle_is_found_behind_what_leads_to_it(self):
        faults = self.faults({
            "cmd/base/a.c": '#include "base/b.h"\n', "cmd/base/b.h": '#include "c.h"\n',
            "cmd/base/c.h": '#include "base/d.h"\n', "cmd/base/d.h": "", "cmd/base/d.c": '#include "base/b.h"\n'})
        self.assertEqual(len(faults), 1)
        self.assertNotIn("base/a", faults[0])

    def test_a_chain_is_no_circle(self):
        self.assertEqual(self.faults({
            "cmd/base/a.c": '#include "base/b.h"\n', "cmd/base/b.h": '#include "base/c.h"\n', "cmd/base/c.h": ""}), [])


if __name__ == "__main__":
    unittest.main()
