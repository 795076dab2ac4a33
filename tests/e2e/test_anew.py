"""A server loses its disk and its keys, and comes back from what is elsewhere: the nodes' logs, the
enrolment files, the newest national checkpoint that a node witnessed, and acts of its administrator."""
import json
import os

import nation as n
from story import Story, main

FAST = {"witness-interval-s": "1"}
REASON = ("--reason", "the disk was lost")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Anew(Story):
    def register(self, daemon):
        """What is in the register, without what each server counts by itself."""
        rows = [(kind, *(row[key] for key in ("id", "record", "log", "index", "recorded", "editor", "reason")))
                for kind in ("operator", "entity", "network", "membership", "statistic")
                for row in daemon.json("list", kind, "--retired")["records"]]
        return rows, daemon.json("summary")

    def rotate(self, node):
        self.nation.ctl("keygen", "--rotate", node.keys)
        node.ctl("rotate", "--reason", "yearly")

    def cosigned(self, *logs, server=None):
        """Until exactly these regions have cosigned all that the national log holds."""
        def found():
            status = (server or self.server).status()
            rows = {row["log"] for row in status["witnesses"] if row["size"] == status["size"]}
            return status if rows == set(logs) else None
        return n.wait_for("cosigned by " + ", ".join(logs), found)

    def witnessed(self, node):
        """{origin: size} of the newest national checkpoints that it witnessed."""
        return {row["origin"]: row["size"] for row in node.json("witnessed", "centrum")["witnessed"]}

    def link(self, node, server="centrum"):
        return [row for row in node.status()["servers"] if row["server"] == server][0]

    def note_of(self, node, name="old.checkpoint"):
        path = os.path.join(self.nation.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(node.ctl("witnessed", "centrum").stdout)
        return path

    def begin(self, note, old_key, server=None):
        """The server's first act."""
        server = server or self.server
        server.begin_anew()
        server.start()
        self.assertEqual(server.status()["state"], "gated")
        self.assertIn("splotctl continue", server.status()["note"])
        server.ctl("continue", note, "--key", old_key, *REASON)
        self.assertEqual(server.status()["state"], "open")

    def follow(self, *nodes):
        for node in nodes:
            node.stop()
            node.start()
            self.assertEqual(self.link(node)["state"], "held")
            self.assertIn("splotctl follow centrum", self.link(node)["note"])
            node.ctl("follow", "centrum", *REASON)

    def verified(self, *daemons):
        for daemon in daemons:
            self.nation.ctl("audit", "verify", "--config", daemon.config)

    def continues(self, server, old_key, note):
        """The first entry, as whoever reads the log sees it."""
        first = json.loads(server.ctl("log", "--national", "--json").stdout.splitlines()[-1])
        self.assertEqual([first[key] for key in ("index", "kind", "of", "by", "origin", "size")],
                         [0, "continues", "national", "a01", old_key.split("+")[0], int(read(note).split("\n")[1])])


class Lost(Anew):
    def build(self):
        """One region whose keys were rotated, one with an erased event, one whose log began anew."""
        self.server = self.nation.up(regions=["22", "24", "26"],
                                     server_config=dict(FAST, export=os.path.join(self.nation.folder, "export")))
        self.old = self.nation.nodes["22"]
        self.erased, self.rotated = self.nation.nodes["24"], self.nation.nodes["26"]
        for log in ("22", "24", "26"):
            self.add(self.nation.nodes[log], "pl%s-op-caritas" % log)
            self.add(self.nation.nodes[log], "pl%s-kis-a" % log, name="Klub A")
        self.rotate(self.rotated)
        self.add(self.rotated, "pl26-kis-b", name="Klub B")
        self.rotate(self.rotated)
        self.add(self.erased, "pl24-kis-b", name="Jan Nikt")
        self.erased.ctl("put", "entity", "pl24-kis-b", "name=Klub B", "--reason", "test", "--source", "note 1")
        self.add(self.rotated, "pl26-kis-c", name="Klub C")
        self.until_confirmed()
        self.server.ctl("redact", "24", "2", "--reason", "a name stood in it")
        n.wait_for("the node erased it", lambda: self.redactions(self.erased))
        # Log 22 is frozen, and goes on as 22/2.
        standing = os.path.join(self.nation.folder, "22.checkpoint")
        self.old.stop()
        self.server.ctl("freeze", "22", "--at", "2", "-o", standing, "--reason", "key stolen")
        key = [r["log_key"] for r in self.server.json("trust", "list")["trust"] if r["log"] == "22"][0]
        self.new = self.nation.add_node("22/2", name="node-22-2")
        self.server.trust(self.new)
        self.new.start()
        n.wait_for("the server answered", lambda: "begins anew" in self.new.status()["note"])
        self.new.ctl("continue", standing, "--key", key, "--reason", "key stolen")
        self.add(self.new, "pl22-kis-b", name="Klub B", region="22")
        self.until_confirmed(self.new, self.erased, self.rotated)
        self.until_folded(self.server)
        return self.cosigned("22/2", "24", "26")

    def redactions(self, node):
        """{index: leaf} of what was erased from a node's log, as its administrator sees it."""
        done = node.ctl("log", "--json", check=False)  # it may just begin itself anew
        rows = [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []
        return {row["index"]: row["redaction"]["leaf"] for row in rows if row.get("redacted")}

    def test_a_server_that_lost_disk_and_keys_gets_everything_back(self):
        status = self.build()
        before = self.register(self.server)
        sizes = {row["log"]: row["size"] for row in status["logs"]}
        old_key = self.server.log_key()
        self.server.lose()
        # Edits go on meanwhile.
        self.add(self.rotated, "pl26-kis-d", name="Klub D")
        note = self.note_of(self.erased)
        self.assertEqual(int(read(note).split("\n")[1]), status["size"])
        self.begin(note, old_key)
        # Trust: the files that the logs were first enrolled by; what was said of them is said anew.
        for node in (self.old, self.erased, self.rotated):
            self.server.trust(node)
        for index, leaf in self.redactions(self.erased).items():
            self.server.ctl("redact", "24", str(index), "--leaf", leaf, *REASON)
        self.follow(self.erased, self.rotated)
        self.old.start()
        self.old.ctl("follow", "centrum", *REASON)
        self.until_confirmed(self.erased, self.rotated, self.old)
        self.old.stop()
        self.server.ctl("freeze", "22", "--at", str(sizes["22"]), *REASON)
        self.server.trust(self.new)
        self.follow(self.new)
        self.until_confirmed(self.new, self.erased, self.rotated)
        self.until_folded(self.server)
        rows, _ = self.register(self.server)
        self.assertEqual([row for row in rows if row[1] != "pl26-kis-d"], before[0])
        self.rotated.ctl("retire", "pl26-kis-d", "--reason", "test", "--source", "note 1")
        # The witnesses follow: what the first entry quotes is what they cosigned.
        self.until_confirmed(self.rotated)
        size = self.cosigned("22/2", "24", "26")["size"]
        self.continues(self.server, old_key, note)
        old = old_key.split("+")[0]
        for node in (self.new, self.erased, self.rotated):
            self.assertEqual(self.witnessed(node), {old: status["size"], old + "/2": size})
        self.verified(self.server, self.new, self.erased, self.rotated)


if __name__ == "__main__":
    main()
