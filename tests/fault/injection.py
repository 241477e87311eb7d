#!/usr/bin/env python3
"""System calls fail, or the process is killed at them: the host notices nothing, and no file is lost.

strace stands outside and makes the 1st, 2nd, 3rd ... call of a kind fail (or kills who makes it), until a run makes
fewer calls than that.  After each run:
  host  its output and exit status are as without us; every file under a final name is whole, as the reader that was
        written from the format says; what was there before is unchanged; when nothing was written, a message says so
  load  exit status 0 and the snapshot is in the database, or not 0, one message, and the database is as before;
        after a kill a second load completes it
  top   all names, or a warning that names the module without, or one message

Exit status 77 without strace, or where tracing is not permitted.

usage: injection.py SNAPDIFF LIBRARY some|all
"""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import snapread  # noqa: E402

HOST = r"""
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	static void *kept[500];
	for (int i = 0; i < 500; i++)
		if (!(kept[i] = malloc(50)))
			return 9;
	puts("host done");
	return 7;
}
"""

# What may fail: (calls as strace names them, how, at most how many times).
FAULTS = [
    ("rename,renameat,renameat2,linkat", "error=EIO"), ("fsync,fdatasync", "error=EIO"),
    ("write,pwrite64,writev", "error=ENOSPC"),
    ("clone,clone3,fork,vfork", "error=EAGAIN"), ("openat,open", "error=EMFILE"),
    ("rename,renameat,renameat2,linkat", "signal=KILL"), ("write,pwrite64,writev", "signal=KILL"),
    ("fsync,fdatasync", "signal=KILL"),
]
MORE_FAULTS = [
    ("mmap", "error=ENOMEM"), ("munmap,mprotect,madvise,mremap", "error=ENOMEM"), ("openat,open", "error=ENOENT"),
    ("openat,open", "error=EACCES"), ("read,pread64", "error=EIO"), ("read,pread64", "error=EINTR"),
    ("write,pwrite64,writev", "error=EINTR"), ("write,pwrite64,writev", "error=EDQUOT"),
    ("write,pwrite64,writev", "error=EIO"), ("newfstatat,fstat,stat,statx", "error=EIO"),
    ("rename,renameat,renameat2,linkat", "error=ENOSPC"), ("ftruncate,fallocate", "error=ENOSPC"),
    ("socket,bind,listen", "error=EMFILE"), ("openat,open", "signal=KILL"), ("unlink,unlinkat", "signal=KILL"),
    ("ftruncate", "signal=KILL"), ("futex", "error=EINTR"), ("wait4,waitid", "error=EINTR"),
]
MOST = 400  # calls of a kind that are tried


class Fault(Exception):
    pass


def require(condition, *facts):
    if not condition:
        raise Fault(" ".join(map(str, facts)))


def traced(command, calls, how, when, log, env):
    """Run under strace; the result, and whether anything was injected."""
    calls = ",".join(f"?{call}" for call in calls.split(","))
    argv = ["strace", "-f", "-o", log, "-e", f"trace={calls}", f"--inject={calls}:{how}:when={when}", *command]
    result = subprocess.run(argv, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=300, check=False)
    text = log.read_text(errors="replace") if log.exists() else ""
    hit = "(INJECTED" in text or "+++ killed by SIGKILL" in text
    return result, hit


class Host:
    """A program that is recorded until it ends."""

    def __init__(self, home, library):
        self.home, self.library = home, library
        (home / "host.c").write_text(HOST)
        subprocess.run(["gcc", "-O1", "-fno-builtin", "-o", home / "host", home / "host.c"], check=True)
        self.out = home / "out"
        self.out.mkdir()
        self.env = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(library), "SNAP_ACTIVE": "1",
                    "SNAP_OUT": str(self.out), "SNAP_AT_GROWTH": "8KiB"}
        first = subprocess.run([home / "host"], env=self.env, capture_output=True, check=False)
        require(first.returncode == 7 and list(self.out.iterdir()), "recording fails by itself", first)
        self.before = min(self.out.iterdir())
        self.content = self.before.read_bytes()
        require(self.before.stat().st_mode & 0o077 == 0, "others may read the snapshot")

    def fails_without_us(self, result, calls, how, when):
        if result.returncode != -11:
            return False
        bare, _ = traced([self.home / "host"], calls, how, when, self.home / "log", {"PATH": os.environ["PATH"]})
        return bare.returncode == result.returncode

    def check(self, calls, how, when):
        env = {name: value for name, value in self.env.items() if name == "PATH"}
        given = [f"-E{name}={value}" for name, value in self.env.items() if name != "PATH"]
        for path in self.out.iterdir():
            if path != self.before:
                path.unlink()
        result, hit = traced([*given, self.home / "host"], calls, how, when, self.home / "log", env)
        said = result.stderr.decode(errors="replace")
        is_killed = "KILL" in how and result.returncode in (-9, 137)
        # Before libsnap is there the loader may fail: it says so, or ends without us in the same way.
        is_loaders = (result.returncode == 127 and ("shared librar" in said or "TLS data" in said) or
                      "cannot be preloaded" in said or self.fails_without_us(result, calls, how, when))
        hits_host = "host done" not in result.stdout.decode() and "write" in calls
        require(result.returncode == 7 or is_killed or is_loaders, "exit status", result.returncode, said)
        require(result.stdout == b"host done\n" or is_killed or is_loaders or hits_host, "output", result.stdout)
        files = [path for path in self.out.iterdir() if path.name.endswith(".snap") and path != self.before]
        for path in files:
            try:
                snapread.read(path)
            except snapread.Damaged as damage:
                raise Fault(f"{path.name} is under its final name and damaged: {damage}") from damage
        require(self.before.read_bytes() == self.content, "the earlier snapshot changed")
        require(files or said or is_killed or is_loaders, "no snapshot, and nobody says why")
        return hit


class Load:
    """A snapshot goes into a database that has another one."""

    def __init__(self, home, snapdiff):
        self.home, self.snapdiff = home, snapdiff
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "SNAPDIFF_CONFIG": ""}
        for n in (1, 2):
            rows = "\n".join(f"{n}\t1\t{n}\t1\tmalloc\t-\tf{i}|a.c|{i}|m" for i in range(300))
            (home / f"{n}.txt").write_text(
                f"#snaptext 1\n@ seq\t{n}\nlive_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\t"
                f"cohorts\tframes...\n{rows}\n")
        subprocess.run(self.command(1, "sound.db"), env=self.env, check=True)

    def command(self, n, db="x.db"):
        return [self.snapdiff, "load", "-q", self.home / f"{n}.txt", "--db", self.home / db]

    def state(self):
        database = sqlite3.connect(self.home / "x.db")
        whole = database.execute("pragma integrity_check").fetchone()[0]
        seqs = [seq for seq, in database.execute("select seq from snapshots order by seq")]
        sums = database.execute("select sum(live_bytes) from history where snapshot_id = 1").fetchone()[0]
        database.close()
        require(whole == "ok", "integrity_check:", whole)
        require(sums == 300, "the first snapshot changed:", sums)
        return seqs

    def check(self, calls, how, when):
        for path in self.home.glob("x.db*"):
            path.unlink()
        shutil.copy(self.home / "sound.db", self.home / "x.db")
        result, hit = traced(self.command(2), calls, how, when, self.home / "log", self.env)
        said = result.stderr.decode(errors="replace").strip()
        seqs = self.state()
        is_loaders = result.returncode == -11 and calls == "mmap" and when == 1
        require(result.returncode in (0, 3, 4, 127, -9, 137) or is_loaders, "exit status", result.returncode, said)
        if result.returncode == 0:
            require(seqs == [1, 2], "loaded, but the database has", seqs)
        elif "KILL" not in how and result.returncode != 127:
            require(seqs == [1], "failed, but the database has", seqs)
            require(said or is_loaders or "write" in calls, "failed without a word")
        again = subprocess.run(self.command(2), env=self.env, capture_output=True, check=False)
        require(again.returncode == 0 and self.state() == [1, 2], "a second load does not complete it:", again.stderr)
        return hit


class Names:
    """A report that asks the process that reads modules, for nothing is remembered."""

    def __init__(self, home, snapdiff, library):
        self.home, self.snapdiff = home, snapdiff
        (home / "host.c").write_text(HOST)
        subprocess.run(["gcc", "-g", "-O1", "-fno-builtin", "-o", home / "host", home / "host.c"], check=True)
        (home / "out").mkdir()
        subprocess.run([home / "host"], env={"PATH": os.environ["PATH"], "LD_PRELOAD": str(library), "SNAP_ACTIVE": "1",
                                             "SNAP_OUT": str(home / "out")}, capture_output=True, check=False)
        self.snapshot = next((home / "out").iterdir())
        self.env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "SNAPDIFF_CONFIG": ""}
        sound = subprocess.run(self.command(), env=self.env, capture_output=True, check=True)
        require(b"host.c" in sound.stdout and not sound.stderr, "no names by itself", sound)
        self.expected = sound.stdout

    def command(self):
        return [self.snapdiff, "top", self.snapshot]

    def check(self, calls, how, when):
        result, hit = traced(self.command(), calls, how, when, self.home / "log", self.env)
        said = result.stderr.decode(errors="replace").strip()
        require(result.returncode in (0, 4, -9, 137), "exit status", result.returncode, said)
        if result.returncode == 0:
            require(result.stdout == self.expected or "no names for module" in said, "names are missing, and nobody says why")
        elif result.returncode == 4:
            require(said.startswith("snapdiff top: cannot ") and "\n" not in said, "failed with", said)
        return hit


# Where the process that reads modules is started and asked.
WORKER_FAULTS = [
    ("socketpair", "error=EMFILE"), ("clone,clone3,fork,vfork", "error=EAGAIN"), ("prlimit64", "error=EPERM"), ("recvfrom", "error=EINTR"),
    ("sendto", "error=EINTR"), ("recvfrom", "error=ECONNRESET"), ("sendto", "error=EPIPE"), ("recvfrom", "signal=KILL"),
    ("wait4", "error=EINTR"), ("prctl", "error=EPERM"), ("close_range", "error=ENOSYS"),
]


def try_all(name, subject, faults):
    runs, wrong = 0, 0
    for calls, how in faults:
        for when in range(1, MOST):
            try:
                hit = subject.check(calls, how, when)
            except Fault as fault:
                print(f"FAULT {name}: {calls}:{how}:when={when}: {fault}")
                wrong, hit = wrong + 1, True
            runs += 1
            if not hit:
                break
        print(f"{name}: {calls} {how}: {when} runs", flush=True)
    print(f"{name}: {runs} runs, {wrong} faults")
    return wrong


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    snapdiff, library, amount = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3]
    if not shutil.which("strace") or not shutil.which("gcc"):
        print("skipped: strace or gcc is not installed")
        sys.exit(77)
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode:
        print("skipped: tracing is not permitted here")
        sys.exit(77)
    faults = FAULTS + MORE_FAULTS if amount == "all" else FAULTS[:4]
    with (tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two,
          tempfile.TemporaryDirectory() as three):
        wrong = try_all("host", Host(pathlib.Path(one), library), faults)
        wrong += try_all("load", Load(pathlib.Path(two), snapdiff), faults if amount == "all" else FAULTS[1:3])
        names = Names(pathlib.Path(three), snapdiff, library)
        wrong += try_all("names", names, WORKER_FAULTS if amount == "all" else WORKER_FAULTS[:3])
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
