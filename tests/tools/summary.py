#!/usr/bin/env python3
"""One line on a run of ctest: how many tests passed, failed and were skipped, and why.

usage: summary.py NAME JUNIT_FILE [COUNTS]

JUNIT_FILE is what `ctest --output-junit` wrote.  What a test left out although it passed ("skipped: ..." in its
output) is told as well, and each different "note: ..." once.  COUNTS, if given, is a file of three numbers to which those of this run are added.
Exit status 1 when a test failed or none was run.
"""
import re
import sys
import xml.etree.ElementTree as xml

FIGURES = ("passed", "failed", "skipped")


def reasons(case):
    """What the test itself said that it skipped."""
    return re.findall(r"^skipped: (.*)$", case.findtext("system-out") or "", re.MULTILINE)


def read(path):
    """{"passed": [case...], ...} of a JUnit file; all empty without one."""
    found = {figure: [] for figure in FIGURES}
    try:
        cases = xml.parse(path).getroot().iter("testcase")
    except (OSError, xml.ParseError):
        return found
    for case in cases:
        status = case.get("status")
        kind = "passed" if status == "run" else "skipped" if status in ("notrun", "disabled") else "failed"
        found[kind].append(case)
    return found


def notes(cases):
    """What tests said of how they were run, each text once."""
    found = [re.findall(r"^note: (.*)$", case.findtext("system-out") or "", re.MULTILINE) for case in cases]
    return list(dict.fromkeys(note for texts in found for note in texts))


def line_of(name, found):
    text = f"{name}: " + ", ".join(f"{len(found[figure])} {figure}" for figure in FIGURES)
    why = [f"{case.get('name')}: {'; '.join(reasons(case)) or 'it does not say why'}" for case in found["skipped"]]
    return text + (f" ({'; '.join(why)})" if why else "")


def add_to(path, found):
    try:
        with open(path, encoding="ascii") as file:
            before = [int(word) for word in file.read().split()]
    except OSError:
        before = []
    counts = [len(found[figure]) + (before[i] if len(before) == len(FIGURES) else 0) for i, figure in enumerate(FIGURES)]
    with open(path, "w", encoding="ascii") as file:
        file.write(" ".join(map(str, counts)) + "\n")


def main():
    name, path = sys.argv[1:3]
    found = read(path)
    print(line_of(name, found))
    for case in found["failed"]:
        print(f"    failed: {case.get('name')}")
    for case in found["passed"]:
        for reason in reasons(case):
            print(f"    left out of {case.get('name')}: {reason}")
    for note in notes(found["passed"] + found["failed"]):
        print(f"    {note}")
    if len(sys.argv) > 3:
        add_to(sys.argv[3], found)
    return 1 if found["failed"] or not found["passed"] else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main())
