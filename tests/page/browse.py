#!/usr/bin/env python3
"""`snapdiff browse` in a terminal that tmux plays: keys, sizes, colours, hostile names, and how it ends.

usage: browse.py SNAPDIFF TESTDATA
"""

import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

SKIPPED = 77


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, scratch, command, columns=100, lines=30, term="screen-256color"):
        self.socket = tempfile.mktemp(prefix="tmux", dir=scratch)  # a server that is ending may still have the earlier socket
        self.status = scratch / "status"
        script = f"TERM={term} {command}; echo $? >{self.status}; sleep 600"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), script)

    def tmux(self, *words):
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        return subprocess.run(["tmux", "-u", "-S", self.socket, *words], check=True, env=env, capture_output=True,
                              text=True, timeout=60).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p").splitlines()

    def until(self, test, what):
        """Wait until the screen is as `test` wants it."""
        for _ in range(600):
            lines = self.screen()
            if test(lines):
                return lines
            time.sleep(0.1)
        raise AssertionError(f"{what}:\n" + "\n".join(self.screen()))

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def exit_code(self):
        for _ in range(600):
            if self.status.exists() and self.status.read_text().strip():
                return int(self.status.read_text())
            time.sleep(0.1)
        raise AssertionError("browse does not end")

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)


def has(text):
    return lambda lines: any(text in line for line in lines)


def check_series(snapdiff, testdata, scratch):
    series = [testdata / f"series-{i}.txt" for i in range(1, 9)]
    report = json.loads(subprocess.run([snapdiff, "growth", "--all", "-f", "json", *series], capture_output=True,
                                       check=True).stdout)
    terminal = Terminal(scratch, f"{snapdiff} browse {' '.join(map(str, series))}")
    try:
        lines = terminal.until(has("exactly 10 blocks"), "the first row's reason")
        listed = [line for line in lines[1:1 + len(report["rows"])]]
        for row, line in zip(report["rows"], listed):
            assert row["key"].split(" ")[0] in line and row["verdict"][:10] in line, (row["key"], line)
        terminal.keys("j")
        terminal.until(has("render  app/views.py:30"), "the second row's stack")
        terminal.keys("Enter")
        terminal.until(lambda l: l[-1].startswith("call stacks") and has("app/rows.py:7")(l), "the row's function in the tree")
        terminal.keys("g")
        terminal.keys("h")
        terminal.until(lambda l: not has(" handle")(l[1:-1]), "a closed node hides what is below it")
        terminal.keys("/")
        terminal.keys("pool_get", "Enter")
        terminal.until(has("src/pool.c:33"), "search opens the way")
        terminal.keys("m")
        terminal.until(has("live_blocks"), "the next figure")
        terminal.keys("?")
        terminal.until(lambda l: l[0] == "Keys", "help")
        terminal.keys("x", "Tab")
        terminal.until(lambda l: l[-1].startswith("rows"), "back to the rows")
        terminal.keys("[")
        terminal.until(has("snapshot 7 of 8"), "an earlier snapshot")
        terminal.tmux("resize-window", "-x", "60", "-y", "20")
        terminal.until(lambda l: len(l) <= 20 and l[-1].startswith("rows") and has("leak")(l), "a smaller window")
        terminal.tmux("resize-window", "-x", "20", "-y", "5")
        terminal.until(has("too small"), "a window that is too small")
        terminal.tmux("resize-window", "-x", "80", "-y", "24")
        terminal.until(has("exactly"), "the window of old terminals")
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def write_step(scratch, seq):
    """Each interval leaves two blocks of 100 bytes."""
    ages = ",".join(f"{birth}:2:200" for birth in range(seq))
    (scratch / "part").write_text(
        f"#snaptext 1\n@ seq\t{seq}\n@ time_ns\t{10**18 + seq * 10**10}\n@ pid\t7\n@ start_ns\t1\n@ program\tages\n"
        "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
        f"{200 * seq}\t{2 * seq}\t{200 * seq}\t{2 * seq}\tmalloc\t{ages}\tkeep|src/k.c|2|ages\tmain|src/m.c|1|ages\n")


def check_ages_and_pairs(snapdiff, scratch):
    """Survivors by birth, source lines, two snapshots that are marked, groups, and snapshots that arrive."""
    snaps = scratch / "snaps"
    snaps.mkdir()

    def arrive(seq):
        write_step(scratch, seq)
        made = subprocess.run([snapdiff, "build", scratch / "part", "-o", scratch / "part.snap"], check=False,
                              capture_output=True, text=True)
        assert made.returncode == 0, made
        (scratch / "part.snap").rename(snaps / f"ages.7.{seq:06}.snap")

    for seq in range(1, 6):
        arrive(seq)
    (scratch / "src").mkdir()
    (scratch / "src/k.c").write_text("void *keep(void)\n\t{ return malloc(100); }\n")
    terminal = Terminal(scratch, f"{snapdiff} browse --watch --source {scratch} {snaps}", columns=110, lines=44)
    try:
        terminal.until(has("snapshot 5 of 5: 1000 B"), "the last snapshot is told of")
        lines = terminal.until(has("return malloc(100)"), "source lines")
        assert any(">    2" in line for line in lines), lines
        born = [line.split("│")[-1].split() for line in lines if "allocated before snapshot" in line]
        assert [(words[1:3], words[-1]) for words in born] == [(["200", "B"], str(i)) for i in range(1, 6)], born
        terminal.keys("o")
        terminal.until(lambda l: has("keep")(l) and not has("keep src/k.c:2")(l), "grouped by function")
        terminal.keys("[", "[", "x")
        terminal.until(has("600 B, marked"), "a snapshot is marked")
        terminal.keys("[", "[", "x")
        terminal.until(has("+400 B grew"), "the two are compared")
        terminal.keys("u")
        terminal.until(has("snapshot 1 of 5"), "back in the series")
        arrive(6)
        terminal.until(has("snapshot 6 of 6: 1.2 KiB"), "a snapshot that arrives is shown")
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_looks(snapdiff, testdata, scratch):
    """80x24 without UTF-8, in 8 colours, in 256, and without any: only ASCII, nothing cut off at the right."""
    series = " ".join(str(testdata / f"series-{i}.txt") for i in range(1, 9))
    for term in ("xterm", "xterm-256color", "vt100"):
        (scratch / "status").unlink(missing_ok=True)
        terminal = Terminal(scratch, f"LC_ALL=C {snapdiff} browse {series}", columns=80, lines=24, term=term)
        try:
            lines = terminal.until(has("exactly"), f"the first row's reason in {term}")
            assert all(line.isascii() and len(line) <= 80 for line in lines), (term, lines)
            assert len(lines) <= 24 and any("KiB |" in line and "#" in line for line in lines), (term, lines)
            terminal.keys("q")
            assert terminal.exit_code() == 0
        finally:
            terminal.close()


def check_search_and_mouse(snapdiff, testdata, scratch):
    """A regular expression, one that is none, clicks and the wheel, as terminals of the kind of xterm report them."""
    series = " ".join(str(testdata / f"series-{i}.txt") for i in range(1, 9))
    terminal = Terminal(scratch, f"{snapdiff} browse {series}")
    selected = lambda text: lambda lines: any(text in line.split("│")[-1] for line in lines[1:2])

    def click(button, column, line):
        for state in (button, 3) if button == 0 else (button,):  # pressed, released
            terminal.tmux("send-keys", "-l", f"\x1b[M{chr(32 + state)}{chr(33 + column)}{chr(33 + line)}")
    try:
        lines = terminal.until(has("exactly 10 blocks"), "the first row")
        rows = [next(word for word in line.split("│")[0].split() if ":" in word) for line in lines[1:5]]
        terminal.keys("/", "^session_(open|close) .*:[0-9]+$", "Enter")
        terminal.until(selected("session_open"), "a regular expression finds the row")
        terminal.keys("/", "leak(", "Enter")
        terminal.until(has("no regular expression"), "what is none is searched for as it stands")
        click(0, 5, 2)
        terminal.until(selected(rows[1]), "a click goes to the row")
        click(0, 5, 2)
        terminal.until(lambda l: l[-1].startswith("call stacks"), "a second click is Enter")
        terminal.keys("Tab", "g")
        terminal.until(selected(rows[0]), "the first row again")
        click(65, 5, 2)
        terminal.until(selected(rows[3]), "the wheel moves by three")
        click(64, 5, 2)
        terminal.until(selected(rows[0]), "and back")
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_true_colour(snapdiff, scratch):
    """A terminal with 24-bit colours shows the ages in the colours of the page."""
    if subprocess.run(["infocmp", "xterm-direct"], capture_output=True, check=False).returncode:
        print("skipped: true colour: terminfo has no xterm-direct here (Debian: ncurses-term)")
        return
    for seq in range(1, 6):
        write_step(scratch, seq)
        (scratch / "part").rename(scratch / f"{seq}.txt")
    terminal = Terminal(scratch, f"{snapdiff} browse {' '.join(str(scratch / f'{seq}.txt') for seq in range(1, 6))}", columns=110, lines=44,
                        term="xterm-direct")
    try:
        terminal.until(has("allocated before snapshot"), "survivors by birth")
        painted = terminal.tmux("capture-pane", "-p", "-e")
        assert "38;2;187;66;112" in painted, "the fourth of eight ages is #bb4270: " + repr(painted[-1500:])
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_holders(snapdiff, testdata, scratch):
    """Who holds the row under the cursor, as `holders` tells it."""
    held = testdata / "held.txt"
    told = json.loads(subprocess.run([snapdiff, "holders", ".", held, "--all", "-f", "json"], capture_output=True, check=True).stdout)
    terminal = Terminal(scratch, f"{snapdiff} browse {held}", columns=140, lines=50)
    try:
        lines = terminal.until(has("bytes  1/"), "the rows")
        function = next(line.split("│")[-1].split()[0] for line in lines[1:2])
        expected = [row["role"] for row in told["rows"] if row["of"].startswith(function)]
        assert expected, (function, told)
        terminal.until(lambda l: all(any(role in line.split("│")[-1] for line in l) for role in expected), "who holds it")
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_live(snapdiff, scratch):
    """A running process: its snapshots appear as they are written, and stay when it ends."""
    if not (snapdiff.parent.parent / "lib/libsnap.so").exists():
        print("skipped: a process that runs: this build has no library to record with")
        return
    program = "import sys\nkept = []\nfor line in sys.stdin:\n    kept.append([bytearray(5000) for _ in range(50)])\n    print(line, flush=True)\n"
    with subprocess.Popen([snapdiff, "run", "-q", "-o", scratch / "live", "--", "python3", "-c", program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as recorded:
        def step():
            recorded.stdin.write("more\n")
            recorded.stdin.flush()
            while not recorded.stdout.readline().strip():
                pass
            subprocess.run([snapdiff, "snap", str(recorded.pid)], check=True, capture_output=True)

        for _ in range(3):
            step()
        terminal = Terminal(scratch, f"{snapdiff} browse --watch {recorded.pid}", columns=120, lines=40)
        try:
            terminal.until(has("snapshot 3 of 3"), "the process's snapshots")
            for count in range(4, 7):
                step()
                terminal.until(has(f"snapshot {count} of {count}"), f"snapshot {count} arrives")
            recorded.stdin.close()
            assert recorded.wait(timeout=600) == 0
            terminal.keys("j", "k")
            terminal.until(has(" of "), "what was there stays when the process has ended")
            terminal.keys("q")
            assert terminal.exit_code() == 0
        finally:
            terminal.close()


def check_hostile(snapdiff, scratch):
    text = scratch / "hostile.txt"
    text.write_bytes(b"#snaptext 1\nlive_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"
                     b"900\t1\t900\t1\tmalloc\t-\t\x1b[2Jevil\x07\xff|a.c|1|m\tmain|m.c|2|m\n"
                     b"800\t1\t800\t1\tmalloc\t-\t" + b"n" * 5000 + b"|b.c|2|m\tmain|m.c|2|m\n")
    terminal = Terminal(scratch, f"{snapdiff} browse {text}", term="xterm")
    try:
        lines = terminal.until(has("evil"), "a hostile name is shown")
        assert any("?[2Jevil??" in line for line in lines), lines
        assert lines[-1].startswith("rows"), lines
        terminal.keys("Tab", "q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_damaged(snapdiff, testdata, scratch):
    """A damaged file is left out, which is said on the screen, behind `w`, at the end, and by the exit status."""
    snaps = scratch / "damaged"
    snaps.mkdir()
    for i in range(1, 9):
        subprocess.run([snapdiff, "build", testdata / f"series-{i}.txt", "-o", snaps / f"server.7.{i:06}.snap"], check=True)
    broken = snaps / "server.7.000009.snap"
    broken.write_bytes((snaps / "server.7.000008.snap").read_bytes()[:200])
    (scratch / "status").unlink(missing_ok=True)
    for keys, watch in ((["w", "w"], ""), (["Tab"], ""), ([], "--watch")):
        terminal = Terminal(scratch, f"{snapdiff} browse {watch} {snaps}", columns=90)
        try:
            terminal.until(lambda l: "w 1 warning " in l[-1], "the last line counts the warning")
            terminal.keys("w")
            terminal.until(lambda l: l[0] == "1 warning" and broken.name in "".join(line.strip() for line in l[2:4]), "the warning")
            for key in keys:
                terminal.keys(key)
            terminal.keys("x")
            terminal.until(lambda l: l[-1].startswith(("rows", "call stacks")), "back")
            terminal.keys("q")
            assert terminal.exit_code() == 3
            terminal.until(has("1 damaged file is no part of this report"), "the end says so")
        finally:
            terminal.close()
            (scratch / "status").unlink()
    broken.unlink()
    terminal = Terminal(scratch, f"{snapdiff} browse {snaps}", columns=90)
    try:
        terminal.until(lambda l: l[-1].startswith("rows") and "warning" not in l[-1], "a sound directory")
        terminal.keys("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


def check_refusals(snapdiff, testdata, scratch):
    result = subprocess.run([snapdiff, "browse", testdata / "before.txt"], capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 2 and "needs a terminal" in result.stderr, result
    # ncurses itself leaks where it knows no such terminal, and LeakSanitizer would change the exit status.
    terminal = Terminal(scratch, f"ASAN_OPTIONS=detect_leaks=0 {snapdiff} browse {testdata / 'before.txt'} "
                        f"2>{scratch / 'said'}", term="nothing-known")
    try:
        assert terminal.exit_code() == 4
        assert "cannot be used" in (scratch / "said").read_text()
    finally:
        terminal.close()


def browse_in_pty(snapdiff, arguments, wanted, ignoring=()):
    """browse in a terminal of ours, once it shows `wanted`: its pid and our end of the terminal."""
    pid, end = pty.fork()
    if pid == 0:
        for number in ignoring:
            signal.signal(number, signal.SIG_IGN)
        os.environ["TERM"] = "xterm-256color"
        os.execv(snapdiff, [snapdiff, "browse", *map(str, arguments)])
    shown = b""
    while wanted not in shown:
        shown += os.read(end, 65536)
    return pid, end


def check_ends(snapdiff, testdata, scratch):
    """A signal restores the terminal and ends browse by that signal; so does a terminal that closes, even if SIGHUP is ignored."""
    series = [testdata / f"series-{i}.txt" for i in range(1, 9)]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        pid, end = browse_in_pty(snapdiff, series, b"exactly")
        os.kill(pid, number)
        status = os.waitpid(pid, 0)[1]
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, (number, status)
        assert termios.tcgetattr(end)[3] & (termios.ICANON | termios.ECHO) == termios.ICANON | termios.ECHO, number
        said = b""
        while b"\x1b[?1049l" not in said or b"\x1b[?25h" not in said:  # the screen of before, and its cursor
            said += os.read(end, 65536)
        os.close(end)
    write_step(scratch, 1)
    watched = scratch / "watched"
    watched.mkdir()
    (scratch / "part").rename(watched / "1.txt")
    write_step(scratch, 2)
    (scratch / "part").rename(watched / "2.txt")
    for ignoring in ((), (signal.SIGHUP,)):
        for arguments, wanted in ((series, b"exactly"), (["--watch", watched], b"src/k.c")):
            pid, end = browse_in_pty(snapdiff, arguments, wanted, ignoring)
            os.close(end)
            status = os.waitpid(pid, 0)[1]  # a test that waits for ever is ended by its time limit
            assert status == 0 if ignoring else os.WTERMSIG(status) == signal.SIGHUP, (ignoring, arguments, status)


def main():
    if not shutil.which("tmux"):
        print("skipped: there is no tmux here")
        return SKIPPED
    snapdiff, testdata = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    for check in (check_series, check_ages_and_pairs, check_looks, check_search_and_mouse, check_true_colour, check_holders,
                  check_live, check_hostile, check_damaged, check_ends, check_refusals):
        with tempfile.TemporaryDirectory() as name:
            arguments = {"snapdiff": snapdiff, "testdata": testdata, "scratch": pathlib.Path(name)}
            check(**{key: arguments[key] for key in check.__code__.co_varnames[:check.__code__.co_argcount]})
    print("the browser holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
