#!/usr/bin/env python3
"""The reader written from FORMAT.md agrees with the golden files and refuses the damaged ones."""

import pathlib
import unittest

import snapread

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / "testdata"


class Reader(unittest.TestCase):
    def assert_refused(self, data):
        with self.assertRaisesRegex(snapread.Damaged, "^at byte [0-9]+: "):
            snapread.decode(data)

    def test_golden_files_read_as_the_text_beside_them(self):
        files = sorted(TESTDATA.glob("golden/*.snap"))
        self.assertTrue(files)
        for file in files:
            with self.subTest(file.name):
                text = b"".join(line + b"\n" for line in snapread.text_form(snapread.read(file)))
                self.assertEqual(text, file.with_suffix(".txt").read_bytes())

    def test_exactly_the_damaged_files_are_refused(self):
        for row in (TESTDATA / "bad/expected.tsv").read_text().splitlines():
            name, status = row.split("\t")[:2]
            with self.subTest(name):
                data = (TESTDATA / "bad" / name).read_bytes()
                if status == "ok":
                    snapread.decode(data)
                else:
                    self.assert_refused(data)

    def test_a_golden_file_with_any_bit_changed_is_refused(self):
        for name in "tiny.snap", "sampled.snap":
            data = (TESTDATA / "golden" / name).read_bytes()
            for bit in range(8 * len(data)):
                changed = bytearray(data)
                changed[bit // 8] ^= 1 << bit % 8
                with self.subTest(f"bit {bit} of {name}"):
                    self.assert_refused(bytes(changed))

    def test_a_golden_file_that_ends_early_is_refused(self):
        data = (TESTDATA / "golden/tiny.snap").read_bytes()
        for size in range(len(data)):
            with self.subTest(f"{size} bytes"):
                self.assert_refused(data[:size])


if __name__ == "__main__":
    unittest.main()
