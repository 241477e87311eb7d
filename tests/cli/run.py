#!/usr/bin/env python3
"""Golden tests of the command line.

A case is a file cases/NAME.test: lines that begin with `#` say what it shows, `$ ` begins a command for the
shell, and the lines under it are what the command prints, indented by two spaces: standard output as it is,
then standard error after `! `, then `[CODE]` where the exit code is not 0.

Every case runs in an empty directory of its own.  The snapshots of testdata/cli are there: NAME.snap is what
`snapdiff build` makes of NAME.txt.

usage: run.py [--update] [--list] SNAPDIFF [CASE...]
  --update   write what the commands print now into the cases
"""

import argparse
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TESTDATA = HERE.parent.parent / "testdata" / "cli"


def environment(snapdiff, home):
    """What a command may know: the same on every machine."""
    env = {name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}
    env["SNAPDIFF_CONFIG"] = ""
    env.update(
        PATH=f"{snapdiff.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        HOME=str(home), XDG_CACHE_HOME=str(home / ".cache"),
        LC_ALL="C.UTF-8", TZ="UTC", TERM="dumb", COLUMNS="100",
    )
    return env


def build_snapshots(snapdiff, into):
    """NAME.snap for every NAME.txt of testdata/cli."""
    into.mkdir()
    for text in sorted(TESTDATA.glob("*.txt")):
        subprocess.run([snapdiff, "build", text, "-o", into / f"{text.stem}.snap"], check=True)
        shutil.copy(text, into)


def run_command(command, directory, env):
    result = subprocess.run(
        command, shell=True, cwd=directory, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=1200, check=False,
    )
    out = result.stdout.decode(errors="backslashreplace").replace("\r\n", "\\r\n").splitlines()
    err = result.stderr.decode(errors="backslashreplace").splitlines()
    lines = [f"  {line}".rstrip() for line in out] + [f"  ! {line}" for line in err]
    if result.returncode:
        lines.append(f"  [{result.returncode}]")
    return lines


def run_case(text, directory, env):
    """The case as it would read with what its commands print now."""
    lines = []
    for line in text.splitlines():
        if line.startswith("$ "):
            lines.append(line)
            lines.extend(run_command(line[2:], directory, env))
        elif line.startswith("#") or (not line and lines and lines[-1].startswith("#")):
            lines.append(line)
    return "\n".join(lines) + "\n"


def check_case(path, snapshots, env, update):
    """True if the case holds (or was updated)."""
    text = path.read_text()
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch) / "here"
        shutil.copytree(snapshots, directory)
        actual = run_case(text, directory, env)
    if actual == text:
        return True
    if update:
        path.write_text(actual)
        print(f"updated {path.name}")
        return True
    sys.stdout.writelines(difflib.unified_diff(
        text.splitlines(True), actual.splitlines(True), f"{path.name} (expected)", f"{path.name} (actual)"))
    return False


def main():
    parser = argparse.ArgumentParser(description="Golden tests of the command line")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("snapdiff", type=pathlib.Path)
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    paths = sorted((HERE / "cases").glob("*.test"))
    paths = [p for p in paths if not arguments.cases or p.stem in arguments.cases]
    if arguments.list:
        print("\n".join(p.stem for p in paths))
        return 0
    snapdiff = arguments.snapdiff.resolve()
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        build_snapshots(snapdiff, home / "snapshots")
        env = environment(snapdiff, home)
        for path in paths:
            if not check_case(path, home / "snapshots", env, arguments.update):
                failed.append(path.stem)
    print(f"{len(paths) - len(failed)} of {len(paths)} cases hold" +
          (f"; not: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
