"""Objects of which it is known how many there are; prints what the interpreter itself counts, then has a snapshot taken."""
import collections
import ctypes
import gc
import json
import sys
import threading


class Plain:
    def __init__(self, i):
        self.number = i
        self.text = "text %d" % i


class Slots:
    __slots__ = ("one", "two")

    def __init__(self):
        self.one = self.two = None


class Outer:
    class Inner(list):
        pass


class Loop:
    pass


def make_dicts(n):
    return [{"key%d" % i: i} for i in range(n)]


def make_bytes(n):
    return [bytearray(1000) for _ in range(n)]


def make_lists(n):
    return [[None] * 100 for _ in range(n)]


def make_loops(n):
    for _ in range(n):
        loop = Loop()
        loop.itself = loop


def wait(thing):
    ready.set()
    done.wait()
    return thing


def name(kind):
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


gc.collect()
gc.disable()
plain = [Plain(i) for i in range(3000)]
slots = [Slots() for _ in range(500)]
inner = [Outer.Inner() for _ in range(70)]
queue = collections.deque(Plain(i) for i in range(200))
dicts = make_dicts(1234)
buffers = make_bytes(50)
lists = make_lists(321)
frozen = frozenset(range(1000))
make_loops(25)
ready, done = threading.Event(), threading.Event()
thread = threading.Thread(target=wait, args=(Slots(),))
thread.start()
ready.wait()
lock = ctypes.PyDLL if sys.argv[1] == "held" else ctypes.CDLL
take = lock(None).snap_take_census
counts = collections.Counter(name(type(thing)) for thing in gc.get_objects())
print(json.dumps(counts))
sys.stdout.flush()
if take(b"census") != 0:
    sys.exit("no snapshot was taken")
done.set()
thread.join()
