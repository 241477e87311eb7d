"""The programs that are recorded: built once into a directory, in full size and in a small one for slow peers."""
import os
import subprocess
import sys
from collections import namedtuple

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads")

# A command, what its environment needs, and the same with less work.
Workload = namedtuple("Workload", "argv small environment")

# Full size: about a second of the bare program's CPU time.
SIZES = {
    "deep": (["2500000", "1000000"], ["500000", "200000"]),
    "deep4": (["3000000", "1000000", "4"], ["500000", "200000", "4"]),
    "paths": (["2500000", "1000000"], ["400000", "200000"]),
    "churn": (["2000000"], ["300000"]),
    "factor": (["400000"], ["60000"]),
    "larson": (["4", "32", "200000"], ["4", "6", "200000"]),
    "covers": (["20000"], ["3000"]),
}


def compile_forward(directory):
    """The library that forwards each call and does nothing else; its path, where ways.py looks for it."""
    path = os.path.join(directory, "forward.so")
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-o", path, os.path.join(SOURCES, "forward.c")], check=True)
    return path


def compile_all(directory, c_source=None):
    """Build the C and C++ programs as a user would: -O2, no frame pointers.  `c_source`: what cc1 compiles."""
    for name in ("deep", "paths", "factor", "larson", "covers"):
        subprocess.run(["gcc", "-O2", "-g", "-pthread", "-o", os.path.join(directory, name),
                        os.path.join(SOURCES, name + ".c")], check=True)
    subprocess.run(["g++", "-O2", "-g", "-o", os.path.join(directory, "churn"), os.path.join(SOURCES, "churn.cc")],
                   check=True)
    compile_forward(directory)
    for name, functions in (("large.c", "100"), ("small.c", "20")):
        with open(os.path.join(directory, name), "w") as out:
            subprocess.run([sys.executable, os.path.join(SOURCES, "big_source.py"), functions], stdout=out, check=True)
    if c_source:
        subprocess.run(["gcc", "-E", "-P", "-o", os.path.join(directory, "large.c"), c_source], check=True)
    with open(os.path.join(SOURCES, "rows.sql")) as source:
        script = source.read()
    for name, rows in (("large.sql", "500000"), ("small.sql", "90000")):
        with open(os.path.join(directory, name), "w") as out:
            out.write(script.replace("500000", rows))


def find_all(directory):
    """name -> Workload, of those that can run here."""
    def local(name):
        return os.path.join(directory, name)

    found = {}
    for name, (full, small) in SIZES.items():
        program = local("deep" if name == "deep4" else name)
        found[name] = Workload([program] + full, [program] + small, {})
    cc1 = subprocess.run(["gcc", "-print-prog-name=cc1"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    compiler = [cc1, "-quiet", "-O1", "-o", os.devnull]
    found["cc1"] = Workload(compiler + [local("large.c")], compiler + [local("small.c")], {})
    if os.path.exists("/usr/bin/sqlite3"):
        shell = ["/usr/bin/sqlite3", ":memory:"]
        found["sqlite"] = Workload(shell + [".read " + local("large.sql")], shell + [".read " + local("small.sql")], {})
    if os.path.exists("/usr/bin/python3"):
        script = ["/usr/bin/python3", os.path.join(SOURCES, "documents.py")]
        found["python"] = Workload(script + ["80"], script + ["14"], {"PYTHONMALLOC": "malloc"})
    return found
