"""A server loses its disk and its keys, and comes back from what is elsewhere: the nodes' logs, the
enrolment files, the newest national checkpoint that a node witnessed, and acts of its administrator."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess

import dishonest
import nation as n
import peer as p
from story import Story, main, read, write
from test_tamper import Table, number

FOREIGN = os.path.join(os.environ["SPLOT_BUILD"], "tests", "foreign-check")
LOAD = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-load")
UNTRUSTED = 4  # how a program ends that does not trust its store
CONTINUE = 15  # enum Verb of proto/control.proto
FAST = {"witness-interval-s": "1"}
REASON = ("--reason", "the disk was lost")


class Anew(Story):
    def register(self, daemon):
        """What is in the register, without what each server counts by itself."""
        rows = [(kind, *(row[key] for key in ("id", "record", "log", "index", "recorded", "editor", "reason")))
                for kind in ("operator", "entity", "network", "membership", "statistic")
                for row in daemon.json("list", kind, "--retired")["records"]]
        return rows, daemon.json("summary")

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
        write(path, node.ctl("witnessed", "centrum").stdout)
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
        self.export = os.path.join(self.nation.folder, "export")
        self.server = self.nation.up(regions=["22", "24", "26"],
                                     server_config=dict(FAST, export=self.export))
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
        started = self.server.status()["started"]
        self.server.ctl("redact", "24", "2", "--reason", "a name stood in it")
        n.wait_for("the server began anew to erase it", lambda: self.started(self.server) not in (None, started))
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

    def started(self, daemon):
        done = daemon.ctl("status", "--json", check=False)
        return json.loads(done.stdout)["started"] if done.returncode == 0 else None

    def redactions(self, node):
        """{index: leaf} of what was erased from a node's log, as its administrator sees it."""
        done = node.ctl("log", "--json", check=False)  # it may just begin itself anew
        rows = [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []
        return {row["index"]: row["redaction"]["leaf"] for row in rows if row.get("redacted")}

    def test_a_server_that_lost_disk_and_keys_gets_everything_back(self):
        status = self.build()
        before = self.register(self.server)
        web = self.nation.add_web(self.server).start() if os.path.exists(self.nation.program("splot-web")) else None
        sizes = {row["log"]: row["size"] for row in status["logs"]}
        old_key = self.server.log_key()
        self.until_exported(status["size"])
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
        self.exported(old_key, size)
        if web:  # it stood beside the lost view, and finds the one that was folded anew
            n.wait_for("the page shows it", lambda: web.get("/api/v1/summary")["position"] == size)
            self.assertFalse(web.get("/api/v1/status")["stale"])
            self.assertEqual(web.get("/api/v1/summary")["totals"]["entities"], len(self.ids(self.server)))

    def until_exported(self, size, witnesses=0):
        """Their lines are written when they came, a moment after the checkpoint."""
        path = os.path.join(self.export, "national", "checkpoint")
        n.wait_for("the export has caught up", lambda: os.path.exists(path) and read(path).split("\n")[1] == str(size) and
                   read(path).count("\n— ") > witnesses)

    def exported(self, old_key, size):
        """The folder goes on; what is left of the lost log stays in it, and both are checked by themselves."""
        new_key = self.server.log_key()
        self.until_exported(size, witnesses=3)
        before = os.path.join(self.export, "before", "national-1")
        self.assertEqual(read(os.path.join(before, "checkpoint")).split("\n")[0], old_key.split("+")[0])
        self.nation.ctl("audit", "verify", before, "--key", old_key)
        keys = os.path.join(self.nation.folder, "keys")
        write(keys, new_key + "\n" + old_key + "\n")
        self.nation.ctl("audit", "verify", self.export, "--keys", keys)
        # The first entry names the old key: another one in that name is found out.
        self.nation.ctl("keygen", "--server", old_key.split("+")[0], "--out", os.path.join(self.nation.folder, "stranger"))
        card = self.nation.ctl("server-card", "--keys", os.path.join(self.nation.folder, "stranger")).stdout
        stranger = [line.split()[1] for line in card.splitlines() if line.startswith("log-key ")][0]
        write(keys, new_key + "\n" + stranger + "\n")
        done = self.nation.ctl("audit", "verify", self.export, "--keys", keys, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("by another key than the one that is trusted", done.stdout + done.stderr)
        proof = os.path.join(self.nation.folder, "proof")
        self.server.ctl("audit", "prove", "national", "0", "-o", proof)
        told = self.nation.ctl("audit", "check", proof + ".tlog-proof", "--key", new_key).stdout
        self.assertIn("continues national, as %s at size" % old_key.split("+")[0], told)
        if os.path.exists(FOREIGN):
            for folder in (self.export, before):
                done = subprocess.run([FOREIGN, "export", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual(done.returncode, 0, done.stdout)


class Quoted(Anew):
    """Two regions, and a server that was lost after they had cosigned its national log."""
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["24", "26"], server_config=FAST)
        self.first, self.second = self.nation.nodes["24"], self.nation.nodes["26"]
        self.add(self.first, "pl24-kis-a")
        self.until_confirmed()
        self.before = self.cosigned("24", "26")["size"]
        self.early = self.note_of(self.first, "early.checkpoint")
        self.add(self.second, "pl26-kis-a")
        self.until_confirmed()
        self.size = self.cosigned("24", "26")["size"]
        self.old_key = self.server.log_key()
        self.late = self.note_of(self.second, "late.checkpoint")
        shutil.copy(self.server.card, self.old_card())

    def old_card(self):
        return os.path.join(self.nation.folder, "old.card")

    def refused(self, daemon, code, *arguments):
        done = daemon.ctl(*arguments, "--json", check=False)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], code, done.stderr)

    def test_a_node_that_witnessed_more_than_the_quote_declines_and_says_so(self):
        self.server.lose()
        self.begin(self.early, self.old_key)
        for node in (self.first, self.second):
            self.server.trust(node)
        self.follow(self.first, self.second)
        why = "this node witnessed %d of the old log, the new one quotes %d" % (self.size, self.before)
        for node in (self.first, self.second):
            n.wait_for("it declines", lambda: why in self.link(node)["note"])
        n.wait_for("the server hears it", lambda: all(
            why in log["note"] for log in self.server.status()["logs"]))
        # The logs themselves go on, and the decision outlasts a restart of either.
        self.add(self.first, "pl24-kis-b")
        self.until_confirmed()
        self.server.stop()
        self.server.start()
        self.second.stop()
        self.second.start()
        n.wait_for("it declines", lambda: why in self.link(self.second)["note"])
        self.assertEqual(self.refusals(self.server, "26").get("fork"), None)
        n.wait_for("the server hears it", lambda: self.refusals(self.server, "26").get("rollback"))
        self.assertFalse(any(row["size"] for row in self.server.status()["witnesses"]))
        # Who brings the right note begins once more, before anybody witnessed the wrong log.
        self.server.lose()
        self.server.begin_anew(3)
        self.server.start()
        self.server.ctl("continue", self.late, "--key", self.old_key, *REASON)
        for node in (self.first, self.second):
            self.server.trust(node)
        self.follow(self.first, self.second)
        self.until_confirmed()
        size = self.cosigned("24", "26")["size"]
        old = self.old_key.split("+")[0]
        self.assertEqual(self.witnessed(self.first), {old: self.size, old + "/3": size})
        self.verified(self.server, self.first, self.second)

    def test_what_may_begin_and_what_may_be_followed(self):
        self.refused(self.server, "invalid", "continue", self.late, "--key", self.old_key, *REASON)
        self.refused(self.first, "exists", "follow", "centrum", *REASON)
        self.refused(self.first, "not-found", "follow", "drugi", *REASON)
        self.server.lose()
        self.server.begin_anew()
        self.server.start()
        # Nothing is taken before the first entry, and that one is a checkpoint by the old key.
        self.refused(self.server, "gated", "trust", "add", self.first.enrolment, *REASON)
        other = self.nation.add_server("drugi")
        self.refused(self.server, "origin", "continue", self.late, "--key", other.log_key(), *REASON)
        request = {"document": read(self.late).encode(), "key": other.log_key()}
        self.assertEqual(self.ask(self.server, **request), "origin")
        request["key"] = self.server.log_key()  # of the log that begins
        self.assertEqual(self.ask(self.server, **request), "origin")
        request["key"] = self.old_key
        changed = request["document"].replace(b"\n%d\n" % self.size, b"\n%d\n" % (self.size + 1))
        self.assertEqual(self.ask(self.server, **dict(request, document=changed)), "signature")
        self.server.ctl("continue", self.late, "--key", self.old_key, *REASON)
        self.refused(self.server, "exists", "continue", self.late, "--key", self.old_key, *REASON)
        for node in (self.first, self.second):
            self.server.trust(node)
        # Another log is nothing that a running node slips into.
        self.first.process.send_signal(signal.SIGHUP)
        n.wait_for("the node says so", lambda: "restart it" in self.first.log_tail())
        self.assertEqual([log["last_contact"] for log in self.server.status()["logs"]], [None, None])
        self.follow(self.first)
        self.refused(self.first, "exists", "follow", "centrum", *REASON)
        self.until_confirmed(self.first)
        # The old card is never followed again.
        new_card = self.server.card
        self.server.card = self.old_card()
        self.first.stop()
        self.first.configure()
        self.first.start()
        self.assertEqual(self.link(self.first)["state"], "held")
        self.assertIn("a lower one is never followed", self.link(self.first)["note"])
        self.refused(self.first, "old", "follow", "centrum", *REASON)
        # Nor is another key in the name of the log that is followed.
        self.server.card = new_card
        os.unlink(self.server.keys)
        self.server.begin_anew()
        self.first.stop()
        self.first.configure()
        self.first.start()
        self.assertIn("another key", self.link(self.first)["note"])
        self.refused(self.first, "unknown-key", "follow", "centrum", *REASON)

    def ask(self, server, document, key):
        """CONTINUE without splotctl, which would look first: the code of the answer."""
        request = p.field(1, CONTINUE) + p.field(11, document) + p.field(13, "why") + p.field(23, key)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(server.socket)
            s.sendall(struct.pack(">I", len(request)) + request)
            stream = s.makefile("rb")
            reply = stream.read(struct.unpack(">I", stream.read(4))[0])
        return p.read_message(reply)[1].decode()


class Two(Anew):
    def test_a_node_that_does_not_follow_keeps_working_with_its_other_server(self):
        self.server = self.nation.add_server(**FAST)
        other = self.nation.add_server("drugi", **FAST)
        nodes = [self.nation.add_node("24"), self.nation.add_node("26")]
        for server in (self.server, other):
            server.start()
            for node in nodes:
                server.trust(node)
        for node in nodes:
            node.start()
        for node in nodes:
            node.await_open()
            self.add(node, "pl%s-kis-a" % node.log_name)
        self.until_confirmed()
        self.cosigned("24", "26")
        old_key = self.server.log_key()
        note = self.note_of(nodes[0])
        self.server.lose()
        self.begin(note, old_key)
        for node in nodes:
            self.server.trust(node)
            node.stop()
        # One lost its store as well: what stands beside its keys holds the link, and the gate waits for it.
        shutil.rmtree(nodes[0].data)
        for node in nodes:
            node.start()
            self.assertEqual(self.link(node)["state"], "held")
        self.assertEqual([node.status()["state"] for node in nodes], ["gated", "open"])
        self.assertIn("splotctl waive centrum", nodes[0].status()["note"])
        nodes[0].ctl("waive", "centrum", *REASON)
        for node in nodes:
            node.await_open()
            self.add(node, "pl%s-kis-b" % node.log_name)
            n.wait_for("the other one confirmed it", lambda: self.link(node, "drugi")["confirmed"] == 2)
            self.assertEqual(self.link(node)["confirmed"], 0)
        self.assertEqual([log["size"] for log in self.server.status()["logs"]], [0, 0])
        self.cosigned("24", "26", server=other)
        # Followed after all, both servers hold the same.
        for node in nodes:
            node.ctl("follow", "centrum", *REASON)
        self.until_confirmed()
        self.cosigned("24", "26")
        for server in (self.server, other):
            self.until_folded(server)
        self.assertEqual(self.register(self.server), self.register(other))
        self.verified(self.server, other)


class Enrolled(Anew):
    def test_a_log_with_rotated_keys_is_enrolled_by_its_first_file_and_a_wrong_one_can_be_replaced(self):
        self.server = self.nation.up(regions=["26"], server_config=FAST)
        node = self.nation.nodes["26"]
        self.add(node, "pl26-kis-a")
        # Many files at once: more in one commit of the node's than a server asks for.
        subprocess.run([LOAD, "fill", "40", "100", "200", "26=" + node.socket], check=True,
                       stdout=subprocess.DEVNULL)
        self.rotate(node)
        self.add(node, "pl26-kis-b")
        self.until_confirmed()  # so many changes are more than a second's share
        self.rotate(node)  # now the first key is gone: nobody can sign between its checkpoints
        self.until_confirmed()
        self.cosigned("26")
        old_key = self.server.log_key()
        note = self.note_of(node)
        self.server.lose()
        self.begin(note, old_key)
        today = os.path.join(self.nation.folder, "today.enrolment")
        told = self.nation.ctl("enrol", "--keys", node.keys)
        write(today, told.stdout)
        self.assertIn("these keys came by rotation", told.stderr)
        self.server.ctl("trust", "add", today, *REASON)
        self.follow(node)
        n.wait_for("it is refused", lambda: self.link(node)["state"] == "refused")
        self.assertIn("first enrolled by", self.link(node)["note"])
        self.assertEqual(self.server.status()["logs"][0]["size"], 0)
        self.server.trust(node)
        node.stop()
        node.start()  # else it tries again within a minute or so
        self.until_confirmed(seconds=120)
        self.assertNotIn("busy", [row["code"] for row in self.server.status()["refusals"]])
        self.cosigned("26")
        self.verified(self.server, node)
        self.assertEqual(self.server.ctl("trust", "add", today, *REASON, check=False).returncode, 1)


class Damaged(Anew):
    def test_a_server_whose_national_log_does_not_begin_as_it_has_to_does_not_start(self):
        self.server = self.nation.up(regions=["26"], server_config=FAST)
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        self.until_confirmed()
        self.assertEqual(self.server.stop(), 0)
        entries = Table(os.path.join(self.server.data, "logs"), "national.events")
        entries.flip(number(0))
        with self.assertRaisesRegex(n.Failed, "the first entry of the national log"):
            self.server.start()
        self.assertEqual(self.server.process.returncode, UNTRUSTED)
        entries.flip(number(0))
        self.server.start()


class Dishonest(Anew):
    def setUp(self):
        super().setUp()
        server = self.nation.add_server()
        self.old_key, self.old = server.log_key(), p.Keys(server.keys)
        os.unlink(server.keys)
        server.begin_anew()
        self.liar = dishonest.DishonestServer(server.keys, server.address)
        self.addCleanup(self.liar.close)
        self.node = self.nation.add_node("24").start()  # its first card of that server: taken as it is
        n.wait_for("it is served", lambda: self.liar.connected("24"))
        self.good = self.old.checkpoint(5, b"r" * 32)

    def entry(self, kind, note, size=5, log="national"):
        return p.field(1, 1790000000000) + p.field(3, p.message(kind, log, "a01", "lost", note, self.old_key, 0, b"", size))

    def show(self, first):
        """A history that begins so, and that beginning shown to the node."""
        branch = self.liar.branch([first, b"x"])
        self.liar.duty("24", branch.note(2), 0, 2, first, branch.hashes[1])
        n.wait_for("it is sent before the offer", self.liar.duties_sent)
        return branch

    def answer_to(self, first):
        """What the node says to a log that begins so."""
        kind, fields, _ = self.liar.offer("24", self.show(first), 0, 2)
        return (kind, fields.get(3, b"").decode())

    def test_nobody_witnesses_a_log_that_does_not_say_first_what_it_goes_on_from(self):
        branch = self.liar.branch([self.entry("continues", self.good), b"x"])
        self.assertEqual(self.liar.offer("24", branch, 0, 2)[1][3], b"again")
        self.assertEqual(self.answer_to(b"no entry"), ("declined", "again"))
        for lie in (self.entry("freeze", self.good), self.entry("continues", self.good, size=6),
                    self.entry("continues", self.good, log="26"),
                    self.entry("continues", self.old.checkpoint(0, b"r" * 32), size=0), self.entry("continues", b"no note"),
                    self.entry("continues", self.liar.keys.checkpoint(5, b"r" * 32))):
            self.assertEqual(self.answer_to(lie), ("declined", "invalid"))
            self.assertIn("its national log is not witnessed", self.link(self.node)["note"])
        self.assertEqual(self.answer_to(self.entry("continues", self.good))[0], "cosigned")
        self.assertEqual(self.link(self.node)["note"], "")

    def test_a_good_first_entry_vouches_for_the_history_that_it_was_shown_in_only(self):
        shown = self.show(self.entry("continues", self.good))
        other = self.liar.branch([b"another beginning", b"x", b"y"])
        for old, size in ((0, 3), (0, 1)):
            kind, fields, frames = self.liar.offer("24", other, old, size)
            self.assertEqual((kind, fields[3], fields[2]), ("declined", b"old", 2))
            self.assertEqual(frames[0], shown.note(2))
        kind, fields, frames = self.liar.offer("24", other, 2, 3)
        self.assertEqual((kind, fields[3]), ("declined", b"fork"))
        self.assertEqual(frames[0], shown.note(2))
        n.wait_for("it is trusted no more", lambda: self.link(self.node)["state"] == "distrusted")

    def test_a_log_that_grew_since_its_first_entry_was_shown_is_witnessed_from_there(self):
        self.show(self.entry("continues", self.good))
        grown = self.liar.branch([self.entry("continues", self.good), b"x", b"y"])
        kind, fields, _ = self.liar.offer("24", grown, 0, 3)
        self.assertEqual((kind, fields[3], fields[2]), ("declined", b"old", 2))
        self.assertEqual(self.liar.offer("24", grown, 2, 3)[0], "cosigned")


if __name__ == "__main__":
    main()
