"""A user of the library tornado: python_tornado.py URL ORIGIN SUBPROTOCOL"""

import asyncio
import sys

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

import lines


async def main(url, origin, subprotocol):
    request = HTTPRequest(url, headers={"Origin": origin} if origin else {})
    try:
        socket = await websocket_connect(
            request, compression_options={}, subprotocols=[subprotocol] if subprotocol else None
        )
    except HTTPClientError as refusal:
        lines.failed(refusal.code)
        return
    lines.opened()

    async def close(code):
        socket.close(code)

    orders = asyncio.create_task(lines.obey(socket.write_message, close))
    while (text := await socket.read_message()) is not None:
        lines.heard(text)
    lines.closed(socket.close_code)
    await orders


asyncio.run(main(*sys.argv[1:]))
