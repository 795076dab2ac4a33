"""Whoever changes a store behind its daemon's back is found: by `audit verify`, by name and place, or at
the next contact."""
import json
import os
import re
import shutil
import subprocess
import time

import nation as n
from story import Story, main

TAMPER = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-tamper")
RECORDS = 6
BAD_DATA = 3
REFUSED = 4
ROLLED_BACK = 4


def number(x):
    return "%016x" % x


class Table:
    """One table of a store whose daemon is stopped."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name

    def _do(self, *words):
        done = subprocess.run([TAMPER, self.folder, self.name, *words], stdout=subprocess.PIPE, check=True,
                              encoding="ascii", timeout=60)
        return done.stdout.split()

    def keys(self):
        return self._do("keys")

    def get(self, key):
        return (self._do("get", key) or [""])[0]

    def put(self, key, value):
        self._do("put", key, value)

    def delete(self, key):
        self._do("delete", key)

    def flip(self, key, at=-1):
        """Another last bit of one byte."""
        raw = bytearray.fromhex(self.get(key))
        raw[at] ^= 1
        self.put(key, raw.hex())

    def forge(self, key, line):
        """Another signature of the same form in that line of a checkpoint's."""
        raw = bytearray.fromhex(self.get(key))
        at = [m.start() for m in re.finditer(b"\n\xe2\x80\x94 ", raw)][line]
        at = raw.index(b"\n", at + 1) - 20
        raw[at] = ord("B" if raw[at] == ord("A") else "A")
        self.put(key, raw.hex())


class Tampering(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"], server_config={"witness-interval-s": "1"})
        self.node = self.nation.nodes["26"]
        for i in range(RECORDS):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.older = self.node.status()["size"]
        for i in range(3):
            self.node.ctl("put", "entity", "pl26-kis-a%d" % i, "name=Klub zmieniony", "--reason", "test",
                          "--source", "note 2")
        self.node.ctl("retire", "pl26-kis-a5", "--reason", "test", "--source", "note 3")
        self.until_confirmed(self.node)
        self.until_folded(self.server)

    def until_cosigned(self):
        n.wait_for("the witness cosigned all", lambda: self.server.status()["cosigned"]
                   and self.server.status()["cosigned"]["size"] == self.server.status()["size"])

    def settle(self, daemon):
        """Stops it and keeps what it holds, so that each damage begins with a whole store."""
        self.assertEqual(daemon.stop(), 0)
        self.whole = daemon.data + ".whole"
        shutil.copytree(daemon.data, self.whole)

    def mend(self, daemon):
        shutil.rmtree(daemon.data)
        shutil.copytree(self.whole, daemon.data)

    def verify(self, daemon, *more):
        """What is found, and the report."""
        return self.verified("--config", daemon.config, *more)

    def asked(self, daemon):
        """The same of the running daemon, which is asked for its rows."""
        return self.verified("--socket", daemon.socket)

    def verified(self, *how):
        done = self.nation.ctl("audit", "verify", *how, "--json", check=False)
        self.assertIn(done.returncode, (0, BAD_DATA), done.stdout + done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        found, report = lines[:-1], lines[-1]
        self.assertEqual(report["damaged"], len(found), done.stdout)
        self.assertEqual(done.returncode, BAD_DATA if found else 0)
        return found, report

    def found(self, daemon, damage, log, index=None, what=None):
        """That kind of damage is found there; gives all that is found."""
        everything = self.verify(daemon)[0]
        for f in everything:
            if f["damage"] == damage and f["log"] == log and (index is None or f["index"] == index) \
                    and (what is None or what in f["what"]):
                return everything
        self.fail("no %s of log %s at %s among %s" % (damage, log, index, everything))

    def alone(self, *expected, **more):
        self.assertEqual(len(self.found(*expected, **more)), 1)

    # ---- whole ----

    def test_whole_stores_pass_also_while_they_are_used(self):
        for daemon, view in ((self.server, self.server.status()["position"]), (self.node, self.node.status()["size"])):
            found, report = self.verify(daemon)
            self.assertEqual(found, [])
            self.assertEqual(report["view"]["position"], view)
            self.assertEqual(report["view"]["records"], RECORDS)
            self.assertEqual(report["view"]["versions"], 4)
            self.assertEqual({row["log"]: row["size"] for row in report["logs"]}["26"], RECORDS + 4)
            with open(os.path.join(daemon.data, "verified.json"), encoding="utf-8") as f:
                self.assertEqual(json.loads(f.read()), report)
            self.assertEqual([name for name in os.listdir(daemon.data) if name.startswith("verify-")], [])
            over = self.asked(daemon)[1]
            self.assertEqual((over["damaged"], over["logs"]), (0, report["logs"]))
            self.assertEqual(over["view"], report["view"])
            self.assertEqual({key: daemon.status()["verified"][key] for key in ("damaged", "leaves")},
                             {"damaged": 0, "leaves": report["leaves"]})
            self.assertIn("nothing wrong", daemon.ctl("status").stdout)
        text = self.nation.ctl("audit", "verify", "--config", self.server.config).stdout
        self.assertIn("nothing is wrong", text)

    def test_nothing_is_wrong_while_editors_write(self):
        command = [os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-load"), "rate", self.server.socket,
                   "4", "1", "3", "26=" + self.node.socket]
        leaves, grown, end = 0, 0, time.monotonic() + 120
        while grown < 3: # a busy machine may get through one round in the time of a load
            self.assertLess(time.monotonic(), end)
            load = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while load.poll() is None:
                for daemon, verify in ((self.server, self.verify), (self.node, self.verify),
                                       (self.server, self.asked), (self.node, self.asked)):
                    found, report = verify(daemon)
                    self.assertEqual(found, [])
                    self.assertIsNotNone(report["view"])
                grown += report["leaves"] > leaves
                leaves = report["leaves"]
            self.assertEqual(load.returncode, 0)

    # ---- a server ----

    def test_what_is_changed_in_a_servers_logs_is_found_by_name(self):
        self.settle(self.server)
        logs = os.path.join(self.server.data, "logs")
        events, tiles, checkpoints = (Table(logs, "26." + part) for part in ("events", "tiles", "checkpoints"))
        last = RECORDS + 3
        events.flip(number(2), 40)
        self.found(self.server, "leaf", "26", 2)
        self.mend(self.server)
        one, two = events.get(number(3)), events.get(number(4))
        events.put(number(3), two)
        events.put(number(4), one)
        self.found(self.server, "leaf", "26", 3)
        self.found(self.server, "leaf", "26", 4)
        self.mend(self.server)
        events.put(number(1), "")
        self.found(self.server, "leaf-erased", "26", 1)
        self.mend(self.server)
        events.delete(number(last))
        self.found(self.server, "leaf-missing", "26", last)
        checkpoints.delete(number(last + 1))
        self.found(self.server, "checkpoint-missing", "26", last + 1)
        self.mend(self.server)
        tiles.flip("00" + number(0), 70)
        self.alone(self.server, "tile", "26", 0)
        self.mend(self.server)
        checkpoints.flip(number(last + 1), -8)
        self.found(self.server, "signature", "26", last + 1)
        self.mend(self.server)
        Table(logs, "national.events").flip(number(1), 40)
        self.found(self.server, "leaf", "national", 1)

    def test_what_is_changed_in_a_servers_view_is_found_by_name(self):
        self.settle(self.server)
        folder = os.path.join(self.server.data, "view")
        records, versions, counts = (Table(folder, name) for name in ("records", "versions", "counts"))
        key = [k for k in records.keys() if bytes.fromhex(k).endswith(b"pl26-kis-a1")][0]
        records.flip(key, -3)
        self.alone(self.server, "record", "26", what="pl26-kis-a1")
        self.mend(self.server)
        records.delete(key)
        self.alone(self.server, "record", "26", what="pl26-kis-a1")
        self.mend(self.server)
        version = [k for k in versions.keys() if b"pl26-kis-a2" in bytes.fromhex(k)][0]
        versions.flip(version, -3)
        self.alone(self.server, "version", "26", 2, "pl26-kis-a2")
        self.mend(self.server)
        versions.delete(version)
        self.alone(self.server, "version", "26", 2, "pl26-kis-a2")
        self.mend(self.server)
        count = [k for k in counts.keys() if bytes.fromhex(k) == b"entities\0PL\0KIS\0"][0]
        counts.flip(count)
        self.alone(self.server, "count", "", what="entities PL KIS")
        self.mend(self.server)
        changes, times = (Table(folder, name) for name in ("changes", "times"))
        changes.delete(changes.keys()[1])
        self.alone(self.server, "change", "national", what="pl26-kis-a1")
        self.mend(self.server)
        times.flip(number(2))
        self.alone(self.server, "change", "national", 2, "time")

    def test_what_is_changed_in_a_view_is_found_through_the_daemon_that_serves_it(self):
        for daemon, folder in ((self.server, os.path.join(self.server.data, "view")), (self.node, self.node.data)):
            self.settle(daemon)
            for damage, table, part, what in (("record", "records", b"pl26-kis-a1", "pl26-kis-a1"),
                                              ("version", "versions", b"pl26-kis-a2", "pl26-kis-a2"),
                                              ("change", "times", bytes(7) + b"\1", "time"),
                                              ("count", "counts", b"entities\0PL\0KIS\0", "entities PL KIS")):
                rows = Table(folder, table)
                rows.flip([k for k in rows.keys() if part in bytes.fromhex(k)][0], -3 if table != "counts" else -1)
                daemon.start()
                found = self.asked(daemon)[0]
                self.assertEqual([(f["damage"], what in f["what"]) for f in found], [(damage, True)])
                self.assertEqual(daemon.stop(), 0)
                self.mend(daemon)
            daemon.start()

    def test_a_view_that_another_release_folded_is_folded_anew(self):
        asked = ("history", "pl26-kis-a1")
        for daemon, folder in ((self.server, os.path.join(self.server.data, "view")), (self.node, self.node.data)):
            self.until_folded(self.server)
            before = daemon.json(*asked)
            self.assertEqual(daemon.stop(), 0)
            Table(folder, "view").put(b"format".hex(), number(1))
            daemon.start()
            n.wait_for("the same history", lambda: daemon.json(*asked) == before)
            self.assertEqual(self.asked(daemon)[0], [])
        self.assertIn("folded by another release", self.node.log_tail(20))
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)

    def test_a_server_put_back_from_an_older_copy_is_told_by_its_witnesses(self):
        self.until_cosigned()
        self.settle(self.server)
        self.server.start()
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        self.until_cosigned()
        self.assertEqual(self.server.stop(), 0)
        self.mend(self.server)
        self.assertEqual(self.verify(self.server)[0], [])  # a whole store, only an old one
        self.server.start(wait=False)
        self.assertEqual(self.server.process.wait(60), ROLLED_BACK)
        self.assertIn("rollback", self.server.log_tail(20))

    # ---- a node ----

    def test_what_is_changed_in_a_nodes_store_is_found_by_name(self):
        self.settle(self.node)
        data = self.node.data
        Table(data, "26.events").flip(number(0), 40)
        self.found(self.node, "leaf", "26", 0)
        self.mend(self.node)
        Table(data, "26.tiles").delete("00" + number(0))
        self.alone(self.node, "tile-missing", "26", 0)
        self.mend(self.node)
        key = [k for k in Table(data, "records").keys() if bytes.fromhex(k).endswith(b"pl26-kis-a3")][0]
        Table(data, "records").flip(key, -3)
        self.alone(self.node, "record", "26", 3, "pl26-kis-a3")

    def test_one_bad_line_of_a_checkpoint_that_two_keys_signed_is_found_and_its_node_signs_anew(self):
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        held = self.node.status()["size"]
        self.settle(self.server)
        for line in (0, 1):
            Table(os.path.join(self.server.data, "logs"), "26.checkpoints").forge(number(held), line)
            self.alone(self.server, "signature", "26", held)
            self.mend(self.server)
        self.add(self.node, "pl26-kis-c")
        self.settle(self.node)
        checkpoints = Table(self.node.data, "26.checkpoints")
        for size in (held, held + 1):
            for line in (0, 1):
                checkpoints.forge(number(size), line)
                self.alone(self.node, "signature", "26", size)
                self.mend(self.node)
        checkpoints.forge(number(held + 1), 0)  # by the key of that size
        self.node.start(wait=False)
        self.assertEqual(self.node.process.wait(30), REFUSED)
        self.assertIn("its newest checkpoint does not verify", self.node.log_tail())
        self.mend(self.node)
        for size in (held, held + 1):  # by the key before: what the server has, and what no server has
            checkpoints.forge(number(size), 1)
        self.node.start()
        self.server.start()
        self.until_confirmed(self.node)
        for size in (held, held + 1):
            self.assertIn("the checkpoint of size %d in %s is damaged" % (size, self.node.data), self.node.log_tail(60))
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.verify(self.server)[0], [])  # it was shown none of them
        self.assertEqual(self.node.stop(), 0)
        self.found(self.node, "signature", "26", held)

    def test_the_checkpoint_of_a_rotation_is_signed_anew_by_both_keys(self):
        held = self.node.status()["size"]
        self.assertEqual(self.server.stop(), 0)
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.assertEqual(self.node.stop(), 0)
        for line in (0, 1):
            Table(self.node.data, "26.checkpoints").forge(number(held + 1), line)
        self.node.start()
        self.server.start()
        self.until_confirmed(self.node)
        self.assertIn("the checkpoint of size %d in %s is damaged" % (held + 1, self.node.data),
                      self.node.log_tail(60))
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.verify(self.server)[0], [])

    def test_where_nobody_can_sign_it_anew_the_node_ends_with_the_reason(self):
        held = self.node.status()["size"]
        self.node.options["rotation-days"] = "0"  # the old key is gone at once
        self.node.configure()
        self.node.stop()
        self.node.start()
        self.node.await_open()
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        self.settle(self.node)
        second = self.nation.add_server("zapas", **{"witness-interval-s": "1"})
        second.start()
        second.trust(self.node)
        self.node.servers = self.nation.servers
        self.node.configure()
        checkpoints = Table(self.node.data, "26.checkpoints")
        checkpoints.forge(number(held + 1), 0)
        self.node.start(wait=False)
        self.assertEqual(self.node.process.wait(30), REFUSED)  # which no service manager starts again
        self.assertIn("nothing of it is signed or sent", self.node.log_tail())
        self.mend(self.node)
        checkpoints.forge(number(held + 1), 1)  # by the key that is here
        self.node.start()
        n.wait_for("the second server has it all", lambda: [row["size"] for row in second.status()["logs"]] == [held + 2])
        self.assertIn("the checkpoint of size %d in %s is damaged" % (held + 1, self.node.data),
                      self.node.log_tail(60))

    def test_a_bad_line_that_a_server_sends_does_not_become_the_nodes_damage(self):
        self.rotate(self.node)
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        held = self.node.status()["size"]
        self.assertEqual(self.server.stop(), 0)
        Table(os.path.join(self.server.data, "logs"), "26.checkpoints").forge(number(held), 1)
        self.assertEqual(self.node.stop(), 0)
        shutil.rmtree(self.node.data)
        self.server.start()
        self.node.start()
        self.node.await_open()
        self.assertIn("size %d with lines that are not good" % held, self.node.log_tail(60))
        self.assertEqual(self.node.stop(), 0)
        self.assertEqual(self.verify(self.node)[0], [])

    def test_what_a_server_is_to_be_shown_is_signed_anew_when_it_is_damaged(self):
        checkpoints = Table(self.node.data, "26.checkpoints")

        def another_signature(size):
            checkpoints.forge(number(size), 0)

        def the_one_of_another_size(size):
            checkpoints.put(number(size), checkpoints.get(number(size - 2)))

        for i, damage in enumerate((another_signature, the_one_of_another_size)):
            held = self.node.status()["size"]
            self.assertEqual(self.server.stop(), 0)
            self.add(self.node, "pl26-kis-b%d" % i)  # so that the newest is whole
            self.assertEqual(self.node.stop(), 0)
            damage(held)
            self.node.start()
            self.server.start()
            self.until_confirmed(self.node)
            self.assertIn("the checkpoint of size %d in %s is damaged" % (held, self.node.data),
                          self.node.log_tail(60))
            self.assertEqual(self.node.status()["servers"][0]["state"], "live")
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.verify(self.server)[0], [])

    def test_a_node_put_back_from_an_older_copy_is_below_its_mark(self):
        self.settle(self.node)
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        self.assertEqual(self.node.stop(), 0)
        self.mend(self.node)
        self.alone(self.node, "rollback", "26", RECORDS + 4)
        self.node.start()  # its servers give back what is missing
        self.node.await_open()
        self.assertIn("pl26-kis-b", self.ids(self.node))
        self.assertEqual(self.verify(self.node)[0], [])

    def test_a_tail_that_was_cut_off_with_its_checkpoints_is_found(self):
        self.settle(self.node)
        data = self.node.data
        for size in range(self.older + 1, RECORDS + 5):
            Table(data, "26.events").delete(number(size - 1))
            Table(data, "26.checkpoints").delete(number(size))
        self.found(self.node, "rollback", "26", self.older)


if __name__ == "__main__":
    main()
