"""Scenarios of cluster.py: packets are lost, ways are cut, and codewords are named at two nodes at once."""
import subprocess
import time

import crowd
import nodes
from scene import MERGED, RELAY, WAIT, open_pairs, people, say, sleep_under


# ---- Loss and cuts on the way between a node and its engine ----

def iptables(*arguments):
    subprocess.run(["iptables", "-w", *arguments], check=True)


class Cut:
    """The way of packets to or from an address, or both, loses this share of them, until the end of the block."""

    def __init__(self, address, ways, share=1.0):
        odds = ["-m", "statistic", "--mode", "random", "--probability", str(share)] if share < 1 else []
        self.rules = [[("-d" if way == "to" else "-s"), address, *odds, "-j", "DROP"] for way in ways]

    def __enter__(self):
        for rule in self.rules:
            iptables("-A", "INPUT", *rule)

    def __exit__(self, *_):
        for rule in self.rules:
            iptables("-D", "INPUT", *rule)


FAR = "127.0.0.10"  # the address by which the second node comes to the engine


def start_near_and_far(stage, **options):
    (engine,) = stage.start_engines()
    return [stage.start_node(**options), stage.start_node(engine.url(FAR), **options)]


def packets_lost(stage):
    pair = start_near_and_far(stage)
    load = stage.start_load(pair, *RELAY, "--seconds", "16")
    sleep_under(load, 2)
    for ways in (("to",), ("from",), ("to", "from")):
        with Cut(FAR, ways, 0.1):
            sleep_under(load, 2)
        with Cut(FAR, ways):
            sleep_under(load, 1)
        sleep_under(load, 1)
    totals = load.finish(60)["totals"]
    say("a tenth of the packets, and all for a second, lost one way and both: %d signals, each once and in order" % (
        totals["signals"]))


def cut_off(stage, ways, name):
    """For so long that each loses the other. Both open the same rooms meanwhile."""
    pair = start_near_and_far(stage)
    c = crowd.Crowd()
    before = open_pairs(c, [n.port for n in pair], 100)
    for both in before:
        for client in both:
            client.may_lose = True
    seen = pair[1].engine_events()
    with Cut(FAR, ways):
        c.run(7)
        clients = c.open(people(("anna", "bert"), [n.port for n in pair], stage.split, "meanwhile"))
        for client in clients:
            client.join()
            client.say()
        c.run(7)  # alone after 5 s
        meanwhile = list(zip(clients[::2], clients[1::2]))
        if any(client.heard for client in clients):
            raise crowd.Wrong("they have heard each other over a way that is cut")
    began = time.monotonic()
    c.until(lambda: pair[1].engine_events() > seen, WAIT, lambda: "the node does not come back to its engine")
    there = time.monotonic()
    c.await_met(meanwhile, WAIT)
    merged = time.monotonic() - there
    c.meet_again(before, WAIT)
    say("cut off %s for 14 s: rooms that both have opened were one %.2f s after the engine was there, %.2f s after the cut" % (
        name, merged, time.monotonic() - began))
    if merged > MERGED:
        raise crowd.Wrong("rooms were one after %.2f s, not %g" % (merged, MERGED))


def cut_both_ways(stage):
    cut_off(stage, ("to", "from"), "both ways")


def cut_to_engine(stage):
    cut_off(stage, ("to",), "on the way to the engine")


def cut_from_engine(stage):
    cut_off(stage, ("from",), "on the way from the engine")


def cut_between_engines(stage):
    """Each node is at an engine, and the engines lose each other: both nodes are sure that the other one is gone."""
    engines = stage.start_engines(2)
    nodes.until(lambda: all(e.routes_made() for e in engines), WAIT, "the engines do not find each other")
    pair = [stage.start_node(e.url()) for e in engines]
    c = crowd.Crowd()
    before = open_pairs(c, [n.port for n in pair], 100)
    for both in before:
        for client in both:
            client.may_lose = True
    # A reset must get through, so that the engines notice at once and do not resume what they have to say.
    rules = ["-p", "tcp", "-m", "multiport", "--ports", "6222,6223", "!", "--tcp-flags", "RST", "RST"]
    iptables("-A", "INPUT", *rules, "-j", "REJECT", "--reject-with", "tcp-reset")
    c.run(7)
    clients = c.open(people(("anna", "bert"), [n.port for n in pair], stage.split, "meanwhile"))
    for client in clients:
        client.join()
    for client in clients:
        client.say()
    c.run(3)
    if any(client.heard for client in clients):
        raise crowd.Wrong("they have heard each other over a way that is cut")
    routes = [e.routes_made() for e in engines]
    iptables("-D", "INPUT", *rules, "-j", "REJECT", "--reject-with", "tcp-reset")
    began = time.monotonic()
    c.until(lambda: all(e.routes_made() > n for e, n in zip(engines, routes)), WAIT,
            lambda: "the engines do not find each other")
    there = time.monotonic()
    c.await_met(list(zip(clients[::2], clients[1::2])), WAIT)
    merged = time.monotonic() - there
    c.meet_again(before, WAIT)
    say("two engines lost each other for 10 s: rooms that both nodes had opened were one %.2f s after these met (%.2f s after the "
        "cut)" % (merged, time.monotonic() - began))
    if merged > MERGED:
        raise crowd.Wrong("rooms were one after %.2f s, not %g" % (merged, MERGED))


# ---- Claims ----

def claims(stage, count, urls, total):
    """Two name the same codeword at the same moment, at two nodes: `total` times, some thousand at once."""
    pair = [stage.start_node(url) for url in urls]
    at_once = min(total, 2500)
    c = crowd.Crowd()
    longest, done = 0, 0
    while done < total:
        clients = c.open(people(("anna", "bert"), [n.port for n in pair], at_once, "round %d" % done))
        for client in clients:
            client.join()
        began = time.monotonic()
        pairs = list(zip(clients[::2], clients[1::2]))
        c.meet(pairs, WAIT)
        longest = max(longest, time.monotonic() - began)
        c.meet(pairs, WAIT)
        refused = [x for x in clients if x.error is not None or x.is_over]
        if refused:
            raise crowd.Wrong(crowd.describe(refused[0]))
        for client in clients:
            client.close()
        done += at_once
    say("%d codewords named at two nodes at once, over %s: all pairs met, the last of a round of %d after %.2f s" % (
        done, count, at_once, longest))


def claims_one_engine(stage):
    (engine,) = stage.start_engines()
    claims(stage, "one engine", [engine.url()] * 2, stage.claims)


def claims_three_engines(stage):
    engines = stage.start_engines(3)
    nodes.until(lambda: all(e.routes_made() >= 2 for e in engines), WAIT, "the engines do not find each other")
    claims(stage, "three engines", [engines[0].url(), engines[2].url()], stage.claims)
