#!/usr/bin/env python3
"""Read a snapshot file and print its text form.

Written from libsnap/FORMAT.md alone, to prove that it suffices; it shares no code with the C reader
and writer, so that tests can hold them against it.  As a module: read(path) returns a dict with meta,
strings, modules, locations, nodes and sites (each with its stack, newest frame first), all text as
bytes, and groups, roots, edges and paths of the graph of holders.  Anything that contradicts the format raises Damaged, with the offset in the file.
"""
import ctypes
import math
import struct
import sys
from collections import namedtuple

NONE = 2**32 - 1
MASK = 2**64 - 1
MAGIC, END_MAGIC = b"\x89SNAP\r\n\x1a", b"\x89SNAPEND"
HEADER, CHUNK, FOOTER = struct.Struct("<8sHHIQ"), struct.Struct("<4sIIIIIQQ"), struct.Struct("<QQQ8s")
Chunk = namedtuple("Chunk", "section flags stored raw rows items raw_hash hash")
REQUIRED, STORED = 1, 2
FIGURES = ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks")
GROUP_FIGURES = ("blocks", "bytes", "direct_blocks", "direct_bytes", "indirect_blocks", "indirect_bytes", "ring_blocks")
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


class Damaged(Exception):
    """The bytes contradict the format."""


def require(condition, at, sentence):
    if not condition:
        raise Damaged(f"at byte {at}: {sentence}")


def _rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def _lane(acc, word):
    return _rotate((acc + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed=0):
    at, end = len(data) - len(data) % 32, len(data)
    h = (seed + P5) & MASK
    if at:
        v = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        for words in struct.iter_unpack("<4Q", data[:at]):
            v = [_lane(x, word) for x, word in zip(v, words)]
        h = sum(_rotate(x, r) for x, r in zip(v, (1, 7, 12, 18))) & MASK
        for x in v:
            h = ((h ^ _lane(0, x)) * P1 + P4) & MASK
    h = (h + end) & MASK
    while end - at >= 8:
        h = (_rotate(h ^ _lane(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if end - at >= 4:
        h = (_rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = _rotate(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def inflate(payload, size):
    """What one zstd frame holds, or None if that is not `size` bytes."""
    zstd, out = ctypes.CDLL("libzstd.so.1"), ctypes.create_string_buffer(size)
    zstd.ZSTD_decompress.restype = zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    capacity, given = ctypes.c_size_t(size), ctypes.c_size_t(len(payload))
    is_one = zstd.ZSTD_findFrameCompressedSize(payload, given) == len(payload)
    return out.raw if is_one and zstd.ZSTD_decompress(out, capacity, payload, given) == size else None


def check_sizes(chunk, at, end):
    """A chunk at `at` can be what its header says, and ends by `end`."""
    require(not chunk.flags & ~(REQUIRED | STORED), at, f"a chunk with unknown flags ({chunk.flags:#x})")
    require(chunk.raw <= 2**20 and chunk.stored <= chunk.raw, at, "a chunk that is too large")
    require(chunk.stored == chunk.raw or not chunk.flags & STORED, at, "a stored chunk with two sizes")
    require(at + CHUNK.size + chunk.stored <= end, at, "a chunk that is longer than its place")


def raw_bytes(data, chunk, at):
    """The rows of the chunk at `at`, which is as announced."""
    payload = data[at + CHUNK.size:at + CHUNK.size + chunk.stored]
    require(data[at:at + CHUNK.size] == CHUNK.pack(*chunk), at, "a chunk that is not as its entry says")
    require(xxh64(payload, xxh64(data[at:at + 32])) == chunk.hash, at, "a chunk with a wrong checksum")
    raw = payload if chunk.flags & STORED else inflate(payload, chunk.raw)
    require(raw is not None, at, f"a chunk that does not inflate to {chunk.raw} bytes")
    require(xxh64(raw) == chunk.raw_hash, at, "rows with a wrong checksum")
    return raw


def find_toc(data):
    """(offset, chunk, digest) of the table of contents; header and footer are sound."""
    require(data and data[:8] == MAGIC[:len(data)], 0, "not a snapshot file")
    require(len(data) >= HEADER.size, len(data), "the file ends inside its header")
    _, major, minor, flags, checksum = HEADER.unpack_from(data)
    require(checksum == xxh64(data[:16]), 0, "damaged header")
    require(major == 1, 8, f"version {major}.{minor} is not known")
    require(flags == 0, 12, f"unknown flags ({flags:#x})")
    end = len(data) - FOOTER.size
    require(end >= HEADER.size + CHUNK.size, len(data), "the file ends before its table of contents")
    at, digest, checksum, magic = FOOTER.unpack_from(data, end)
    require(magic == END_MAGIC and checksum == xxh64(data[end:end + 16]), end, "no sound footer: torn or damaged")
    require(HEADER.size <= at <= end - CHUNK.size, end, f"the table of contents cannot be at byte {at}")
    toc = Chunk._make(CHUNK.unpack_from(data, at))
    check_sizes(toc, at, end)
    require(toc == toc._replace(section=b"TOCS", flags=REQUIRED | STORED, raw=CHUNK.size * toc.rows, items=0)
            and at + CHUNK.size + toc.stored == end, at, "damaged table of contents")
    return at, toc, digest


def chunks(data):
    """[(offset, chunk)] as the table of contents lists them."""
    toc_at, toc, digest = find_toc(data)
    listed, at, folded, inflated = [], HEADER.size, 0, 0
    for entry in CHUNK.iter_unpack(raw_bytes(data, toc, toc_at)):
        chunk = Chunk._make(entry)
        check_sizes(chunk, at, toc_at)
        require(chunk.raw and chunk.rows, at, "an empty chunk")
        inflated += chunk.raw
        require(inflated <= 2**26 + 256 * len(data), at, "the file would inflate beyond all proportion")
        folded = xxh64(struct.pack("<4sIIIQ", chunk.section, *chunk[3:7]), folded)
        listed.append((at, chunk))
        at += CHUNK.size + chunk.stored
    require(at == toc_at, toc_at, f"the table of contents lists chunks up to byte {at}")
    require(folded == digest, len(data) - FOOTER.size, "the digest does not match the table of contents")
    return listed


class Rows:
    """The raw bytes of a chunk, read from the front; the last values are what deltas refer to."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0
        self.items = self.address = self.location = self.node = self.edge = 0

    def take(self, size):
        if size > len(self.raw) - self.at:
            raise Damaged("cut off")
        self.at += size
        return self.raw[self.at - size:self.at]

    def varint(self, most=MASK):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift == 70:
                break
        if value > most or byte >= 0x80 or (byte == 0 and shift > 7):
            raise Damaged(f"a varint of more than {most}, or not in its shortest form")
        return value

    def delta(self, base, most=MASK):
        code = self.varint()
        value = (base + ((code >> 1) ^ -(code & 1))) & MASK
        if value > most:
            raise Damaged(f"{value} where at most {most} is possible")
        return value

    def text(self, most=2**18):
        return self.take(self.varint(most))


def meta_row(rows, snap):
    key = rows.text(2**12)
    snap["meta"][key] = rows.text()


def string_row(rows, snap):
    snap["strings"].append(rows.text())
    if snap["strings"][0]:
        raise Damaged("string 0 is not empty")


def module_row(rows, snap):
    last = len(snap["strings"]) - 1
    snap["modules"].append({"path": rows.varint(last), "build_id": rows.varint(last),
                            "base": rows.varint(), "size": rows.varint()})


def location_row(rows, snap):
    last = len(snap["strings"]) - 1
    has_address, module = rows.varint(1), rows.varint(len(snap["modules"])) - 1
    if has_address:
        rows.address = rows.delta(rows.address)
    frames = [(rows.varint(last), rows.varint(last), rows.varint(2**32 - 1), rows.varint(1))
              for _ in range(rows.varint(4096))]
    rows.items += len(frames)
    snap["locations"].append({"module": module, "address": rows.address if has_address else None,
                              "frames": frames})


def node_row(rows, snap):
    own, depths = len(snap["nodes"]), snap["depths"]
    back = rows.varint(own)
    rows.location = rows.delta(rows.location, len(snap["locations"]) - 1)
    depths.append(depths[own - back] + 1 if back else 1)
    if depths[own] > 65535:
        raise Damaged("a path of more than 65535 nodes")
    snap["nodes"].append((own - back if back else NONE, rows.location))


def variance_row(rows, snap):
    snap["variances"].append(struct.unpack("<4d", rows.take(32)))
    if not all(math.isfinite(value) and value >= 0 for value in snap["variances"][-1]):
        raise Damaged("a variance that is negative or not finite")


def site_row(rows, snap):
    rows.node = rows.delta(rows.node, len(snap["nodes"]))
    site = {"node": rows.node - 1 if rows.node else NONE, "domain": rows.varint(len(snap["strings"]) - 1)}
    for key in FIGURES:
        figure = rows.varint()
        site[key] = figure - 1 if figure else None
    site["cohorts"], birth = [], 0
    for _ in range(rows.varint(4096)):
        birth = rows.delta(birth)
        site["cohorts"].append((birth, rows.varint(), rows.varint()))
    rows.items += len(site["cohorts"])
    site["stack"] = stack_of(snap, site["node"])
    snap["sites"].append(site)


def figure(rows):
    value = rows.varint()
    return value - 1 if value else None


def group_row(rows, snap):
    group = {"kind": rows.varint(2**32 - 1), "label": rows.varint(len(snap["strings"]) - 1)}
    rows.node = rows.delta(rows.node, len(snap["nodes"]))
    group["node"] = rows.node - 1 if rows.node else NONE
    for key in GROUP_FIGURES:
        group[key] = rows.varint()
    for unit in ("blocks", "bytes"):
        if group["direct_" + unit] + group["indirect_" + unit] > group[unit]:
            raise Damaged(f"more unreachable {unit} than {unit}")
    if group["ring_blocks"] > group["indirect_blocks"]:
        raise Damaged("more rings than indirect blocks")
    group["retained_bytes"] = figure(rows)
    snap["groups"].append(group)


def root_row(rows, snap):
    root = {"kind": rows.varint(2**32 - 1), "label": rows.varint(len(snap["strings"]) - 1),
            "module": rows.varint(len(snap["modules"])) - 1, "thread": rows.varint(2**32 - 1)}
    rows.address = root["address"] = rows.delta(rows.address)
    root["size"], root["symbol"] = rows.varint(), rows.varint(len(snap["strings"]) - 1)
    root["offset"], root["retained_bytes"] = rows.varint(), figure(rows)
    snap["roots"].append(root)


def edge_row(rows, snap):
    rows.edge = rows.delta(rows.edge)
    if rows.edge >> 1 >= len(snap["roots" if rows.edge & 1 else "groups"]):
        raise Damaged("an edge from nowhere")
    snap["edges"].append([rows.edge, rows.varint(len(snap["groups"]) - 1), rows.varint(), rows.varint(), rows.varint(),
                          figure(rows), figure(rows)])


def path_row(rows, snap):
    last, address = len(snap["groups"]) - 1, 0
    path = {"group": rows.varint(last), "root": rows.varint(len(snap["roots"])) - 1, "offset": rows.varint(),
            "skipped": rows.varint(), "steps": []}
    for _ in range(rows.varint(64)):
        group = rows.varint(last)
        address = rows.delta(address)
        path["steps"].append((group, address, rows.varint(), rows.varint()))
    rows.items += len(path["steps"])
    snap["paths"].append(path)


# Each section's place in the file, and what reads one of its rows.
SECTIONS = {b"META": (0, meta_row), b"STRS": (1, string_row), b"MODS": (2, module_row), b"LOCS": (3, location_row),
            b"NODE": (4, node_row), b"VARI": (5, variance_row), b"SITE": (5, site_row),
            b"HGRP": (6, group_row), b"HROT": (7, root_row), b"HEDG": (8, edge_row), b"HPTH": (9, path_row)}


def stack_of(snap, node):
    """(function, file, line, module path) of every frame, newest first."""
    stack = []
    while node != NONE:
        node, location = snap["nodes"][node]
        place = snap["locations"][location]
        module = place["module"]
        path = snap["strings"][snap["modules"][module]["path"]] if module >= 0 else b""
        for function, file, line, _ in place["frames"] or [(0, 0, 0, 0)]:
            stack.append((snap["strings"][function], snap["strings"][file], line, path))
    return stack


def add_rows(snap, data, chunk, at):
    """Decode the rows of the chunk at `at`."""
    rows = Rows(raw_bytes(data, chunk, at))
    try:
        for _ in range(chunk.rows):
            SECTIONS[chunk.section][1](rows, snap)
    except Damaged as why:
        raise Damaged(f"at byte {at}: {chunk.section.decode()} chunk, byte {rows.at} of its rows: {why}") from None
    require(rows.at == len(rows.raw), at, "bytes are left behind the rows of a chunk")
    require(rows.items == chunk.items, at, f"a chunk of {rows.items} items that announces {chunk.items}")


def decode(data):
    """Everything in the bytes of a snapshot file, checked."""
    snap = {key: [] for key in ("strings", "modules", "locations", "nodes", "depths", "variances", "sites",
                                 "groups", "roots", "edges", "paths")}
    snap["meta"], sites, variances, last, at = {}, snap["sites"], snap["variances"], 0, 0
    for at, chunk in chunks(data):
        is_known = chunk.section in SECTIONS
        require(is_known or not chunk.flags & REQUIRED, at, f"the section {chunk.section!r} is not known")
        # Variances stand directly before their sites, of all chunks or of none.
        require(chunk.section == b"SITE" or len(variances) == len(sites)
                or (not variances and chunk.section != b"VARI"), at, "variances without their sites")
        if is_known:
            place, last = SECTIONS[chunk.section][0], max(last, SECTIONS[chunk.section][0])
            require(place == last, at, "a section that is out of order")
            add_rows(snap, data, chunk, at)
        require(chunk.section != b"SITE" or len(variances) in (0, len(sites)), at, "not one variance for each site")
    require(len(variances) in (0, len(sites)), at, "variances without their sites")
    for site, variance in zip(sites, variances):
        site["variance"] = variance
    return snap


def read(path):
    """Everything in the snapshot file `path`, checked."""
    with open(path, "rb") as file:
        return decode(file.read())


def escape(field):
    for plain, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"|", b"\\|")):
        field = field.replace(plain, escaped)
    return field


def text_form(snap):
    """The lines of the text form, as bytes."""
    yield b"#snaptext 1"
    for key, value in snap["meta"].items():
        yield b"@ %s\t%s" % (escape(key), escape(value))
    yield "\t".join((*FIGURES, "domain", "cohorts", "frames...")).encode()
    for site in snap["sites"]:
        fields = [b"-" if site[key] is None else b"%d" % site[key] for key in FIGURES]
        fields.append(escape(snap["strings"][site["domain"]]))
        fields.append(b",".join(b"%d:%d:%d" % cohort for cohort in site["cohorts"]) or b"-")
        fields += frames_of(snap, site["node"])
        yield b"\t".join(fields)
    yield from text_of_holders(snap)


def frames_of(snap, node):
    return [b"|".join((escape(function), escape(file), b"%d" % line if line else b"", escape(module)))
            for function, file, line, module in stack_of(snap, node)]


def number(value):
    return b"-" if value is None else b"%d" % value


def text_of_holders(snap):
    """The lines of the graph of holders."""
    strings = snap["strings"]
    for group in snap["groups"]:
        yield b"\t".join([b"%group", b"%d" % group["kind"], *(b"%d" % group[key] for key in GROUP_FIGURES),
                          number(group["retained_bytes"]), escape(strings[group["label"]]),
                          *frames_of(snap, group["node"])])
    for root in snap["roots"]:
        module = strings[snap["modules"][root["module"]]["path"]] if root["module"] >= 0 else b""
        yield b"\t".join([b"%root", b"%d" % root["kind"], b"%d" % root["thread"], b"%#x" % root["address"],
                          b"%d" % root["size"], b"%d" % root["offset"], number(root["retained_bytes"]),
                          escape(strings[root["label"]]), escape(strings[root["symbol"]]), escape(module)])
    for source, to, *figures in snap["edges"]:
        yield b"\t".join([b"%edge", b"%s%d" % (b"r" if source & 1 else b"g", source >> 1), b"g%d" % to,
                          *map(number, figures)])
    for path in snap["paths"]:
        yield b"\t".join([b"%path", b"g%d" % path["group"], b"r%d" % path["root"] if path["root"] >= 0 else b"-",
                          b"%d" % path["offset"], b"%d" % path["skipped"],
                          *(b"g%d:%#x:%d:%d" % step for step in path["steps"])])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: snapread.py FILE")
    try:
        for text_line in text_form(read(sys.argv[1])):
            sys.stdout.buffer.write(text_line + b"\n")
    except (Damaged, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
