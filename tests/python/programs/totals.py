"""Ordinary work, then what tracemalloc and the recorder see at the same moment.

CPython keeps freed lists, dictionaries, tuples, floats and so on, and hands them out again without asking an
allocator: tracemalloc is told, the recorder cannot know.  So first these stores are emptied.  A line that is marked
"exact" makes nothing of which there are such stores.

Run with -X tracemalloc=1.  Prints a JSON list of [file, line, bytes, blocks] of tracemalloc's, and one of the sizes
of the blocks that CPython keeps, where they are the same for every program.
"""
import ctypes
import gc
import json
import sys
import tracemalloc

take = ctypes.CDLL(None).snap_take
take.argtypes = [ctypes.c_char_p]


class Record:
    __slots__ = ("a", "b")

    def __init__(self, i):
        self.a = [i] * 3
        self.b = {"key": str(i)}


class Plain:
    def __init__(self, i):
        self.number = i * 1000003
        self.text = "text %d" % i  # exact


def squares(n):
    for i in range(n):
        yield i * i + 100000


def work():
    kept = [Record(i) for i in range(500)]
    kept.append([Plain(i) for i in range(300)])
    kept.append(list(squares(1000)))
    kept.append({i: bytes(i) for i in range(2000)})
    kept.append([tuple(range(n % 30)) for n in range(400)])
    kept.append([squares(i) for i in range(50)])
    kept.append([(lambda n=i: n) for i in range(50)])
    kept.append({frozenset(range(i)) for i in range(40)})
    text = ""
    for i in range(200):
        text += chr(200 + i) * 7  # exact
        kept.append(bytearray(i))  # exact
        kept[-1].extend(b"x" * 100)  # exact
    kept.append(text)
    for i in range(3000):  # freed again
        [i, {i: i}]
    del kept[100:150]
    return kept


emptied = [[([], {}, float(i), i * 1000003, [].append) for i in range(300)] for _ in range(4)]
emptied += [[tuple(range(n)) for _ in range(2100)] for n in range(1, 21)]
kept = work()
gc.collect()  # or it would come between the two
gc.disable()
traces = tracemalloc.take_snapshot()
take(b"here")
print(json.dumps([[s.traceback[0].filename, s.traceback[0].lineno, s.size, s.count]
                  for s in traces.statistics("lineno")]))
print(json.dumps([sys.getsizeof(thing) for thing in ([], {}, 1.5, 10**6, iter([]), iter(range(2)), [].append,
                                                     slice(1))] + [sys.getsizeof(tuple(range(n))) for n in range(1, 21)]))
