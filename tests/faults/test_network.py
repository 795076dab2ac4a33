"""A line that is cut one way or both, loses packets, flaps, is slow or stands still; a peer that is gone without
a word.  Server and nodes run in network namespaces of their own; nothing leaves these."""
import ctypes
import os
import selectors
import socket
import threading
import time

import hosts
import nation as n
from fault import Fault, main

LOGS = ("22", "24", "26")
SERVER = "10.78.0.1"
PORT, FEED, PROXY = 9021, 9022, 9023
AWAY_S = 20.0   # 10 s of silence are the program's; the rest is this machine's
HELD_S = 11.0   # so long that the silence is noticed
CLONE_NEWNET = 0x40000000


def run(*words):
    done = hosts.run(*words)
    if done.returncode != 0:
        raise n.Failed("%s: %s" % (" ".join(words), done.stdout))


class Proxy:
    """Passes bytes on as slowly as is wanted, in the namespace of a node: `delay_s` each way, at most
    `bytes_s` a second, and nothing at all while it is `stalled`."""
    CHUNK = 16384

    def __init__(self, namespace, to):
        self.to, self.namespace = to, namespace
        self.delay_s, self.bytes_s, self.stalled, self.halt = 0.0, 0, False, False
        self.selector = selectors.DefaultSelector()
        self.other, self.waiting = {}, {}  # socket -> its other side; socket -> [(when, bytes)] to be written to it
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        self.ready.wait(10)

    def enter(self):
        with open("/run/netns/" + self.namespace, "rb") as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def work(self):
        self.enter()
        listener = socket.create_server(("127.0.0.1", PROXY))
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)
        self.ready.set()
        while not self.halt:
            for key, _ in self.selector.select(0.01):
                if key.fileobj is listener:
                    self.accept(listener)
                elif not self.stalled:
                    self.read(key.fileobj)
            if not self.stalled:
                self.write()
        for s in list(self.other) + [listener]:
            s.close()

    def accept(self, listener):
        here, _ = listener.accept()
        try:
            there = socket.create_connection(self.to, timeout=2)
        except OSError:
            here.close()
            return
        for one, other in ((here, there), (there, here)):
            one.setblocking(False)
            self.other[one], self.waiting[one] = other, []
            self.selector.register(one, selectors.EVENT_READ)

    def read(self, s):
        try:
            part = s.recv(self.CHUNK) if s in self.other else None
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if part:
            rest = len(part) / self.bytes_s if self.bytes_s else 0.0
            self.waiting[self.other[s]].append((time.monotonic() + self.delay_s + rest, part))
            time.sleep(min(rest, 0.05))
        elif part is not None:
            self.close(s)

    def write(self):
        now = time.monotonic()
        for s in list(self.other):
            while self.waiting.get(s) and self.waiting[s][0][0] <= now:
                when, part = self.waiting[s][0]
                try:
                    sent = s.send(part)
                except BlockingIOError:
                    break
                except OSError:
                    self.close(s)
                    break
                if sent == len(part):
                    self.waiting[s].pop(0)
                else:
                    self.waiting[s][0] = (when, part[sent:])

    def close(self, s):
        for one in (s, self.other[s]):
            self.selector.unregister(one)
            one.close()
            self.other.pop(one)
            self.waiting.pop(one)

    def end(self):
        self.halt = True
        self.thread.join(10)


class Network(Fault):
    fault = "partition and loss"

    def setUp(self):
        super().setUp()
        self.spaces = {}
        for name in ("s",) + LOGS:
            self.spaces[name] = hosts.network("splot-%s-%d" % (name, os.getpid()), self.addCleanup)
        self.hub = self.spaces["s"]
        try:
            self.wire()
        except n.Failed as error:
            self.skipTest("this machine does not let us join or filter network namespaces: %s" % error)
        self.nation.wrap = lambda daemon: ["ip", "netns", "exec", self.spaces[getattr(daemon, "log_name", "s")]]

    def wire(self):
        run("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.hub, "addr", "add", SERVER + "/24", "dev", "br0")
        for link in ("lo", "br0"):
            run("ip", "-n", self.hub, "link", "set", link, "up")
        for i, log in enumerate(LOGS):
            there = self.spaces[log]
            run("ip", "link", "add", "v" + log, "netns", self.hub, "type", "veth", "peer", "name", "eth0", "netns", there)
            run("ip", "-n", self.hub, "link", "set", "v" + log, "master", "br0", "up")
            run("ip", "-n", there, "addr", "add", "10.78.0.%d/24" % (10 + i), "dev", "eth0")
            for link in ("lo", "eth0"):
                run("ip", "-n", there, "link", "set", link, "up")
        for log in LOGS:
            self.rules(log, "add table ip splot", "add chain ip splot in { type filter hook input priority 0; }",
                       "add chain ip splot out { type filter hook output priority 0; }")

    def rules(self, log, *lines):
        run("ip", "netns", "exec", self.spaces[log], "nft", "; ".join(lines))

    def drop(self, log, chains=("in", "out"), share=None):
        lost = "numgen random mod 100 < %d " % share if share else ""
        self.rules(log, *("add rule ip splot %s %s %sdrop" % (
            chain, 'iifname "eth0"' if chain == "in" else 'oifname "eth0"', lost) for chain in chains))

    def heal(self, log):
        self.rules(log, "flush chain ip splot in", "flush chain ip splot out")
        run("ip", "-n", self.spaces[log], "link", "set", "eth0", "up")

    def start(self):
        server = self.nation.add_server("centrum", **{"witness-interval-s": "1"})
        server.address, server.feed = "tcp://%s:%d" % (SERVER, PORT), "tcp://%s:%d" % (SERVER, FEED)
        server.configure()
        server.start()
        self.proxy = Proxy(self.spaces["22"], (SERVER, PORT))
        self.addCleanup(self.proxy.end)
        for log in LOGS:
            address = server.address
            if log == "22":
                server.address = "tcp://127.0.0.1:%d" % PROXY
            node = self.nation.add_node(log)
            server.address = address
            server.trust(node)
            node.start()
        for node in self.nation.nodes.values():
            node.await_open()
        return server

    def test_lines_that_are_cut_lose_flap_and_stall_lose_nothing(self):
        self.start()
        nodes, took = self.nation.nodes, []
        for i in self.rounds(1):
            with self.load(rate=120) as load:
                n.wait_for("some edits", lambda: load.accepted_count > 50)
                ends = time.monotonic() + (HELD_S if i % 3 == 1 else 4.0)
                # Region 26: cut, both ways or one; its node and the server say so.
                self.drop("26", (("in", "out"), ("in",), ("out",))[i % 3 - 1])
                # Region 22, behind the proxy: slow, narrow, and for a while nothing.
                self.proxy.delay_s, self.proxy.bytes_s = self.random.choice(((0.2, 0), (0.0, 40000), (0.1, 100000)))
                # Region 24: loses packets, then flaps, then one way is cut and its node is gone without a word.
                self.drop("24", share=self.random.randrange(10, 40))
                time.sleep(2.0)
                self.heal("24")
                for _ in range(3):
                    run("ip", "-n", self.spaces["24"], "link", "set", "eth0", "down")
                    time.sleep(self.random.uniform(0.05, 0.3))
                    run("ip", "-n", self.spaces["24"], "link", "set", "eth0", "up")
                    time.sleep(self.random.uniform(0.05, 0.3))
                self.drop("24", (("in",), ("out",))[i % 2])
                nodes["24"].kill()
                nodes["24"].start(wait=False)
                self.proxy.stalled = True
                time.sleep(max(0.5, min(1.5, ends - time.monotonic())))
                self.proxy.stalled = False
                if i % 3 == 1:
                    said = nodes["26"].status()["size"]
                    n.wait_for("the node says that its server is away",
                               lambda: nodes["26"].status()["servers"][0]["state"] == "away", AWAY_S, 0.1)
                    self.assertGreaterEqual(nodes["26"].status()["size"], said)  # it takes edits meanwhile
                    shown = [row for row in self.nation.servers[0].status()["logs"] if row["log"] == "26"][0]
                    self.assertLess(shown["size"], nodes["26"].status()["size"])
                time.sleep(max(0.0, ends - time.monotonic()))
            for log in LOGS:
                self.heal(log)
            self.proxy.delay_s = self.proxy.bytes_s = 0
            took.append(self.judge(load))
        self.record(self.fault, self.round, self.stake, 0, took)


if __name__ == "__main__":
    main()
