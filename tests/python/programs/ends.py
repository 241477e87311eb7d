"""Hold 20,000 objects to the end, in ways that the interpreter clears one after the other."""
import atexit
import sys

held = [bytes(200) for _ in range(5000)]


class Holder:
    table = [bytes(200) for _ in range(5000)]


def remember():
    remember.more = [bytes(200) for _ in range(5000)]


atexit.register(remember)
sys.held = [bytes(200) for _ in range(5000)]
