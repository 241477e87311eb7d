"""What `run` does with files of snapshots that were not finished: a process was killed while it wrote one.

usage: unfinished.py SNAPDIFF
"""
import ctypes
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

HEX = "0123456789abcdef"
LOST = "snapdiff: warning: 1 snapshot was lost: the process was killed while it was written (the unfinished file is removed)"

# Files as libsnap names them while it writes: of this shell, which is then killed; of two more processes of the run that end,
# one of them open in another that lives on; and of a process that is not of the run, written just now and long ago.
SCRIPT = r"""
cd "$1"
echo half > .sh.$$.HEX.tmp
sh -c 'echo half > .my.sh.$$.HEX.tmp; exit 0'
sh -c 'exec 9> .open.$$.HEX.tmp; sleep 6000 9>&9 > /dev/null 2>&1 & echo $! > sleeper; echo half >&9'
echo half > .other.1.HEX.tmp
echo half > .other.2.HEX.tmp; touch -d '20 minutes ago' .other.2.HEX.tmp
echo half > .sh.$$.HEXX.tmp; echo half > sh.$$.HEX.tmp; echo half > .sh.HEX.tmp; mkdir .sh.$$.aHEX.tmp
ln -s sleeper .sh.$$.fffffffffffffff0.tmp
kill -KILL $$
""".replace("HEXX", "X" + HEX[1:]).replace("aHEX", HEX[::-1]).replace("HEX", HEX)


def run(snapdiff, out, *command):
    return subprocess.run([snapdiff, "run", "-o", out, "--", *command], capture_output=True, text=True, timeout=600)


def hidden(out):
    return sorted(name.name for name in out.iterdir() if name.name.endswith(".tmp"))


def has_ended(pid):
    """Only then are its files closed."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def events(watcher):
    """(what, name) of each, as the kernel lists them."""
    data, at = os.read(watcher, 1 << 16), 0
    while at < len(data):
        _, mask, _, size = struct.unpack_from("iIII", data, at)
        yield mask, data[at + 16:at + 16 + size].rstrip(b"\0").decode()
        at += 16 + size


def stays_open(snapdiff, out):
    """A file is open until it has its name: if its process seems to have ended, as one of another pid namespace does, only
    this protects it."""
    close_write, moved_from = 0x8, 0x40
    libc = ctypes.CDLL(None, use_errno=True)
    watcher = libc.inotify_init1(os.O_CLOEXEC)
    assert watcher >= 0 and libc.inotify_add_watch(watcher, os.fsencode(out), close_write | moved_from) >= 0
    assert run(snapdiff, out, "sh", "-c", "exit 0").returncode == 0
    seen = [(mask, name) for mask, name in events(watcher) if name.startswith(".sh.") and name.endswith(".tmp")]
    assert seen and all(mask == moved_from for mask, _ in seen), seen
    os.close(watcher)


def dies_at_once(snapdiff, home):
    """However soon the process dies, its helper writes a last snapshot, and `run` waits for it."""
    for i in range(10):
        out = home / f"at_once{i}"
        done = subprocess.run([snapdiff, "run", "-o", out, "--every", "1h", "--", "sh", "-c", "kill -9 $$"],
                              capture_output=True, text=True, timeout=600)
        left = [name for name in os.listdir(out) if not name.startswith(".not-recorded")]
        assert done.returncode == 128 + 9 and len(left) == 1 and left[0].endswith(".000001.snap"), (left, done)


def main():
    snapdiff = sys.argv[1]
    with tempfile.TemporaryDirectory() as home:
        out = pathlib.Path(home) / "out"
        out.mkdir()
        done = run(snapdiff, out, "sh", "-c", SCRIPT, "sh", str(out))
        try:
            assert done.returncode == 128 + 9, done
            lines = done.stderr.splitlines()
            assert LOST.replace("1 snapshot was", "2 snapshots were") in lines, lines
            left = hidden(out)
            pid = next(name for name in left if name.startswith("sh.")).split(".")[1]
            opened = next(name for name in left if name.startswith(".open."))
            assert left == sorted([f"sh.{pid}.{HEX}.tmp", f".sh.{pid}.X{HEX[1:]}.tmp", f".sh.{HEX}.tmp", opened,
                                   f".other.1.{HEX}.tmp", f".sh.{pid}.{HEX[::-1]}.tmp",
                                   f".sh.{pid}.fffffffffffffff0.tmp"]), left
        finally:
            sleeper = int((out / "sleeper").read_text())
            os.kill(sleeper, 9)
        while not has_ended(sleeper):
            time.sleep(0.01)
        # A later run, for which none of these processes is its own.
        before = hidden(out)
        old = time.time() - 1200
        os.utime(out / opened, (old, old))
        done = run(snapdiff, out, "true")
        assert done.returncode == 0 and "lost" not in done.stderr, done
        assert hidden(out) == [name for name in before if name != opened], hidden(out)
        stays_open(snapdiff, out)
        dies_at_once(snapdiff, pathlib.Path(home))
    print("unfinished: passed")


main()
