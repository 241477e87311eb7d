"""Python programs, recorded with the supported CPythons that are here, and what was recorded of them.

usage: test_NAME.py SNAPDIFF [all|short|others|3.N] [OPTION OF UNITTEST]...

SNAP_TEST_PYTHONS, a list of paths separated by colons, names the interpreters, and all of them are used.  Otherwise
those of the PATH, of /usr/bin and of pyenv are found, one for each minor version and kind of build: `short` uses the system's and the
newest of the rest, and each test but the most important ones one of these two, in turn; `others` what `short` leaves out; 3.N those of that version.
"""
import collections
import functools
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
SUPPORTED = range(9, 15)

Python = collections.namedtuple("Python", "path minor version debug")
Frame = collections.namedtuple("Frame", "function file line module")
Site = collections.namedtuple("Site", "bytes blocks domain frames")


def describe(path):
    """What is at `path`, if it is a supported CPython."""
    ask = ("import sys; print(sys.implementation.name, *sys.version_info[:3], hasattr(sys, '_is_gil_enabled') and "
           "not sys._is_gil_enabled(), hasattr(sys, 'gettotalrefcount'))")
    try:
        done = subprocess.run([path, "-I", "-c", ask], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    name, major, minor, micro, free, debug = done.stdout.split()
    if name != "cpython" or major != "3" or int(minor) not in SUPPORTED or free == "True":
        return None
    return Python(path, int(minor), f"3.{minor}.{micro}", debug == "True")


def library_of(python):
    """The library that the interpreter is in, where there is one."""
    home = os.path.dirname(os.path.dirname(os.path.realpath(python.path)))
    name = f"libpython3.{python.minor}{'d' if python.debug else ''}.so.1.0"
    found = [path for path in glob.glob(f"{home}/lib/{name}") + glob.glob(f"{home}/lib/*-linux-gnu/{name}")
             if os.path.isfile(path)]
    return found[0] if found else None


def find():
    """A supported CPython for each minor version and kind, oldest first."""
    paths = glob.glob(str(pathlib.Path.home() / ".pyenv/versions/3.*/bin/python3"))
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/bin", "/usr/local/bin"]:
        if "shims" not in folder:
            paths += sorted(glob.glob(folder + "/python3")) + sorted(glob.glob(folder + "/python3.[0-9]*"))
    found = {}
    for path in paths:
        python = describe(path) if os.access(path, os.X_OK) and not path.endswith("-config") else None
        shared = bool(python) and bool(glob.glob(os.path.dirname(os.path.dirname(path)) + "/lib/libpython3*.so.1.0"))
        if python:
            found.setdefault((python.minor, shared, python.debug), python)
    return [found[key] for key in sorted(found)]


def split(found):
    """The system's interpreter and the newest of the rest; and what is left."""
    system = next((python for python in found if python.path.startswith("/usr/bin/") and not python.debug),
                  found[0] if found else None)
    rest = [python for python in found if python != system and not python.debug]
    short = [python for python in found if python == system or python == rest[-1]] if rest else found
    return short, [python for python in found if python not in short]


def choose(which):
    """The interpreters to use, and those that are left out."""
    named = os.environ.get("SNAP_TEST_PYTHONS")
    if named:
        found = [python for python in map(describe, named.split(":")) if python]
        return ([], found) if which == "others" else (found, [])
    found = find()
    if which.startswith("3."):
        return [python for python in found if f"3.{python.minor}" == which], []
    short, others = split(found)
    return {"all": (found, []), "short": (short, others), "others": (others, short)}[which]


def pythons():
    return PythonTest.pythons


def is_short():
    return PythonTest.is_short


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"t": "\t", "n": "\n"}.get(m.group(1), m.group(1)), text)


@functools.lru_cache(maxsize=None)
def parse_frame(field):
    function, file, number, module = map(unescape, re.split(r"(?<!\\)\|", field))
    return Frame(function, file, int(number or 0), module)


def parse(text, wanted):
    """The rows of the text form that are `wanted` (bytes, domain), and its meta keys."""
    sites, meta, columns = [], {}, None
    for line in text.splitlines():
        if line.startswith("@ "):
            key, _, value = line[2:].partition("\t")
            meta[unescape(key)] = unescape(value)
        elif line.startswith("live_bytes"):
            columns = line
        elif columns and line:
            fields = line.split("\t")
            if not wanted(int(fields[0]), fields[4]):
                continue
            sites.append(Site(int(fields[0]), int(fields[1]), fields[4], tuple(map(parse_frame, fields[6:]))))
    return sites, meta


class PythonTest(unittest.TestCase):
    snapdiff = None
    pythons = []

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="snap-python-"))
        self.addCleanup(shutil.rmtree, self.dir)
        for program in PROGRAMS.iterdir():
            if program.is_file():
                shutil.copy(program, self.dir)

    def record(self, python, *arguments, options=(), env=None, code=0):
        """Run a program; what it printed, and its snapshot files, oldest first."""
        out = tempfile.mkdtemp(dir=self.dir)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.dir), "LC_ALL": "C.UTF-8",
                       "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
        command = [self.snapdiff, "run", "-q", "-o", out, "--at-peak", "1TiB", *options, "--", python.path, *arguments]
        done = subprocess.run(command, cwd=self.dir, env=environment, capture_output=True, text=True, timeout=300,
                              check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.stderr = done.stderr
        return done.stdout, sorted(pathlib.Path(out).glob("*.snap"), key=lambda path: (path.stat().st_mtime_ns, path))

    def dump(self, snapshot, wanted=lambda size, domain: True):
        done = subprocess.run([self.snapdiff, "dump", snapshot], capture_output=True, text=True, timeout=120,
                              check=True)
        return parse(done.stdout, wanted)

    every_python = False  # in the short test, too

    def in_turn(self, number):
        """The interpreters for one of many tests."""
        return [pythons()[number % len(pythons())]] if is_short() and not self.every_python else pythons()

    def with_each_python(self, test):
        """Call `test` with every interpreter, each as a subtest; in the short test with one of them."""
        names = unittest.TestLoader().getTestCaseNames(type(self))
        for python in self.in_turn(names.index(self._testMethodName)):
            with self.subTest(python=f"{python.version} {python.path}"):
                test(python)


def listed(pythons):
    return ", ".join(f"{python.version}{', debug build' if python.debug else ''} ({python.path})" for python in pythons)


def main():
    PythonTest.snapdiff = sys.argv.pop(1)
    which = sys.argv.pop(1) if re.fullmatch(r"all|short|others|3\.\d+", "".join(sys.argv[1:2])) else "all"
    PythonTest.pythons, left = choose(which)
    PythonTest.is_short = which == "short"
    if not PythonTest.pythons:
        print("skipped: " + ("no CPython is here but those that the short test uses" if left else
                             "no supported CPython is installed" if which in ("all", "short") else
                             "no CPython for this test is installed"))
        sys.exit(77)
    print("note: tests of Python ran with CPython " + listed(PythonTest.pythons), flush=True)
    if which == "short" and left:
        print("note: left to `./dev test-full`: CPython " + listed(left), flush=True)
    unittest.main()
