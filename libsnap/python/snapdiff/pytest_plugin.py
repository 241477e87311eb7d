"""pytest: tests that fail when memory grows.

    @pytest.mark.no_growth(repeats=8, warmup=2, allow="64KiB")
    def test_request(): ...

    @pytest.mark.limit_peak("24MiB")
    def test_import(): ...

The test function is called again and again in one process.  Caches that fill in the warm-up do not
count; what the test itself keeps from call to call does.  With --snapdiff the tests that grew most
are listed at the end.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import shutil
import tempfile
import warnings
from typing import Any, Callable

import pytest

import snapdiff
from snapdiff import _library
from snapdiff._report import human

_LITTLE = 256  # bytes a call
_PROPERTY = "snapdiff"  # of a test's report: what it grew by, and where; workers of xdist send it on


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("snapdiff", "memory that grows")
    group.addoption("--snapdiff", action="store_true", default=False,
                    help="list the marked tests whose memory grew most")
    group.addoption("--snapdiff-keep", metavar="DIR", default=None,
                    help="keep the snapshots of marked tests in DIR")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "no_growth(repeats=8, warmup=2, allow=0): the test is repeated, and "
                            "fails when memory keeps growing by more than `allow` bytes in all")
    config.addinivalue_line("markers", "limit_peak(size): the test fails when its allocations take more than "
                            "`size` at any one moment")


def _call(item: pytest.Function) -> Callable[[], Any]:
    """The test as a function without arguments, as pytest would call it; a coroutine is run to its end."""
    names = item._fixtureinfo.argnames
    arguments = {name: item.funcargs[name] for name in names}

    def call() -> None:
        result = item.obj(**arguments)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    return call


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a marked test here, with its checks."""
    growth = pyfuncitem.get_closest_marker("no_growth")
    peak = pyfuncitem.get_closest_marker("limit_peak")
    if not growth and not peak:
        return None
    with _recorder(pyfuncitem.config):
        if peak:
            _check_peak(pyfuncitem, *peak.args, **peak.kwargs)
        if growth:
            _check_growth(pyfuncitem, *growth.args, **growth.kwargs)
    return True


class _recorder:
    """Recording is on inside the `with` block; if it was on before, it stays on."""

    def __init__(self, config: pytest.Config) -> None:
        self.keep = config.getoption("--snapdiff-keep")

    def __enter__(self) -> None:
        self.was_on = snapdiff.is_recording()
        self.scratch = None
        if not self.was_on:
            self.scratch = self.keep or tempfile.mkdtemp(prefix="snapdiff-pytest-")
            try:
                snapdiff.start(self.scratch)
            except snapdiff.Error as error:
                pytest.skip(f"memory cannot be recorded here: {error}")

    def __exit__(self, *exception: Any) -> None:
        if not self.was_on:
            snapdiff.stop()
            if self.scratch and not self.keep:
                shutil.rmtree(self.scratch, ignore_errors=True)


def _check_growth(item: pytest.Function, repeats: int = 8, warmup: int = 2,
                  allow: int | str = 0) -> None:
    __tracebackhide__ = True
    report = snapdiff.growth(*snapdiff._repeat(_call(item), repeats, warmup), warmup="1")
    # A cache or a free list that still fills grows by a little, now and then; a test that keeps something
    # keeps the same each time, or much.
    findings = [row for row in report.findings if row.is_exact or row.bytes >= _LITTLE * repeats]
    grown = sum(row.bytes for row in findings)
    item.user_properties.append((_PROPERTY, [grown, findings[0].key if findings else "nothing keeps growing"]))
    if grown > snapdiff.size(allow):
        allowed = f" ({human(snapdiff.size(allow))} are allowed)" if allow else ""
        pytest.fail(f"memory keeps growing: +{human(grown)} in {repeats} calls{allowed}\n" +
                    "\n".join(str(row) for row in findings[:5]), pytrace=False)


def _check_peak(item: pytest.Function, size: int | str) -> None:
    __tracebackhide__ = True
    gc.collect()
    before = snapdiff.take("before")
    _call(item)()
    after = snapdiff.take("after")
    base = _metric(before, "heap.live_bytes")
    earlier, peak = _metric(before, "heap.peak_bytes"), _metric(after, "heap.peak_bytes")
    limit = snapdiff.size(size)
    if peak == earlier and peak - base > limit:
        warnings.warn(f"{item.nodeid}: an earlier peak of the process was higher; limit_peak cannot tell this "
                      "test's apart", stacklevel=1)
        return
    if peak - base <= limit:
        return
    peaks = [path for path in snapdiff._mine(snapdiff._number(before)) if path != after]
    rows = snapdiff.compare(before, peaks[-1]).grown[:5] if peaks else []
    pytest.fail(f"the peak was {human(peak - base)} above what was live before the test; {human(limit)} are allowed\n" +
                "\n".join(str(row) for row in rows), pytrace=False)


def _metric(path: Any, name: str) -> int:
    info = _library.run_json(["info", str(path)])
    return int((info.get("metrics") or {}).get(name) or 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--snapdiff"):
        return
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    entries = [(*value, report.nodeid) for report in reports if report.when == "call"
               for name, value in report.user_properties if name == _PROPERTY]
    terminalreporter.section("memory growth")
    for grown, where, test in sorted(entries, key=lambda entry: -entry[0])[:10]:
        terminalreporter.write_line(f"{human(grown):>10}  {test}  {where}")


