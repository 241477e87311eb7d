#!/usr/bin/env python3
"""The rooms of the house and the doors between them.

Checks the source and a build of it:
  - a file includes only headers of its own directory and of those that ARROWS allows;
  - no files include each other in a circle; a source file and its header are one (CIRCLES names what is left);
  - a third-party header is included in few rooms alone (ALLOWED_IN);
  - no room of the analyst ends the program (ENDINGS), and memory_need() stays in its rooms (MAY_USE_DOOR);
  - no static library uses a symbol that a library defines to which no arrow leads;
  - libsnap.so asks its host for nothing but the symbols listed in libsnap.symbols.

usage: layering.py SOURCE_DIR [BUILD_DIR]
"""

import pathlib
import re
import subprocess
import sys

# Who may know whom.  Every room may know itself and the public headers, `snap`.
ARROWS = {
    # What depends on the processor, and on nothing else.
    "libsnap/arch": set(),
    "libsnap/format": set(),
    "libsnap/write": {"libsnap/format"},
    "libsnap/read": {"libsnap/format"},
    "libsnap/image": {"libsnap/arch", "libsnap/write"},
    "libsnap/runtime": {"libsnap/arch", "libsnap/format", "libsnap/write", "libsnap/image"},
    "libsnap/preload": {"libsnap/arch", "libsnap/runtime", "libsnap/image", "libsnap/write"},
    "libsnap/static": {"libsnap/runtime"},
    # Errors, hash tables, arrays: what every room of the analyst may use.
    "cmd/base": {"libsnap/format"},
    # The digest of a model is the checksum of the format; nothing else of libsnap is known there.
    "cmd/model": {"cmd/base", "libsnap/format"},
    "cmd/cli": {"cmd/base"},
    # The board is what both sides of a run map.
    "cmd/capture": {"cmd/base", "libsnap/image", "libsnap/format"},
    "cmd/input": {"cmd/base", "cmd/model", "libsnap/format", "libsnap/read", "libsnap/write"},
    "cmd/symbols": {"cmd/base", "cmd/model"},
    "cmd/store": {"cmd/base", "cmd/model"},
    "cmd/snapshots": {"cmd/base", "cmd/model", "cmd/input", "cmd/symbols", "cmd/store"},
    "cmd/dataset": {"cmd/base", "cmd/model", "cmd/store"},
    "cmd/analysis": {"cmd/base", "cmd/model", "cmd/dataset"},
    "cmd/report": {
        "cmd/base", "cmd/model", "cmd/cli", "cmd/store", "cmd/snapshots", "cmd/dataset", "cmd/analysis",
    },
    "cmd/render": {"cmd/base", "cmd/model", "cmd/cli", "cmd/report"},
    "cmd/browse": {"cmd/base", "cmd/cli", "cmd/report", "cmd/render"},
    # Python's own statistics have output of their own, byte for byte.
    "cmd/tracemalloc": {"cmd/base", "cmd/cli", "cmd/model", "cmd/input", "cmd/report", "cmd/render"},
    "cmd": {
        "cmd/base", "cmd/model", "cmd/cli", "cmd/capture", "cmd/input", "cmd/symbols", "cmd/store",
        "cmd/snapshots", "cmd/dataset", "cmd/analysis", "cmd/report", "cmd/render", "cmd/browse", "cmd/tracemalloc",
    },
}

# Which rooms, or folders of a room, may include headers that match.
ALLOWED_IN = {
    r"sqlite3(ext)?\.h": {"cmd/store/sqlite"},
    r"zstd(_errors)?\.h": {"libsnap/write", "libsnap/read", "cmd/input"},
    r"n?curses\.h": {"cmd/browse"},
    r"(histedit|editline/.*)\.h": {"cmd"},
    r"ini\.h": {"cmd/analysis/policy"},
    r"zlib\.h": {"cmd/input", "cmd/render", "cmd/symbols"},
    r"(cjson/)?cJSON\.h": {"cmd/render", "cmd/input"},
    r"(elfutils/.*|dwarf|libelf|gelf)\.h": {"cmd/symbols"},
    r"libiberty/.*": {"cmd/symbols"},
    r"Python\.h": {"libsnap/runtime"},
    r"libunwind.*\.h": {"libsnap/runtime"},
    r"criterion/.*": set(),
}

# Rooms that still have circles: libsnap works inside another program, and its parts call each other as hooks.
CIRCLES = {"libsnap/runtime", "libsnap/preload"}

# No room ends the program; files of commands may, in signal handlers.  The files that are named here end a child
# process of their own, or are the exception that base/memory.h describes.
ENDINGS = re.compile(r"\b(exit|_exit|_Exit|quick_exit|abort|exit_group)\s*\(")
MAY_END = {"cmd/base/memory.c", "cmd/capture/launch.c", "cmd/capture/peer.c",
           "cmd/symbols/worker_child.c"}

# The door: which rooms may use memory_need().  In symbols/ it is the door of a child, which reads one module.
DOOR = re.compile(r"\bmemory_need\s*\(")
MAY_USE_DOOR = {"cmd/base", "cmd/model", "cmd/symbols", "cmd/analysis", "cmd/report", "cmd/render"}

# Names of static libraries, and the room that each is.
LIBRARIES = {
    "snaparch": "libsnap/arch",
    "snapformat": "libsnap/format",
    "snapimage": "libsnap/image",
    "snapwrite": "libsnap/write",
    "snapread": "libsnap/read",
    "snapruntime": "libsnap/runtime",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def room_of(path):
    """The room that a source file, relative to the source directory, lives in; None outside the house."""
    parts = path.parts
    if parts[0] == "include":
        return "snap"
    if parts[0] == "libsnap":
        return "/".join(parts[:2]) if len(parts) > 2 else None
    if parts[0] == "cmd":
        return "/".join(parts[:2]) if len(parts) > 2 else "cmd"
    return None


def room_of_include(name):
    """The room that a quoted include names; None for a file beside the one that includes it."""
    first = name.split("/")[0]
    if "/" not in name:
        return None
    if first == "snap":
        return "snap"
    for prefix in ("libsnap/", "cmd/"):
        if prefix + first in ARROWS:
            return prefix + first
    return "unknown"


def house_files(source):
    for top in ("include", "libsnap", "cmd"):
        for path in sorted((source / top).rglob("*")):
            if path.suffix in (".c", ".h", ".cc", ".S", ".def"):
                yield path.relative_to(source)


def check_includes(source):
    for path in house_files(source):
        room = room_of(path)
        if room is None or (room != "snap" and room not in ARROWS):
            yield f"{path}: lives in no known room"
            continue
        text = (source / path).read_text(errors="replace")
        for quoted, angled in INCLUDE.findall(text):
            yield from check_include(path, room, quoted, angled)


def check_include(path, room, quoted, angled):
    if quoted:
        target = room_of_include(quoted)
        if target == "unknown":
            yield f"{path}: includes \"{quoted}\", which is in no known room"
        elif target not in (None, "snap", room) and target not in ARROWS.get(room, set()):
            yield f"{path}: includes \"{quoted}\", but no arrow leads from {room} to {target}"
    for pattern, allowed in ALLOWED_IN.items():
        if re.fullmatch(pattern, quoted or angled) and not allowed & {room, path.parent.as_posix()}:
            only = ", ".join(sorted(allowed)) or "tests"
            yield f"{path}: includes <{quoted or angled}>, which only {only} may include"


def included_units(source, path, known):
    """The files, without their endings, that a file includes."""
    for quoted, _ in INCLUDE.findall((source / path).read_text(errors="replace")):
        beside = [path.parent / quoted] if "/" not in quoted else []
        for target in [*beside, *(pathlib.Path(top) / quoted for top in ("cmd", "libsnap"))]:
            if target in known:
                yield target.with_suffix("")


def include_graph(source):
    known = set(house_files(source))
    graph = {}
    for path in known:
        if room_of(path) not in CIRCLES:
            graph.setdefault(path.with_suffix(""), set()).update(included_units(source, path, known))
    return graph


def without_ends(graph):
    """What is left when all that include nothing that is left are taken out: circles, and what leads to them."""
    left = {unit: {other for other in others if other != unit} for unit, others in graph.items()}
    while ends := [unit for unit, others in left.items() if not others & left.keys()]:
        for unit in ends:
            del left[unit]
    return left


def check_circles(source):
    left = without_ends(include_graph(source))
    while left:
        way = [next(iter(sorted(left)))]
        while way[-1] not in way[:-1]:
            way.append(min(left[way[-1]] & left.keys()))
        circle = way[way.index(way[-1]):]
        yield "a circle of includes: " + " -> ".join(str(unit) for unit in circle)
        for unit in circle[:-1]:
            left.pop(unit, None)
        left = without_ends(left)


COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', re.DOTALL)


def check_endings(source):
    """No room of the analyst ends the program, and few may use the door that does."""
    for path in house_files(source):
        if path.parts[0] != "cmd":
            continue
        text = COMMENT_OR_TEXT.sub(" ", (source / path).read_text(errors="replace"))
        if room_of(path) != "cmd" and path.as_posix() not in MAY_END:
            for name in sorted(set(ENDINGS.findall(text))):
                yield f"{path}: calls {name}(), which no room may"
        if room_of(path) not in MAY_USE_DOOR and DOOR.search(text):
            yield f"{path}: calls memory_need(); in {room_of(path)} running out of memory is an error that travels"


def nm(*arguments):
    result = subprocess.run(["nm", *arguments], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def symbols_of(archive):
    """(defined, undefined) names of a static library."""
    defined, undefined = set(), set()
    for line in nm("-g", str(archive)):
        fields = line.split()
        if len(fields) == 3 and fields[1] not in "Uwv":
            defined.add(fields[2])
        elif len(fields) == 2 and fields[0] in "Uwv":
            undefined.add(fields[1])
    return defined, undefined - defined


def archives(build):
    for path in sorted((build / "lib").glob("lib*.a")):
        name = path.stem[3:]
        room = LIBRARIES.get(name) or ("cmd/" + name[4:] if name.startswith("cmd_") else None)
        if room in ARROWS:
            yield room, path


def check_archives(build):
    tables = {room: symbols_of(path) for room, path in archives(build)}
    for room, (_, undefined) in tables.items():
        for other, (defined, _) in tables.items():
            if other == room or other in ARROWS[room]:
                continue
            for name in sorted(undefined & defined):
                yield f"{room}: uses {name} of {other}, but no arrow leads there"


def check_library(source, build):
    """libsnap.so is a guest: every symbol it takes from its host's process is on a reviewed list."""
    library = build / "lib" / "libsnap.so"
    if not library.exists():
        return
    listed = {
        line.split("#")[0].strip()
        for line in (source / "tests/tools/libsnap.symbols").read_text().splitlines()
    } - {""}
    wanted = {line.split()[-1].split("@")[0] for line in nm("-D", "-u", str(library))}
    for name in sorted(wanted - listed):
        yield f"libsnap.so: uses {name}, which libsnap.symbols does not list"


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    source = pathlib.Path(arguments[0])
    faults = [*check_includes(source), *check_circles(source), *check_endings(source)]
    if len(arguments) == 2:
        build = pathlib.Path(arguments[1])
        faults += check_archives(build)
        faults += check_library(source, build)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
