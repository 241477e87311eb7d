#!/usr/bin/env python3
"""Make the damaged snapshot files of this directory, and expected.tsv, which says for each
with which status the reader must refuse it and at which byte offset.

The files are built from libsnap/FORMAT.md, not with our writer, so that each has exactly one
fault: everything else in it, checksums included, is right.
"""
import ctypes
import ctypes.util
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../tests/tools"))
from snapread import CHUNK, xxh64  # noqa: E402

MAGIC, END_MAGIC = b"\x89SNAP\r\n\x1a", b"\x89SNAPEND"
REQUIRED, STORED = 1, 2
CORRUPT, TRUNCATED, VERSION, OK = "corrupt", "truncated", "incompatible version", "ok"


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def text(data):
    return varint(len(data)) + data


def squeeze(raw):
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
    zstd.ZSTD_compress.restype = ctypes.c_size_t
    zstd.ZSTD_compress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    out = ctypes.create_string_buffer(len(raw) + 1024)
    return out.raw[:zstd.ZSTD_compress(out, len(out), raw, len(raw), 3)]


def chunk(section, raw, rows, items=0, flags=REQUIRED | STORED, payload=None, **lies):
    """A chunk as (header fields, payload); `lies` replace what would be true."""
    payload = raw if payload is None else payload
    fields = {"section": section, "flags": flags, "stored": len(payload), "raw_size": len(raw), "rows": rows,
              "items": items, "raw_hash": xxh64(raw)}
    fields.update(lies)
    front = CHUNK.pack(*fields.values(), 0)[:32]
    return front + struct.pack("<Q", xxh64(payload, xxh64(front))), payload


def compressed(section, raw, rows, items=0, **lies):
    return chunk(section, raw, rows, items, flags=REQUIRED, payload=squeeze(raw), **lies)


def header(major=1, minor=0, flags=0):
    front = MAGIC + struct.pack("<HHI", major, minor, flags)
    return front + struct.pack("<Q", xxh64(front))


def build(chunks, head=None, toc=None, footer_lies=None):
    body = b"".join(a + b for a, b in chunks)
    entries = b"".join(a for a, _ in chunks)
    digest = 0
    for front, _ in chunks:
        section, _, _, raw_size, rows, items, raw_hash, _ = CHUNK.unpack(front)
        digest = xxh64(struct.pack("<4sIIIQ", section, raw_size, rows, items, raw_hash), digest)
    toc_front, toc_body = toc or chunk(b"TOCS", entries, len(chunks))
    footer = {"toc": 24 + len(body), "digest": digest}
    footer.update(footer_lies or {})
    front = struct.pack("<QQ", *footer.values())
    return (head or header()) + body + toc_front + toc_body + front + struct.pack("<Q", xxh64(front)) + END_MAGIC


# One sound chunk of each section; a file is a list of them with one replaced.
SOUND = {
    "META": chunk(b"META", text(b"seq") + text(b"1"), 1),
    "STRS": chunk(b"STRS", text(b"") + text(b"malloc"), 2),
    "MODS": chunk(b"MODS", bytes([1, 0, 0, 0]), 1),
    "LOCS": chunk(b"LOCS", bytes([0, 1, 1, 1, 0, 5, 0]), 1, 1),
    "NODE": chunk(b"NODE", bytes([0, 0, 1, 0]), 2),
    "SITE": chunk(b"SITE", bytes([2, 1, 9, 9, 9, 9, 0]), 1),
}
VARI = chunk(b"VARI", struct.pack("<4d", 1, 1, 1, 1), 1, flags=STORED)


def offset_of(chunks, index):
    return 24 + sum(len(a) + len(b) for a, b in chunks[:index])


FILES = []


def add(name, data, status, offset=None):
    FILES.append((name + ".snap", data, status, "-" if offset is None else str(offset)))


def add_with(name, section, replacement, status=CORRUPT):
    """A file whose `section` is replaced; the fault is at that chunk."""
    names = list(SOUND)
    chunks = list(SOUND.values())
    chunks[names.index(section)] = replacement
    add(name, build(chunks), status, offset_of(chunks, names.index(section)))


def add_list(name, chunks, status, index):
    add(name, build(chunks), status, offset_of(chunks, index) if index is not None else None)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1:]


def whole_file_faults():
    sound = build(list(SOUND.values()))
    toc_at = offset_of(list(SOUND.values()), len(SOUND))
    add("sound", sound, OK)
    add("empty", b"", TRUNCATED, 0)
    add("text", b"#snaptext 1\n@ seq\t1\nlive_bytes\n", CORRUPT, 0)
    add("cut-in-magic", sound[:5], TRUNCATED, 5)
    add("cut-in-header", sound[:20], TRUNCATED, 20)
    add("cut-after-header", sound[:24], TRUNCATED, 24)
    add("cut-in-chunk-header", sound[:50], TRUNCATED, 50)
    add("cut-in-payload", sound[:66], TRUNCATED, 66)
    add("cut-before-toc", sound[:toc_at], TRUNCATED, toc_at)
    add("cut-in-toc", sound[:toc_at + 100], TRUNCATED, toc_at + 100)
    add("cut-in-footer", sound[:-1], TRUNCATED, len(sound) - 1)
    strs_at = offset_of(list(SOUND.values()), 1)
    add("zeros-at-the-end", sound[:strs_at] + bytes(len(sound) - strs_at), TRUNCATED, strs_at)
    add("flip-in-header", flip(sound, 9), CORRUPT, 0)
    add("flip-in-payload", flip(sound, strs_at + 43), CORRUPT, strs_at)
    add("flip-in-chunk-header", flip(sound, strs_at + 16), CORRUPT, strs_at)
    add("flip-in-toc", flip(sound, toc_at + 60), CORRUPT, toc_at)
    add("flip-in-footer", flip(sound, len(sound) - 20), CORRUPT, toc_at)
    add("byte-behind-the-end", sound + b"\n", CORRUPT, toc_at)
    add("major-2", build(list(SOUND.values()), head=header(major=2)), VERSION, 8)
    add("minor-7", build(list(SOUND.values()), head=header(minor=7)), OK)
    add("header-flag", build(list(SOUND.values()), head=header(flags=1)), VERSION, 12)
    footer_at = len(sound) - 32
    add("toc-outside", build(list(SOUND.values()), footer_lies={"toc": 2**64 - 16}), CORRUPT, footer_at)
    add("toc-in-header", build(list(SOUND.values()), footer_lies={"toc": 8}), CORRUPT, footer_at)
    add("toc-inside-chunk", build(list(SOUND.values()), footer_lies={"toc": 70}), CORRUPT, 70)
    add("wrong-digest", build(list(SOUND.values()), footer_lies={"digest": 1}), CORRUPT, footer_at)
    short = b"".join(a for a, _ in list(SOUND.values())[:5])
    add("toc-lacks-a-chunk", build(list(SOUND.values()), toc=chunk(b"TOCS", short, 5)), CORRUPT, toc_at)


def chunk_faults():
    strs = text(b"") + text(b"malloc")
    add_with("unknown-required", "MODS", chunk(b"NEWS", b"x", 1), VERSION)
    add_list("unknown-optional", [*SOUND.values(), chunk(b"OBJS", b"x", 1, flags=STORED)], OK, None)
    add_with("unknown-chunk-flag", "STRS", chunk(b"STRS", strs, 2, flags=7), VERSION)
    add_with("no-rows", "STRS", chunk(b"STRS", strs, 0))
    add_with("no-bytes", "STRS", chunk(b"STRS", b"", 1))
    add_with("too-many-rows", "STRS", chunk(b"STRS", strs, 2**32 - 1))
    add_with("too-many-items", "LOCS", chunk(b"LOCS", bytes([0, 1, 0]), 1, 2**32 - 1))
    add_with("items-without-meaning", "STRS", chunk(b"STRS", strs, 2, 1))
    add_with("raw-size-beyond-1-MiB", "STRS", chunk(b"STRS", strs, 2, flags=REQUIRED, raw_size=2**20 + 1))
    add_with("sizes-differ", "STRS", chunk(b"STRS", strs, 2, raw_size=9))
    add_with("stored-larger-than-raw", "STRS", chunk(b"STRS", strs, 2, flags=REQUIRED, raw_size=3))
    add_with("payload-beyond-the-end", "SITE",
             chunk(b"SITE", SOUND["SITE"][1], 1, flags=REQUIRED, stored=10**6, raw_size=2**20))
    add_with("wrong-hash-of-rows", "STRS", chunk(b"STRS", strs, 2, raw_hash=5))
    add_with("not-zstd", "STRS", chunk(b"STRS", bytes(99), 99, flags=REQUIRED, payload=b"no zstd frame"))
    add_with("inflates-to-more", "STRS", compressed(b"STRS", bytes(9999), 99, raw_size=99))
    add_with("inflates-to-less", "STRS", compressed(b"STRS", bytes(99), 99, raw_size=9999))
    swapped = list(SOUND.values())
    swapped[1], swapped[2] = swapped[2], swapped[1]
    add_list("sections-out-of-order", swapped, CORRUPT, 2)
    add_list("section-twice", [*SOUND.values(), SOUND["STRS"]], CORRUPT, 6)
    first = list(SOUND.values())[:5]
    add_list("variances", [*first, VARI, SOUND["SITE"]], OK, None)
    add_list("variances-without-sites", [*first, VARI, VARI, SOUND["SITE"]], CORRUPT, 6)
    add_list("variances-at-the-end", [*SOUND.values(), VARI], CORRUPT, 6)
    add_list("variances-only-at-first", [*first, VARI, SOUND["SITE"], SOUND["SITE"]], CORRUPT, 7)
    add_list("variances-only-later", [*SOUND.values(), VARI, SOUND["SITE"]], CORRUPT, 6)
    two = chunk(b"VARI", bytes(64), 2, flags=STORED)
    add_list("variances-of-other-sites", [*first, two, SOUND["SITE"]], CORRUPT, 6)
    # 11 kB may inflate to 64 MiB and 256 times 11 kB: the 67th MiB is one too many.
    bomb = compressed(b"NODE", bytes(2**20), 2**19)
    add_list("bomb", [*first[:4]] + [bomb] * 80, CORRUPT, 4 + 66)


def row_faults():
    def strs(raw, rows):
        return chunk(b"STRS", raw, rows)

    add_with("first-string-not-empty", "STRS", strs(text(b"a") + text(b"b"), 2))
    add_with("string-cut-off", "STRS", strs(b"\x00\x7fabc", 2))
    add_with("string-size-huge", "STRS", strs(b"\x00" + varint(2**64 - 1), 2))
    add_with("string-too-long", "STRS", compressed(b"STRS", b"\x00" + text(b"x" * 262145), 2))
    add_with("bytes-left-over", "STRS", strs(b"\x00\x00\x00", 2))
    add_with("key-too-long", "META", compressed(b"META", text(b"k" * 4097) + text(b""), 1))
    add_with("varint-not-shortest", "STRS", strs(b"\x00\x81\x00a", 2))
    add_with("varint-beyond-64-bits", "MODS", chunk(b"MODS", bytes([1, 0]) + b"\xff" * 9 + b"\x02\x00", 1))
    add_with("id-beyond-32-bits", "MODS", chunk(b"MODS", varint(2**32) + bytes(3), 1))
    add_with("module-without-path", "MODS", chunk(b"MODS", bytes([2, 0, 0, 0]), 1))
    add_with("module-without-build-id", "MODS", chunk(b"MODS", bytes([0, 2, 0, 0]), 1))
    add_with("location-flag", "LOCS", chunk(b"LOCS", bytes([2, 1, 0]), 1))
    add_with("location-without-module", "LOCS", chunk(b"LOCS", bytes([0, 2, 0]), 1))
    add_with("location-frame-count", "LOCS", chunk(b"LOCS", bytes([0, 1]) + varint(4097), 1))
    add_with("location-items", "LOCS", chunk(b"LOCS", bytes([0, 1, 1, 1, 0, 5, 0]), 1, 0))
    add_with("frame-without-function", "LOCS", chunk(b"LOCS", bytes([0, 1, 1, 2, 0, 5, 0]), 1, 1))
    add_with("frame-without-file", "LOCS", chunk(b"LOCS", bytes([0, 1, 1, 1, 2, 5, 0]), 1, 1))
    add_with("frame-flag", "LOCS", chunk(b"LOCS", bytes([0, 1, 1, 1, 0, 5, 2]), 1, 1))
    add_with("node-without-location", "NODE", chunk(b"NODE", bytes([0, 0, 1, 2]), 2))
    add_with("node-negative-location", "NODE", chunk(b"NODE", bytes([0, 0, 1, 1]), 2))
    add_with("node-parent-later", "NODE", chunk(b"NODE", bytes([0, 0, 2, 0]), 2))
    add_with("node-too-deep", "NODE", compressed(b"NODE", b"\0\0" + b"\1\0" * 65535, 65536))
    add_with("site-without-node", "SITE", chunk(b"SITE", bytes([6, 1, 9, 9, 9, 9, 0]), 1))
    add_with("site-negative-node", "SITE", chunk(b"SITE", bytes([1, 1, 9, 9, 9, 9, 0]), 1))
    add_with("site-without-domain", "SITE", chunk(b"SITE", bytes([2, 2, 9, 9, 9, 9, 0]), 1))
    add_with("site-cohort-count", "SITE", chunk(b"SITE", bytes([2, 1, 9, 9, 9, 9]) + varint(4097), 1))
    add_with("site-cohorts-cut-off", "SITE", chunk(b"SITE", bytes([2, 1, 9, 9, 9, 9, 1, 0]), 1))
    first = list(SOUND.values())[:5]
    for name, value in ("nan", float("nan")), ("negative", -1.0), ("infinite", float("inf")):
        wrong = chunk(b"VARI", struct.pack("<4d", 1, 1, value, 1), 1, flags=STORED)
        add_list("variance-" + name, [*first, wrong, SOUND["SITE"]], CORRUPT, 6)


if __name__ == "__main__":
    whole_file_faults()
    chunk_faults()
    row_faults()
    with open(os.path.join(HERE, "expected.tsv"), "w", encoding="ascii") as table:
        for file_name, data, status, offset in FILES:
            table.write(f"{file_name}\t{status}\t{offset}\n")
            with open(os.path.join(HERE, file_name), "wb") as out:
                out.write(data)
