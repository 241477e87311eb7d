#!/usr/bin/env python3
"""If reads and writes transfer less than they are asked to, nothing is lost: in a recorded program, and in the store.

Each command runs under short_calls, which cuts every read and write of a file.  What comes out is compared with a run
without it.  Exit status 77 where tracing is not possible.

usage: short_calls.py SHORT_CALLS SNAPDIFF LIBRARY
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
from injection import HOST  # noqa: E402


def run(command, env, tracer=None):
    """Exit status, output, and how many calls were cut."""
    reader, writer = os.pipe()
    given = [f"{name}={value}" for name, value in env.items()]
    argv = [*(tracer or []), "/usr/bin/env", "-i", *given, *command]
    result = subprocess.run(["/bin/sh", "-c", f'exec "$@" 9>&{writer}', "sh", *map(str, argv)], capture_output=True,
                            pass_fds=[writer], timeout=600, check=False)
    os.close(writer)
    with os.fdopen(reader) as counted:
        cut = counted.read().strip()
    return result, int(cut or 0)


def sums(database):
    connection = sqlite3.connect(database)
    whole = connection.execute("pragma integrity_check").fetchone()[0]
    rows = connection.execute("select seq, function, live_bytes, live_blocks from history order by 1, 2, 3").fetchall()
    connection.close()
    return whole, rows


def check_host(home, library, tracer):
    (home / "host.c").write_text(HOST)
    subprocess.run(["gcc", "-O1", "-fno-builtin", "-o", home / "host", home / "host.c"], check=True)
    out = home / "out"
    out.mkdir()
    env = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(library), "SNAP_ACTIVE": "1", "SNAP_OUT": str(out),
           "SNAP_AT_GROWTH": "8KiB", "SNAP_DURABLE": "1"}
    result, cut = run([home / "host"], env, tracer)
    assert result.returncode == 7 and result.stdout == b"host done\n" and not result.stderr, result
    files = sorted(out.glob("*.snap"))
    assert files and len(files) == len(list(out.iterdir())), list(out.iterdir())
    larger = sum(path.stat().st_size > int(tracer[1]) for path in files)
    assert cut >= larger > 0, (cut, "calls were cut for", larger, "snapshots that are larger")
    last = snapread.read(files[-1])
    assert sum(site["live_bytes"] for site in last["sites"]) >= 25000, "blocks are missing"
    return cut, files


def check_commands(home, snapdiff, tracer, files):
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "SNAPDIFF_CONFIG": ""}
    total = 0
    for words in (["top", "-f", "json", files[-1]], ["growth", "-f", "json", *files], ["dump", files[-1]],
                  ["report", "-o", "X.html", *files], ["build", home / "a.txt", "-o", "X.snap"],
                  ["load", "-q", "--db", "X.db", *files], ["top", "-f", "json", "--db", home / "plain.db"]):
        results = []
        for name, how in (("plain", None), ("cut", tracer)):
            own = [str(home / str(word).replace("X.", f"{name}.")) if str(word).startswith("X.") else word for word in words]
            result, cut = run([snapdiff, *own], env, how)
            assert result.returncode == 0, (words, name, result)
            total += cut
            results.append(result.stdout)
        assert results[0] == results[1], (words, *results)
        if words[0] == "dump":
            (home / "a.txt").write_bytes(results[0])
    assert (home / "plain.snap").read_bytes() == (home / "cut.snap").read_bytes(), "build writes something else"
    assert (home / "cut.html").stat().st_size > 10000
    whole, rows = sums(home / "cut.db")
    assert whole == "ok" and rows == sums(home / "plain.db")[1] and rows, whole
    return total


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    tool, snapdiff, library = map(os.path.abspath, sys.argv[1:])
    if not shutil.which("gcc") or subprocess.run([tool, "100", "/bin/true"], check=False).returncode:
        print("skipped: gcc is not installed, or tracing is not possible here")
        sys.exit(77)
    for most in ("1000", "97"):
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            cut, files = check_host(home, library, [tool, most])
            more = check_commands(home, snapdiff, [tool, most], files)
            print(f"at most {most} bytes: {cut} calls were cut in the recorded program, {more} in commands")


if __name__ == "__main__":
    main()
