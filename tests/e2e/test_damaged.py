"""Damage that a start would not meet is found there.  Damaged tiles are no second history: a server accuses
nobody by them, not a region of a fork, not itself of having been put back; a node signs nothing that they say."""
import os
import re
import shutil
import subprocess

import nation as n
from story import Story, main
from test_tamper import Table

TAMPER = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-tamper")


UNTRUSTED = 4
FULL = 256 + 16  # entries: the first tile is full, so that the newest root does not show what it holds
FIRST_TILE = "00" * 9


class Damaged(Story):
    witness_s = 1

    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"], server_config={"witness-interval-s": str(self.witness_s)})
        self.node = self.nation.nodes["26"]

    def until_cosigned(self):
        n.wait_for("the witness cosigned all", lambda: self.server.status()["cosigned"]
                   and self.server.status()["cosigned"]["size"] == self.server.status()["size"])

    def damage(self, folder, table):
        def tamper(*words):
            done = subprocess.run([TAMPER, folder, table, *words], check=True,
                                  stdout=subprocess.PIPE, encoding="ascii", timeout=60)
            return done.stdout.split()
        raw = bytearray.fromhex(tamper("get", FIRST_TILE)[0])
        self.assertEqual(len(raw), 256 * 32)
        raw[32] ^= 1  # the second leaf: a server looks at its first entry at the start
        tamper("put", FIRST_TILE, raw.hex())

    def grow(self):
        while self.server.status()["size"] < FULL or self.node.status()["size"] < FULL:
            subprocess.run([os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-load"), "rate", self.server.socket,
                            "1", "1", "2", "26=" + self.node.socket], stdout=subprocess.DEVNULL, check=True)
        self.until_confirmed()


class DamagedServer(Damaged):
    def test_nobody_is_accused(self):
        for i in range(3):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.until_confirmed()
        self.until_cosigned()
        self.assertEqual(self.node.stop(), 0)
        older = self.node.data + ".older"
        shutil.copytree(self.node.data, older)
        self.node.start()
        self.grow()
        self.assertEqual(self.node.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        logs = os.path.join(self.server.data, "logs")
        self.damage(logs, "26.tiles")
        self.damage(logs, "national.tiles")
        shutil.rmtree(self.node.data)
        shutil.copytree(older, self.node.data)  # it shows an old size, and what it witnessed then
        os.unlink(self.node.keys + ".witnessed")
        self.server.start()
        self.node.start()
        n.wait_for("the refusal", lambda: self.refusals(self.server).get("corrupt"))
        for log in ("26", "national"):
            n.wait_for("the damage of %s is told" % log,
                       lambda log=log: "log %s: its tiles do not give" % log in self.server.log_tail(60))
        self.assertNotIn("rollback", self.server.log_tail(60))
        self.assertEqual([row["state"] for row in self.server.json("trust", "list")["trust"]], ["active"])
        self.assertNotIn("fork", self.refusals(self.server))


class DamagedNode(Damaged):
    witness_s = 3600  # nobody witnesses, so that the server may be put back

    def test_a_root_from_damaged_tiles_is_not_signed(self):
        for i in range(2):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.until_confirmed()
        self.assertEqual(self.server.stop(), 0)
        older = self.server.data + ".older"
        shutil.copytree(self.server.data, older)
        self.server.start()
        self.grow()
        self.assertEqual(self.node.stop(), 0)
        shutil.rmtree(self.node.data)
        self.node.start()
        self.node.await_open()  # fetched back, with the checkpoints of whole chunks only
        self.assertEqual(self.node.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        self.damage(self.node.data, "26.tiles")
        shutil.rmtree(self.server.data)
        shutil.copytree(older, self.server.data)
        self.server.start()
        self.node.start()
        self.assertEqual(self.node.process.wait(30), UNTRUSTED)
        self.assertIn("nothing of it is signed or sent", self.node.log_tail())
        self.assertEqual(self.server.json("trust", "list")["trust"][0]["state"], "active")
        self.assertNotIn("fork", self.refusals(self.server))


class FoundAtTheStart(Story):
    def flip(self, path, text):
        """One bit of each copy of it."""
        with open(path, "r+b") as f:
            raw = f.read()
            places = [m.start() for m in re.finditer(re.escape(text), raw)]
            self.assertTrue(places, path)
            for at in places:
                f.seek(at)
                f.write(bytes([raw[at] ^ 1]))

    def test_what_no_start_would_read_keeps_a_program_from_starting_all_the_same(self):
        server = self.nation.up(regions=["26"])
        node = self.nation.nodes["26"]
        self.add(node, "pl26-kis-a", name="Klub Znacznik")
        self.add(node, "pl26-kis-b")
        self.until_confirmed()
        self.until_folded(server)
        for daemon, file in ((node, "data.mdb"), (server, os.path.join("logs", "data.mdb"))):
            self.assertEqual(daemon.stop(), 0)
            path = os.path.join(daemon.data, file)
            self.flip(path, b"Klub Znacznik")
            with self.assertRaisesRegex(n.Failed, "ended with [1-9]"):
                daemon.start()
            self.flip(path, b"Jlub Znacznik")
            daemon.start()

    def test_a_log_whose_newest_checkpoint_the_enrolled_key_did_not_sign_keeps_a_server_from_starting(self):
        server = self.nation.up(regions=["26"])
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        self.until_confirmed()
        self.assertEqual(server.stop(), 0)
        notes = Table(os.path.join(server.data, "logs"), "26.checkpoints")
        newest = notes.keys()[-1]
        good = notes.get(newest)
        forged = bytearray.fromhex(good)
        forged[-10] = ord("B" if forged[-10] == ord("A") else "A")  # of the signature; base64 still
        notes.put(newest, forged.hex())
        with self.assertRaisesRegex(n.Failed, "log 26: what is stored cannot be trusted"):
            server.start()
        notes.put(newest, good)
        server.start()


if __name__ == "__main__":
    main()
