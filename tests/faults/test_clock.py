"""Clocks that jump, years forward and back, at a node, at the server, or at both: recorded times never fall,
edits go on and are confirmed, and witnesses cosign again once both clocks agree."""
import glob
import os

import load as l
import nation as n
import peer as p
from fault import Fault, main

LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
DAY = 86400
JUMPS = (0, 2 * 365 * DAY, -10 * 365 * DAY, 3 * DAY, -DAY, 1800, -1800)


def recorded(raw):
    return p.read_message(raw).get(1, 0)


class Clock(Fault):
    fault = "clock jumps"

    def setUp(self):
        super().setUp()
        if not LIBRARY:
            self.skipTest("libfaketime is not installed")
        server = self.nation.add_server("centrum", **{"witness-interval-s": "1"})
        self.faked(server)
        server.start()
        for log in ("24", "26"):
            node = self.nation.add_node(log)
            self.faked(node)
            server.trust(node)
            node.start()
        for node in self.nation.nodes.values():
            node.await_open()
        self.server = server

    def faked(self, daemon):
        daemon.clock = os.path.join(daemon.folder, "clock")
        self.jump(daemon, 0)
        preload = LIBRARY[0]
        options = os.environ.get("ASAN_OPTIONS", "")
        daemon.environment = {
            "LD_PRELOAD": preload, "FAKETIME_TIMESTAMP_FILE": daemon.clock, "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
            "ASAN_OPTIONS": (options + ":" if options else "") + "verify_asan_link_order=0"}

    def jump(self, daemon, seconds):
        with open(daemon.clock + ".new", "w", encoding="ascii") as f:
            f.write("%+d\n" % seconds)
        os.replace(daemon.clock + ".new", daemon.clock)
        daemon.offset = seconds

    def cosigned(self):
        found = self.server.status()["cosigned"]
        return found["size"] if found else 0

    def confirmed_goes_on(self, load):
        before = {log: load.most_confirmed(log) for log in load.sent}
        n.wait_for("edits are confirmed in each region", lambda: all(
            load.most_confirmed(log) > size for log, size in before.items()), 20)

    def assert_times_stand(self):
        for daemon, logs in [(node, [node.log_name]) for node in self.nation.nodes.values()] + [
                (self.server, ["24", "26", "national"])]:
            for log in logs:
                with l.Control(daemon.socket) as control:
                    times = [recorded(raw) for raw in control.events(log)]
                self.assertEqual(times, sorted(times), "%s: times of log %s fall" % (daemon.name, log))

    def assert_sane(self):
        """Who asks for the end of a day far ahead gets all, of one far behind nothing."""
        for daemon in [self.server] + list(self.nation.nodes.values()):
            status = daemon.status()
            self.assertEqual(status["state"], "open")
            self.assertGreater(len(daemon.json("list", "entities", "--as-of", "2999-01-01")["records"]), 0)
            self.assertIn("nothing was recorded", daemon.ctl("list", "entities", "--as-of", "2001-01-01", check=False).stderr)

    def test_times_never_fall_and_work_goes_on(self):
        took = []
        daemons = [self.server] + list(self.nation.nodes.values())
        for i in self.rounds(4):
            with self.load(rate=60) as load:
                n.wait_for("some edits", lambda: load.accepted_count > 10)
                for daemon in ((daemons, daemons[:1], daemons[1:2], daemons[1:]))[i % 4 - 1]:
                    self.jump(daemon, self.random.choice(JUMPS))
                self.confirmed_goes_on(load)
                apart = [abs(node.offset - self.server.offset) > 3700 for node in daemons[1:]]
                if any(apart):
                    names = [node.log_name for node, far in zip(daemons[1:], apart) if far]
                    n.wait_for("a cosignature of another time is refused by name", lambda: any(
                        row["log"] in names and row["code"] == "clock" for row in self.server.status()["refusals"]), 20)
            for daemon in daemons:  # as administrators would: to the same time again
                self.jump(daemon, 0)
            took.append(self.judge(load))
            n.wait_for("witnesses cosign again", lambda: self.cosigned() == self.server.status()["size"], 40)
            self.assert_times_stand()
        self.assert_sane()
        self.record(self.fault, self.round, self.stake, 0, took)


if __name__ == "__main__":
    main()
