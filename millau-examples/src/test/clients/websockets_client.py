"""Python's websockets: texts of several sizes, and a ping. Arguments: URLs."""

import asyncio
import ssl
import sys

import websockets


async def talk(url):
    context = ssl._create_unverified_context() if url.startswith("wss:") else None
    async with websockets.connect(url, ssl=context) as socket:
        for text in ["one", "größe €", "x" * 100_000]:
            await socket.send(text)
            assert await socket.recv() == text
        await asyncio.wait_for(await socket.ping(), 60)


for address in sys.argv[1:]:
    asyncio.run(talk(address))
print("ok")
