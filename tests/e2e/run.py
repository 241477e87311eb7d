#!/usr/bin/env python3
"""Record programs that know the truth about their heap, and compare.

run.py --library libsnap.so --programs DIR [--snapdiff FILE] [NAME...]

Functions are found by `nm` on the program, independently of snapdiff's own symboliser; a site is the
program's newest frame, if its function is called site_*.  With --snapdiff, `snapdiff top` must give the same.
"""
import argparse
import bisect
import glob
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import snapread  # noqa: E402

FIELDS = ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks")
options = None
failures = 0


class Symbols:
    """Function names of one program, by ELF address."""

    def __init__(self, path):
        rows = []
        for line in subprocess.run(["nm", "-C", "--defined-only", path], capture_output=True,
                                   text=True, check=True).stdout.splitlines():
            address, kind, name = line.split(" ", 2)
            if kind in "tTwW":
                rows.append((int(address, 16), name.split("(")[0]))
        rows.sort()
        self.starts = [r[0] for r in rows]
        self.names = [r[1] for r in rows]

    def at(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return self.names[i] if i >= 0 else ""


def frames(snap, node):
    while node != snapread.NONE:
        node, location = snap["nodes"][node]
        yield snap["locations"][location]


def read(path):
    """A snapshot with its meta as text."""
    snap = snapread.read(path)
    snap["meta"] = {key.decode(): value.decode() for key, value in snap["meta"].items()}
    return snap


def figures(path, program):
    """{site function: [live bytes, live blocks, allocated bytes, allocated blocks]} of a file."""
    snap, symbols, found = read(path), Symbols(program), {}
    for site in snap["sites"]:
        name = None
        for location in frames(snap, site["node"]):
            module = location["module"]
            if module < 0:
                continue
            where = snap["strings"][snap["modules"][module]["path"]].decode()
            if os.path.realpath(where) != os.path.realpath(program):
                continue
            function = symbols.at(location["address"])
            name = function if re.match(r"site_", function) else None
            break
        if name:
            sums = found.setdefault(name, [0, 0, 0, 0])
            for i, field in enumerate(FIELDS):
                sums[i] += site[field]
    return found, snap


def program(name):
    return os.path.join(options.programs, name)


class Recording:
    def __init__(self, argv, preload=True, expect=0, directory=None, allocator=None, **settings):
        self.dir = directory or tempfile.mkdtemp(prefix="snap-e2e-")
        env = dict(os.environ, **{k: str(v) for k, v in settings.items()})
        if preload:
            libraries = " ".join(filter(None, [options.library, allocator]))
            env.update(SNAP_ACTIVE="1", SNAP_OUT=self.dir, LD_PRELOAD=libraries)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=1200)
        self.stdout, self.stderr = done.stdout, done.stderr
        check(done.returncode == expect, f"{argv[0]} ended with {done.returncode}, not {expect}: "
              f"{done.stderr}")
        self.truth = {}
        for line in self.stdout.splitlines():
            words = line.split()
            if len(words) == 6 and words[1].startswith("site_"):
                self.truth.setdefault(int(words[0]), {})[words[1]] = [int(w) for w in words[2:]]

    def files(self, pid=None):
        found = sorted(glob.glob(os.path.join(glob.escape(self.dir), "*.snap")))
        return [f for f in found if pid is None or f".{pid}." in f]

    def compare(self, program_path, pick=-1):
        check(self.truth, "the program printed no truth")
        for pid, sites in self.truth.items():
            files = self.files(pid)
            check(files, f"process {pid} left no snapshot")
            if not files:
                continue
            found, snap = figures(files[pick], program_path)
            for site, expected in sites.items():
                check(found.get(site, [0, 0, 0, 0]) == expected,
                      f"{site} of {files[pick]}: recorded {found.get(site)}, truth {expected}")
            self.compare_top(files[pick], sites)
            check(snap["meta"]["losses.events_dropped"] == "0", "events were dropped")

    @staticmethod
    def top(path, *extra):
        answer = subprocess.run([options.snapdiff, "top", "-g", "function", "--all", "-f", "json", *extra, path],
                                capture_output=True, text=True)
        check(answer.returncode == 0, f"snapdiff top {path}: {answer.stderr}")
        found = {}
        for row in json.loads(answer.stdout)["rows"] if answer.returncode == 0 else []:
            sums = found.setdefault((row["function"] or "").split("(")[0], [0, 0, 0, 0])
            for i, field in enumerate(FIELDS):
                sums[i] += row[field]
        return found

    @classmethod
    def compare_top(cls, path, sites):
        """Where libraries allocate on a site's behalf, only the cumulative figures are the site's."""
        if not options.snapdiff:
            return
        own, cumulative = cls.top(path), cls.top(path, "--cumulative")
        for site, expected in sites.items():
            check(expected in (own.get(site, [0, 0, 0, 0]), cumulative.get(site, [0, 0, 0, 0])),
                  f"top: {site} of {path}: {own.get(site)}, {cumulative.get(site)}; truth {expected}")

    def done(self):
        if not options.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def whole_truth(scenario, expect=0, name="truth", count=None, **settings):
    def run():
        r = Recording([program(name), scenario], expect=expect, **settings)
        r.compare(program(name))
        if count is not None:
            check(len(r.files()) == count, f"{len(r.files())} snapshots, not {count}: {r.files()}")
        left = [f for f in os.listdir(r.dir) if not f.endswith(".snap")]
        check(not left, f"something else was left behind: {left}")
        r.done()
    return run


def wait_for(condition, seconds=600):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def ring(pid):
    """Have a process that has no helper start one: signal 32, if it handles that."""
    with open(f"/proc/{pid}/status") as f:
        caught = re.search(r"SigCgt:\s*([0-9a-f]+)", f.read())
    if int(caught[1], 16) >> 31 & 1:
        os.kill(pid, 32)


def ask(pid, request):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(100)
        for attempt in range(1500):
            if s.connect_ex(f"\0snapdiff.{pid}") == 0:
                break
            if attempt == 0:
                ring(pid)
            time.sleep(0.02)
        else:
            return "nobody listens\n"
        s.sendall(request.encode() + b"\n")
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return answer.decode()


def triggers(**settings):
    """Start `steps`, which allocates 1 MiB after each line of input; yield a handle on it."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library,
               **{k: str(v) for k, v in settings.items()})
    child = subprocess.Popen([program("steps")], env=env, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    child.stdout.readline()

    def step(line="+"):
        child.stdin.write(line + "\n")
        child.stdin.flush()
        child.stdout.readline()

    def files():
        return sorted(glob.glob(directory + "/*.snap"))

    return child, step, files, directory


def reason(path):
    return read(path)["meta"]["trigger"]


def finish(child, directory):
    child.stdin.close()
    check(child.wait(timeout=1200) == 0, "steps did not end well")
    files = sorted(glob.glob(directory + "/*.snap"))
    seqs = [int(f.split(".")[-2]) for f in files]
    check(seqs == list(range(1, len(files) + 1)), f"sequence numbers have gaps: {seqs}")
    check(files and reason(files[-1]) == "exit", "the last snapshot is not the one at exit")
    shutil.rmtree(directory)


def timer():
    child, step, files, directory = triggers(SNAP_EVERY="100ms")
    check(wait_for(lambda: len(files()) >= 3), "the timer gave no three snapshots")
    check(reason(files()[0]) == "timer", "a timer's snapshot says otherwise")
    finish(child, directory)


def growth():
    child, step, files, directory = triggers(SNAP_AT_GROWTH="4MiB")
    for n in range(1, 4):
        for _ in range(4):
            step()
        check(wait_for(lambda: len(files()) == n), f"{4 * n} MiB gave {len(files())} snapshots")
    for _ in range(8):
        step("-")
    for _ in range(6):
        step()
    time.sleep(0.3)
    check(len(files()) == 3, "what had shrunk before is taken for growth")
    check(reason(files()[0]) == "growth", "a growth step's snapshot says otherwise")
    finish(child, directory)


def kept_waves():
    """The highest of several peaks is kept, within a twentieth: of small blocks, with a large block that goes first,
    and with one that grows."""
    for how in ([], ["large"], ["grown"]):
        directory = tempfile.mkdtemp(prefix="snap-e2e-")
        status, out, _ = asked("run", "-q", "-o", directory, "--", program("waves"), *how)
        left = sorted(glob.glob(directory + "/*.snap"))
        check(status == 0 and [reason(path) for path in left] == ["peak", "exit"], f"{how}: {status}, left are {left}")
        held = sum(site["live_bytes"] for site in snapread.read(left[0])["sites"])
        check(.95 * int(out) <= held <= 1.01 * int(out), f"{how}: the peak was {out}, the snapshot holds {held}")
        shutil.rmtree(directory)


def merged():
    """Steps that one allocation takes at once are one snapshot; the others are counted, and `run` says so."""
    for option in ("--at-growth", "--at-peak"):
        directory = tempfile.mkdtemp(prefix="snap-e2e-")
        child = subprocess.Popen([options.snapdiff, "run", "-o", directory, option, "256KiB", "--", program("steps")],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child.stdout.readline()
        for _ in range(4):
            child.stdin.write("+\n")
            child.stdin.flush()
            child.stdout.readline()
        _, said = child.communicate(timeout=1200)
        left = sorted(glob.glob(directory + "/*.snap"))
        check(len(left) == 5, f"{option}: four steps and the exit left {len(left)} snapshots")
        counted = read(left[-1])["meta"]["losses.snapshots_merged"]
        check(counted == "12", f"{option}: 16 were due, 4 were taken, and {counted} are counted as merged")
        check("12 more snapshots were due" in said, f"{option}: run says {said}")
        shutil.rmtree(directory)


def peak():
    child, step, files, directory = triggers(SNAP_AT_PEAK="4MiB")
    for _ in range(4):
        step()
    check(wait_for(lambda: len(files()) == 1), "no snapshot at the first peak")
    for _ in range(3):
        step("-")
    for _ in range(3):
        step()
    time.sleep(0.3)
    check(len(files()) == 1, "the old maximum, reached again, is no new peak")
    for _ in range(4):
        step()
    check(wait_for(lambda: len(files()) == 2), "no snapshot at the second peak")
    check(reason(files()[1]) == "peak", "a peak's snapshot says otherwise")
    finish(child, directory)


def run_steps(directory, steps):
    """Record the program `steps` without triggers.  The reasons of the snapshots that it leaves, and their paths."""
    child = subprocess.Popen([options.snapdiff, "run", "-q", "-o", directory, "--", program("steps")],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    for line in steps:
        child.stdin.write(line + "\n")
        child.stdin.flush()
        child.stdout.readline()
    child.stdin.close()
    check(child.wait() == 0, "steps did not end well")
    left = sorted(glob.glob(directory + "/*.snap"))
    return [reason(path) for path in left], left


def kept_peak():
    """`run` without triggers keeps one snapshot of the peak, unless that at the exit holds as much."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    reasons, left = run_steps(directory, "+" * 100 + "-" * 99)
    check(reasons == ["peak", "exit"], f"left are {reasons}")
    peak = sum(site["live_bytes"] for site in snapread.read(left[0])["sites"])
    check(97 << 20 <= peak <= 101 << 20, f"the peak was 100 MiB, the snapshot holds {peak}")
    status, out, _ = asked("top", "-n", "1", directory)
    check("at the peak (snapshot 1 of 2); at exit 1.0 MiB were left" in out, f"top says: {out}")
    for path in left:
        os.unlink(path)
    reasons, left = run_steps(directory, "+" * 10)
    check(reasons == ["exit"], f"what is held to the end is there once, but left are {reasons}")
    os.unlink(left[0])
    asked("run", "-q", "-o", directory, "--", "/bin/sh", "-c", "exit 0")
    check(len(os.listdir(directory)) == 1, f"a small program leaves {os.listdir(directory)}")
    shutil.rmtree(directory)


def rests():
    """Asking a process for a snapshot ends no call of a thread's, where another thread can be asked."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    child = subprocess.Popen([program("rests")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env=dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library))
    check(child.stdout.readline() == "rests\n", "the program did not start")

    def calls():
        found = set()
        for path in glob.glob(f"/proc/{child.pid}/task/*/syscall"):
            with open(path, encoding="ascii") as file:
                found.add(file.read().split()[0])
        return found

    try:
        calls()
    except OSError:
        print("skipped: the kernel does not say what threads wait for")
        child.kill()
        return
    check(wait_for(lambda: len(calls()) == 2 and "running" not in calls()), "the threads do not rest")
    for _ in range(3):
        status, _, said = asked("snap", child.pid)
        check(status == 0, f"snap: {said}")
    out, _ = child.communicate("", timeout=1200)
    check((child.returncode, out) == (0, ""), f"the program ended with {child.returncode}, {out!r}")
    shutil.rmtree(directory)


def step_until_safe(child, directory):
    """Have `steps` work until a second safety snapshot has replaced an older one."""
    seen = set()

    def is_safe():
        child.stdin.write("*\n")
        child.stdin.flush()
        child.stdout.readline()
        seen.update((name, os.stat(directory + "/" + name).st_ino) for name in os.listdir(directory)
                    if "_safety" in name and name.endswith(".snap"))
        return len(seen) >= 3

    check(wait_for(is_safe), f"no three safety snapshots: {seen}")


def run_safely(directory, *argv):
    child = subprocess.Popen([options.snapdiff, "run", "-o", directory, "--safety", "50ms", "--", *argv],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.readline()
    pid = int(child.stderr.readline().rsplit(None, 1)[1])
    for _ in range(4):
        child.stdin.write("+\n")
        child.stdin.flush()
        child.stdout.readline()
    return child, pid


def has_helper(pid):
    """Has the process a child that has not ended?  A helper that outlives it would write a last snapshot."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                state, parent = file.read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state not in "ZX":
            return True
    return False


def safety():
    """Who is killed leaves two safety snapshots, and `run` says which, and why; who ends by itself leaves none."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    child, pid = run_safely(directory, program("steps"))
    step_until_safe(child, directory)
    check(wait_for(lambda: not has_helper(pid)), "the helper of a safety snapshot stays")
    os.kill(pid, 9)
    _, said = child.communicate(timeout=1200)
    check(child.returncode == 137, f"run ends with {child.returncode}")
    newest = max(glob.glob(directory + "/*_safety?.snap"), key=os.path.getmtime)
    check("the program was killed (SIGKILL)" in said and os.path.basename(newest) in said, f"run says: {said}")
    left = sorted(os.path.basename(path) for path in glob.glob(directory + "/*.snap"))
    check(left == [f"steps.{pid}.000000_{word}.snap" for word in ("peak", "safety1", "safety2")], f"left are {left}")
    held = sum(site["live_bytes"] for site in snapread.read(newest)["sites"])
    check(4 << 20 <= held <= 5 << 20, f"the safety snapshot holds {held} bytes, not 4 MiB")
    check(reason(newest) == "safety", f"it is a {reason(newest)}")
    shutil.rmtree(directory)
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    child, pid = run_safely(directory, program("steps"))
    step_until_safe(child, directory)
    child.communicate(timeout=1200)
    left = sorted(os.path.basename(path) for path in glob.glob(directory + "/*.snap"))
    check(left == [f"steps.{pid}.000001.snap"], f"after an end of its own there are {left}")
    shutil.rmtree(directory)


def signalled():
    import signal
    child, step, files, directory = triggers(SNAP_ON_SIGNAL="USR2")
    for n in range(1, 4):
        child.send_signal(signal.SIGUSR2)
        check(wait_for(lambda: len(files()) == n), "the signal gave no snapshot")
    check(reason(files()[0]) == "signal", "a signal's snapshot says otherwise")
    finish(child, directory)


def control():
    child, step, files, directory = triggers(SNAP_LABELS="team=red\nrun=7")
    answer = ask(child.pid, "snap before lunch")
    check(answer.startswith("ok /"), f"snap was answered {answer!r}")
    path = answer[3:].strip()
    check(os.path.exists(path), "the path is not there")
    meta = read(path)["meta"]
    check(meta["label"] == "before lunch" and meta["trigger"] == "request", "label or trigger is wrong")
    check(meta["labels.team"] == "red" and meta["labels.run"] == "7", "labels are wrong")
    step()
    status = dict(line.split(" ", 1) for line in ask(child.pid, "status").splitlines() if line)
    check(int(status["live_bytes"]) >= 1 << 20 and status["seq"] == "1", f"status: {status}")
    check(int(status["allocated_bytes"]) >= int(status["live_bytes"]), f"status: {status}")
    check(status["allocator"] == "glibc", f"status: {status}")
    for part, whole, percent in (("recorder_memory", "rss", "recorder_memory_percent"),
                                 ("recorder_cpu_ns", "process_cpu_ns", "recorder_cpu_percent")):
        share = 100 * int(status[part]) / int(status[whole])
        check(abs(share - float(status[percent])) < 0.06, f"{percent} is not {share}: {status}")
    check(ask(child.pid, "dir").strip() == "ok " + directory, "dir")
    check(ask(child.pid, "frobnicate").startswith("error "), "an unknown request is refused")
    finish(child, directory)


def rung():
    """A request that comes when a helper has just written a snapshot, and is being collected, finds another one."""
    for i in range(60):
        child, _, _, directory = triggers()
        child.stdin.write("!\n")
        child.stdin.flush()
        while not os.path.exists(f"{directory}/steps.{child.pid}.000001.snap"):
            pass
        until = time.perf_counter() + i % 20 * 20e-6
        while time.perf_counter() < until:
            pass
        check(ask(child.pid, "dir").strip() == "ok " + directory, "nobody answers")
        child.stdout.readline()
        finish(child, directory)


def helpers_of(directory):
    """Processes that have the directory open: libsnap's helpers."""
    found = set()
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) == directory:
                found.add(int(link.split("/")[2]))
        except OSError:
            pass
    return found


def killed():
    child, step, files, directory = triggers()
    ask(child.pid, "snap")
    child.kill()
    child.wait()
    wait_for(lambda: not helpers_of(directory), 60)
    check(len(files()) == 2, f"SIGKILL: the snapshot that was asked for and the last one, not {files()}")
    for path in files():
        read(path)
    shutil.rmtree(directory)


def cohorts():
    child, step, files, directory = triggers()
    for n in range(5):
        step()
        ask(child.pid, "snap")
    births = {}
    found = read(files()[-1])
    for site in found["sites"]:
        for birth, blocks, size in site["cohorts"]:
            if site["live_bytes"] >= 5 << 20:
                births[birth] = (blocks, size)
    check(births == {n: (1, 1 << 20) for n in range(5)}, f"cohorts by birth: {births}")
    finish(child, directory)


def many_cohorts():
    """More births than a site shows: the oldest become one, and no block is lost."""
    child, step, files, directory = triggers()
    for n in range(70):
        step()
        ask(child.pid, "snap")
    found = read(files()[-1])
    site = max(found["sites"], key=lambda s: s["live_bytes"])
    check(len(site["cohorts"]) == 64, f"{len(site['cohorts'])} cohorts")
    check(site["cohorts"][0] == (6, 7, 7 << 20), f"the oldest: {site['cohorts'][0]}")
    check(sum(c[1] for c in site["cohorts"]) == 70 == site["live_blocks"], "cohorts do not add up")
    check(found["meta"]["losses.cohorts_merged"] == "1", "the merge is not told")
    finish(child, directory)


def api():
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    r = Recording([program("truth_api"), directory], preload=False, directory=directory)
    check(len(r.files()) == 3, f"the API left {r.files()}")
    r.compare(program("truth_api"), pick=1)
    again, _ = figures(r.files()[2], program("truth_api"))
    check(again["site_again"][:2] == [4321, 1] and again["site_after"][:2] == [0, 0],
          f"a recording that began anew holds {again}")
    metas = [read(f)["meta"] for f in r.files()]
    check([m["label"] for m in metas] == ["first", "second", "again"], "names of the snapshots")
    check([m["labels.phase"] for m in metas] == ["one", "two", "two"], "labels of the snapshots")
    check(metas[0]["labels.set"] == "before", "a label from before the start")
    check([m["trigger"] for m in metas] == ["api"] * 3, "triggers of the snapshots")
    check(int(metas[0]["losses.unknown_frees"]) >= 1, "a block from before the start was freed")
    snap = read(r.files()[1])
    domains = {}
    for site in snap["sites"]:
        name = snap["strings"][site["domain"]].decode()
        domains[name] = domains.get(name, 0) + site["live_bytes"]
    check(domains.get("gpu") == 5050 - 1 - 2 + 400 and domains.get("arena") == 10 and
          domains.get("pool") == 10, f"domains: {domains}")
    r.done()


def no_follow():
    r = Recording(["/bin/sh", "-c", f"{program('truth')} entry >/dev/null; (echo); exit 0"], SNAP_FOLLOW="0")
    check(len(r.files()) == 1, f"descendants were recorded: {r.files()}")
    r.done()


def asked(*argv):
    """`snapdiff ...`: (exit status, standard output, standard error)"""
    done = subprocess.run([options.snapdiff, *map(str, argv)], capture_output=True, text=True, timeout=1200)
    return done.returncode, done.stdout, done.stderr


def follow():
    """Of the descendants, those are recorded whose names are wanted; the command itself always is."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="snap-follow-"))
    for name in ("first", "second"):
        shutil.copy("/bin/true", directory / name)
    script = "./first; (./second; ./first; :); ./second; :"
    shell = pathlib.Path("/bin/sh").resolve().name
    everything = {shell, "sh", "first", "second"}
    for arguments, names in ((["--follow", "first"], {"first"}),
                             (["--follow", "f?rst", "--follow=sec*"], {"first", "second"}),
                             (["--no-follow=first"], {"second"}),
                             (["--no-follow", "*on*"], {"first"}),
                             (["--follow", "*s*", "--no-follow=f*"], {"second"}),
                             (["--follow", "irs"], set()),
                             (["--no-follow"], set())):
        out = directory / "out"
        status, _, err = asked("run", "-o", out, *arguments, "--", "/bin/sh", "-c", f"cd {directory}; {script}")
        found = {path.name.split(".")[0] for path in out.glob("*.snap")}
        check(status == 0 and found - {shell, "sh"} == names and found <= everything and found & {shell, "sh"},
              f"{arguments}: {status}, {found} {err}")
        check((arguments == ["--no-follow"]) <= ("not recorded" not in err), err)
        shutil.rmtree(out)
    shutil.rmtree(directory)


def titles():
    """ls shows what a process has written over its arguments, and only that."""
    wait = "select(undef, undef, undef, 0.4);"
    for script, title in ((wait, None), ("$0 = 'worker: idle token=abc';" + wait, "worker: idle token=***")):
        directory = tempfile.mkdtemp(prefix="snap-titles-")
        status, _, err = asked("run", "-q", "-o", directory, "--", "perl", "-e", script, "an 'argument'", "")
        rows = json.loads(asked("ls", "-f", "json", directory)[1])["rows"]
        check(status == 0 and rows and rows[-1]["title"] == title, f"{err} {rows}")
        shutil.rmtree(directory)


def statuses():
    """A signal is said to have ended the program if one did, not if the program exits with a number like one."""
    own, killed = "the program exited with status", "the program was killed (SIGKILL)"
    for script, status, words, not_words in (
            ("exit 137", 137, own + " 137", killed), ("kill -KILL $$", 137, killed, own),
            ("exit 143", 143, None, "signal 15"), ("exit 192", 192, None, "signal")):
        directory = tempfile.mkdtemp(prefix="snap-e2e-")
        got, _, error = asked("run", "-o", directory, "--", "/bin/sh", "-c", script)
        check(got == status, f"{script}: status {got}")
        check((words or "") in error and not_words not in error, f"{script}: run says: {error}")
        shutil.rmtree(directory)


def static():
    """A static program is refused by `run`, and records its own domains through libsnap.a."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    status, _, error = asked("run", "-o", directory, "--", program("truth_static"))
    check(status == 125 and "statically linked" in error and "libsnap.a" in error, f"run says: {error}")
    r = Recording([program("truth_static")], preload=False, directory=directory, SNAP_OUT=directory)
    truth = [int(word) for word in r.stdout.split()]
    found, snap = figures(r.files()[0], program("truth_static"))
    check(found.get("site_keep") == truth, f"recorded {found}, truth {truth}")
    check({snap["strings"][site["domain"]] for site in snap["sites"]} == {b"arena"}, "more than the domain is recorded")
    check([read(f)["meta"]["trigger"] for f in r.files()] == ["api", "exit"], f"snapshots: {r.files()}")
    r.done()


def run_pid():
    """`run` says which process it records, and its own pid stands for that process."""
    directory = tempfile.mkdtemp(prefix="snap e2e ")
    child = subprocess.Popen([options.snapdiff, "run", "-o", directory, "--", program("steps")], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = re.fullmatch(rf"snapdiff: recording {program('steps')} as process (\d+)\n", child.stderr.readline())
    check(said, "run does not say which process it records")
    child.stdout.readline()
    check(wait_for(lambda: asked("snap", child.pid)[0] == 0), f"snap by the pid of run: {asked('snap', child.pid)}")
    recorded = said.group(1) if said else "0"
    check(f"steps.{recorded}.000001.snap" in os.listdir(directory), f"not the announced process: {os.listdir(directory)}")
    answer = json.loads(asked("status", "-f", "json", child.pid)[1])
    check(str(answer["pid"]) == recorded, f"status by the pid of run: {answer['pid']}")
    check("uptime_ns" in {row["key"] for row in answer["rows"]}, f"a script finds the keys: {answer['rows']}")
    check(re.search(r"(?m)^uptime +\d+(\.\d+)? m?s$", asked("status", child.pid)[1]), f"for people: {asked('status', child.pid)[1]}")
    rest = child.communicate()[1]
    check(rest.endswith(f"next: snapdiff growth '{directory}'\n"), f"the hint cannot be pasted: {rest}")
    status, _, error = asked("snap", child.pid)
    check(status == 3 and error == f"snapdiff snap: there is no process {child.pid}\n", f"a pid that is gone: {error}")
    status, _, error = asked("status", os.getpid())
    check(status == 3 and f"process {os.getpid()} is not recorded" in error, f"a pid that is not recorded: {error}")
    quiet = asked("run", "-q", "-o", directory, "--", "true")
    check(quiet == (0, "", ""), f"run -q says {quiet}")
    repeated = asked("run", "--repeat", "3", "-o", directory, "--", "true")[2]
    failed = asked("run", "--repeat", "3", "-o", directory, "--", "sh", "-c", "exit 3")
    check(failed[0] == 3 and "the command failed (exit status 3) in run 1 of 3: no later run" in failed[2],
          f"run --repeat of a command that fails says {failed}")
    warming = asked("run", "--repeat", "3", "--warmup", "2", "-o", directory, "--", "false")
    check("in warm-up run 1 of 2" in warming[2], f"run --warmup of a command that fails says {warming}")
    check(repeated.count("next:") == 1 and "next: snapdiff growth" in repeated, f"run --repeat says {repeated}")
    shutil.rmtree(directory)


def hello():
    directory = tempfile.mkdtemp(prefix="snap-e2e-")
    path = os.path.join(directory, "hello")
    open(path, "w").close()
    Recording([program("truth"), "end_exit"], expect=3, SNAP_HELLO=path).done()
    with open(path) as file:
        words = file.read().split()
    check(words[1:] == ["truth", "ok"], f"hello says {words}")
    open(path, "w").close()
    forked = Recording([program("truth"), "fork"], SNAP_HELLO=path)
    with open(path) as file:
        said = [line.split()[1:] for line in file]
    check(said == [["truth", "ok"]] * len(forked.files()), f"a process and its children say {said}")
    forked.done()
    open(path, "w").close()
    r = Recording([program("truth"), "end_exit"], expect=3, SNAP_HELLO=path,
                  directory="/proc/no/such/place")
    check(" error " in open(path).read(), "hello says nothing of the directory")
    shutil.rmtree(directory)


def unseen():
    """Memory that no hook saw is told when it is the greater part, and only then."""
    directory = tempfile.mkdtemp(prefix="snap-e2e-")

    def said(*argv):
        done = subprocess.run([options.snapdiff, "run", "-o", directory, "--", *argv],
                              capture_output=True, text=True, timeout=1200)
        check(done.returncode == 0, f"run: {done.stderr}")
        return [line for line in done.stderr.splitlines() if "warning" in line]

    found = said(program("mapped"), "100", "5")
    check(len(found) == 1 and found[0].startswith("snapdiff: warning: mapped holds "), f"unseen: {found}")
    mapped, heap = map(float, re.findall(r"([0-9.]+) MiB", found[0])) if found else (0, 0)
    check(95 <= mapped <= 105 and heap == 5.0, f"unseen, of 100 MiB and a heap of 5: {found}")
    check(said(program("mapped"), "100", "110") == [], "unseen, though most memory was seen")
    check(said(program("mapped"), "40", "1") == [], "unseen, though it is little")
    found = said("/bin/sh", "-c", f"{program('mapped')} 80 1; {program('mapped')} 90 1")
    check(len(found) == 1 and "in 2 processes" in found[0], f"unseen, in two processes: {found}")
    shutil.rmtree(directory)


def mappings():
    """Every way to map and unmap; with SNAP_MMAP off, only the heap is there."""
    r = Recording([program("mappings")], SNAP_MMAP=1)
    r.compare(program("mappings"))
    r.done()
    r = Recording([program("mappings")])
    found, _ = figures(r.files()[-1], program("mappings"))
    check(sorted(found) == ["site_heap"], f"sites without SNAP_MMAP: {sorted(found)}")
    r.done()
    for allocator in glob.glob("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"):
        r = Recording([program("mappings")], allocator=allocator, SNAP_MMAP=1)
        snap = read(r.files()[-1])
        check(int(snap["meta"]["metrics.heap.live_bytes"]) < 40 << 20, "jemalloc's arenas are counted")
        r.done()


def sampled():
    """The mean over seeds comes near the truth, and the stated errors are honest."""
    totals, errors, truth = [], [], None
    for seed in range(1, 21):
        r = Recording([program("truth"), "threads1"], SNAP_SAMPLE="64KiB", SNAP_SEED=seed)
        found, snap = figures(r.files()[-1], program("truth"))
        truth = list(r.truth.values())[0]["site_thread"]
        totals.append(found["site_thread"][2])
        errors.append(abs(found["site_thread"][2] - truth[2]) / truth[2])
        r.done()
    mean = sum(totals) / len(totals)
    check(abs(mean / truth[2] - 1) < 0.05, f"the mean of the estimates is {mean}, truth {truth[2]}")
    check(max(errors) < 0.6, f"estimates are off by {max(errors)}")


def allocators():
    """Whatever malloc the host uses does the work, and the truth is the same."""
    known = {"jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}
    installed = {name: path for name, file in known.items() for path in glob.glob("/usr/lib/*/" + file)[:1]}
    for name, path in installed.items():
        for scenario in ("entry", "realloc", "threads8", "end_return"):
            alone = subprocess.run([program("truth"), scenario], env=dict(os.environ, LD_PRELOAD=path),
                                   capture_output=True, timeout=1200)
            if alone.returncode != 0:
                continue  # it expects of realloc(p, 0), for instance, what glibc does
            r = Recording([program("truth"), scenario], allocator=path)
            r.compare(program("truth"))
            check(read(r.files()[-1])["meta"]["allocator"] == name, f"{name} is not known as what it is")
            r.done()
        r = Recording([program("truth"), "threads1"], allocator=path, SNAP_SAMPLE="16KiB", SNAP_SEED=1)
        found, _ = figures(r.files()[-1], program("truth"))
        truth = list(r.truth.values())[0]["site_thread"]
        sampled_bytes = found["site_thread"][2]
        check(abs(sampled_bytes / truth[2] - 1) < 0.5, f"sampled over {name}: {sampled_bytes}, truth {truth[2]}")
        r.done()
    for name in known.keys() - installed.keys():
        print(f"skipped: {name} is not installed")


TESTS = {
    "allocators": allocators,
    "entry_points": whole_truth("entry", count=1),
    "realloc": whole_truth("realloc", count=1),
    "threads_1": whole_truth("threads1", count=1),
    "threads_8": whole_truth("threads8", count=1),
    "short_threads": whole_truth("short_threads", count=1),
    "late_destructors": whole_truth("late_destructors", count=1),
    "fork": whole_truth("fork", count=3),
    "exit_thread": whole_truth("exit_thread", count=1),
    "end_return": whole_truth("end_return", count=1),
    "end_exit": whole_truth("end_exit", expect=3, count=1),
    "end__exit": whole_truth("end__exit", expect=3, count=1),
    "end__Exit": whole_truth("end__Exit", expect=3, count=1),
    "end_quick_exit": whole_truth("end_quick_exit", expect=3, count=1),
    "end_pthread_exit": whole_truth("end_pthread_exit", count=1),
    "early_exit": whole_truth("end_exit", expect=3, count=1, SNAP_EXIT="early"),
    "cxx_late": whole_truth("late", name="truth_cxx", count=1),
    "cxx_early": whole_truth("early", name="truth_cxx", count=1, SNAP_EXIT="early"),
    "api": api, "timer": timer, "growth": growth, "peak": peak, "kept_peak": kept_peak, "kept_waves": kept_waves, "merged": merged, "rests": rests, "safety": safety, "signal": signalled,
    "control": control, "rung": rung, "killed": killed, "cohorts": cohorts,
    "many_cohorts": many_cohorts, "no_follow": no_follow, "follow": follow, "titles": titles,
    "hello": hello, "run_pid": run_pid, "statuses": statuses, "static": static, "unseen": unseen, "mappings": mappings, "sampled": sampled,
}


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--snapdiff")
    parser.add_argument("--keep", action="store_true", help="leave the recordings")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    for name in options.names or TESTS:
        before = failures
        TESTS[name]()
        print(f"{'ok    ' if failures == before else 'FAILED'} {name}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
