#!/usr/bin/env python3
"""A program with one thread stays one for libc; its snapshots lack the allocator's figures only while it rests.

run.py --library libsnap.so --program alone --snapdiff FILE NAME
"""
import argparse
import glob
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import snapread  # noqa: E402

options = None
# The handler does not wait for ever: where the writer gets no processor for 200 ms, a snapshot lacks the allocator's figures.
TRIES = 10


def check(condition, sentence):
    if not condition:
        sys.exit("failed: " + sentence)


def start(way, directory, **settings):
    env = dict(os.environ, SNAP_ACTIVE="1", SNAP_OUT=directory, LD_PRELOAD=options.library, **settings)
    return subprocess.Popen([options.program, way], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process, expect=0):
    said = process.communicate(timeout=1200)[0].split()
    check(process.returncode == expect, f"the program ended with {process.returncode}, not {expect}")
    return said


def snapshots(directory):
    return sorted(glob.glob(os.path.join(directory, "*.snap")))


def asked_allocator(path):
    return b"metrics.allocator.in_use" in snapread.read(path)["meta"]


def begins_in_libsnap(path):
    """Does a stack begin with what malloc() jumps to, rather than with its caller?"""
    found = snapread.read(path)
    newest = [found["locations"][found["nodes"][site["node"]][1]]["module"] for site in found["sites"]]
    return any(b"/libsnap." in found["strings"][found["modules"][module]["path"]] for module in newest if module >= 0)


def snap(process):
    done = subprocess.run([options.snapdiff, "snap", str(process.pid)], capture_output=True, text=True, timeout=1200)
    check(done.returncode == 0, f"snapdiff snap: {done.stderr}")
    return done.stdout.strip()


def one_thread(directory, sample):
    said = finish(start("churn", directory, **sample))
    check(said == ["one", "one"], f"libc saw {said}")
    files = snapshots(directory)
    check(len(files) == 1, f"{len(files)} snapshots")
    check(asked_allocator(files[0]), "the exit snapshot knows nothing of the allocator")
    check(not begins_in_libsnap(files[0]), "a stack begins in libsnap")


def own_thread(directory, sample):
    check(finish(start("thread", directory, **sample)) == ["one", "several"], "libc lost sight of a thread")
    check(asked_allocator(snapshots(directory)[0]), "the exit snapshot knows nothing of the allocator")


def timer(directory, sample):
    process = start("churn_until_told", directory, SNAP_EVERY="50ms", **sample)
    said = [process.stdout.readline().strip()]
    while len(snapshots(directory)) < 2 and process.poll() is None:
        process.stdin.write(".")  # each lets it go on for a while
        process.stdin.flush()
        time.sleep(0.01)
    check(process.poll() is None, "no snapshot was taken by the timer")
    said += finish(process)
    check(said == ["one", "one"], f"libc saw {said} with snapshots at any time")


def busy(directory, sample):
    """Asked for snapshots again and again while it changes the heap."""
    process = start("churn_until_closed", directory, **sample)
    check(process.stdout.readline() == "one\n", "libc saw several threads")
    files = [snap(process) for _ in range(8) if process.poll() is None]
    said = finish(process)
    check(said == ["one"], f"libc saw {said}")
    check(len(files) == 8, "the program was gone early")
    check(any(map(asked_allocator, files)), "no snapshot knows anything of the allocator")


def at_rest(directory, sample):
    """It waits in a system call, and cannot show itself."""
    process = start("rest_until_told", directory, **sample)
    check(process.stdout.readline() == "one\n", "libc saw several threads")
    await_rest(process)
    time.sleep(0.3)
    status = subprocess.run([options.snapdiff, "status", str(process.pid)], capture_output=True, text=True, timeout=1200)
    check(status.returncode == 0, f"snapdiff status: {status.stderr}")
    path = snap(process)
    check(finish(process) == ["one"], "libc saw several threads")
    check(not asked_allocator(path), "the allocator was asked while the program could have come back to it")


def await_snapshots(process, directory, number):
    while len(snapshots(directory)) < number:
        check(process.poll() is None, "the program was gone early")
        time.sleep(0.01)
    return snapshots(directory)[number - 1]


def rests(process):
    """It waits for its input.  One that waits for a page of its program is in another state."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat, open(f"/proc/{process.pid}/wchan", encoding="ascii") as wchan:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S" and wchan.read() != "0"


def await_rest(process):
    while process.poll() is None and not rests(process):
        time.sleep(0.01)


def start_signalled(way, directory, sample):
    process = start(way, directory, SNAP_ON_SIGNAL="USR1", SNAP_EXIT="none", **sample)
    check(process.stdout.readline() == "one\n", "libc saw several threads")
    return process


def signal_own(directory, sample):
    """It sends itself the signal, and rests: it waits in the handler while the allocator is asked."""
    for number in range(1, TRIES + 1):
        process = start_signalled("raise_and_rest", directory, sample)
        await_snapshots(process, directory, number)
        check(finish(process) == ["one"], "libc saw several threads")
        if any(map(asked_allocator, snapshots(directory))):
            return
    check(False, "no snapshot knows anything of the allocator")


def signal_at_rest(directory, sample):
    """The signal comes while it waits in a system call, which goes on afterwards."""
    process = start_signalled("rest_until_told", directory, sample)
    asked = 0
    for number in range(1, 5 * TRIES + 1):
        await_rest(process)
        process.send_signal(signal.SIGUSR1)
        asked += asked_allocator(await_snapshots(process, directory, number))
        if asked == 5:
            break
    check(finish(process) == ["one"], "libc saw several threads")
    check(asked == 5, f"{asked} of {number} snapshots know anything of the allocator")


def signal_in_handler(directory, sample):
    process = start_signalled("raise_in_handler", directory, sample)
    path = await_snapshots(process, directory, 1)
    check(finish(process) == [], "the program went on")
    check(not asked_allocator(path), "the allocator was asked in the middle of malloc(), perhaps")


def signal_busy(directory, sample):
    """Signals at any place, most of them inside of malloc() and free()."""
    process = start_signalled("churn_until_told", directory, sample)
    for number in range(1, 11):
        process.stdin.write("....")
        process.stdin.flush()
        process.send_signal(signal.SIGUSR1)
        await_snapshots(process, directory, number)
    check(finish(process) == ["one"], "the program did not end as it should")


def exit_in_handler(directory, sample):
    for _ in range(10):
        said = finish(start("exit_in_handler", directory, **sample), expect=7)
        check(said == ["one"], f"libc saw {said}")
    check(len(snapshots(directory)) == 10, "a snapshot is missing")


def main():
    global options
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("name", choices=("one_thread", "own_thread", "timer", "busy", "at_rest", "exit_in_handler",
                                         "signal_own", "signal_at_rest", "signal_in_handler", "signal_busy"))
    options = parser.parse_args()
    if options.name in ("signal_own", "signal_at_rest") and platform.machine() != "x86_64":
        print("skipped: the handler cannot tell here whether it came in a system call")
        return
    for sample in ({}, {"SNAP_SAMPLE": "64KiB"}):
        with tempfile.TemporaryDirectory(prefix="snap-alone-") as directory:
            globals()[options.name](directory, sample)


main()
