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

    def test_a_dependency_has_one_home(self):
        self.assertEqual(self.faults("cmd/store/sqlite/a.c", "#include <sqlite3.h>\n"), [])
        self.assertTrue(self.faults("cmd/store/a.c", "#include <sqlite3.h>\n"))
        self.assertTrue(self.faults("cmd/report/a.c", "#  include <sqlite3.h>\n"))

    def test_a_new_room_is_noticed(self):
        self.assertTrue(self.faults("cmd/cellar/a.c", ""))


if __name__ == "__main__":
    unittest.main()
