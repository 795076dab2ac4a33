"""One enrolled key floods the server: what honest nodes edit is confirmed all the same, the server's
memory stays bounded, and its descriptors come back.  Times and ratios are measured by ./dev bench
flood; here the bounds are generous, for machines with much else to do."""
import os
import sys
import unittest

from story import SANITIZED, SOURCE, main

sys.path.insert(0, os.path.join(SOURCE, "tests", "bench"))
import flood as f  # noqa: E402
import nation as n  # noqa: E402

HONEST = ["02", "04", "26"]
# By a key of its own each, so that none has to wait for the penalty of the one before.
FLOODS = {"06": "commits", "08": "bulk", "10": "garbage", "12": "fetch", "14": "stranger", "16": "deaf", "18": "endless", "20": "large",
          "22": "dense", "24": "wordy", "28": "vast"}
MEMORY_MIB = 64
SECONDS = 1
# What the limits of one key let be acknowledged (docs/PROTOCOL.md, 2.19), in events of some 100 bytes, 64 in each commit: the
# work of the burst, and of the seconds that the flood lasts, one more than it is measured.
BULK_SECONDS = 4
EVENTS_MOST = (1 + 8 * (BULK_SECONDS + 1.3)) * 1048576 / (100 + 512 + 8192 / 64)
CONFIRMED_MS, TIMES_USUAL = (10000, 100) if SANITIZED else (1000, 20)


class Flood(unittest.TestCase):
    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.flood.server.process.pid))

    def test_honest_nodes_are_served_through_every_flood_and_memory_stays_bounded(self):
        self.flood = f.Flood(os.environ["SPLOT_BUILD"], regions=HONEST, pinned=False).up()
        self.addCleanup(self.flood.nation.close)
        server = self.flood.server
        before = self.descriptors()
        most_ms = max(CONFIRMED_MS, TIMES_USUAL * self.flood.measure(None, 2)["p99_us"] / 1000)
        for log, mode in FLOODS.items():
            with self.subTest(mode=mode):
                self.flood.flood_as(log)
                found = self.flood.measure(mode, BULK_SECONDS if mode == "bulk" else SECONDS)
                self.assertGreater(found["flood"]["sent"], 0)
                self.assertGreater(found["samples"], 0)
                self.assertLess(found["p99_us"] / 1000, most_ms)
                if mode == "bulk":
                    self.assertLess(found["flood"]["acked"], EVENTS_MOST)
                if not SANITIZED:  # what is freed stays there for a while
                    self.assertLess(found["memory_mib"], MEMORY_MIB)
        server_log = server.log_tail(200)
        self.assertTrue(server.running(), server_log)
        n.wait_for("descriptors came back", lambda: self.descriptors() <= before + 3, 10)
        for log in HONEST:
            n.wait_for("%s confirmed" % log, self.flood.nation.nodes[log].confirmed, 30)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    main()
