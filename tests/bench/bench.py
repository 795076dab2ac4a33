#!/usr/bin/env python3
"""Rates, latency and memory of sixteen nodes and one server on this machine, everything
synced; once on the disk as it is and once with a millisecond added to every sync."""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "nation"))
import nation as n  # noqa: E402

REGIONS = n.REGIONS[:-1]


def load(options, *arguments):
    done = subprocess.run([os.path.join(options.build, "tests", "splot-load"), *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=900)
    if done.returncode != 0:
        raise n.Failed(done.stderr)
    return json.loads(done.stdout)


def memory(daemon):
    """MiB: anonymous (its own, not the mapped store's pages) and proportional set size."""
    found = {}
    with open("/proc/%d/smaps_rollup" % daemon.process.pid, encoding="ascii") as f:
        for line in f:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                found[words[0].rstrip(":")] = int(words[1]) / 1024
    return found["Anonymous"], found["Pss"]


class Bench:
    def __init__(self, options, sync_us):
        self.options, self.sync_us = options, sync_us
        self.nation = n.Nation(os.path.join(options.build, "bin"))

    def up(self):
        environment = {}
        if self.sync_us:
            shim = os.path.join(os.path.abspath(self.options.build), "tests", "libslowsync.so")
            environment = {"LD_PRELOAD": shim, "SPLOT_SYNC_US": str(self.sync_us)}
        server = self.nation.add_server()
        server.environment = environment
        server.start()
        for log in REGIONS:
            node = self.nation.add_node(log)
            node.environment = environment
            server.trust(node)
            node.start()
        for node in self.nation.nodes.values():
            node.await_open()
        return server

    def nodes(self, count=None):
        return ["%s=%s" % (log, node.socket) for log, node in list(self.nation.nodes.items())[:count]]

    def rates(self, server, editors, changes, seconds):
        rows = [load(self.options, "rate", server.socket, editors, changes, seconds, *self.nodes())
                for _ in range(self.options.repeat)]
        return {key: statistics.median(row[key] for row in rows) for key in rows[0]}

    def catch_up(self, server, editors, changes, count):
        server.stop()
        filled = load(self.options, "fill", editors, changes, count, *self.nodes())
        server.start()
        waited = load(self.options, "await", server.socket, *self.nodes())
        return filled["edits"] * changes / waited["seconds"], filled["edits"] / waited["seconds"]

    def run(self):
        o, out = self.options, {}
        with self.nation:
            server = self.up()
            seconds = 3 if o.quick else 8
            idle = memory(server)
            out["latency"] = load(o, "latency", server.socket, 100 if o.quick else 500, *self.nodes(1))
            for editors in (1, 8, 32):
                out["single, %d editors a node" % editors] = self.rates(server, editors, 1, seconds)
            out["bulk, 100 records an event"] = self.rates(server, 4, 100, seconds)
            rows, events = self.catch_up(server, 32, 1, 2000 if o.quick else 10000)
            out["catch-up, events/s"] = events
            rows, events = self.catch_up(server, 8, 100, 400 if o.quick else 2000)
            out["catch-up in bulk, records/s"] = rows
            out["memory, server: anonymous, PSS (MiB)"] = memory(server)
            out["memory, server idle"] = idle
            out["memory, node: anonymous, PSS (MiB)"] = memory(self.nation.nodes["26"])
            self.nation.down()
        return out


def main():
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--quick", action="store_true", help="short runs: a look, not a figure")
    p.add_argument("--repeat", type=int, default=3, help="runs of each rate; the median is printed")
    p.add_argument("--sync-us", type=int, action="append", help="microseconds added to each sync (default: 0 and 1000)")
    options = p.parse_args()
    if options.quick:
        options.repeat = 1
    for sync_us in options.sync_us or [0, 1000]:
        print("== 16 nodes, 1 server, %s" % ("this disk" if not sync_us else "%d us added to every sync" % sync_us), flush=True)
        for name, value in Bench(options, sync_us).run().items():
            print("%-40s %s" % (name, json.dumps(value) if not isinstance(value, float) else "%.0f" % value), flush=True)


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("bench: %s" % failure)
