"""Children of each kind hold 5,000 objects of line 11 when they end."""
import multiprocessing
import os
import subprocess
import sys

held = []


def fill():
    held.append([bytes(200) for _ in range(5000)])


def fill_in_pool(_):
    if not held:
        fill()
    return os.getpid()


if __name__ == "__main__":
    child = os.fork()
    if child == 0:
        fill()
        os._exit(0)
    pids = {"fork": [child]}
    os.waitpid(child, 0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pids["pool"] = sorted(set(pool.map(fill_in_pool, range(20), chunksize=1)))
        pool.close()
        pool.join()
    for kind in ("spawn", "forkserver"):
        process = multiprocessing.get_context(kind).Process(target=fill)
        process.start()
        process.join()
        pids[kind] = [process.pid]
    process = subprocess.Popen([sys.executable, "-c", "import children; children.fill()"])
    process.wait()
    pids["subprocess"] = [process.pid]
    import json
    print(json.dumps(pids))
