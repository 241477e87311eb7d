# needs: python3
cat >p.py <<'X'
import multiprocessing as m
def f(x):
    return len([str(i) for i in range(x * 100)])
if __name__ == "__main__":
    for kind in ("fork", "spawn", "forkserver"):
        with m.get_context(kind).Pool(3) as pool:
            print(kind, sum(pool.map(f, range(60))))
X
python3 p.py
