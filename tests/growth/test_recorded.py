"""`snapdiff growth` and `watch` on a small program that leaks, as `snapdiff run` records it.

usage: test_recorded.py SNAPDIFF
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SNAPDIFF = ""

# Line 4 leaks 2,000 blocks of 77 bytes per step.  The arguments are the number of steps, each of which ends with a
# snapshot if there are several, and "wait", to go on until standard input is closed.
LEAK_C = """#include <stdlib.h>
#include <stdio.h>
static void *volatile kept;
static void leak(void) { kept = malloc(77); }
extern int snap_take(const char *) __attribute__((weak));
int main(int count, char **words)
{
	int steps = count > 1 ? atoi(words[1]) : 1;
	for (int step = 0; step < steps; step++) {
		for (int i = 0; i < 2000; i++) leak();
		if (steps > 1 && snap_take) snap_take(0);
	}
	while (count > 2 && getchar() != EOF) {}
	return 0;
}
"""


# A table that a global variable holds, and one that a variable of main() does; neither is freed.
KEEPS_C = """#include <stdlib.h>
#include <stdio.h>
struct entry { struct entry *next; char *name; };
static struct entry *table;
int main(void)
{
	char **names = malloc(100 * sizeof(*names));
	for (int i = 0; i < 100; i++) {
		struct entry *entry = malloc(sizeof(*entry));
		entry->name = names[i] = malloc(20);
		entry->next = table;
		table = entry;
		snprintf(names[i], 20, "name %d", i);
	}
	return names[99][0] == 0;
}
"""


class Recorded(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.program = os.path.join(self.temporary.name, "leaks")
        self.snaps = os.path.join(self.temporary.name, "snaps")
        with open(self.program + ".c", "w", encoding="utf-8") as file:
            file.write(LEAK_C)
        subprocess.run(["cc", "-g", "-O1", self.program + ".c", "-o", self.program], check=True)

    def record(self, *options, steps=1, more=()):
        return [SNAPDIFF, "run", "-q", "-o", self.snaps, *options, "--", self.program, str(steps), *more]

    def written(self):
        names = os.listdir(self.snaps) if os.path.isdir(self.snaps) else []
        return [n for n in names if n.startswith("leaks.") and n.endswith(".snap")]

    def first_row(self):
        done = subprocess.run([SNAPDIFF, "growth", "-f", "json", self.snaps], capture_output=True, text=True,
                              check=False, timeout=1200)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["rows"][0]

    def test_a_sampled_leak_is_found_at_its_line(self):
        subprocess.run(self.record("--sample", "4KiB", steps=15), check=True, timeout=1200)
        found = self.first_row()
        self.assertEqual((found["function"], found["line"], found["verdict"]), ("leak", 4, "leak"),
                         found["reasons"])
        self.assertGreater(found["last_bytes_stderr"], 0)

    def test_what_each_of_nine_runs_leaves_is_found_at_its_line(self):
        subprocess.run(self.record("--repeat", "9", "--warmup", "1"), check=True, timeout=1200)
        found = self.first_row()
        self.assertEqual((found["function"], found["line"], found["verdict"], found["confidence"]),
                         ("leak", 4, "leak", "high"))
        self.assertEqual(found["exact"], {"blocks": 2000, "bytes": 154000})

    def test_programs_that_free_nothing_at_their_exit_pass_the_gate(self):
        with open(self.program + ".c", "w", encoding="utf-8") as file:
            file.write(KEEPS_C)
        subprocess.run(["cc", "-g", "-O1", self.program + ".c", "-o", self.program], check=True)
        for command in ([self.program], ["bash", "-c", "x=1; for i in 1 2 3; do x=$x$i; done"]):
            done = subprocess.run([SNAPDIFF, "check", "--run", "5", "--", *command], capture_output=True, text=True,
                                  check=False, timeout=1200)
            self.assertEqual(done.returncode, 0, (command, done.stdout, done.stderr))

    def test_watching_a_process_ends_with_it_and_says_that_it_leaks(self):
        with subprocess.Popen(self.record(steps=15, more=["wait"]), stdin=subprocess.PIPE) as recorded:
            while len(self.written()) < 15 and recorded.poll() is None:
                time.sleep(0.02)
            pid = self.written()[0].split(".")[1]
            with subprocess.Popen([SNAPDIFF, "watch", "--exit-code", pid], stdout=subprocess.PIPE, text=True) as watch:
                first = watch.stdout.readline()  # it has drawn what is there: the process may end
                recorded.stdin.close()
                drawn = first + watch.stdout.read()
            self.assertEqual(recorded.wait(), 0)
        self.assertEqual(watch.returncode, 1)
        self.assertIn("exactly 2,000 blocks, 154,000 bytes per snapshot", drawn)


if __name__ == "__main__":
    SNAPDIFF = os.path.abspath(sys.argv.pop(1))
    if not shutil.which("cc"):
        sys.exit(77)
    unittest.main()
