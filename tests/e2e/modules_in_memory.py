"""`run --resident`: how much of the program is in memory, held against what the kernel says in smaps.

usage: modules_in_memory.py SNAPDIFF
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

# A MiB of variables that are written to, and 4 MiB of constants of which a half is read.
PROGRAM_C = r"""#include <stdio.h>
#include <string.h>
extern int snap_take(const char *) __attribute__((weak));
static char variables[1 << 20] = {1};
static const char constants[4 << 20] = {1};
int main(int count, char **words)
{
	volatile long sum = 0;
	char line[4096];
	int inside = 0;
	FILE *smaps;

	memset(variables, count, sizeof(variables));
	for (unsigned i = 0; i < sizeof(constants) / 2; i += 4096) sum += constants[i];
	smaps = fopen("/proc/self/smaps", "r");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (strchr(line, '-') && strchr(line, ' ') && !strstr(line, ": ")) inside = strstr(line, words[1]) != NULL;
		else if (inside && (strncmp(line, "Rss:", 4) == 0 || strncmp(line, "Anonymous:", 10) == 0)) fputs(line, stdout);
	}
	fflush(stdout);
	if (snap_take) snap_take("here");
	return 0;
}
"""
SLACK = 128 * 1024  # pages that the program touches after it has read smaps


def in_memory(snapdiff, path):
    done = subprocess.run([snapdiff, "info", "-f", "json", path], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["modules_in_memory"]


def record(snapdiff, where, *options):
    snaps = os.path.join(where, "snaps" + "".join(options))
    done = subprocess.run([snapdiff, "run", "-q", "-o", snaps, *options, "--", os.path.join(where, "holds"), "/holds"],
                          check=True, capture_output=True, text=True, timeout=600)
    kernel = {}
    for line in done.stdout.splitlines():
        name, kilobytes = line.split()[:2]
        kernel[name] = kernel.get(name, 0) + int(kilobytes) * 1024
    return kernel, os.path.join(snaps, sorted(os.listdir(snaps))[0])


def main():
    snapdiff = os.path.abspath(sys.argv[1])
    if not shutil.which("cc"):
        sys.exit(77)
    with tempfile.TemporaryDirectory() as where:
        with open(os.path.join(where, "holds.c"), "w", encoding="utf-8") as file:
            file.write(PROGRAM_C)
        subprocess.run(["cc", "-g", "-O1", "-o", os.path.join(where, "holds"), os.path.join(where, "holds.c")],
                       check=True)
        assert in_memory(snapdiff, record(snapdiff, where)[1]) == [], "nobody asked"
        kernel, path = record(snapdiff, where, "--resident")
        modules = in_memory(snapdiff, path)
        found = next(module for module in modules if module["path"].endswith("/holds"))
        print("kernel:", kernel, "recorded:", found)
        assert kernel["Rss:"] >= 3 << 20 and kernel["Anonymous:"] >= 1 << 20, kernel
        assert kernel["Rss:"] <= found["resident_bytes"] <= kernel["Rss:"] + SLACK
        assert kernel["Anonymous:"] <= found["private_bytes"] <= kernel["Anonymous:"] + SLACK
        assert modules == sorted(modules, key=lambda m: (-m["resident_bytes"], m["path"])), "the largest first"
        rows = subprocess.run([snapdiff, "query", "-f", "json", "SELECT resident_bytes, private_bytes FROM modules "
                               "WHERE module LIKE '%/holds'", path], check=True, capture_output=True, text=True).stdout
        assert str(found["resident_bytes"]) in rows and str(found["private_bytes"]) in rows, rows


if __name__ == "__main__":
    main()
