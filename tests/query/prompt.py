#!/usr/bin/env python3
"""The prompt of `snapdiff query` as a user of psql meets it: on a terminal, key by key.

    prompt.py SNAPDIFF
"""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

PROMPT, MORE = "snapdiff> ", "    ...> "
TEXT = """#snaptext 1
@ seq\t1
@ command\t./server
4096\t2\t4096\t2\tmalloc\t-\tput|a.c|3|server\tmain|a.c|9|server
"""


class Terminal:
    def __init__(self, command, home):
        ours, theirs = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": str(home), "SNAPDIFF_CONFIG": "", "PAGER": "cat"}
        env.pop("XDG_STATE_HOME", None)
        # libedit keeps the names of added functions for ever; nobody else here copies wide strings.
        (home / "suppressions").write_text("leak:wcsdup\n")
        env["LSAN_OPTIONS"] = f"suppressions={home}/suppressions:print_suppressions=0"
        self.child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=home, env=env, close_fds=True,
                                      preexec_fn=take_terminal)
        os.close(theirs)
        self.ours, self.seen = ours, ""

    def until(self, wanted):
        """What is printed up to `wanted`; waits for it."""
        deadline = time.monotonic() + 120
        while wanted not in self.seen:
            if not select.select([self.ours], [], [], max(0, deadline - time.monotonic()))[0]:
                raise SystemExit(f"FAULT no {wanted!r} in {self.seen!r}")
            try:
                self.seen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(self.ours, 65536).decode())
            except OSError:
                raise SystemExit(f"FAULT it ended before {wanted!r}: {self.seen!r}") from None
        before, self.seen = self.seen.split(wanted, 1)
        return before

    def keys(self, text):
        os.write(self.ours, text.encode())

    def ask(self, line, prompt=PROMPT):
        """Type a line; what is printed until the next prompt."""
        self.keys(line + "\r")
        return self.until(prompt)


def take_terminal():
    os.setsid()
    import fcntl
    import termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def check(condition, sentence):
    if not condition:
        raise SystemExit(f"FAULT {sentence}")


def look(snapdiff, home):
    terminal = Terminal([snapdiff, "query", "--db", "heap.db"], home)
    terminal.until(PROMPT)
    # several lines, one statement
    terminal.ask("select seq, live_blocks", MORE)
    check(re.search(r"1\s+2\b", terminal.ask("from snapshots;")), "a statement of two lines")
    # an error says where
    shown = terminal.ask("select seq, nonsense from snapshots;")
    check("no such column: nonsense (line 1)" in shown, f"an error says where: {shown!r}")
    lines = shown.replace("\r", "").split("\n")
    mark = next(i for i, line in enumerate(lines) if line.strip() == "^")
    check(lines[mark - 1][lines[mark].index("^"):].startswith("nonsense"), f"the mark is under the word: {lines}")
    # Ctrl-C: a line, a statement of several lines, a statement that runs
    for round_ in range(3):
        terminal.keys("select 11")
        terminal.until("11")
        terminal.keys("\x03")
        terminal.until(PROMPT)
        terminal.ask("select 12", MORE)
        terminal.keys("\x03")
        terminal.until(PROMPT)
        shown = terminal.ask(f"select {100 + round_} as x;")
        check(f"\r\n{100 + round_}\r\n" in shown and "error" not in shown, f"after Ctrl-C: {shown!r}")
        terminal.keys("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n;\r")
        terminal.until("\r\n")
        time.sleep(0.2)  # it may not run yet: then the keys are one more line that is given up
        terminal.keys("\x03")
        terminal.until(PROMPT)
    # completion: a column, a view, a command
    terminal.keys("select live_bl\t from snap\t ")
    terminal.keys(";\r")
    shown = terminal.until(PROMPT)
    check(re.search(r"live_blocks\r\n +2\r\n", shown), f"columns and views are completed: {shown!r}")
    # history
    terminal.keys("\x1b[A")
    terminal.until("from snapshot")
    terminal.keys("\r")
    check(re.search(r"live_blocks\r\n +2\r\n", terminal.until(PROMPT)), "the last statement comes back")
    # modes and output
    check("wants a format: table, json" in terminal.ask(".mode"), ".mode says what there is")
    terminal.ask(".mode csv")
    check("a,b\n1,2\n" in terminal.ask("select 1 as a, 2 as b;").replace("\r", ""), ".mode csv")
    terminal.ask(".output out.csv")
    terminal.ask("select 3 as c;")
    terminal.ask(".output")
    (home / "two words.sql").write_text("select 4 as d;")
    for quoted in ("'two words.sql'", '"two words.sql"'):
        check("d\n4\n" in terminal.ask(f".read {quoted}").replace("\r", ""), "a name with a blank stands in quotes")
    check("on or off" in terminal.ask(".timer perhaps"), ".timer wants on or off")
    check((home / "out.csv").read_text().replace("\r", "") == "c\n3\n", ".output FILE")
    terminal.keys(".quit\r")
    check(terminal.child.wait(120) == 0, "it leaves")
    os.close(terminal.ours)
    history = (home / ".local/state/snapdiff/query_history").read_text()
    check("nonsense" in history.replace("\\040", " "), "the history is kept")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        (home / "heap.txt").write_text(TEXT)
        subprocess.run([os.path.abspath(sys.argv[1]), "load", "-q", "heap.txt", "--db", "heap.db"], cwd=home, check=True)
        look(os.path.abspath(sys.argv[1]), home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
