"""Two people who call each other, as two browsers do; and one who asks for a page. What went wrong is an exception: Ended,
where the server has told it by an end, a refusal or an error message, and Silent, where nobody was told anything."""
import json
import os
import select
import socket
import ssl
import struct
import time

from frames import first_frame

PATIENCE = 5
CANDIDATES = 4
UPGRADE = (b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
TRUSTING = ssl._create_unverified_context()
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Ended(Exception):
    pass


class Silent(Exception):
    pass


def connect(port, tls):
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return TRUSTING.wrap_socket(plain) if tls else plain
    except TimeoutError as error:
        raise Silent("no answer to the handshake of %s" % ("TLS" if tls else "TCP")) from error
    except OSError as error:
        raise Ended("not connected: %s" % error) from error


class Person:
    def __init__(self, port, tls, name, request=UPGRADE):
        self.name, self.data, self.inbox, self.has_closed = name, b"", [], False
        self.socket = connect(port, tls)
        self.socket.settimeout(PATIENCE)
        self.send_raw(request)
        wait_until(lambda: b"\r\n\r\n" in self.data, [self], "the answer to the upgrade")
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise Ended(head.split(b"\r\n")[0].decode())

    def send_raw(self, data):
        try:
            self.socket.settimeout(PATIENCE)
            self.socket.sendall(data)
        except OSError as error:
            raise Ended("%s can't send: %s" % (self.name, error)) from error

    def send_frame(self, opcode, payload):
        mask = os.urandom(4)
        size = (struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) if len(payload) < 126 else
                struct.pack("!BBH", 0x80 | opcode, 0xFE, len(payload)))
        self.send_raw(size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def send(self, **message):
        self.send_frame(TEXT, json.dumps(message).encode())

    def has_input(self):
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def read(self):
        """Take what is there."""
        try:
            self.socket.settimeout(0)
            got = self.socket.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise Ended("the connection of %s broke: %s" % (self.name, error)) from error
        if got == b"":
            raise Ended("the connection of %s was ended" % self.name)
        self.data += got

    def take_frames(self):
        while first := first_frame(self.data):
            opcode, payload, self.data = first
            self.take(opcode, payload)

    def take(self, opcode, payload):
        if opcode == PING:
            self.send_frame(PONG, payload)
        elif opcode == CLOSE:
            self.has_closed = True
        elif opcode == TEXT:
            message = json.loads(payload)
            if message["type"] == "error":
                raise Ended("%s was told: %s" % (self.name, message["message"]))
            self.inbox.append(message)

    def expect(self, wanted, other):
        """The next message; an end of the other's connection is noticed meanwhile."""
        def is_there():
            self.take_frames()
            other.take_frames()
            for person in (self, other):
                if person.has_closed:
                    raise Ended("%s got a close frame" % person.name)
            return self.inbox

        wait_until(is_there, [self, other], "the %s for %s" % (wanted["type"], self.name))
        got = self.inbox.pop(0)
        if any(got.get(key) != value for key, value in wanted.items()):
            raise AssertionError("%s expected %.80r and got %.80r" % (self.name, wanted, got))

    def await_close(self):
        def has_closed():
            self.take_frames()
            return self.has_closed

        wait_until(has_closed, [self], "the close frame for %s" % self.name)

    def hang_up(self):
        self.send_frame(CLOSE, struct.pack("!H", 1000))
        self.await_close()
        self.socket.close()


def wait_until(is_done, people, what):
    end = time.monotonic() + PATIENCE
    while not is_done():
        left = end - time.monotonic()
        if left <= 0:
            raise Silent("nobody was told anything, waiting for %s" % what)
        ready = [p for p in people if p.has_input()] or select.select(
            people_sockets(people), [], [], left)[0]
        for person in people:
            if person in ready or person.socket in ready:
                person.read()


def people_sockets(people):
    return [person.socket for person in people]


def call(port, tls, room):
    """A whole call: two people join, signal in both directions, and leave. The callee joins late, so the offer is queued."""
    people = []
    try:
        ann = Person(port, tls, "Ann")
        people.append(ann)
        ann.send(type="join", room=room, user="Ann")
        ann.send(type="offer", sdp="o" * 3000)
        bob = Person(port, tls, "Bob")
        people.append(bob)
        bob.send(type="join", room=room, user="Bob")
        bob.expect({"type": "offer", "from": "Ann", "room": room, "sdp": "o" * 3000}, ann)
        bob.send(type="answer", sdp="a" * 2000)
        ann.expect({"type": "answer", "from": "Bob", "sdp": "a" * 2000}, bob)
        for i in range(CANDIDATES):
            ann.send(type="candidate", candidate={"candidate": "a%d" % i, "sdpMid": "0"})
            bob.send(type="candidate", candidate={"candidate": "b%d" % i, "sdpMid": "0"})
        for i in range(CANDIDATES):
            bob.expect({"type": "candidate", "from": "Ann", "candidate": {"candidate": "a%d" % i, "sdpMid": "0"}}, ann)
            ann.expect({"type": "candidate", "from": "Bob", "candidate": {"candidate": "b%d" % i, "sdpMid": "0"}}, bob)
        for person in people:
            person.send(type="leave")
            person.hang_up()
    finally:
        for person in people:
            person.socket.close()


def get(port, path, tls=False):
    """A page, whole."""
    answer = b""
    with connect(port, tls) as s:
        try:
            s.sendall(GET % path)
            while True:
                got = s.recv(65536)
                if got == b"":
                    break
                answer += got
        except TimeoutError as error:
            raise Silent("no answer to GET %s" % path.decode()) from error
        except OSError as error:
            raise Ended("GET %s: %s" % (path.decode(), error)) from error
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise Ended("GET %s: %r" % (path.decode(), answer[:40]))
    if b"Content-Length: %d" % len(body) not in head and b"chunked" not in head:
        raise Ended("GET %s: the page is not whole" % path.decode())
