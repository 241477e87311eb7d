"""A leak of 200 objects in each of eight rounds, and other objects that are no leak."""
import collections
import ctypes
import sys


class Request:
    def __init__(self, number):
        self.text = "request %d" % number


history = []
recent = collections.deque(maxlen=100)


def handle(number):
    history.append({"request": Request(number)})


def keep_some(number):
    recent.append(Request(number))


step = {"leak": handle, "bounded": keep_some}[sys.argv[1]]
take = ctypes.CDLL(None).snap_take_census
for turn in range(8):
    for each in range(200):
        step(each)
    take(b"round")
