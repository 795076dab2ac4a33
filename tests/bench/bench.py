#!/usr/bin/env python3
"""Rates, latency and memory of sixteen nodes and one server on this machine, everything
synced; once on the disk as it is and once with a millisecond added to every sync.

Rates count from the first edit until the server's view holds the last one. CPU is that of the
programs alone, in microseconds for each edit: it says what a rate is worth on a machine that
others use, too."""
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
    return round(found["Anonymous"], 1), round(found["Pss"], 1)


def cpu(daemons):
    """Seconds that these daemons have used."""
    ticks = 0
    for daemon in daemons:
        with open("/proc/%d/stat" % daemon.process.pid, encoding="ascii") as f:
            words = f.read().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


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

    def rate(self, server, editors, changes, seconds):
        nodes, mine = list(self.nation.nodes.values()), os.times()
        before = cpu(nodes), cpu([server])
        row = load(self.options, "rate", server.socket, editors, changes, seconds, *self.nodes())
        now = os.times()
        used = {"nodes": cpu(nodes) - before[0], "server": cpu([server]) - before[1],
                "generator": now.children_user + now.children_system - mine.children_user - mine.children_system}
        for name, spent in used.items():
            row["cpu_us_" + name] = round(spent * 1e6 / row["edits"], 1)
        return row

    def rates(self, *arguments):
        rows = [self.rate(*arguments) for _ in range(self.options.repeat)]
        return {key: statistics.median(row[key] for row in rows) for key in rows[0]}

    def latency(self, server, samples):
        rows = [load(self.options, "latency", server.socket, samples, *self.nodes(1)) for _ in range(self.options.repeat)]
        return {key: statistics.median(row[key] for row in rows) for key in rows[0]}

    def catch_up(self, server, editors, changes, count):
        """Events and records a second, from the server's start on, reconnecting included."""
        events = []
        for _ in range(self.options.repeat):
            server.stop()
            filled = load(self.options, "fill", editors, changes, count, *self.nodes())
            server.start()
            waited = load(self.options, "await", server.socket, *self.nodes())
            events.append(filled["edits"] / waited["seconds"])
        return statistics.median(events)

    def run(self):
        o, out = self.options, {}
        with self.nation:
            server = self.up()
            seconds = 3 if o.quick else 8
            idle = memory(server)
            out["latency of one edit"] = self.latency(server, 100 if o.quick else 500)
            for editors in (1, 8, 32):
                out["single records, %d editors a node" % editors] = self.rates(server, editors, 1, seconds)
            out["memory of the server after that: anonymous, PSS (MiB)"] = memory(server)
            out["bulk, 100 records an edit, 4 editors a node"] = self.rates(server, 4, 100, seconds)
            out["memory of the server after bulk"] = memory(server)
            out["catch-up, single records/s"] = self.catch_up(server, 32, 1, 2000 if o.quick else 10000)
            out["catch-up in bulk, records/s"] = 100 * self.catch_up(server, 8, 100, 400 if o.quick else 1000)
            out["memory of the server after catching up"] = memory(server)
            out["memory of the server, idle at first"] = idle
            of_nodes = [memory(node) for node in self.nation.nodes.values()]
            out["memory of the nodes, the one with least and with most"] = [min(of_nodes), max(of_nodes)]
            out["load average at the end"] = os.getloadavg()[0]
            self.nation.down()
        return out


def verification(options):
    """How fast a log is verified: its own program, one thread."""
    print("== splotctl audit verify", flush=True)
    subprocess.run([os.path.join(options.build, "tests", "verify_bench"), "100000" if options.quick else "1000000"],
                   check=True, timeout=900)


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
            print("%-55s %s" % (name, json.dumps(value) if not isinstance(value, float) else "%.1f" % value), flush=True)
    verification(options)


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("bench: %s" % failure)
