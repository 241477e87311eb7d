"""Objects of which it is known what holds them: 300 of a class for each way."""
import asyncio
import collections
import ctypes
import functools
import gc
import threading
import weakref

from shelf import Case, Shelf


class Held:
    def __init__(self):
        self.payload = None


class ByGlobal(Held): pass
class ByClass(Held): pass
class ByInstance(Held): pass
class BySlot(Held): pass
class ByClosure(Held): pass
class ByCache(Held): pass
class ByTraceback(Held): pass
class ByThreadLocal(Held): pass
class ByLocal(Held): pass
class ByTask(Held): pass
class ByGenerator(Held): pass
class ByDeque(Held): pass
class ByTextKey(Held): pass
class ByRecord(Held): pass
class ByDefaultDict(Held): pass
class ByCycle(Held): pass
class ByNative(Held): pass
class ByLink(Held): pass
class ByDefault(Held): pass
class ByWeakref(Held): pass
class ByTwo(Held): pass
class ByBaseClass(Held): pass
class ByBaseClassAttribute(Held): pass
class ByLibraryClass(Held): pass
class ByEntry(Held): pass


class ByFinalizer(Held):
    def __del__(self):
        pass


history = []


class Client:
    sessions = {}


class Other:
    def __init__(self):
        self.data, self.covers = None, None


class Pool:
    def __init__(self):
        self.connections = []
        self.by_kind = {"open": []}


class Slotted:
    __slots__ = ("first", "items")


def make_handler():
    seen = []

    def on_event(event):
        seen.append(event)

    return on_event


class Service:
    @functools.lru_cache(maxsize=None)
    def lookup(self, key):
        return ByCache()


def fetch(count):
    body = [ByTraceback() for _ in range(count)]
    raise ValueError(len(body))


def generate():
    rows = [ByGenerator() for _ in range(300)]
    yield
    yield rows


def collect(item, seen=[]):
    seen.append(item)


def watch(target):
    rows = [ByWeakref() for _ in range(300)]

    def gone(reference):
        rows.clear()

    return weakref.ref(target, gone)


async def wait_for_ever(queue):
    batch = [ByTask() for _ in range(30)]
    await queue.get()
    return batch


by_number, by_text = {}, {}
watched = ByGlobal()
reference = watch(watched)
pool, slotted, on_event, service = Pool(), Slotted(), make_handler(), Service()
case, shelf, notes = Case(), Shelf(), weakref.WeakValueDictionary()
handlers, errors, storage, head = [on_event], [], threading.local(), None
# Values of one type under many names are a cache; others are a record, whose names say more.
sessions_by_name = {"user %d" % number: [ByTextKey() for _ in range(20)] for number in range(12)}
settings = {"name": "held", "size": 20, "rows": [ByRecord() for _ in range(20)], **{"s%d" % i: i for i in range(9)}}
ring, by_key = collections.deque(maxlen=300), collections.defaultdict(list)
slotted.first, slotted.items = None, [BySlot() for _ in range(300)]
storage.rows = [ByThreadLocal() for _ in range(300)]
for i in range(300):
    history.append({"thing": ByGlobal()})
    Client.sessions[i] = ByClass()
    pool.connections.append(ByInstance())
    on_event(ByClosure())
    service.lookup(i)
    ring.append(ByDeque())
    by_key[i].append(ByDefaultDict())
    link = ByLink()
    link.payload, head = head, link
    collect(ByDefault())
    shelf.add(ByBaseClass())
    shelf.covers[i] = ByBaseClassAttribute()
    notes.data[i] = ByLibraryClass()
    pool.by_kind["open"].append(ByEntry())
    two = ByTwo()
    by_number[i] = by_text[str(i)] = two
for i in range(10):
    try:
        fetch(30)
    except ValueError as error:
        errors.append(error)
generator = generate()
next(generator)
gc.collect()
gc.disable()
for i in range(300):
    cycle = ByCycle()
    cycle.payload = cycle
    cycle = ByFinalizer()
    cycle.payload = [cycle]
del cycle, link, two
ctypes.pythonapi.Py_IncRef.argtypes = [ctypes.py_object]
for i in range(300):
    native = ByNative()
    ctypes.pythonapi.Py_IncRef(native)
del native


def take():
    rows = [ByLocal() for _ in range(300)]
    if ctypes.CDLL(None).snap_take_census(b"held") != 0:
        raise SystemExit("no snapshot was taken")
    return rows


async def main():
    queue = asyncio.Queue()
    tasks = [asyncio.ensure_future(wait_for_ever(queue)) for _ in range(10)]
    await asyncio.sleep(0)
    take()
    for task in tasks:
        task.cancel()


asyncio.run(main())
