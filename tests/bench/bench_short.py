#!/usr/bin/env python3
"""What recording adds to a process that does nothing, and to the start of a Python.

    bench_short.py SNAPDIFF [--directory DIR] [--rounds N] [--children N] [--python PYTHON]

  child    /bin/true below a recorded shell, against below a bare one; the cost of the shell and of `run` is taken off
  python   `run -- python3 -c pass`, the process of `run` included, against `python3 -c pass`

CPU time, user and system, of everything that was started; bare and recorded in turn; smallest and median of the rounds.  On a
machine that does other things the smallest is the better one.  DIR is on tmpfs if none is given: a file system has its
own costs for a new file, and ext4 passes over the inodes of files that were removed within the last minute.  So nothing
is removed before the end.
"""
import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile

LOOP = "i=0; while [ $i -lt %d ]; do /bin/true; i=$((i+1)); done"


class Runs:
    def __init__(self, snapdiff, directory):
        self.snapdiff, self.directory, self.count = snapdiff, directory, 0

    def recorded(self, command):
        self.count += 1
        return [self.snapdiff, "run", "-q", "-o", f"{self.directory}/{self.count}", "--", *command]

    @staticmethod
    def cpu_ms(command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000

    def child(self, children, wrap):
        none, many = (self.cpu_ms(wrap(["sh", "-c", LOOP % n])) for n in (0, children))
        return (many - none) / children


def show(name, bare, recorded):
    print(f"{name:8} bare {min(bare):7.3f} / {statistics.median(bare):7.3f} ms, recorded {min(recorded):7.3f} / "
          f"{statistics.median(recorded):7.3f} ms, added {min(recorded) - min(bare):6.3f} / "
          f"{statistics.median(recorded) - statistics.median(bare):6.3f} ms (smallest / median)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapdiff")
    parser.add_argument("--directory", default="/dev/shm")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--children", type=int, default=50)
    parser.add_argument("--python", default="python3")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="snap-short-", dir=options.directory)
    runs = Runs(options.snapdiff, directory)
    python = [options.python, "-c", "pass"]
    figures = {name: ([], []) for name in ("child", "python")}
    try:
        for _ in range(options.rounds):
            for at, wrap in enumerate((list, runs.recorded)):
                figures["child"][at].append(runs.child(options.children, wrap))
                figures["python"][at].append(runs.cpu_ms(wrap(python)))
        for name, (bare, recorded) in figures.items():
            show(name, bare, recorded)
    finally:
        shutil.rmtree(directory)


main()
