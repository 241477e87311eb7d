"""Have extensions call malloc in many situations, and say which Python stack each block is below.

A block's size tells the situation.  Prints a JSON list of [situation, size, frames], frames newest first.
"""
import ctypes
import json
import sqlite3
import sys
import threading

without_gil = ctypes.CDLL(None)  # gives the GIL up around a call
with_gil = ctypes.PyDLL(None)
for library in (without_gil, with_gil):
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
without_gil.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, COMPARE]

expected = []
lock = threading.Lock()


def check(situation, library=without_gil):
    frame = sys._getframe()
    with lock:
        size = 20000 + len(expected)
        frames = []
        while frame:
            code = frame.f_code
            frames.append([getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno])
            frame = frame.f_back
        expected.append([situation, size, frames])
        frames[0][2] = check.__code__.co_firstlineno + 11
        library.malloc(size)


def both():
    check("without the GIL")
    check("with the GIL", with_gil)


def deep(n):
    if n:
        return deep(n - 1)
    return both()


def generator():
    for i in range(3):
        check("in a generator")
        yield i


def compare(first, second):
    check("in a callback of qsort")
    return 0


class Thing:
    def __lt__(self, other):
        check("below sorted()")
        return False

    def __del__(self):
        check("in __del__")


def database():
    base = sqlite3.connect(":memory:")
    base.create_function("f", 1, lambda x: check("in a function of sqlite's") or x)
    base.execute("create table t(a, b)")
    base.executemany("insert into t values (?, ?)", [(i, "x" * i) for i in range(50)])
    base.execute("select f(a) from t limit 3").fetchall()


def thread():
    for i in range(10):
        deep(i)
        list(generator())


for _ in range(2):
    both()
    deep(5)
    deep(200)
    list(generator())
    without_gil.qsort((ctypes.c_int * 3)(3, 1, 2), 3, 4, COMPARE(compare))
    sorted([Thing(), Thing()])
    database()
    (lambda: both())()
    [both() for _ in range(2)]
threads = [threading.Thread(target=thread) for _ in range(3)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(json.dumps(expected))
