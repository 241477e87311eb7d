#!/usr/bin/env python3
"""Programs that must not load libsnap behave as without us, however a recorded program starts them.

programs.py --snapdiff SNAPDIFF --programs DIR

Compilers make the programs here.  What the machine lacks is skipped, with a word.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

WAYS = ("execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "execveat", "fexecve",
        "fexecve path", "many", "vfork", "posix_spawn", "posix_spawnp", "system", "popen")
SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern char **environ;
int main(int argc, char **argv)
{
    char *volatile p = malloc(12345);
    memset(p, 1, 12345);
    printf("%s %d\\n", argc > 1 ? argv[1] : "-", p[12344]);
    for (char **e = environ; *e; e++)
        if (strncmp(*e, "V1", 2) == 0 || strncmp(*e, "KEPT", 4) == 0)
            puts(*e);
    free(p);
    return 3;
}
"""
# Name: compiler and options, what `run` says of it.
BUILDS = {
    "plain": (["cc"], None),
    "static": (["cc", "-static"], "statically linked"),
    "staticpie": (["cc", "-static-pie"], "statically linked"),
    "musl": (["musl-gcc"], "another C library"),
    "muslstatic": (["musl-gcc", "-static"], "statically linked"),
    "gccasan": (["gcc", "-fsanitize=address"], "sanitizer"),
    "gcctsan": (["gcc", "-fsanitize=thread"], "sanitizer"),
    "clangasan": (["clang", "-fsanitize=address"], "sanitizer"),
    "clangtsan": (["clang", "-fsanitize=thread"], "sanitizer"),
    "clangmsan": (["clang", "-fsanitize=memory"], "sanitizer"),
    "narrow": (["gcc", "-m32"], "word size"),
}
failures = 0
options = None


def check(condition, sentence):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED: {sentence}", file=sys.stderr)


def build(name, directory):
    command, _ = BUILDS[name]
    if not shutil.which(command[0]):
        print(f"skipped: {name}: there is no {command[0]}")
        return None
    path = directory / name
    done = subprocess.run([*command, "-w", "-o", path, "-x", "c", "-"], input=SOURCE, text=True, capture_output=True)
    if done.returncode:
        print(f"skipped: {name}: {' '.join(command)} cannot link")
        return None
    return path


def bare_and_recorded(argv, directory, *more, env=None):
    env = dict(os.environ, KEPT="yes", PATH=f"{directory}:{os.environ['PATH']}", **(env or {}))
    out = tempfile.mkdtemp(prefix="snap-programs-")
    bare = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    recorded = subprocess.run([options.snapdiff, "run", "-o", out, *more, "--", *argv], env=env, capture_output=True,
                              text=True, timeout=100)
    shutil.rmtree(out)
    check(recorded.returncode == bare.returncode,
          f"{argv}: ended with {recorded.returncode}, bare {bare.returncode}: {recorded.stderr}")
    check(recorded.stdout == bare.stdout, f"{argv}: prints {recorded.stdout!r}, bare {bare.stdout!r}")
    said = "".join(line for line in recorded.stderr.splitlines(True) if not line.startswith("snapdiff: "))
    check(said == bare.stderr, f"{argv}: says {said!r}, bare {bare.stderr!r}")
    return recorded.stderr


def every_way(path, reason, directory):
    starter = os.path.join(options.programs, "t20_exec")
    for way in WAYS:
        said = bare_and_recorded([starter, way, str(path), "word"], directory)
        missed = f"not recorded: {path.name} (" in said and (reason or "") in said
        check(missed == (reason is not None), f"{way} {path.name}: run said {said!r}")


def listed(program, directory):
    """What was not recorded is in the JSON of ls, too."""
    out = directory / "listed"
    starter = os.path.join(options.programs, "t20_exec")
    for _ in range(2):
        subprocess.run([options.snapdiff, "run", "-q", "-o", out, "--", starter, "posix_spawn", program],
                       stdout=subprocess.DEVNULL)
    done = subprocess.run([options.snapdiff, "ls", "-f", "json", out], capture_output=True, text=True)
    missed = json.loads(done.stdout)["not_recorded"]
    check(missed == [{"program": program.name, "reason": "statically linked", "count": 2}], f"ls: {missed}")


def scripts(program, directory):
    """A script is judged by its interpreter."""
    script = directory / "script"
    script.write_text(f"#!{program} argument\n")
    script.chmod(0o755)
    second = directory / "second"
    second.write_text(f"#! {script}\n")
    second.chmod(0o755)
    starter = os.path.join(options.programs, "t20_exec")
    for path in (script, second):
        said = bare_and_recorded([starter, "execv", str(path)], directory)
        check(f"not recorded: {path.name} (" in said, f"a script of {program.name}: {said!r}")


def setuid(program, directory):
    if os.geteuid() != 0:
        print("skipped: setuid: needs root")
        return
    path = directory / "privileged"
    shutil.copy(program, path)
    os.chown(path, 65534, 65534)
    path.chmod(0o755 | stat.S_ISUID)
    said = bare_and_recorded([os.path.join(options.programs, "t20_exec"), "execv", str(path)], directory)
    check("not recorded: privileged (setuid" in said, f"a setuid program: {said!r}")


def clean_environment(program, directory):
    said = bare_and_recorded(["env", "-i", str(program)], directory)
    check("not recorded: plain (started in an environment without LD_PRELOAD)" in said, f"env -i: {said!r}")


def loader(program, directory):
    """ld.so PROGRAM is recorded, under the program's name."""
    path = re.search(rb"/lib[^\0]*/ld-[^\0]*", program.read_bytes()).group(0).decode()
    out = tempfile.mkdtemp(prefix="snap-programs-")
    done = subprocess.run([options.snapdiff, "run", "-o", out, "--", path, program], capture_output=True, text=True)
    check(done.returncode == 3, f"{path} plain: {done.returncode} {done.stderr}")
    names = os.listdir(out)
    check(len(names) == 1 and names[0].startswith("plain."), f"{path} plain: left {names}")
    shutil.rmtree(out)


def rival(program, directory):
    """A program below preloads another recorder: that one is alone there."""
    library = directory / "libheaptrack_preload.so"
    source = 'extern char **environ; extern int puts(const char *); extern char *strstr(const char *, const char *);' \
             '__attribute__((constructor)) static void f(void) { for (char **e = environ; *e; e++)' \
             'if (strstr(*e, "LD_PRELOAD=")) puts(strstr(*e, "libsnap.so") ? "two recorders" : "alone"); }'
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", library, "-x", "c", "-"], input=source, text=True, check=True)
    script = directory / "recorder"
    script.write_text(f'#!/bin/sh\nLD_PRELOAD="{library}${{LD_PRELOAD:+:$LD_PRELOAD}}" exec {program} x\n')
    script.chmod(0o755)
    said = bare_and_recorded([str(script)], directory)
    check("another recorder" in said, f"two recorders: {said!r}")


def true_causes():
    """Who cannot write a file still says why there is no snapshot: the program and its three children."""
    for how, cause, count in (("user", "permission denied", 4), ("files", "too many open files", 4),
                              ("size", "file too large", 4), ("signal", "signal 31", 0)):
        if how == "user" and os.geteuid() != 0:
            print("skipped: a change of user: needs root")
            continue
        out = tempfile.mkdtemp(prefix="snap-programs-")  # nobody else may use it
        argv = [os.path.join(options.programs, "t30_mute"), how]
        bare = subprocess.run(argv, capture_output=True, timeout=60).returncode
        done = subprocess.run([options.snapdiff, "run", "-o", out, "--", *argv], capture_output=True, text=True,
                              timeout=100)
        due = 128 - bare if bare < 0 else 4 if bare == 0 else bare
        check(done.returncode == due, f"t30 {how}: ended with {done.returncode}, bare {bare}")
        check(cause in done.stderr, f"t30 {how}: {cause!r} is not in {done.stderr!r}")
        check(not count or f"t30_mute ({count} times" in done.stderr, f"t30 {how}: not {count} times: {done.stderr!r}")
        check("did the program" not in done.stderr, f"t30 {how}: guesses: {done.stderr!r}")
        left = [f for f in os.listdir(out) if not f.startswith(".not-recorded.")]
        check(not left, f"t30 {how}: left {left}")
        shutil.rmtree(out)
    with tempfile.TemporaryDirectory(prefix="snap-programs-") as out:  # the shell leaves a snapshot, the others do not
        script = os.path.join(options.programs, "t30_mute") + " files; exit 3"
        said = subprocess.run([options.snapdiff, "run", "-o", out, "--", "sh", "-c", script], capture_output=True, text=True,
                              timeout=100).stderr
        check("t30_mute (4 times, cannot write" in said and said.count("t30_mute") == 1, f"t30 in a shell: {said!r}")


def launched(program, directory):
    """Who inherits a filter that would end it for our system calls is not recorded; under others it is."""
    starter = os.path.join(options.programs, "t31_launcher")
    for way in ("exec", "mild", "path", "vfork", "system", "child"):
        for action in ("kill", "trap", "errno"):
            said = bare_and_recorded([starter, action, way, str(program)], directory)
            missed = "not recorded: plain (a filter of system calls" in said
            check(missed == (action != "errno" and way != "system"), f"{action}, {way}: run said {said!r}")
        said = bare_and_recorded([starter, action, "borrower", str(program)], directory)
        missed = "not recorded: plain (a filter of system calls" in said
        check(missed == (action != "errno"), f"{action}, borrower: run said {said!r}")
        check("2 snapshots in" in said, f"{action}: the parent of a borrower is not recorded: {said!r}")
        if action != "errno":
            said = bare_and_recorded([starter, action, "strict", str(program)], directory)
            check("not recorded: plain (a filter of system calls" in said, f"{action}, strict: run said {said!r}")
            check("2 snapshots in" in said, f"{action}: the parent of a strict one is not recorded: {said!r}")


def out_of_reach(program, directory):
    """In another root libsnap may be missing: the loader is not asked for it."""
    if os.geteuid() != 0:
        print("skipped: another root: needs root")
        return
    root = directory / "root"
    (root / "bin").mkdir(parents=True)
    needed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    for path in re.findall(r"(/\S+) \(0x", needed):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path[1:])
    shutil.copy(program, root / "bin" / "plain")
    said = bare_and_recorded(["chroot", str(root), "/bin/plain", "word"], directory)
    check("not recorded: plain (libsnap.so cannot be opened" in said, f"chroot: run said {said!r}")


def cramped(program):
    """Where the limits of memory leave no room for libsnap, the program starts as without it."""
    starter = ["/bin/sh", "-c", 'ulimit $1 $2; "$3" word; exit $?', "sh"]
    for limit in ("-v", "-d"):
        for kib, recorded in ((9000, False), (100000, True)):
            said = bare_and_recorded([*starter, limit, str(kib), str(program)], program.parent)
            check(("not recorded: plain (its limit of memory" in said) != recorded, f"ulimit {limit} {kib}: {said!r}")
    bare, under = (subprocess.run(["/bin/sh", "-c", 'ulimit -d 20000; exec "$@"', "sh", *argv, program, "word"],
                                  capture_output=True, text=True, timeout=100)
                   for argv in ([], [options.snapdiff, "run", "-o", str(program.parent / "cramped"), "--"]))
    check(under.stdout == bare.stdout and "not recorded: plain (its limit of memory" in under.stderr,
          f"run below a limit: {under.stdout!r} {under.stderr!r}")


def long_names(program, directory):
    """A name may fill what a file system allows; what is written of it stays text on one line."""
    out = tempfile.mkdtemp(prefix="snap-programs-")
    for name in ("x" * 255, "\u30c4" * 85, "two\nlines"):
        path = directory / name
        shutil.copy(program, path)
        done = subprocess.run([options.snapdiff, "run", "-o", out, "--", path], capture_output=True, text=True)
        check(done.returncode == 3 and "1 snapshot in" in done.stderr, f"{name!r}: {done.returncode} {done.stderr!r}")
        check(all(line.startswith("snapdiff: ") for line in done.stderr.splitlines()), f"{name!r}: {done.stderr!r}")
        path.unlink()
    names = os.listdir(out)
    check(len(names) == 3 and all(n.endswith(".snap") for n in names), f"long names: left {names}")
    shutil.rmtree(out)


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--programs", required=True)
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="snap-programs-"))
    directory.chmod(0o755)
    try:
        built = {name: build(name, directory) for name in BUILDS}
        for name, path in built.items():
            if path:
                every_way(path, BUILDS[name][1], directory)
        bare_and_recorded([os.path.join(options.programs, "t20_exec"), "failing"], directory)
        for program in (built["musl"], built["gccasan"]):
            if program:
                scripts(program, directory)
        if built["static"]:
            listed(built["static"], directory)
        setuid(built["plain"], directory)
        cramped(built["plain"])
        clean_environment(built["plain"], directory)
        loader(built["plain"], directory)
        rival(built["plain"], directory)
        true_causes()
        launched(built["plain"], directory)
        out_of_reach(built["plain"], directory)
        long_names(built["plain"], directory)
    finally:
        shutil.rmtree(directory)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
