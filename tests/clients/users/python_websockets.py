"""A user of the library websockets: python_websockets.py URL ORIGIN SUBPROTOCOL"""

import asyncio
import sys

import websockets

import lines


async def main(url, origin, subprotocol):
    try:
        socket = await websockets.connect(url, origin=origin or None, subprotocols=[subprotocol] if subprotocol else None)
    except websockets.InvalidHandshake as refusal:
        answer = getattr(refusal, "response", refusal)  # since version 14, else it is told by the exception itself
        lines.failed(getattr(answer, "status_code", None))
        return
    lines.opened()
    orders = asyncio.create_task(lines.obey(socket.send, socket.close))
    async for text in socket:
        lines.heard(text)
    lines.closed(socket.close_code)
    await orders


asyncio.run(main(*sys.argv[1:]))
