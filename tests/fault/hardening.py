#!/usr/bin/env python3
"""The flags that make a fault harder to use are in the programs: position independent, full RELRO, stack protector,
fortified calls of libc, and CET where the machine has it.  readelf and objdump say so.

usage: hardening.py SNAPDIFF LIBSNAP LIBSNAPREAD
"""
import os
import shutil
import subprocess
import sys


def ask(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def faults_of(path, is_ours_alone):
    dynamic, segments = ask("readelf", "-dW", path), ask("readelf", "-lW", path)
    if "DYN" not in ask("readelf", "-h", path):
        yield "is not position independent"
    if "GNU_RELRO" not in segments or not ("BIND_NOW" in dynamic or "Flags: NOW" in dynamic):
        yield "has no full RELRO"
    if any("GNU_STACK" in line and "E" in line.split()[-2] for line in segments.splitlines()):
        yield "has an executable stack"
    if "TEXTREL" in dynamic:
        yield "has relocations in its code"
    if not is_ours_alone:
        return
    symbols = ask("readelf", "--dyn-syms", "-W", path)
    if "__stack_chk_fail" not in symbols:
        yield "has no stack protector"
    if "_chk@" not in symbols.replace("__stack_chk_fail@", ""):
        yield "has no fortified calls"
    if os.uname().machine == "x86_64" and "endbr64" not in ask("objdump", "-d", "--no-show-raw-insn", path):
        yield "has no branch protection (CET)"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    if not shutil.which("readelf") or not shutil.which("objdump"):
        print("skipped: binutils is not installed")
        sys.exit(77)
    snapdiff, library, reader = sys.argv[1:]
    # libsnap runs before libc is ready, and has neither guard words nor checking functions.
    checks = ((snapdiff, True), (reader, False), (library, False))
    faults = [f"{path} {fault}" for path, ours in checks for fault in faults_of(path, ours)]
    print("\n".join(faults) or "all flags are there")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
