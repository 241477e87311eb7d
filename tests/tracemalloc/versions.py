#!/usr/bin/env python3
"""Dumps that CPython 3.6 to 3.13 wrote: snapdiff prints what that very Python printed (see make_dumps.py)."""
import argparse
import glob
import os
import subprocess
import sys

KEYS = {"lineno": "line", "filename": "file", "traceback": "stack"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("directory")
    options = parser.parse_args()
    checked = 0
    for after in sorted(glob.glob(os.path.join(options.directory, "*.after.dump"))):
        name = after[:-len(".after.dump")]
        for key, group in KEYS.items():
            for command, operands in (("top", [after]), ("compare", [name + ".before.dump", after])):
                args = [options.snapdiff, command] + operands + ["--compat", "tracemalloc", "-g", group]
                expected = "%s.%s.%s.txt" % (name, command, key)
                if not os.path.exists(expected):
                    continue
                got = subprocess.run(args, stdout=subprocess.PIPE, check=True).stdout
                with open(expected, "rb") as file:
                    wanted = file.read()
                if got != wanted:
                    print("%s:\n got %r\n want %r" % (" ".join(args), got, wanted))
                    sys.exit(1)
                checked += 1
    print("%d answers equal" % checked)
    sys.exit(0 if checked else 1)


main()
