#!/usr/bin/env python3
"""Starts the server again and again; each time another one of its calls fails. What is asked of each run is in server.py.
Called by run.sh, which says what the arguments are."""
import argparse
import collections
import concurrent.futures
import os
import sys
import threading
import time

import plan
import server


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("binary", "interposer", "folder"):
        parser.add_argument(name)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--call", action="append")
    parser.add_argument("--only")
    parser.add_argument("--how", default="once")
    return parser.parse_args()


def count_calls(tools, classes):
    """The calls of each class in runs in which none fails."""
    counts = {}
    for name, transport in (("start", "plain"), ("plain", "plain"), ("tls", "tls")):
        run = server.run(tools, plan.Fault("", 0, plan.SHORT, transport), drives=name != "start")
        if run.wrong is not None or run.failures or not run.counts:
            sys.exit("without any failure: %s\n%s" % (run.wrong, run.describe()))
        counts[name] = run.counts
        print("%s: %s" % (name, ", ".join("%d %s" % (run.counts[c], c) for c in classes)), flush=True)
    return counts


class Sample:
    """The faults that are tried, by a few runs at the same time."""

    def __init__(self, tools, faults, end):
        self.tools, self.faults, self.end = tools, faults, end
        self.lock = threading.Lock()
        self.tried, self.missed, self.bad = (collections.Counter() for _ in range(3))

    def next(self):
        with self.lock:
            return next(self.faults, None) if self.end is None or time.monotonic() < self.end else None

    def work(self):
        while (fault := self.next()) is not None:
            run = server.run(self.tools, fault, how=self.tools.how)
            with self.lock:
                self.note(fault, run)

    def note(self, fault, run):
        self.tried[fault.call] += 1
        self.missed[fault.call] += not run.is_reached
        if run.wrong is not None:
            self.bad[fault.call] += 1
            print("FAULT %s: %s" % (fault, run.wrong), flush=True)

    def run(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for future in [pool.submit(self.work) for _ in range(jobs)]:
                future.result()  # what has failed in the thread fails here


def try_one(tools):
    run = server.run(tools, plan.Fault.parse(tools.only), how=tools.how, traces=True)
    print(run.describe())
    if run.wrong is None:
        print("no fault%s" % ("" if run.is_reached else ", and the call did not come"))
        return 0
    print("FAULT %s: %s" % (tools.only, run.wrong))
    return 1


def main():
    tools = parse_arguments()
    if tools.only is not None:
        return try_one(tools)
    end = time.monotonic() + tools.seconds if tools.seconds > 0 else None
    # The server frees a reserve when libevent gets no memory. In a burst that would not help, as it does in truth.
    classes = tools.call or [call for call in plan.FAULTS if call != "malloc" or tools.how == "once"]
    decks = plan.make_decks(count_calls(tools, classes), classes, tools.seed)
    possible = collections.Counter(fault.call for deck in decks for fault in deck)
    sample = Sample(tools, plan.deal(decks), end)
    sample.run(tools.jobs or 2 * os.cpu_count())
    for call in classes:
        print("%s: %d of %d failures, %d of them not reached: %d faults" %
              (call, sample.tried[call], possible[call], sample.missed[call], sample.bad[call]))
    print("%d of %d failures, one at a time: %d faults" %
          (sample.tried.total(), possible.total(), sample.bad.total()))
    return 1 if sample.bad or not sample.tried else 0


sys.exit(main())
