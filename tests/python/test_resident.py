#!/usr/bin/env python3
"""Resident memory is divided into parts whose sum it is, and programs that put memory in a known place show it there."""
import json
import subprocess

import harness

MIB = 1 << 20
UNEXPLAINED = MIB // 2  # at most, either way
PARTS = ["recorded_live", "not_in_memory", "pymalloc_free", "malloc_free", "allocators_own", "program_and_libraries",
         "shared", "stacks", "recorder", "unexplained"]


class Resident(harness.PythonTest):
    def info(self, snapshot, *options):
        done = subprocess.run([self.snapdiff, "info", "-f", "json", *options, snapshot], capture_output=True, text=True,
                              timeout=120, check=True)
        return json.loads(done.stdout)

    def resident(self, python, kind, *options):
        _, snapshots = self.record(python, "resident.py", kind, options=options)
        report = self.info(snapshots[0])
        parts = report["resident"]
        self.assertEqual(sorted(parts), sorted(PARTS + ["rss"]))
        self.assertEqual(parts["rss"], report["metrics"]["rss"])
        self.assertEqual(sum(parts[name] for name in PARTS), parts["rss"])
        self.snapshot = snapshots[0]
        return parts

    def check(self, kind, part, expected, tolerance, *options, unexplained=0):
        def check(python):
            parts = self.resident(python, kind, *options)
            self.assertAlmostEqual(parts[part], expected, delta=tolerance, msg=parts)
            self.assertAlmostEqual(parts["unexplained"], unexplained, delta=UNEXPLAINED, msg=parts)

        self.with_each_python(check)

    def test_every_second_small_object(self):
        """100,000 of 400 bytes are free, and as many in use.  sys.getsizeof(bytes(367)) is 400 everywhere."""
        def check(python):
            parts = self.resident(python, "small")
            self.assertAlmostEqual(parts["pymalloc_free"], 40e6, delta=6e6, msg=parts)
            self.assertGreater(parts["recorded_live"], 40e6)
            self.assertAlmostEqual(parts["unexplained"], 0, delta=UNEXPLAINED, msg=parts)
            report = self.info(self.snapshot, "--size-classes")
            row = max(report["rows"], key=lambda row: row["free_bytes"])
            size = 416 if python.debug else 400  # debug builds add to each block
            if not python.debug:
                self.assertEqual(row["size"], size)
            self.assertAlmostEqual(row["live_blocks"], 100000, delta=500)
            self.assertAlmostEqual(row["free_blocks"], 100000, delta=500)
            self.assertAlmostEqual(row["use"], 0.5, delta=0.05)
            self.assertEqual(row["pool_bytes"], row["pools"] * report["arenas"]["pool_size"])
            self.assertEqual(report["arenas"]["count"], sum(report["arenas"]["by_use"]))
            self.assertGreater(report["arenas"]["by_use"][1] + report["arenas"]["by_use"][2],
                               report["arenas"]["count"] * 0.8)

        self.with_each_python(check)

    def test_small_objects_that_are_all_released(self):
        self.check("released", "pymalloc_free", 0, 3 * MIB)

    def test_every_second_large_object(self):
        self.check("large", "malloc_free", 30000 * 1050, 3 * MIB)

    def check_running(self, kind):
        def check(python):
            parts = self.resident(python, kind)
            self.assertEqual(self.info(self.snapshot)["snapshot"]["label"], "running")
            self.assertNotIn("allocator.free", self.info(self.snapshot)["metrics"])
            self.assertAlmostEqual(parts["malloc_free"], 30000 * 1050, delta=3 * MIB, msg=parts)
            self.assertAlmostEqual(parts["allocators_own"], 0, delta=4 * MIB, msg=parts)
            self.assertAlmostEqual(parts["unexplained"], 0, delta=UNEXPLAINED, msg=parts)

        self.with_each_python(check)

    def test_malloc_is_not_asked_while_the_program_runs(self):
        self.check_running("running")

    def test_malloc_is_not_asked_of_the_heap_of_a_thread(self):
        self.check_running("running_in_a_thread")

    def test_native_block_is_recorded(self):
        self.check("native", "recorded_live", 43 * MIB, 4 * MIB)

    def test_block_that_is_never_touched(self):
        self.check("untouched", "not_in_memory", -40 * MIB, 1 * MIB)

    def test_block_that_is_only_read(self):
        self.check("only_read", "not_in_memory", -40 * MIB, 1 * MIB)

    def test_memory_by_a_system_call_is_unexplained(self):
        self.check("unseen", "unexplained", 40 * MIB, 2 * MIB, unexplained=40 * MIB)

    def test_shared_memory(self):
        self.check("shared", "shared", 40 * MIB, 1 * MIB)

    def test_mappings_are_recorded_once(self):
        """Where mappings are recorded, arenas are not recorded besides the objects in them."""
        self.check("small", "pymalloc_free", 40e6, 6e6, "--mmap")
        self.check("shared", "not_in_memory", -40 * MIB, 1 * MIB, "--mmap")

    def test_stacks(self):
        def check(python):
            parts = self.resident(python, "stacks")
            self.assertGreater(parts["stacks"], 20 * 8192)
            self.assertLess(parts["stacks"], 20 * MIB)

        self.with_each_python(check)


if __name__ == "__main__":
    harness.main()
