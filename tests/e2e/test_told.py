"""What a daemon says of itself in its view, to programs that only read: it is there soon, stays fresh, and
is closed in time when the store is written anew."""
import json
import os
import subprocess
import threading
import time
from datetime import datetime

import nation as n
from story import SANITIZED, Story, main

TOLD = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-told")
SOON_S = 2.0 if SANITIZED else 0.5  # 200 ms, and what a busy machine adds


class Follower:
    """splot-told beside a daemon: every line that it prints."""

    def __init__(self, folder):
        self.lines = []
        self.process = subprocess.Popen([TOLD, folder, "follow"], stdout=subprocess.PIPE, encoding="utf-8")
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def statuses(self):
        return [line for line in self.lines if "state" in line]

    def events(self):
        return [line["event"] for line in self.lines if "event" in line]

    def until(self, what, check, seconds=30):
        return n.wait_for(what, lambda: next((s for s in reversed(self.statuses()) if check(s)), None), seconds)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


class Told(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26", "24"], server_config={"witness-interval-s": "1"})
        self.node = self.nation.nodes["26"]
        self.view = os.path.join(self.server.data, "view")

    def follow(self, folder):
        follower = Follower(folder)
        self.addCleanup(follower.close)
        return follower

    def once(self, folder):
        done = subprocess.run([TOLD, folder, "once"], stdout=subprocess.PIPE, encoding="utf-8", check=True, timeout=60)
        return json.loads(done.stdout)

    # ---- the server ----

    def test_a_server_says_in_its_view_what_it_answers_when_asked(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        self.until_folded(self.server)
        n.wait_for("a quorum", lambda: self.server.status()["quorum"])
        told = n.wait_for("the quorum in the view", lambda: (lambda t: t if t["quorum"] else None)(self.once(self.view)))
        asked = self.server.status()
        self.assertEqual((told["role"], told["state"]), ("server", "open"))
        self.assertEqual(told["interval_ms"], 1000)
        self.assertEqual(told["witnesses"], len(asked["witnesses"]))
        rows = {p["name"]: p for p in told["peers"]}
        for row in asked["logs"]:
            self.assertEqual((rows[row["log"]]["state"], rows[row["log"]]["size"]), (row["state"], row["size"]))
        self.assertEqual(rows["26"]["checkpoint"].split("\n")[:2], [self.nation.realm + "/region/26", "1"])
        self.assertEqual(asked["logs"][[r["log"] for r in asked["logs"]].index("26")]["checkpoint"],
                         rows["26"]["checkpoint"])
        self.assertIn("/national/", told["checkpoint"].split("\n")[0])

    def test_it_is_new_every_second_and_soon_after_what_happened(self):
        follower = self.follow(self.view)
        follower.until("a status", lambda s: s["state"] == "open")
        time.sleep(4)
        written = [s["written_ms"] for s in follower.statuses()]
        self.assertLess(max(b - a for a, b in zip(written, written[1:])), 1000 + 1000 * SOON_S)
        for i in range(5):
            self.add(self.node, "pl26-kis-%d" % i)
            self.until_confirmed(self.node)
            began = time.monotonic()
            follower.until("event %d in the view" % i,
                           lambda s: {p["name"]: p["size"] for p in s["peers"]}.get("26") == i + 1)
            self.assertLess(time.monotonic() - began, SOON_S)
        last = follower.statuses()[-1]
        self.assertEqual(last["position"], last["size"])

    def test_what_took_how_long_is_counted(self):
        for i in range(3):
            self.add(self.node, "pl26-kis-%d" % i)
            self.until_confirmed(self.node)
        self.until_folded(self.server)
        n.wait_for("a witness", lambda: any(w["size"] for w in self.server.status()["witnesses"]))
        rows = {row["name"]: row for row in self.server.status()["latencies"]}
        self.assertEqual(sorted(rows), ["arrival", "store", "visible", "witness"])
        self.assertEqual(rows["arrival"]["count"], 3)
        for name in ("store", "visible"):
            self.assertGreaterEqual(rows[name]["count"], 3)
        self.assertGreaterEqual(rows["witness"]["count"], 1)
        for row in rows.values():
            self.assertEqual(sum(b["count"] for b in row["buckets"]), row["count"])
            self.assertIsNone(row["buckets"][-1]["up_to_us"])
        self.assertLess(rows["visible"]["sum_us"] / rows["visible"]["count"], 5e6)
        n.wait_for("the same in the view", lambda: self.once(self.view)["histograms"]["arrival"] == 3)
        own = {row["name"]: row for row in self.node.status()["latencies"]}
        self.assertEqual(own["store"]["count"], 3)

    def test_a_stopped_server_has_said_so_and_a_killed_one_falls_silent(self):
        follower = self.follow(self.view)
        follower.until("a status", lambda s: s["state"] == "open")
        self.assertEqual(self.server.stop(), 0)
        follower.until("its last word", lambda s: s["state"] == "stopped")
        self.server.start()
        begun = follower.statuses()[-1]["written_ms"]
        follower.until("it is back", lambda s: s["state"] == "open" and s["written_ms"] > begun)
        self.server.kill()
        time.sleep(0.5)
        silent = follower.statuses()[-1]
        self.assertEqual(silent["state"], "open")
        time.sleep(1.5)
        self.assertEqual(follower.statuses()[-1], silent)
        self.server.start()
        follower.until("it is back again", lambda s: s["written_ms"] > silent["written_ms"])

    def test_a_server_that_starts_anew_knows_when_it_last_took_something_of_each_log(self):
        def taken():
            return {row["log"]: row["last_commit"] for row in self.server.status()["logs"]}
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        before = taken()
        self.assertEqual(self.server.stop(), 0)
        time.sleep(1)
        self.server.start()
        after = taken()
        apart = datetime.fromisoformat(before["26"]) - datetime.fromisoformat(after["26"])
        self.assertLess(abs(apart.total_seconds()), 0.5)
        self.assertIsNone(after["24"], "nothing was ever taken of it")

    def test_a_view_thrown_away_is_met_again_as_the_new_one(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        follower = self.follow(self.view)
        follower.until("a status", lambda s: s["state"] == "open")
        self.server.ctl("redact", "26", "0", "--reason", "letter 7")  # its logs are written anew, the view folded anew
        n.wait_for("the view is another one", lambda: "replaced" in follower.events())
        n.wait_for("it was opened again", lambda: follower.events()[-1] == "opened")
        follower.until("its status", lambda s: s["state"] == "open" and s["position"] == s["size"] and s["size"] > 1)

    # ---- a node ----

    def test_a_node_says_what_changed_and_takes_it_along_with_its_commits(self):
        follower = self.follow(self.node.data)
        first = follower.until("a status", lambda s: s["role"] == "node")
        self.assertEqual(first["interval_ms"], 30000)
        self.add(self.node, "pl26-kis-a")
        told = follower.until("the event confirmed", lambda s: s["size"] == 1 and s["peers"][0]["size"] == 1)
        self.assertEqual(told["checkpoint"].split("\n")[:2], [self.nation.realm + "/region/26", "1"])
        self.assertEqual(told["position"], 1)
        n.wait_for("nothing changes any more", lambda: self.node.confirmed())
        time.sleep(2)
        count = len(follower.statuses())
        time.sleep(3)
        self.assertLessEqual(len(follower.statuses()), count + 1)  # the server's national log may have grown
        self.assertEqual(self.node.stop(), 0)
        follower.until("its last word", lambda s: s["state"] == "stopped")

    def test_a_node_writes_its_store_anew_beside_a_reader_that_listens(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        follower = self.follow(self.node.data)
        follower.until("a status", lambda s: s["size"] == 1)
        self.server.ctl("redact", "26", "0", "--reason", "letter 7")
        follower.until("it says so before", lambda s: s["state"] == "rewriting")
        n.wait_for("the reader closed it, and opened the new one",
                   lambda: follower.events()[-2:] == ["closed", "opened"])
        back = follower.until("the node is back", lambda s: s["state"] == "open")
        self.assertEqual(back["size"], 1)
        n.wait_for("it is erased", lambda: "is erased from the files" in self.node.log_tail(50))
        self.assertEqual(self.node.status()["note"], "")


if __name__ == "__main__":
    main()
