"""A command that ends before what it started: `run` says that this still runs and is recorded, and not that it left nothing.

usage: background.py SNAPDIFF
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# The command waits until the other process is recorded: only after it has become the program, since a signal that asks for its
# status would end it in between.
WAIT = 'until read -r name < /proc/$!/comm && [ "$name" = {} ] && "$0" status $! >/dev/null 2>&1; do sleep 0.02; done'
COMMAND = "sleep 60 >/dev/null 2>&1 & " + WAIT.format("sleep")
# A script: the kernel's name of the process is that of the script, and the one that is recorded that of the interpreter.
SCRIPT = '"$1" >/dev/null 2>&1 & ' + WAIT.format("service")
SAYS = re.compile(r"^snapdiff: sleep still runs as process (\d+); recording goes on; a snapshot now: snapdiff snap \1$", re.M)


def run(snapdiff, out, *options):
    with open(out.with_suffix(".err"), "w+") as errors:  # a pipe would stay open as long as the process in the background
        done = subprocess.run([snapdiff, "run", *options, "-o", out, "--", "sh", "-c", COMMAND, snapdiff],
                              stderr=errors, timeout=60)
        errors.seek(0)
        return done.returncode, errors.read()


def script(snapdiff, directory):
    path = directory / "service"
    path.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    path.chmod(0o755)
    with open(directory / "script.err", "w+") as errors:
        done = subprocess.run([snapdiff, "run", "--python", "off", "-o", directory / "script", "--", "sh", "-c", SCRIPT, snapdiff, path],
                              stderr=errors, timeout=60)
        errors.seek(0)
        said = errors.read()
    found = re.search(r"(?m)^snapdiff: python\S* still runs as process (\d+); recording goes on", said)
    if found:
        os.kill(int(found[1]), signal.SIGKILL)
    assert done.returncode == 0 and found and "left no snapshot" not in said, (done.returncode, said)


def remove(directory):
    """What was killed may still leave its last snapshot there."""
    for _ in range(1000):
        try:
            return shutil.rmtree(directory)
        except OSError:
            time.sleep(0.02)


def main():
    snapdiff = sys.argv[1]
    name = tempfile.mkdtemp()
    try:
        for number, options in enumerate((("--exit-snapshot", "none"), ())):
            out = pathlib.Path(name) / str(number)
            status, said = run(snapdiff, out, *options)
            found = SAYS.search(said)
            assert status == 0 and found and "not recorded" not in said, (options, status, said)
            pid = int(found[1])
            taken = subprocess.run([snapdiff, "snap", str(pid)], capture_output=True, text=True, timeout=60)
            named = subprocess.run([snapdiff, "status", "sleep"], capture_output=True, text=True, timeout=60)
            os.kill(pid, signal.SIGKILL)
            assert named.returncode == 3 and "sleep: name a process by its id: the newest one of that name is " in named.stderr, named
            assert taken.returncode == 0 and f"sleep.{pid}." in taken.stdout, taken
            assert not list(out.glob("*missed*")), list(out.iterdir())
        script(snapdiff, pathlib.Path(name))
    finally:
        remove(name)
    print("background: passed")


main()
