#!/usr/bin/env python3
"""`snapdiff run` as a wrapper: signals, stops, and the first process of a container.

wrapper.py SNAPDIFF
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

snapdiff = os.path.abspath(sys.argv[1])
failures = 0
PASSED_ON = ("HUP", "INT", "QUIT", "ABRT", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "URG", "XCPU", "VTALRM",
             "WINCH", "IO", "PWR", "RTMIN", "RTMAX")
# Says that it is ready, then which signal came, as a number.
LISTENER = """
import signal, sys
def got(number, frame):
    print("got", int(number), flush=True); sys.exit(7)
numbers = [int(n) for n in sys.argv[1:]]
for number in numbers: signal.signal(number, got)
print("ready", flush=True)
while True: signal.pause()
"""


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def start(out, *argv, **how):
    return subprocess.Popen([snapdiff, "run", "-q", "-o", out, "--", *argv], stdout=subprocess.PIPE, text=True, **how)


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def wait_for(condition, what):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    check(False, f"waited in vain for {what}")


def signals(out):
    for name in PASSED_ON:
        number = int(getattr(signal, "SIG" + name))
        process = start(out, sys.executable, "-c", LISTENER, str(number))
        check(process.stdout.readline() == "ready\n", f"{name}: the command did not start")
        process.send_signal(number)
        said = process.stdout.read()
        check(said == f"got {number}\n" and process.wait(60) == 7,
              f"{name} is not passed on: {said!r}, {process.returncode}")


def ignored(out):
    """What was ignored stays ignored; a shell's background jobs without a terminal can be interrupted."""
    def ignore():
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    process = start(out, sys.executable, "-c",
                    "import signal; print(*(signal.getsignal(n) == signal.SIG_IGN for n in (1, 2)))", preexec_fn=ignore)
    said = process.stdout.read()
    check(said == "True False\n", f"HUP and INT ignored in the command: {said!r}")
    process.wait(60)


def killed(out):
    process = start(out, "sleep", "1000")
    wait_for(lambda: os.path.exists(f"/proc/{process.pid}/task/{process.pid}/children")
             and pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().strip(), "the command")
    process.send_signal(signal.SIGTERM)
    check(process.wait(60) == 128 + signal.SIGTERM, f"killed by TERM: {process.returncode}")


def stops(out):
    process = start(out, sys.executable, "-c", LISTENER, str(int(signal.SIGTERM)),
                    preexec_fn=os.setpgrp)  # with a parent outside of its group: nothing stops one without
    process.stdout.readline()
    command = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    process.send_signal(signal.SIGTSTP)
    wait_for(lambda: state_of(command) == "T", "the command to stop")
    wait_for(lambda: state_of(process.pid) == "T", "run to stop")
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: state_of(command) in "SR", "the command to go on")
    # Stopped and continued by somebody who knows only the command: run waits, and does not hang.
    os.kill(command, signal.SIGSTOP)
    wait_for(lambda: state_of(command) == "T", "the command to stop again")
    os.kill(command, signal.SIGCONT)
    wait_for(lambda: state_of(command) in "SR", "the command to go on again")
    process.send_signal(signal.SIGTERM)
    check(process.wait(60) == 7, f"after stops: {process.returncode}")


def first_process(out):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        print("skipped: first process: needs root and unshare")
        return
    script = "for i in 1 2 3; do (sleep 0 & exec true) & done; wait;" \
             " for t in $(seq 100); do grep -qs ') Z ' /proc/[0-9]*/stat || break; sleep 0.1; done; cat /proc/[0-9]*/stat"
    done = subprocess.run(["unshare", "-p", "-f", "--mount-proc", snapdiff, "run", "-q", "-o", out, "--", "bash", "-c", script],
                          capture_output=True, text=True, timeout=100)
    zombies = [line for line in done.stdout.splitlines() if ") Z " in line]
    check(done.returncode == 0 and done.stdout and not zombies, f"first process: {done.returncode}, {zombies} {done.stderr}")


def main():
    out = tempfile.mkdtemp(prefix="snap-wrapper-")
    for test in (signals, ignored, killed, stops, first_process):
        before = failures
        test(out)
        print("ok    " if failures == before else "FAILED", test.__name__)
    shutil.rmtree(out)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
