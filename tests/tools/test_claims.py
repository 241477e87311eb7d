#!/usr/bin/env python3
"""Every statement of snapdiff-security(7) names a test, and ctest has that test.

usage: test_claims.py BUILD_DIRECTORY
"""
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "cmd" / "man" / "snapdiff-security.7"
NO_STATEMENTS = {"NAME", "DESCRIPTION", "LIMITS", "SEE ALSO"}


def statements(page):
    """(section, text) of each."""
    for section in page.split("\n.SH ")[1:]:
        title, _, text = section.partition("\n")
        if title not in NO_STATEMENTS:
            for paragraph in text.split(".TP\n"):
                if paragraph.strip():
                    yield title, paragraph


def main(build):
    listed = subprocess.run(["ctest", "--test-dir", build, "-N"], capture_output=True, text=True, check=True).stdout
    tests = set(re.findall(r"Test +#[0-9]+: (\S+)", listed))
    faults = []
    for section, text in statements(PAGE.read_text()):
        named = re.findall(r"\\fI([a-z0-9]+/[a-z0-9_]+)\\fR", text)
        if not named:
            faults.append(f"{section}: no test for: {text.splitlines()[0]}")
        faults += [f"{section}: there is no test {name}" for name in named if name not in tests]
    print("\n".join(faults) or "every statement has its tests")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
