#!/usr/bin/env python3
"""How sixteen honest nodes fare while the holder of a seventeenth key, or a stranger, floods the
server: from accepted to confirmed, the server's memory and its CPU.  `./dev bench flood`.

The nodes edit at a usual rate (one edit every PERIOD_MS at each).  A flooder that works as hard as
it can takes a core from everybody on this machine; on its own machine it would not.  So before each
flood comes a usual run beside a program that burns the same core and says nothing; the ratio of
their 99th percentiles, each of all rounds together, is what is judged."""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "nation"))
import nation as n  # noqa: E402

REGIONS = n.REGIONS[:16]
FLOODER = "PL"
MODES = ["commits", "paced", "bulk", "dense", "wordy", "large", "vast", "garbage", "hello", "fetch", "connect", "stranger", "half", "deaf", "endless"]
PERIOD_MS = 200


def anonymous_mib(daemon):
    with open("/proc/%d/status" % daemon.process.pid, encoding="ascii") as f:
        found = re.search(r"RssAnon:\s+(\d+)", f.read())
    return int(found.group(1)) / 1024 if found else 0.0  # it ended


def cpu_s(daemon):
    with open("/proc/%d/stat" % daemon.process.pid, encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """The most memory that a daemon takes while it is watched, and its CPU."""

    def __init__(self, daemon):
        self.daemon, self.most, self.over = daemon, 0.0, threading.Event()
        self.cpu, self.begun = cpu_s(daemon), time.monotonic()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, anonymous_mib(self.daemon))

    def end(self):
        self.over.set()
        self.thread.join()
        return self.most, (cpu_s(self.daemon) - self.cpu) / (time.monotonic() - self.begun)


class Flood:
    """A nation, its load and its flooder; `pinned` gives the flooder the last core for itself and
    leaves it to the others as well."""

    def __init__(self, build, regions=REGIONS, pinned=True):
        self.build, self.pinned = build, pinned and os.cpu_count() > 1
        self.regions = regions
        self.nation = n.Nation(os.path.join(build, "bin"))

    def up(self):
        self.server = self.nation.up(self.regions)
        self.flood_as(FLOODER)
        return self

    def flood_as(self, log):
        """By the keys of that log; its program is never started."""
        self.flooder = self.nation.add_node(log)
        self.server.trust(self.flooder)

    def begin(self, mode, seconds):
        command = ["timeout", str(seconds), "sh", "-c", "while :; do :; done"] if mode is None else [os.path.join(self.build, "tests", "splot-flood"), mode, self.flooder.keys, self.server.card,
                   self.server.address, str(seconds)]
        if self.pinned:
            command = ["taskset", "-c", str(os.cpu_count() - 1)] + command
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def confirm(self, seconds):
        nodes = ["%s=%s" % (log, self.nation.nodes[log].socket) for log in self.regions]
        done = subprocess.run([os.path.join(self.build, "tests", "splot-load"), "confirm", str(PERIOD_MS),
                               str(seconds), *nodes], stdout=subprocess.PIPE, text=True, timeout=seconds + 120)
        if done.returncode != 0:
            raise n.Failed("splot-load confirm: exit %d" % done.returncode)
        return json.loads(done.stdout)

    def measure(self, mode, seconds):
        """One flood while the nodes edit: their times, the server's memory and CPU, what was sent."""
        watch = Watch(self.server)
        flood = self.begin(mode, seconds + 1)
        try:
            time.sleep(0.5)
            out = self.confirm(seconds)
        finally:
            said = flood.communicate(timeout=60)[0]
            memory, cpu = watch.end()
        if mode and flood.returncode != 0:
            raise n.Failed("splot-flood %s: exit %d" % (mode, flood.returncode))
        out.update(memory_mib=memory, cpu=cpu, flood=json.loads(said or "{}"))
        return out

    def forgive(self):
        """A server that starts anew knows of no penalties."""
        self.server.stop()
        self.server.start()
        n.wait_for("all nodes are back", lambda: sum(
            row["state"] == "live" for row in self.server.status()["logs"]) == len(self.regions), 60)

    def close(self):
        self.nation.down()
        self.nation.close()


def pooled(runs, part):
    """The quantile of all that was measured in these runs, in ms."""
    every = sorted(us for run in runs for us in run["all_us"])
    return every[int(len(every) * part)] / 1000


def compare(flood, mode, o):
    flood.confirm(2)  # stores and connections are warm
    quiet, busy = [], []
    for _ in range(o.rounds):
        flood.forgive()
        quiet.append(flood.measure(None, o.seconds))
        busy.append(flood.measure(mode, o.seconds))
    usual, p99 = pooled(quiet, 0.99), pooled(busy, 0.99)
    ratios = sorted(b["p99_us"] / q["p99_us"] for q, b in zip(quiet, busy))
    print("%-9s %7.1f %8.1f %7.1f %8.1f %7.2f %4.1f (%.1f-%4.1f) %6.1f %6.2f  %s" % (
        mode, pooled(quiet, 0.5), usual, pooled(busy, 0.5), p99, p99 / usual,
        statistics.median(ratios), ratios[0], ratios[-1],
        max(b["memory_mib"] for b in busy), statistics.median(b["cpu"] for b in busy),
        json.dumps(busy[-1]["flood"])), flush=True)


def main():
    p = argparse.ArgumentParser(prog="./dev bench flood", description=__doc__)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--rounds", type=int, default=9, help="a usual run and a flood, so many times each")
    p.add_argument("--seconds", type=int, default=6)
    p.add_argument("modes", nargs="*", metavar="MODE", help="of " + ", ".join(MODES))
    o = p.parse_args()
    print("%-9s %16s %16s %7s %15s %6s %6s" % ("flood", "usual p50, p99", "p50, p99 (ms)", "ratio",
                                               "of the rounds", "MiB", "CPU"))
    for mode in o.modes or MODES:
        flood = Flood(o.build).up()  # one flood's log is not another's
        try:
            compare(flood, mode, o)
        finally:
            flood.close()
    print("load average", os.getloadavg())


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("flood: %s" % failure)
