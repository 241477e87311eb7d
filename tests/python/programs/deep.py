"""Allocate below recursions that are deeper than stacks are recorded, by many ways.

Prints a JSON list of [size, depth, the newest 512 frames], frames newest first.
"""
import json
import random
import sys

DEPTHS = (400, 780, 1025, 1600, 1595)
sys.setrecursionlimit(100000)
expected = []
keep = []


def check():
    size = 10000 + len(expected)
    frame, frames, depth = sys._getframe(), [], 0
    while frame:
        if depth < 512:
            code = frame.f_code
            frames.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
        depth += 1
        frame = frame.f_back
    expected.append([size, depth, frames])
    frames[0][2] = check.__code__.co_firstlineno + 11
    keep.append(bytes(size - sys.getsizeof(b"")))


def left(way):
    if way is None:
        check()
        return
    way[0](way[1])
    str(way[2])
    if way[2] % 307 == 7:
        check()


def right(way):  # its frame is larger than that of left()
    size, larger, largest = way, way, way
    if way is None:
        check()
        return
    way[0](way[1])
    str(way[2])
    if size[2] % 251 == 5 and larger is largest:
        check()


def through(n, way):
    """Frames that live on the heap, and are found again at their places."""
    if n:
        yield from through(n - 1, way)
    else:
        yield left(way)


def ways(depth, count):
    """Lists of (function, inner rest, number): the frames allocate on their way back only.

    They differ in the order of their outer half, so that the inner frames are at the same places.
    """
    inner, outer = chance.choices((left, right), k=depth // 2), [left, right] * (depth // 4)
    for _ in range(count):
        way = None
        for n, function in enumerate(inner + chance.sample(outer, len(outer))):
            way = (function, way, n + 1000)
        yield way


chance = random.Random(7)
for depth in DEPTHS:
    for way in ways(depth, 2):
        left(way)
for depth in (300, 40, 200):
    for way in ways(500, 1):
        for _ in through(depth, way):
            check()
print(json.dumps(expected))
