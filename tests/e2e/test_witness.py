"""The national log before its witnesses: the quorum, who comes late, a server put back from an
older copy, and a server that tells two histories."""
import json
import os
import shutil
import time

import dishonest
import nation as n
import nacl.signing
import notes
import peer as p
from story import Story, main

REGIONS = ["22", "24", "26"]


class Witnessed(Story):
    """One server with rounds of a second, and nodes that a policy names."""
    needed = 2

    def setUp(self):
        super().setUp()
        self.export = os.path.join(self.nation.folder, "export")
        policy = os.path.join(self.nation.folder, "policy")
        self.server = self.nation.add_server(**{"witness-interval-s": 1, "export": self.export, "policy": policy})
        for log in REGIONS:
            self.nation.add_node(log)
        self.log_key = notes.card_key(self.server.card)
        self.witnesses = {log: notes.card_key(self.nation.nodes[log].enrolment, "witness-key") for log in REGIONS}
        with open(policy, "w", encoding="utf-8") as f:
            f.write("log %s\n" % self.log_key.text)
            for log, key in self.witnesses.items():
                f.write("witness w%s %s\n" % (log, key.text))
            f.write("group regions %d %s\n" % (self.needed, " ".join("w" + log for log in REGIONS)))
            f.write("quorum regions\n")
        self.server.start()
        for node in self.nation.nodes.values():
            self.server.trust(node)

    def start(self, *logs):
        for log in logs:
            self.nation.nodes[log].start()
        for log in logs:
            self.nation.nodes[log].await_open()

    def cosigned(self, *logs):
        """Until exactly these regions have cosigned all that the national log holds."""
        def found():
            status = self.server.status()
            rows = {row["log"] for row in status["witnesses"] if row["size"] == status["size"]}
            return status if rows == set(logs) else None
        return n.wait_for("cosigned by " + ", ".join(logs), found)

    def published(self, size, *logs):
        """The exported checkpoint, once it is of that size with the lines of these regions."""
        def found():
            try:
                with open(os.path.join(self.export, "national", "checkpoint"), "rb") as f:
                    note = notes.Note(f.read())
            except FileNotFoundError:
                return None
            lines = [log for log, key in self.witnesses.items() if note.signed_by(key)]
            return note if note.size == size and lines == list(logs) else None
        return n.wait_for("the checkpoint of %d is published" % size, found)


class Quorum(Witnessed):
    def test_the_quorum_stands_with_two_of_three_and_who_was_away_cosigns_late(self):
        self.start("26")
        status = self.cosigned("26")
        self.assertFalse(status["quorum"])
        self.assertEqual(status["cosigned"]["witnesses"], 1)
        self.start("24")
        status = self.cosigned("24", "26")
        self.assertTrue(status["quorum"])
        self.assertEqual(status["cosigned"]["witnesses"], 2)
        self.assertEqual(status["cosigned"]["size"], status["size"])
        self.assertTrue(self.published(status["size"], "24", "26").signed_by(self.log_key))
        # Nothing is added meanwhile: the late one puts its line to the same checkpoint.
        self.start("22")
        late = self.cosigned("22", "24", "26")
        self.assertEqual(late["size"], status["size"])
        self.assertEqual(late["cosigned"]["witnesses"], 3)
        self.assertTrue(self.published(status["size"], "22", "24", "26").signed_by(self.log_key))

    def test_a_round_follows_the_log_and_a_restart_keeps_who_cosigned(self):
        self.start("24", "26")
        before = self.cosigned("24", "26")["size"]
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        n.wait_for("the log grew", lambda: self.server.status()["size"] > before)
        after = self.cosigned("24", "26")
        self.server.stop()
        for node in self.nation.nodes.values():
            node.stop()
        self.server.start()
        status = self.server.status()
        self.assertTrue(status["quorum"])
        self.assertEqual(status["cosigned"]["size"], after["size"])
        self.assertEqual({row["log"]: row["size"] for row in status["witnesses"]},
                         {"22": 0, "24": after["size"], "26": after["size"]})


class OneKeyOneWitness(Witnessed):
    def test_a_region_that_shows_another_ones_witness_key_is_not_enrolled(self):
        copier = n.Node(self.nation, "28").make(self.nation.servers)
        seeds = {}
        for node in (self.nation.nodes["26"], copier):
            with open(node.keys, encoding="utf-8") as f:
                seeds[node] = [line for line in f if line.startswith("witness-seed ")][0]
        with open(copier.keys, encoding="utf-8") as f:
            text = f.read().replace(seeds[copier], seeds[self.nation.nodes["26"]])
        with open(copier.keys, "w", encoding="utf-8") as f:
            f.write(text)
        copier.make(self.nation.servers)  # its enrolment, anew
        done = self.server.ctl("trust", "add", copier.enrolment, "--reason", "test", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("the witness key of this enrolment belongs to the log 26", done.stdout + done.stderr)
        self.assertEqual([row["log"] for row in self.server.json("trust", "list")["trust"]], REGIONS)


class SixteenLines(Story):
    """Witnesses that are written from the public formats alone."""

    def test_the_published_checkpoint_carries_sixteen_lines_and_the_ministry_is_not_asked(self):
        export = os.path.join(self.nation.folder, "export")
        server = self.nation.add_server(**{"witness-interval-s": 1, "export": export})
        peers = {}
        for log in n.REGIONS:
            node = self.nation.add_node(log)
            keys = p.Keys(node.keys)
            peers[log] = p.Peer(keys, log, server.address, server.card)
            self.addCleanup(peers[log].close)
        server.start()
        for log in n.REGIONS:
            server.trust(self.nation.nodes[log])
        for peer in peers.values():
            peer.open()
        size = server.status()["size"]
        for log, peer in peers.items():
            if log != "PL":
                self.cosign(log, peer, size)
        status = n.wait_for("all sixteen", lambda: self.all_sixteen(server))
        self.assertTrue(status["quorum"])
        self.assertIsNone(peers["PL"].receive(0.5))
        path = os.path.join(export, "national", "checkpoint")
        note = n.wait_for("it is published", lambda: self.published(path, 16))
        self.assertTrue(note.signed_by(notes.card_key(server.card)))
        self.assertEqual(sum(note.signed_by(notes.card_key(self.nation.nodes[log].enrolment, "witness-key"))
                             for log in n.REGIONS[:16]), 15)

    def published(self, path, lines):
        with open(path, "rb") as f:
            note = notes.Note(f.read())
        return note if len(note.signatures) == lines else None

    def all_sixteen(self, server):
        status = server.status()
        return status if status["cosigned"] and status["cosigned"]["witnesses"] == 16 else None

    def cosign(self, log, peer, size):
        while True:
            kind, fields, frames = peer.receive()
            if kind == "offer" and fields[3] == size:  # there were rounds while the others enrolled
                break
        self.assertEqual((fields.get(2, 0), frames[1]), (0, b""))
        note = notes.Note(frames[0])
        seed = notes.secret(self.nation.nodes[log].keys, "witness-seed")
        line = notes.cosign(note.text, "%s/witness/%s" % (self.nation.realm, log), nacl.signing.SigningKey(seed),
                            int(time.time()))
        peer.send(p.header("cosigned", fields[1], size), line)


class PutBack(Witnessed):
    def test_a_server_put_back_from_an_older_copy_stops_at_the_next_contact_and_goes_on_with_the_newest(self):
        self.start("24", "26")
        old = self.cosigned("24", "26")["size"]
        self.server.stop()
        shutil.copytree(self.server.data, self.server.data + ".old")
        self.server.start()
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        n.wait_for("the log grew", lambda: self.server.status()["size"] > old)
        newest = self.cosigned("24", "26")["size"]
        self.server.stop()
        os.rename(self.server.data, self.server.data + ".newest")
        os.rename(self.server.data + ".old", self.server.data)
        self.server.start(wait=False)
        n.wait_for("it stops", lambda: not self.server.running())
        self.assertEqual(self.server.process.returncode, 4)
        self.assertIn("rollback", self.server.log_tail(5))
        # It does not forget: it refuses to start again on that copy.
        self.server.start(wait=False)
        n.wait_for("it does not start", lambda: not self.server.running())
        self.assertEqual(self.server.process.returncode, 4)
        shown = json.loads(self.nation.ctl("audit", "evidence", "--from", self.server.data, "--json").stdout)
        self.assertEqual([(e["log"], [note["size"] for note in e["notes"]]) for e in shown["evidence"]],
                         [("national", [old, newest])])
        shutil.rmtree(self.server.data)
        os.rename(self.server.data + ".newest", self.server.data)
        self.server.start()
        self.add(self.nation.nodes["24"], "pl24-kis-b")
        self.until_confirmed(*(self.nation.nodes[log] for log in ("24", "26")))
        self.assertGreater(self.cosigned("24", "26")["size"], newest)


class TwoTongues(Story):
    """Two nodes, an honest server, and one that shows them different national histories."""

    def setUp(self):
        super().setUp()
        self.honest = self.nation.up(regions=["24", "26"], server_config={"witness-interval-s": 1})
        self.liar_config = n.Server(self.nation, "krzywda").make()
        self.liar_key = notes.card_key(self.liar_config.card)
        self.liar = dishonest.DishonestServer(self.liar_config.keys, self.liar_config.address)
        self.addCleanup(self.liar.close)
        for node in self.nation.nodes.values():
            node.stop()
            node.servers = [self.honest, self.liar_config]
            node.configure()
            node.start()
        for log, node in self.nation.nodes.items():
            node.await_open()
            n.wait_for("%s is served" % log, lambda log=log: self.liar.connected(log))
        common = [b"entry %d" % i for i in range(3)]
        self.one = self.liar.branch(common + [b"told one way %d" % i for i in range(9)])
        self.other = self.liar.branch(common + [b"told another way %d" % i for i in range(9)])

    def offer(self, log, branch, old, size, cosigned=b""):
        """An offer that the node cosigns; the checkpoint with its line."""
        kind, fields, frames = self.liar.offer(log, branch, old, size, cosigned)
        self.assertEqual((kind, fields.get(2, 0)), ("cosigned", size))
        note = notes.Note(branch.note(size) + frames[0])
        self.assertTrue(note.signed_by(notes.card_key(self.nation.nodes[log].enrolment, "witness-key")))
        return note.raw

    def caught(self, log, branch, old, size, witnessed, cosigned=b""):
        """An offer that shows the lie: the node answers with what it witnessed."""
        kind, fields, frames = self.liar.offer(log, branch, old, size, cosigned)
        self.assertEqual((kind, fields[3]), ("declined", b"fork"))
        self.assertEqual(notes.Note(frames[0]).text, notes.Note(witnessed).text)

    def distrusts(self, log, *said):
        """What a node that caught a liar shows, keeps, and goes on doing."""
        node = self.nation.nodes[log]
        expected = {"centrum": "live", "krzywda": "distrusted"}
        n.wait_for("%s serves the honest server alone" % log, lambda: expected == {
            row["server"]: row["state"] for row in node.status()["servers"]})
        status = node.status()
        self.assertEqual(status["state"], "open")
        self.assertEqual([row["server"] for row in status["evidence"]], ["krzywda"])
        self.assertIn("krzywda", node.ctl("status").stdout)
        self.assertIn("TWO HISTORIES", node.ctl("status").stdout)
        with open(node.log, encoding="utf-8") as f:
            self.assertTrue([line for line in f if "DISTRUSTED" in line and line.startswith("<3>")])
        self.assertEqual(self.evidence(node), {notes.Note(raw).text for raw in said})

    def evidence(self, node):
        """The texts of the notes that the node writes down for others; all signed by the liar."""
        folder = os.path.join(node.folder, "evidence-%d" % time.monotonic_ns())
        found = set()
        item, = node.json("audit", "evidence", "--dir", folder)["evidence"]
        self.assertEqual((item["origin"], item["server"]), (self.liar_key.name, "krzywda"))
        for i, told in enumerate(item["notes"], 1):
            with open(os.path.join(item["folder"], "note-%d" % i), "rb") as f:
                note = notes.Note(f.read())
            self.assertTrue(note.signed_by(self.liar_key))
            self.assertEqual(told["size"], note.size)
            found.add(note.text)
        if item["notes"][0]["size"] == item["notes"][1]["size"]:  # the two notes alone convince
            self.nation.ctl("audit", "evidence", "--check", item["folder"], "--key", self.liar_key.text)
        return found

    def goes_on(self, log, number):
        """Edits are taken and confirmed by the honest server; the liar is not spoken to."""
        node = self.nation.nodes[log]
        greetings = len(self.liar.greetings)
        self.add(node, "pl%s-kis-%d" % (log, number))

        def confirmed():
            status = node.status()
            rows = {row["server"]: row["confirmed"] for row in status["servers"]}
            return rows["centrum"] == status["size"]
        n.wait_for("confirmed by the honest server", confirmed)
        self.assertEqual([g for g in self.liar.greetings[greetings:] if g[0] == log], [])

    def test_a_node_that_is_switched_to_the_other_history_catches_it(self):
        first = self.offer("24", self.one, 0, 5)
        second = self.offer("26", self.other, 0, 6)
        # 24 is led over by a proof of the other history; 26 is told another root of the same size.
        self.caught("24", self.other, 5, 8, first)
        self.caught("26", self.one, 6, 6, second)
        self.distrusts("24", first, self.other.note(8))
        self.distrusts("26", second, self.one.note(6))
        for log in ("24", "26"):
            self.goes_on(log, 1)
            self.nation.nodes[log].stop()
            self.nation.nodes[log].start()
            self.distrusts(log, *((first, self.other.note(8)) if log == "24" else (second, self.one.note(6))))
            self.goes_on(log, 2)

    def test_an_older_file_beside_the_keys_takes_nothing_from_what_the_store_knows(self):
        self.offer("24", self.one, 0, 5)
        node = self.nation.nodes["24"]
        file = node.keys + ".witnessed"
        shutil.copy(file, file + ".older")
        second = self.offer("24", self.one, 5, 7)
        node.stop()
        self.liar.forget("24")
        shutil.copy(file + ".older", file)
        node.start()
        n.wait_for("24 is served", lambda: self.liar.connected("24"))
        shown = [note for log, note in self.liar.greetings if log == "24"][-1]
        self.assertEqual(notes.Note(shown).text, notes.Note(second).text)

    def test_a_node_that_lost_its_store_stands_by_what_it_cosigned(self):
        first = self.offer("24", self.one, 0, 5)
        node = self.nation.nodes["24"]
        node.stop()
        self.liar.forget("24")
        shutil.rmtree(node.data)
        node.start()
        n.wait_for("24 is served", lambda: self.liar.connected("24"))
        shown = [note for log, note in self.liar.greetings if log == "24"][-1]
        self.assertEqual(notes.Note(shown).text, notes.Note(first).text)
        self.caught("24", self.other, 0, 5, first)
        self.distrusts("24", first, self.other.note(5))

    def test_what_cannot_be_kept_is_not_cosigned(self):
        first = self.offer("24", self.one, 0, 5)
        file = self.nation.nodes["24"].keys + ".witnessed"
        os.rename(file, file + ".aside")
        os.mkdir(file)  # which no file takes the place of, not even root's
        kind, fields, frames = self.liar.offer("24", self.one, 5, 7)
        self.assertEqual((kind, fields[2], fields[3]), ("declined", 5, b"io"))
        self.assertEqual(notes.Note(frames[0]).text, notes.Note(first).text)
        os.rmdir(file)
        self.offer("24", self.one, 5, 7)

    def test_the_other_witnesses_line_on_a_checkpoint_of_the_same_size_shows_it(self):
        first = self.offer("24", self.one, 0, 5)
        second = self.offer("26", self.other, 0, 5)
        # Both are led on, each in its own history, and shown what the other one cosigned.
        self.caught("24", self.one, 5, 7, first, cosigned=second)
        self.caught("26", self.other, 5, 7, second, cosigned=first)
        self.distrusts("24", first, second)
        self.distrusts("26", second, first)
        for log in ("24", "26"):
            self.goes_on(log, 1)

    def test_the_other_witnesses_line_on_the_very_checkpoint_that_is_offered_shows_it(self):
        first = self.offer("24", self.one, 0, 5)
        self.caught("24", self.one, 5, 7, first, cosigned=self.other.note(7))
        self.distrusts("24", self.one.note(7), self.other.note(7))

    def test_an_offer_that_contradicts_itself_shows_it_to_who_witnessed_nothing(self):
        kind, fields, frames = self.liar.offer("24", self.one, 0, 5, self.other.note(5))
        self.assertEqual((kind, fields[3], frames), ("declined", b"fork", []))
        self.distrusts("24", self.one.note(5), self.other.note(5))

    def test_an_act_that_is_not_shown_to_be_one_for_this_log_erases_nothing(self):
        node = self.nation.nodes["24"]
        self.add(node, "pl24-kis-a", name="Klub Sosna")
        name = os.path.join(self.nation.folder, "24-0")
        node.ctl("audit", "prove", "24", "0", "-o", name)
        with open(name + ".event", "rb") as f:
            leaf = p.leaf_hash(f.read())

        def act(log="24", kind="redact", leaf=leaf):
            return p.field(1, 1790000000000) + p.field(3, p.message(kind, log, "a01", "because", b"", b"", 0, leaf))

        def note(entry, **signing):
            return self.liar.keys.checkpoint(1, p.root([p.leaf_hash(entry)]), **signing)

        def refused():
            with open(node.log, encoding="utf-8") as f:
                return len([line for line in f if "was not carried out" in line])

        foreign = nacl.signing.SigningKey(b"5" * 32)
        lies = [("not in that log", note(b"another entry"), act()),
                ("signed by somebody else", note(act(), signing=foreign), act()),
                ("of another log", note(act("26")), act("26")),
                ("another act", note(act(kind="freeze")), act(kind="freeze")),
                ("another event", note(act(leaf=bytes(32))), act(leaf=bytes(32)))]
        for i, (what, signed, entry) in enumerate(lies, 1):
            self.liar.duty("24", signed, 0, 1, entry)
            n.wait_for("it is refused: " + what, lambda i=i: refused() == i)
            self.assertIn("Klub Sosna", node.ctl("log").stdout)
        self.liar.duty("24", note(act()), 0, 1, act())
        n.wait_for("it is carried out", lambda: "Klub Sosna" not in node.ctl("log", check=False).stdout)
        n.wait_for("it answers", lambda: "redacted" in node.ctl("log", check=False).stdout)

    def test_what_an_honest_server_may_do_is_no_lie(self):
        self.offer("24", self.one, 0, 5)
        first = self.offer("24", self.one, 5, 7)
        self.offer("24", self.one, 7, 7, cosigned=first)  # the same once more: the answer was lost
        kind, fields, frames = self.liar.offer("24", self.one, 3, 9)
        self.assertEqual((kind, fields[3], fields[2]), ("declined", b"old", 7))
        self.assertEqual(notes.Note(frames[0]).text, notes.Note(first).text)
        node = self.nation.nodes["24"]
        node.stop()
        node.start()
        n.wait_for("it greets with what it witnessed", lambda: [
            note for log, note in self.liar.greetings
            if log == "24" and note and notes.Note(note).text == notes.Note(first).text])
        self.assertEqual(node.status()["evidence"], [])


if __name__ == "__main__":
    main()
