#!/usr/bin/env python3
"""A file that was cut, at any byte: refused with exit status 3 and a message, nothing on standard output; a
directory that has one fails a gate; `info` says what it could still read, and ends with 3 as well.

usage: cuts.py SNAPDIFF STEP: every STEP-th byte
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from snapshots import one_site


def ask(snapdiff, *argv):
    env = {"PATH": os.environ["PATH"], "SNAPDIFF_CONFIG": "", "HOME": "/nonexistent"}
    return subprocess.run([snapdiff, *argv], env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                          check=False)


def faults_of(snapdiff, home, whole, size, step):
    cut = home / "prog.7.000002.snap"
    cut.write_bytes(whole[:size])
    result = ask(snapdiff, "top", cut)
    if result.returncode != 3 or result.stdout or cut.name not in result.stderr.decode():
        yield f"top of {size} bytes: exit status {result.returncode}, {result.stdout} {result.stderr}"
    if size % (16 * step) == 0:
        result = ask(snapdiff, "growth", "--exit-code", home)
        if result.returncode != 3 or cut.name not in result.stderr.decode():
            yield f"growth with {size} bytes: exit status {result.returncode}, {result.stderr}"
        result = ask(snapdiff, "info", cut)
        if result.returncode != 3 or not result.stderr:
            yield f"info of {size} bytes: exit status {result.returncode}, {result.stderr}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    snapdiff, step = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        home = pathlib.Path(name)
        whole = one_site("/nonexistent/prog", program="prog")
        (home / "prog.7.000001.snap").write_bytes(whole)
        if ask(snapdiff, "top", home / "prog.7.000001.snap").returncode != 0:
            sys.exit("the whole file is refused")
        faults = [fault for size in range(0, len(whole), step)
                  for fault in faults_of(snapdiff, home, whole, size, step)]
    print("\n".join(faults[:20]) or f"{len(range(0, len(whole), step))} cuts are refused")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
