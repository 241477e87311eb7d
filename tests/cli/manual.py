#!/usr/bin/env python3
"""The manual says what the option tables say.

For every command: a page with the synopsis that `-h` prints, every option with its letter and value, and none
that the command does not have.  Options that reports share may be left to snapdiff-options(1).

usage: manual.py SNAPDIFF
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

MANUAL = pathlib.Path(__file__).resolve().parent.parent.parent / "cmd" / "man"


def plain(text):
    """Text of a line of man source, without fonts and escapes."""
    return re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def read_page(name):
    """(synopsis line, options as written: "-g, --group KEY", whole source); None without a page."""
    path = MANUAL / f"{name}.1"
    if not path.exists():
        return None
    source = path.read_text()
    lines = source.splitlines()
    synopsis = plain(lines[lines.index(".SH SYNOPSIS") + 1]) if ".SH SYNOPSIS" in lines else ""
    options = [plain(after) for line, after in zip(lines, lines[1:])
               if line == ".TP" and plain(after).startswith("-")]
    return synopsis, options, source


def written(option):
    """An option of the tables as the manual writes it."""
    name = "--" + option["name"] + (f" {option['value']}" if option["value"] else "")
    return f"-{option['letter']}, {name}" if option["letter"] else name


def faults_of(snapdiff, command, shared):
    name = command["name"]
    page = read_page(f"snapdiff-{name}")
    if page is None:
        yield f"snapdiff-{name}.1 is missing"
        return
    synopsis, own, source = page
    usage = f"snapdiff {name} {command['usage']}".strip()
    if synopsis != usage:
        yield f"snapdiff-{name}.1: the synopsis is '{synopsis}', the usage '{usage}'"
    help_text = subprocess.run([snapdiff, name, "-h"], capture_output=True, text=True, check=True).stdout
    if help_text.splitlines()[0].strip() != f"usage: {usage}":
        yield f"{name} -h does not begin with its usage"
    tables = [written(option) for option in command["options"]]
    lent = shared if "snapdiff\\-options" in source or "snapdiff-options" in source else []
    for option in tables:
        if option not in own and option not in lent:
            yield f"snapdiff-{name}.1: says nothing of {option}"
        if f"--{option.split('--')[1].split()[0]}" not in help_text:
            yield f"{name} -h says nothing of {option}"
    for option in own:
        if option not in tables:
            yield f"snapdiff-{name}.1: describes {option}, which {name} does not have"


def pages():
    return sorted([*MANUAL.glob("*.1"), *MANUAL.glob("*.7")])


def lint():
    """What mandoc finds, its remarks on style included."""
    if not shutil.which("mandoc"):
        print("skipped: the lint of the manual: mandoc is not installed")
        return
    result = subprocess.run(["mandoc", "-T", "lint", *pages()], capture_output=True, text=True, check=False)
    yield from result.stdout.splitlines()


def faults_of_examples(names):
    """Every command stands on a line of its own, and exists."""
    for page in pages():
        filled = True
        for line in page.read_text().split(".SH EXAMPLES")[-1].split(".SH ")[0].splitlines()[1:]:
            filled = {".nf": False, ".fi": True}.get(line, filled)
            command = re.match(r"(?:[A-Z_]+=\S+ )*(snapdiff|sqlite3) (\S+)", plain(line))
            if command and filled:
                yield f"{page.name}: the example '{line}' runs into the next line"
            if command and command.group(1) == "snapdiff" and command.group(2) not in names:
                yield f"{page.name}: there is no command {command.group(2)}"


def faults_of_environment():
    """snapdiff-environment(7) has the variables that the sources read, and no others."""
    root = MANUAL.parent.parent
    read = set(re.findall(r'"(SNAP_\w+)="', (root / "libsnap" / "runtime" / "config.c").read_text()))
    for source in (root / "cmd").rglob("*.c"):
        read.update(re.findall(r'getenv\("(SNAP_\w+)"\)', source.read_text()))
    text = plain((MANUAL / "snapdiff-environment.7").read_text())
    told = set(re.findall(r"^\.TP\n(SNAP_\w+)", text, re.MULTILINE))
    yield from (f"snapdiff-environment.7: says nothing of {name}" for name in sorted(read - told))
    yield from (f"snapdiff-environment.7: nobody reads {name}" for name in sorted(told - read))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    snapdiff = sys.argv[1]
    tables = json.loads(subprocess.run([snapdiff, "help", "--json"], capture_output=True, check=True).stdout)
    _, shared, _ = read_page("snapdiff-options")
    names = {name for command in tables["rows"] for name in (command["name"], command["alias"])}
    faults = [*lint(), *faults_of_examples(names), *faults_of_environment()]
    used = set()
    for command in tables["rows"]:
        faults += faults_of(snapdiff, command, shared)
        used.update(written(option) for option in command["options"])
    faults += [f"snapdiff-options.1: describes {option}, which no command has"
               for option in shared if option not in used]
    overview = (MANUAL / "snapdiff.1").read_text()
    faults += [f"snapdiff.1: does not name {command['name']}" for command in tables["rows"]
               if f"snapdiff-{command['name']}" not in plain(overview)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
