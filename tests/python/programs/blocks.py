"""Print how many blocks the interpreter counts when a snapshot is taken."""
import ctypes, sys
take = ctypes.CDLL(None).snap_take
blocks = sys.getallocatedblocks()
take(b"blocks")
print(blocks)
