#!/usr/bin/env python3
"""What cannot be compared as it stands is said plainly, next to what was still possible.

bad_inputs.py SNAPDIFF TESTDATA [unittest arguments]

Small programs are built here, recorded, and then something happens to their files: modules are replaced,
stripped or removed, snapshots are cut or come from elsewhere.  Needs a C compiler and binutils.
"""
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import recorded

TESTDATA = pathlib.Path(sys.argv[2])

PROGRAM = """#include <stdlib.h>
void *volatile kept;
__attribute__((noinline)) void %s(int n) { for (int i = 0; i < n; i++) kept = malloc(100); }
__attribute__((noinline)) void %s(int n) { kept = malloc(n * 1000); kept = (char *)kept + 1; }
int main(int argc, char **argv) { int n = atoi(argv[argc - 1]); %s(n); %s(n); return 0; }
"""


def program(cache="cache_put", session="session_open"):
    return PROGRAM % (cache, session, cache, session)


class BadInputs(recorded.RecordedTest):
    snapdiff_path = sys.argv[1]

    def compile(self, name, source=None, **options):
        return super().compile(name, source or program(), **options)

    def rows(self, old, new, *options):
        """{function: status}, and the warnings."""
        answer = json.loads(self.compare(old, new, "-f", "json", "--all", *options).out)
        return {row["function"]: row["status"] for row in answer["rows"]}, answer["warnings"]

    def assert_said(self, answer, *sentences):
        for sentence in sentences:
            self.assertIn(sentence, answer.err)
            self.assertNotIn(sentence, answer.out)

    # ---- files that cannot be read: exit 3, nothing on standard output ----

    def assert_refused(self, bad, sentence):
        good = self.record("good", self.compile("prog"), 3)
        for pair in ((good, bad), (bad, good)):
            answer = self.compare(*pair, code=3)
            self.assertEqual(answer.out, "")
            self.assert_said(answer, sentence)
            gated = self.compare(*pair, "--exit-code", code=3)
            self.assertEqual(gated.out, "")

    def test_a_truncated_file_is_refused_with_the_place_of_the_tear(self):
        whole = (self.dir / self.record("whole", self.compile("prog"), 5)).read_bytes()
        for size in (0, 7, 20, 300, len(whole) - 1):
            (self.dir / "cut.snap").write_bytes(whole[:size])
            self.assert_refused("cut.snap", "cut.snap: is empty" if size == 0 else
                                "cut.snap: a snapshot that ends after 7 bytes" if size < 8 else "cut.snap: byte ")

    def test_a_newer_major_version_is_refused_and_both_versions_are_named(self):
        self.assert_refused(TESTDATA / "bad" / "major-2.snap", "format version 2.0; this program reads 1.x")

    def test_a_file_of_another_kind_is_refused_and_the_kinds_are_named(self):
        (self.dir / "notes.txt").write_text("hello\n")
        self.assert_refused("notes.txt", "notes.txt: is not a snapshot in any known format")

    def test_a_missing_file_is_named(self):
        self.assert_refused("absent.snap", "absent.snap: No such file or directory")

    def test_a_cut_gzip_file_is_refused(self):
        whole = (self.dir / self.record("whole", self.compile("prog"), 5)).read_bytes()
        (self.dir / "cut.snap.gz").write_bytes(gzip.compress(whole)[:-20])
        self.assert_refused("cut.snap.gz", "cut.snap.gz: ")

    # ---- what can be compared in part ----

    def test_a_newer_minor_version_is_read_and_said(self):
        old = self.record("old", self.compile("prog"), 3)
        answer = self.compare(old, TESTDATA / "bad" / "minor-7.snap")
        self.assert_said(answer, "format version 1.7, newer than this program's 1.")
        self.assertIn("Shown: ", answer.out)

    def test_programs_that_differ_share_only_what_they_have_in_common(self):
        old = self.record("old", self.compile("server"), 3)
        new = self.record("new", self.compile("client", program(session="request_send")), 3)
        self.assert_said(self.compare(old, new), "OLD is of program server and NEW of client")
        rows = json.loads(self.compare(old, new, "-f", "json", "--all", "--match", "line").out)["rows"]
        status = {row["function"]: row["status"] for row in rows}
        self.assertEqual((status["request_send"], status["session_open"]), ("new", "gone"))
        alike = json.loads(self.compare(old, new, "-f", "json", "--all").out)["rows"]
        self.assertEqual([row["match"] for row in alike if row["function"] == "request_send"], ["fuzzy"])

    def test_another_architecture_is_named(self):
        old = self.record("old", self.compile("prog"), 3)
        text = self.snapdiff("dump", old).out
        self.assertIn("@ arch\t", text)
        here = text.split("@ arch\t")[1].split("\n")[0]
        (self.dir / "new.txt").write_text(text.replace(f"@ arch\t{here}", "@ arch\tpdp11"))
        self.snapdiff("build", "new.txt", "-o", "new.snap")
        answer = self.compare(old, "new.snap")
        self.assert_said(answer, f"OLD is of architecture {here} and NEW of pdp11")
        rows, _ = self.rows(old, "new.snap")
        self.assertEqual(set(rows.values()), {"same"})

    def test_python_dumps_and_native_recordings_have_nothing_in_common(self):
        native = self.record("native", self.compile("prog"), 3)
        dump = TESTDATA / "tracemalloc" / "3.11.after.dump"
        for old, new in ((native, dump), (dump, native)):
            answer = self.compare(old, new)
            self.assert_said(answer, "is a dump of Python's tracemalloc", "all are new or gone")
            self.assertNotIn("stripped", answer.err)
        rows, _ = self.rows(native, dump)
        self.assertEqual(rows["cache_put"], "gone")

    def test_one_snapshot_twice_is_said(self):
        one = self.record("one", self.compile("prog"), 3)
        shutil.copy(self.dir / one, self.dir / "copy.snap")
        for other in (one, "copy.snap"):
            answer = self.compare(one, other)
            self.assert_said(answer, "OLD and NEW are one and the same snapshot")
            self.assertIn("Nothing changed", answer.out)
        self.compare(one, one, "--exit-code")

    def test_several_programs_on_a_side_are_named(self):
        server, client = self.compile("server"), self.compile("client")
        runs = [self.record("first", server, 3), self.record("second", client, 3), self.record("third", server, 3)]
        answer = self.compare(runs[0], runs[1], "--", runs[2], runs[2])
        self.assert_said(answer, "OLD has snapshots of several programs: server, client")
        self.assertNotIn("NEW has", answer.err)

    def test_sides_that_seem_swapped_are_asked_about(self):
        path = self.compile("prog")
        first, second = self.record("first", path, 3), self.record("second", path, 30)
        self.assert_said(self.compare(second, first), "before OLD: are they swapped?")
        self.assertEqual(self.compare(first, second).err, "")

    def test_sampled_against_exact_is_said_and_differences_carry_errors(self):
        path = self.compile("prog")
        exact = self.record("exact", path, 100)
        sampled = self.record("sampled", path, 100, "--sample", "512")
        self.assert_said(self.compare(exact, sampled), "NEW is sampled and OLD is exact")
        answer = json.loads(self.compare(exact, sampled, "-f", "json").out)
        for row in answer["rows"]:
            self.assertEqual(row["old_bytes_stderr"], 0)
            self.assertEqual(row["delta_bytes_stderr"], row["new_bytes_stderr"])

    def test_what_is_left_at_exit_is_called_so_where_there_is_more(self):
        path = self.compile("prog", "#include <stdlib.h>\nextern int snap_take(const char *) __attribute__((weak));\n"
                            "void *volatile p;\nint main(int c, char **v) { p = malloc(1 << 19);"
                            " if (getenv(\"SNAP_LABELS\") && snap_take) snap_take(\"full\"); free(p);"
                            " return c + v[0][0] == 0; }\n")
        old = self.record("old", path, 3, "--label", "full=1")
        new = self.record("new", path, 3, "--label", "full=1")
        self.assertIn("Both snapshots are of the program's exit", self.compare(old, new).out)
        only = self.compare(self.record("only", path, 3), new).out
        self.assertNotIn("Both snapshots are of the program's exit", only)
        self.assertIn("when 0 B of a peak of 512.0 KiB were left", only)

    def test_what_was_left_is_not_none_where_only_the_peak_is_known(self):
        for run in (1, 2):
            (self.dir / f"exit{run}.txt").write_text(
                f"#snaptext 1\n@ time_ns\t{run * 10**18}\n@ pid\t{run}\n@ program\tserver\n@ trigger\texit\n"
                "@ metrics.heap.peak_bytes\t1048576\n4096\t1\t4096\t1\tmalloc\t-\tcache|cache.c|1|server\n")
        self.assertIn("when 4.0 KiB of a peak of 1.0 MiB were left", self.compare(self.dir / "exit1.txt", self.dir / "exit2.txt").out)

    # ---- modules that are not what they were ----

    def test_a_stripped_side_of_the_same_build_pairs_by_address(self):
        full = self.compile("full/prog")
        (self.dir / "bare").mkdir()
        bare = self.dir / "bare" / "prog"
        subprocess.run(["strip", "-o", bare, full], check=True)
        old, new = self.record("old", bare, 3), self.record("new", full, 30)
        answer = self.compare(old, new)
        self.assert_said(answer, "prog has no names in OLD (stripped?) and has some in NEW: it is the same build")
        rows, _ = self.rows(old, new)
        self.assertEqual(rows, {"cache_put": "grew", "session_open": "grew"})

    def test_a_stripped_side_of_another_build_does_not_pair(self):
        full = self.compile("full/prog")
        old = self.record("old", full, 3)
        bare = self.compile("bare/prog", program(session="session_close"))
        subprocess.run(["strip", bare], check=True)
        new = self.record("new", bare, 30)
        self.assert_said(self.compare(old, new), "prog has no names in NEW (stripped?) and has some in OLD: its "
                         "frames do not pair")
        rows, _ = self.rows(old, new)
        self.assertEqual(rows["cache_put"], "gone")
        self.assertNotIn("same", rows.values())

    def test_a_program_without_lines_on_one_side_pairs_by_names(self):
        old = self.record("old", self.compile("full/prog"), 3)
        new = self.record("new", self.compile("bare/prog", options=("-O1",)), 30)
        self.assert_said(self.compare(old, new), "prog has no lines in NEW (stripped?)")
        rows, _ = self.rows(old, new)
        self.assertEqual(rows, {"cache_put": "grew", "session_open": "grew"})

    def test_a_module_that_was_rebuilt_since_never_names_the_frames_of_the_old_one(self):
        path = self.compile("prog")
        old = self.record("old", path, 3)
        self.compile("prog", program("victim_of_a_mix_up", "another_one"))
        new = self.record("new", path, 30)
        answer = self.compare(old, new)
        self.assert_said(answer, f"module {path} was replaced since: not used",
                         "prog has no names in OLD (stripped?) and has some in NEW: its frames do not pair")
        rows, warnings = self.rows(old, new)
        self.assertEqual(rows.pop("victim_of_a_mix_up"), "new")
        self.assertEqual(rows.pop("another_one"), "new")
        for name, status in rows.items():
            self.assertRegex(name, r"^prog\+0x")
            self.assertEqual(status, "gone")
        self.assertEqual(len(warnings), 2, warnings)
        alone = self.snapdiff("top", old)
        self.assert_said(alone, "was replaced since")
        self.assertNotIn("victim", alone.out)

    def test_a_rebuilt_module_without_build_id_is_not_used_either(self):
        options = ("-g", "-O1", "-Wl,--build-id=none")
        source = self.dir / "prog"

        def build(text):
            (self.dir / "source.c").write_text(text)
            subprocess.run(["cc", *options, "source.c", "-o", source], cwd=self.dir, check=True)

        build(program())
        old = self.record("old", source, 3)
        self.assertIn("cache_put", self.snapdiff("top", old).out)
        build(program("victim_of_a_mix_up"))
        os.utime(source, (4102444800, 4102444800))
        alone = self.snapdiff("top", old)
        self.assert_said(alone, f"module {source} has no build-id and was written after the snapshot")
        self.assertNotIn("victim", alone.out)

    def test_names_that_were_seen_once_survive_a_rebuild(self):
        path = self.compile("prog")
        old = self.record("old", path, 3)
        self.snapdiff("top", old)
        self.compile("prog", "\n" + program())
        new = self.record("new", path, 30)
        answer = self.compare(old, new)
        self.assertEqual(answer.err, "")
        rows, _ = self.rows(old, new)
        self.assertEqual(rows, {"cache_put": "grew", "session_open": "grew"})

    def test_a_removed_module_is_named_with_its_build(self):
        path = self.compile("prog")
        old, new = self.record("old", path, 3), self.record("new", path, 30)
        path.unlink()
        answer = self.compare(old, new)
        self.assert_said(answer, f"module {path} (build ", "No such file or directory; its frames stay without names")
        self.assertEqual(answer.err.count("No such file"), 1)
        rows, _ = self.rows(old, new)
        self.assertEqual(set(rows.values()), {"grew"})

    def test_a_module_that_became_something_else_is_said(self):
        path = self.compile("prog")
        old, new = self.record("old", path, 3), self.record("new", path, 30)
        path.write_text("hello\n")
        self.assert_said(self.compare(old, new), f"module {path} (build ", "not a valid ELF file")

    def test_a_missing_debug_file_leaves_the_names_of_the_symbol_table(self):
        path = self.compile("prog")
        subprocess.run(["objcopy", "--only-keep-debug", path, self.dir / "prog.debug"], check=True)
        subprocess.run(["objcopy", "--strip-debug", "--add-gnu-debuglink", self.dir / "prog.debug", path],
                       check=True)
        old, new = self.record("old", path, 3), self.record("new", path, 30)
        (self.dir / "prog.debug").rename(self.dir / "elsewhere")
        answer = json.loads(self.compare(old, new, "-f", "json").out)
        self.assertEqual({row["function"]: row["line"] for row in answer["rows"]},
                         {"cache_put": None, "session_open": None})
        (self.dir / "elsewhere").rename(self.dir / "prog.debug")
        answer = json.loads(self.compare(old, new, "-f", "json").out)
        self.assertEqual({row["function"]: row["line"] for row in answer["rows"]},
                         {"cache_put": 3, "session_open": 4})

    def test_a_debug_file_of_another_build_is_not_used(self):
        path = self.compile("prog")
        other = self.compile("other", program("victim_of_a_mix_up"))
        subprocess.run(["objcopy", "--only-keep-debug", path, self.dir / "prog.debug"], check=True)
        subprocess.run(["objcopy", "--strip-debug", "--add-gnu-debuglink", self.dir / "prog.debug", path],
                       check=True)
        subprocess.run(["objcopy", "--only-keep-debug", other, self.dir / "prog.debug"], check=True)
        old = self.record("old", path, 3)
        out = self.snapdiff("top", old).out
        self.assertIn("cache_put", out)
        self.assertNotIn("victim", out)
        self.assertNotIn("source.c", out)

    def test_nameless_frames_of_two_builds_are_neither_same_nor_grown(self):
        path = self.compile("prog")
        old = self.record("old", path, 3)
        self.compile("prog", program(session="session_close"))
        new = self.record("new", path, 30)
        path.unlink()
        self.assert_said(self.compare(old, new), "prog is another build in NEW than in OLD")
        rows = json.loads(self.compare(old, new, "-f", "json", "--all").out)["rows"]
        self.assertEqual([(row["function"], row["match"], row["status"]) for row in rows],
                         [("prog+?", None, "grew")])

    def test_nameless_frames_of_two_builds_that_hold_as_much_are_no_finding(self):
        path = self.compile("prog")
        old = self.record("old", path, 3)
        self.compile("prog", "int unused_table[3] = {1, 2, 3};\n" + program(), options=("-O2",))
        new = self.record("new", path, 3)
        path.unlink()
        answer = self.compare(old, new, "--exit-code", "--all")
        self.assert_said(answer, "prog is another build in NEW than in OLD")
        self.assertEqual(answer.code, 0)
        self.assertRegex(answer.out, r"(?m)^same .* prog\+\? ")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
