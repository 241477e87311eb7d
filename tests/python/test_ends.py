#!/usr/bin/env python3
"""What a program held when its own code ended is in the snapshot of its end, also of its children."""
import json
import os
import pathlib
import subprocess
import tempfile

import harness

EMBED = r"""
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
void *after;
int main(int argc, char **argv)
{
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	void (*initialize)(void) = (void (*)(void))dlsym(library, "Py_Initialize");
	int (*run)(const char *) = (int (*)(const char *))dlsym(library, "PyRun_SimpleString");
	int (*finalize)(void) = (int (*)(void))dlsym(library, "Py_FinalizeEx");
	initialize();
	run(argv[2]);
	finalize();
	after = malloc(7654321);
	return argc != 3;
}
"""


class Ends(harness.PythonTest):
    def blocks(self, snapshot, line=None, name="ends.py"):
        return sum(site.blocks for site in self.dump(snapshot, lambda size, domain: domain == "python")[0]
                   if any(frame.file.endswith(name) and (line is None or frame.line == line)
                          for frame in site.frames[:2]))  # a comprehension may be a function of its own

    def test_before_modules_are_cleared(self):
        def check(python):
            for arguments in (["ends.py"], ["-m", "ends"]):
                _, snapshots = self.record(python, *arguments)
                self.assertEqual(self.dump(snapshots[-1], lambda *_: False)[1]["trigger"], "exit")
                self.assertGreaterEqual(self.blocks(snapshots[-1]), 20000)

        self.with_each_python(check)

    def test_sys_exit_and_exceptions(self):
        def check(python):
            for last, code in (("sys.exit(3)", 3), ("raise SystemExit(4)", 4), ("1 / 0", 1), ("import os; os._exit(5)", 5)):
                with self.subTest(last=last):
                    _, snapshots = self.record(python, "-c", f"from ends import *\n{last}", code=code)
                    self.assertGreaterEqual(self.blocks(snapshots[-1]), 15000)

        self.with_each_python(check)

    def test_children(self):
        def check(python):
            out, snapshots = self.record(python, "children.py")
            for kind, pids in json.loads(out).items():
                for pid in pids:
                    with self.subTest(kind=kind):
                        own = [path for path in snapshots if path.name.split(".")[-3].split("-")[0] == str(pid)]
                        self.assertTrue(own, snapshots)
                        held = self.blocks(own[-1], 11, "children.py")
                        self.assertGreaterEqual(held, 5000)
                        self.assertLessEqual(held, 5010)

        self.with_each_python(check)

    def test_an_interpreter_that_is_loaded_late(self):
        (self.dir / "embed.c").write_text(EMBED)
        subprocess.run(["cc", "-g", "-O1", "embed.c", "-o", "embed", "-ldl"], cwd=self.dir, check=True)
        found = 0

        def check(python):
            nonlocal found
            home = pathlib.Path(python.path).resolve().parent.parent
            library = harness.library_of(python)
            if not library:
                return
            found += 1
            program = python._replace(path=str(self.dir / "embed"))
            _, snapshots = self.record(program, library, "kept = [bytes(200) for _ in range(5000)]",
                                       env={"PYTHONHOME": str(home)})
            labels = {self.dump(path, lambda *_: False)[1].get("label"): path for path in snapshots}
            self.assertIn("Python ends", labels)
            self.assertGreaterEqual(self.blocks(labels["Python ends"], 1, "<string>"), 5000)
            self.assertEqual([site.bytes for site in self.dump(snapshots[-1])[0] if site.bytes == 7654321], [7654321])

        self.with_each_python(check)
        if not found and pathlib.Path("/usr/lib").exists():
            print("no interpreter here is in a library of its own")

    def kept_peak(self, python, code):
        """Bytes in the peak that a program without an exit snapshot leaves; None: it leaves none."""
        out = tempfile.mkdtemp(dir=self.dir)
        library = pathlib.Path(self.snapdiff).resolve().parent.parent / "lib" / "libsnap.so"
        subprocess.run([python.path, "-c", code], check=True, timeout=300, cwd=self.dir,
                       env={"LD_PRELOAD": str(library), "SNAP_ACTIVE": "1", "SNAP_OUT": out, "SNAP_EXIT": "none",
                            "SNAP_KEEP_PEAK": "64KiB", "PATH": os.environ.get("PATH", "")})
        left = list(pathlib.Path(out).glob("*.snap"))
        self.assertLessEqual(len(left), 1)
        return int(self.dump(left[0], lambda *_: False)[1]["metrics.heap.live_bytes"]) if left else None

    def test_no_peak_is_written_while_the_interpreter_starts(self):
        def check(python):
            self.assertIsNone(self.kept_peak(python, "pass"))
            self.assertGreaterEqual(self.kept_peak(python, "x = bytes(8 << 20); del x"), 8 << 20)

        self.with_each_python(check)

    def test_off(self):
        python = harness.pythons()[0]
        _, snapshots = self.record(python, "ends.py", options=["--python", "off"])
        sites, meta = self.dump(snapshots[-1])
        self.assertNotIn("python.version", meta)
        self.assertEqual({site.domain for site in sites}, {"malloc"})

    def test_on_without_a_python(self):
        shell = harness.pythons()[0]._replace(path="/bin/sh")
        self.record(shell, "-c", "true", options=["--python", "on"])
        self.assertIn("--python on: no process had a Python", self.stderr)


if __name__ == "__main__":
    assert os.name == "posix"
    harness.main()
