"""Known ways to leak, and some that are none.  `patterns.py KIND` does a hundred rounds of one of them, with a snapshot
after each ten.  The line that allocates most of what stays is marked with the kind."""
import atexit
import collections
import contextvars
import ctypes
import datetime
import decimal
import functools
import gc
import io
import itertools
import mmap
import os
import pickle
import queue as queues
import re
import signal
import sqlite3
import sys
import threading
import types
import warnings
import weakref
import xml.etree.ElementTree
import zlib

with_tasks = sys.argv[1].startswith("never_") or sys.argv[1] == "finished_tasks"
if with_tasks:  # it doubles the call stacks to count and to judge
    import asyncio
if sys.argv[1] in ("temporary_folders", "records_of_a_log", "backlog_of_an_executor",
                   "failures_of_an_executor"):  # likewise
    import concurrent.futures
    import logging.handlers
    import tempfile

take = ctypes.CDLL(None)["snap_take" if "WITHOUT_CENSUS" in os.environ else "snap_take_census"]
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
numbers = itertools.count()


# ---- containers

history = []


def remember(number):
    return {"id": number, "body": "x" * (500 + number)}  # <- global_container


def global_container():
    history.append(remember(next(numbers)))


cache = {}


def render(key):
    return ("page %d " % key) * 60  # <- unbounded_cache


def unbounded_cache():
    key = next(numbers)
    if key not in cache:
        cache[key] = render(key)


class Client:
    sessions = {}

    def open(self, number):
        self.sessions[number] = bytearray(700)  # <- class_attribute


def class_attribute():
    Client().open(next(numbers))


class Pool:
    def __init__(self):
        self.connections = []

    def get(self):
        self.connections.append(bytearray(700))  # <- object_attribute


pool = Pool()


def object_attribute():
    pool.get()


def collect(item, seen=[]):
    seen.append(item)


def default_argument():
    collect(bytearray(700))  # <- default_argument


def make_counter():
    seen = set()

    def count(item):
        seen.add(item)
    return count


count = make_counter()


def closure():
    count(b"x" * (700 + next(numbers)))  # <- closure


storage = threading.local()


def thread_local():
    if not hasattr(storage, "rows"):
        storage.rows = []
    storage.rows.append(bytearray(700))  # <- thread_local


visitors = {}


def texts_as_keys():
    """A dict does not tell the collector about its keys if all of them are texts."""
    visitors["visitor %d " % next(numbers) * 40] = True  # <- texts_as_keys


class Tenant:
    """One for each name: the class of the class makes and keeps them."""
    def __init__(self, name):
        self.name, self.body = name, bytearray(1000)  # <- one_for_each_name


class OneForEachName(type):
    tenants = {}

    def __call__(cls, *names):
        if names not in OneForEachName.tenants:
            OneForEachName.tenants[names] = super().__call__(*names)
        return OneForEachName.tenants[names]


class KeptTenant(Tenant, metaclass=OneForEachName):
    pass


def one_for_each_name():
    KeptTenant(next(numbers))


# ---- caches

compiled = {}


def compiled_patterns():
    """Compiling makes much for a moment: of what the line makes, little stays."""
    text = r"^/users/%d/(\w+|\d+)/(?P<name>[a-z]+)$" % next(numbers)
    if text not in compiled:
        compiled[text] = re.compile(text)  # <- compiled_patterns


rules = {}


def code_objects():
    """Of what compile() makes, little stays; of the numbers all stay, but they are small."""
    number = next(numbers)
    rules[number] = compile("x = %d + y" % number, "<rule>", "exec")  # <- code_objects


class Service:
    def __init__(self):
        self.table = bytearray(3000)  # <- lru_cache_on_method

    @functools.lru_cache(maxsize=None)
    def lookup(self, key):
        return key


def lru_cache_on_method():
    Service().lookup(1)


@functools.lru_cache(maxsize=None)
def square(key):
    return bytearray(key % 100 + 700)  # <- lru_cache_without_limit


def lru_cache_without_limit():
    square(next(numbers))


@functools.lru_cache(maxsize=5000)
def cube(key):
    return bytearray(key % 100 + 700)  # <- fills: lru_cache


class Article:
    def __init__(self, number):
        self.number = number

    @functools.cached_property
    def page(self):
        return "page %d " % self.number * 60  # <- fills: cached_property


articles = [Article(number) for number in range(300)]
newest = collections.deque(maxlen=2000)
connection = sqlite3.connect(":memory:")
kept = []


def caches_that_fill():
    """None of them is full yet; but the patterns of one line are kept by the program, too."""
    number = next(numbers)
    cube(number)
    articles[number].page
    newest.append(bytearray(700))  # <- fills: deque
    re.match("%d(x|y)+" % number, "1x")  # <- fills: re
    connection.execute("select %d" % number).fetchall()  # <- fills: statements
    kept.append(re.compile("(%d|y)+" % number))  # <- caches_that_fill


@functools.lru_cache(maxsize=10 ** 9)
def fourth(key):
    return bytearray(key % 100 + 700)  # <- cache_with_a_huge_limit


def cache_with_a_huge_limit():
    fourth(next(numbers))


@functools.lru_cache(maxsize=100)
def rows_of(user):
    return []


def cache_that_grows_inside():
    """Its limit is one of entries, not of what is in them."""
    number = next(numbers)
    rows_of(number % 3).append("x" * (700 + number))  # <- cache_that_grows_inside


slots = [None] * 10


def places_with_chains():
    """As many places as at first, but each leads to more and more."""
    place = next(numbers) % 10
    slots[place] = Link(bytearray(700), slots[place])  # <- places_with_chains


class Visitor:
    pass


visitors_by_seat = [Visitor() for _ in range(300)]


def places_that_get_longer():
    """Each place has one buffer at most, but the buffers get longer."""
    for visitor in visitors_by_seat[:6 + next(numbers) // 3]:
        visitor.__dict__.setdefault("log", bytearray()).extend(b"x" * 100)  # <- places_that_get_longer


# ---- callbacks, tasks, exceptions, cycles

class Bus:
    def __init__(self):
        self.handlers = []


bus = Bus()


def subscribe():
    body = bytearray(2000)  # <- callbacks

    def on_event():
        return len(body)
    bus.handlers.append(on_event)


def callbacks():
    subscribe()


class Watched:
    pass


watched, references = Watched(), []


def watch(target):
    body = bytearray(2000)  # <- weak_callback

    def gone(reference):
        body.clear()
    references.append(weakref.ref(target, gone))


def weak_callback():
    watch(watched)


loop, tasks = with_tasks and asyncio.new_event_loop(), set()
queue = None


async def wait_for_reply():
    body = bytearray(3000)  # <- never_finished
    await queue.get()
    return body


async def start_one():
    global queue
    queue = queue or asyncio.Queue()
    tasks.add(asyncio.ensure_future(wait_for_reply()))
    await asyncio.sleep(0)


def never_finished():
    loop.run_until_complete(start_one())


forgotten = []


async def fetch_later(body):
    return body


def never_awaited():
    forgotten.append(fetch_later(bytearray(900)))  # <- never_awaited


event = threading.Event()


def wait_in_a_thread(started):
    body = bytearray(20000)  # <- threads
    started.set()
    event.wait()
    return body


def threads():
    if next(numbers) % 5 == 0:
        started = threading.Event()
        threading.Thread(target=wait_in_a_thread, args=(started,), daemon=True).start()
        started.wait()


errors = []


def fetch(number):
    body = bytearray(3000)  # <- exceptions
    raise ValueError(len(body))


def exceptions():
    try:
        fetch(1)
    except ValueError as error:
        errors.append(error)


failures = []


def fail(number):
    raise KeyError(number)  # <- failures_of_an_executor


def failures_of_an_executor():
    """Up to 3.10 frames are objects, made in the line of the caller, and larger than the exception."""
    global pool_of_one
    pool_of_one = pool_of_one or concurrent.futures.ThreadPoolExecutor(1)
    try:
        pool_of_one.submit(fail, next(numbers)).result()
    except KeyError as error:
        failures.append(error)


class Node:
    def __init__(self):
        self.other = None
        self.load = bytearray(2000)  # <- cycle


def cycle():
    first, second = Node(), Node()
    first.other, second.other = second, first


old_nodes = collections.deque()


def cycles_that_wait():
    """The collector is on.  It has looked at these when they were in use, and will look again when a quarter of all
    objects is new to it."""
    old_nodes.append(Node())
    old_nodes[-1].other = old_nodes[-1]
    if len(old_nodes) > 5:
        old_nodes.popleft()
    gc.collect(1)


class Target:
    pass


target = Target()


def finalizers():
    body = bytearray(2000)  # <- finalizers
    weakref.finalize(target, bytearray.clear, body)


def functions_at_exit():
    body = bytearray(2000)  # <- functions_at_exit
    atexit.register(lambda: body)


def ring_later(body):
    return len(body)


def timers():
    if next(numbers) % 5 == 0:
        timer = threading.Timer(3600, ring_later, [bytearray(20000)])  # <- timers
        timer.daemon = True
        timer.start()


def expire(entry):
    return entry


async def expire_later():
    entry = bytearray(1500)  # <- never_due
    asyncio.get_running_loop().call_later(3600, expire, entry)


def never_due():
    loop.run_until_complete(expire_later())


def warnings_that_differ():
    warnings.warn("job %d is late, %s" % (next(numbers), "x" * 400))  # <- warnings_that_differ


def handler_before_it():
    before, body = signal.getsignal(signal.SIGUSR1), bytearray(2000)  # <- handler_before_it

    def handle(number, frame):
        body.clear()
        before(number, frame)
    signal.signal(signal.SIGUSR1, handle)


trail = contextvars.ContextVar("trail", default=())


def context_variable():
    trail.set((trail.get(), bytearray(2000)))  # <- context_variable


class User:
    pass


class Session:
    def __init__(self, user):
        self.user, self.body = user, bytearray(2000)  # <- weak_keys


visits = weakref.WeakKeyDictionary()


def weak_keys():
    user = User()
    visits[user] = Session(user)


def modules_made():
    """Each has a table that a template made, as it were."""
    module = types.ModuleType("template_%d" % next(numbers))
    module.table = bytearray(2000)  # <- modules_made
    sys.modules[module.__name__] = module


folders = []


def temporary_folders():
    """The finalizers are in a registry, but somebody holds what they watch."""
    folders.append(tempfile.TemporaryDirectory())  # <- temporary_folders


log = None


def make_log():
    global log
    log = logging.getLogger("patterns")
    log.propagate = False
    log.addHandler(logging.handlers.MemoryHandler(1000000, flushLevel=1000))


def records_of_a_log():
    """The one handler in a list of handlers has a list."""
    if not log:
        make_log()
    log.warning("x" * (500 + next(numbers)))  # <- records_of_a_log


pool_of_one, gate = None, threading.Event()


def work_that_waits(body):
    gate.wait()
    return body


def backlog_of_an_executor():
    """Its worker, a function of the standard library, has the queue in a variable."""
    global pool_of_one
    pool_of_one = pool_of_one or concurrent.futures.ThreadPoolExecutor(1)
    pool_of_one.submit(work_that_waits, "x" * (5000 + next(numbers)))  # <- backlog_of_an_executor


# ---- queues, texts, and objects that are no containers

jobs = queues.Queue()


def queue_without_consumer():
    jobs.put(bytearray(700))  # <- queue_without_consumer


log_text = ""


def text():
    global log_text
    log_text += "line %d of the log\n" % next(numbers) * 50  # <- text


written = io.StringIO()


def written_text():
    written.write("line %d of the log\n" % next(numbers) * 50)  # <- written_text


stream = io.BytesIO()


def buffer():
    stream.write(b"x" * 3000)  # <- buffer


class Link:
    __slots__ = ("load", "next")

    def __init__(self, load, following):
        self.load, self.next = load, following


head = None


def chain():
    global head
    head = Link(bytearray(700), head)  # <- chain


document = xml.etree.ElementTree.Element("log")


def opaque_object():
    xml.etree.ElementTree.SubElement(document, "entry").text = "x" * (500 + next(numbers))  # <- opaque_object


sink = io.BytesIO()
pickler = pickle.Pickler(sink)


def memo_of_a_pickler():
    pickler.dump("message %d " % next(numbers) * 60)  # <- memo_of_a_pickler
    sink.seek(0)
    sink.truncate()


contexts = {}


def contexts_of_decimal():
    """A context does not tell the collector what it refers to."""
    contexts[next(numbers)] = decimal.Context()  # <- contexts_of_decimal


event_before = None


def linked_dicts():
    global event_before
    event_before = {"before": event_before, "load": "x" * (500 + next(numbers))}  # <- linked_dicts


def made_names():
    globals()["result_%d" % next(numbers)] = bytearray(700)  # <- made_names


# ---- native code

def extension_free():
    libc.malloc(2000)  # <- extension_free


def extension_decref():
    body = bytearray(2000)  # <- extension_decref
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(body))


def extension_decref_of_a_container():
    body = [number for number in range(300)]  # <- extension_decref_of_a_container
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(body))


tables = []


def make_tables():
    """Native tables of 32 KiB, 75 MiB in all.  Each has the only reference to a text, and does not tell it."""
    for number in range(2400):
        only = "text %d" % number
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(only))
        tables.append((ctypes.c_void_p * 4096)(id(only)))


def too_much_to_search():
    if not tables:
        make_tables()
    body = bytearray(2000)  # <- too_much_to_search
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(body))


short_texts = (ctypes.c_void_p * 4096)()


def texts_in_a_native_table():
    """Not one word of Python's leads to them, but a table of an extension does."""
    number = next(numbers)
    text = "%d!" % number  # <- texts_in_a_native_table
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(text))
    short_texts[number] = id(text)


digests = {}


def native_memory_in_a_dict():
    digests[next(numbers)] = zlib.compressobj()  # <- native_memory_in_a_dict


maps = []


def mapped_memory():
    """Only its object is from an allocator."""
    maps.append(mmap.mmap(-1, 1 << 16))  # <- mapped_memory


connections = []


def native_memory():
    connections.append(sqlite3.connect(":memory:"))  # <- native_memory


cursors = []


def kept_cursors():
    """Each has its statement.  Those that the connection itself keeps are a cache, see caches_that_fill."""
    cursors.append(connection.execute("select %d" % next(numbers)))  # <- kept_cursors


# ---- no leaks

def big_load():
    if next(numbers) == 50:
        return len([{"id": number} for number in range(60000)])


@functools.lru_cache(maxsize=8)
def page(key):
    return ("page %d " % key) * 300


def bounded_cache():
    for _ in range(5):
        page(next(numbers))


recent = collections.deque(maxlen=5)


def bounded_deque():
    recent.append(bytearray(700))


table = None


def replaced_table():
    global table
    table = {"names": [str(number) for number in range(100)], "load": [bytearray(100) for _ in range(100)]}


batch = []


def flushed_batch():
    batch.append(bytearray(700))
    if len(batch) == 5:
        batch.clear()


live = weakref.WeakValueDictionary()


def weak_values():
    watched_object = Watched()
    live[next(numbers)] = watched_object


async def short_task():
    await asyncio.sleep(0)
    return bytearray(1000)


async def short_tasks():
    await asyncio.gather(*(short_task() for _ in range(10)))


def finished_tasks():
    loop.run_until_complete(short_tasks())


fillers, moment = [], datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)


def names_looked_up():
    """Native code looks up "dst" with a new str each time, and the interpreter keeps the names that were looked up last.
    A filler takes the place of a str that was freed, so that the next name has another address."""
    fillers.append(str(100 + next(numbers)))
    moment.timetuple()  # <- names_looked_up


def sum_of(count):
    return sum(tuple(number for number in range(count)))


def tuples_for_reuse():
    """The interpreter keeps freed tuples for the next ones, but no next one has that size when it is made."""
    for _ in range(5):
        sum_of(3)


def main(kind):
    if kind == "cycle":
        gc.disable()
    work = globals()[kind]
    for _ in range(10):
        for _ in range(10):
            work()
        if gc.isenabled() and kind != "cycles_that_wait":
            gc.collect()
        if take(b"round") != 0:
            raise SystemExit("no snapshot was taken")
    gate.set()


main(sys.argv[1])
