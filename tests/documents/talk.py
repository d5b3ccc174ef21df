"""The conversations of src/protocol/README.md, played against a server: blocks that begin with ```talk.

What follows `talk` on that line is set in the environment of the server. Each line is one of

    NAME: opens TARGET[, SUBPROTOCOL]   a WebSocket
    NAME: gets TARGET                   an HTTP page; its body is what NAME hears next
    NAME: is lost                       TCP is reset
    NAME -> JSON                        a message to the server
    NAME <- JSON                        the next message from it
    NAME <- close CODE                  a close frame from it
    server: stops                       SIGTERM

In what is expected, "…" in a string stands for any text. Peer ids and tokens are drawn by the server: those in the document
are exchanged for those that came when they are met first. An `ack` message that is not in the document is passed over,
since it depends on time. After each message the server is waited for by a ping, so that lines happen in their order; not
where the next line is one that the same client hears.
"""
import base64
import json
import os
import queue
import re
import signal
import socket
import struct
import subprocess
import threading

WAIT_S = 20  # for what must come; a test that passes does not wait so long
DRAWN = ("peer", "token", "from", "to", "formerly")
TIMES = ("retryAfterMs",)


class Fault(Exception):
    pass


def environment_of(words):
    return dict(word.split("=", 1) for word in words)


class Server:
    def __init__(self, binary, settings):
        env = {"WS_PORT": "0", "ADMIN_PORT": "off", "LOG_PRIVACY": "off", **settings}
        self.process = subprocess.Popen([binary, "--env-file", "/dev/null"], env=env, stdout=subprocess.PIPE, text=True)
        self.port = 0
        for line in self.process.stdout:
            found = re.search(r"\] started .* port=(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port == 0:
            raise Fault(f"the server does not start with {settings}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        self.stop()
        self.process.communicate(timeout=WAIT_S)
        if self.process.returncode != 0:
            raise Fault(f"the server ended with {self.process.returncode}")


class Client:
    """One WebSocket. A thread of its own reads it and answers pings, as a browser does."""

    def __init__(self, port, target, protocol):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.heard = queue.Queue()  # (opcode, payload) of texts and closes, and (None, None) at the end
        self.pongs = queue.Queue()
        self.acked = 0
        offer = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{offer}\r\n").encode())
        self.stream = self.socket.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.stream.readline() or self._ended()
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Fault(f"the request is answered by {head!r}")
        named = re.search(rb"(?i)\r\nSec-WebSocket-Protocol: (\S+)", head)
        if (named.group(1).decode() if named else "") != protocol:
            raise Fault(f"the answer has another subprotocol than {protocol!r}")
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    @staticmethod
    def _ended():
        raise Fault("the connection has ended")

    def _read(self, count):
        data = self.stream.read(count)
        return data if data is not None and len(data) == count else self._ended()

    def send(self, opcode, payload):
        size = len(payload)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size))
        self.socket.sendall(head + bytes(4) + payload)

    def _frame(self):
        first, second = self._read(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
        return first & 0xF, self._read(size)

    def _listen(self):
        try:
            while True:
                opcode, payload = self._frame()
                if opcode == 9:
                    self.send(10, payload)
                elif opcode == 10:
                    self.pongs.put(payload)
                else:
                    self.heard.put((opcode, payload))
                if opcode == 8:
                    self.send(8, payload[:2])
                    self.socket.shutdown(socket.SHUT_WR)
        except (Fault, OSError, ValueError):
            self.pongs.put(None)
            self.heard.put((None, None))

    def settle(self):
        """Wait until the server has handled what was sent, or the connection has ended."""
        try:
            self.send(9, b"settle")
            self.pongs.get(timeout=WAIT_S)
        except OSError:
            pass
        except queue.Empty as e:
            raise Fault("the server does not answer a ping") from e

    def hear(self):
        try:
            frame = self.heard.get(timeout=WAIT_S)
        except queue.Empty as e:
            raise Fault("nothing came") from e
        return frame if frame[0] is not None else self._ended()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close(socket.SHUT_RD)

    def rest(self):
        """What has come and nobody has heard: texts, but for acknowledgements."""
        self.settle()
        texts = []
        while not self.heard.empty():
            opcode, payload = self.heard.get()
            if opcode == 1 and not payload.startswith(b'{"type":"ack"'):
                texts.append(payload.decode())
        return texts

    def close(self, how=socket.SHUT_RDWR):
        try:
            self.socket.shutdown(how)
        except OSError:
            pass  # it has ended already
        self.listener.join()
        self.stream.close()
        self.socket.close()


class Page:
    """What an HTTP request is answered by, heard as one message."""

    def __init__(self, port, target):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as s:
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while data := s.recv(65536):
                answer += data
        self.body = answer.split(b"\r\n\r\n", 1)[1]
        self.acked = 0

    def hear(self):
        return 1, self.body

    def settle(self):
        pass

    def rest(self):
        return []

    def close(self):
        pass


class Talk:
    def __init__(self, server):
        self.server = server
        self.clients = {}
        self.drawn = {}  # what stands in the document: what came

    def _real(self, value):
        if isinstance(value, dict):
            return {key: self._real(item) for key, item in value.items()}
        return self.drawn.get(value, value) if isinstance(value, str) else value

    def _same(self, expected, came, key=""):
        if isinstance(expected, dict):
            return (isinstance(came, dict) and list(expected) == list(came)
                    and all(self._same(expected[k], came[k], k) for k in expected))
        if isinstance(expected, list):
            return (isinstance(came, list) and len(expected) == len(came)
                    and all(self._same(e, c) for e, c in zip(expected, came)))
        if key in TIMES:
            return isinstance(came, int)
        if isinstance(expected, str) and isinstance(came, str):
            if key in DRAWN and expected not in self.drawn and re.fullmatch(r"[\w-]{11}|[\w-]{22}", expected):
                self.drawn[expected] = came
            pattern = re.escape(self._real(expected)).replace("…", ".*")
            return re.fullmatch(pattern, came, re.DOTALL) is not None
        return expected == came and type(expected) is type(came)

    def _expect(self, client, expected):
        while True:
            opcode, payload = client.hear()
            if opcode == 8:
                code = int.from_bytes(payload[:2], "big")
                if expected != f"close {code}":
                    raise Fault(f"instead it was closed with {code}")
                return
            if expected.startswith("close"):
                raise Fault(f"instead came {payload.decode()}")
            came, wanted = json.loads(payload), json.loads(expected)
            if isinstance(came, dict) and "ack" in came:
                client.acked = came["ack"]
                if came["type"] == "ack" and wanted.get("type") != "ack":
                    continue
            if "ack" in wanted and "ack" not in came and client.acked == wanted["ack"]:
                del wanted["ack"]  # it came by itself, since the machine is slow
            if not self._same(wanted, came):
                raise Fault(f"instead came {payload.decode()}")
            return

    def step(self, line, next_line):
        if match := re.fullmatch(r"(\w+) (->|<-) (.*)", line):
            name, direction, text = match.groups()
            client = self.clients[name]
            if direction == "<-":
                self._expect(client, text)
                return
            client.send(1, json.dumps(self._real(json.loads(text)), ensure_ascii=False).encode())
            if not next_line.startswith(f"{name} <- "):
                client.settle()
        elif match := re.fullmatch(r"(\w+): opens (/[^\s,]*)(?:, (\S+))?", line):
            name, target, protocol = match.groups(default="")
            self.clients[name] = Client(self.server.port, target, protocol)
            if not next_line.startswith(f"{name} <- "):
                self.clients[name].settle()
        elif match := re.fullmatch(r"(\w+): gets (/\S*)", line):
            self.clients[match.group(1)] = Page(self.server.port, match.group(2))
        elif match := re.fullmatch(r"(\w+): is lost", line):
            self.clients[match.group(1)].reset()
        elif line == "server: stops":
            self.server.stop()
        else:
            raise Fault("nobody knows how to play this")


def play(binary, settings, lines, first_line):
    """Play a conversation whose first line is that of the document. Raises Fault with the place."""
    server = Server(binary, settings)
    talk = Talk(server)
    number = first_line
    try:
        for i, line in enumerate(lines):
            number = first_line + i
            talk.step(line, lines[i + 1] if i + 1 < len(lines) else "")
        for name, client in talk.clients.items():
            for text in client.rest():
                raise Fault(f"behind it {name} hears {text}")
    except (Fault, OSError, KeyError, json.JSONDecodeError) as e:
        raise Fault(f"line {number}: {lines[number - first_line]}\n    {type(e).__name__}: {e}") from e
    finally:
        for client in talk.clients.values():
            client.close()
        server.end()
