#!/usr/bin/env python3
"""A file that cannot be read, or only in part, never looks like a file that was read.

strace makes the 1st, 2nd, 3rd ... call on one file fail: an input, a policy, suppressions, a configuration,
a database.  After that one of two things holds:
  - the command prints what it prints otherwise and has the same exit status;
  - it ends with exit status 3 or 4, prints no report, and its message names the file.
A directory, in which the other files can be read, may be reported on, if the file is named and the status is 3.

Exit status 77 without strace, or where tracing is not permitted.

usage: faulty_files.py SNAPDIFF LIBRARY some|all
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import run as cli  # noqa: E402

OPENS, READS, STATS = "openat,open", "read,pread64", "newfstatat,fstat,stat,statx"
WRITES = "write,pwrite64,ftruncate"
FAULTS = [(READS, "EIO"), (OPENS, "EMFILE"), (STATS, "EIO"), (READS, "EINTR")]
MORE_FAULTS = [(OPENS, "ENOENT"), (OPENS, "ENFILE"), (OPENS, "EIO"), (OPENS, "EACCES"), (OPENS, "ENOMEM"), (READS, "ENOMEM"),
               (WRITES, "ENOSPC"), (WRITES, "EIO"), (WRITES, "EDQUOT"), ("fsync,fdatasync", "EIO"), (STATS, "EACCES"), (STATS, "ENOMEM"), ("mmap", "ENOMEM"), ("lseek", "EIO"), ("getdents64", "EIO"),
               ("fstatfs,statfs", "EIO"), ("readlink,readlinkat", "EIO"), ("access,faccessat,faccessat2", "EIO")]
MOST = 60  # calls of a kind that are tried
EXIT_INPUT, EXIT_SYSTEM = 3, 4

PROGRAM = "#include <stdlib.h>\nvoid *kept; int main(void) { kept = malloc(999); return 0; }\n"
POLICY = "max-total = 1MiB\nmax-site = 1MiB\n"
STRICT = "max-total = 1\n"


class Fault(Exception):
    pass


class Case:
    """A command, and the file of it that is faulty."""

    def __init__(self, name, file, command, partly=False, unnamed=None, spare=False, gone=None):
        self.name, self.file, self.command = name, file, command
        self.partly = partly  # the report may be on the other files
        self.gone = gone  # the exit status when there is no such file
        self.spare = spare  # the report is the same without the file, which is made anew
        self.unnamed = unnamed  # without the file, the report is this, with status 0 and a warning


def cases():
    text = "testdata.txt"
    return [
        Case("snapshot", "a.snap", ["top", "a.snap"]),
        Case("text", text, ["top", text]),
        Case("packed text", "b.txt.gz", ["top", "b.txt.gz"]),
        Case("packed snapshot", "a.snap.zst", ["info", "a.snap.zst"]),
        Case("dump", "a.snap", ["dump", "a.snap"]),
        Case("build", text, ["build", text, "-o", "built.snap"]),
        Case("pickle", "3.10.after.dump", ["top", "3.10.after.dump"]),
        Case("one of a directory", "series/series-2.snap", ["growth", "series"], partly=True),
        Case("one of a directory, gate", "series/series-2.snap", ["growth", "--exit-code", "series"], partly=True),
        Case("one of a directory, check", "series/series-2.snap", ["check", "series"], partly=True),
        Case("one of a directory, list", "series/series-2.snap", ["ls", "series"], partly=True),
        Case("one of a directory, load", "series/series-2.snap", ["load", "-q", "--db", "new.db", "series"], partly=True),
        Case("one of a directory, page", "series/series-2.snap", ["report", "series"], partly=True),
        Case("directory", "series", ["growth", "series"]),
        Case("newest of a directory", "series/series-8.snap", ["top", "series"], partly=True),
        Case("old", "a.snap", ["compare", "--exit-code", "a.snap", "b.snap"]),
        Case("baseline", "base.txt", ["check", "b.snap", "--baseline", "base.txt"]),
        Case("policy", "strict.conf", ["check", "--policy", "strict.conf", "a.snap", "--baseline", "a.snap"]),
        Case("policy of the directory", "snapdiff.conf", ["check", "a.snap", "--baseline", "a.snap"], gone=0),
        Case("suppressions", "suppressed", ["check", "--suppressions", "suppressed", "--max-total", "1", "a.snap",
                                            "--baseline", "b.snap"]),
        Case("configuration", "config", ["top", "a.snap"], gone=2),
        Case("query file", "q.sql", ["query", "-F", "q.sql", "a.snap"]),
        Case("database", "x.db", ["top", "--db", "x.db", "@1"]),
        Case("list of a database", "x.db", ["ls", "--db", "x.db"]),
        Case("query of a database", "x.db", ["query", "--db", "x.db", "select count(*), sum(live_bytes) from sites"]),
        Case("load into a database", "x.db", ["load", "-q", "--db", "x.db", "b.snap"]),
        Case("database of earlier", "x.db", ["growth", "--exit-code", "--db", "x.db"]),
        Case("module", "program", ["top", "recorded.snap"], unnamed=b"program+0x"),
        Case("cache of names", "../.cache/snapdiff/symbols.db", ["top", "recorded.snap"], spare=True),
        Case("source", "src/a.c", ["report", "--source", "src", "a.snap"]),
    ]


def record(library, work, env):
    (work / "program.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-fno-builtin", "-o", "program", "program.c"], cwd=work, check=True)
    subprocess.run([work / "program"], cwd=work, check=True, stderr=subprocess.DEVNULL,
                   env=dict(env, LD_PRELOAD=str(library), SNAP_ACTIVE="1", SNAP_OUT=str(work / "out")))
    next((work / "out").glob("*.snap")).rename(work / "recorded.snap")


def make_home(snapdiff, library, home):
    """All the files of the cases."""
    env = cli.environment(snapdiff, home)
    cli.build_snapshots(str(snapdiff), home / "s")
    work = home / "work"
    (work / "series").mkdir(parents=True)
    shutil.copy(home / "s/before.snap", work / "a.snap")
    shutil.copy(home / "s/after.snap", work / "b.snap")
    shutil.copy(home / "s/before.txt", work / "testdata.txt")
    for path in (home / "s").glob("series-*.snap"):
        shutil.copy(path, work / "series")
    subprocess.run(["gzip", "-k", "-c", work / "testdata.txt"], stdout=(work / "b.txt.gz").open("wb"), check=True)
    subprocess.run(["zstd", "-q", work / "a.snap"], check=True)
    shutil.copy(cli.TESTDATA.parent / "tracemalloc" / "3.10.after.dump", work)
    (work / "strict.conf").write_text(STRICT)
    (work / "snapdiff.conf").write_text(POLICY)
    (work / "suppressed").write_text("leak:no_such_function\n")
    (work / "config").write_text("library load_config\n")
    (work / "q.sql").write_text("select count(*) from sites")
    subprocess.run([snapdiff, "load", "-q", "--db", "x.db", "a.snap", *sorted(map(str, (work / "series").iterdir()))],
                   cwd=work, env=env, check=True)
    subprocess.run([snapdiff, "check", "a.snap", "--write-baseline", "base.txt"], cwd=work, env=env, check=True)
    (work / "src").mkdir()
    (work / "src/a.c").write_text("int a;\n" * 200)
    record(library, work, env)
    work.rename(home / "files")  # a copy is there again for every run: the snapshot names the program in it
    env["SNAPDIFF_CONFIG"] = str(work / "config")
    return env


class Trial:
    def __init__(self, snapdiff, home, env, case):
        self.snapdiff, self.home, self.env, self.case = snapdiff, home, env, case
        self.work = home / "work"
        self.sound = self.seen(self.run([]))

    def run(self, before):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.home / "files", self.work)
        if self.case.spare:
            shutil.rmtree(self.home / ".cache", ignore_errors=True)
        return subprocess.run([*before, self.snapdiff, *self.case.command], cwd=self.work, env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)

    def seen(self, result):
        built = self.work / "built.snap"
        output = re.sub(rb"nonce[-=]\"?[0-9a-f]+", b"nonce", result.stdout)  # a page has another one each time
        return result.returncode, output, built.read_bytes() if built.exists() else None

    def check(self, calls, error, when):
        """True if the fault was met."""
        log = self.home / "log"
        known = ",".join(f"?{call}" for call in calls.split(","))
        result = self.run(["strace", "--quiet=all", "-f", "-o", str(log), "-P", os.path.normpath(self.work / self.case.file),
                           "-P", self.case.file, "-e", f"trace={known}", f"--inject={known}:error={error}:when={when}"])
        if "(INJECTED" not in log.read_text(errors="replace"):
            return False
        seen = self.seen(result)
        if seen == self.sound:
            return True
        said = result.stderr.decode(errors="replace")
        name = pathlib.Path(self.case.file).name
        if error == "ENOENT" and seen[0] == self.case.gone:
            return True
        if self.case.unnamed and seen[0] == 0 and self.case.unnamed in seen[1] and name in said:
            return True
        facts = f"exit status {seen[0]}, {said!r}, output {seen[1][:200]!r}"
        if error == "EINTR":
            raise Fault(f"an interrupted call changes the outcome: {facts}")
        if seen[0] not in (EXIT_INPUT, EXIT_SYSTEM) or self.case.spare:
            raise Fault(facts)
        if error in ("EMFILE", "ENFILE") and seen[0] != EXIT_SYSTEM:
            raise Fault(f"the fault is the system's, not the file's: {facts}")
        if name not in said:
            raise Fault(f"the file is not named: {facts}")
        if seen[1] and not self.case.partly:
            raise Fault(f"a report: {facts}")
        if seen[2]:
            raise Fault(f"a file was written: {facts}")
        return True


def main(arguments):
    if len(arguments) != 4 or arguments[3] not in ("some", "all"):
        sys.exit(__doc__)
    if not shutil.which("gcc") or not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        print("skipped: strace or gcc is not installed, or tracing is not permitted here")
        return 77
    snapdiff, library = (pathlib.Path(name).resolve() for name in arguments[1:3])
    faults = FAULTS + MORE_FAULTS if arguments[3] == "all" else FAULTS
    most = MOST if arguments[3] == "all" else 2
    runs = wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        env = make_home(snapdiff, library, home)
        for case in cases():
            trial = Trial(snapdiff, home, env, case)
            for calls, error in faults:
                for when in range(1, most):
                    runs += 1
                    try:
                        hit = trial.check(calls, error, when)
                    except Fault as fault:
                        print(f"FAULT {case.name}: {calls} {error} {when}: {fault}", flush=True)
                        wrong, hit = wrong + 1, True
                    if not hit:
                        break
    print(f"{runs} runs, {wrong} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
