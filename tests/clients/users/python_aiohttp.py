"""A user of the library aiohttp: python_aiohttp.py URL ORIGIN SUBPROTOCOL"""

import asyncio
import sys

import aiohttp

import lines


async def hear(socket):
    async for message in socket:
        lines.heard(message.data)


async def call(session, url, origin, subprotocol):
    try:
        socket = await session.ws_connect(
            url, origin=origin or None, protocols=[subprotocol] if subprotocol else [], compress=15
        )
    except aiohttp.WSServerHandshakeError as refusal:
        lines.failed(refusal.status)
        return
    lines.opened()
    hearing = asyncio.create_task(hear(socket))

    closes = asyncio.Event()

    async def close(code):
        closes.set()
        if aiohttp.__version__.startswith("3.8."):  # it does not wait for the answer if it has to end this by itself
            hearing.cancel()
        await socket.close(code=code)
        lines.closed(socket.close_code)

    orders = asyncio.create_task(lines.obey(socket.send_str, close))
    await asyncio.wait([hearing])
    if not closes.is_set():
        hearing.result()
        lines.closed(socket.close_code)
    await orders


async def main(url, origin, subprotocol):
    async with aiohttp.ClientSession() as session:
        await call(session, url, origin, subprotocol)


asyncio.run(main(*sys.argv[1:]))
