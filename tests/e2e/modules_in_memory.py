"""`run --resident` and `snap --resident`: how much of the program is in memory, held against what the kernel says in smaps; and what is said of
modules that are mapped no more, are too many or have a path that is too long.

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
# A brief process with little memory is asked for less; later, 8 blocks of a MiB are written to by half.
HALVES_C = r"""#include <stdlib.h>
#include <string.h>
extern int snap_take(const char *) __attribute__((weak));
static char *volatile blocks[8];
int main(void)
{
	snap_take("brief");
	for (int i = 0; i < 8; i++) memset(blocks[i] = malloc(1 << 20), 1, 1 << 19);
	snap_take("halves");
	return 0;
}
"""
# It writes to a library's variables, has it allocate, says who it is, and waits.
WAITS_C = r"""#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words)
{
	void *library = dlopen(words[1], RTLD_NOW);
	((void (*)(void))dlsym(library, "touch"))();
	((void (*)(void))dlsym(library, "keep"))();
	printf("%d\n", (int)getpid());
	fflush(stdout);
	return getchar() != EOF || count != 2;
}
"""
LIBRARY_C = r"""static char variables[1 << 20] = {1};
int number = NUMBER;
void touch(void) { for (unsigned i = 0; i < sizeof(variables); i += 4096) ((volatile char *)variables)[i]++; }
extern void *malloc(unsigned long);
void *kept;
void keep(void) { kept = malloc(100); }
"""
# A library is mapped, unmapped, and mapped elsewhere; another one is replaced by a new file of the same name.
REOPENS_C = r"""#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
extern int snap_take(const char *) __attribute__((weak));
static void *open_it(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*touch)(void) = library ? (void (*)(void))dlsym(library, "touch") : NULL;
	if (touch) touch();
	return library;
}
int main(int count, char **words)
{
	struct link_map *map;
	void *library = open_it(words[1]), *page;
	dlinfo(library, RTLD_DI_LINKMAP, &map);
	page = (void *)map->l_addr;
	dlclose(library);
	mmap(page, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	library = open_it(words[1]);
	dlinfo(library, RTLD_DI_LINKMAP, &map);
	printf("%ld\n", (long)map->l_addr);
	library = open_it(words[2]);
	dlclose(library);
	rename(words[3], words[2]);
	open_it(words[2]);
	snap_take("here");
	return count != 4;
}
"""
MANY_C = r"""#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
extern int snap_take(const char *) __attribute__((weak));
int main(int count, char **words)
{
	int many = atoi(words[1]), opened = 0;
	void **libraries = calloc((size_t)many + 1, sizeof(*libraries));
	for (int i = 0; i <= many; i++) {
		char path[64];
		snprintf(path, sizeof(path), "./many/lib%d.so", i);
		if (i == many) {
			snap_take("many");
			while (opened > 0) dlclose(libraries[--opened]);
		}
		libraries[i] = dlopen(path, RTLD_NOW);
		opened += libraries[i] != NULL;
	}
	snap_take("last");
	return opened != 1 || count != 2;
}
"""
MOST = 1024
SLACK = 128 * 1024  # pages that the program touches after it has read smaps


def info(snapdiff, path):
    done = subprocess.run([snapdiff, "info", "-f", "json", path], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def in_memory(snapdiff, path):
    return info(snapdiff, path)["modules_in_memory"]


def compile_c(where, name, source, *options):
    path = os.path.join(where, name)
    with open(path + ".c", "w", encoding="utf-8") as file:
        file.write(source)
    subprocess.run(["cc", "-g", "-O1", "-o", path, path + ".c", *options], check=True)
    return path


def take(snapdiff, where, command, cwd=None):
    """What the program prints; its snapshots by label."""
    snaps = tempfile.mkdtemp(dir=where)
    done = subprocess.run([snapdiff, "run", "-q", "-o", snaps, "--resident", "--", *command], cwd=cwd or where,
                          check=True, capture_output=True, text=True, timeout=600)
    paths = [os.path.join(snaps, name) for name in sorted(os.listdir(snaps))]
    return done.stdout, {info(snapdiff, path)["snapshot"]["label"]: path for path in paths}


def check_account(snapdiff, where):
    """The figures of the heap are there with the option, too."""
    _, snaps = take(snapdiff, where, [compile_c(where, "halves", HALVES_C)])
    assert in_memory(snapdiff, snaps["brief"]), "whoever asks gets them of a brief process, too"
    absent = info(snapdiff, snaps["halves"])["metrics"]["heap.absent_bytes"]
    assert 8 * ((1 << 19) - 2 * 4096) <= absent <= 8 << 19, absent


def check_long_path(snapdiff, where):
    """A path that leaves no room in a key costs one figure, and no snapshot."""
    deep = where
    while len(deep) < 4080:
        deep = os.path.join(deep, "d" * min(100, 4088 - len(deep) - 1))
    os.makedirs(deep)
    shutil.copy(os.path.join(where, "holds"), deep)
    _, snaps = take(snapdiff, where, ["./holds", "/holds"], cwd=deep)
    facts = info(snapdiff, snaps["here"])
    assert any(module["path"] == deep + "/holds" for module in facts["modules"]), "it is known"
    assert not any(module["path"].endswith("/holds") for module in facts["modules_in_memory"])
    assert any("libc" in module["path"] for module in facts["modules_in_memory"]), "the others have figures"
    assert facts["losses"]["modules_uncounted"] == 1, facts["losses"]


def check_reopened(snapdiff, where):
    """Only what is mapped has figures, and each has its own."""
    libraries = [compile_c(where, f"{name}.so", LIBRARY_C, "-shared", "-fPIC", "-nostdlib", "-Wl,--build-id=sha1",
                           f"-DNUMBER={number}") for number, name in enumerate(("moved", "swapped", "fresh"))]
    printed, snaps = take(snapdiff, where, [compile_c(where, "reopens", REOPENS_C, "-ldl"), *libraries])
    rows = json.loads(subprocess.run(
        [snapdiff, "query", "-f", "json", "SELECT module, base, resident_bytes, private_bytes FROM modules "
         "WHERE module LIKE '%/moved.so' OR module LIKE '%/swapped.so'", snaps["here"]],
        check=True, capture_output=True, text=True).stdout)["rows"]
    print("reopened:", rows)
    for path in libraries[:2]:
        here = [row for row in rows if row["module"] == path]
        counted = [row for row in here if row["resident_bytes"] is not None]
        assert len(here) == 2 and len(counted) == 1, here
        assert 1 << 20 <= counted[0]["private_bytes"] <= counted[0]["resident_bytes"] <= (1 << 20) + SLACK
        listed = [module for module in in_memory(snapdiff, snaps["here"]) if module["path"] == path]
        assert [int(module["base"], 16) for module in listed] == [counted[0]["base"]], listed
        if path == libraries[0]:
            assert counted[0]["base"] == int(printed), "the present one"


def of_kernel(pid, name):
    """Resident and private bytes of a mapped file, by the kernel."""
    sums, inside = {"Rss:": 0, "Anonymous:": 0}, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        for line in smaps:
            words = line.split()
            if "-" in words[0]:
                inside = words[-1] == name
            elif inside and words[0] in sums:
                sums[words[0]] += int(words[1]) * 1024
    return sums["Rss:"], sums["Anonymous:"]


def check_asked_later(snapdiff, where):
    """Of a program that runs: `snap --resident`, and from then on every snapshot."""
    library = compile_c(where, "later.so", LIBRARY_C, "-shared", "-fPIC", "-nostdlib", "-DNUMBER=1")
    program = compile_c(where, "waits", WAITS_C, "-ldl")
    snaps = tempfile.mkdtemp(dir=where)
    with subprocess.Popen([snapdiff, "run", "-q", "-o", snaps, "--exit-snapshot", "none", "--", program, library],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        pid = int(run.stdout.readline())
        before, asked, after = (subprocess.run([snapdiff, "snap", *options, str(pid)], check=True, capture_output=True,
                                               text=True, timeout=60).stdout.strip() for options in ([], ["--resident"], []))
        resident, private = of_kernel(pid, library)
        run.stdin.close()
        assert run.wait() == 0
    assert in_memory(snapdiff, before) == [], "nobody had asked"
    for path in (asked, after):
        found = next(module for module in in_memory(snapdiff, path) if module["path"] == library)
        assert (found["resident_bytes"], found["private_bytes"]) == (resident, private), (found, resident, private)
        assert info(snapdiff, path)["losses"]["modules_uncounted"] == 0
    assert private >= 1 << 20, "the program wrote to its variables"


def check_many(snapdiff, where):
    """What does not fit is counted; what is not mapped any more takes no room."""
    many = MOST + 6
    library = compile_c(where, "small.so", "int small = 1;", "-shared", "-fPIC", "-nostdlib")
    os.mkdir(os.path.join(where, "many"))
    for i in range(many + 1):
        shutil.copy(library, os.path.join(where, "many", f"lib{i}.so"))
    _, snaps = take(snapdiff, where, [compile_c(where, "opens", MANY_C, "-ldl"), str(many)])
    facts = info(snapdiff, snaps["many"])
    known, counted = ([module for module in facts[of] if module["path"] != "[vdso]"]
                      for of in ("modules", "modules_in_memory"))
    assert len(known) > many and MOST - 1 <= len(counted) <= MOST, (len(known), len(counted))
    assert facts["losses"]["modules_uncounted"] == len(known) - len(counted), facts["losses"]
    facts = info(snapdiff, snaps["last"])
    assert any(module["path"].endswith(f"/lib{many}.so") for module in facts["modules_in_memory"])
    assert facts["losses"]["modules_uncounted"] == 0, facts["losses"]


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
        where = os.path.realpath(where)
        compile_c(where, "holds", PROGRAM_C)
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
        for check in (check_account, check_long_path, check_reopened, check_asked_later, check_many):
            check(snapdiff, where)


if __name__ == "__main__":
    main()
