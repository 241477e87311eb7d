#!/usr/bin/env python3
"""A file that a snapshot names is looked at before it is opened, and asked for on no network.

The kernel tells which files were opened (inotify), a server of ours whether it was asked.
Needs a C compiler and objcopy for the files that ELF files name.

usage: named_files.py SNAPDIFF [unittest arguments]
"""
import http.server
import os
import pathlib
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

from opens import Opens
from snapshots import one_site

SNAPDIFF = os.path.abspath(sys.argv.pop(1))
ID = "00112233445566778899aabbccddeeff00112233"
PROGRAM = "#include <stdlib.h>\nvoid *kept; int main(void) { kept = malloc(9); return 0; }\n"

RANGES = """
	.section .note.GNU-stack,"",@progbits
	.text
	.globl main
	.type main,@function
main:
	ret
	.size main,.-main
	.section .debug_abbrev,"",@progbits
abbreviations:
	.uleb128 1, 0x11
	.byte 0
	.uleb128 0x55, 0x17, 0x11, 0x1
	.byte 0, 0, 0
	.section .debug_ranges,"",@progbits
list:
	.rept {ranges}
	.quad 1, 2
	.endr
	.quad 0, 0
	.section .debug_info,"",@progbits
	.rept {units}
	.long 20
	.value 4
	.long abbreviations
	.byte 8
	.uleb128 1
	.long list
	.quad main
	.endr
"""


def sanitized():
    """Does the program under test need all of the address space?"""
    return b"__asan_init" in pathlib.Path(SNAPDIFF).read_bytes() or b"__tsan_init" in pathlib.Path(SNAPDIFF).read_bytes()


class NamedFiles(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def top(self, content, *options, **env):
        path = self.home / "hostile.snap"
        path.write_bytes(content)
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache"),
                     "SNAPDIFF_CONFIG": "", **env}
        return subprocess.run([SNAPDIFF, "top", *options, path], env=variables, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)

    def assert_not_opened(self, path, module, build_id=ID):
        with Opens(path) as opens:
            result = self.top(one_site(module, build_id))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(opens.counts, {str(path): 0})

    def compile(self, name="program", *options, source=PROGRAM):
        if not shutil.which("gcc") or not shutil.which("objcopy"):
            self.skipTest("gcc and objcopy are not installed")
        program = self.home / name
        subprocess.run(["gcc", "-xc", "-", "-o", program, f"-Wl,--build-id=0x{ID}", *options], input=source,
                       text=True, check=True, cwd=self.home)
        return program

    def addresses(self, program):
        """Address of main, by which it can be asked for."""
        lines = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout.splitlines()
        return next(int(line.split()[0], 16) for line in lines if line.endswith(" main"))

    # ---- the module itself ----

    def test_the_judge_sees_an_open(self):
        path = self.home / "plain"
        path.touch()
        with Opens(path) as opens:
            path.read_bytes()
        self.assertEqual(opens.counts, {str(path): 1})

    def test_a_pipe_keeps_its_writer(self):
        for name, build_id in (("with_id", ID), ("without_id", "")):
            path = self.home / name
            os.mkfifo(path)
            self.assert_not_opened(path, path, build_id)

    def test_a_link_to_a_pipe_keeps_its_writer(self):
        pipe, link = self.home / "pipe", self.home / "link"
        os.mkfifo(pipe)
        link.symlink_to(pipe)
        self.assert_not_opened(pipe, link)
        (self.home / "directory").symlink_to(self.home)
        self.assert_not_opened(pipe, self.home / "directory" / "pipe")

    def test_a_device_is_not_opened(self):
        path = self.home / "device"
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("only root makes devices")
        self.assert_not_opened(path, path)

    def test_a_socket_is_not_opened(self):
        path = self.home / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            self.assert_not_opened(path, path)

    def test_files_of_the_kernel_are_no_modules(self):
        for name in ("/proc/self/environ", "/proc/self/fd/0", "/sys/kernel/uevent_seqnum"):
            result = self.top(one_site(name, ID))
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(name, result.stderr)

    def test_another_build_is_not_parsed(self):
        program = self.compile()
        broken = bytearray(program.read_bytes())
        broken[40:48] = b"\xff" * 8  # where its sections are said to be
        program.write_bytes(broken)
        result = self.top(one_site(program, "ff" * 20))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("was replaced since", result.stderr)

    # ---- what an ELF file names ----

    def test_a_debug_link_to_a_pipe(self):
        program = self.compile()
        target = self.home / "debug.pipe"
        target.write_bytes(b"x")
        subprocess.run(["objcopy", f"--add-gnu-debuglink={target}", program], check=True)
        target.unlink()
        os.mkfifo(target)
        self.assert_not_opened(target, program)

    def test_a_debug_link_is_followed_to_the_right_build_only(self):
        program, debug = self.compile("program", "-g"), self.home / "program.dbg"
        subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
        subprocess.run(["objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", program], check=True)
        address = self.addresses(debug)
        self.assertIn("main", self.top(one_site(program, ID, address)).stdout)
        other = subprocess.run(["objcopy", "--remove-section", ".note.gnu.build-id", debug], check=False)
        self.assertEqual(other.returncode, 0)
        result = self.top(one_site(program, ID, address), XDG_CACHE_HOME=str(self.home / "empty"))
        self.assertNotIn("main", result.stdout)

    def test_a_split_unit_that_is_a_pipe(self):
        program = self.compile("program", "-g", "-gsplit-dwarf", "-dumpdir", f"{self.home}/unit-")
        units = list(self.home.glob("*.dwo"))
        self.assertEqual(len(units), 1, "the compiler wrote no split unit")
        address = self.addresses(program)
        self.assertIn("<stdin>:2", self.top(one_site(program, ID, address)).stdout)
        units[0].unlink()
        os.mkfifo(units[0])
        self.assert_not_opened(units[0], program)

    # ---- debug information that is made to be expensive ----

    def expensive(self, units, ranges):
        """A program whose every unit has the same long list of ranges: small file, large work."""
        if not shutil.which("gcc"):
            self.skipTest("gcc is not installed")
        source = self.home / "ranges.s"
        source.write_text(RANGES.format(units=units, ranges=ranges))
        program = self.home / f"ranges-{units}"
        subprocess.run(["gcc", "-o", program, source, f"-Wl,--build-id=0x{ID}"], check=True)
        return program

    def test_a_small_file_does_not_take_all_memory(self):
        sound, bomb = self.expensive(1, 10), self.expensive(20000, 20000)
        result = self.top(one_site(sound, ID, self.addresses(sound)))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("main", result.stdout)
        if sanitized():
            self.skipTest("a sanitizer needs more memory than the limit")
        result = self.top(one_site(bomb, ID, self.addresses(bomb)), XDG_CACHE_HOME=str(self.home / "empty"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, f"snapdiff top: warning: no names for module {bomb}: its debug information is "
                         "damaged: reading it takes more memory than a sound file of its size takes\n")
        self.assertIn("+0x", result.stdout)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 400 << 10)  # KiB; without a limit 6 GiB

    # ---- names that are made to take for ever ----

    def test_names_that_take_for_ever_stay_as_they_are(self):
        ordinal = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        # A pack is looked for in a type that refers to its parts twice, 40 levels deep.
        refer = [f"S{str(k // 18 or '')}{ordinal[2 * k % 36]}_E" for k in range(40)]
        pack = "_Z1fIiEvDp" + 40 * "PFv" + "Pi" + "".join(refer)
        # A conversion to a template parameter is read twice, and so is each that is inside.
        conversion = "_ZN1A" + 40 * "cvT_I" + "i" + 40 * "E" + "Ev"
        for name in (pack, conversion):
            source = f'int f(void) __asm__("{name}"); int f(void) {{ return 1; }} int main(void) {{ return f(); }}\n'
            program = self.compile("named", source=source)
            lines = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout.splitlines()
            address = next(int(line.split()[0], 16) for line in lines if line.endswith(" " + name))
            result = self.top(one_site(program, ID, address), "-f", "json")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stderr, f"snapdiff top: warning: functions of module {program} have the names that "
                             "the linker knows: some were made to take long to read\n")
            self.assertIn(name, result.stdout)

    # ---- the network ----

    def ask(self, content, *options):
        """What a debuginfod server of ours is asked for."""
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            # What the client's libraries leave behind is not ours, and LeakSanitizer would change the status.
            result = self.top(content, *options, DEBUGINFOD_URLS=f"http://127.0.0.1:{server.server_port}/",
                              ASAN_OPTIONS="detect_leaks=0")
            server.shutdown()
            thread.join()
        self.assertEqual(result.returncode, 0, result.stderr)
        return asked, result.stderr

    def test_modules_of_other_machines_are_asked_for_on_request_only(self):
        module = self.home / "absent"
        for meta in ({}, {"host": "elsewhere.example"}):
            asked, said = self.ask(one_site(module, ID, **meta))
            self.assertEqual(asked, [])
            self.assertIn("--debuginfod", said)
        try:
            import ctypes
            ctypes.CDLL("libdebuginfod.so.1")
        except OSError:
            self.skipTest("libdebuginfod is not installed: nobody would ask")
        for content, options in ((one_site(module, ID), ["--debuginfod"]),
                                 (one_site(module, "ab" + ID, host=os.uname().nodename), [])):
            asked, _ = self.ask(content, *options)
            self.assertEqual(len(asked), 1, asked)


if __name__ == "__main__":
    unittest.main()
