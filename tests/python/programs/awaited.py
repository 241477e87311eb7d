"""A service of asyncio whose state only main()'s variable leads to: sessions and tasks stay, and a thread takes the snapshots
while all coroutines wait."""
import asyncio
import ctypes
import sys

take = ctypes.CDLL(None).snap_take_census


class Session:
    def __init__(self, user):
        self.basket = bytes(2000 + user % 7)


class Service:
    def __init__(self):
        self.by_token = {}
        self.waiting = set()
        self.ready = asyncio.Event()

    async def wait_for_item(self, number):
        message = bytearray(3000)
        await self.ready.wait()
        return message, number

    def visit(self, step):
        for user in range(100 * step, 100 * step + 100):
            self.by_token[user] = Session(user)
            self.waiting.add(asyncio.ensure_future(self.wait_for_item(user)))

    async def close(self):
        self.ready.set()
        await asyncio.gather(*self.waiting)


def take_one():
    if take(b"step") != 0:
        sys.exit("no snapshot was taken")


async def main():
    service = Service()
    loop = asyncio.get_running_loop()
    for step in range(10):
        service.visit(step)
        await asyncio.sleep(0)
        await loop.run_in_executor(None, take_one)
    await service.close()


async def outer():
    await main()


asyncio.run(outer())
