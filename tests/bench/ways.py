"""The ways to run a program: bare, recorded by us, recorded by the peers that are installed here."""
import os
import shutil
import subprocess
from collections import namedtuple

# base: the way that this one is compared with; None for those that others are compared with.
# start: function(argv, out) -> (environment, argv); `out` is the directory for what it writes.
# effort: "usual" is repeated, "once" is run once, "slow" once on the small size.
Way = namedtuple("Way", "name base start effort writes")

PERIOD = 512 * 1024
COPIES_KEPT = 16


def library(name):
    """Where the loader finds a shared library; None if it is not installed."""
    output = subprocess.run(["ldconfig", "-p"], stdout=subprocess.PIPE).stdout.decode()
    for line in output.splitlines():
        if line.split()[:1] == [name]:
            return line.split("=>")[1].strip()
    return None


def under_valgrind(library, program):
    """argv that has the program's loader take the library: LD_PRELOAD would reach valgrind itself, whose programs
    libsnap does not record, and takes itself out of."""
    said = subprocess.run(["readelf", "-lW", program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [said.split("interpreter: ")[1].split("]")[0], "--preload", os.path.abspath(library), program]


def heaptrack_preload():
    for root in ("/usr/lib/heaptrack", "/usr/lib/x86_64-linux-gnu/heaptrack", "/usr/lib/aarch64-linux-gnu/heaptrack"):
        path = os.path.join(root, "libheaptrack_preload.so")
        if os.path.exists(path):
            return path
    return None


def jemalloc_has_profiler(path):
    """jemalloc complains about `prof:true` if it was built without."""
    run = subprocess.run(["true"], env=dict(os.environ, LD_PRELOAD=path, MALLOC_CONF="prof:true"),
                         stderr=subprocess.PIPE)
    return run.returncode == 0 and b"Invalid conf" not in run.stderr


def preload(*libraries, **environment):
    return lambda argv, out: (dict(environment, LD_PRELOAD=":".join(libraries)), argv)


def wrapped(*prefix):
    return lambda argv, out: ({}, list(prefix) + argv)


copies = 0  # made so far


def fresh_copy(library, directory):
    """The same file twice can differ in speed by half, by where its pages happen to be in memory: each run takes a
    copy of its own, so that the median does not go by one of them."""
    global copies
    copies += 1
    path = os.path.join(directory, "libsnap-%d.so" % (copies % COPIES_KEPT))
    if os.path.exists(path):
        os.unlink(path)
    return shutil.copyfile(library, path)


def snap(libsnap, *libraries, **settings):
    def start(argv, out):
        ours = fresh_copy(libsnap, os.path.dirname(out))
        return dict(settings, LD_PRELOAD=":".join((ours,) + libraries), SNAP_ACTIVE="1", SNAP_OUT=out), argv
    return start


def over(allocator, path, forward, libsnap, **profiler):
    """The host's own allocator is another one: below us, and with its own profiler (settings)."""
    found = [
        Way(allocator, None, preload(path), "usual", False),
        Way(allocator + ", forward only", allocator, preload(forward, path), "usual", False),
        Way(allocator + ", snapdiff 512 KiB", allocator, snap(libsnap, path, SNAP_SAMPLE=str(PERIOD)), "usual", True),
    ]
    if profiler:
        found.append(Way(allocator + ", its own 512 KiB", allocator, preload(path, **profiler), "usual", False))
    return found


def find_all(build, directory):
    """(ways, sentences on peers that are not there)"""
    libsnap = os.path.join(os.path.abspath(build), "lib", "libsnap.so")
    forward = os.path.join(directory, "forward.so")
    missing = []
    found = [
        Way("bare", None, lambda argv, out: ({}, argv), "usual", False),
        Way("forward only", "bare", preload(forward), "usual", False),
        Way("snapdiff 512 KiB", "bare", snap(libsnap, SNAP_SAMPLE=str(PERIOD)), "usual", True),
        Way("snapdiff exact", "bare", snap(libsnap), "usual", True),
    ]

    def add(way, there, name):
        if there:
            found.append(way)
        else:
            missing.append("%s is not installed." % name)

    inner = heaptrack_preload()
    add(Way("heaptrack in-process", "bare", lambda argv, out: (
        {"LD_PRELOAD": inner, "DUMP_HEAPTRACK_OUTPUT": os.path.join(out, "raw")}, argv), "usual", True), inner,
        "heaptrack")
    add(Way("heaptrack", "bare", wrapped("heaptrack", "-o", "trace"), "once", True), shutil.which("heaptrack"),
        "heaptrack")
    jemalloc, tcmalloc = library("libjemalloc.so.2"), library("libtcmalloc.so.4")
    has_profiler = bool(jemalloc) and jemalloc_has_profiler(jemalloc)
    every = "prof:true,prof_final:true,lg_prof_sample:0"
    add(Way("jemalloc, every allocation", "bare", preload(jemalloc or "", MALLOC_CONF=every), "slow", True),
        has_profiler, "jemalloc with a profiler")
    add(Way("gperftools HEAPPROFILE", "bare", preload(tcmalloc or "", HEAPPROFILE="heap"), "slow", True), tcmalloc,
        "gperftools (libtcmalloc.so.4)")
    valgrind = shutil.which("valgrind")
    add(Way("massif", "bare", wrapped("valgrind", "--tool=massif", "-q"), "slow", True), valgrind, "valgrind")
    add(Way("DHAT", "bare", wrapped("valgrind", "--tool=dhat", "-q"), "slow", True), valgrind, "valgrind")
    if jemalloc:
        sampled = {"MALLOC_CONF": "prof:true,lg_prof_sample:19"} if has_profiler else {}
        found += over("jemalloc", jemalloc, forward, libsnap, **sampled)
    if tcmalloc:
        found += over("tcmalloc", tcmalloc, forward, libsnap, TCMALLOC_SAMPLE_PARAMETER=str(PERIOD))
    return found, sorted(set(missing))
