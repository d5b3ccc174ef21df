#!/usr/bin/env python3
"""Two and more servers of one cluster over real engines, while engines and servers are killed, stopped, cut off, drained and added.
Called by cluster.sh, which says what the arguments are. Each scenario has processes of its own."""
import argparse
import os
import signal
import sys
import tempfile
import time

import crowd
import nodes
from cluster_ways import (claims_one_engine, claims_three_engines, cut_between_engines, cut_both_ways, cut_from_engine,
                          cut_to_engine, packets_lost)
from scene import CALLS, MET_AGAIN, RELAY, WAIT, open_pairs, people, say, sleep_under


# ---- The engine ----

def engine_is_killed(stage, load_arguments, name):
    (engine,) = stage.start_engines()
    pair = [stage.start_node(), stage.start_node()]
    load = stage.start_load(pair, *load_arguments, "--seconds", "16")
    sleep_under(load, 3)
    for away in (0, 0.5, 1, 1.5):
        engine.kill()
        time.sleep(away)
        engine.start()
        sleep_under(load, 2)
    totals = load.finish(60)["totals"]
    say("%s: the engine was killed 4 times; %d signals, each once and in order" % (name, totals["signals"]))


def engine_killed(stage):
    engine_is_killed(stage, RELAY, "500 pairs of joined users")


def engine_killed_under_calls(stage):
    engine_is_killed(stage, CALLS, "500 pairs that call")


def engine_killed_under_calls_2(stage):
    engine_is_killed(stage, CALLS + ("--dialect", "2"), "500 pairs that call, version 2")


def engine_stands_still(stage, seconds):
    (engine,) = stage.start_engines()
    pair = [stage.start_node(), stage.start_node()]
    c = crowd.Crowd()
    across = open_pairs(c, [n.port for n in pair], 100)
    local = open_pairs(c, [pair[0].port] * 2, 100, "local")
    engine.pause()
    began = time.monotonic()
    longest = 0
    while time.monotonic() < began + seconds:
        longest = max(longest, c.meet(local, WAIT))  # rooms of one node do not notice
        for anna, bert in across[::10] if time.monotonic() < began + 3 else []:
            anna.say()
            bert.say()
        c.run(0.2)
    engine.go_on()
    back = c.meet(across, WAIT)
    say("the engine stood still for %g s: nothing lost, all heard %.2f s later; local signals took at most %.2f s" % (
        seconds, back, longest))


def engine_stopped_3(stage):
    engine_stands_still(stage, 3)


def engine_stopped_30(stage):
    engine_stands_still(stage, 30)


def wrong_password(stage):
    (engine,) = stage.start_engines()
    try:
        wrong = os.path.join(stage.folder, "wrong")
        with open(wrong, "w", encoding="utf-8") as out:
            out.write("wrong\n")
        os.chmod(wrong, 0o600)
        stage.start_node(CLUSTER_PASSWORD_FILE=wrong)
        raise nodes.Failed("a node with a wrong password starts")
    except nodes.Failed as error:
        if "does not let us in" not in str(error):
            raise
    pair = [stage.start_node(), stage.start_node()]
    c = crowd.Crowd()
    across = open_pairs(c, [n.port for n in pair], 50)
    engine.kill()
    engine.start("another")
    for anna, bert in across:
        anna.say()
        bert.say()
    c.run(6)  # long enough for the library to give up
    engine.kill()
    engine.start()
    say("after a wrong password at the engine's restart all heard %.2f s after the right one" % c.meet(across, WAIT))


def one_of_three_engines(stage):
    engines = stage.start_engines(3)
    urls = ",".join(e.url() for e in engines)
    pair = [stage.start_node(urls), stage.start_node(urls)]
    load = stage.start_load(pair, *RELAY, "--seconds", "16")
    sleep_under(load, 3)
    for engine in engines:
        engine.kill()
        sleep_under(load, 2)
        engine.start()
        sleep_under(load, 1)
    totals = load.finish(60)["totals"]
    say("each of three engines was lost once; %d signals, each once and in order" % totals["signals"])


# ---- Nodes ----

def node_killed(stage):
    stage.start_engines()
    a, b = stage.start_node(), stage.start_node()
    c = crowd.Crowd()
    owned_there = open_pairs(c, (a.port, b.port), 250)
    # Here Bert was first, so that this node owns the room.
    owned_here = [(anna, bert) for bert, anna in open_pairs(c, (b.port, a.port), 250, "here")]
    began = time.monotonic()
    a.kill()
    c.until(lambda: all(anna.is_over for anna, _ in owned_there), WAIT, lambda: "clients of a dead node are connected")
    places = [(b.port, anna.room, anna.user) for anna, _ in owned_there]
    places += [(b.port, anna.room, anna.user) for anna, _ in owned_here]
    back = c.open(places)
    pairs = []
    for anna, (old, bert) in zip(back, owned_there + owned_here):
        anna.said, anna.may_lose, bert.may_lose = max(old.said, bert.heard.get(old.user, 0)), True, True
        anna.join()
        pairs.append((anna, bert))
    fresh = c.open(people(("carl", "dora"), (b.port, b.port), 250, "new"))
    for client in fresh:
        client.join()
    pairs += zip(fresh[::2], fresh[1::2])
    c.meet_again(pairs, MET_AGAIN - (time.monotonic() - began))
    say("a node was killed: 500 calls go on with who has come back, and 250 new ones are set up, %.2f s later" % (
        time.monotonic() - began))


def node_stopped(stage):
    stage.start_engines()
    a, b = stage.start_node(), stage.start_node()
    c = crowd.Crowd()
    alone = open_pairs(c, (a.port, b.port), 100, "alone") + open_pairs(c, (b.port, a.port), 100, "other")
    visited = open_pairs(c, (b.port, a.port), 100, "visited")
    for pair in alone + visited:
        for client in pair:
            client.may_lose = True
    a.pause()
    c.run(7)
    # Who has waited in vain for the one at the node that stands still calls somebody else in the same room.
    guests = c.open([(b.port, anna.room, "guest") for anna, _ in visited])
    for guest in guests:
        guest.may_lose = True  # what was said before it came
        guest.join()
    c.meet_again([(anna, guest) for (anna, _), guest in zip(visited, guests)], WAIT)
    c.run(2)
    a.go_on()
    began = time.monotonic()
    pairs = [(x, y) for x, y in alone if not x.is_over and not y.is_over]
    if len(pairs) != len(alone):
        raise crowd.Wrong("%d of %d were ended" % (len(alone) - len(pairs), len(alone)))
    met = c.meet_again(pairs, WAIT)
    # There are three now in rooms for two: one of them is told so, who is not the one that was there all the time.
    threes = [(anna, bert, guest) for (anna, bert), guest in zip(visited, guests)]
    c.until(lambda: all((bert.error is None) != (guest.error is None) for _, bert, guest in threes), WAIT,
            lambda: "there are three in a room for two, as %s" % [x for x in threes if not x[1].error and not x[2].error][:1])
    c.meet_again([(anna, bert if bert.error is None else guest) for anna, bert, guest in threes], WAIT)
    say("a node stood still for 9 s and went on: 200 calls had met again %.2f s later; %d of 100 who came meanwhile stayed" % (
        met, sum(guest.error is None for guest in guests)))


def node_drained(stage):
    stage.start_engines()
    a, b = stage.start_node(), stage.start_node()
    c = crowd.Crowd()
    pairs = open_pairs(c, (a.port, b.port), 150) + [(y, x) for x, y in open_pairs(c, (b.port, a.port), 150, "other")]

    def berts_say():
        for _, bert in pairs:
            bert.say()

    c.run(1, berts_say)
    a.drain()
    c.until(lambda: all(anna.is_over for anna, _ in pairs), WAIT, lambda: "a node that drains keeps clients", berts_say)
    codes = {anna.code for anna, _ in pairs}
    if codes != {1001}:
        raise crowd.Wrong("clients of a node that drains were closed with %r" % codes)
    berts_say()
    back = c.open([(b.port, anna.room, anna.user) for anna, _ in pairs])
    for anna, (old, _) in zip(back, pairs):
        anna.said, anna.heard = old.said, old.heard  # a gap would be a loss
        anna.may_lose = True
        anna.join()
    c.meet([(anna, bert) for anna, (_, bert) in zip(back, pairs)], WAIT)
    lost = sum(anna.lost for anna in back)
    say("a node was drained under load: 300 calls go on; of %d signals %d were between the nodes when a connection was closed" % (
        sum(bert.said for _, bert in pairs), lost))
    if lost > 2 * len(pairs):  # version 1 has no acknowledgements; on a slow machine it is one of each
        raise crowd.Wrong("%d signals are lost" % lost)


def end_without(stage, lose, name):
    """A stop can't give rooms away then, and does not wait for it until SHUTDOWN_GRACE is over."""
    (engine,) = stage.start_engines()
    pair = [stage.start_node(), stage.start_node()]
    c = crowd.Crowd()
    open_pairs(c, [n.port for n in pair], 100)
    lose(engine)
    c.run(0.5)
    times = []
    for n in pair:
        n.drain()
        times.append(c.until(lambda n=n: n.process.process.poll() is not None, WAIT, lambda: "a node does not end"))
    say("while the engine %s nodes ended in %.1f and %.1f s" % (name, *times))
    if max(times) > 8:
        raise crowd.Wrong("that is too long")


def end_with_engine_killed(stage):
    end_without(stage, nodes.Engine.kill, "was away")


def end_with_engine_stopped(stage):
    end_without(stage, nodes.Engine.pause, "stood still")


def node_added(stage):
    stage.start_engines()
    pair = [stage.start_node(), stage.start_node()]
    load = stage.start_load(pair, *RELAY, "--seconds", "12")
    sleep_under(load, 2)
    third = stage.start_node()
    c = crowd.Crowd()
    for n in pair:
        open_pairs(c, (third.port, n.port), 100, "at %d" % n.i)
        open_pairs(c, (n.port, third.port), 100, "from %d" % n.i)
    if third.process.end() != 0:
        raise nodes.Failed("a node that was added does not end well")
    totals = load.finish(60)["totals"]
    say("a node was added and drained under load: %d signals of others, each once and in order" % totals["signals"])


SHORT = (engine_killed, engine_killed_under_calls, engine_killed_under_calls_2, engine_stopped_3, wrong_password,
         one_of_three_engines, node_killed, node_stopped, node_drained, node_added,
         end_with_engine_killed, end_with_engine_stopped, packets_lost, cut_both_ways, cut_to_engine, cut_from_engine,
         cut_between_engines, claims_one_engine, claims_three_engines)
LONG = (engine_stopped_30,)


def run(scenario, arguments):
    """False where it fails. What the processes have said is shown then."""
    print("%s" % scenario.__name__, flush=True)
    with tempfile.TemporaryDirectory(prefix="homecall-cluster-") as folder:
        stage = nodes.Stage(folder, arguments.binary, arguments.bench, arguments.suppressions)
        stage.claims, stage.split = arguments.claims, arguments.split
        wrong = None
        try:
            scenario(stage)
        except (crowd.Wrong, nodes.Failed) as error:
            wrong = error
        try:
            stage.end()
        except nodes.Failed as error:
            wrong = wrong or error
        if wrong is not None:
            print("FAILED: %s: %s" % (scenario.__name__, wrong))
            for process in [n.process for n in stage.nodes] + [e.process for e in stage.engines]:
                print("--- %s\n%s" % (os.path.basename(process.log), "\n".join(process.text().splitlines()[-4:])))
        return wrong is None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("bench")
    parser.add_argument("suppressions")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--claims", type=int, default=10000)
    parser.add_argument("--split", type=int, default=100)
    parser.add_argument("scenarios", nargs="*")
    arguments = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    named = {s.__name__: s for s in SHORT + LONG}
    wanted = [named[name] for name in arguments.scenarios] or SHORT + (LONG if arguments.long else ())
    good = [run(scenario, arguments) for scenario in wanted]
    print("%d of %d scenarios passed" % (sum(good), len(good)))
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
