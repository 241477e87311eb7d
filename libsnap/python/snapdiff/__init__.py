"""Record the heap of this process, and judge what grows.

    import snapdiff

    report = snapdiff.repeat(handle_one_request, times=10, warmup=2)
    if report.findings:
        print(report)

Under `snapdiff run -- python app.py` the recorder is there already, and these functions use it.
Otherwise start() loads it, and Python's own allocations are recorded from then on.  Those of native
libraries are recorded only under `snapdiff run`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pathlib
import re
import tempfile
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Union

from . import _library
from ._library import Error
from ._report import Comparison, Growth, Row, Top

__all__ = ["Comparison", "Diagnostics", "Error", "Growth", "Row", "Top", "compare", "diagnostics", "flush", "growth",
           "is_recording", "label", "recording", "repeat", "start", "stop", "take", "top"]

Path = Union[str, "os.PathLike[str]"]

_UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
          "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}

_directory = pathlib.Path(os.environ.get("SNAP_OUT") or "snaps")


def size(value: int | str) -> int:
    """Bytes of `value`: a number, or text such as "64KiB" or "1.5MiB"."""
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(f"{value!r} is not a size such as 64KiB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def start(directory: Path | None = None, *, every: float = 0, growth: int | str = 0, peak: int | str = 0,
          sample: int | str = 0, depth: int = 0, on_signal: int = 0) -> None:
    """Begin recording. Does nothing while recording is on.

    directory: where snapshots go (default: SNAP_OUT, or "snaps"); every: seconds between snapshots;
    growth, peak: a snapshot each time the live heap, or its maximum, has risen by so many bytes;
    sample: record one allocation per so many bytes on average (0: all); depth: most frames of a stack;
    on_signal: a snapshot when this signal arrives, such as signal.SIGUSR2; its handler is replaced.
    """
    global _directory
    wanted = pathlib.Path(directory) if directory is not None else _directory
    if not is_recording():
        wanted.mkdir(parents=True, exist_ok=True)
        _directory = wanted.resolve()
    config = _library.Config(
        size=ctypes.sizeof(_library.Config),
        directory=os.fsencode(wanted.resolve()),
        every_ms=int(every * 1000), growth_bytes=size(growth), peak_bytes=size(peak),
        sample_bytes=size(sample), depth=depth, on_signal=on_signal)
    _library.check(_library.start(config), "recording cannot start")


def is_recording() -> bool:
    """True while allocations of this process are recorded."""
    try:
        return bool(_library.library().snap_flush() == 0)
    except Error:
        return False


def directory() -> pathlib.Path:
    """Where the snapshots of this process go."""
    return _directory


def _mine(after: int = 0) -> list[pathlib.Path]:
    """Snapshots of this process whose number is above `after`, in order."""
    pattern = re.compile(rf"\.{os.getpid()}(?:\.[^.]+)?\.(\d{{6,}})\.snap$")
    found = []
    # The first snapshot makes the directory.
    for name in os.listdir(_directory) if _directory.is_dir() else ():
        match = pattern.search(name)
        if match and int(match[1]) > after:
            found.append((int(match[1]), name))
    return [_directory / name for _, name in sorted(found)]


def _number(path: pathlib.Path) -> int:
    """The number in a snapshot's name."""
    return int(path.name.split(".")[-2])


def take(label: str | None = None, *, census: bool = False) -> pathlib.Path:
    """Write a snapshot and return its path when the file is on the disk.

    census: the snapshot also counts Python's objects by type and by line (`snapdiff top -g type`).
    """
    library = _library.library()
    take_one = library.snap_take_census if census else library.snap_take
    _library.check(take_one(label.encode() if label else None), "no snapshot was taken")
    paths = _mine()
    if not paths:
        raise Error(f"the snapshot is not in {_directory}")
    return paths[-1]


def stop() -> None:
    """End recording.  No snapshot will be taken at exit."""
    _library.check(_library.library().snap_stop(), "recording cannot stop")


def flush() -> None:
    """Wait until every snapshot that was asked for is on the disk."""
    _library.check(_library.library().snap_flush(), "snapshots cannot be waited for")


def label(key: str, value: str | None) -> None:
    """Set a label that all later snapshots carry; None removes it."""
    _library.check(_library.library().snap_set_label(
        key.encode(), None if value is None else value.encode()), "the label cannot be set")


@contextlib.contextmanager
def recording(directory: Path | None = None, **settings: Any) -> Iterator[pathlib.Path]:
    """`with snapdiff.recording("snaps"): ...` calls start(), and at the end takes a last snapshot and calls stop().

    Its value is the directory of the snapshots. If recording was on before, it stays on.
    """
    was_on = is_recording()
    start(directory, **settings)
    try:
        yield _directory
    finally:
        take("end")
        if not was_on:
            stop()


def growth(*snapshots: Path, **options: Any) -> Growth:
    """What keeps growing over the snapshots (files, or a directory), oldest first.

    Options are those of `snapdiff growth`, such as group="function" or warmup=2.
    """
    return Growth(_library.run_json(["growth", *_options(options), *map(os.fspath, snapshots)]))


def top(snapshot: Path, **options: Any) -> Top:
    """What holds the most memory in a snapshot.  Options are those of `snapdiff top`."""
    return Top(_library.run_json(["top", *_options(options), os.fspath(snapshot)]))


def compare(old: Path, new: Path, **options: Any) -> Comparison:
    """What changed between two snapshots.  Options are those of `snapdiff compare`."""
    return Comparison(_library.run_json(
        ["compare", *_options(options), os.fspath(old), os.fspath(new)]))


def _options(options: Mapping[str, Any]) -> list[str]:
    """group="line", all=True -> --group=line --all"""
    words = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words.append(f"{option}={value}")
    return words


def repeat(function: Callable[[], Any], times: int = 10, warmup: int = 2,
           **options: Any) -> Growth:
    """Call `function` again and again, take a snapshot after each call, and judge what grows.

    The first `warmup` calls come before the first snapshot, so that caches can fill.  At least three
    repetitions are needed, and eight for a verdict of high confidence.  Options are those of
    `snapdiff growth`.  The last snapshot has a census of objects, from which the report says what
    holds them.
    """
    if times < 3:
        raise ValueError("three repetitions are the least that can be judged")
    was_on = is_recording()
    with tempfile.TemporaryDirectory(prefix="snapdiff-") as scratch:
        if not was_on:
            start(scratch)
        try:
            paths = _repeat(function, times, warmup)
            options.setdefault("warmup", "1")
            return growth(*paths, **options)
        finally:
            if not was_on:
                stop()


def _repeat(function: Callable[[], Any], times: int, warmup: int) -> Sequence[pathlib.Path]:
    """Take a snapshot after the warm-up and after each of `times` calls; their paths.

    Between two snapshots this function keeps no new object: it would be reported as growth.
    """
    library = _library.library()
    status = 0
    for _ in range(warmup):
        function()
    first = _number(take("warm"))
    for left in reversed(range(times)):
        function()
        if gc.isenabled():
            gc.collect()  # what the collector would free later is no leak
        status |= library.snap_take(b"repeat") if left else _take_with_census(b"repeat")
    _library.check(status and 2, "a snapshot was not taken")
    return _mine(first)


def _take_with_census(label: bytes) -> int:
    """A snapshot with a census, or without one if a census is not possible."""
    library = _library.library()
    return int(library.snap_take_census(label) and library.snap_take(label))


from ._diagnostics import Diagnostics, diagnostics  # noqa: E402  it needs the functions above
