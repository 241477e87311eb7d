#!/usr/bin/env python3
"""Read a snapshot file and print its text form.

Written from libsnap/FORMAT.md alone, to prove that it suffices.  As a module: read(path)
returns a dict with meta, strings, modules, locations, nodes, sites (each with its stack,
newest frame first) and totals; anything that contradicts the format raises Damaged.
"""
import ctypes
import ctypes.util
import struct
import subprocess
import sys

NONE = 2**32 - 1
MASK = 2**64 - 1
SECTIONS = ["META", "STRS", "MODS", "LOCS", "NODE", "SITE"]
CHUNK = struct.Struct("<4sIIIIIQQ")
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


class Damaged(Exception):
    """The bytes contradict the format."""


def require(condition, sentence):
    if not condition:
        raise Damaged(sentence)


def _rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK


def _lane(acc, word):
    return _rotate((acc + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed=0):
    at, end = 0, len(data)
    h = (seed + P5) & MASK
    if end >= 32:
        v = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        for a, b, c, d in struct.iter_unpack("<4Q", data[:end - end % 32]):
            v = [_lane(v[0], a), _lane(v[1], b), _lane(v[2], c), _lane(v[3], d)]
        at = end - end % 32
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
    name = ctypes.util.find_library("zstd")
    if not name:
        return subprocess.run(["zstd", "-dc"], input=payload, capture_output=True, check=True).stdout
    zstd = ctypes.CDLL(name)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    out = ctypes.create_string_buffer(size)
    require(zstd.ZSTD_decompress(out, size, payload, len(payload)) == size, "does not inflate")
    return out.raw


class Rows:
    """The raw bytes of a chunk, read from the front."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, size):
        require(self.at + size <= len(self.raw), "row is cut off")
        self.at += size
        return self.raw[self.at - size:self.at]

    def varint(self, below=2**64):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        require((byte or shift == 7) and value < below, "bad varint")
        return value

    def delta(self, base):
        code = self.varint()
        return (base + ((code >> 1) ^ -(code & 1))) & MASK

    def text(self, limit=262144):
        return self.take(self.varint(limit + 1))


def meta_rows(rows, count, snap):
    for _ in range(count):
        key = rows.text(4096)
        snap["meta"][key] = rows.text()


def string_rows(rows, count, snap):
    snap["strings"] += [rows.text() for _ in range(count)]
    require(snap["strings"][0] == b"", "string 0 is not empty")


def module_rows(rows, count, snap):
    strings = len(snap["strings"])
    for _ in range(count):
        snap["modules"].append({"path": rows.varint(strings), "build_id": rows.varint(strings),
                                "base": rows.varint(), "size": rows.varint()})


def location_rows(rows, count, snap):
    strings, address, items = len(snap["strings"]), 0, 0
    for _ in range(count):
        flags, module = rows.varint(2), rows.varint(len(snap["modules"]) + 1) - 1
        if flags:
            address = rows.delta(address)
        frames = [(rows.varint(strings), rows.varint(strings), rows.varint(2**32), rows.varint(2))
                  for _ in range(rows.varint(4097))]
        items += len(frames)
        snap["locations"].append({"module": module, "address": address if flags else None, "frames": frames})
    return items


def node_rows(rows, count, snap):
    location = 0
    for _ in range(count):
        own = len(snap["nodes"])
        back, location = rows.varint(own + 1), rows.delta(location)
        require(location < len(snap["locations"]), "node without location")
        snap["nodes"].append((own - back if back else NONE, location))


def site_rows(rows, count, snap):
    node = items = 0
    for _ in range(count):
        node = rows.delta(node)
        require(node <= len(snap["nodes"]), "site without node")
        site = {"node": node - 1 if node else NONE, "domain": rows.varint(len(snap["strings"]))}
        for key in ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks"):
            figure = rows.varint()
            site[key] = figure - 1 if figure else None
        site["cohorts"], birth = [], 0
        for _ in range(rows.varint(4097)):
            birth = rows.delta(birth)
            site["cohorts"].append((birth, rows.varint(), rows.varint()))
        items += len(site["cohorts"])
        snap["sites"].append(site)
    return items


DECODERS = [meta_rows, string_rows, module_rows, location_rows, node_rows, site_rows]


def chunks(data):
    """(section, flags, rows, items, raw bytes) of every chunk, after checking what surrounds them."""
    require(len(data) >= 96 and data[:8] == b"\x89SNAP\r\n\x1a", "not a snapshot file")
    require(struct.unpack_from("<Q", data, 16)[0] == xxh64(data[:16]), "damaged header")
    require(struct.unpack_from("<HHI", data, 8)[::2] == (1, 0), "unknown version")
    toc_at, digest, checksum, magic = struct.unpack("<QQQ8s", data[-32:])
    require(magic == b"\x89SNAPEND" and checksum == xxh64(data[-32:-16]), "torn: there is no footer")
    section, _, size, _, count, _, _, _ = CHUNK.unpack_from(data, toc_at)
    require(section == b"TOCS" and toc_at + 40 + size + 32 == len(data) and size == 40 * count, "damaged TOCS")
    entries = [CHUNK.unpack_from(data, toc_at + 40 + 40 * i) for i in range(count)]
    at, folded = 24, 0
    for entry in entries + [CHUNK.unpack_from(data, toc_at)]:
        section, flags, stored, raw_size, rows, items, raw_hash, file_hash = entry
        require(CHUNK.unpack_from(data, at) == entry, "table of contents and chunk differ")
        payload = data[at + 40:at + 40 + stored]
        require(xxh64(payload, xxh64(data[at:at + 32])) == file_hash, "damaged chunk")
        require(raw_size <= 1048576 and stored <= raw_size, "chunk too large")
        raw = payload if flags & 2 else inflate(payload, raw_size)
        require(len(raw) == raw_size and xxh64(raw) == raw_hash, "damaged rows")
        at += 40 + stored
        if section != b"TOCS":
            folded = xxh64(struct.pack("<4sIIIQ", section, raw_size, rows, items, raw_hash), folded)
            yield section.decode(), flags, rows, items, raw
    require(at + 32 == len(data) and folded == digest, "digest does not match")


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


def read(path):
    """Everything in the snapshot file `path`, decoded and checked."""
    with open(path, "rb") as file:
        data = file.read()
    snap = {"meta": {}, "strings": [], "modules": [], "locations": [], "nodes": [], "sites": []}
    variances, rank = [], 0
    for section, flags, count, items, raw in chunks(data):
        if section == "VARI":
            variances += list(struct.iter_unpack("<4d", raw))
        elif section in SECTIONS:
            require(SECTIONS.index(section) >= rank, "sections out of order")
            rank, rows = SECTIONS.index(section), Rows(raw)
            require((DECODERS[rank](rows, count, snap) or 0) == items, "item count does not match")
            require(rows.at == len(raw), "bytes are left over")
        else:
            require(not flags & 1, "unknown required section")
    require(len(variances) in (0, len(snap["sites"])), "not one variance for each site")
    for site, variance in zip(snap["sites"], variances):
        site["variance"] = variance
    for site in snap["sites"]:
        site["stack"] = stack_of(snap, site["node"])
    snap["totals"] = {key: sum(site[key] or 0 for site in snap["sites"]) for key in
                      ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks")}
    return snap


def escape(field):
    for plain, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"|", b"\\|")):
        field = field.replace(plain, escaped)
    return field


def text_form(snap):
    """The lines of the text form, as bytes."""
    yield b"#snaptext 1"
    for key, value in snap["meta"].items():
        yield b"@ %s\t%s" % (escape(key), escape(value))
    yield b"live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes..."
    for site in snap["sites"]:
        figures = [site[key] for key in ("live_bytes", "live_blocks", "allocated_bytes", "allocated_blocks")]
        fields = [b"-" if figure is None else b"%d" % figure for figure in figures]
        fields.append(escape(snap["strings"][site["domain"]]))
        fields.append(b",".join(b"%d:%d:%d" % cohort for cohort in site["cohorts"]) or b"-")
        fields += [b"|".join((escape(function), escape(file), b"%d" % line if line else b"", escape(module)))
                   for function, file, line, module in site["stack"]]
        yield b"\t".join(fields)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: snapread.py FILE")
    try:
        for text_line in text_form(read(sys.argv[1])):
            sys.stdout.buffer.write(text_line + b"\n")
    except (Damaged, OSError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
