#!/usr/bin/env python3
"""Run the torture programs, bare and recorded: same exit status, same output, sound files.

run.py --library libsnap.so --programs DIR [NAME...]
"""
import argparse
import glob
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import snapread  # noqa: E402

options = None
failures = 0
MALLOC_DEBUG = "/lib/x86_64-linux-gnu/libc_malloc_debug.so.0"


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def program(name):
    return os.path.join(options.programs, name)


def meta(path):
    return {k.decode(): v.decode() for k, v in snapread.read(path)["meta"].items()}


def run(argv, env=None, limits=()):
    def limit():
        for what, value in limits:
            resource.setrlimit(what, (value, value))
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=1200,
                          preexec_fn=limit if limits else None)


def tortured(name, *args, files=1, repeat=1, limits=(), directory=None, preload="", quiet=True, **settings):
    """`files`: how many snapshots the program itself must leave (None: any number)."""
    argv = [program(name), *[a.format(lib=options.library, dir=options.programs) for a in args]]
    bare = run(argv, dict(os.environ, LD_PRELOAD=preload, **settings), limits)
    for _ in range(repeat):
        out = directory or tempfile.mkdtemp(prefix="snap-torture-")
        if not directory:
            os.chmod(out, 0o777)
        env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out,
                   LD_PRELOAD=f"{options.library} {preload}".strip(), **settings)
        recorded = run(argv, env, limits)
        check(recorded.returncode == bare.returncode,
              f"{name} {args}: ended with {recorded.returncode}, bare with {bare.returncode}: {recorded.stderr}")
        check(recorded.stdout == bare.stdout, f"{name}: prints something else when recorded")
        if quiet:
            check(recorded.stderr == bare.stderr, f"{name} {args}: talks when recorded: {recorded.stderr}")
        found = glob.glob(os.path.join(out, name + ".*.snap"))
        if files is not None:
            check(len(found) == files, f"{name} {args}: left {len(found)} snapshots, not {files}")
        metas = [meta(f) for f in found]
        if os.path.isdir(out):
            wait_for_helpers(out)  # what one is writing is not left behind
            left = [f for f in os.listdir(out) if not f.endswith(".snap")]
            check(not left or directory, f"{name}: left behind {left}")
        if not directory:
            shutil.rmtree(out)
    return metas, recorded


def bounded_memory():
    metas, _ = tortured("t10_threads")
    used = int(metas[0]["metrics.recorder.memory"])
    check(used < 40 << 20, f"10,000 threads, 8 at a time, cost {used} bytes")


def many_threads():
    """What a thread that waits costs: the process's memory, by the kernel's account, less the same bare."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library)
    bare, recorded = (run([program("t25_many")], e) for e in (None, env))
    check((bare.returncode, recorded.returncode) == (0, 0), f"t25: {recorded.returncode} {recorded.stderr}")
    (count, before), (same, after) = (map(int, r.stdout.split()) for r in (bare, recorded))
    check(same == count, f"{same} threads could be made, bare {count}")
    check(after - before < 5 * count + 8192, f"{count} threads cost {after - before} KiB")
    shutil.rmtree(out)


def own_malloc():
    _, recorded = tortured("t09_own_malloc", files=0, quiet=False)
    check("malloc is answered in front of libsnap" in recorded.stderr, "a malloc in front of ours is not told")
    # A library with the old hash table: dlsym() looks the real functions up, and allocates meanwhile.
    tortured("t09_own_malloc", files=0, quiet=False, preload=program("libblue.so"))


def closed_modules():
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library)
    done = run([program("t14_dlclose"), program("libred.so"), program("libblue.so")], env)
    check(done.returncode == 0, f"t14: {done.returncode} {done.stderr}")
    live = {}
    for path in glob.glob(out + "/*.snap"):
        for site in snapread.read(path)["sites"]:
            if site["stack"] and site["live_bytes"]:
                module = os.path.basename(site["stack"][0][3].decode())
                live[module] = live.get(module, 0) + site["live_bytes"]
    check(live.get("libred.so") == 3000 and live.get("libblue.so") == 5000,
          f"blocks of closed modules: {live}")
    shutil.rmtree(out)


def peaks():
    """Each step of a peak that threads reach together has its snapshot: 104 MiB in steps of 8."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    tortured("t32_peaks", files=None, directory=out, SNAP_AT_PEAK="8MiB")
    wait_for_helpers(out)
    held = [sum(site["live_bytes"] for site in snapread.read(path)["sites"]) >> 20
            for path in glob.glob(out + "/t32_peaks.*.snap")]
    check(max(held) >= 90, f"t32: snapshots of a peak of 104 MiB hold {sorted(held)} MiB")
    shutil.rmtree(out)


def valgrind():
    """It ends a program that makes a process as our helper is one."""
    # Not those of other ABIs, which a compiler for them brings.
    loaders = glob.glob("/lib*/ld-linux-%s.so.*" % os.uname().machine.replace("_", "-"))
    if not shutil.which("valgrind") or not loaders:
        print("skipped: valgrind is not installed")
        return
    for settings, files in (({"SNAP_DURABLE": "1"}, 1), ({"SNAP_AT_PEAK": "64"}, None), ({"SNAP_EVERY": "1ms"}, 1)):
        out = tempfile.mkdtemp(prefix="snap-torture-")
        log = os.path.join(out, "log")
        done = run(["valgrind", "--tool=none", f"--log-file={log}", loaders[0], "--preload", options.library,
                    program("t21_distinct"), "500"], dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, **settings))
        found = glob.glob(os.path.join(out, "t21_distinct.*.snap"))
        check(done.returncode == 0, f"valgrind {settings}: {done.returncode} {done.stderr} {open(log).read()}")
        check(len(found) == files if files else len(found) > 1, f"valgrind {settings}: {len(found)} snapshots")
        said = "under valgrind no snapshots are taken by a timer" in done.stderr
        check(said == ("SNAP_EVERY" in settings), f"valgrind {settings}: says {done.stderr!r}")
        for path in found:
            meta(path)
        shutil.rmtree(out)


def no_place():
    for directory in ("/proc/no/such", "/sys/kernel/x"):
        _, recorded = tortured("t17_open", files=0, directory=directory, quiet=False)
        check(recorded.stderr.count("\n") == 1 and recorded.stderr.startswith("libsnap: "),
              f"{directory}: not one sentence: {recorded.stderr!r}")


def full_disk():
    """A file system of 64 KiB, filled up."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", out]).returncode:
        print("skipped: needs root for a small file system")
        return
    try:
        with open(out + "/filler", "wb") as f:
            try:
                f.write(b"x" * (128 << 10))
                f.flush()
            except OSError:
                pass
        _, recorded = tortured("t17_open", files=0, directory=out, quiet=False)
        check(recorded.stderr.count("\n") == 1 and "no space" in recorded.stderr,
              f"full disk: {recorded.stderr!r}")
        check(os.listdir(out) == ["filler"], f"full disk: left {os.listdir(out)}")
    finally:
        subprocess.run(["umount", out])
        os.rmdir(out)


def variants():
    """The sturdiest programs again, under other loaders' and allocators' settings."""
    for name in ("t01_bootstrap", "t08_entries", "t10_threads"):
        tortured(name, LD_BIND_NOW="1")
        tortured(name, SNAP_SAMPLE="4KiB")
        tortured(name, SNAP_EVERY="10ms", files=None)
        if os.path.exists(MALLOC_DEBUG):
            tortured(name, preload=MALLOC_DEBUG, MALLOC_CHECK_="3", MALLOC_PERTURB_="85")
    for allocator in glob.glob("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2") + \
            glob.glob("/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"):
        for name in ("t10_threads", "t05_fork", "t07_order"):
            tortured(name, preload=allocator, files=None if name == "t05_fork" else 1)


def wrapped():
    """Behind another library that interposes, and with a greeting to write as early as can be."""
    wrapper = os.path.join(options.programs, "libwrapper.so")
    with tempfile.NamedTemporaryFile(prefix="snap-hello-") as hello:
        tortured("t01_bootstrap", preload=wrapper, SNAP_HELLO=hello.name)
        check(b" ok" in hello.read(), "recording did not start behind a wrapper of write()")


def names():
    """Processes with equal names and pids, and files that are in the way: nothing is written over, nothing waits."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-p", "-f", "true"], stderr=subprocess.DEVNULL).returncode:
        print("skipped: needs root for pid namespaces")
        return
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out)
    argv = ["unshare", "-p", "-f", "env", f"LD_PRELOAD={options.library}", program("t17_open")]
    victim = os.path.join(out, "victim")
    with open(victim, "w") as file:
        file.write("precious")
    os.mkfifo(os.path.join(out, ".t17_open.1.000001.tmp"))
    os.link(victim, os.path.join(out, "t17_open.1.000001.snap"))
    for _ in range(3):
        done = run(argv, env)
        check(done.returncode == run(argv[3:4] + argv[5:]).returncode, f"names: {done.returncode} {done.stderr}")
    found = sorted(glob.glob(out + "/t17_open.1_*.000001.snap"))
    check(len(found) == 3, f"three processes with one pid left {sorted(os.listdir(out))}")
    started = [int(meta(path)["start_time_ns"]) for path in found]
    check(started == sorted(started), "names do not sort by the start of their processes")
    with open(victim) as file:
        check(file.read() == "precious", "a file that was in the way was written over")
    shutil.rmtree(out)


def distinct():
    """Call stacks without end: memory stays bounded, no allocation is lost, and what is cut is said."""
    limit = 4 << 20
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, SNAP_MAX_MEMORY=str(limit), LD_PRELOAD=options.library)
    done = run([program("t21_distinct"), "30000"], env)
    check(done.returncode == 0 and done.stdout == "done\n", f"t21: {done.returncode} {done.stderr}")
    path, = glob.glob(out + "/*.snap")
    found, snap = meta(path), snapread.read(path)
    blocks = sum(site["allocated_blocks"] for site in snap["sites"])
    check(30000 <= blocks < 30100, f"{blocks} blocks were counted")
    check(int(found["losses.stacks_shortened"]) > 5000, f"shortened: {found['losses.stacks_shortened']}")
    check(found["losses.events_dropped"] == "0", f"dropped: {found['losses.events_dropped']}")
    used = int(found["metrics.recorder.memory"])
    check(used < limit * 9 // 8 + (4 << 20), f"the recorder takes {used} bytes")
    shutil.rmtree(out)


def no_space():
    """The address space is used up, and the last snapshot needs large tables: it is there all the same."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library)
    done = run([program("t21_distinct"), "250000", "hold"], env, [(resource.RLIMIT_AS, 400 << 20)])
    check(done.returncode == 0 and done.stdout == "done\n", f"t21 hold: {done.returncode} {done.stderr}")
    files = glob.glob(out + "/*.000001.snap")
    check(len(files) == 1, f"t21 hold: {os.listdir(out)} {done.stderr}")
    for path in files:
        sites = [s for s in snapread.read(path)["sites"] if any(b"t21_distinct" in f[3] for f in s["stack"])]
        small = sum(s["live_blocks"] for s in sites if s["live_bytes"] == 40 * s["live_blocks"])
        check(len(sites) > 150000 and small == 250000, f"t21 hold: {len(sites)} sites hold {small} blocks")
    shutil.rmtree(out)
    for limit in ((resource.RLIMIT_AS, 60 << 20), (resource.RLIMIT_DATA, 40 << 20)):
        for settings in ({}, {"SNAP_AT_GROWTH": "2MiB"}, {"SNAP_EVERY": "5ms"}):
            little_space(limit, settings)


def little_space(limit, settings):
    """What a snapshot needs is not given to the host meanwhile, so that the last one is written, too."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library, **settings)
    done = run([program("t21_distinct"), "2000", "hold"], env, [limit])
    wait_for_helpers(out)
    check((done.returncode, done.stdout, done.stderr) == (0, "done\n", ""),
          f"t21 {limit} {settings}: {done.returncode} {done.stderr}")
    small = [sum(s["live_blocks"] for s in snapread.read(path)["sites"] if s["live_bytes"] == 40 * s["live_blocks"])
             for path in glob.glob(out + "/*.snap") if meta(path)["trigger"] == "exit"]
    check(small == [2000], f"t21 {limit} {settings}: the exit snapshots hold {small} blocks")
    shutil.rmtree(out)


class FullGroup:
    """A control group of its own with 48 MiB; `path` is None where none can be made."""
    LIMIT = 48 << 20

    def __init__(self):
        self.path = None
        for line in open("/proc/self/cgroup"):
            _, controllers, place = line.rstrip("\n").split(":", 2)
            if not controllers:
                self.make(f"/sys/fs/cgroup{place}", ("memory.max", self.LIMIT), ("memory.swap.max", 0))
            elif "memory" in controllers.split(","):
                self.make(f"/sys/fs/cgroup/memory{place}", ("memory.limit_in_bytes", self.LIMIT),
                          ("memory.memsw.limit_in_bytes", self.LIMIT))

    def make(self, parent, limit, swap):
        path = os.path.join(parent, f"snap-torture-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            return
        try:
            self.write(path, *limit)
            if os.path.exists(os.path.join(path, swap[0])):  # not where the kernel does not count swap
                self.write(path, *swap)
            self.path = path
        except OSError:  # the directory belongs to no controller of memory
            os.rmdir(path)

    @staticmethod
    def write(path, name, value):
        with open(os.path.join(path, name), "r+") as f:
            f.write(str(value))

    def run(self, argv, env):
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=1200,
                              preexec_fn=lambda: self.write(self.path, "cgroup.procs", os.getpid()))

    def remove(self):
        end = time.time() + 60
        while time.time() < end:
            try:
                os.rmdir(self.path)
                return
            except OSError:  # a helper is still in it
                time.sleep(0.05)
        check(False, f"{self.path}: a process does not leave it")


def in_full_group(group, *args, **settings):
    """t27 in the group, bare and recorded; the recorded result and its snapshots, oldest first."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    argv = [program("t27_full_cgroup"), *args]
    bare = group.run(argv, dict(os.environ))
    done = group.run(argv, dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library, **settings))
    check((done.returncode, done.stdout, done.stderr) == (bare.returncode, bare.stdout, bare.stderr),
          f"t27 {args}: {done}, bare {bare}")
    snapshots = [snapread.read(path) for path in sorted(glob.glob(out + "/*.snap"))]
    shutil.rmtree(out)
    return done, snapshots


def held_by_program(snapshot, size):
    """Bytes in blocks of this size."""
    return sum(s["live_bytes"] for s in snapshot["sites"] if any(b"t27_full_cgroup" in f[3] for f in s["stack"])
               and s["live_bytes"] == size * s["live_blocks"])


def full_cgroup():
    """In a group that is full of a file's pages nothing is missing; before the kernel kills for memory, growth is seen."""
    group = FullGroup()
    if not group.path:
        print("skipped: no control group with a limit of memory can be made here")
        return
    # Not on a file system in memory, whose pages cannot be dropped.
    with tempfile.TemporaryDirectory(prefix="snap-torture-", dir=options.programs) as directory:
        done, snapshots = in_full_group(group, "cache", os.path.join(directory, "file"))
        check(done.returncode == 0, f"t27 cache: {done}")
        held = [held_by_program(s, 200) for s in snapshots]
        check(held == [40000 * 200], f"t27 cache: snapshots hold {held} bytes")
    done, snapshots = in_full_group(group, "heap", SNAP_AT_GROWTH="8MiB")
    check(done.returncode == -signal.SIGKILL, f"t27 heap: {done}")
    held = [held_by_program(s, 1 << 20) >> 20 for s in snapshots]
    # 48 MiB, of which some are the recorder's and the loader's.
    check(len(held) >= 3 and held == sorted(held) and held[-1] >= 24, f"t27 heap: snapshots hold {held} MiB")
    group.remove()


def slow_fsync():
    """A file system that takes 6 s to write to its disk delays nobody, and loses nothing."""
    if not shutil.which("strace"):
        print("skipped: a slow fsync: there is no strace")
        return
    out = tempfile.mkdtemp(prefix="snap-torture-")
    log = os.path.join(out, "log")
    settings = {"SNAP_ACTIVE": "1", "SNAP_OUT": out + "/snaps", "SNAP_DURABLE": "1", "LD_PRELOAD": options.library}
    argv = ["strace", "-f", "-o", log, "-e", "trace=fsync,fdatasync,exit_group,rename,renameat,renameat2",
            "-e", "inject=fsync,fdatasync:delay_enter=6000000", *[f"-E{k}={v}" for k, v in settings.items()],
            program("t17_open")]
    bare, done = run([program("t17_open")]), run(argv)
    if "ptrace" in done.stderr:
        print("skipped: a slow fsync: tracing is not permitted")
        return
    check((done.returncode, done.stdout, done.stderr) == (bare.returncode, bare.stdout, bare.stderr),
          f"t17 with a slow fsync: {done}, bare {bare}")
    said = open(log).read()
    check("DELAYED" in said, f"no fsync was slow: {said}")
    files = os.listdir(out + "/snaps")
    check(len(files) == 1 and files[0].endswith(".snap"), f"a slow fsync left {files}: {said}")
    meta(os.path.join(out, "snaps", files[0]))
    shutil.rmtree(out)


def new_forms():
    """Operator new is recorded under each allocator as under glibc's, once per block."""
    nesting = os.path.join(options.programs, "libnesting.so")
    allocators = [""] + glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4") + \
        [nesting]
    for allocator in allocators:
        out = tempfile.mkdtemp(prefix="snap-torture-")
        env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=f"{options.library} {allocator}")
        done = run([program("t22_new")], env)
        check(done.returncode == 0 and done.stdout == "1\n", f"new, {allocator}: {done.returncode} {done.stderr}")
        path, = glob.glob(out + "/*.snap")
        held, made = {}, {}
        for site in snapread.read(path)["sites"]:
            mine = [f for f in site["stack"] if b"t22_new" in f[3]]
            if not mine:
                continue
            size = site["live_bytes"] // site["live_blocks"] if site["live_blocks"] else 0
            held[size] = held.get(size, 0) + site["live_blocks"]
            made["all"] = made.get("all", 0) + site["allocated_blocks"]
        # 32 objects, 64 aligned ones, the string and the block of malloc; then printf()'s and the exception's.
        check((held.get(1000), held.get(1024), held.get(3001), held.get(500)) == (32, 64, 1, 1),
              f"new, {allocator}: holds {held}")
        check(made["all"] == 64 * 5 + 2 + 2, f"new, {allocator}: {made['all']} blocks were made")
        shutil.rmtree(out)


def late_signal():
    """A signal in the middle of the exit's snapshot ends the process when that is written, and not before."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    done = run([program("t26_late_signal")],
               dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library))
    check(done.returncode == -signal.SIGTERM, f"t26 ended with {done.returncode}: {done.stderr}")
    check(done.stdout == "went on\n", f"t26: the thread waited for its own snapshot: {done.stdout!r}")
    files = glob.glob(out + "/*.snap")
    check(len(files) == 1, f"t26 left {os.listdir(out)}")
    for path in files:
        check(meta(path)["trigger"] == "exit", f"t26: a snapshot of {meta(path)['trigger']}")
        check(any(s["live_bytes"] == 12345 for s in snapread.read(path)["sites"]), "t26: the block is not there")
    shutil.rmtree(out)


def prefixed():
    """An allocator with a prefix is a domain of its own."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    done = run([program("t23_prefixed")], dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=options.library))
    check(done.returncode == 0, f"t23: {done.returncode} {done.stderr}")
    path, = glob.glob(out + "/*.snap")
    snap = snapread.read(path)
    sites = [s for s in snap["sites"] if snap["strings"][s["domain"]] == b"mimalloc"]
    held = (sum(s["live_blocks"] for s in sites), sum(s["live_bytes"] for s in sites))
    check(held == (78, 75 * 700 + 4000 + 6000 + 9000), f"mimalloc holds {held}")
    check(sum(s["allocated_blocks"] for s in sites) == 104, "not every block was counted")
    shutil.rmtree(out)


def nested():
    """A call that an allocator answers by way of another one counts once, sampled or not."""
    nesting = os.path.join(options.programs, "libnesting.so")
    truth = (2000, 2000 * 1000 + 3000 * 1000, 43000, 40000 * 100 + 1000 * (2000 + 50 + 3000))
    for behind in ("", nesting):
        for sample in (None, "1KiB"):
            out = tempfile.mkdtemp(prefix="snap-torture-")
            env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, LD_PRELOAD=f"{options.library} {behind}")
            if sample:
                env.update(SNAP_SAMPLE=sample, SNAP_SEED="5")
            done = run([program("t24_nested")], env)
            check(done.returncode == 0, f"t24 {behind}: {done.returncode} {done.stderr}")
            path, = glob.glob(out + "/*.snap")
            snap = snapread.read(path)
            for domain in (b"malloc", b"jemalloc"):
                if sample and domain == b"jemalloc":
                    continue  # blocks of other domains are not sampled
                sites = [s for s in snap["sites"] if snap["strings"][s["domain"]] == domain and
                         any(b"t24_nested" in f[3] for f in s["stack"])]
                found = tuple(sum(s[k] for s in sites) for k in
                              ("live_blocks", "live_bytes", "allocated_blocks", "allocated_bytes"))
                what = f"t24, {domain.decode()} by way of {behind or 'libc'}, sample {sample}: {found}, not {truth}"
                if sample:
                    check(all(0.85 * t < f < 1.15 * t for f, t in zip(found, truth)), what)
                else:
                    check(found == truth, what)
            shutil.rmtree(out)


def tracer():
    """A library that interposes ordinary functions is not called before libc is ready."""
    library = os.path.join(options.programs, "libearly_calls.so")
    for name in ("t01_bootstrap", "t17_open"):
        tortured(name, preload=library, TRACER="on")
    clocks = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    if not clocks:
        print("skipped: a changed clock: there is no libfaketime")
    for clock in clocks:
        tortured("t17_open", preload=clock, FAKETIME="+1d")


def wait_for_helpers(directory):
    """Until no process has the directory open: a helper may write after the end of its host."""
    end = time.time() + 60
    while time.time() < end:
        open_by = [link for link in glob.glob("/proc/[0-9]*/fd/*") if target(link) == directory]
        if not open_by:
            return
        time.sleep(0.02)
    check(False, f"a helper does not end: {open_by}")


def target(link):
    try:
        return os.readlink(link)
    except OSError:
        return None


def late(name, *args, files=1, **settings):
    """The same for snapshots that may come after the end of the process."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    os.chmod(out, 0o777)
    tortured(name, *args, files=None, directory=out, **settings)
    wait_for_helpers(out)
    found = [f for f in os.listdir(out) if f.startswith(name + ".") and f.endswith(".snap")]
    left = [f for f in os.listdir(out) if not f.endswith(".snap")]
    if files is None:
        check(found, f"{name} {args}: left no snapshot")
    else:
        check(len(found) == files, f"{name} {args} {settings}: left {len(found)} snapshots, not {files}")
    check(not left, f"{name} {args}: left behind {left}")
    for f in found:
        meta(os.path.join(out, f))
    shutil.rmtree(out)


def ends():
    """Every way to end leaves a snapshot; status, output and handlers are the program's own."""
    for how in ("abrt", "term", "int", "quit", "hup", "alrm", "usr1", "usr2", "xcpu", "pipe", "trap", "real", "abort", "segv", "ill",
                "raw", "exec", "own", "ignored", "reporter", "dispositions", "abort_returns", "abort_once", "abort_nothing",
                "abort_assert", "abort_jump", "abort_live", "once_fault", "once_signal",
                "once_sysv"):
        tortured("t19_ends", how)
    tortured("t19_ends", "failed_exec", files=2)  # one for the exec that was tried, one at the end
    tortured("t19_ends", "overflow", files=0)     # no stack is left for a handler
    for how in ("kill", "bare_metal"):
        tortured("t19_ends", how, files=0)
        late("t19_ends", how, SNAP_EVERY="1h")    # a helper that is there writes the last one


def guest():
    """The process sees only itself, with a helper beside it or without."""
    for how in ("look", "unshare", "fork", "pthread_exit", "adopt"):
        tortured("t20_guest", how, files=1 if how == "pthread_exit" else None)
        tortured("t20_guest", how, files=None, SNAP_EVERY="20ms")
        tortured("t20_guest", how, files=None, SNAP_AT_GROWTH="64KiB")
    tortured("t20_guest", "raw_exit", files=0)
    late("t20_guest", "raw_exit", SNAP_EVERY="1h")


def filters():
    """A filter is the host's own affair: nothing of ours meets it, in workers neither."""
    for action in ("kill", "trap", "errno"):
        for way in ("prctl", "seccomp"):
            late("t21_filters", action, way)
            late("t21_filters", action, way, "fork")
            late("t21_filters", action, way, "fault")
            late("t21_filters", action, way, "fork", SNAP_EVERY="10ms", files=None)
            late("t21_filters", action, way, "fork", SNAP_AT_GROWTH="256KiB", files=None)
        # Nobody is told of this one: only a helper that is there by then can write.
        for more in ((), ("fork",)):
            tortured("t21_filters", action, "raw", *more, files=0)
            late("t21_filters", action, "raw", *more, SNAP_EVERY="10ms", files=None)
            tortured("t21_filters", action, "raw", *more, SNAP_AT_GROWTH="256KiB", files=None)
    tortured("t21_filters", "fsize", files=0, quiet=False)
    tortured("t21_filters", "fsize", "", "fork", files=0, quiet=False)
    tortured("t21_filters", "nofile", "", "fork", files=4)
    tortured("t21_filters", "none", "", "fork", files=4)
    tortured("t21_filters", "ask", "", "fork", files=4)
    tortured("t21_filters", "refused", "", "fork", files=4)
    tortured("t21_filters", "nproc", "", files=1)
    tortured("t21_filters", "nproc", "", files=None, SNAP_AT_GROWTH="256KiB")
    tortured("t21_filters", "as", "", files=1)
    tortured("t21_filters", "as", "", "fork", files=4)
    tortured("t21_filters", "as", "", files=None, SNAP_AT_GROWTH="256KiB")
    late("t21_filters", "as", "", files=None, SNAP_EVERY="10ms")


PROCESSES = {  # how many snapshots of the program itself are due; None: it depends on time (see is_worth_a_snapshot())
    "daemon": 3, "clone3": 2, "vfork": 1, "script": None, "profiled": 6, "small_stacks": 1, "exit_from_small_stack": 1,
    "alternate": 1, "death_on_alternate": 1, "exit_in_handler": 1, "abort_at_exit": 1, "fork_at_exit": 2, "quick": 2,
    "closes_at_exit": 1, "broken_stderr": 1, "data_at_stderr": 1, "no_descriptors": 1, "three_descriptors": 2,
    "directory_is_removed": 2, "not_dumpable": 2, "no_new_privileges": 2, "children_ignored": 6, "waits_for_all": 4,
    "waits_beside_thread": 1, "clearenv": 1,
    "unpreload": 1, "fixed_addresses": 2, "three_times": 3}


def processes():
    more = {"script": program("confine"), "closes_at_exit": program("libred.so")}
    for how, files in PROCESSES.items():
        if how == "not_dumpable" and os.geteuid() != 0:
            continue  # it gives up rights that it must have
        argv = ("t28_processes", how, *([more[how]] if how in more else []))
        tortured(*argv, files=files)
        tortured(*argv, files=None, SNAP_EVERY="3ms", SNAP_AT_GROWTH="1KiB")


def requests():
    for how in ("sizes", "usable", "alignments", "own_break", "holes", "huge_pages", "closed"):
        argv = ("t29_requests", how, *([program("libred.so")] if how == "closed" else []))
        tortured(*argv)
        tortured(*argv, files=None, SNAP_EVERY="3ms", SNAP_AT_PEAK="16KiB", SNAP_MMAP="1")


def gone_directory():
    """The directory is removed, or taken away, between two snapshots: it is made again, or this is said."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    directory = os.path.join(out, "a")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library)
    script = 'LD_PRELOAD= rm -rf "$1/a"; if [ "$2" = file ]; then echo precious > "$1/a"; fi; exit 3'
    for how in ("gone", "file"):
        done = run(["/bin/sh", "-c", script, "sh", out, how], env)
        check(done.returncode == 3, f"{how}: ended with {done.returncode}")
        if how == "gone":
            check(any(f.startswith("dash.") or f.startswith("sh.") for f in os.listdir(directory)) and not done.stderr,
                  f"a removed directory: {os.listdir(out)} {done.stderr}")
        else:
            check(open(os.path.join(out, "a")).read() == "precious\n", "a file in the way was changed")
            check(done.stderr.count("\n") == 1 and done.stderr.startswith("libsnap: "), f"a file in the way: {done.stderr!r}")
    shutil.rmtree(out)


def manners():
    for how in ("no_mappings", "counter", "floats", "errors", "held", "borrowed", "keys"):
        tortured("t35_manners", how, files=None if how == "no_mappings" else 1)
        tortured("t35_manners", how, files=None, SNAP_AT_PEAK="300KiB", SNAP_AT_GROWTH="300KiB")
        tortured("t35_manners", how, files=None, SNAP_SAMPLE="1KiB")
    late("t35_manners", "strict")
    late("t35_manners", "no_mappings")
    late("t35_manners", "no_more_mappings")
    for more in ({}, {"SNAP_AT_GROWTH": "64KiB"}, {"SNAP_MMAP": "1"}):
        late("t35_manners", "no_waits", files=None, SNAP_EVERY="3ms", **more)
    for how in ("addresses", "spaces"):
        tortured("t35_manners", how, files=None, quiet=how != "spaces")  # it may be unable to write there
    tortured("t35_manners", "spaces", files=None, quiet=False, SNAP_AT_GROWTH="20KiB")


def child_of(pid, but):
    """The helper beside a process."""
    end = time.time() + 60
    while time.time() < end:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            found = [int(child) for child in file.read().split() if int(child) != but]
        if found:
            return found[0]
        time.sleep(0.01)
    check(False, "there is no new helper")
    return 0


def waits_for_signals(pid):
    """Without this descriptor a helper cannot sleep."""
    return any(target(link) == "anon_inode:[signalfd]" for link in glob.glob(f"/proc/{pid}/fd/*"))


def killed_helper():
    """Who looks for a child with pgrep, to kill it, kills the helper: another one takes over, and rests between snapshots."""
    out = tempfile.mkdtemp(prefix="snap-torture-")
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=out, SNAP_EVERY="50ms", LD_PRELOAD=options.library)
    process = subprocess.Popen([program("t35_manners"), "stay"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    first = child_of(process.pid, 0)
    while not os.listdir(out):
        time.sleep(0.01)  # it has opened its files
    os.kill(first, signal.SIGKILL)
    second = child_of(process.pid, first)
    end = time.time() + 60
    while time.time() < end and not waits_for_signals(second):
        time.sleep(0.01)
    check(waits_for_signals(second), "the second helper looks all the time")
    taken = len(os.listdir(out))
    while time.time() < end and len(os.listdir(out)) < taken + 3:
        time.sleep(0.01)
    said = process.communicate()[0]
    check((process.returncode, said) == (0, b"done\n"), f"killed helper: {process.returncode} {said}")
    wait_for_helpers(out)
    reasons = [meta(path)["trigger"] for path in glob.glob(out + "/*.snap")]
    check("exit" in reasons and reasons.count("timer") > 3, f"killed helper: snapshots of {reasons}")
    shutil.rmtree(out)


def damaged():
    """What the loader does not look at may be damaged: where notes and frames are, and the frames themselves."""
    directory = tempfile.mkdtemp(prefix="snap-torture-")
    with open(program("t21_distinct"), "rb") as file:
        sound = file.read()
    first, size, count = (struct.unpack_from("<Q", sound, 32)[0], *struct.unpack_from("<HH", sound, 54))
    headers = {struct.unpack_from("<I", sound, first + i * size)[0]: first + i * size for i in range(count)}
    notes, frames = headers[4], headers[0x6474e550]  # PT_NOTE, PT_GNU_EH_FRAME
    at, table_size = struct.unpack_from("<Q", sound, frames + 8)[0], struct.unpack_from("<Q", sound, frames + 32)[0]
    kinds = [(notes + 40, struct.pack("<Q", 0x8c0020)), (notes + 16, struct.pack("<Q", 0x7e0000001000)),
             (frames + 16, struct.pack("<Q", 0xd3000076b0)), (frames + 40, struct.pack("<Q", 1 << 40)),
             (at + 8, b"\xff\xff\xff\x7f"), (at + 4, b"\xff\xff\xff\x7f"), (at + 2, b"\xff")]
    noise = random.Random(7)
    kinds += [(at + 12, noise.randbytes(table_size - 12)), (at + table_size, noise.randbytes(600)),
              (at + table_size, b"\xf0\xff\xff\x7f"), (at + table_size, b"\xff\xff\xff\xff" + b"\xff" * 8)]
    for i, (place, data) in enumerate(kinds):
        path = os.path.join(directory, f"damaged{i}")
        with open(path, "wb") as file:
            file.write(sound[:place] + data + sound[place + len(data):])
        os.chmod(path, 0o755)
        bare, env = run([path, "300"]), dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library)
        done = run([path, "300"], env)
        check((done.returncode, done.stdout) == (0, bare.stdout), f"damaged, {i}: {done.returncode} {done.stderr}")
        check(bare.returncode == 0, f"damaged, {i}: bare {bare.returncode}")
        found = glob.glob(path + ".*.snap")
        check(len(found) == 1, f"damaged, {i}: {len(found)} snapshots")
    shutil.rmtree(directory)


def starts():
    tortured("t34_starts", "pending", files=2)
    done = run([program("t34_starts"), "moved", options.library], dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=tempfile.gettempdir()))
    check(done.returncode == 0, f"t34 moved: ended with {done.returncode}: {done.stderr}")
    # Two libraries that want the same place: the loader moves one of them down.
    if os.path.exists(program("libhigh.so")):
        with tempfile.TemporaryDirectory(prefix="snap-torture-") as directory:
            copies = [shutil.copy(program("libhigh.so"), os.path.join(directory, name)) for name in ("a.so", "b.so")]
            tortured("t01_bootstrap", preload=" ".join(copies))


TESTS = {
    "starts": starts,
    "tracer": tracer, "valgrind": valgrind, "processes": processes, "requests": requests,
    "manners": manners, "damaged": damaged, "killed_helper": killed_helper, "peaks": peaks, "gone_directory": gone_directory,
    "prefixed": prefixed, "late_signal": late_signal, "nested": nested,
    "new": new_forms,
    "distinct": distinct, "no_space": no_space, "full_cgroup": full_cgroup, "slow_fsync": slow_fsync,
    "names": names,
    "bootstrap": lambda: tortured("t01_bootstrap"),
    "tls": lambda: (tortured("t02_tls"), tortured("t02_tls", "{lib}")),
    "tls_late": lambda: check(run([program("t02_tls"), options.library]).returncode == 0,
                              "libsnap cannot be loaded late"),
    "bounds": lambda: (tortured("t03_bounds"), tortured("t33_past")),
    "loader": lambda: tortured("t04_loader", "{dir}/libred.so", SNAP_EVERY="20ms", files=None, repeat=3),
    "fork": lambda: tortured("t05_fork", files=None, repeat=2),
    "signals": lambda: tortured("t06_signals"),
    "order": lambda: tortured("t07_order", repeat=2),
    "entries": lambda: tortured("t08_entries"),
    "own_malloc": own_malloc,
    "threads": bounded_memory, "many_threads": many_threads,
    "exits": lambda: [tortured("t11_exits", how, repeat=1 if n > 1 else 5, files=n) for how, n in
                      (("exit", 1), ("_exit", 1), ("quick_exit", 1), ("two", 1), ("together", 41), ("handler", 1),
                       ("exec", 1), ("abort", 1), ("return", 1))],
    "files": lambda: [tortured("t12_files", how, files=None, SNAP_EVERY="50ms") for how in
                      ("close", "nofile", "chdir", "chroot", "mounts", "mounts_and_pids", "setuid")],
    "namespaces": lambda: tortured("t13_sandbox", "userns"),
    "credentials": lambda: tortured("t18_credentials", repeat=5),
    "files_at_exit": lambda: [tortured("t12_files", how) for how in
                              ("close", "nofile", "chdir", "chroot", "mounts", "mounts_and_pids")],
    "sandbox": lambda: [tortured("t13_sandbox", how, files=n, quiet=how != "as") for how, n in
                        (("seccomp", None), ("kill", None), ("as", None), ("noproc", 1), ("landlock", 1))],
    "limits": lambda: (tortured("t10_threads", limits=[(resource.RLIMIT_NOFILE, 4)]),
                       tortured("t08_entries", limits=[(resource.RLIMIT_AS, 200 << 20)]),
                       tortured("t08_entries", limits=[(resource.RLIMIT_FSIZE, 0)], files=0, quiet=False)),
    "dlclose": closed_modules,
    "stacks": lambda: tortured("t15_stacks", repeat=2),
    "zstd": lambda: tortured("t16_zstd"),
    "ends": ends, "guest": guest, "filters": filters,
    "no_place": no_place, "wrapped": wrapped, "full_disk": full_disk, "variants": variants,
}


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    options.library = os.path.abspath(options.library)
    options.programs = os.path.abspath(options.programs)
    for name in options.names or TESTS:
        before = failures
        TESTS[name]()
        print(f"{'ok    ' if failures == before else 'FAILED'} {name}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
