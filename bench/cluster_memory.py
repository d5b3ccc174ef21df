#!/usr/bin/env python3
"""cluster_memory.py ALONE NODE NODE, each PID:PORT: what rooms and members cost a server without a cluster, and two nodes. Prints
JSON, in bytes: `room`, what an owned room costs more than a room without a cluster, apart from its members; `local`, a member of it
at the same node, more than one without a cluster; `remote`, what the owner pays for a member that the other node has; `edge`, what
that node pays more for it than one without a cluster. Called by cluster.sh."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "faults"))
import crowd  # noqa: E402

ROOMS, FIRST, WAIT = 2500, 128, 60


class Server:
    def __init__(self, text):
        self.pid, self.port = map(int, text.split(":"))
        self.before = 0

    def memory(self):
        with open("/proc/%d/smaps_rollup" % self.pid, encoding="utf-8") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Rss:"))

    def note(self):
        self.before = self.memory()

    def grown(self):
        """By so many bytes for each room."""
        return (self.memory() - self.before) / ROOMS


def join(c, server, user, start, count):
    """Until the server has answered the pings that stand behind the joins."""
    clients = c.open((server.port, "room %d" % i, user) for i in range(start, start + count))
    for client in clients:
        client.join()
        client.send_raw(crowd.frame(crowd.PING, b""))
    c.until(lambda: all(client.pongs for client in clients), WAIT, lambda: "some joins are not handled")


def main():
    alone, owner, edge = servers = [Server(text) for text in sys.argv[1:]]
    c = crowd.Crowd()
    figures = {}
    for count, start in ((FIRST, 0), (ROOMS, FIRST)):  # the first ones for what is made only once
        for name, server, user, more in (("alone_first", alone, "anna", 0), ("alone_second", alone, "bert", 0),
                                         ("owned_first", owner, "anna", 0), ("elsewhere", edge, "bert", 0),
                                         ("other", owner, "anna", ROOMS + FIRST), ("owned_second", owner, "bert", ROOMS + FIRST)):
            for each in servers:
                each.note()
            join(c, server, user, start + more, count)
            c.run(1)
            figures[name] = server.grown()
            if name == "elsewhere":
                figures["remote"] = owner.grown()
    local = figures["owned_second"] - figures["alone_second"]
    print(json.dumps({"room": round(figures["owned_first"] - figures["alone_first"] - local), "local": round(local),
                      "remote": round(figures["remote"]), "edge": round(figures["elsewhere"] - figures["alone_second"])}))


main()
