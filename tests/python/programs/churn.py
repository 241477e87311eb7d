"""Threads that make and drop objects of all kinds until some snapshots were taken."""
import pathlib
import os
import threading

data, stop = {}, False


class Kept:
    pass


def churn(number):
    turn = 0
    while not stop:
        turn += 1
        data[number, turn % 3000] = [turn] * (turn % 17)
        data.pop((number, turn * 3 % 3000), None)
        text = {str(i): (i, float(i)) for i in range(20)}
        loop = type("Made", (), {})()
        loop.itself = loop, text


threads = [threading.Thread(target=churn, args=(i,)) for i in range(3)]
for thread in threads:
    thread.start()
kept = [Kept() for _ in range(70000)]
folder = pathlib.Path(os.environ["SNAP_OUT"])
while len(list(folder.glob("*.snap"))) < 3:
    pass
stop = True
for thread in threads:
    thread.join()
print("done")
