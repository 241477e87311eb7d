#!/usr/bin/env python3
"""Completion in zsh as a user meets it: a line is typed, Tab is pressed, and the line is looked at.

usage: zsh.py SNAPDIFF
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "query"))
from prompt import Terminal, check  # noqa: E402

SKIPPED = 77
LINES = {  # typed: what Tab makes of it
    "snapdiff gro": "snapdiff growth ",
    "snapdiff top -f mark": "snapdiff top -f markdown ",
    "snapdiff top --format=mark": "snapdiff top --format=markdown ",
    "snapdiff top heap": "snapdiff top heap.txt ",
    "snapdiff check --also jun": "snapdiff check --also junit=",
    "snapdiff check --also junit=hea": "snapdiff check --also junit=heap.txt ",
    "snapdiff check --also=jun": "snapdiff check --also=junit=",
    "snapdiff check --also=junit=hea": "snapdiff check --also=junit=heap.txt ",
}
# Ctrl-O prints the line and empties it.
SETUP = """autoload -Uz compinit && compinit -u -d dump
source ./completion.zsh
show() { print; print -r -- "[[$BUFFER]]"; BUFFER=; }
zle -N show
bindkey '^I' expand-or-complete
bindkey '^O' show
"""


def main():
    if not shutil.which("zsh"):
        print("skipped: there is no zsh here")
        return SKIPPED
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        script = subprocess.run([sys.argv[1], "help", "--completion", "zsh"], capture_output=True, text=True, check=True).stdout
        (home / "completion.zsh").write_text(script)
        (home / "setup.zsh").write_text(SETUP)
        (home / "heap.txt").write_text("")
        terminal = Terminal(["zsh", "-f"], home)
        terminal.keys("source ./setup.zsh && echo RE''ADY\r")
        terminal.until("READY\r\n")
        for typed, completed in LINES.items():
            terminal.keys(typed + "\t\x0f")
            terminal.until("[[")
            line = terminal.until("]]")
            check(line == completed, f"{typed!r} is completed to {line!r}, not to {completed!r}")
        terminal.keys("exit\r")
        terminal.child.wait(60)
        os.close(terminal.ours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
