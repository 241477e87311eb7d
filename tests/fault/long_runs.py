#!/usr/bin/env python3
"""Long runs of recorded programs: memory flat after the warm-up, nothing leaks, a snapshot takes no longer than at first.

  snapshots    2,000 snapshots that the program asks for; `growth` finds no leak in them
  threads      50,000 short threads that allocate, eight at a time
  dlopen       10,000 times a library is loaded, allocates and is unloaded
  forks        5,000 children that allocate and end, each with a snapshot of its own
  allocations  500,000,000 allocations and frees

Each goes in 20 steps.  After each the program, its helper and their descriptors and mappings are looked at from
outside.  The first five steps are the warm-up.  From then on resident memory may rise by 1 MiB, and mappings by
8; descriptors may not.  Of times only a doubling counts, from the first to the last quarter's median: a machine has
other work, too.

usage: long_runs.py SNAPDIFF LIBRARY PART [NAME...]      PART: 1 for the numbers above, 0.01 for a hundredth
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

COUNTS = {"snapshots": 2000, "threads": 50000, "dlopen": 10000, "forks": 5000, "allocations": 500_000_000}
STEPS, WARM, MORE_RSS, MORE_MAPPINGS = 20, 5, 1 << 20, 8

HOST = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static const char *plugin;
static int (*take)(const char *);
static void *kept[4096];
static void use(unsigned seed)
{
	for (int i = 0; i < 64; i++)
		free(malloc((size_t)(seed = seed * 1103515245 + 12345) % 4000 + 1));
}
static void *short_thread(void *seed)
{
	use((unsigned)(size_t)seed);
	return NULL;
}
static void snapshots(long n)
{
	while (n--) {
		kept[n % 64] = realloc(kept[n % 64], (size_t)(n % 64) * 100 + 1);
		if (take("step") != 0)
			exit(3);
	}
}
static void threads(long n)
{
	pthread_t ids[8];
	for (; n > 0; n -= 8) {
		for (int i = 0; i < 8; i++)
			if (pthread_create(&ids[i], NULL, short_thread, (void *)n) != 0)
				exit(3);
		for (int i = 0; i < 8; i++)
			pthread_join(ids[i], NULL);
	}
}
static void dlopens(long n)
{
	while (n--) {
		void *library = dlopen(plugin, RTLD_NOW);
		if (!library)
			exit(3);
		((void (*)(void))dlsym(library, "work"))();
		dlclose(library);
	}
}
static void forks(long n)
{
	while (n--) {
		pid_t child = fork();
		if (child == 0) {
			use((unsigned)n);
			exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			exit(3);
	}
}
static void allocations(long n)
{
	unsigned seed = 1;
	while (n--) {
		seed = seed * 1103515245 + 12345;
		free(kept[seed >> 20]);
		kept[seed >> 20] = malloc(seed % 500 + 1);
	}
}
int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long);
	} kinds[] = {{"snapshots", snapshots}, {"threads", threads}, {"dlopen", dlopens}, {"forks", forks},
		     {"allocations", allocations}};
	char line[8];
	plugin = argv[3];
	take = (int (*)(const char *))dlsym(RTLD_DEFAULT, "snap_take");
	setvbuf(stdout, NULL, _IONBF, 0);
	while (argc == 4 && read(0, line, 1) == 1) {
		struct timespec begin, end;
		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (strcmp(argv[1], kinds[i].name) == 0)
				kinds[i].run(atol(argv[2]));
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("%.9f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9);
	}
	return 0;
}
"""
PLUGIN = """
#include <stdlib.h>
void work(void)
{
	for (int i = 1; i < 20; i++)
		free(malloc(i * 50));
}
"""


class Fault(Exception):
    pass


def helper_of(pid):
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "status").read_text()
            except OSError:
                continue
            if f"\nPPid:\t{pid}\n" in status and status.startswith("Name:\tsnapdiff\n"):
                return int(entry.name)
    return None


def look(pid):
    """(resident bytes, mappings, descriptors of the program, of its helper)"""
    proc = pathlib.Path(f"/proc/{pid}")
    rss = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    helper = helper_of(pid)
    ours = len(os.listdir(f"/proc/{helper}/fd")) if helper else 0
    return rss, len((proc / "maps").read_text().splitlines()), len(os.listdir(proc / "fd")), ours


def run(name, count, home, library):
    out = home / name
    out.mkdir()
    env = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(library), "SNAP_ACTIVE": "1", "SNAP_OUT": str(out)}
    host = subprocess.Popen([home / "host", name, str(max(1, count // STEPS)), home / "plugin.so"], env=env,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen = []
    for _ in range(STEPS):
        host.stdin.write(b"\n")
        host.stdin.flush()
        line = host.stdout.readline()
        if not line:
            raise Fault(f"the program ended with {host.wait()}")
        seen.append((float(line), *look(host.pid)))
    host.stdin.close()
    host.stdout.close()
    if host.wait() != 0:
        raise Fault(f"the program ended with {host.returncode}")
    return seen


def judge(seen):
    warm, last = seen[WARM], seen[-1]
    if max(step[1] for step in seen[WARM:]) > warm[1] + MORE_RSS:
        raise Fault(f"resident memory rose from {warm[1]} to {last[1]}")
    if last[2] > warm[2] + MORE_MAPPINGS:
        raise Fault(f"mappings rose from {warm[2]} to {last[2]}")
    if last[3] > warm[3] or max(step[4] for step in seen) > 16:
        raise Fault(f"descriptors rose from {warm[3:5]} to {last[3:5]}")
    first, late = (statistics.median(step[0] for step in part) for part in (seen[WARM:10], seen[-5:]))
    if late > 2 * first + 0.5:
        raise Fault(f"a step takes {late:.3f} s and took {first:.3f} s")


def growth(snapdiff, out):
    """snapdiff's own judgement of what it recorded."""
    result = subprocess.run([snapdiff, "growth", "--exit-code", "-q", out], capture_output=True, text=True, check=False,
                            env={"PATH": os.environ["PATH"], "HOME": str(out), "SNAPDIFF_CONFIG": ""})
    if result.returncode != 0:
        raise Fault(f"growth ends with {result.returncode}: {result.stdout} {result.stderr}")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    snapdiff, library, part = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), float(sys.argv[3])
    if not shutil.which("gcc"):
        print("skipped: gcc is not installed")
        sys.exit(77)
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        home = pathlib.Path(directory)
        (home / "host.c").write_text(HOST)
        (home / "plugin.c").write_text(PLUGIN)
        build = ["gcc", "-O1", "-fno-builtin", "-pthread"]
        subprocess.run([*build, "-o", home / "host", home / "host.c", "-ldl"], check=True)
        subprocess.run([*build, "-shared", "-fPIC", "-o", home / "plugin.so", home / "plugin.c"], check=True)
        for name in sys.argv[4:] or COUNTS:
            count = max(STEPS, int(COUNTS[name] * part))
            try:
                seen = run(name, count, home, library)
                print(f"{name}: {count:,}; " + "; ".join(
                    f"step {i + 1}: {s[0]:.2f} s, {s[1] >> 10} KiB, {s[2]} mappings, {s[3]}+{s[4]} descriptors"
                    for i, s in enumerate(seen) if i in (0, WARM, STEPS - 1)), flush=True)
                judge(seen)
                if name == "snapshots":
                    growth(snapdiff, home / name)
            except Fault as fault:
                print(f"FAULT {name}: {fault}", flush=True)
                wrong += 1
            shutil.rmtree(home / name)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
