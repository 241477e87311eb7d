#!/usr/bin/env python3
"""Measure all, and write it into a document: results.py --build DIR --capture BENCH_CAPTURE [--only PART]... FILE

A part of FILE between `<!-- measured: NAME -->` and `<!-- end -->` holds what the benchmark of that name printed; what
stands around it is written by people.  Half an hour on an idle machine.
"""
import argparse
import datetime
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def replace(path, name, text):
    """Put `text` into the part `name` of the file at `path`."""
    begin, end = "<!-- measured: %s -->\n" % name, "<!-- end -->\n"
    with open(path) as old:
        whole = old.read()
    if begin not in whole:
        sys.exit("%s has no part %s" % (path, name))
    head, rest = whole.split(begin, 1)
    with open(path, "w") as out:
        out.write(head + begin + text + end + rest.split(end, 1)[1])


def parts(options):
    """name -> (command, is its output a table of text columns)"""
    def script(name, *arguments):
        return [sys.executable, os.path.join(HERE, name)] + list(arguments)

    library = os.path.join(options.build, "lib", "libsnap.so")
    return {
        "capture": ([options.capture], True),
        "pair": (script("pair.py", "--build", options.build), False),
        "memory": (script("memory.py", "--library", library), True),
        "pause": (script("pause.py", "--build", options.build), False),
        "scaling": (script("scaling.py", "--build", options.build), False),
        "engine": (script("run.py", "--build", options.build), False),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--capture", required=True)
    parser.add_argument("--only", action="append")
    parser.add_argument("file")
    options = parser.parse_args()
    for name, (command, is_columns) in parts(options).items():
        if options.only and name not in options.only:
            continue
        print("measuring: %s" % name, file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        run = subprocess.run(command, stdout=subprocess.PIPE)
        text = run.stdout.decode().strip("\n") + "\n"
        if not run.stdout:
            sys.exit("%s printed nothing: status %d" % (name, run.returncode))
        if is_columns:
            text = "```\n" + text + "```\n"
        replace(options.file, name, "%s, %s, %.1f processes running besides.\n\n%s" % (
            datetime.date.today(), platform.machine(), load, text))


if __name__ == "__main__":
    main()
