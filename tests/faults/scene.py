"""What the scenarios of cluster.py and cluster_ways.py share."""
import time

import crowd
import nodes

WAIT = 20  # seconds for what must happen and has no bound of its own
MET_AGAIN = 7  # seconds until the members of a node that was killed have met again
MERGED = 2  # seconds until all rooms are one again
RELAY = ("relay", "--pairs", "500", "--rate", "500", "--size", "300", "--warmup", "0")
# What a link holds while the engine is away (1 MiB) is enough for these for some seconds; behind it signals are refused.
CALLS = ("mixed", "--pairs", "500", "--rate", "30", "--talk", "15", "--loss", "0", "--warmup", "0")


def say(text):
    print("    %s" % text, flush=True)


def people(names, ports, rooms, prefix="room"):
    return [(port, "%s %d" % (prefix, i), name) for i in range(rooms) for name, port in zip(names, ports)]


def open_pairs(c, ports, rooms, prefix="room"):
    """Anna at the first port and Bert at the second, joined, in so many rooms. They have met."""
    clients = c.open(people(("anna", "bert"), ports, rooms, prefix))
    pairs = list(zip(clients[::2], clients[1::2]))
    for anna, bert in pairs:
        anna.join()
        bert.join()
    c.meet(pairs, WAIT)
    return pairs


def sleep_under(load, seconds):
    """The load goes on for so long."""
    time.sleep(seconds)
    if not load.is_running():
        raise nodes.Failed("the load: %s" % load.process.text()[-500:])
