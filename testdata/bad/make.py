#!/usr/bin/env python3
"""Make the damaged snapshot files of this directory, and expected.tsv, which says for each
with which status the reader must refuse it, at which byte offset, and why.

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
    size = zstd.ZSTD_compress(out, len(out), raw, len(raw), 3)
    return out.raw[:size]


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


# What the reader's sentence must say, so that each file is refused for the fault that it has.
REASONS = {
    "empty": "the file is empty",
    "text": "not a snapshot file",
    "cut-in-magic": "the file ends inside its header",
    "cut-in-header": "the file ends inside its header",
    "cut-after-header": "the file ends before its table of contents",
    "cut-in-chunk-header": "the file ends before its table of contents",
    "cut-in-payload": "the file ends inside the chunk that begins at byte 24",
    "cut-before-toc": "the file ends before its table of contents",
    "cut-in-toc": "the file ends inside its table of contents or footer",
    "cut-in-footer": "the file ends inside its table of contents or footer",
    "zeros-at-the-end": "the file was not written from here on",
    "flip-in-header": "damaged header",
    "flip-in-payload": "its checksum does not match",
    "flip-in-chunk-header": "its checksum does not match",
    "flip-in-toc": "its checksum does not match",
    "flip-in-footer": "damaged table of contents or footer",
    "byte-behind-the-end": "damaged table of contents or footer",
    "major-2": "format version 2.0; this program reads 1.x",
    "header-flag": "header flags of a newer version (0x1)",
    "toc-outside": "the table of contents cannot be at byte 18446744073709551600",
    "toc-in-header": "the table of contents cannot be at byte 8",
    "toc-inside-chunk": "damaged table of contents",
    "wrong-digest": "the digest does not match the table of contents",
    "toc-lacks-a-chunk": "the table of contents lists chunks up to byte 253",
    "unknown-required": "section NEWS is of a newer version and cannot be left out",
    "unknown-chunk-flag": "STRS chunk has flags of a newer version (0x7)",
    "no-rows": "it is empty",
    "no-bytes": "it is empty",
    "too-many-rows": "it announces more rows than it has bytes for",
    "too-many-items": "it announces more rows than it has bytes for",
    "items-without-meaning": "its item count is not 0",
    "raw-size-beyond-1-MiB": "it announces more than 1 MiB",
    "sizes-differ": "its two sizes differ though it is not compressed",
    "stored-larger-than-raw": "it is larger than its rows",
    "payload-beyond-the-end": "it reaches beyond the end of the file",
    "wrong-hash-of-rows": "the checksum of its rows does not match",
    "not-zstd": "it is not exactly one zstd frame",
    "two-frames": "it is not exactly one zstd frame",
    "frame-behind-a-skippable-one": "it is not exactly one zstd frame",
    "inflates-to-more": "it does not inflate to the size it announces",
    "inflates-to-less": "it does not inflate to the size it announces",
    "sections-out-of-order": "its section is out of order or came before",
    "section-twice": "its section is out of order or came before",
    "variances-without-sites": "the VARI chunk before it has no SITE chunk",
    "variances-at-the-end": "the SITE chunks before it have no VARI chunk",
    "variances-only-at-first": "it has no VARI chunk, unlike those before it",
    "variances-only-later": "the SITE chunks before it have no VARI chunk",
    "variances-of-other-sites": "it and its VARI chunk have different row counts",
    "bomb": "the file would inflate beyond all proportion",
    "first-string-not-empty": "row 0 is not the empty string",
    "string-cut-off": "row 1 cannot be decoded",
    "string-size-huge": "row 1 cannot be decoded",
    "string-too-long": "row 1 is longer than the format permits",
    "bytes-left-over": "bytes are left after its last row",
    "key-too-long": "row 0 is longer than the format permits",
    "varint-not-shortest": "row 1 cannot be decoded",
    "varint-beyond-64-bits": "row 0 cannot be decoded",
    "id-beyond-32-bits": "row 0 cannot be decoded",
    "module-without-path": "row 0 refers to a string that does not exist",
    "module-without-build-id": "row 0 refers to a string that does not exist",
    "location-flag": "row 0 has an unknown flag",
    "location-without-module": "row 0 refers to a module that does not exist",
    "location-frame-count": "row 0 has more frames than the format permits",
    "location-items": "its item count does not match its rows",
    "frame-without-function": "row 0 has a frame with an unknown string or flag",
    "frame-without-file": "row 0 has a frame with an unknown string or flag",
    "frame-flag": "row 0 has a frame with an unknown string or flag",
    "node-without-location": "row 1 refers to a location that does not exist",
    "node-negative-location": "row 1 refers to a location that does not exist",
    "node-parent-later": "row 1 refers to a parent that does not exist",
    "node-too-deep": "row 65535 is deeper than the format permits",
    "site-without-node": "row 0 refers to a node that does not exist",
    "site-negative-node": "row 0 refers to a node that does not exist",
    "site-without-domain": "row 0 refers to a string that does not exist",
    "site-cohort-count": "row 0 has more cohorts than the format permits",
    "site-cohorts-cut-off": "row 0 cannot be decoded",
    "variance-nan": "row 0 has a variance that is negative or not a number",
    "variance-negative": "row 0 has a variance that is negative or not a number",
    "variance-infinite": "row 0 has a variance that is negative or not a number",
}


FILES = []


def add(name, data, status, offset=None):
    FILES.append((name + ".snap", data, status, "-" if offset is None else str(offset), REASONS.get(name, "-")))


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
    halves = bytes(50), bytes(49)
    add_with("two-frames", "STRS", chunk(b"STRS", b"".join(halves), 99, flags=REQUIRED,
                                         payload=b"".join(squeeze(half) for half in halves)))
    add_with("frame-behind-a-skippable-one", "STRS",
             chunk(b"STRS", bytes(99), 99, flags=REQUIRED,
                   payload=struct.pack("<II", 0x184d2a50, 4) + b"skip" + squeeze(bytes(99))))
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
        for file_name, data, status, offset, reason in FILES:
            table.write(f"{file_name}\t{status}\t{offset}\t{reason}\n")
            with open(os.path.join(HERE, file_name), "wb") as out:
                out.write(data)
