"""Snapshots for tests, written byte by byte from libsnap/FORMAT.md: nothing of the code under test makes them."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "testdata" / "bad"))
from make import build, chunk, text, varint  # noqa: E402


def zigzag(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def one_site(module, build_id="", address=0x1234, **meta):
    """One live block of 9 bytes, allocated at `address` of `module`."""
    meta = {"seq": "1", "pid": "4242", **meta}
    strings = [b"", b"malloc", str(module).encode(), build_id.encode()]
    return build([
        chunk(b"META", b"".join(text(key.encode()) + text(value.encode()) for key, value in meta.items()), len(meta)),
        chunk(b"STRS", b"".join(map(text, strings)), len(strings)),
        chunk(b"MODS", bytes([2, 3, 0, 0]), 1),
        chunk(b"LOCS", bytes([1, 1]) + zigzag(address) + bytes([0]), 1),
        chunk(b"NODE", bytes([0, 0]), 1),
        # the node, its domain; 9 bytes in 1 block, now and since the start; no cohorts
        chunk(b"SITE", zigzag(1) + bytes([1, 10, 2, 10, 2, 0]), 1),
    ])
