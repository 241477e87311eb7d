"""Hold a known number of blocks of one line, whatever the allocators."""
held = []


def fill(n):
    for i in range(n):
        held.append(bytes(100))
        held.append(bytearray(2000))


fill(1000)
