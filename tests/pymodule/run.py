#!/usr/bin/env python3
"""The Python package: right lines under `snapdiff run`, from a wheel, and in pytest.

usage: run.py BUILD_DIR SOURCE_DIR [package|wheel|pytest|plugins]...
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
FAILING = {"test_leaks", "test_high_peak"}


def line_of(text, file="leaks.py"):
    """The number of the line of a file that holds `text`."""
    lines = (HERE / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def environment(package):
    env = {name: value for name, value in os.environ.items() if not name.startswith("SNAP")}
    env.update(PYTHONPATH=str(package), PYTHONDONTWRITEBYTECODE="1")
    return env


def run(command, env, code=0):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=env, timeout=1500, check=False)
    assert result.returncode == code, f"{command}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result


def check_leaks(output, wanted=None):
    """Leaks of the functions that are `wanted`, or all, are found on their line, and nothing else is."""
    said = [json.loads(line) for line in output.splitlines()]
    found = {entry["function"]: entry["found"] for entry in said if "function" in entry}
    expected = {"clean": None, "list_grows": "kept.append(bytearray(5000))", "dict_grows": 'registry[len(registry)]',
                "full_cache": None, "cycle": None}
    expected = {name: text for name, text in expected.items() if not wanted or name in wanted}
    assert set(found) == set(expected), found
    for name, text in expected.items():
        lines = [row["line"] for row in found[name] if row["file"] and row["file"].endswith("leaks.py")]
        assert lines[:1] == ([line_of(text)] if text else []), f"{name}: {found[name]}"
    return said


def check_under_run(build, package, scratch):
    snapdiff = build / "bin" / "snapdiff"
    result = run([snapdiff, "run", "-q", "-o", scratch / "recorded", "--", sys.executable, HERE / "leaks.py",
                  scratch / "mine"], environment(package))
    compared = check_leaks(result.stdout)[-1]["compared"]
    assert len(compared) == 1 and 200_000 <= compared[0][1] < 201_000, compared
    assert f"leaks.py:{line_of('200_000')}" in compared[0][0], compared


def check_late(build, package, scratch):
    """The same functions without `snapdiff run`: start() loads the recorder."""
    env = environment(package) | {"SNAP_LIBRARY": str(build / "lib" / "libsnap.so"), "TMPDIR": str(scratch)}
    result = run([sys.executable, HERE / "leaks.py", scratch / "late"], env)
    check_leaks(result.stdout)
    assert "recording only what Python's own allocators hand out" in result.stderr, result.stderr


def check_diagnostics(build, package, scratch):
    """What a service in production answers, under run and alone."""
    env = environment(package) | {"TMPDIR": str(scratch)}
    asking = [sys.executable, HERE / "diagnostics.py", "--password", "hunter2"]
    run(asking, env | {"SNAP_LIBRARY": str(build / "lib" / "libsnap.so")})
    run([build / "bin" / "snapdiff", "run", "-q", "-o", scratch / "asked", "--", *asking], env)


def check_wheel(build, source, scratch):
    """The wheel has all that it needs, and its record is right."""
    made = run([sys.executable, source / "libsnap" / "python" / "make_wheel.py", build, "0.1.0", scratch], os.environ)
    wheel = pathlib.Path(made.stdout.strip())
    again = scratch / "again"
    run([sys.executable, source / "libsnap" / "python" / "make_wheel.py", build, "0.1.0", again], os.environ)
    assert (again / wheel.name).read_bytes() == wheel.read_bytes(), "a wheel made twice differs"
    unpacked = scratch / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        archive.extractall(unpacked)
    for name in ("bin/snapdiff", "lib/libsnap.so"):
        (unpacked / "snapdiff" / "_native" / name).chmod(0o755)
    snapdiff = unpacked / "snapdiff" / "_native" / "bin" / "snapdiff"
    points = next(unpacked.glob("*.dist-info")).joinpath("entry_points.txt").read_text()
    function = re.search(r"(?m)^snapdiff = (snapdiff\._library):(\w+)$", points)  # what pip makes the command from
    result = run([sys.executable, "-c", f"from {function[1]} import {function[2]} as main; main()", "--version"],
                 environment(unpacked))
    assert result.stdout.startswith("snapdiff "), result.stdout
    result = run([snapdiff, "run", "-q", "-o", scratch / "wheel-recorded", "--", sys.executable, HERE / "leaks.py", "",
                  "list_grows"], environment(unpacked))
    check_leaks(result.stdout, {"list_grows"})


def check_planted(package, scratch):
    """A program above the installation, where anybody may have put it, is not ours."""
    shared = scratch / "shared"
    installed = shared / "venv" / "lib" / "python3" / "site-packages"
    shutil.copytree(package / "snapdiff", installed / "snapdiff")
    asked = [sys.executable, "-c", "import snapdiff._library as l; print(l.command())"]
    env = environment(installed) | {"PATH": "/usr/bin:/bin"}
    for prefix in (shared, shared / "venv"):
        program = prefix / "bin" / "snapdiff"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        said = subprocess.run(asked, capture_output=True, text=True, env=env, check=False).stdout.strip()
        assert (said == str(program)) == (prefix.name == "venv"), f"{program}: {said}"


def python_with_pytest():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import pytest"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def check_pytest(build, package, scratch):
    python = python_with_pytest()
    if not python:
        print("skipped: no pytest here (Debian: python3-pytest)")
        return
    result = run([build / "bin" / "snapdiff", "run", "-q", "-o", scratch / "pytest", "--", python, "-m", "pytest", "-q",
                  "-p", "no:cacheprovider", "-p", "snapdiff.pytest_plugin", "--snapdiff", HERE / "tests_of_users.py"],
                 environment(package), code=1)
    failed = {line.split("::")[1].split(" ")[0] for line in result.stdout.splitlines() if line.startswith("FAILED")}
    assert failed == FAILING, result.stdout
    assert f"tests_of_users.py:{line_of('kept.append', 'tests_of_users.py')}" in result.stdout
    assert "memory growth" in result.stdout
    # Line, type and holder.
    holder = rf"held by `kept` \(module global, tests_of_users\.py:{line_of('kept = []', 'tests_of_users.py')}\)"
    assert re.search(rf"bytearray.* {holder} -> list of", result.stdout), result.stdout
    assert "global container: `kept` keeps what is put into it" in result.stdout, result.stdout


PLUGINS = {"xdist": "python3-pytest-xdist", "pytest_cov": "python3-pytest-cov", "pytest_asyncio": "python3-pytest-asyncio"}
FAILING_WITH_PLUGINS = {"test_async_leaks", "test_leaks_in_a_dictionary"}


def check_with_plugins(build, package, scratch):
    """Workers of xdist, coverage and coroutines: under run in two workers, and alone with coverage."""
    python = python_with_pytest()
    missing = [name for module, name in PLUGINS.items() if not python or subprocess.run(
        [python, "-c", f"import {module}"], capture_output=True, check=False).returncode]
    if missing:
        print(f"skipped: pytest's other plugins (Debian: {', '.join(missing)})")
        return
    tests = "tests_with_plugins.py"
    (scratch / tests).write_text((HERE / tests).read_text())
    env = environment(package) | {"SNAP_LIBRARY": str(build / "lib" / "libsnap.so"), "TMPDIR": str(scratch),
                                  "COVERAGE_FILE": str(scratch / "coverage")}
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "snapdiff.pytest_plugin", "--snapdiff",
              f"--rootdir={scratch}", scratch / tests]
    under_run = [build / "bin" / "snapdiff", "run", "-q", "-o", scratch / "plugins", "--"]
    for command in ([*under_run, *pytest, "-n", "2"], [*pytest, f"--cov={scratch}", "--cov-report=term"]):
        said = run(command, env, code=1).stdout
        failed = {line.split("::")[1].split(" ")[0] for line in said.splitlines() if line.startswith("FAILED")}
        assert failed == FAILING_WITH_PLUGINS, said
        for text in ("kept.append(bytearray", 'kept.append({"body"'):
            assert re.search(rf"{tests}:{line_of(text, tests)}: (leak|container-growth), \+", said), said
        summary = said[said.index("memory growth"):]
        assert summary.count("nothing keeps growing") == 4 and "::test_async_leaks" in summary, said


def check_package(build, package, scratch):
    check_under_run(build, package, scratch)
    check_late(build, package, scratch)
    check_diagnostics(build, package, scratch)
    check_planted(package, scratch)


def main():
    build, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    package = source / "libsnap" / "python"
    checks = {"package": check_package, "pytest": check_pytest, "plugins": check_with_plugins,
              "wheel": lambda build, _, scratch: check_wheel(build, source, scratch)}
    for check in sys.argv[3:] or checks:
        with tempfile.TemporaryDirectory() as name:
            checks[check](build, package, pathlib.Path(name))
    print("the package holds")


if __name__ == "__main__":
    main()
