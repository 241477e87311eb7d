#!/usr/bin/env python3
"""`snapdiff run` as a wrapper: signals, stops, and the first process of a container.

wrapper.py SNAPDIFF
"""
import os
import pathlib
import pty
import resource
import select
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
# Says that it is ready, then which signal came, as a number.  signal.pause() would not do: a signal that comes
# between the interpreter's last look and the system call is noticed only after the next one.
LISTENER = """
import signal, sys, time
def got(number, frame):
    print("got", int(number), flush=True); sys.exit(7)
numbers = [int(n) for n in sys.argv[1:]]
for number in numbers: signal.signal(number, got)
print("ready", flush=True)
while True: time.sleep(0.02)
"""

# Twenty children whose exec fails, then one that works after its exec has failed.
LAUNCHER = """
import os
for blocks in 20 * [0] + [10000]:
    child = os.fork()
    if child == 0:
        try:
            os.execv("/nonexistent/program", ["program"])
        except OSError:
            held = [bytearray(600) for _ in range(blocks)]
            os._exit(0)
    os.waitpid(child, 0)
print(child)
"""


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def start(out, *argv, **how):
    return subprocess.Popen([snapdiff, "run", "-q", "-o", out, "--", *argv], stdout=subprocess.PIPE, text=True, **how)


def command_of(process):
    """The process that `run` started; None while there is none."""
    try:
        return int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return None


def end_of(process, what):
    """What the command printed to its end.  Nothing stays behind that could hold our own output open."""
    try:
        said = process.communicate(timeout=300)[0]
    except subprocess.TimeoutExpired:
        command = command_of(process)
        check(False, f"{what}: no end; run is {state_of(process.pid)}, the command {command and state_of(command)}")
        for pid in filter(None, (command, process.pid)):
            os.kill(pid, signal.SIGKILL)
        said = process.communicate()[0]
    return said


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def wait_for(condition, what):
    for _ in range(12000):
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
        said = end_of(process, name)
        check(said == f"got {number}\n" and process.returncode == 7,
              f"{name} is not passed on: {said!r}, {process.returncode}")


def ignored(out):
    """What was ignored stays ignored; a shell's background jobs without a terminal can be interrupted."""
    def ignore():
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    process = start(out, sys.executable, "-c",
                    "import signal; print(*(signal.getsignal(n) == signal.SIG_IGN for n in (1, 2)))", preexec_fn=ignore)
    said = end_of(process, "HUP and INT ignored")
    check(said == "True False\n", f"HUP and INT ignored in the command: {said!r}")


def killed(out):
    process = start(out, "sleep", "1000")
    wait_for(lambda: command_of(process), "the command")
    process.send_signal(signal.SIGTERM)
    end_of(process, "killed by TERM")
    check(process.returncode == 128 + signal.SIGTERM, f"killed by TERM: {process.returncode}")


def stops(out):
    process = start(out, sys.executable, "-c", LISTENER, str(int(signal.SIGTERM)),
                    preexec_fn=os.setpgrp)  # with a parent outside of its group: nothing stops one without
    process.stdout.readline()
    command = command_of(process)
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
    end_of(process, "after stops")
    check(process.returncode == 7, f"after stops: {process.returncode}")


def first_process(out):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        print("skipped: first process: needs root and unshare")
        return
    script = "for i in 1 2 3; do (sleep 0 & exec true) & done; wait;" \
             " for t in $(seq 600); do left=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') [A-Z] 1 ');" \
             " [ $left -gt 1 ] || break; sleep 0.1; done;" \
             " cat /proc/1/stat; grep -s ') Z ' /proc/[0-9]*/stat; true"  # what ends meanwhile is no fault
    done = subprocess.run(["unshare", "-p", "-f", "--mount-proc", snapdiff, "run", "-q", "-o", out, "--", "bash", "-c", script],
                          capture_output=True, text=True, timeout=600)
    zombies = [line for line in done.stdout.splitlines() if ") Z " in line]
    check(done.returncode == 0 and done.stdout and not zombies, f"first process: {done.returncode}, {zombies} {done.stderr}")


# Says its pid, waits for a line, and ends.
WAITER = "echo $$; read line; echo \"got $line\"; exit 3"


def orphaned(out):
    """Whoever kills `run` kills `run` alone: the command goes on, and leaves its snapshot."""
    process = start(out, "sh", "-c", WAITER, stdin=subprocess.PIPE)
    command = int(process.stdout.readline())
    process.kill()
    process.wait()
    check(state_of(command) not in ("gone", "Z"), f"orphaned: the command is {state_of(command)} after the end of run")
    process.stdin.write("on\n")
    process.stdin.close()
    said = process.stdout.read()
    check(said == "got on\n", f"orphaned: said {said!r}")
    wait_for(lambda: list(pathlib.Path(out).glob(f"*.{command}.000001.snap")), "a snapshot of the orphan")
    for left in pathlib.Path(out).glob(".snapdiff.*"):
        left.unlink()  # what the killed run could not remove


def side_by_side(out):
    """Two runs into one directory: each counts its own, and none is lost."""
    runs = [subprocess.Popen([snapdiff, "run", "-o", out, "--", "sh", "-c", WAITER], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    pids = [int(run.stdout.readline()) for run in runs]  # both are there now
    for run, pid in zip(runs, pids):
        said = run.communicate("on\n", timeout=300)[1]
        check(run.returncode == 3 and "1 snapshot in" in said, f"side by side: {run.returncode} {said!r}")
        found = list(pathlib.Path(out).glob(f"*.{pid}.000001.snap"))
        check(len(found) == 1, f"side by side: process {pid} left {found}")
    left = [path.name for path in pathlib.Path(out).iterdir() if not path.name.endswith(".snap")]
    check(not left, f"side by side: left {left}")


def inherited(out):
    """What `run` was started with is for the command: it still learns of its end, and is not ended by a limit."""
    def no_children():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def no_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    ignores = "grep SigIgn /proc/self/status; exit 5"
    for before, script in ((no_children, ignores), (no_files, ignores)):
        bare = subprocess.run(["sh", "-c", script], preexec_fn=before, capture_output=True, text=True)
        try:
            done = subprocess.run([snapdiff, "run", "-o", out, "--", "sh", "-c", script], preexec_fn=before,
                                  capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            check(False, f"inherited, {before.__name__}: run does not end")
            continue
        check((done.returncode, done.stdout) == (5, bare.stdout),
              f"inherited, {before.__name__}: {done.returncode} {done.stdout!r}, bare {bare.stdout!r}: {done.stderr}")
        check(("size of files" in done.stderr) == (before is no_files), f"inherited, {before.__name__}: {done.stderr!r}")


def failed_launches(out):
    """A child that could not become another program leaves no snapshot, which is no loss; one that works does."""
    for every in ((), ("--every", "1h")):  # with a helper in each child, too
        place = os.path.join(out, "launches" + "".join(every))
        done = subprocess.run([snapdiff, "run", "-v", "--python", "off", *every, "-o", place, "--", sys.executable, "-c",
                               LAUNCHER], capture_output=True, text=True, timeout=300)
        check(done.returncode == 0 and "not recorded" not in done.stderr and "left no snapshot" not in done.stderr,
              f"failed launches {every}: {done.returncode} {done.stderr!r}")
        pids = {name.split(".")[-3].split("_")[0] for name in os.listdir(place) if name.endswith(".snap")}
        check(done.stdout.strip() in pids, f"failed launches {every}: the child that works left nothing: {pids}")
        # A child that gets no processor for a second leaves one all the same.
        check(2 <= len(pids) < 22, f"failed launches {every}: {len(pids)} processes left snapshots")


# As LISTENER, but it says nothing when the signal comes: the terminal may be gone.
MUTE = "import os, signal, sys, time; [signal.signal(int(n), lambda *_: os._exit(7)) for n in sys.argv[1:]];" \
       " print('ready', flush=True); [time.sleep(0.02) for _ in iter(int, 1)]"


def on_terminal(out, *argv):
    """`run` as the first process of a terminal: its pid, and the terminal's other side."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who starts this test in the background ignores it
        os.execv(snapdiff, [snapdiff, "run", "-q", "-o", out, "--", *argv])
    said = b""
    while b"ready\r\n" not in said:
        said += os.read(terminal, 4096)
    return pid, terminal


def terminals(out):
    """When a terminal hangs up, only the first process of the session hears of it.  After ^C a shell ends its script
    only if the command died of it."""
    mute, shell = [sys.executable, "-c", MUTE], ["sh", "-c", "echo ready; read line"]
    for how, command, end in (("hangs up", mute + ["1"], 7), ("hangs up", mute, 128 + signal.SIGHUP),
                              ("interrupts", mute + ["2"], 7), ("interrupts", shell, -signal.SIGINT)):
        pid, terminal = on_terminal(out, *command)
        if how == "hangs up":
            os.close(terminal)
        else:
            os.write(terminal, b"\x03")
        wait_for(lambda: state_of(pid) == "Z", f"the end of run when a terminal {how}, {command}")
        if state_of(pid) != "Z":
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        check(status == end, f"a terminal {how}, {command}: {status}, not {end}")
        if how == "interrupts":
            os.close(terminal)


# It has a group of its own, so that the terminal stops it when it reads.
READER = r"""
import os, signal
signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"continued"))
os.setpgid(0, 0)
os.write(1, b"ready\n")
os.read(0, 1)
"""


def nobody_continues(out):
    """The command stops, and `run` has nobody who could continue it: the command stays stopped, as without `run`."""
    pid, terminal = on_terminal(out, sys.executable, "-c", READER)
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    command = int(children.read_text().split()[0])
    wait_for(lambda: state_of(command) == "T", "the reader to stop")
    said = select.select([terminal], [], [], 0.3)[0]
    check(not said and state_of(command) == "T", f"continued by nobody: {said and os.read(terminal, 100)}, {state_of(command)}")
    for process in (command, pid):
        os.kill(process, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)


def stopped_by(out):
    """Who waits for `run` sees the signal that stopped it."""
    process = start(out, sys.executable, "-c", LISTENER, str(int(signal.SIGTERM)), preexec_fn=os.setpgrp)
    process.stdout.readline()
    process.send_signal(signal.SIGTSTP)
    status = os.waitpid(process.pid, os.WUNTRACED)[1]
    check(os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGTSTP, f"stopped: status {status:#x}")
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    end_of(process, "after a stop")


def timer(out):
    """A timer that was set before `run` started, as in `perl -e 'alarm 10; exec @ARGV'`."""
    def set_timer():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # it may come before `run` is ready
        signal.setitimer(signal.ITIMER_REAL, 0.3)

    process = start(out, sys.executable, "-c", "import signal, time; signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM]);"
                    " time.sleep(1000)", preexec_fn=set_timer)
    end_of(process, "a timer")
    check(process.returncode == 128 + signal.SIGALRM, f"a timer: {process.returncode}")


def nobody_reads(out):
    """The messages of `run` cannot be written: the command runs, and its status is the one that counts."""
    reader, writer = os.pipe()
    os.close(reader)
    for ignores in (False, True):  # Python ignores SIGPIPE, and subprocess gives children the default again
        done = subprocess.run([snapdiff, "run", "-o", out, "--", "sh", "-c", "grep SigIgn /proc/self/status; exit 6"],
                              stdout=subprocess.PIPE, stderr=writer, text=True, restore_signals=not ignores, timeout=300)
        pipe_ignored = int(done.stdout.split()[-1], 16) >> (signal.SIGPIPE - 1) & 1 if done.stdout else None
        check((done.returncode, pipe_ignored) == (6, int(ignores)),
              f"nobody reads, ignored: {ignores}: {done.returncode}, {done.stdout!r}")
    os.close(writer)


def lost(out):
    """Who removes or renames the directory is named, and not a cause that is none."""
    for how in ('rm -r "$0"', 'mv "$0" "$0.elsewhere"', 'rm "$0"/.snapdiff.*'):
        place = os.path.join(out, "lost")
        done = subprocess.run([snapdiff, "run", "-o", place, "--", "sh", "-c", how + "; exit 3", place],
                              capture_output=True, text=True, timeout=300)
        check(done.returncode == 3 and "removed or renamed" in done.stderr and "did not" not in done.stderr,
              f"lost by {how}: {done.returncode} {done.stderr!r}")
        for path in (place, place + ".elsewhere"):
            shutil.rmtree(path, ignore_errors=True)


def other_user(out):
    """A child becomes another program under another user, which writes a snapshot and can tell nobody of it."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("skipped: another user: needs root and setpriv")
        return
    place = os.path.join(out, "other_user")
    os.mkdir(place)
    for path, mode in ((out, 0o755), (place, 0o777)):
        os.chmod(path, mode)
    done = subprocess.run([snapdiff, "run", "-o", place, "--", sys.executable, "-c",
                           "import os\nif os.fork() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534);"
                           " os.execv('/bin/true', ['true'])\nos.wait()"], capture_output=True, text=True, timeout=300)
    wrote = [name for name in os.listdir(place) if name.startswith("true.")]
    check(done.returncode == 0 and len(wrote) == 1 and "not recorded" not in done.stderr,
          f"another user: {done.returncode} {wrote} {done.stderr!r}")


def main():
    for number in (signal.SIGINT, signal.SIGQUIT):  # whatever we were started with
        signal.signal(number, signal.SIG_DFL)
    out = tempfile.mkdtemp(prefix="snap-wrapper-")
    for test in (signals, ignored, killed, stops, first_process, orphaned, side_by_side, inherited,
                 failed_launches, terminals, nobody_continues, stopped_by, timer, nobody_reads, lost, other_user):
        before = failures
        test(out)
        print("ok    " if failures == before else "FAILED", test.__name__, flush=True)
    shutil.rmtree(out)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
