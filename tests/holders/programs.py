#!/usr/bin/env python3
"""Copies of real programs are made while they work: they behave as they do without us, and do not crash.

programs.py --snapdiff FILE [--copies N] [NAME...]

For each program: its output bare and under N `snap --holders`; how many copies know all registers, and how many do not
because a thread did not stop in time; of the former, how many blocks nothing reaches, at least, at most, and how far two
copies in a row differ.  What the machine lacks is skipped, with a word.
"""
import argparse
import fcntl
import glob
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

options = None
SECONDS = 240
PIPE = 4096

PYTHON = """
import json, hashlib, os, random
random.seed(1)
held, digest = {}, hashlib.sha256()
turn = 0
while turn < 200 or os.path.exists("going"):
    for i in range(200):
        key = random.randrange(20000)
        held[key] = json.loads(json.dumps({"key": key, "list": list(range(key % 30))}))
    turn += 1
    if turn <= 200:
        digest.update(json.dumps(sorted(held)).encode())
print(digest.hexdigest())
"""
SQL_LOAD = "create temp table u as select a, b from t order by a; drop table u;\n"
SQL = """
create table t(id integer primary key, a text, b integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
insert into t select i, hex(i * 7919), i % 977 from n;
create index ta on t(a);
select count(*), sum(length(a)) from t;
select b, count(*), max(a) from t group by b order by b limit 20;
"""


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Failed("the server did not answer")


def recorded(command, out):
    return [options.snapdiff, "run", "-q", "-o", out, "--no-follow", "--exit-snapshot", "none", "--", *command] \
        if out else command


class Batch:
    """A program that reads its input, prints and ends.  While copies are made it goes on until `going` is removed, or while it
    reads `load`, which prints nothing."""

    def __init__(self, command, text=None, waits=False, load=None):
        self.command, self.text, self.waits, self.load = command, text or "", waits, load

    def run(self, directory, out):
        going = os.path.join(directory, "going")
        if out and self.waits:
            open(going, "w", encoding="ascii").close()
        with tempfile.TemporaryFile() as printed:
            with subprocess.Popen(recorded(self.command, out), cwd=directory, stdin=subprocess.PIPE, stdout=printed, text=True,
                                  env=dict(os.environ, PYTHONHASHSEED="0", PYTHONMALLOC="malloc")) as host:
                done = threading.Event()
                feed = threading.Thread(target=self.feed, args=(host.stdin, done if out and self.load else None))
                feed.start()
                copies = make_copies(out, lambda: host.poll() is None) if out else 0
                done.set()
                if os.path.exists(going):
                    os.remove(going)
                feed.join(SECONDS)
                status = host.wait(SECONDS)
            printed.seek(0)
            return (status, printed.read()), copies


    def feed(self, to, done):
        fcntl.fcntl(to, fcntl.F_SETPIPE_SZ, PIPE)
        to.write(self.text)
        to.flush()
        while done and not done.is_set():
            to.write(self.load.ljust(PIPE))  # not many that wait when the last copy is made
            to.flush()
        to.close()


class Server:
    """A server and a client whose answers are a digest."""

    def __init__(self, command, ask, load, stop):
        self.command, self.ask, self.load, self.stop = command, ask, load, stop

    def run(self, directory, out):
        port = free_port()
        with subprocess.Popen(recorded(self.command(directory, port), out), cwd=directory,
                              stdout=subprocess.DEVNULL) as host:
            wait_for_port(port)
            copies = 0
            with subprocess.Popen(self.load(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
                if out:
                    copies = make_copies(out, lambda: host.poll() is None)
                load.terminate()
            answers = self.ask(port)
            self.stop(host, port, directory)
            return (host.wait(60), answers), copies


class Postgres:
    """A server of many processes, which refuses to run as root.  Copies are made of the process that serves the load."""

    ASK = ("create temp table t as select i, md5(i::text) m from generate_series(1, 50000) i;"
           "select count(*), md5(string_agg(m, '' order by i)) from t;"
           "select i % 7, count(*), max(m) from t group by 1 order by 1")
    LOAD = ("select count(*), max(md5(i::text)) from generate_series(1, 2000) i;\n"
            "select string_agg(relname, ',') from pg_class c join pg_attribute a on a.attrelid = c.oid;\n")

    def __init__(self):
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.bin = max(glob.glob("/usr/lib/postgresql/*/bin"), default="")

    def client(self, program, directory, *words, name="ask"):
        return [os.path.join(self.bin, program), "-h", directory, "-U", "postgres", *words, "postgres"], \
            dict(os.environ, PGAPPNAME=name)

    def ask(self, directory, sql):
        command, env = self.client("psql", directory, "-At", "-c", sql)
        return subprocess.run(command, capture_output=True, text=True, env=env)

    def start(self, directory, out):
        data = os.path.join(directory, "data")
        if not os.path.isdir(data):
            if self.user:
                shutil.chown(directory, "postgres")
            subprocess.run([*self.user, self.bin + "/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
                           stdout=subprocess.DEVNULL, check=True)
        command = [self.bin + "/postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"]
        if out:
            command = [options.snapdiff, "run", "-q", "-o", out, "--exit-snapshot", "none", "--", *command]
        return subprocess.Popen([*self.user, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def copy(self, directory):
        """Make copies of the process that serves the load, while it serves it."""
        with open(os.path.join(directory, "load.sql"), "w", encoding="ascii") as load:
            load.write(self.LOAD)
        command, env = self.client("pgbench", directory, "-T", "3600", "-n", "-f", load.name, name="load")
        made = 0
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as client:
            pid = ""
            while not pid and client.poll() is None:
                pid = self.ask(directory, "select pid from pg_stat_activity where application_name = 'load'").stdout.strip()
            while made < options.copies and client.poll() is None:
                done = subprocess.run([*self.user, options.snapdiff, "snap", "--holders", pid], capture_output=True,
                                      text=True, timeout=SECONDS)
                if done.returncode:
                    raise Failed("snap: " + done.stderr)
                made += 1
            client.terminate()
        return made

    def run(self, directory, out):
        with self.start(directory, out) as host:
            for _ in range(600):
                if self.ask(directory, "select 1").returncode == 0:
                    break
                time.sleep(0.1)
            copies = self.copy(directory) if out else 0
            answers = self.ask(directory, self.ASK).stdout
            subprocess.run([*self.user, self.bin + "/pg_ctl", "-D", os.path.join(directory, "data"), "stop", "-m", "fast"],
                           stdout=subprocess.DEVNULL, check=True)
            return (host.wait(60), answers), copies


def make_copies(out, lives):
    """How many of options.copies were made while the program lived."""
    made = 0
    for _ in range(600):
        if os.path.isdir(out) and subprocess.run([options.snapdiff, "status", out], capture_output=True).returncode == 0:
            break
        time.sleep(0.1)
    while made < options.copies and lives():
        done = subprocess.run([options.snapdiff, "snap", "--holders", out], capture_output=True, text=True,
                              timeout=SECONDS)
        if done.returncode and lives():
            raise Failed("snap: " + done.stderr)
        made += done.returncode == 0
    return made


def unreachable(out):
    """Of each copy in order that knows all registers: the blocks that nothing reaches, and all blocks; and how many copies do
    not.  Then a block is held by nothing that only a register holds."""
    counts, unsure = [], 0
    for path in sorted(glob.glob(os.path.join(out, "*.snap"))):
        text = subprocess.run([options.snapdiff, "dump", "-q", path], capture_output=True, text=True, check=True).stdout
        meta = dict(line[2:].split("\t")[:2] for line in text.splitlines() if line.startswith("@ "))
        if "holders.unreachable_blocks" not in meta:
            continue
        if meta["holders.stop"] != "ptrace" or meta["holders.threads_unread"] != "0":
            unsure += 1
            continue
        counts.append((int(meta["holders.unreachable_blocks"]), int(meta["holders.blocks"])))
        if options.sites and counts[-1][0]:
            print(os.path.basename(path), *(line for line in text.splitlines() if line.startswith("%group")
                                            and line.split("\t")[4:7:2] != ["0", "0"]), sep="\n", file=sys.stderr)
    return counts, unsure


def redis_ask(port):
    answers = hashlib.sha256()
    with socket.create_connection(("127.0.0.1", port), 60) as client, client.makefile("rb") as lines:
        for i in range(5000):
            client.sendall(b"SET own:%d value%d\r\nGET own:%d\r\n" % (i, i * 31, i))
            for _ in range(3):
                answers.update(lines.readline())
    return answers.hexdigest()


def redis_stop(host, port, _):
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(b"SHUTDOWN NOSAVE\r\n")
        client.recv(1)


NGINX = """
daemon off; master_process off; pid {0}/pid; error_log {0}/error.log; events {{ }}
http {{ access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d;
  scgi_temp_path {0}/e; server {{ listen 127.0.0.1:{1}; location / {{ return 200 "$request_uri $http_user_agent"; }} }} }}
"""


def nginx_command(directory, port):
    with open(os.path.join(directory, "nginx.conf"), "w", encoding="ascii") as conf:
        conf.write(NGINX.format(directory, port))
    return ["nginx", "-p", directory, "-e", os.path.join(directory, "error.log"), "-c",
            os.path.join(directory, "nginx.conf")]


def nginx_ask(port):
    answers = hashlib.sha256()
    for i in range(500):
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            client.sendall(b"GET /%d HTTP/1.0\r\nUser-Agent: asker\r\n\r\n" % i)
            answer = b""
            while part := client.recv(65536):
                answer += part
            answers.update(answer.split(b"\r\n\r\n", 1)[1])
    return answers.hexdigest()


def nginx_load(port):
    code = ("import socket\nwhile 1:\n with socket.create_connection(('127.0.0.1', %d)) as s:\n"
            "  s.sendall(b'GET /load HTTP/1.0\\r\\n\\r\\n')\n  while s.recv(65536): pass\n" % port)
    return [sys.executable, "-c", code]


PROGRAMS = {
    "redis-server": Server(
        lambda directory, port: ["redis-server", "--port", str(port), "--save", "", "--dir", directory], redis_ask,
        lambda port: ["redis-benchmark", "-p", str(port), "-t", "set,lpush,hset", "-r", "50000", "-l", "-q"], redis_stop),
    "nginx": Server(nginx_command, nginx_ask, nginx_load, lambda host, port, directory: end_nginx(directory)),
    "sqlite3": Batch(["sqlite3", ":memory:"], SQL, load=SQL_LOAD),
    "postgres": Postgres(),
    "python3": Batch([sys.executable, "-c", PYTHON], waits=True),
}


def end_nginx(directory):
    with open(os.path.join(directory, "pid"), encoding="ascii") as pid:
        os.kill(int(pid.read()), 15)


def run_one(name):
    program = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="snap-holders-") as directory:
        out = os.path.join(directory, "snaps")
        bare, _ = program.run(directory, None)
        watched, copies = program.run(directory, out)
        if watched != bare:
            raise Failed(f"{watched!r} under copies, {bare!r} bare")
        counts, unsure = unreachable(out)
        if not counts:
            raise Failed(f"there is no copy that knows all registers, and {unsure} others")
        lost = [blocks for blocks, _ in counts]
        step = max((abs(a - b) for a, b in zip(lost, lost[1:])), default=0)
        print("| %s | %d | %d | %s | %s - %s | %s |" % (name, len(counts), unsure, format(counts[-1][1], ","), format(min(lost), ","),
                                                format(max(lost), ","), format(step, ",")), flush=True)


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapdiff", required=True)
    parser.add_argument("--copies", type=int, default=50)
    parser.add_argument("--sites", action="store_true", help="print the groups that have unreachable blocks")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(PROGRAMS))
    options = parser.parse_args()
    options.snapdiff = os.path.abspath(options.snapdiff)
    failures = 0
    print("| Program | copies | without a register | blocks at the last | unreachable blocks | most between two in a row |\n"
          "|---|---:|---:|---:|---:|---:|", flush=True)
    for name in options.names or PROGRAMS:
        if not shutil.which(name):
            print(f"skipped: {name} is not installed")
            continue
        try:
            run_one(name)
        except (Failed, subprocess.SubprocessError, OSError) as error:
            failures += 1
            print(f"FAILED: {name}: {error}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
