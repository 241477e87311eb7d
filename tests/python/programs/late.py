"""Recording begins while the program runs, without `snapdiff run`.

usage: late.py LIBSNAP DIRECTORY HOW     HOW: totals, twice, threads, fork
"""
import ctypes
import gc
import json
import os
import sys
import threading
import zlib

library = sys.argv[1]


class Config(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("rest", ctypes.c_uint64 * 6)]


def start():
    config = Config(ctypes.sizeof(Config), os.fsencode(sys.argv[2]))
    assert ctypes.PyDLL(library).snap_start(ctypes.byref(config)) == 0


def call(name, *arguments):
    assert getattr(ctypes.CDLL(library), name)(*arguments) == 0


def churn(seconds_left):
    for _ in range(300):
        zlib.decompress(zlib.compress(bytes(range(256)) * 200))
        [str(i) for i in range(500)]


def totals():
    """Every kind of block, on lines of its own: objects, raw blocks, large ones."""
    objects = [bytes(100) for _ in range(700)]
    table = {str(i): i * 1000003 for i in range(900)}
    large = [bytearray(3000 + i) for i in range(50)]
    streams = [zlib.compressobj() for _ in range(8)]
    table[0] = early.pop()
    early.clear()
    return objects, table, large, streams


early = [bytes(900) for _ in range(2000)]

if sys.argv[3] == "totals":
    import tracemalloc
    tracemalloc.start(1)  # first, so that its own memory is below what the recorder sees
    start()
    kept = totals()
    gc.collect()
    gc.disable()
    traces = tracemalloc.take_snapshot()
    call("snap_take", b"here")
    print(json.dumps([[s.traceback[0].lineno, s.size, s.count] for s in traces.statistics("lineno")
                      if s.traceback[0].filename.endswith("late.py")]))
elif sys.argv[3] == "twice":
    start()
    first = [bytes(100) for _ in range(400)]
    call("snap_stop")
    unseen = [bytes(100) for _ in range(400)]
    start()
    last = [bytes(100) for _ in range(400)]
    call("snap_take", b"here")
elif sys.argv[3] == "threads":
    threads = [threading.Thread(target=churn, args=(0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        start()
        churn_of_main = [bytes(50) for _ in range(1000)]
        call("snap_stop")
    start()
    held = [bytes(100) for _ in range(5000)]
elif sys.argv[3] == "fork":
    start()
    child = os.fork()
    held = [bytes(100) for _ in range(5000)]
    if child:
        os.waitpid(child, 0)
