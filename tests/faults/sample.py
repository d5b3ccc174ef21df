#!/usr/bin/env python3
"""Starts the server again and again; each time another one of its allocations fails. No run may crash, hang, or
go on and serve nobody. Called by run.sh: BINARY INTERPOSER FOLDER SECONDS SEED; 0 seconds takes every index."""
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time

BINARY, INTERPOSER, FOLDER = sys.argv[1:4]
SECONDS, SEED = int(sys.argv[4]), int(sys.argv[5])
UPGRADE = (b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
TRUSTING = ssl._create_unverified_context()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, request, tls=False):
    """Is the answer a 101 or a 200?"""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as plain:
            s = TRUSTING.wrap_socket(plain) if tls else plain
            s.sendall(request)
            return s.recv(4096)[:13] in (b"HTTP/1.1 101 ", b"HTTP/1.1 200 ")
    except OSError:
        return False


def is_serving(ports):
    """One request may meet the failure. The second one must not."""
    plain, tls, admin = ports
    asks = [(plain, UPGRADE), (tls, UPGRADE, True), (plain, GET % b"/ice"), (admin, GET % b"/metrics")]
    return all([ask(*a) or ask(*a) for a in asks])


def run(nth):
    """What is wrong with a server whose nth allocation fails; None for nothing."""
    ports = [free_port() for _ in range(3)]
    settings = {"WS_PORT": ports[0], "WSS_PORT": ports[1], "ADMIN_PORT": ports[2], "WORKERS": 1,
                "TLS_CERT_FILE": FOLDER + "/cert.pem", "TLS_KEY_FILE": FOLDER + "/key.pem", "BIND_RETRY": 0,
                "SHUTDOWN_GRACE": 2, "TURN_URLS": "stun:127.0.0.1", "LD_PRELOAD": INTERPOSER, "FAIL_NTH": nth,
                "FAIL_COUNT_FILE": FOLDER + "/count"}
    server = subprocess.Popen([BINARY, "--env-file", "/dev/null"], env={k: str(v) for k, v in settings.items()},
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    has_started = any(b" started " in line for line in server.stdout)
    serves = True
    if has_started:
        is_serving(ports)
        server.send_signal(signal.SIGHUP)
        serves = is_serving(ports)
        server.send_signal(signal.SIGTERM)
    try:
        server.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.communicate()
        return "it hangs"
    if server.returncode < 0:
        return "it died by signal %d" % -server.returncode
    return None if serves else "it goes on and does not serve"


wrong = run(0)
if wrong is not None:
    sys.exit("without any failure " + wrong)
with open(FOLDER + "/count", encoding="ascii") as file:
    count = int(file.read())
order = list(range(1, count + 1))
random.Random(SEED).shuffle(order)
end = time.monotonic() + SECONDS
tried = bad = 0
for nth in order:
    if SECONDS > 0 and time.monotonic() > end:
        break
    wrong = run(nth)
    tried += 1
    if wrong is not None:
        bad += 1
        print("allocation %d of %d: %s" % (nth, count, wrong), flush=True)
print("%d of %d allocations failed, one at a time: %d faults" % (tried, count, bad))
sys.exit(1 if bad else 0)
