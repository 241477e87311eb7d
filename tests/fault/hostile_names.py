#!/usr/bin/env python3
"""Names that somebody else chose reach no other language: terminal, CSV, TSV, Markdown, JSON, HTML, SARIF, JUnit,
annotations of GitHub, GitLab's code quality, SQL and the shell commands that reports end with.

Every name below stands as function, file, module, domain, label, program and command of a snapshot, every renderer
prints it, and a reader of that language that is not ours says what it found.

usage: hostile_names.py SNAPDIFF STEP [unittest arguments]: every STEP-th name
"""
import csv
import html.parser
import io
import json
import os
import pathlib
import pty
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SNAPDIFF, STEP = os.path.abspath(sys.argv.pop(1)), int(sys.argv.pop(1))

NAMES = [
    "=HYPERLINK(\"http://x\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "\rx",
    "\x1b[2J\x1b]0;title\x07", "\x9b31m", "\u009b31m", "\u202edlrow", "\u061cx\u200ey\u200fz", "x\u2028y\u2029z", "a\nb", "a\r\nb", "\x7f\x08\x08",
    "``` ``<img src=x onerror=alert(1)>`` ```", "`a` ![x](http://x/y.png) [x](javascript:alert(1)) @somebody", "a|b|c",
    "<script>alert(1)</script>", "</script><script>alert(1)//", "\"><img src=x>", "&lt;&amp;]]>", "<!-- ", "--> <b>",
    "\n::error file=x::owned", "%0A::warning::x", "::stop-commands::x", "##[command]x", "a,b:c%d",
    "'; drop table snapshots; --", "\" or 1=1", "$(touch PWNED)", "`touch PWNED`", "; touch PWNED", "' ; touch PWNED ; '",
    "\\", "a\\tb", "a;b;c 12", "\udcff\udcfe", "x" * 5000, " ", "\u0000"[:0] or "nul", "../../../etc/passwd", "-rf",
][::STEP]
FORMULA = "=+-@\t\r"


def escape(field):
    for plain, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("|", "\\|")):
        field = field.replace(plain, written)
    return field.replace("\r", "")


def text_form(name, grown):
    """A text form in which everything is called `name`."""
    name = escape(name)
    rows = [f"{grown * 4096}\t{grown}\t{grown * 4096}\t{grown}\t{name}\t-\t{name}|{name}|7|{name}\tmain|main.c|1|prog",
            "10\t1\t10\t1\tmalloc\t-\tmain|main.c|1|prog"]
    head = ["#snaptext 1", f"@ seq\t{grown}", f"@ time_ns\t{grown}000000000", "@ pid\t7", f"@ command\t{name}",
            f"@ program\t{name}", f"@ label\t{name}", f"@ labels.phase\t{name}", f"@ exe\t{name}",
            "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes..."]
    return "\n".join(head + rows) + "\n"


class Tags(html.parser.HTMLParser):
    """The tags of a page, in order, with their attributes' names."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, tuple(name for name, _ in attributes)))


class HostileNames(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "SNAPDIFF_CONFIG": "", "LC_ALL": "C.UTF-8",
                    "XDG_CACHE_HOME": str(self.home)}

    def run_tool(self, *argv, codes=(0,)):
        result = subprocess.run([SNAPDIFF, *argv], cwd=self.home, env=self.env, capture_output=True,
                                stdin=subprocess.DEVNULL, timeout=600, check=False)
        self.assertIn(result.returncode, codes, (argv, result.stderr))
        self.assert_harmless(result.stderr)
        return result.stdout

    def assert_harmless(self, data, allowed=b"\n"):
        """Nothing that a terminal obeys."""
        text = data.decode("utf-8", "surrogateescape")
        bad = [c for c in text if (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0) and c.encode() not in allowed]
        self.assertEqual(bad, [], data[:500])
        self.assertIsNone(re.search("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text), data[:500])

    def files(self, name):
        for grown in (1, 2, 3, 4):
            (self.home / f"{grown}.txt").write_bytes(text_form(name, grown * grown).encode("utf-8", "surrogateescape"))

    def for_every_name(self, check):
        for name in NAMES:
            with self.subTest(name=name[:60]):
                self.files(name)
                check(name)
        self.assertFalse((self.home / "PWNED").exists())

    def test_terminal(self):
        def check(_):
            for argv in (["top", "1.txt"], ["top", "-g", "stack", "-v", "1.txt"], ["compare", "1.txt", "4.txt"],
                         ["growth", "1.txt", "2.txt", "3.txt", "4.txt"], ["peek", ".", "1.txt"], ["ls", "1.txt"],
                         ["info", "1.txt"], ["query", "select * from frames", "1.txt"],
                         ["query", "select * from snapshots", "1.txt"], ["check", "4.txt", "--baseline", "1.txt"]):
                self.assert_harmless(self.run_tool(*argv, codes=(0, 1)))
        self.for_every_name(check)

    def test_csv_and_tsv(self):
        def check(_):
            for argv in (["top", "1.txt"], ["compare", "1.txt", "4.txt"], ["ls", "1.txt"], ["info", "1.txt"],
                         ["query", "select function, file from frames", "1.txt"]):
                data = self.run_tool(*argv, "-f", "csv")
                rows = list(csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")))
                self.assertEqual({len(row) for row in rows}, {len(rows[0])})
                for cell in (cell for row in rows for cell in row):
                    self.assertFalse(cell[:1] and cell[0] in FORMULA and not re.fullmatch(r"-?[\d.]+", cell), cell)
                lines = self.run_tool(*argv, "-f", "tsv").rstrip(b"\n").split(b"\n")
                self.assertEqual({line.count(b"\t") for line in lines}, {lines[0].count(b"\t")})
        self.for_every_name(check)

    def on_terminal(self, *argv):
        """What a command writes to a terminal."""
        ours, its = pty.openpty()
        tool = subprocess.Popen([SNAPDIFF, *argv], cwd=self.home, env={**self.env, "TERM": "xterm"}, stdin=its,
                                stdout=its, stderr=its)
        os.close(its)
        data = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break  # the other side is closed
            if not part:
                break
            data += part
        os.close(ours)
        self.assertEqual(tool.wait(timeout=600), 0, data)
        return data.replace(b"\r\x1b[K", b"")  # before and after a line of progress, which a slow machine shows

    def test_data_on_a_terminal(self):
        def check(_):
            for form in ("csv", "tsv", "markdown", "json"):
                data = self.on_terminal("top", "--no-pager", "-f", form, "1.txt")
                self.assert_harmless(data, b"\r\n\t")
            data = self.on_terminal("top", "--no-pager", "--color", "never", "1.txt")
            self.assert_harmless(data, b"\r\n")
        self.for_every_name(check)

    def outside_code(self, line):
        """What of a line of Markdown is outside code spans, and not escaped."""
        at, rest = 0, ""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line[at] == "`":
                size = len(re.match("`+", line[at:]).group())
                ends = [end for end in re.finditer("`+", line[at + size:]) if len(end.group()) == size]
                at += size + (ends[0].end() if ends else 0)
            else:
                rest += line[at]
                at += 1
        return rest

    def test_markdown(self):
        def check(name):
            for argv in (["top", "1.txt"], ["compare", "1.txt", "4.txt"], ["ls", "1.txt"],
                         ["check", "4.txt", "--baseline", "1.txt"]):
                data = self.run_tool(*argv, "-f", "markdown", codes=(0, 1))
                self.assert_harmless(data)
                for line in data.decode("utf-8", "surrogateescape").splitlines():
                    rest = self.outside_code(line)
                    self.assertNotRegex(rest, r"<(img|script|b>|!--)|\]\(|@somebody", (name, line))
                    if line.startswith("| "):
                        cells = re.sub(r"\\.", "", line).count("|")
                        head = next(row for row in data.decode(errors="replace").splitlines() if row.startswith("| "))
                        self.assertEqual(cells, head.count("|"), line)
        self.for_every_name(check)

    def test_json(self):
        def check(name):
            wanted = name.replace("\r", "")
            for form in ("json", "jsonl"):
                data = self.run_tool("top", "--no-skip", "-f", form, "1.txt")
                self.assert_harmless(data)
                lines = [json.loads(line) for line in data.splitlines()] if form == "jsonl" else json.loads(data)["rows"]
                functions = [row.get("function") for row in lines]
                # A name of blanks alone is a name as well; what is no UTF-8 comes as surrogates.
                self.assertIn(wanted, functions)
        self.for_every_name(check)

    def test_gates(self):
        def check(_):
            argv = ["check", "4.txt", "--baseline", "1.txt", "--max-total", "1KiB", "--max-site", "1KiB"]
            xml.etree.ElementTree.fromstring(self.run_tool(*argv, "-f", "junit", codes=(0, 1)))
            for form in ("sarif", "gitlab", "json"):
                data = self.run_tool(*argv, "-f", form, codes=(0, 1))
                json.loads(data)
                self.assert_harmless(data)
            data = self.run_tool(*argv, "-f", "github", codes=(0, 1))
            self.assert_harmless(data)
            for line in data.decode("utf-8", "surrogateescape").splitlines():
                self.assertRegex(line, r"\A(::(error|warning|notice)( [^:]*)?::[^\r\n]*|(?!::|##\[).*)\Z")
                self.assertNotIn("::stop-commands::", line[:20])
        self.for_every_name(check)

    def test_page(self):
        pages = []

        def tags():
            self.run_tool("report", "-o", "page.html", "1.txt", "4.txt")
            text = (self.home / "page.html").read_text(encoding="utf-8", errors="surrogateescape")
            (self.home / "page.html").unlink()
            return Tags(text).tags

        self.files("plain")
        pages.append(tags())
        self.for_every_name(lambda _: self.assertEqual(
            [tag for tag in set(tags()) if tag not in set(pages[0])], []))

    def test_shell_commands(self):
        """What a report advises to copy gives exactly its words, whatever the names."""
        def check(name):
            for argv in (["top", "1.txt"], ["compare", "1.txt", "4.txt"], ["peek", ".", "1.txt"],
                         ["growth", "1.txt", "2.txt", "3.txt", "4.txt"]):
                text = self.run_tool(*argv).decode("utf-8", "surrogateescape")
                for line in text.splitlines():
                    if line.startswith("Next: "):
                        command = re.sub(r"  \(.*\)$", "", line[len("Next: "):])
                        script = f"snapdiff() {{ printf 'said\\n'; }}\n{command}"
                        said = subprocess.run(["bash", "-c", script], cwd=self.home, capture_output=True, check=False,
                                              stdin=subprocess.DEVNULL, timeout=600)
                        self.assertEqual((said.stdout, said.returncode), (b"said\n", 0), (name, line, said.stderr))
        self.for_every_name(check)

    def test_holders(self):
        """Who holds what, from a text form in which types, roots, threads and modules are called so, too."""
        sound = (pathlib.Path(__file__).parent.parent.parent / "testdata/cli/held.txt").read_text()

        def check(name):
            text = sound
            for word in ("cache_put", "g_cache", "t_config", "worker", "parse", "server"):
                text = text.replace(word, escape(name))
            (self.home / "held.txt").write_bytes(text.encode("utf-8", "surrogateescape"))
            for argv in (["holders", "."], ["leaks"], ["query", "select * from holders"], ["query", "select * from roots"],
                         ["query", "select * from sites"]):
                for form in ("table", "markdown", "json"):
                    data = self.run_tool(*argv, "held.txt", "-f", form)
                    self.assert_harmless(data)
                    if form == "json":
                        json.loads(data)
            (self.home / "again.txt").write_bytes(self.run_tool("dump", "held.txt"))
            self.run_tool("build", "again.txt", "-o", "again.snap")
            self.assertEqual(self.run_tool("dump", "again.snap"), (self.home / "again.txt").read_bytes())
        self.for_every_name(check)

    def test_sql(self):
        self.files("plain")
        self.run_tool("load", "1.txt", "--db", "x.db")
        for name in NAMES:
            with self.subTest(name=name[:60]):
                if "\udcff" in name or "\udcfe" in name:
                    continue
                sql = self.run_tool("top", "--db", "x.db", "--sql", f"--module={name}", codes=(0, 2))
                database = sqlite3.connect(f"file:{self.home}/x.db?mode=ro", uri=True)
                if sql:
                    database.executescript(sql.decode("utf-8", "surrogateescape"))
                self.assertEqual(database.execute("select count(*) from snapshots").fetchone(), (1,))
                database.close()


if __name__ == "__main__":
    unittest.main()
