#!/usr/bin/env python3
"""Pickles that are not tracemalloc dumps: exit 3, the offset and the opcode, and nothing else happens."""
import argparse
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import tracemalloc


class Evil:
    def __reduce__(self):
        return os.system, ("touch " + os.path.join(DIRECTORY, "owned"),)


def dump_bytes(traces, protocol=4):
    return pickle.dumps(tracemalloc.Snapshot(traces, 1), protocol)


FRAMES = (("a.py", 1),)
MANY_FRAMES = FRAMES * 5000
GOOD = [(0, 10, FRAMES, 1)]


def cases():
    """(name, bytes, text that the message must have)"""
    yield "code", pickle.dumps(Evil(), 4), "offset"
    yield "code_in_traces", dump_bytes([Evil()]), "offset"
    yield "reduce", b"\x80\x04cos\nsystem\n(S'x'\ntR.", "os.system"
    yield "global", b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"
    yield "builtin", b"\x80\x04cbuiltins\neval\n.", "builtins.eval"
    yield "protocol_0", pickle.dumps(tracemalloc.Snapshot(GOOD, 1), 0), "protocol"
    yield "protocol_9", b"\x80\x09N.", "protocol 9"
    yield "other_opcode", b"\x80\x04\x88.", "opcode 0x88"
    yield "persistent_id", b"\x80\x04Pabc\n.", "opcode 0x50"
    yield "extension", b"\x80\x04\x82\x01.", "opcode 0x82"
    yield "float", b"\x80\x04G" + b"\0" * 8 + b".", "opcode 0x47"
    yield "huge_text", b"\x80\x04X\xff\xff\xff\xff" + b"a" * 8, "ends inside"
    yield "huge_frame", b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.", "inside a frame"
    yield "memo_gap", b"\x80\x04Nr\xff\xff\xff\xff.", "memo"
    yield "memo_missing", b"\x80\x04j\x05\0\0\0.", "remembered"
    yield "not_a_snapshot", b"\x80\x04N.", "Snapshot"
    yield "newobj_arguments", b"\x80\x04ctracemalloc\nSnapshot\nK\x01\x85\x81.", "arguments"
    yield "deep_tuples", b"\x80\x04" + b")" + b"\x85" * 200000 + b".", "Snapshot"
    yield "deep_marks", b"\x80\x04" + b"(" * 5000000 + b".", "opcode"
    yield "self_list", b"\x80\x04]\x94h\x00a.", "Snapshot"
    yield "bad_utf8", b"\x80\x04X\x02\0\0\0\xff\xfe.", "UTF-8"
    yield "number_too_large", b"\x80\x04\x8a\x09" + b"\xff" * 9 + b".", "64 bits"
    yield "negative_size", dump_bytes([(0, -1, FRAMES, 1)]), "negative"
    yield "huge_sum", dump_bytes([(0, 2**63 - 1, FRAMES, 1)] * 2), "2^63"
    yield "frame_as_traceback", dump_bytes([(0, 1, FRAMES[0], 1)]), "not a tuple of frames"
    yield "traceback_as_frame", dump_bytes([(0, 1, FRAMES, 1), (0, 1, (FRAMES,), 1)]), "not (filename, line)"
    yield "line_out_of_range", dump_bytes([(0, 1, (("a", 2**33),), 1)]), "line number"
    yield "trace_is_text", dump_bytes(["x"]), "trace"
    yield "many_domains", dump_bytes([(domain, 1, MANY_FRAMES, 1) for domain in range(100)]), "domains"
    yield "many_frames", dump_bytes([(0, 1, FRAMES * 70000, 1)]), "65535"
    yield "many_lists", b"\x80\x04" + b"]" * 1000 + b".", "lists"
    yield "short_trace", dump_bytes([(0, 1)]), "trace"
    whole = dump_bytes(GOOD)
    for cut in range(2, len(whole)):
        yield "cut_at_%d" % cut, whole[:cut], "offset"


def main():
    global DIRECTORY
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snapdiff")
    parser.add_argument("--write", metavar="DIR", help="write the pickles there, and do nothing else")
    options = parser.parse_args()
    count = 0
    if options.write:
        DIRECTORY = options.write
        for name, data, _ in cases():
            with open(os.path.join(options.write, name), "wb") as file:
                file.write(data)
        return
    with tempfile.TemporaryDirectory() as DIRECTORY:
        path = os.path.join(DIRECTORY, "x.dump")
        for name, data, text in cases():
            with open(path, "wb") as file:
                file.write(data)
            result = subprocess.run([options.snapdiff, "top", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            message = result.stderr.decode("utf-8", "replace")
            if result.returncode != 3 or text not in message or result.stdout or message.count("\n") != 1:
                print("%s: exit %d, stderr %r, stdout %r" % (name, result.returncode, message, result.stdout[:200]))
                sys.exit(1)
            if os.path.exists(os.path.join(DIRECTORY, "owned")):
                print("%s: code was run" % name)
                sys.exit(1)
            count += 1
    print("%d hostile pickles refused" % count)


main()
