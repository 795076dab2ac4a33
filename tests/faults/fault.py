"""What every fault story shares: rounds that a seed repeats, load, and the judge, who finds what
was lost, doubled or changed."""
import contextlib
import datetime
import json
import os
import random
import sys
import time
import unittest

import load as l
import nation as n
import peer as p
from story import BIN, SANITIZED, Story, main  # noqa: F401 (main is for the stories)

CONVERGE_S = 120.0 if SANITIZED else 60.0
# What says little more of sanitized programs than its neighbours do, and takes long.
PLAIN_ONLY = unittest.skipIf(SANITIZED, "played with the release programs")


def soak_seconds():
    return float(os.environ.get("SPLOT_SOAK_S", "0"))


class Fault(Story):
    """`fault` names it in the table of docs/RELIABILITY.md."""
    fault = None

    def setUp(self):
        super().setUp()
        self.began, self.round = time.monotonic(), 0
        self.seed = int(os.environ.get("SPLOT_SEED", random.randrange(1 << 32)))
        self.random = random.Random("%d %s" % (self.seed, self.id().split(".")[-1]))
        print("%s: seed %d (repeat with SPLOT_SEED=%d)" % (self.id(), self.seed, self.seed), file=sys.stderr)

    def rounds(self, short):
        """Numbers of rounds: `short` of them, fewer under the sanitizers; with SPLOT_SOAK_S as many
        as fit that many seconds."""
        least = min(short, max(2, short // 3)) if SANITIZED else short
        end = time.monotonic() + soak_seconds()
        while self.round < least or time.monotonic() < end:
            self.round += 1
            yield self.round

    def worlds(self, short, each=25):
        """Nations one after the other, so that none grows for hours, each as the rounds that it
        takes.  All in all as many as by rounds()."""
        least = min(short, max(2, short // 3)) if SANITIZED else short
        self.end, done = time.monotonic() + soak_seconds(), 0
        while done < least or time.monotonic() < self.end:
            if done > 0:
                self.nation.close()
                self.nation = n.Nation(BIN)
                self.addCleanup(self.nation.close)
            count = each if done >= least else min(each, least - done)
            self.needed = count if done < least else 1
            before = self.round
            yield self.until_enough(count)
            done += self.round - before

    def until_enough(self, count):
        for i in range(count):
            if i >= self.needed and time.monotonic() > self.end:
                return
            self.round += 1
            yield self.round

    def prepare(self, daemon):
        """What a story does with a daemon before its first start."""

    def up(self, regions=("24", "26"), servers=("centrum", "zapas"), server_config=None, node_config=None):
        """Servers and nodes, each node enrolled at each server, all started and open."""
        for name in servers:
            server = self.nation.add_server(name, **(server_config or {}))
            self.prepare(server)
            server.start(wait=False)
        for server in self.nation.servers:
            n.wait_for("%s answers" % server.name, lambda server=server: answers(server))
        for log in regions:
            node = self.nation.add_node(log, **(node_config or {}))
            self.prepare(node)
            for server in self.nation.servers:
                server.trust(node)
            node.start(wait=False)
        for node in self.nation.nodes.values():
            n.wait_for("%s answers" % node.name, lambda node=node: answers(node))
            node.await_open()
        return self.nation.servers, list(self.nation.nodes.values())

    def load(self, *nodes, rate=300, editors=3):
        """Edits at these nodes (default: all) until the block ends: see load.py."""
        return l.Load(nodes or self.nation.nodes.values(), self.nation.servers, rate, editors)

    # ---- the judge ----

    def judge(self, load, lost_disks=(), redacted=(), seconds=CONVERGE_S):
        """Waits until all that is configured converged, then compares every log and view with what
        was accepted.  `lost_disks`: nodes of which only what was confirmed must be there.
        `redacted`: (log, index) whose bytes were erased.  Returns the seconds to converge;
        `self.stake` is how many confirmed events could have been lost."""
        load.stop()
        self.stake = 0
        for log in load.sent:
            self.assertTrue(load.accepted(log), "nothing was accepted of log %s: %s" % (log, load.refusals))
        begun = time.monotonic()
        self.until_converged(seconds)
        took = time.monotonic() - begun
        for daemon in load.nodes + load.servers:
            load.look(daemon)
        self.stake = sum(load.most_confirmed(log) for log in load.sent)
        wrong = []
        logs = {}
        for node in self.nation.nodes.values():
            with l.Control(node.socket) as control:
                logs[node.log_name] = events = control.events(node.log_name)
            wrong += self.wrong_log(load, node, events, node in lost_disks, redacted)
        for node in self.nation.nodes.values():
            wrong += self.wrong_view(node, {node.log_name: logs[node.log_name]})
        for server in self.nation.servers:
            mine = {node.log_name: logs[node.log_name] for node in self.nation.nodes.values() if server in node.servers}
            wrong += self.wrong_copies(server, mine)
            wrong += self.wrong_view(server, mine)
        wrong += self.wrong_audits()
        if wrong:
            self.record(self.fault or self.id(), self.round, self.stake, len(wrong), [took])
            self.fail("seed %d, round %d: %d wrong\n%s" % (self.seed, self.round, len(wrong), "\n".join(wrong[:20])))
        return took

    def until_converged(self, seconds=CONVERGE_S):
        """Every node open, everything of it at every server of it and in that server's view."""
        state = {}

        def converged():
            sizes = {}
            for node in self.nation.nodes.values():
                size, _, word, peers = ask_status(node)
                state[node.name] = (size, word, peers)
                sizes[node] = size
                if word != "open" or any(held != size for held in peers.values()) or len(peers) < len(node.servers):
                    return False
            for server in self.nation.servers:
                size, position, _, logs = ask_status(server)
                state[server.name] = (size, position, logs)
                if position != size:
                    return False
                if any(logs.get(node.log_name) != held for node, held in sizes.items() if server in node.servers):
                    return False
            return True

        def tried():
            with contextlib.suppress(OSError, l.Refused):
                return converged()
        try:
            n.wait_for("all converges", tried, seconds)
        except n.Failed:
            self.fail("seed %d, round %d: not converged within %.0f s: %s" % (self.seed, self.round, seconds, state))

    def wrong_log(self, load, node, events, lost_disk, redacted):
        """Accepted edits that are not where the node said, any that are there twice, and what was refused
        and is there all the same."""
        log, wrong, seen = node.log_name, [], {}
        confirmed = load.most_confirmed(log)
        if len(events) < confirmed:
            wrong.append("log %s: %d events, %d were confirmed" % (log, len(events), confirmed))
        held = [changes_of(raw) for raw in events]
        for index, changes in enumerate(held):
            for change in changes:
                seen.setdefault(change, []).append(index)
        wrong += ["log %s: %s is there %d times, at %s" % (log, change, len(places), places)
                  for change, places in seen.items() if len(places) > 1]
        wrong += ["log %s: refused, and yet there as event %d: %s" % (log, seen[i, name][0], edit.records)
                  for edit in load.refused.get(log, ()) for i, name, _ in edit.records if (i, name) in seen]
        for edit in load.accepted(log) if log in load.sent else ():
            if (log, edit.index) in redacted or (lost_disk and edit.index >= confirmed):
                continue
            there = held[edit.index] if edit.index < len(held) else None
            if there != [(i, name) for i, name, _ in edit.records]:
                wrong.append("log %s: accepted as event %d (%s): %s; there now: %s" % (
                    log, edit.index, "confirmed" if edit.index < confirmed else "not confirmed", edit.records, there))
        return wrong

    def wrong_copies(self, server, logs):
        """Logs at a server that are not, byte by byte, what their nodes hold."""
        wrong = []
        with l.Control(server.socket) as control:
            for log, events in logs.items():
                copy = control.events(log)
                if copy != events:
                    first = next((i for i, (a, b) in enumerate(zip(copy, events)) if a != b), min(len(copy), len(events)))
                    wrong.append("%s: log %s has %d events, its node %d; they differ from %d on" % (
                        server.name, log, len(copy), len(events), first))
        return wrong

    def wrong_view(self, daemon, logs):
        """Records of a view that are not what its logs fold to."""
        wanted = {}
        for log, events in logs.items():
            for index, raw in enumerate(events):
                for record_id, name in changes_of(raw):
                    if name is None:
                        wanted.pop(record_id, None)
                    else:
                        wanted[record_id] = (name, log, index)
        with l.Control(daemon.socket) as control:
            rows = control.entities()
        found = {row[0]: row[1:] for row in rows}
        wrong = ["%s: its view has %s twice" % (daemon.name, row[0]) for i, row in enumerate(rows[1:])
                 if row[0] == rows[i][0]]
        return wrong + ["%s: record %s is %s in its view, %s in the logs" % (
            daemon.name, record_id, found.get(record_id), wanted.get(record_id))
            for record_id in sorted(set(wanted) | set(found)) if wanted.get(record_id) != found.get(record_id)]

    def wrong_audits(self):
        wrong = []
        for daemon in list(self.nation.nodes.values()) + self.nation.servers:
            done = self.nation.ctl("audit", "verify", "--config", daemon.config, check=False)
            if done.returncode != 0:
                wrong.append("audit verify of %s: exit %d\n%s%s" % (
                    daemon.data, done.returncode, done.stdout, done.stderr))
        return wrong

    # ---- the table ----

    def record(self, fault, rounds, stake, lost, seconds):
        """One line for tests/faults/table.py; `seconds`: times to converge, one or several."""
        times = [float(s) for s in (seconds if isinstance(seconds, (list, tuple)) else [seconds])]
        line = json.dumps({
            "fault": fault, "rounds": rounds, "stake": stake, "lost": lost, "seconds": [round(s, 3) for s in times],
            "ran_s": round(time.monotonic() - self.began, 1), "seed": self.seed, "sanitized": SANITIZED,
            "at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")})
        path = os.environ.get("SPLOT_RELIABILITY")
        if not path:
            print(line, file=sys.stderr)
            return
        with open(path, "a", encoding="utf-8") as f:
            f.write(line + "\n")


def ask_status(daemon):
    with l.Control(daemon.socket, 5.0) as control:
        return control.status()


def answers(daemon):
    try:
        return ask_status(daemon)
    except (OSError, l.Refused):
        if not daemon.running():
            raise n.Failed("%s ended with %s:\n%s" % (daemon.name, daemon.process.returncode, daemon.log_tail()))
        return None


def changes_of(raw):
    """[(id, name)] of an event's entities; name None: retired."""
    found = []
    for body in l.all_of(raw, 5):
        change = p.read_message(body)
        if l.ENTITY in change:
            found.append((change[1].decode(), p.read_message(change[l.ENTITY]).get(4, b"").decode()))
        elif p.read_message(change.get(8, b"")).get(1) == l.ENTITY:
            found.append((change[1].decode(), None))
    return found
