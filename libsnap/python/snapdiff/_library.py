"""The recorder (libsnap, by ctypes) and the command line (snapdiff, as a child process)."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Iterator, Sequence

_HERE = pathlib.Path(__file__).resolve().parent


class Error(Exception):
    """Something could not be recorded or judged; the message says what and why."""


class Config(ctypes.Structure):
    """struct snap_config of snap/snap.h."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("directory", ctypes.c_char_p),
        ("every_ms", ctypes.c_uint64),
        ("growth_bytes", ctypes.c_uint64),
        ("peak_bytes", ctypes.c_uint64),
        ("sample_bytes", ctypes.c_uint64),
        ("depth", ctypes.c_uint),
        ("on_signal", ctypes.c_int),
        ("exit_snapshot", ctypes.c_int),
    ]


_library: Any = None


def _prefix() -> pathlib.Path | None:
    """The installation that this package belongs to: PREFIX of PREFIX/lib/python3/dist-packages/snapdiff.

    A package that lies elsewhere has none: a directory above it may be one, such as /tmp, in which
    anybody can make a bin/snapdiff."""
    if len(_HERE.parents) < 5 or _HERE.parents[2].name != "lib":
        return None
    prefix = _HERE.parents[3]
    return prefix if (prefix / "bin" / "snapdiff").exists() else None


def _candidates() -> Iterator[str]:
    named = os.environ.get("SNAP_LIBRARY")
    if named:
        yield named
        return
    yield str(_HERE / "_native" / "lib" / "libsnap.so")
    prefix = _prefix()
    if prefix:
        yield from map(str, sorted([*prefix.glob("lib/libsnap.so.0"), *prefix.glob("lib/*/libsnap.so.0")]))
    yield "libsnap.so.0"


def library() -> Any:
    """libsnap: the copy that already records this process, else the one that belongs to this package."""
    global _library
    if _library is not None:
        return _library
    process = ctypes.CDLL(None)
    if hasattr(process, "snap_take"):
        _library = process
        return _library
    problem = None
    for name in _candidates():
        if os.sep in name and not os.path.exists(name):
            continue
        try:
            _library = ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
            return _library
        except OSError as error:
            problem = error
    raise Error(f"libsnap.so is not found; set SNAP_LIBRARY to its path ({problem})")


def start(config: Config) -> int:
    """snap_start() with the GIL held: it may put functions in front of the interpreter's allocators."""
    function = ctypes.PyDLL(library()._name).snap_start
    return int(function(ctypes.byref(config)))


def check(status: int, what: str) -> None:
    """Raise an Error for a status that is not SNAP_OK."""
    if status == 0:
        return
    name = library().snap_status_name
    name.restype = ctypes.c_char_p
    text = name(status).decode()
    raise Error(f"{what}: {text}")


def _beside_recorder() -> pathlib.Path | None:
    """The program that was installed with the libsnap which this process has loaded."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        loaded = {line.rstrip("\n").split(None, 5)[-1] for line in maps if "/libsnap.so" in line}
    for library_path in map(pathlib.Path, loaded):
        prefix = library_path.parent.parent  # of PREFIX/lib, or of PREFIX/lib/x86_64-linux-gnu
        if prefix.name == "lib":
            prefix = prefix.parent
        if os.access(prefix / "bin" / "snapdiff", os.X_OK):
            return prefix / "bin" / "snapdiff"
    return None


def command() -> str:
    """The snapdiff program: SNAPDIFF, or the one of this package, installation or recorder, or the one on the path."""
    named = os.environ.get("SNAPDIFF")
    if named:
        return named
    own = _HERE / "_native" / "bin" / "snapdiff"
    if own.exists():
        return str(own)
    prefix = _prefix()
    if prefix:
        return str(prefix / "bin" / "snapdiff")
    found = _beside_recorder() or shutil.which("snapdiff")
    if not found:
        raise Error("the program snapdiff is not found; set SNAPDIFF to its path")
    return str(found)


def _environment() -> dict[str, str]:
    """The environment for the snapdiff program: without the recorder's settings, so that it is not recorded."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("SNAP_") and name != "LD_PRELOAD"}


def run(arguments: Sequence[str], codes: Sequence[int] = (0,)) -> str:
    """Output of the command.  An exit code that is not in `codes` raises an Error with the command's message."""
    result = subprocess.run([command(), *arguments], capture_output=True, text=True, check=False,
                            env=_environment(), errors="surrogateescape")
    if result.returncode not in codes:
        raise Error(result.stderr.strip() or f"snapdiff ended with {result.returncode}")
    return result.stdout


def run_json(arguments: Sequence[str], codes: Sequence[int] = (0,)) -> dict[str, Any]:
    """The report of the command as JSON gives it."""
    report = json.loads(run([*arguments, "-f", "json"], codes))
    assert isinstance(report, dict)
    return report


def run_command() -> None:
    """The command `snapdiff` that pip installs: the program of this package takes the place of the interpreter."""
    program = str(_HERE / "_native" / "bin" / "snapdiff")
    os.execv(program, [program, *sys.argv[1:]])
