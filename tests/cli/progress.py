#!/usr/bin/env python3
"""Long work says on a terminal how far it is and how long it will take, and says nothing elsewhere.

    progress.py SNAPDIFF FAST_CLOCK_LIBRARY

FAST_CLOCK_LIBRARY (fast_clock.c) makes time pass at each look at the clock: then every work of many steps is long, however
fast the machine is.
"""
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

SNAPSHOTS, SITES = 40, 60


def write_series(directory):
    for seq in range(1, SNAPSHOTS + 1):
        lines = ["#snaptext 1", f"@ seq\t{seq}", f"@ time_ns\t{1767323045000000000 + seq * 10**9}", "@ pid\t42", "@ command\t./server"]
        for site in range(SITES):
            live = 1 + seq * (site % 2)
            lines.append(f"{live * 100}\t{live}\t-\t-\tmalloc\t-\tmake_{site}|a.c|{site + 1}|server\tmain|a.c|900|server")
        (directory / f"{seq:03}.txt").write_text("\n".join(lines) + "\n")


def on_terminal(command, env):
    """What the command writes to its standard error, a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, env=env) as child:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end was closed
                break
            if not piece:
                break
            written += piece
        os.close(ours)
    return child.returncode, written.decode()


def look(snapdiff, env, directory):
    faults = []
    status, written = on_terminal([snapdiff, "growth", directory], env)
    print(repr(written[:400]))
    for what, total in (("loading snapshot", SNAPSHOTS), ("summing up snapshot", SNAPSHOTS), ("judging site", SITES)):
        lines = re.findall(rf"\r\x1b\[K{what} (\d+) of {total}((?:; [^\r]*)?)", written)
        numbers = [int(number) for number, _ in lines]
        if not numbers or numbers != sorted(numbers):
            faults.append(f"{what}: {lines}")
        elif not any(re.match(r"; (about \d+ s left|nearly done)", left) for _, left in lines):
            faults.append(f"{what}: no estimate in {lines}")
    if status != 0 or not written.endswith("\r\x1b[K"):
        faults.append(f"the last line stays, or exit code {status}: {written[-80:]!r}")
    status, written = on_terminal([snapdiff, "check", directory, "--fail-on", "none"], env)
    if status != 0 or "judging site" not in written:
        faults.append(f"check: exit code {status}, {written[:80]!r}")
    for command in ([snapdiff, "growth", "-q", directory], [snapdiff, "check", "-q", directory, "--fail-on", "none"]):
        status, written = on_terminal(command, env)
        if status != 0 or written:
            faults.append(f"{command[1]} -q: exit code {status}, {written[:80]!r}")
    piped = subprocess.run([snapdiff, "growth", directory], env=env, capture_output=True, text=True, check=False, timeout=300)
    if piped.returncode != 0 or piped.stderr:
        faults.append(f"piped: exit code {piped.returncode}, {piped.stderr[:80]!r}")
    return faults


def main():
    env = {**os.environ, "LD_PRELOAD": os.path.abspath(sys.argv[2]), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryDirectory() as scratch:
        write_series(pathlib.Path(scratch))
        faults = look(os.path.abspath(sys.argv[1]), env, scratch)
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
