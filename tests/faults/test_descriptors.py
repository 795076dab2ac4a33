"""No file descriptors left, at a server or a node, by a limit and by whoever opens connections without end:
what is enrolled goes on, nobody turns in circles, and when there are descriptors again everything answers."""
import contextlib
import os
import resource
import socket
import time

import load as l
import nation as n
from fault import SANITIZED, Fault, answers, main

BUSY = 0.6 if SANITIZED else 0.35  # of a processor, with little load: a loop without rest takes all of it
FLOOD = 300


def open_files(daemon):
    return [int(name) for name in os.listdir("/proc/%d/fd" % daemon.process.pid)]


def processor_s(daemon):
    with open("/proc/%d/stat" % daemon.process.pid, encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Descriptors(Fault):
    fault = "no file descriptors"

    @contextlib.contextmanager
    def exhausted(self, daemon, spare):
        """The lowest limit under which what is open stays, and `spare` more; then a flood."""
        usual = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (max(open_files(daemon)) + 1 + spare, usual[1]))
        held = []
        try:
            for _ in range(FLOOD):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                s.setblocking(False)
                held.append(s)
                try:
                    s.connect(daemon.socket)
                except OSError:
                    break  # whoever waits to be let in is as many as a listener lets wait
            yield held
        finally:
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, usual)
            for s in held:
                s.close()

    def assert_rests(self, daemon, seconds=1.5):
        before, begun = processor_s(daemon), time.monotonic()
        time.sleep(seconds)
        share = (processor_s(daemon) - before) / (time.monotonic() - begun)
        self.assertLess(share, BUSY, "%s takes %.0f %% of a processor" % (daemon.name, 100 * share))

    def test_without_descriptors_the_enrolled_go_on(self):
        servers, nodes = self.up(servers=("centrum",))
        took = []
        for i in self.rounds(2):
            daemon = (servers + nodes)[i % 3 - 1] if i > 2 else (servers + nodes)[i - 1]
            with self.load(rate=40, editors=2) as load:
                n.wait_for("some edits", lambda: load.accepted_count > 10)
                with self.exhausted(daemon, self.random.randrange(3)):
                    # Editors that are connected are served, and the server goes on confirming.
                    before = load.accepted_count
                    sizes = {node: answers(node)[3] for node in nodes if node is not daemon}
                    self.assert_rests(daemon)
                    n.wait_for("edits go on", lambda: load.accepted_count > before + 10)
                    for node, had in sizes.items():
                        n.wait_for("they are confirmed", lambda node=node, had=had: all(
                            size > had[name] for name, size in answers(node)[3].items()))
                    self.assertIsNone(daemon.process.poll())
                begun = time.monotonic()
                n.wait_for("%s answers again" % daemon.name, lambda daemon=daemon: self.answers(daemon), 10)
                took.append(time.monotonic() - begun)
            took[-1] += self.judge(load)
        self.record(self.fault, self.round, self.stake, 0, took)

    def answers(self, daemon):
        with contextlib.suppress(OSError, l.Refused):
            return answers(daemon)

    def test_a_start_without_descriptors_says_so(self):
        servers, nodes = self.up(regions=("26",), servers=("centrum",))
        for daemon in (nodes[0], servers[0]):
            self.assertEqual(daemon.stop(), 0)
            usual = self.nation.wrap
            for most in (3, 6, 14, 200):
                since = os.path.getsize(daemon.log)
                self.nation.wrap = lambda _, most=most: ["prlimit", "--nofile=%d" % most]
                try:
                    daemon.start(seconds=30)
                except n.Failed:
                    with open(daemon.log, encoding="utf-8", errors="replace") as f:
                        f.seek(since)
                        said = f.read()
                    self.assertGreaterEqual(daemon.process.returncode, 0, said)
                    self.assertIn("descriptors are too few" if most > 4 else "shared libraries", said)
                else:
                    self.fail("started with %d descriptors" % most)
            self.nation.wrap = lambda _: ["prlimit", "--nofile=64:512"]  # the soft limit is raised
            daemon.start()
            self.nation.wrap = usual


if __name__ == "__main__":
    main()
