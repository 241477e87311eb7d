"""Arrays of NumPy, which takes their data from malloc and calloc and tells tracemalloc of them in a domain of its own.

Data below 1 KiB come from a cache of NumPy's and are not made here.  Run with -X tracemalloc=5.  Prints [bytes, blocks] of
that domain by the newest line of this file, as JSON.
"""
import ctypes
import json
import tracemalloc

import numpy

take = ctypes.CDLL(None).snap_take
take.argtypes = [ctypes.c_char_p]
kept = []


def rows():
    for i in range(100):
        kept.append(numpy.arange(i, i + 200))


def large():
    kept.append(numpy.zeros(300_000))
    kept.append(numpy.ones((500, 400)))


def computed():
    kept.append(kept[-1] * 3.5)


def below(depth):
    if depth:
        below(depth - 1)
    else:
        kept.append(numpy.full(123_457, 7, dtype=numpy.int32))


rows()
large()
computed()
below(20)
twice = numpy.concatenate([kept[-1], kept[-1]])
grown = numpy.arange(1000)
grown.resize(5000, refcheck=False)
gone = numpy.zeros(77_777)
del kept[10:20], gone
traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, numpy.lib.tracemalloc_domain)])
take(b"here")
lines = {}
for trace in traces.traces:
    own = [frame.lineno for frame in trace.traceback if frame.filename == __file__]
    if own and own[-1] > 15:  # not what the import makes
        entry = lines.setdefault(own[-1], [0, 0])
        entry[0] += trace.size
        entry[1] += 1
print(json.dumps(lines))
