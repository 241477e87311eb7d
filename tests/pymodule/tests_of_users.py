"""What people write with the pytest plugin; run.py says which of these must fail."""

import asyncio
import re

import pytest

kept = []


@pytest.mark.no_growth(repeats=8, warmup=2)
def test_clean():
    assert [str(number) for number in range(1000)]
    assert re.compile("a+b").match("aab")


@pytest.mark.no_growth(repeats=8)
def test_leaks():
    kept.append(bytearray(5000))


@pytest.mark.no_growth(repeats=8, allow="1MiB")
def test_allowed():
    kept.append(bytearray(5000))


@pytest.mark.limit_peak("1MiB")
def test_low_peak():
    bytearray(100_000)


@pytest.mark.limit_peak("1MiB")
def test_high_peak():
    bytearray(8_000_000)


# CPython 3.11 itself keeps a string or two for each loop that it closes; tracemalloc shows the same.
@pytest.mark.no_growth(allow="4KiB")
def test_coroutines():
    async def work():
        await asyncio.sleep(0)
    asyncio.run(work())


@pytest.mark.no_growth(repeats=8)
def test_fixture(tmp_path):
    assert str(tmp_path)


def test_unmarked():
    pass
