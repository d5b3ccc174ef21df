"""Many clients of version 1 in one thread. Each says numbers, and must hear those of the other one of its room: each once, in
order, and without a gap where nothing may be lost."""
import json
import select
import socket
import struct
import time

from frames import first_frame

UPGRADE = (b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MASK = b"\0\0\0\0"  # is a mask as any other, and changes nothing
BACKLOG = 100  # connections that are opened at the same time


class Wrong(Exception):
    """What must not happen has happened."""


def frame(opcode, payload):
    if len(payload) < 126:
        return struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) + MASK + payload
    return struct.pack("!BBH", 0x80 | opcode, 0xFE, len(payload)) + MASK + payload


class Client:
    """One user in one room. `heard` has for each user the last number that has come from it."""

    def __init__(self, crowd, port, room, user, may_lose=False):
        self.crowd, self.port, self.room, self.user, self.may_lose = crowd, port, room, user, may_lose
        self.said, self.heard, self.data, self.error, self.code, self.is_open = 0, {}, b"", None, None, False
        self.output, self.lost, self.pongs = b"", 0, 0
        self.is_over = False
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        crowd.add(self)
        self.send_raw(UPGRADE)

    def __repr__(self):
        return "%s in %s at port %d" % (self.user, self.room, self.port)

    def send_raw(self, data):
        self.output += data
        if self.is_over:
            return
        try:
            self.output = self.output[self.socket.send(self.output):]
        except BlockingIOError:
            pass
        except OSError:
            self.end()
        if self.output and not self.is_over:
            self.crowd.watch(self, True)

    def send(self, **message):
        self.send_raw(frame(TEXT, json.dumps(message).encode()))

    def join(self):
        self.send(type="join", room=self.room, user=self.user)

    def say(self):
        """The next number."""
        self.said += 1
        self.send(type="candidate", candidate={"number": self.said})

    def close(self):
        self.end()

    def end(self):
        if not self.is_over:
            self.is_over = True
            self.crowd.remove(self)
            self.socket.close()

    def on_ready(self, events):
        if events & select.EPOLLOUT:
            self.crowd.watch(self, False)
            self.send_raw(b"")
        if self.is_over or not events & ~select.EPOLLOUT:
            return
        try:
            got = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            got = b""
        if got == b"":
            self.end()
            return
        self.data += got
        self.take_input()

    def take_input(self):
        if not self.is_open:
            head, end, rest = self.data.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                raise Wrong("%r: %s" % (self, head.split(b"\r\n")[0].decode()))
            self.data, self.is_open = rest, True
        while first := first_frame(self.data):
            opcode, payload, self.data = first
            self.take(opcode, payload)

    def take(self, opcode, payload):
        if opcode == PING:
            self.send_raw(frame(PONG, payload))
        elif opcode == PONG:
            self.pongs += 1
        elif opcode == CLOSE:
            self.code = struct.unpack("!H", payload[:2])[0]
            self.send_raw(frame(CLOSE, payload[:2]))
            self.end()
        elif opcode == TEXT:
            message = json.loads(payload)
            if message["type"] == "error":
                self.error = message["message"]
            else:
                self.take_number(message)

    def take_number(self, message):
        who, number = message["from"], message["candidate"]["number"]
        last = self.heard.get(who, 0)
        if message["room"] != self.room or who == self.user:
            raise Wrong("%r heard what is not for it: %r" % (self, message))
        if number <= last:
            raise Wrong("%r heard %d of %s after %d" % (self, number, who, last))
        if number != last + 1 and not self.may_lose:
            raise Wrong("%r heard %d of %s after %d: something is lost" % (self, number, who, last))
        self.lost += number - last - 1
        self.heard[who] = number


class Crowd:
    def __init__(self):
        self.poll, self.clients = select.epoll(), {}

    def add(self, client):
        self.clients[client.socket.fileno()] = client
        self.poll.register(client.socket, select.EPOLLIN)

    def watch(self, client, is_full):
        self.poll.modify(client.socket, select.EPOLLIN | (select.EPOLLOUT if is_full else 0))

    def remove(self, client):
        self.poll.unregister(client.socket)
        del self.clients[client.socket.fileno()]

    def open(self, places):
        """A client for each (port, room, user), which has not joined."""
        made = []
        for port, room, user in places:
            made.append(Client(self, port, room, user))
            if len(made) % BACKLOG == 0:
                self.await_open(made)
        self.await_open(made)
        return made

    def await_open(self, clients):
        self.until(lambda: all(c.is_open for c in clients), 20, lambda: "some are not let in")

    def turn(self, wait):
        """Take what is there, or wait for it."""
        for fd, events in self.poll.poll(wait):
            client = self.clients.get(fd)
            if client is not None:
                client.on_ready(events)

    def until(self, is_done, seconds, describe, each=None, pause=0.05):
        """Go on until `is_done`, and call `each` again and again. Returns how long that took."""
        began = due = time.monotonic()
        while not is_done():
            now = time.monotonic()
            if now - began > seconds:
                raise Wrong("%s, after %.1f s" % (describe(), seconds))
            if each is not None and now >= due:
                each()
                due = now + pause
            self.turn(0.05)
        return time.monotonic() - began

    def run(self, seconds, each=None):
        """Go on for so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + 1, lambda: "too slow", each)

    def meet(self, pairs, seconds):
        """Each of a pair says a number, and both must hear the other's. Returns how long that took, of the last pair."""
        for a, b in pairs:
            a.say()
            b.say()
        return self.await_met(pairs, seconds)

    def await_met(self, pairs, seconds):
        """Until each of a pair has heard all of the other."""
        left = list(pairs)

        def is_done():
            left[:] = [(a, b) for a, b in left if a.heard.get(b.user) != b.said or b.heard.get(a.user) != a.said]
            return not left

        return self.until(is_done, seconds, lambda: "%d of %d pairs have not met, as %s" % (
            len(left), len(pairs), ", ".join(describe(c) for c in left[0])))

    def meet_again(self, pairs, seconds):
        """The same where what they say may be lost: they go on until each has heard something."""
        left = [(a, b, a.said, b.said) for a, b in pairs]

        def find_left():
            return [(a, b, n, m) for a, b, n, m in left if a.heard.get(b.user, 0) <= m or b.heard.get(a.user, 0) <= n]

        def go_on():
            left[:] = find_left()
            for a, b, _, _ in left:
                a.say()
                b.say()

        return self.until(lambda: not find_left(), seconds, lambda: "%d of %d pairs have not met, as %s" % (
            len(left), len(pairs), ", ".join(describe(c) for c in left[0][:2])), go_on, 0.2)

    def close(self):
        for client in list(self.clients.values()):
            client.close()


def describe(client):
    return "%r (%s, has heard %r%s)" % (
        client, "is there" if not client.is_over else "was ended with %s" % client.code, client.heard,
        "" if client.error is None else ", was told %s" % client.error)
