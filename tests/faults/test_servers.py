"""Two servers, each published to by itself: one is down and the other confirms; then both are lost, disk and
keys, one after the other, and come back from the nodes, the enrolment files and an act of their administrator."""
import json
import os
import time

import nation as n
from fault import Fault, main

REASON = ("--reason", "the disk was lost")


class Servers(Fault):
    fault = "both servers of a pair lost, one after the other"

    def link(self, node, server):
        return [row for row in node.status()["servers"] if row["server"] == server.server_name][0]

    def confirmed_at(self, server):
        return all(self.link(node, server)["confirmed"] == node.status()["size"] for node in self.nodes)

    def newest_witnessed(self, server):
        """The file to quote: the newest national checkpoint of that server that any node witnessed."""
        best = max(self.nodes, key=lambda node: max(
            [(len(row["origin"]), row["origin"], row["size"])  # a later log, then a larger one
             for row in node.json("witnessed", server.server_name)["witnessed"]], default=(0, "", 0)))
        path = os.path.join(self.nation.folder, server.server_name + ".checkpoint")
        with open(path, "w", encoding="utf-8") as f:
            f.write(best.ctl("witnessed", server.server_name).stdout)
        return path

    def lose(self, server, generation):
        """Disk and keys are gone, edits go on; then the runbook."""
        key = server.log_key()
        server.lose()
        other = [s for s in self.nation.servers if s is not server][0]
        with self.load(rate=80) as load:
            n.wait_for("some edits", lambda: load.accepted_count > 15)
            n.wait_for("the other server goes on confirming", lambda: all(
                self.link(node, other)["confirmed"] > 0 for node in self.nodes))
        n.wait_for("the other server has all", lambda: self.confirmed_at(other))
        begun = time.monotonic()
        note = self.newest_witnessed(server)
        server.begin_anew(generation)
        server.start()
        server.ctl("continue", note, "--key", key, *REASON)
        for node in self.nodes:
            server.trust(node)
        for node in self.nodes:
            self.assertEqual(node.stop(), 0)
            node.start()
            self.assertEqual(self.link(node, server)["state"], "held")
            node.ctl("follow", server.server_name, *REASON)
        self.judge(load)
        return time.monotonic() - begun

    def assert_equal(self):
        done = self.nation.ctl("compare", *(s.socket for s in self.nation.servers), "--json", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_both_are_lost_and_come_back(self):
        servers, self.nodes = self.up(server_config={"witness-interval-s": "1"})
        generations = {server: 1 for server in servers}
        took = []
        for _ in self.rounds(1):
            with self.load(rate=80) as load:
                n.wait_for("some edits", lambda: load.accepted_count > 30)
                # One that is down is no reason to wait for the other.
                self.assertEqual(servers[0].stop(), 0)
                before = load.accepted_count
                n.wait_for("edits go on", lambda: load.accepted_count > before + 15)
                n.wait_for("the other confirms", lambda: all(
                    self.link(node, servers[1])["confirmed"] > self.link(node, servers[0])["confirmed"]
                    for node in self.nodes))
                servers[0].start()
            self.judge(load)
            for server in servers:
                n.wait_for("a witness saw it", lambda server=server: server.status()["cosigned"])
                generations[server] += 1
                took.append(self.lose(server, generations[server]))
                n.wait_for("witnesses follow", lambda server=server: (server.status()["cosigned"] or {}).get("size") ==
                           server.status()["size"])
            self.assert_equal()
        self.record(self.fault, self.round, self.stake, 0, took)

    def test_what_differs_is_told(self):
        """So that "equal" above says something."""
        servers, self.nodes = self.up(regions=("26",))
        self.add(self.nodes[0], "pl26-kis-a")
        self.until_converged()
        self.assert_equal()
        self.assertEqual(servers[1].stop(), 0)
        self.add(self.nodes[0], "pl26-kis-b")
        n.wait_for("one has it", lambda: self.confirmed_at(servers[0]))
        done = self.nation.ctl("compare", servers[0].socket, servers[1].data, "--json", check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        json.loads(done.stdout)


if __name__ == "__main__":
    main()
