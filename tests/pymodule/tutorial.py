#!/usr/bin/env python3
"""Every sample of docs/python.md: the marked line is named first, with the verdict of a leak, and what is quoted below
the sample is said of it; without a mark, no leak.

usage: tutorial.py BUILD_DIR SOURCE_DIR

With the system's CPython and the newest one that is here; SNAP_TEST_PYTHONS names others.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[2]).resolve()
BUILD = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SOURCE / "tests" / "python"))
import harness  # noqa: E402

SAMPLE = re.compile(r"^```python\n(# (\w+\.py): .*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS_RUN = re.compile(r"\*Needs run\.\*\s+```python\n# (\w+\.py):")
FOUND = re.compile(r"^\d+ sites? keeps? growing:\n(.*?):(\d+): (leak|container-growth), \+", re.MULTILINE)
LEAKS = 10
CLEAN = 2


def samples(text):
    return {name: code for code, name in SAMPLE.findall(text) if not name.startswith("test_")}


def quotes(text):
    """By sample: the lines that are quoted below it."""
    found, name = {}, None
    for line in text.splitlines():
        begins = re.match(r"# (\w+\.py): ", line)
        name = begins[1] if begins else name
        if line.startswith("> "):
            found.setdefault(name, []).append(line[2:].strip())
    return found


def run(python, name, scratch, recorded):
    env = {key: value for key, value in os.environ.items() if not key.startswith("SNAP")}
    env.update(PYTHONPATH=str(SOURCE / "libsnap" / "python"), PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(scratch))
    command = [python.path, name]
    if recorded:
        command = [str(BUILD / "bin" / "snapdiff"), "run", "-q", "-o", str(scratch / "snaps"), "--", *command]
    else:
        env["SNAP_LIBRARY"] = str(BUILD / "lib" / "libsnap.so")
    result = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, f"{name}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def check(name, code, output, quoted):
    """None, or what is wrong."""
    marked = [number for number, line in enumerate(code.splitlines(), 1) if line.endswith("# <- here")]
    found = FOUND.search(output)
    clean = output.count("nothing keeps growing\n")
    if not marked:
        return None if clean == 1 and not found else "something is found"
    if not found:
        return "the leak is not found"
    if not found[1].endswith(name) or int(found[2]) not in marked:
        return f"line {marked} is not the first"
    said = [line.strip() for line in output.splitlines()]
    for quote in quoted:
        if not any(line.startswith(quote) for line in said):
            return f"it does not say: {quote}"
    return None if clean == 1 else "something is found in what is fixed"


def main():
    text = (SOURCE / "docs" / "python.md").read_text()
    codes = samples(text)
    quoted = quotes(text)
    assert len(quoted) == LEAKS, quoted.keys()
    needs_run = set(NEEDS_RUN.findall(text))
    marked = [name for name, code in codes.items() if "# <- here" in code]
    assert len(marked) >= LEAKS and len(codes) - len(marked) >= CLEAN and len(needs_run) == 2, codes.keys()
    chosen, _ = harness.choose("short")
    if not chosen:
        print("skipped: no supported CPython is installed")
        return 77
    wrong = 0
    for python in chosen:
        for name, code in codes.items():
            for recorded in (True, False):
                if name in needs_run and not recorded:
                    continue
                with tempfile.TemporaryDirectory() as scratch:
                    (pathlib.Path(scratch) / name).write_text(code)
                    output = run(python, name, pathlib.Path(scratch), recorded)
                problem = check(name, code, output, quoted.get(name, []))
                if problem:
                    wrong += 1
                    print(f"{python.version} {name} {'under run' if recorded else 'alone'}: {problem}\n{output}", flush=True)
    print(f"{len(codes)} samples with {', '.join(python.version for python in chosen)}: {wrong} are wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
