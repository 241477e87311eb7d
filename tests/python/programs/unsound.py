"""Memory that looks like an object, lists that hold no object, objects whose tp_traverse faults: then a census."""
import ctypes
import gc
import struct

TYPE, NAME, BASIC_SIZE, FLAGS, TRAVERSE = 8, 24, 32, 168, 184  # offsets in a type
ITEMS = 24  # offset in a list
UNREADABLE = 16
IS_TYPE, IS_HEAP_TYPE = 1 << 31, 1 << 9


class Kept:
    pass


class Faulty:
    """Its tp_traverse is an address with no code."""


class Other(Faulty):
    """Has the tp_traverse of any class, which names what is in the slot before it calls that of Faulty."""

    __slots__ = ("kept",)


def write(address, word):
    ctypes.c_uint64.from_address(address).value = word


def memory(size, words=()):
    block = ctypes.create_string_buffer(size)
    for offset, word in words:
        struct.pack_into("<Q", block, offset, word)
    return block


# A block whose count is 1, and whose type has the flags of one by chance, because an address stands there.
meta = memory(1024, [(FLAGS, IS_TYPE)])
no_type = memory(1024, [(TYPE, ctypes.addressof(meta)), (NAME, UNREADABLE), (BASIC_SIZE, 16), (FLAGS, IS_HEAP_TYPE)])
no_object = memory(600, [(0, 1), (TYPE, ctypes.addressof(no_type))])
leads_there = memory(600, [(64, ctypes.addressof(no_object))])

gc.disable()
kept = [Kept() for _ in range(1000)]
damaged = [[Kept(), None, Kept()] for _ in range(5)]
faulty = [Faulty() for _ in range(7)]
others = [Other() for _ in range(3)]
for one in faulty + others:
    one.kept = Kept()
last = [Kept() for _ in range(1000)]

traverse = ctypes.c_uint64.from_address(id(Faulty) + TRAVERSE)
items = [ctypes.c_uint64.from_address(ctypes.c_uint64.from_address(id(one) + ITEMS).value + 8) for one in damaged]
before = traverse.value, [item.value for item in items]
traverse.value = UNREADABLE
for i, item in enumerate(items):
    item.value = (UNREADABLE, ctypes.addressof(no_object))[i % 2]
failed = ctypes.CDLL(None).snap_take_census(b"x")
traverse.value = before[0]
for item, word in zip(items, before[1]):
    item.value = word
raise SystemExit(failed)
