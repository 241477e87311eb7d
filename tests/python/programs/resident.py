"""Memory of which the place is known.  `resident.py KIND`."""
import ctypes
import mmap
import sys
import threading

MIB = 1 << 20
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.syscall.restype = ctypes.c_void_p
SYS_MMAP = {"x86_64": 9, "aarch64": 222}
kept = []


def every_second(count, size):
    kept.extend(bytes(size) for _ in range(count))
    del kept[::2]


def small():
    every_second(200000, 367)  # with its header 400 bytes: up to 400 bytes each


def released():
    kept.extend(bytes(367) for _ in range(200000))
    kept.clear()


def large():
    every_second(60000, 1000)


def running():
    """So many blocks were freed that an answer of malloc could take long."""
    for _ in range(2):
        kept.append([{} for _ in range(100000)])
        kept.pop()
    every_second(60000, 1000)
    if libc.snap_take(b"running") != 0:
        raise SystemExit("no snapshot was taken")
    kept.clear()


def running_in_a_thread():
    """Its blocks are in a heap of its own."""
    thread = threading.Thread(target=running)
    thread.start()
    thread.join()


def native():
    ctypes.memset(libc.malloc(40 * MIB), 1, 40 * MIB)


def untouched():
    libc.malloc(40 * MIB)


def only_read():
    """The kernel shows a page of zeros, which takes no memory."""
    block = (ctypes.c_char * (40 * MIB)).from_address(libc.malloc(40 * MIB))
    kept.append(block[::4096])


def unseen():
    number = SYS_MMAP[__import__("os").uname().machine]
    base = libc.syscall(ctypes.c_long(number), ctypes.c_void_p(0), ctypes.c_size_t(40 * MIB), ctypes.c_long(3),
                        ctypes.c_long(0x22), ctypes.c_long(-1), ctypes.c_long(0))
    ctypes.memset(base, 1, 40 * MIB)


def shared():
    kept.append(mmap.mmap(-1, 40 * MIB))
    kept[0].write(b"x" * 40 * MIB)


def stacks():
    event = threading.Event()

    def run():
        deep = ctypes.create_string_buffer(10)
        event.wait()
        return deep
    threads = [threading.Thread(target=run, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()


globals()[sys.argv[1]]()
