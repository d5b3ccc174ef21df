"""Clients that behave badly against a server, for tests/soak.sh: bad_clients.py PORT SECONDS

Each tenth of a second one comes: it says what is no HTTP, half a request, a broken frame or no JSON, or resets the connection;
then it stays for a moment. Besides, four pairs of users send each other much that one of them never reads. Every one that
ends is replaced. It uses plain sockets and one thread, and exits with 1 only when the server takes no connections.
"""

import random
import select
import socket
import struct
import sys
import time

REQUEST = (
    b"GET /signal HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SLOW_PAIRS = 4
LONGEST_STAY = 3.0


def frame(first, payload):
    """A frame with a mask of zeros, which leaves the payload as it is."""
    if len(payload) < 126:
        head = struct.pack("!BB", first, 0x80 | len(payload))
    else:
        head = struct.pack("!BBH", first, 0x80 | 126, len(payload))
    return head + b"\0\0\0\0" + payload


def text(message):
    return frame(0x81, message.encode())


BAD = [
    lambda: random.randbytes(random.randrange(1, 4000)),
    lambda: REQUEST[: random.randrange(len(REQUEST))],
    lambda: b"GET /signal HTTP/1.1\r\nHost: " + b"x" * 20000,
    lambda: REQUEST + b"\x81\x02{}",  # no mask
    lambda: REQUEST + frame(0xF1, b"{}"),  # reserved bits
    lambda: REQUEST + struct.pack("!BBQ", 0x81, 0x80 | 127, 1 << 40),
    lambda: REQUEST + frame(0x81, b"\xff\xfe"),
    lambda: REQUEST + b"".join(text("no JSON") for _ in range(40)),
    lambda: REQUEST + frame(0x01, b'{"type":"join","room":"'),  # a message without its end
    lambda: REQUEST + text('{"type":"join","room":"r%d","user":"u"}' % random.randrange(9)),
    lambda: REQUEST + frame(0x88, b"\x03"),
    lambda: REQUEST + b"".join(frame(0x89, b"ping") for _ in range(100)),
]


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    s.setblocking(False)
    return s


def try_send(s, data):
    """False when the connection is gone."""
    try:
        s.send(data)
        return True
    except BlockingIOError:
        return True
    except OSError:
        return False


def drain(s):
    """Read what has come. False at the end."""
    try:
        while select.select([s], [], [], 0)[0]:
            if not s.recv(65536):
                return False
        return True
    except OSError:
        return False


def end(s):
    if random.random() < 0.3:  # a reset, and no end in order
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class SlowPair:
    """Two users of a room, of whom one sends and the other one does not read."""

    def __init__(self, port, number):
        self.port = port
        self.room = "slow%d" % number
        self.sockets = []

    def open(self):
        for user in ("sender", "reader"):
            s = connect(self.port)
            self.sockets.append(s)
            s.send(REQUEST + text('{"type":"join","room":"%s","user":"%s"}' % (self.room, user)))

    def step(self):
        if not self.sockets:
            self.open()
        sender, reader = self.sockets
        signal = text('{"type":"offer","sdp":"%s"}' % ("x" * 20000))
        if not drain(sender) or not all(try_send(sender, signal) for _ in range(4)) or not is_there(reader):
            for s in self.sockets:
                end(s)
            self.sockets = []


def is_there(s):
    """Has the server not reset it?"""
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    until = time.monotonic() + seconds
    pairs = [SlowPair(port, i) for i in range(SLOW_PAIRS)]
    staying = []
    while time.monotonic() < until:
        now = time.monotonic()
        s = connect(port)
        try_send(s, random.choice(BAD)())
        staying.append((now + random.random() * LONGEST_STAY, s))
        for pair in pairs:
            pair.step()
        for due, old in staying:
            if due < now:
                end(old)
        staying = [(due, s) for due, s in staying if due >= now]
        time.sleep(0.1)


main()
