"""tests/tools/summary.py: its line says what ctest ran, and nothing that failed or was skipped is lost.

usage: test_summary.py

The input is made by ctest itself, from tests whose ends are known.
"""
import os
import subprocess
import sys
import tempfile
import unittest

SUMMARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "summary.py")


def summarise(tests, counts=None):
    """Run ctest on {name: shell command}, then summary.py: its exit status and its lines."""
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "CTestTestfile.cmake"), "w", encoding="ascii") as file:
            for name, command in tests.items():
                file.write(f"add_test([=[{name}]=] sh -c [=[{command}]=])\n"
                           f"set_tests_properties([=[{name}]=] PROPERTIES SKIP_RETURN_CODE 77)\n")
        subprocess.run(["ctest", "--test-dir", directory, "--output-junit", "tests.xml"],
                       capture_output=True, check=False, timeout=120)
        argv = [sys.executable, SUMMARY, "dev", os.path.join(directory, "tests.xml")] + ([counts] if counts else [])
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout.splitlines()


class Summary(unittest.TestCase):
    def test_what_passed_failed_and_was_skipped_is_counted(self):
        status, lines = summarise({"a": "exit 0", "b": "exit 0", "c": "exit 1", "d": "echo skipped: no gdb; exit 77"})
        self.assertEqual(status, 1)
        self.assertEqual(lines, ["dev: 2 passed, 1 failed, 1 skipped (d: no gdb)", "    failed: c"])

    def test_all_passed_is_success(self):
        self.assertEqual(summarise({"a": "exit 0"}), (0, ["dev: 1 passed, 0 failed, 0 skipped"]))

    def test_what_a_passing_test_left_out_is_told(self):
        status, lines = summarise({"a": "echo skipped: python3.14 is not here; exit 0"})
        self.assertEqual(status, 0)
        self.assertEqual(lines[1:], ["    left out of a: python3.14 is not here"])

    def test_a_test_that_a_signal_ends_has_failed(self):
        status, lines = summarise({"a": "exit 0", "b": "kill -SEGV $$"})
        self.assertEqual(status, 1)
        self.assertEqual(lines[0], "dev: 1 passed, 1 failed, 0 skipped")

    def test_a_skipped_test_without_a_reason_is_said_to_have_none(self):
        _, lines = summarise({"a": "exit 0", "b": "exit 77"})
        self.assertEqual(lines, ["dev: 1 passed, 0 failed, 1 skipped (b: it does not say why)"])

    def test_no_test_at_all_is_no_success(self):
        status, lines = summarise({})
        self.assertEqual((status, lines), (1, ["dev: 0 passed, 0 failed, 0 skipped"]))

    def test_counts_of_several_presets_add_up(self):
        with tempfile.TemporaryDirectory() as directory:
            counts = os.path.join(directory, "counts")
            summarise({"a": "exit 0", "b": "exit 1"}, counts)
            summarise({"c": "exit 0", "d": "exit 77"}, counts)
            with open(counts, encoding="ascii") as file:
                self.assertEqual(file.read().split(), ["2", "1", "1"])


if __name__ == "__main__":
    unittest.main()
