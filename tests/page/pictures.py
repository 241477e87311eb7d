#!/usr/bin/env python3
"""README's pictures: the HTML report and the terminal browser on the snapshots of the demo's server.

usage: pictures.py SNAPDIFF LIB_DIR TREE OUTPUT_DIR
To renew those that README shows, let OUTPUT_DIR be testdata/pictures.
"""

import html
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from browse import Terminal, has  # noqa: E402
from page import Browser  # noqa: E402

SKIPPED = 77
WIDTH, HEIGHT = 1100, 1260
BASIC = ["#1b1f24", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"]


def record(snapdiff, lib, tree, scratch):
    subprocess.run(["cc", "-O2", "-g", tree / "tests/demo/leaky_server.c", f"-I{tree}/include", f"-L{lib}", "-lsnap", "-pthread",
                    f"-Wl,-rpath,{lib}", "-o", scratch / "leaky_server"], check=True)
    subprocess.run([snapdiff, "run", "-q", "-o", "server", "--", "./leaky_server", "12000", "1000"], cwd=scratch, check=True,
                   capture_output=True, timeout=120)


def colour(number):
    """Of xterm's 256."""
    if number < 16:
        return BASIC[number % 8]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    steps = [0, 95, 135, 175, 215, 255]
    number -= 16
    return "#" + "".join(f"{steps[i]:02x}" for i in (number // 36, number // 6 % 6, number % 6))


def apply(codes, look):
    codes = [int(code or 0) for code in codes.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            look.clear()
        elif code in (1, 7):
            look["bold" if code == 1 else "reverse"] = True
        elif code in (22, 27, 39, 49):
            look.pop({22: "bold", 27: "reverse", 39: "fg", 49: "bg"}[code], None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            look["fg"] = BASIC[code % 10]
        elif 40 <= code <= 47:
            look["bg"] = BASIC[code % 10]
        elif code in (38, 48) and codes[:1] == [5]:
            look["fg" if code == 38 else "bg"] = colour(codes[1])
            codes = codes[2:]


def style(look):
    front, back = look.get("fg", "#e6edf3"), look.get("bg", "#0d1117")
    if look.get("reverse"):
        front, back = back, front
    return f"color:{front};background:{back};font-weight:{'bold' if look.get('bold') else 'normal'}"


def screen_as_html(screen):
    """What `tmux capture-pane -e` prints, as a page that looks like a terminal."""
    look, out = {}, []
    for piece in re.split(r"(\x1b\[[0-9;]*m|\x0e|\x0f)", screen):
        if piece.startswith("\x1b["):
            apply(piece[2:-1], look)
        elif piece not in ("\x0e", "\x0f"):
            out.append(f'<span style="{style(look)}">{html.escape(piece)}</span>')
    return ("<!doctype html><meta charset=utf-8><body style='margin:0;background:#0d1117'><pre style='margin:8px;"
            f"font:13px/16px monospace'>{''.join(out)}</pre>")


def terminal_screen(snapdiff, tree, scratch):
    terminal = Terminal(scratch, f"cd {scratch} && LC_ALL=C.UTF-8 {snapdiff} browse --source {tree} server", columns=132, lines=40)
    try:
        terminal.until(has("session_remember"), "the rows")
        terminal.keys("j")
        terminal.until(has("exactly 100 blocks"), "the second row")
        screen = terminal.tmux("capture-pane", "-p", "-e")
        terminal.keys("q")
        assert terminal.exit_code() == 0
        return screen
    finally:
        terminal.close()


def size_of(png):
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", png
    return struct.unpack(">II", data[16:24])


def main():
    snapdiff, lib, tree, output = (pathlib.Path(name).resolve() for name in sys.argv[1:5])
    if not shutil.which("chromedriver") or not shutil.which("tmux"):
        print("skipped: there is no chromedriver or no tmux here")
        return SKIPPED
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        record(snapdiff, lib, tree, scratch)
        page = scratch / "growth.html"
        subprocess.run([snapdiff, "report", "-q", "-o", page, "server"], cwd=scratch, check=True)
        shown = scratch / "browse.html"
        shown.write_text(screen_as_html(terminal_screen(snapdiff, tree, scratch)))
        browser = Browser(scratch)
        try:
            browser.resize(WIDTH, HEIGHT)
            browser.open(page)
            browser.run("document.documentElement.style.scrollBehavior = 'auto'; snapdiff.selectRow(1); scrollTo(0, 0)")
            browser.screenshot(output / "report.png")
            browser.do("POST", "/url", {"url": f"file://{shown}"})
            browser.resize(WIDTH, 40 * 16 + 165)
            browser.screenshot(output / "browse.png")
        finally:
            browser.close()
    for name in ("report.png", "browse.png"):
        assert size_of(output / name)[0] >= 1000, name
    print(f"report.png and browse.png are in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
