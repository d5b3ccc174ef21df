"""The lines by which a test and its user speak: see ../user.mjs."""

import asyncio
import base64
import sys


def _tell(*words):
    print(*words, flush=True)


def opened():
    _tell("open")


def failed(status):
    """status: of the HTTP answer, or None where the library does not say."""
    _tell("failed", status if status is not None else "-")


def heard(text):
    _tell("text", base64.b64encode(text.encode()).decode())


def closed(code):
    _tell("close", code)


def orders():
    """Each order of the test's, as ("send", text) or ("close", code), until the test has ended its lines."""
    for line in sys.stdin:
        word, argument = line.split()
        yield word, base64.b64decode(argument).decode() if word == "send" else int(argument)


async def obey(send, close):
    """Do what the test orders, by the coroutines of a library, until it has ended its lines."""
    loop = asyncio.get_running_loop()
    told = orders()
    while order := await loop.run_in_executor(None, next, told, None):
        word, argument = order
        await (send if word == "send" else close)(argument)
