#!/usr/bin/env python3
"""Run programs bare and recorded, in many environments, many times: same status, same output, no deadlock.

matrix.py --library libsnap.so --programs DIR [--repeat N] [--environments A,B] [--cases A,B] [--results FILE]
matrix.py --library libsnap.so --programs DIR --environments A,B [--repeat N] -- PROGRAM ARGUMENT...     any other program
matrix.py --emulator "qemu-aarch64 -L ROOT" ...      programs and library of another processor
matrix.py --table FILE...      the results of earlier runs as one table

A cell of the table says how often a program was recorded, or what differed.
"""
import argparse
import collections
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import snapread  # noqa: E402

MALLOC_DEBUG = "/lib/x86_64-linux-gnu/libc_malloc_debug.so.0"
MIB = 1 << 20

Case = collections.namedtuple("Case", "argv seconds masks speaks", defaults=(20, False, False))
Environment = collections.namedtuple(
    "Environment", "says confine settings preload limits closes place speaks",
    defaults=("", {}, "", (), (), "directory", False))
Outcome = collections.namedtuple("Outcome", "status out err hung")


def torture(*argv, seconds=20, speaks=False):
    """`speaks`: libsnap has something to say about this program."""
    return Case(("{dir}/" + argv[0], *argv[1:]), seconds, False, speaks)


# What the programs of others do here is the same in each run; ids and addresses in it are masked.
def other(*argv, seconds=30):
    return Case(argv, seconds, True)


PYTHON_THREADS = """
import threading, subprocess, os
def work(n):
    x = [str(i) * n for i in range(3000)]
    subprocess.run(["/bin/true"], check=True)
    pid = os.fork()
    if pid == 0:
        os._exit(len(x) % 7)
    os.waitpid(pid, 0)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print("done")
"""
PYTHON_POOL = """
import multiprocessing as m
def f(x):
    return len([str(i) for i in range(x * 100)])
if __name__ == "__main__":
    with m.get_context("fork").Pool(3) as p:
        print(sum(p.map(f, range(30))))
"""
SQL = """create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
insert into t select i, hex(i * 7919) || printf('%0200d', i) from n;
create index u on t(b); update t set b = b || 'x' where a % 3 = 0; delete from t where a % 7 = 0;
select count(*), sum(length(b)), min(b) from t; select json_group_array(a) from t where a < 30;"""
PERL = """use threads; my @t = map { my $n = $_; threads->create(sub {
 my %h = map { $_ => "x" x $n } 1..2000; scalar keys %h }) } 1..4; print join(",", map { $_->join } @t), "\n";
for (1..5) { my $p = fork; exit 3 unless $p; waitpid $p, 0; print $? >> 8 } print "\n";"""
NODE = """const {Worker} = require('worker_threads'); let left = 3;
for (let i = 0; i < 3; i++)
    new Worker('const a = []; for (let i = 0; i < 20000; i++) a.push({i});', {eval: true})
        .on('exit', () => { if (--left == 0) console.log('all'); });"""

CASES = {
    "t01": torture("t01_bootstrap"),
    "t02": torture("t02_tls"),
    "t03": torture("t03_bounds"),
    "t04": torture("t04_loader", "{dir}/libred.so"),
    "t05": torture("t05_fork", seconds=60),
    "t06": torture("t06_signals"),
    "t07": torture("t07_order"),
    "t08": torture("t08_entries"),
    "t09": torture("t09_own_malloc", speaks=True),
    "t10": torture("t10_threads", seconds=60),
    **{"t11 " + how: torture("t11_exits", how) for how in
       ("exit", "_exit", "quick_exit", "two", "handler", "exec", "abort", "return")},
    **{"t12 " + how: torture("t12_files", how) for how in ("close", "nofile", "chdir", "chroot", "setuid")},
    **{"t13 " + how: torture("t13_sandbox", how, speaks=how == "as") for how in
       ("seccomp", "kill", "as", "noproc", "userns")},
    "t14": torture("t14_dlclose", "libred.so", "libblue.so"),
    "t15": torture("t15_stacks"),
    "t16": torture("t16_zstd"),
    "t17": torture("t17_open"),
    "t18": torture("t18_credentials"),
    "sqlite3": other("/usr/bin/sqlite3", ":memory:", SQL),
    "python3 threads": other("/usr/bin/python3", "-c", PYTHON_THREADS),
    "python3 pool": other("/usr/bin/python3", "-c", PYTHON_POOL),
    "perl threads": other("/usr/bin/perl", "-e", PERL),
    "bash": other("/bin/bash", "-c", "for i in 1 2 3 4 5; do (echo $i | cat; echo $(expr $i + 1)) & wait; done; exit 7"),
    "gcc": other("/bin/sh", "-c", "echo 'int f(int x) { return x * 3; }' | /usr/bin/gcc -O2 -S -o - -xc -"),
    "git": other("/usr/bin/git", "--version"),
    "node": other("/usr/bin/node", "-e", NODE),
}
# Where a process with threads forks, qemu-user fails an assertion of its own; programs that others start run bare.
EMULATED = "plain,bind-now,sampled,timer,verified,n3,full,read-only"
NOT_EMULATED = ("t05", "t11 exec")
QUICK = [name for name in CASES if re.match("t[0-9]", name) and name not in ("t05", "t06", "t10")]

ENVIRONMENTS = {
    "plain": Environment("as it is"),
    "bind-now": Environment("LD_BIND_NOW=1", settings={"LD_BIND_NOW": "1"}),
    "malloc-check": Environment("glibc's checking malloc, MALLOC_CHECK_=3, MALLOC_PERTURB_=85", preload=MALLOC_DEBUG,
                                settings={"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "85"}),
    "sampled": Environment("--sample 4KiB", settings={"SNAP_SAMPLE": "4KiB"}),
    "verified": Environment("SNAP_VERIFY=29, no mismatch", settings={"SNAP_VERIFY": "29"}, speaks=True),
    "timer": Environment("a snapshot each 10 ms", settings={"SNAP_EVERY": "10ms"}),
    "v": Environment("ulimit -v, 1 GiB", limits=((resource.RLIMIT_AS, 1024 * MIB),), speaks=True),
    "n3": Environment("ulimit -n 3, standard input closed", limits=((resource.RLIMIT_NOFILE, 3),), closes=(0,),
                      speaks=True),
    "full": Environment("a full output directory", place="full", speaks=True),
    "read-only": Environment("a read-only output directory", place="read-only", speaks=True),
    "refuse": Environment("seccomp refuses sockets, clone3, fsync, rename", confine="refuse", speaks=True),
    "service": Environment("seccomp kills what services never do", confine="service"),
    "offline": Environment("seccomp kills whoever asks for a socket", confine="offline", speaks=True),
    "noproc": Environment("a namespace without /proc", confine="noproc"),
    "nobody": Environment("user and group nobody", confine="nobody"),
}


class Place:
    """Where the snapshots go: a directory for everybody, or a small file system that is full or read-only."""

    def __init__(self, kind):
        self.path = tempfile.mkdtemp(prefix="snap-matrix-")
        self.mounted = False
        os.chmod(self.path, 0o1777)
        if kind == "directory":
            return
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "none", self.path],
                                               stderr=subprocess.DEVNULL).returncode:
            os.rmdir(self.path)
            raise PermissionError("needs root for a small file system")
        self.mounted = True
        if kind == "full":
            try:
                with open(self.path + "/filler", "wb") as file:
                    file.write(bytes(128 << 10))
            except OSError:
                pass
        else:
            subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)

    def empty(self):
        if not self.mounted:
            for name in os.listdir(self.path):
                os.unlink(os.path.join(self.path, name))

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", self.path], check=True)
        shutil.rmtree(self.path)


def prepare(environment):
    def child():
        for fd in environment.closes:
            os.close(fd)
        for what, value in environment.limits:
            resource.setrlimit(what, (value, value))
    return child


def backtraces(group):
    """Where the threads of a process group that hangs are; best effort, for the person who looks into it."""
    for line in subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True).stdout.split():
        if shutil.which("gdb"):
            subprocess.run(["timeout", "30", "gdb", "-p", line, "-batch", "-ex", "thread apply all bt 12"],
                           stdout=sys.stderr, stderr=subprocess.DEVNULL)


def run(argv, env, environment, seconds, directory):
    """Run to its end, or kill the whole group: files take the output, so that nobody who keeps it open is waited for."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory,
                                   preexec_fn=prepare(environment), start_new_session=True, close_fds=True)
        hung = False
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            hung = True
            backtraces(process.pid)
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        out.seek(0)
        err.seek(0)
        return Outcome(status, out.read(), err.read(), hung)


def masked(text):
    return re.sub(rb"0x[0-9a-f]+|[0-9]+", b"#", text)


def spoken(text, case, environment):
    """Standard error without what libsnap is allowed to say there."""
    allowed = case.speaks or environment.speaks
    return b"".join(line for line in text.splitlines(True) if not (allowed and line.startswith(b"libsnap: ")))


def difference(case, environment, bare, steady, recorded):
    """What is wrong with a recorded run, or None."""
    mask = masked if case.masks else bytes
    if recorded.hung:
        return "hung"
    if recorded.status != bare.status:
        return f"ended with {recorded.status}, bare {bare.status}"
    if steady and mask(recorded.out) != mask(bare.out):
        return "prints something else"
    mismatches = re.search(rb" ([1-9][0-9]*) mismatches", recorded.err)
    if mismatches:
        return mismatches.group(0).decode().strip()
    said = spoken(recorded.err, case, environment)
    if steady and mask(said) != mask(bare.err):
        return "says " + (said[:120].decode(errors="replace").strip().replace("\n", " / ") or "less")
    return None


def unsound(directory):
    for path in glob.glob(directory + "/*.snap"):
        try:
            snapread.read(path)
        except Exception as error:  # whatever a reader may fall over
            return f"{os.path.basename(path)}: {error}"
    return None


def preloading(options, argv, env, libraries):
    """Arguments and variables that start `argv` with `libraries` preloaded into it, not into an emulator."""
    if not options.emulator:
        return argv, dict(env, LD_PRELOAD=libraries)
    return [*options.emulator.split(), "-E", "LD_PRELOAD=" + libraries, *argv], env


def one_cell(options, case, environment, place):
    """The outcome of one case in one environment, as the table shows it."""
    argv = [part.format(dir=options.programs) if "{dir}" in part else part for part in case.argv]
    if not os.path.exists(argv[0]):
        return "-"
    if environment.confine:
        argv = [os.path.join(options.programs, "confine"), environment.confine, *argv]
    seconds = case.seconds * (10 if options.emulator else 1)
    settings = dict(os.environ, **environment.settings)
    bare_argv, bare_env = preloading(options, argv, settings, environment.preload)
    first, second = (run(bare_argv, bare_env, environment, seconds, options.programs) for _ in range(2))
    if first.hung:
        return "hangs bare"
    mask = masked if case.masks else bytes
    steady = (mask(first.out), mask(first.err)) == (mask(second.out), mask(second.err))
    if first.status != second.status:
        return "-"
    argv, env = preloading(options, argv, dict(settings, SNAP_ACTIVE="1", SNAP_OUT=place.path),
                           f"{options.library} {environment.preload}".strip())
    wrong = collections.Counter()
    for _ in range(options.repeat):
        place.empty()
        recorded = run(argv, env, environment, seconds * 3, options.programs)
        wrong[difference(case, environment, first, steady, recorded)] += 1
        if wrong["hung"] > 1:
            break
    damaged = unsound(place.path)
    if damaged:
        wrong["left a damaged file: " + damaged] += 1
    faults = [f"{count} of {options.repeat}: {what}" for what, count in wrong.items() if what]
    text = "; ".join(faults) or str(options.repeat)
    if not faults and first.status not in (0, 1) + tuple(range(3, 8)):
        text += f" (bare {first.status})"
    return text if steady or faults else text + " (status)"


def run_environment(options, name, cases, results):
    environment = ENVIRONMENTS[name]
    if environment.preload and not os.path.exists(environment.preload):
        print(f"skipped: {name}: there is no {environment.preload}")
        return True
    if environment.confine in ("noproc", "nobody") and os.geteuid() != 0:
        print(f"skipped: {name}: needs root")
        return True
    try:
        place = Place(environment.place)
    except PermissionError as error:
        print(f"skipped: {name}: {error}")
        return True
    fine = True
    for case in cases:
        cell = one_cell(options, CASES[case], environment, place)
        fine = fine and " of " not in cell
        print(f"{options.label}{name:14}{case:18}{cell}", flush=True)
        if results:
            print(options.label, name, case, cell, sep="\t", file=results, flush=True)
    place.remove()
    return fine


def table(paths):
    """Markdown of the files' results, the last one of each cell: cases down, environments across."""
    cells = {}
    for path in paths:
        with open(path) as file:
            for line in file:
                label, environment, case, cell = line.rstrip("\n").split("\t")
                cells[(label + case, environment)] = cell
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = [name for name in ENVIRONMENTS if any(name == column for _, column in cells)]
    print("| Program | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for row in rows:
        print(f"| {row} | " + " | ".join(cells.get((row, column), "") for column in columns) + " |")
    print()
    for column in columns:
        print(f"- {column}: {ENVIRONMENTS[column].says}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library")
    parser.add_argument("--programs")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--emulator", help="what to start the programs with")
    parser.add_argument("--environments")
    parser.add_argument("--cases", default=",".join(QUICK), help="names, or: all")
    parser.add_argument("--label", default="", help="put in front of each line, for several builds in one table")
    parser.add_argument("--results", help="append the cells to this file")
    parser.add_argument("command", nargs="*", help="a program to run instead of the cases")
    parser.add_argument("--table", nargs="+", metavar="FILE")
    options = parser.parse_args()
    if options.table:
        return table(options.table)
    options.library = os.path.abspath(options.library)
    options.programs = os.path.abspath(options.programs)
    options.environments = options.environments or (EMULATED if options.emulator else ",".join(ENVIRONMENTS))
    if options.command:
        options.cases = os.path.basename(options.command[0])
        CASES[options.cases] = other(*options.command, seconds=100)
    cases = list(CASES) if options.cases == "all" else options.cases.split(",")
    cases = [name for name in cases if not (options.emulator and name in NOT_EMULATED)]
    results = open(options.results, "a") if options.results else None
    outcomes = [run_environment(options, name, cases, results) for name in options.environments.split(",")]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
