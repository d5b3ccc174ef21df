#!/usr/bin/env python3
"""The query of deploy/cluster/README.md ("Watching it"), run over the logs of two servers of a cluster: it finds all of a call
whose users are on different servers, and nothing of another call. Rooms that move and nodes that
are lost are told of.

    tests/documents/check_cluster_log.py     BUILD_DIR is the build to check, build/release unless set
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import talk

ROOT = pathlib.Path(__file__).parents[2].resolve()
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build/release")).resolve()
DOCUMENT = "deploy/cluster/README.md"
WAIT_S = 20
NODES = "ab"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def documented_query():
    """The command of the document: its first line, and what is indented further behind it."""
    text = (ROOT / DOCUMENT).read_text()
    found = re.search(r"^    (jq -cs --arg room '(#\w+)' .*\n(?:     .*\n)*)", text, re.M)
    if not found:
        raise SystemExit(f"{DOCUMENT} has no query")
    return found.group(1), found.group(2)


def wait_until(is_done, what):
    end = time.monotonic() + WAIT_S
    while not is_done():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.02)


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []
        self.engine = free_port()
        (self.folder / "secret").write_text("a secret of more than thirty-two bytes")
        self.start(["nats-server", "-a", "127.0.0.1", "-p", str(self.engine), "-l", str(self.folder / "engine.log")], {})
        self.ports, self.admin_ports = {}, {}
        for node in NODES:
            self.start_node(node)
        self.wait_for_links(NODES)

    def start_node(self, node):
        self.ports[node], self.admin_ports[node] = free_port(), free_port()
        self.start([BUILD / "homecall-signal", "--env-file", "/dev/null"], {
            "CLUSTER_URL": f"nats://127.0.0.1:{self.engine}", "CLUSTER_SECRET_FILE": str(self.folder / "secret"),
            "CLUSTER_NODE": node, "WS_PORT": str(self.ports[node]), "ADMIN_PORT": str(self.admin_ports[node]),
            "LOG_FORMAT": "json", "LOG_FILE": str(self.folder / f"{node}.log")})

    def wait_for_links(self, nodes):
        wait_until(lambda: all(self.is_linked(node) for node in nodes), "two nodes that know each other")

    def start(self, command, settings):
        self.running.append(subprocess.Popen(command, env={"PATH": os.environ["PATH"], **settings}))

    def is_linked(self, node):
        try:
            with socket.create_connection(("127.0.0.1", self.admin_ports[node]), WAIT_S) as s:
                s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: s.recv(65536), b""))
        except OSError:
            return False
        return b'homecall_signal_cluster_links{state="up"} 1\n' in answer

    def log(self, node):
        """Its lines so far; one that is being written is none yet."""
        path = self.folder / f"{node}.log"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def end(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)


def begin_call(cluster, room):
    """Anna on one node, which has the room then, and Boris on the other one."""
    clients = {}
    for node, user in zip(NODES, ("anna", "boris")):
        clients[node] = talk.Client(cluster.ports[node], "/signal", "")
        clients[node].send(1, json.dumps({"type": "join", "room": room, "user": user}).encode())
        wait_until(lambda: any(line["event"] == "joined" for line in cluster.log(node)[seen[node]:]), "a join")
    return clients


def call(cluster, room):
    """Each says something, and they go."""
    clients = begin_call(cluster, room)
    for node, kind in zip(NODES, ("offer", "answer")):
        clients[node].send(1, json.dumps({"type": kind, "sdp": "v=0"}).encode())
        clients["b" if node == "a" else "a"].hear()
    for node in NODES:
        clients[node].close()
        wait_until(lambda: any(line["event"] == "ended" for line in cluster.log(node)[seen[node]:]), "an end")
    logs = [line for node in NODES for line in cluster.log(node)[seen[node]:]]
    for node in NODES:
        seen[node] = len(cluster.log(node))
    return next(line["room"] for line in logs if line["event"] == "joined")


def run_query(cluster, room):
    command, tag = documented_query()
    done = subprocess.run(["bash", "-ec", command.replace(tag, room)], cwd=cluster.folder, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command} ends with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def line_of(cluster, node, event):
    """The line of this event, which comes soon; it is the only one."""
    def found():
        return [line for line in cluster.log(node) if line["event"] == event]
    wait_until(found, event)
    assert len(found()) == 1, found()
    return found()[0]


def check_move(cluster):
    """A node that stops gives its room away, and both say so."""
    clients = begin_call(cluster, "green fox")
    cluster.running[1].send_signal(signal.SIGTERM)
    given = line_of(cluster, "a", "a room has gone to another node")
    taken = line_of(cluster, "b", "a room has come from another node")
    assert given["room"] == taken["room"] and taken["pushed_out"] == 0, (given, taken)
    names = {line_of(cluster, node, "a node of a cluster")["incarnation"]: node for node in NODES}
    assert (names[given["incarnation"]], names[taken["incarnation"]]) == ("b", "a"), names
    line_of(cluster, "b", "a node drains")
    line_of(cluster, "b", "a node has ended")
    for client in clients.values():
        client.close()


def check_loss(cluster):
    """A node is killed: another one, which has come when the first had gone, says so."""
    cluster.start_node("c")
    cluster.wait_for_links("bc")
    cluster.running[2].kill()
    lost = line_of(cluster, "c", "a node is lost")
    assert (lost["level"], lost["other"]) == ("WARN", "b"), lost
    link = line_of(cluster, "c", "a link is lost")
    assert (link["level"], link["incarnation"], link["signals_lost"]) == ("WARN", lost["incarnation"], 0), link


def check(cluster):
    rooms = [call(cluster, name) for name in ("blue fox", "red fox")]
    for node in NODES:
        assert all(line["node"] == node for line in cluster.log(node)), f"a line of {node} without its node"
    for room in rooms:
        found = run_query(cluster, room)
        conns = {node: {line["conn"] for line in found if line["node"] == node and line["event"] == "upgraded"} for node in NODES}
        events = sorted((line["node"], line["event"]) for line in found)
        assert events == [("a", "ended"), ("a", "joined"), ("a", "relayed"), ("a", "relayed"), ("a", "upgraded"),
                          ("b", "ended"), ("b", "joined"), ("b", "upgraded")], events
        assert [line["time"] for line in found] == sorted(line["time"] for line in found), "not in the order of time"
        relayed = [{line["conn"], line["to_conn"]} for line in found if line["event"] == "relayed"]
        assert all(pair == conns["a"] | conns["b"] and len(pair) == 2 for pair in relayed), relayed
        assert {line["room"] for line in found if "room" in line} == {room}, "lines of another room"


if shutil.which("nats-server") is None:
    print("there is no nats-server: nothing is checked")
    sys.exit(0)
seen = dict.fromkeys(NODES, 0)
with tempfile.TemporaryDirectory() as place:
    both = Cluster(place)
    try:
        check(both)
        check_move(both)
        check_loss(both)
    finally:
        both.end()
print("one query finds a call in the logs of two nodes")
