"""Allocate in many situations, and say which stack each block is from.

A block's size tells the situation.  Prints a JSON list of [situation, size, frames], frames newest first.
"""
import asyncio
import ctypes
import functools
import gc
import json
import sys
import threading

expected = []
keep = []
lock = threading.Lock()


def check(situation):
    frame = sys._getframe()
    with lock:
        size = 10000 + len(expected)
        frames = []
        while frame:
            code = frame.f_code
            frames.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
            frame = frame.f_back
        expected.append([situation, size, frames])
        frames[0][2] = check.__code__.co_firstlineno + 11
        keep.append(bytes(size - sys.getsizeof(b"")))


def plain():
    check("plain")


def recursion(n):
    if n:
        recursion(n - 1)
    else:
        check("recursion")
    if n % 7 == 0:
        check("recursion, on the way back")


def generator(n):
    for i in range(n):
        check("generator")
        yield i


def delegating(n):
    yield from generator(n)


class Object:
    def __del__(self):
        check("__del__")

    def __getattr__(self, name):
        check("__getattr__")
        return 1

    def __eq__(self, other):
        check("__eq__")
        return True

    def __hash__(self):
        return 1

    @property
    def value(self):
        check("property")
        return 2

    def __enter__(self):
        check("__enter__")

    def __exit__(self, *what):
        check("__exit__")


class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        check("__del__ in the collector")


class Meta(type):
    def __new__(cls, *arguments):
        check("metaclass")
        return super().__new__(cls, *arguments)


async def coroutine(n):
    if n:
        await coroutine(n - 1)
    else:
        check("coroutine")
        await asyncio.sleep(0)
        check("coroutine, resumed")


async def asynchronous():
    for i in range(3):
        check("asynchronous generator")
        await asyncio.sleep(0)
        yield i


async def tasks():
    await asyncio.gather(*[coroutine(i) for i in range(12)])
    async for _ in asynchronous():
        check("async for")


def raising(n):
    try:
        if n:
            raising(n - 1)
        else:
            raise ValueError
    finally:
        check("finally")


def thread():
    for i in range(20):
        recursion(i % 9)
        plain()


def tracing(frame, event, argument):
    return None


def main():
    for _ in range(2):
        plain()
        recursion(20)
        list(generator(3))
        list(delegating(4))
        thing = Object()
        thing.zzz
        thing.value
        {thing: 1}[Object()]
        with thing:
            check("with")
        del thing
        [check("comprehension") for _ in range(2)]
        {i: check("dictionary comprehension") for i in range(2)}
        list(check("generator expression") for _ in range(2))
        (lambda: check("lambda"))()
        sorted([3, 1, 2], key=lambda x: check("key function") or x)
        functools.reduce(lambda a, b: (check("reduce"), a)[1], range(3))
        asyncio.run(tasks())
        try:
            raising(5)
        except ValueError:
            check("except")
        threads = [threading.Thread(target=thread) for _ in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        exec(compile("check('exec')", "<text>", "exec"))
        eval("check('eval')")
        Meta("Made", (), {})
        recursion(300)
    ctypes.PYFUNCTYPE(None)(lambda: check("callback from C"))()
    for _ in range(3):
        Cycle()
    gc.collect()
    sys.settrace(tracing)
    plain()
    recursion(3)
    sys.settrace(None)
    source = "def made():\n" + "\n" * 300 + "    check('far down')\n"
    for i in range(20):  # code objects that go, and others in their place
        space = {"check": check}
        exec(compile(source.replace("made", "made%d" % (i % 3)), "<made %d>" % (i % 5), "exec"), space)
        space["made%d" % (i % 3)]()


main()
print(json.dumps(expected))
