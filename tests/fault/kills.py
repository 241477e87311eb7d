#!/usr/bin/env python3
"""SIGKILL at random moments: while a program writes snapshots, and while two loaders and readers share a database.

  writing  a recorded program with four threads writes snapshots all the time; the program alone, or everything that
           it has started, is killed.  Every file under a final name must be whole, as the reader that was written
           from the format says, and numbered without a gap; nothing of the recorder may live on
  loading  two loaders put the same snapshots into one database while readers look at it; one loader, both, or all of
           them are killed.  The database must be whole and have whole snapshots only, a second load must complete it,
           and a reader that lived answers, or says why not

The moments come from a seed, which is printed.  What was hit is counted: kills after which a half-written file or an
open transaction was left.

usage: kills.py SNAPDIFF LIBRARY KILLS [SEED]
"""
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import snapread  # noqa: E402

WRITER = r"""
#include <pthread.h>
#include <stdlib.h>
static void *work(void *kept)
{
	void **at = kept;
	for (int round = 0;; round++)
		for (int i = 0; i < 2000; i++) {
			free(at[i]);
			at[i] = malloc((size_t)(round % 64 * 16 + i % 100 + 1));
		}
	return NULL;
}
int main(void)
{
	static void *kept[4][2000];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, kept[i]);
	pthread_join(threads[0], NULL);
	return 0;
}
"""
SNAPSHOTS, ROWS, PATIENCE = 12, 400, 120


class Fault(Exception):
    pass


def require(condition, *facts):
    if not condition:
        raise Fault(" ".join(map(str, facts)))


def members(group):
    """Processes of a process group that have not ended."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[2] == str(group) and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def wait_for(condition, what):
    until = time.monotonic() + PATIENCE
    while not condition():
        require(time.monotonic() < until, what)
        time.sleep(0.005)


class Writing:
    """A program that is recorded, and killed."""

    def __init__(self, home, library):
        self.home, self.hits, self.files = home, 0, 0
        (home / "writer.c").write_text(WRITER)
        subprocess.run(["gcc", "-O1", "-fno-builtin", "-pthread", "-o", home / "writer", home / "writer.c"], check=True)
        self.env = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(library), "SNAP_ACTIVE": "1", "SNAP_EVERY": "5ms",
                    "SNAP_AT_GROWTH": "16KiB"}

    def check_files(self, out):
        seqs = []
        for path in out.glob("*.snap"):
            try:
                snapread.read(path)
            except snapread.Damaged as damage:
                raise Fault(f"{path.name} is under its final name and damaged: {damage}") from damage
            seqs.append(int(path.name.split(".")[-2]))
        self.files += len(seqs)
        require(sorted(seqs) == list(range(1, len(seqs) + 1)), "numbers of snapshots:", sorted(seqs))
        return len(seqs)

    def attempt(self, dice):
        out = self.home / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        process = subprocess.Popen([self.home / "writer"], env={**self.env, "SNAP_OUT": str(out)},
                                   start_new_session=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_for(lambda: any(out.glob("*.snap")), "no first snapshot")
            time.sleep(dice.uniform(0, 0.1))
            if dice.random() < 0.5:
                os.kill(process.pid, signal.SIGKILL)
                wait_for(lambda: not members(process.pid), "the recorder outlives its program")
        finally:
            if members(process.pid) or process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            wait_for(lambda: not members(process.pid), "something cannot be killed")
        self.check_files(out)
        half = [path.name for path in out.iterdir() if path.suffix != ".snap"]
        # `snapdiff run` knows them by their names.
        require(all(re.fullmatch(rf"\.writer\.{process.pid}\.[0-9a-f]{{16}}\.tmp", name) for name in half), half)
        self.hits += len(half) > 0

    def summary(self):
        return f"{self.files} snapshots, all whole; {self.hits} kills left a half-written file"


class Loading:
    """Two loaders and readers at one database, and kills among them."""

    def __init__(self, home, snapdiff):
        self.home, self.snapdiff, self.hits, self.partial, self.reads = home, snapdiff, 0, 0, 0
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "SNAPDIFF_CONFIG": ""}
        (home / "snaps").mkdir()
        for n in range(1, SNAPSHOTS + 1):
            rows = "\n".join(f"{n}\t1\t{n}\t1\tmalloc\t-\tf{i}_{n}|a.c|{i}|m\tmain|a.c|1|m" for i in range(ROWS))
            (home / "snaps" / f"{n:02}.txt").write_text(
                f"#snaptext 1\n@ seq\t{n}\nlive_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\t"
                f"cohorts\tframes...\n{rows}\n")
        begun = time.monotonic()
        for process in [self.load(), self.load()]:
            require(process.wait(timeout=PATIENCE) == 0, "loading fails by itself:", process.stderr.read())
        self.duration = time.monotonic() - begun
        self.state(SNAPSHOTS)

    def start(self, *words):
        return subprocess.Popen([self.snapdiff, *words], env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def load(self):
        return self.start("load", "-q", "snaps", "--db", "x.db")

    def state(self, least):
        """Whole, and each snapshot whole."""
        database = sqlite3.connect(self.home / "x.db")
        whole = database.execute("pragma integrity_check").fetchone()[0]
        require(whole == "ok", "integrity_check:", whole)
        if not database.execute("select 1 from sqlite_schema").fetchone():
            rows = []  # killed before there was a table
        else:
            rows = database.execute("select s.seq, s.live_bytes, sum(h.live_bytes), count(*) from snapshots as s "
                                    "left join history as h using (snapshot_id) group by s.snapshot_id").fetchall()
        database.close()
        for seq, total, summed, count in rows:
            require((total, summed, count) == (seq * ROWS, seq * ROWS, ROWS), "snapshot", seq, "is", total, summed, count)
        seqs = [row[0] for row in rows]
        require(len(set(seqs)) == len(seqs) >= least, "snapshots in the database:", sorted(seqs))
        return len(seqs)

    def check_reader(self, reader):
        said = reader.communicate(timeout=PATIENCE)[1]
        self.reads += reader.returncode == 0
        require(reader.returncode in (0, -signal.SIGKILL) or reader.returncode in (3, 4) and said.strip(),
                "a reader ends with", reader.returncode, said)

    def attempt(self, dice):
        for path in self.home.glob("x.db*"):
            path.unlink()
        loaders, readers = [self.load(), self.load()], [self.start("top", "--db", "x.db")]
        until = time.monotonic() + dice.uniform(0, self.duration)
        while time.monotonic() < until:
            time.sleep(min(0.01, max(0, until - time.monotonic())))
            if readers[-1].poll() is not None and len(readers) < 8:
                readers.append(self.start("ls", "--db", "x.db"))
        victims = dice.choice([loaders[:1], loaders[1:], loaders, loaders + readers])
        for process in victims:
            process.kill()
        for process in victims:
            if process in loaders:
                process.wait(timeout=PATIENCE)
        self.hits += any(self.home.glob("x.db-*"))
        for process in loaders:
            said = process.communicate(timeout=PATIENCE)[1]
            require(process.returncode in (0, -signal.SIGKILL), "a loader ends with", process.returncode, said)
        for reader in readers:
            self.check_reader(reader)
        self.partial += self.state(0) < SNAPSHOTS if (self.home / "x.db").exists() else 1
        again = self.load()
        require(again.wait(timeout=PATIENCE) == 0, "a second load fails:", again.stderr.read())
        again.stderr.close()
        self.state(SNAPSHOTS)

    def summary(self):
        return (f"{self.partial} kills left loading unfinished, {self.hits} a transaction open; "
                f"{self.reads} readers answered; every second load completed it")


def try_all(name, subject, kills, dice):
    wrong = 0
    for kill in range(1, kills + 1):
        try:
            subject.attempt(dice)
        except Fault as fault:
            print(f"FAULT {name}, kill {kill}: {fault}", flush=True)
            wrong += 1
    print(f"{name}: {kills} kills, {wrong} faults; {subject.summary()}", flush=True)
    return wrong


def main():
    if len(sys.argv) not in (4, 5) or not re.fullmatch("[0-9]+", sys.argv[3]):
        sys.exit(__doc__)
    snapdiff, library, kills = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) == 5 else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    if not shutil.which("gcc"):
        print("skipped: gcc is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        wrong = try_all("writing", Writing(pathlib.Path(one), library), kills, random.Random(seed))
        wrong += try_all("loading", Loading(pathlib.Path(two), snapdiff), kills, random.Random(seed))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
