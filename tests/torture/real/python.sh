# needs: python3
cat >p.py <<'X'
import json, os, re, sqlite3, subprocess, threading, zlib
def work(n, out):
    rows = [{"id": i, "text": str(i) * (n + 2)} for i in range(30000)]
    out[n] = zlib.crc32(json.dumps(rows).encode())
    subprocess.run(["/bin/echo", "child"], stdout=subprocess.DEVNULL, check=True)
out = {}
threads = [threading.Thread(target=work, args=(n, out)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
db = sqlite3.connect(":memory:"); db.execute("create table t(a, b)")
db.executemany("insert into t values(?, ?)", ((i, "v" * (i % 90)) for i in range(60000)))
print(sorted(out.items()), db.execute("select count(*), sum(length(b)) from t").fetchone())
pid = os.fork()
if not pid:
    os._exit(len(re.findall("7", " ".join(map(str, range(40000))))) % 97)
print(os.waitpid(pid, 0)[1] >> 8)
raise SystemExit(7)
X
python3 p.py
