"""A log's keys are replaced while it goes on; a stolen key's log is frozen at what was witnessed,
and a new one goes on from there."""
import glob
import os
import shutil
import socket
import struct
import time

import nation as n
import peer as p
from story import Story, main, read, write

ROWS = 9  # enum Verb of proto/control.proto


def rows(daemon, log, table):
    """[(key, value)]: stored rows as the daemon gives them to auditors."""
    found, after, more = [], b"", True
    while more:
        request = p.field(1, ROWS) + p.field(12, log) + p.field(17, table) + p.field(18, after)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(daemon.socket)
            s.sendall(struct.pack(">I", len(request)) + request)
            stream = s.makefile("rb")
            reply = stream.read(struct.unpack(">I", stream.read(4))[0])
        page, more = [], False
        for number, value in fields(reply):
            if number == 19:
                row = dict(fields(value))
                page.append((row[1], row.get(2, b"")))
            more = more or number == 11 and bool(value)
        found += page
        after = page[-1][0] if page else b""
        more = more and bool(page)
    return found


def fields(raw):
    at = 0
    while at < len(raw):
        tag, at = p.read_varint(raw, at)
        if tag & 7 == 0:
            value, at = p.read_varint(raw, at)
        else:
            size, at = p.read_varint(raw, at)
            value, at = raw[at:at + size], at + size
        yield tag >> 3, value


def checkpoints(daemon, log):
    """{size: note}"""
    return {struct.unpack(">Q", key)[0]: value for key, value in rows(daemon, log, "checkpoints")}


def signers(note):
    """How many keys signed a note."""
    return note.decode().count("\n\u2014 ")


class Keys(Story):
    def key(self, server, log="26"):
        return [row["log_key"] for row in server.json("trust", "list")["trust"] if row["log"] == log][0]

    def verified(self, *daemons):
        """Stopped or not, their stores hold what was signed."""
        for daemon in daemons:
            self.nation.ctl("audit", "verify", "--config", daemon.config)
            self.assertEqual(daemon.status()["verified"]["damaged"], 0)


class Rotation(Keys):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()
        self.first = self.key(self.server)

    def test_edits_go_on_under_the_new_keys_and_whoever_comes_later_follows(self):
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed()
        second = self.key(self.server)
        self.assertNotEqual(second, self.first)
        self.assertEqual(self.node.status()["key"], second)
        self.assertFalse(os.path.exists(self.node.keys + ".next"))
        # The rotation is signed by both, and so is what follows for a while.
        self.assertEqual([signers(note) for _, note in sorted(checkpoints(self.server, "26").items())], [1, 2, 2])
        self.server.stop()
        self.server.start()
        self.rotate(self.node, "twice")
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed()
        self.assertNotIn(self.key(self.server), (self.first, second))
        acts = self.server.ctl("log", "--national").stdout
        self.assertIn("rotate 26@1, e01: yearly", acts)
        self.assertIn("rotate 26@3, e01: twice", acts)
        # A server that begins with nothing gets the old commits as they were signed then.
        other = self.nation.add_server("drugi")
        other.start()
        other.trust(self.node)
        self.node.stop()
        self.node.servers = [self.server, other]
        self.node.configure()
        self.node.start()
        self.until_confirmed()
        self.assertEqual(self.key(other), self.key(self.server))
        self.assertEqual(rows(other, "26", "events"), rows(self.server, "26", "events"))
        # So does a node whose disk was lost.
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-d")
        self.until_confirmed()
        self.assertEqual(len(self.ids(other)), 4)
        self.verified(self.node, self.server, other)

    def test_a_kill_before_the_new_keys_are_installed_is_mended_by_the_next_start(self):
        """The files are put as the kill leaves them."""
        self.nation.ctl("keygen", "--rotate", self.node.keys)
        old, new = read(self.node.keys), read(self.node.keys + ".next")
        self.node.ctl("rotate", "--reason", "yearly")
        self.node.kill()
        os.chmod(self.node.keys, 0o600)
        write(self.node.keys, old)
        self.node.start(wait=False)
        self.assertEqual(self.node.process.wait(30), 3)  # neither the old keys nor others sign on
        self.assertIn("put the keys back", self.node.log_tail())
        write(self.node.keys + ".next", new)
        os.chmod(self.node.keys + ".next", 0o600)
        self.node.start()
        self.node.await_open()
        self.assertFalse(os.path.exists(self.node.keys + ".next"))
        self.assertIn("previous-log-key %s 2" % self.first, read(self.node.keys))
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed()
        # Killed a moment later: the next keys are in use already.
        self.node.kill()
        write(self.node.keys + ".next", new)
        os.chmod(self.node.keys + ".next", 0o600)
        self.node.start()
        self.assertFalse(os.path.exists(self.node.keys + ".next"))
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed()
        self.verified(self.node, self.server)

    def test_an_old_copy_of_the_store_is_put_back_beside_the_new_keys(self):
        self.node.stop()
        self.node.options["rotation-days"] = "0"
        self.node.configure()
        shutil.copytree(self.node.data, self.node.data + ".old")
        self.node.start()
        for i in range(2):
            self.rotate(self.node)
            self.add(self.node, "pl26-kis-b%d" % i)
            self.until_confirmed()
        self.node.stop()
        shutil.rmtree(self.node.data)
        os.rename(self.node.data + ".old", self.node.data)
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed()
        self.assertEqual(len(self.ids(self.server)), 4)
        self.verified(self.node, self.server)

    def test_a_lost_disk_and_lost_new_keys_sign_nothing_by_the_old_ones(self):
        """The log is fetched back, and says that other keys sign it from there on."""
        old = read(self.node.keys)
        self.rotate(self.node)
        self.until_confirmed()
        self.node.stop()
        shutil.rmtree(self.node.data)
        new = read(self.node.keys)
        write(self.node.keys, old)
        self.node.start(wait=False)
        self.assertEqual(self.node.process.wait(30), 1)
        self.assertIn("put the keys back", self.node.log_tail())
        write(self.node.keys, new)
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed()

    def test_the_old_key_signs_for_a_while_and_is_forgotten(self):
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed()
        self.node.stop()
        text = read(self.node.keys)
        until = text[text.index("old-until "):].split()[1]
        self.assertAlmostEqual(int(until) / 1000, time.time() + 30 * 86400, delta=600)
        write(self.node.keys, text.replace(until, str(int(time.time() * 1000) + 1500)))
        self.node.start()
        n.wait_for("the old key is forgotten", lambda: "old-" not in read(self.node.keys))
        self.assertIn("previous-log-key %s 2" % self.first, read(self.node.keys))
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed()
        self.assertEqual([signers(note) for _, note in sorted(checkpoints(self.server, "26").items())],
                         [1, 2, 2, 1])
        self.verified(self.node, self.server)

    def test_without_a_period_only_the_rotation_itself_is_signed_by_both(self):
        self.node.stop()
        self.node.options["rotation-days"] = "0"
        self.node.configure()
        self.node.start()
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed()
        self.assertNotIn("old-", read(self.node.keys))
        self.assertEqual([signers(note) for _, note in sorted(checkpoints(self.server, "26").items())], [1, 2, 1])

    def test_a_server_that_was_away_gets_the_commits_as_they_were_signed(self):
        self.node.stop()
        self.node.options["rotation-days"] = "0"  # the old key is gone at once
        self.node.configure()
        self.node.start()
        self.node.await_open()
        self.server.stop()
        for i in range(5):
            self.add(self.node, "pl26-kis-b%d" % i)
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-c")
        self.server.start()
        self.until_confirmed()
        self.assertEqual(len(self.ids(self.server)), 7)
        self.assertEqual(self.refusals(self.server), {})
        self.verified(self.server)

    def test_a_second_rotation_waits_for_the_server_that_lacks_the_first(self):
        """That server would know neither key, and take nothing of this log any more."""
        self.server.stop()
        self.rotate(self.node)
        self.nation.ctl("keygen", "--rotate", self.node.keys)
        done = self.node.ctl("rotate", "--reason", "yearly", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("lacks the rotation before", done.stderr)
        self.server.start()
        self.until_confirmed()
        self.node.ctl("rotate", "--reason", "yearly")
        self.until_confirmed()
        self.assertEqual(self.node.status()["key"], self.key(self.server))
        self.verified(self.node, self.server)

    def test_a_rotation_that_was_lost_with_the_store_is_told_again(self):
        """No server had heard of it: they would never learn who signs."""
        self.server.stop()
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.server.start()
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed()
        self.assertNotEqual(self.key(self.server), self.first)
        self.assertEqual(self.node.status()["key"], self.key(self.server))
        self.assertEqual(self.node.status()["size"], 3)
        self.assertEqual(self.refusals(self.server), {})
        self.node.stop()
        self.node.start()
        self.add(self.node, "pl26-kis-d")
        self.until_confirmed()
        self.verified(self.node, self.server)

    def test_keys_that_cannot_follow_are_refused_and_nothing_changes(self):
        done = self.node.ctl("rotate", "--reason", "yearly", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("keygen --rotate", done.stderr)
        self.nation.ctl("keygen", "--node", "splot.example/region/26", "--out", self.node.keys + ".next")
        done = self.node.ctl("rotate", "--reason", "yearly", check=False)
        self.assertIn("another transport key", done.stderr)
        shutil.copy(self.node.keys, self.node.keys + ".next")
        done = self.node.ctl("rotate", "--reason", "yearly", check=False)
        self.assertIn("signed by them before", done.stderr)
        self.assertEqual(self.node.status()["size"], 1)

    def test_a_log_that_had_all_its_keys_is_not_rotated_but_begun_anew(self):
        for _ in range(31):
            self.rotate(self.node)
            self.until_confirmed()
        self.nation.ctl("keygen", "--rotate", self.node.keys)
        done = self.node.ctl("rotate", "--reason", "yearly", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("as many keys as a log may have", done.stderr)
        self.assertIn("splotctl freeze", done.stderr)
        self.until_confirmed()
        self.assertEqual(self.server.status()["logs"][0]["size"], 32)
        self.verified(self.node, self.server)


class StolenKey(Keys):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["14", "26"], server_config={"witness-interval-s": "1"})
        self.node = self.nation.nodes["26"]

    def cosigned(self):
        return self.server.status()["cosigned"] or {"size": 0, "witnesses": 0}

    def until_cosigned(self):
        """All that was accepted is covered by both regions."""
        size = self.server.status()["size"]
        n.wait_for("both regions cosigned",
                   lambda: self.cosigned()["size"] >= size and self.cosigned()["witnesses"] == 2)

    def policy(self):
        """The other region's word is enough: the thief may have brought this one's key along."""
        path = os.path.join(self.nation.folder, "policy")
        server = [line.split()[1] for line in read(self.server.card).splitlines() if line.startswith("log-key")]
        witness = [line.split()[1] for line in read(self.nation.nodes["14"].enrolment).splitlines()
                   if line.startswith("witness-key")]
        write(path, "log %s\nwitness 14 %s\nquorum 14\n" % (server[0], witness[0]))
        return path

    def thief(self):
        """A copy of the office's machine, elsewhere."""
        thief = n.Node(self.nation, "26", name="thief")
        self.addCleanup(thief.kill)
        for name in glob.glob(self.node.keys + "*"):
            shutil.copy(name, thief.folder)
        shutil.copytree(self.node.data, thief.data, dirs_exist_ok=True)
        return thief.make([self.server])

    def theft(self, rotates):
        """What stands, and then what the thief makes of it."""
        self.add(self.node, "pl26-kis-a", name="Klub A")
        self.add(self.node, "pl26-kis-b", name="Klub B")
        self.until_confirmed()
        self.until_cosigned()
        self.node.stop()
        self.server.stop()
        self.server.options["witness-interval-s"] = "3600"  # nothing more is cosigned
        self.server.options["policy"] = self.policy()
        self.server.configure()
        self.server.start()
        thief = self.thief()
        thief.start()
        thief.await_open()
        self.add(thief, "pl26-kis-c", name="Klub C")
        thief.ctl("put", "entity", "pl26-kis-a", "name=Inna nazwa", "--reason", "test", "--source", "note 1")
        thief.ctl("retire", "pl26-kis-b", "--reason", "test", "--source", "note 1")
        if rotates:
            self.rotate(thief, "so that the office is locked out")
        self.until_confirmed(thief)
        self.until_folded(self.server)
        self.assertEqual(self.names(), {"pl26-kis-a": "Inna nazwa", "pl26-kis-c": "Klub C"})
        return thief

    def names(self):
        return {row["id"]: row["record"]["name"] for row in self.server.json("list", "entity")["records"]}

    def test_a_new_log_goes_on_from_what_was_witnessed_and_the_thief_is_undone(self):
        self.begin_anew(rotates=False)

    def test_a_thief_that_rotates_the_keys_is_undone_as_well(self):
        self.begin_anew(rotates=True)

    def begin_anew(self, rotates):
        old_key = self.key(self.server)
        thief = self.theft(rotates)
        witnessed = self.cosigned()["size"]
        standing = os.path.join(self.nation.folder, "26.checkpoint")
        done = self.server.ctl("freeze", "26", "--at", "1000", "-o", standing, "--reason", "a digit too many", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"is frozen now, but it has [56] events here, not 1000")
        self.assertIn(standing + " was not written", done.stderr)
        self.assertFalse(os.path.exists(standing))
        n.wait_for("the thief hears of it at once", lambda: thief.status()["servers"][0]["state"] == "frozen")
        self.server.ctl("freeze", "26", "--at", "cosigned", "-o", standing, "--reason", "key stolen")
        self.assertEqual([r["state"] for r in self.server.json("trust", "list")["trust"] if r["log"] == "26"],
                         ["frozen"])
        n.wait_for("the thief hears it", lambda: thief.status()["servers"][0]["state"] == "frozen")
        thief.stop()
        self.until_folded(self.server)
        self.assertEqual(read(standing).splitlines()[:2], ["splot.example/region/26", "2"])
        # The export of what stood, for the new log.
        export = os.path.join(self.nation.folder, "standing")
        self.server.ctl("export", "--dir", export, "--as-of", str(witnessed))
        new = self.nation.add_node("26/2", name="node-26-2")
        self.server.trust(new)
        new.start()
        n.wait_for("the servers answered", lambda: "begins anew" in new.status()["note"])
        refused = new.ctl("put", "entity", "pl26-kis-d", "--new", "name=Klub D", "kind=KIS", "region=26",
                          "--reason", "test", "--source", "note 1", check=False)
        self.assertIn("splotctl continue", refused.stderr + refused.stdout)
        new.ctl("continue", standing, "--key", old_key, "--reason", "key stolen")
        self.until_confirmed(new)
        self.until_folded(self.server)
        # What the thief wrote is undone before anything is stated anew.
        self.assertEqual(self.names(), {"pl26-kis-a": "Klub A", "pl26-kis-b": "Klub B"})
        new.ctl("import", *sorted(glob.glob(os.path.join(export, "*.csv"))), "--reason", "stated anew",
                "--source", "export")
        self.until_confirmed(new)
        self.until_folded(self.server)
        self.assertEqual(self.names(), {"pl26-kis-a": "Klub A", "pl26-kis-b": "Klub B"})
        self.assertEqual(self.ids(new), ["pl26-kis-a", "pl26-kis-b"])
        self.verified(new, self.server)


class Frozen(Keys):
    """A log that stands up to its second event, and the one that is to go on from there."""

    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["14", "26"], server_config={"witness-interval-s": "3600"})
        for i in range(3):
            self.add(self.nation.nodes["26"], "pl26-kis-a%d" % i)
        self.until_confirmed()
        self.old_key = self.key(self.server)
        self.beyond, standing = (os.path.join(self.nation.folder, name) for name in ("beyond", "standing"))
        self.server.ctl("freeze", "26", "--at", "3", "-o", self.beyond, "--reason", "key stolen")
        self.server.ctl("freeze", "26", "--at", "2", "-o", standing, "--reason", "earlier than we thought")
        self.new = self.nation.add_node("26/2", name="node-26-2")
        self.server.trust(self.new)
        self.new.start()
        n.wait_for("the servers answered", lambda: "begins anew" in self.new.status()["note"])

    def test_what_does_not_stand_is_not_gone_on_from(self):
        self.new.ctl("continue", self.beyond, "--key", self.old_key, "--reason", "key stolen")
        n.wait_for("it is refused", lambda: self.refusals(self.server, "26/2").get("invalid"))
        self.assertEqual([row["size"] for row in self.server.status()["logs"] if row["log"] == "26/2"], [0])

    def state(self, log):
        return [row["state"] for row in self.server.json("trust", "list")["trust"] if row["log"] == log][0]

    def test_nothing_is_frozen_at_what_was_witnessed_without_a_quorum(self):
        done = self.server.ctl("freeze", "14", "--at", "cosigned", "--reason", "key stolen", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("has its quorum of witnesses", done.stderr)
        self.assertEqual(self.state("14"), "active")

    def test_it_is_not_released_while_another_log_writes_its_region(self):
        done = self.server.ctl("release", "26", "--reason", "a slip", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("stays frozen as long as it does", done.stderr)
        self.assertEqual(self.state("26"), "frozen")
        self.server.ctl("trust", "revoke", "26/2", "--reason", "not needed")
        self.server.ctl("release", "26", "--reason", "a slip")
        self.add(self.nation.nodes["26"], "pl26-kis-b")
        self.until_confirmed(self.nation.nodes["26"])


if __name__ == "__main__":
    main()
