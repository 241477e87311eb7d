"""What people write who have pytest-asyncio, pytest-xdist and pytest-cov, too; run.py says which of these must fail."""

import asyncio
import functools
import re

import pytest

kept = []


@functools.lru_cache(maxsize=16)
def pattern(number):
    return re.compile("a{%d}b" % number)




@pytest.mark.asyncio
@pytest.mark.no_growth(repeats=8, warmup=3)
async def test_async_leaks():
    kept.append(bytearray(5000))
    await asyncio.sleep(0)


@pytest.mark.asyncio
@pytest.mark.no_growth(repeats=8, warmup=3)
async def test_async_clean():
    assert bytearray(5000)
    await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_async_unmarked():
    await asyncio.sleep(0)


@pytest.mark.no_growth(repeats=8, warmup=3)
def test_caches_that_fill():
    for number in range(20):
        assert not pattern(number).match("")


@pytest.mark.no_growth(repeats=8, warmup=3)
def test_leaks_in_a_dictionary():
    kept.append({"body": "x" * (4000 + len(kept))})


@pytest.mark.parametrize("size", [10, 20])
@pytest.mark.no_growth(repeats=8, warmup=3)
def test_with_parameters(size):
    assert bytes(size)
