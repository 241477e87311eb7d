"""Real programs under a steady load, without a leak and with one in 1 %, 10 % and 100 % of the requests.

usage: real_programs.py SNAPDIFF [sqlite3|python3|redis-server ...]

Without a leak no row may be called leak or container-growth with high confidence; a planted leak must be
the first row, at its line.  Exits 77 when none of the programs is installed.
"""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SNAPSHOTS = 30
INTERVAL_MS = 100
SHARES = (0, 1, 10, 100)

# Line 6 leaks.  sqlite3 and python3 call it; under redis-server it sits in epoll_wait(), which it calls
# for every request.
LEAK_C = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept;
void plant(void) { kept = malloc(48); }
"""
SQLITE_C = LEAK_C + """
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
static void leak(sqlite3_context *context, int count, sqlite3_value **values)
{ (void)count; (void)values; plant(); sqlite3_result_int(context, 1); }
int sqlite3_leak_init(sqlite3 *db, char **error, const sqlite3_api_routines *api)
{ (void)error; SQLITE_EXTENSION_INIT2(api); return sqlite3_create_function(db, "leak", 0, SQLITE_UTF8, 0, leak, 0, 0); }
"""
EPOLL_C = LEAK_C + """
#include <sys/epoll.h>
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	static int (*next)(int, struct epoll_event *, int, int);
	static int share, count;
	if (!next) {
		next = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
		share = atoi(getenv("SHARE"));
	}
	if (count++ % 100 < share) plant();
	return next(epoll, events, most, timeout);
}
"""


def compile_leak(directory, name, source):
    path = os.path.join(directory, name)
    with open(path + ".c", "w", encoding="utf-8") as file:
        file.write(source)
    subprocess.run(["gcc", "-g", "-O1", "-w", "-shared", "-fPIC", path + ".c", "-o", path + ".so", "-ldl"],
                   check=True)
    return path + ".so"


def until():
    return time.monotonic() + SNAPSHOTS * INTERVAL_MS / 1000


def record(snapdiff, directory, command, **options):
    return subprocess.Popen([snapdiff, "run", "-o", directory, "--every", f"{INTERVAL_MS}ms", "--", *command],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def run_sqlite(snapdiff, scratch, directory, share):
    library = compile_leak(scratch, "leak", SQLITE_C)
    chance = random.Random(share)
    with record(snapdiff, directory, ["sqlite3", ":memory:"], stdin=subprocess.PIPE, text=True) as process:
        out = process.stdin
        out.write(f".load {library}\ncreate table t(a integer primary key, b text);\n")
        end = until()
        while time.monotonic() < end:
            for _ in range(20):
                key = chance.randrange(300)
                out.write(f"insert or replace into t values({key}, hex(randomblob(20)));\n"
                          f"select count(*) from t where b > 'A{key}';\n")
                if chance.randrange(100) < share:
                    out.write("select leak();\n")
            out.flush()
            time.sleep(0.002)
        out.close()


PYTHON = """
import ctypes, json, random, sys, time
plant, share, end = ctypes.CDLL(sys.argv[1]).plant, int(sys.argv[2]), time.monotonic() + float(sys.argv[3])
chance = random.Random(1)
while time.monotonic() < end:
    for _ in range(20):
        json.loads(json.dumps({str(i): [i] * 3 for i in range(chance.randrange(5, 40))}))
        if chance.randrange(100) < share:
            plant()
    time.sleep(0.002)
"""


def run_python(snapdiff, scratch, directory, share):
    library = compile_leak(scratch, "leak", LEAK_C)
    environment = dict(os.environ, PYTHONMALLOC="malloc")
    record(snapdiff, directory, ["python3", "-c", PYTHON, library, str(share), str(SNAPSHOTS * INTERVAL_MS / 1000)],
           env=environment).wait()


def redis_command(*words):
    return f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)


def connect(path):
    for _ in range(100):
        try:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            return connection
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("redis-server did not start")


def run_redis(snapdiff, scratch, directory, share):
    library = compile_leak(scratch, "leak", EPOLL_C)
    path = os.path.join(scratch, f"redis{share}")
    environment = dict(os.environ, LD_PRELOAD=library, SHARE=str(share))
    process = record(snapdiff, directory, ["redis-server", "--port", "0", "--unixsocket", path, "--save", "",
                                           "--dir", scratch], env=environment)
    connection = connect(path)
    chance = random.Random(share)
    for key in range(300):
        connection.sendall(redis_command("SET", f"key{key}", "x" * 60).encode())
        connection.recv(4096)
    end = until()
    while time.monotonic() < end:
        for _ in range(20):
            key = chance.randrange(300)
            connection.sendall(redis_command("SET", f"key{key}", "x" * chance.randrange(10, 90)).encode())
            connection.recv(4096)
            connection.sendall(redis_command("GET", f"key{key}").encode())
            connection.recv(4096)
        time.sleep(0.002)
    connection.sendall(redis_command("SHUTDOWN", "NOSAVE").encode())
    connection.close()
    process.wait()


RUNNERS = {"sqlite3": run_sqlite, "python3": run_python, "redis-server": run_redis}


def judge(snapdiff, directory, share):
    done = subprocess.run([snapdiff, "growth", directory, "-f", "json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return False, done.stderr.strip()
    report = json.loads(done.stdout)
    sure = [r for r in report["rows"]
            if r["verdict"] in ("leak", "container-growth") and r["confidence"] == "high"]
    count = len(report["inputs"])
    if share == 0:
        return not sure, f"{count} snapshots; " + (", ".join(r["key"] for r in sure) or "nothing grows for sure")
    first = report["rows"][0]
    found = first["function"] == "plant" and first["line"] == 6 and first["verdict"] == "leak"
    return found, f"{count} snapshots; first row: {first['key']}, {first['verdict']} ({first['confidence']})"


def main():
    snapdiff = os.path.abspath(sys.argv[1])
    names = [n for n in sys.argv[2:] or RUNNERS if shutil.which(n)]
    failed = 0
    if not names:
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            for share in SHARES:
                directory = os.path.join(scratch, f"{name}-{share}")
                RUNNERS[name](snapdiff, scratch, directory, share)
                fine, sentence = judge(snapdiff, directory, share)
                failed += not fine
                print(f"{'ok' if fine else 'FAILED'}: {name}, {share} % leak: {sentence}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
