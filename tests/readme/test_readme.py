#!/usr/bin/env python3
"""Type what README says, block by block and in order, and compare what comes with what README shows.

usage: test_readme.py [--update] [--keep] SNAPDIFF_BUILD_DIR
  --update   write what the commands print now into README, where it differs

Blocks marked `sh` are commands; a comment "# exit 1: ..." behind one says how it ends, otherwise it must succeed.
Blocks marked `console` show commands behind "$ " and their output; a line "..." stands for any lines.  Blocks marked
`c` or `python` whose first line is a comment that names a file are saved as that file.  Everything happens in an empty
directory that has what a clone has; `./dev` itself is not run here (other tests and CI do), but its commands must exist.
Of reports it is compared that every site which README shows is there with its verdict; of other output every line, except
for process ids, times, what the kernel or libc decide (resident memory, slack), and the directory's name.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
SHOWN_HOME = "/srv/app"  # README's name for the directory that the test works in
CODE = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
FILE_COMMENT = re.compile(r"^(?:/\*|#) (\w+\.(?:c|py)): ")

# (what is not compared, what stands for it)
UNSTABLE = [
    (re.compile(r"\.\d+\.(\d{6})\.snap"), r".PID.\1.snap"),
    (re.compile(r"\bprocess \d+"), "process PID"),
    (re.compile(r"\bresident [\d.]+ \w+ -> [\d.]+ \w+"), "resident SOME -> SOME"),
    # Named only where they moved a good deal.
    (re.compile(r", (allocator slack|seen by no hook|the recorder's own|files|stacks) [\d.]+ \w+ -> [\d.]+ \w+"), ""),
    (re.compile(r"[▁-█]+"), "CURVE"),
    (re.compile(r"\d+(\.\d+)? (us|ms|s|min)\b"), "TIME"),
    (re.compile(r"\b\d[\d.,]* (KiB|MiB) (an? |per )(hour|min|s)\b"), "RATE"),
    (re.compile(r"\s+"), " "),
]


# README shows what Python 3.11 does; other versions make objects of other sizes.
SHOWN_PYTHON = "Python 3.11."


def masked(line, figures=True):
    for pattern, name in UNSTABLE:
        line = pattern.sub(name, line)
    return (line if figures else re.sub(r"[+-]?[\d,.]+ ?([KM]iB|B)?", "N", line)).strip()


class Shell:
    """One bash in which everything is typed: its variables, directory and background jobs stay."""

    def __init__(self, directory, env):
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=directory, env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def type(self, command):
        """(output lines, exit status)"""
        self.process.stdin.write(f"{command}\nprintf '\\n<end of command %d>\\n' $?\n")
        self.process.stdin.flush()
        lines = []
        while line := self.process.stdout.readline():
            end = re.match(r"<end of command (\d+)>", line)
            if end:
                return (lines[:-1] if lines and not lines[-1] else lines), int(end.group(1))
            lines.append(line.rstrip("\n"))
        raise RuntimeError(f"the shell ended after: {command}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def is_complete(command):
    """No quote or loop is open."""
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def join_lines(lines):
    """Commands, each of which may go over several lines."""
    command = ""
    for line in lines:
        command += ("\n" if command else "") + line
        if is_complete(command) and not command.endswith("\\"):
            yield command
            command = ""
    if command:
        yield command


def equals(shown, printed):
    """Is that what README shows?  "..." stands for any lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(equals(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and equals(shown[1:], printed[1:])


SITE = re.compile(r"\S+\.(?:c|py):\d+")


def first_word(line):
    """The verdict or status that a row begins with, or None."""
    word = re.match(r"[a-z][a-z-]+(?= )", line)
    return word.group(0) if word else None


def shows_the_same(shown, printed):
    """Reports: every site that README shows is there, with its verdict.  Anything else: line by line."""
    sites = [line for line in shown if SITE.search(line)]
    if not sites:
        return equals(shown, printed)
    return all(any(SITE.search(line).group(0) in now and first_word(line) == first_word(now) for now in printed)
               for line in sites)


def one_pid(line):
    """README shows one process, although its reports are brought up to date one by one."""
    return re.sub(r"\b(leaky_server\.|as process |of thread )\d+", r"\g<1>4217", line)


class Typist:
    def __init__(self, directory, strict):
        self.directory, self.strict, self.faults = directory, strict, []
        env = dict(os.environ, HOME=str(directory / "home"), TERM="dumb", LC_ALL="C.UTF-8", TZ="UTC")
        for name in [n for n in env if n.startswith(("SNAP_", "XDG_"))]:
            del env[name]
        env.pop("COLUMNS", None)
        self.shell = Shell(directory, env)
        self.python = " ".join(self.shell.type("python3 --version")[0])

    def fault(self, text):
        self.faults.append(text)
        print(text, file=sys.stderr)

    def run(self, command):
        """Output and status; a process that goes on in the background is waited for until it records."""
        lines, status = self.shell.type(command)
        if re.search(r"&\s*(#.*)?$", command):
            self.shell.type("until snapdiff status $! >/dev/null 2>&1; do sleep 0.05; done")
        return [one_pid(line.replace(str(self.directory), SHOWN_HOME)) for line in lines], status

    def type_sh(self, body):
        for command in join_lines(body.splitlines()):
            words = command.split("#")[0].split()
            if not words:
                continue
            if words[0] == "./dev":
                self.check_dev(words[1], command)
                continue
            if shutil.which(words[0], path=os.environ["PATH"]) is None and words[0] in ("sqlite3", "duckdb"):
                continue
            wanted = re.search(r"# exit (\d+)", command)
            lines, status = self.run(command)
            if status != (int(wanted.group(1)) if wanted else 0):
                self.fault(f"ended with {status}: {command}\n" + "\n".join(lines))

    def check_dev(self, name, command):
        known = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
        if not re.search(rf"^  {name}\b", known, re.MULTILINE):
            self.fault(f"./dev does not know this: {command}")
        if "&&" in command:  # what follows a build that is there already
            self.type_sh(command.split("&&", 1)[1].strip())

    def type_console(self, body):
        """The block with what its commands print now, where that differs."""
        out, lines = [], body.splitlines()
        while lines:
            command = lines.pop(0)[2:]
            while not is_complete(command) and lines:
                command += "\n" + lines.pop(0)
            shown = []
            while lines and not lines[0].startswith("$ "):
                shown.append(lines.pop(0))
            while shown and not shown[-1]:
                shown.pop()
            if shutil.which(command.split()[0]) is None and command.split()[0] == "sqlite3":
                print("skipped: README's sqlite3 commands: sqlite3 is not installed")
                printed = shown
            else:
                printed, _ = self.run(command)
                printed = [line.rstrip() for line in printed]
            figures = "step-" not in command or self.python.startswith(SHOWN_PYTHON)
            same = equals if self.strict else shows_the_same
            if not same([masked(line, figures) if line != "..." else line for line in shown if line],
                        [masked(line, figures) for line in printed if line]):
                self.fault(f"README shows something else for: {command}\n" +
                           "\n".join("  now: " + line for line in printed))
                shown = printed
            out += ["$ " + command, *shown]
        return "\n".join(out) + "\n"

    def save(self, body):
        name = FILE_COMMENT.match(body)
        if name:
            (self.directory / name.group(1)).write_text(body)

    def check_verify(self):
        """The one command in a sentence of docs/limits.md: it must do what the sentence says."""
        command = re.search(r"`(SNAP_VERIFY=\d+ snapdiff run) -- ./app`", (ROOT / "docs" / "limits.md").read_text())
        if not command:
            self.fault("docs/limits.md no longer says how to have stacks checked")
            return
        lines, _ = self.run(f"{command.group(1)} -o verified -- ./leaky_server 1000 0")
        if not any(re.search(r"SNAP_VERIFY: .*[1-9]\d* equal and complete, 0 mismatches", line) for line in lines):
            self.fault("docs/limits.md promises that stacks are checked, but:\n" + "\n".join(lines))

    def type_block(self, match):
        kind, body = match.group(1), match.group(2)
        if kind == "sh":
            self.type_sh(body)
        elif kind == "console":
            body = self.type_console(body)
        elif kind in ("c", "python"):
            self.save(body)
        return f"```{kind}\n{body}```\n"


def lay_out(directory, build):
    """What a clone has after `./dev build`, as far as README's commands use it."""
    for name in ("tests", "include"):
        (directory / name).symlink_to(ROOT / name)
    (directory / "build").mkdir()
    (directory / "build" / "release").symlink_to(build)
    (directory / "home").mkdir()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the directory")
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    options = parser.parse_args()
    if not shutil.which("cc"):
        print("skipped: no C compiler")
        return 77
    directory = pathlib.Path(tempfile.mkdtemp(prefix="snap-readme-"))
    lay_out(directory, options.build)
    typist = Typist(directory, options.update)
    text = README.read_text()
    updated = CODE.sub(typist.type_block, text)
    typist.check_verify()
    typist.shell.close()
    if options.keep:
        print(directory)
    else:
        shutil.rmtree(directory)
    if options.update and updated != text:
        README.write_text(updated)
        return 0
    return 1 if typist.faults else 0


if __name__ == "__main__":
    sys.exit(main())
