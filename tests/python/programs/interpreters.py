"""A second interpreter keeps what its function makes."""
import ctypes

try:
    import _interpreters as interpreters
except ImportError:  # up to 3.12
    import _xxsubinterpreters as interpreters

CODE = """
history = []


def handle(number):
    history.append("request %d " % number * 60)
"""

take = ctypes.CDLL(None).snap_take_census
second = interpreters.create()
interpreters.run_string(second, CODE)
for n in range(100):
    interpreters.run_string(second, "handle(%d)" % n)
    if n % 10 == 9 and take(b"round") != 0:
        raise SystemExit("no snapshot was taken")
