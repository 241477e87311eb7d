#!/usr/bin/env python3
"""`snap` and `status` reach the process that is meant, and nobody else: strangers at its name, containers.

peers.py SNAPDIFF
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

snapdiff = os.path.abspath(sys.argv[1])
failures = 0
LIE = b"ok /etc/\x1b[31mpasswd\nprogram \x1b]0;lie\x07\n"


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


class Squatter:
    """Listens at an abstract name and answers everything with a lie."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind("\0" + name)
        self.socket.listen(8)
        threading.Thread(target=self.lie, daemon=True).start()

    def lie(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                try:
                    client.sendall(LIE)
                except OSError:  # the client has found out who listens, and left
                    pass


def ask(*argv):
    return subprocess.run([snapdiff, *map(str, argv)], capture_output=True, timeout=100)


def children(pid):
    """Those of all of its threads."""
    files = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def recorded(out, *wrapper):
    """A recorded process that waits for its input, and its pid as seen from here."""
    process = subprocess.Popen([snapdiff, "run", "-q", "-o", out, "--", *wrapper, "sh", "-c", "echo ready; read line"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    pid = process.pid
    while True:  # the innermost one
        inner = [c for c in children(pid) if pathlib.Path(f"/proc/{c}/comm").read_text() != "snapdiff\n"]
        if not inner:
            return process, pid
        pid = inner[0]


def end(process):
    process.stdin.write(b"\n")
    process.stdin.close()
    process.wait(60)


def is_snapshot(done, out):
    return done.returncode == 0 and os.path.dirname(done.stdout.decode().strip()) == os.path.realpath(out)


def squatted(out):
    process, pid = recorded(out)
    namespace = re.search("[0-9]+", os.readlink(f"/proc/{pid}/ns/pid"))[0]
    squatters = [Squatter(f"snapdiff.{pid}"), Squatter(f"snapdiff.{pid}.{namespace}")]
    for _ in range(2):
        done = ask("snap", pid)
        check(is_snapshot(done, out), f"snap of a squatted process: {done}")
    done = ask("status", pid)
    check(done.returncode == 0 and b"\x1b" not in done.stdout and str(pid).encode() in done.stdout,
          f"status of a squatted process: {done}")
    for squatter in squatters:
        squatter.socket.close()
    end(process)


class Sulker:
    """Listens at an abstract name and lets nobody in: its queue is full."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind("\0" + name)
        self.socket.listen(0)
        self.waiting = []
        while True:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            self.waiting.append(client)
            try:
                client.connect("\0" + name)
            except BlockingIOError:
                return

    def close(self):
        for one in self.waiting + [self.socket]:
            one.close()


def full(out):
    """A stranger has the names and lets nobody in: nobody is held by that, and the process is still asked."""
    process, pid = recorded(out)
    namespace = re.search("[0-9]+", os.readlink(f"/proc/{pid}/ns/pid"))[0]
    sulkers = [Sulker(f"snapdiff.{pid}"), Sulker(f"snapdiff.{pid}.{namespace}")]
    for _ in range(2):
        done = ask("snap", pid)
        check(is_snapshot(done, out), f"snap of a process whose names are taken: {done}")
    done = ask("status", pid)
    check(done.returncode == 0 and str(pid).encode() in done.stdout, f"status of that process: {done}")
    for sulker in sulkers:
        sulker.close()
    end(process)
    sleeper = subprocess.Popen(["sleep", "1000"])
    sulker = Sulker(f"snapdiff.{sleeper.pid}")
    done = ask("snap", sleeper.pid)
    check(done.returncode == 4 and b"accepts nobody" in done.stderr, f"snap of a process that is not recorded: {done}")
    sulker.close()
    sleeper.kill()
    sleeper.wait()


def unrecorded(out):
    """The process that is meant is not recorded: nobody may answer for it."""
    sleeper = subprocess.Popen(["sleep", "1000"])
    squatter = Squatter(f"snapdiff.{sleeper.pid}")
    for command in "snap", "status":
        done = ask(command, sleeper.pid)
        check(done.returncode not in (0, 1) and b"passwd" not in done.stdout + done.stderr and
              b"\x1b" not in done.stdout + done.stderr and b"not recorded" in done.stderr,
              f"{command} of a process that is not recorded: {done}")
    squatter.socket.close()
    sleeper.kill()
    sleeper.wait()


def containers(out):
    """Two first processes of pid namespaces, and one in a network namespace."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-p", "-n", "-f", "true"], stderr=subprocess.DEVNULL).returncode:
        print("skipped: containers: needs root for namespaces")
        return
    wrappers = [("unshare", "-p", "-f", "--mount-proc"), ("unshare", "-p", "-f", "--mount-proc"),
                ("unshare", "-n"), ("unshare", "-p", "-n", "-f", "--mount-proc")]
    running = [recorded(out, *wrapper) for wrapper in wrappers]
    paths = set()
    for process, pid in running:
        done = ask("snap", pid)
        check(is_snapshot(done, out), f"snap {pid} of a container: {done}")
        paths.add(done.stdout)
    check(len(paths) == len(running), f"the snapshots of the containers are {paths}")
    done = ask("status", 1)
    check(done.returncode not in (0, 1), f"process 1 is answered for: {done}")
    for process, pid in running:
        end(process)


VFORK = """
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static int ready[2], go[2];
static void *spawner(void *unused)
{
	char byte;

	if (vfork() == 0) { /* waits, in its parent's memory, like one that opens files before its exec */
		if (write(ready[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	return unused;
}
int main(void)
{
	pthread_t thread;
	char byte;
	void *volatile block = malloc(100);

	if (pipe(ready) != 0 || pipe(go) != 0)
		return 1;
	if (pthread_create(&thread, NULL, spawner, NULL) != 0 || read(ready[0], &byte, 1) != 1)
		return 1;
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF || write(go[1], "x", 1) != 1)
		return 1;
	pthread_join(thread, NULL);
	free(block);
	return 0;
}
"""


def borrowed(out):
    """A child of vfork() that has not executed anything yet, and a helper that stays, are not the process."""
    program = os.path.join(out, "vforks")
    subprocess.run(["cc", "-w", "-O1", "-x", "c", "-", "-o", program, "-lpthread"], input=VFORK, text=True, check=True)
    for options in ([], ["--every", "1h"]):
        directory = os.path.join(out, f"snaps{len(options)}")
        process = subprocess.Popen([snapdiff, "run", "-q", "-o", directory, *options, "--", program],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        pid = next(iter(children(process.pid)))
        done = ask("snap", directory)
        check(is_snapshot(done, directory) and f".{pid}.".encode() in done.stdout, f"snap DIR beside a vfork: {done}")
        for child in children(pid):
            done = ask("snap", child)
            check(done.returncode == 3 and f"name process {pid}".encode() in done.stderr, f"snap of a vfork: {done}")
        process.communicate(b"\n", timeout=100)
        check(process.returncode == 0, f"the program ended with {process.returncode}")


def stopped(out):
    """A process that cannot answer now is not said to be unrecorded."""
    process, pid = recorded(out)
    os.kill(pid, signal.SIGSTOP)
    done = ask("snap", out)
    check(done.returncode == 4 and b"is recorded, but has not answered" in done.stderr, f"snap of a stopped one: {done}")
    for one in (pid, process.pid):  # with a terminal, `run` has stopped, too
        os.kill(one, signal.SIGCONT)
    done = ask("snap", out)
    check(is_snapshot(done, out), f"snap of one that goes on: {done}")
    end(process)


def main():
    for test in (squatted, full, unrecorded, containers, borrowed, stopped):
        before = failures
        out = tempfile.mkdtemp(prefix="snap-peers-")
        test(out)
        shutil.rmtree(out)
        print("ok    " if failures == before else "FAILED", test.__name__)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
