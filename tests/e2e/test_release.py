"""A node signed two histories of its log.  The server's goes on by an administrator's act; what only
the node's own one held is set aside, shown, and brought back as ordinary edits: what both
changed is left alone, and nothing happens by itself."""
import glob
import json
import os
import shutil

import nation as n
from story import Story, main

LOG = "26"
ORIGIN = "splot.example/region/26"


class Release(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=[LOG], server_config={"witness-interval-s": "1"})
        self.node = self.nation.nodes[LOG]
        for record in ("pl26-kis-a", "pl26-kis-b", "pl26-kis-c", "pl26-kis-d"):
            self.add(self.node, record)
        self.until_confirmed(self.node)

    # ---- how two histories come about ----

    def put(self, record, **fields):
        return self.node.ctl("put", "entity", record, "--reason", "letter of " + record, "--source", "letter 7",
                             *("%s=%s" % item for item in fields.items()))

    def fork(self, there, here):
        """Both begin with what is there now: the server gets `there`, then the node's machine is put
        back from a copy, told not to wait for the server, and edits go on with `here`."""
        self.node.stop()
        shutil.copytree(self.node.data, self.node.data + ".copy")
        self.node.start()
        self.node.await_open()
        there()
        self.until_confirmed(self.node)
        self.node.stop()
        self.server.stop()
        shutil.rmtree(self.node.data)
        os.rename(self.node.data + ".copy", self.node.data)
        os.unlink(self.node.keys + ".highwater")
        self.node.start()
        self.node.ctl("waive", "centrum", "--reason", "the line is down")
        self.node.await_open()
        here()
        self.server.start()
        n.wait_for("the log is frozen", lambda: self.state() == "frozen")

    def state(self):
        return {row["log"]: row["state"] for row in self.server.status()["logs"]}[LOG]

    def there(self):
        self.put("pl26-kis-a", name="Klub po stronie serwera")
        self.add(self.node, "pl26-kis-e")

    def here(self):
        self.put("pl26-kis-a", name="Klub po stronie urzędu", place="Kielce")  # both changed it
        self.put("pl26-kis-b", place="Nowiny")
        self.add(self.node, "pl26-kis-f")
        self.put("pl26-kis-f", place="Mostki")  # builds on an orphaned change
        self.node.ctl("retire", "pl26-kis-c", "--reason", "closed", "--source", "note 2")

    # ---- what is done about it ----

    def release(self):
        self.server.ctl("release", LOG, "--reason", "the office put back an old copy")

    def set_aside(self):
        self.node.stop()
        done = self.nation.ctl("recover", "--aside", "--config", self.node.config)
        self.assertIn("recover --rebase", done.stderr)
        folder = glob.glob(os.path.join(self.node.folder, "orphaned-*"))
        self.assertEqual(len(folder), 1)
        self.assertIn(folder[0], done.stdout)
        self.assertFalse(os.path.exists(self.node.keys + ".highwater"))
        self.node.start()
        self.node.await_open()
        return folder[0]

    def record(self, daemon, record):
        return daemon.json("get", record)["record"]

    def fates(self, told):
        return {(event["index"], change["id"]): change["fate"]
                for event in told["events"] for change in event.get("changes", [])}

    def until_server_has_it_all(self):
        self.until_confirmed(self.node)
        self.until_folded(self.server)

    # ---- the story ----

    def test_the_servers_history_goes_on_and_orphaned_changes_come_back_when_somebody_says_so(self):
        self.fork(self.there, self.here)
        evidence = self.server.json("audit", "evidence")["evidence"]
        self.assertEqual([row["log"] for row in evidence], [LOG])
        self.release()
        folder = self.set_aside()

        self.until_server_has_it_all()
        self.assertEqual(self.node.status()["size"], 6)
        self.assertEqual(self.record(self.node, "pl26-kis-a")["name"], "Klub po stronie serwera")

        shown = self.node.ctl("recover", "--rebase", folder)
        self.assertIn("pl26-kis-f: would be added", shown.stdout)
        self.assertIn('place: "" -> "Nowiny"', shown.stdout)
        self.assertIn("pl26-kis-a: left alone: event 4 of the node's log changed it too", shown.stdout)
        self.assertIn("nothing was sent", shown.stderr)
        self.assertEqual(self.node.status()["size"], 6)

        told = self.node.json("recover", "--rebase", folder)
        self.assertEqual((told["origin"], told["fork"], told["orphaned_size"], told["sent"]), (ORIGIN, 4, 9, False))
        self.assertEqual(self.fates(told), {
            (4, "pl26-kis-a"): "both-changed", (5, "pl26-kis-b"): "applies", (6, "pl26-kis-f"): "applies",
            (7, "pl26-kis-f"): "applies", (8, "pl26-kis-c"): "applies"})

        done = self.node.ctl("recover", "--rebase", folder, "--yes", check=False)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)  # something was left alone
        self.until_server_has_it_all()
        for daemon in (self.node, self.server):
            self.assertEqual(self.record(daemon, "pl26-kis-a")["name"], "Klub po stronie serwera")
            self.assertEqual(self.record(daemon, "pl26-kis-b")["place"], "Nowiny")
            self.assertEqual(self.record(daemon, "pl26-kis-f")["place"], "Mostki")
            self.assertTrue(daemon.json("get", "pl26-kis-c")["retired"])
            self.assertEqual(sorted(self.ids(daemon)), ["pl26-kis-" + x for x in "abdef"])
        newest = self.server.json("history", "pl26-kis-b")["versions"][0]
        self.assertEqual(newest["reason"], "rebased from %s@5: letter of pl26-kis-b (e01)" % ORIGIN)
        self.assertEqual((newest["source"], newest["editor"]), ("letter 7", "e01"))

        # Again: what was sent is not sent twice; with --mine the rest is, field by field.
        again = self.node.json("recover", "--rebase", folder)
        self.assertEqual(set(self.fates(again).values()), {"both-changed", "sent-before"})
        self.node.ctl("recover", "--rebase", folder, "--yes", "--mine")
        self.until_server_has_it_all()
        self.assertEqual(self.record(self.server, "pl26-kis-a")["name"], "Klub po stronie urzędu")
        self.assertEqual(self.record(self.server, "pl26-kis-a")["place"], "Kielce")
        again = self.node.json("recover", "--rebase", folder, "--yes", "--mine")
        self.assertEqual((again["applies"], again["left_alone"]), (0, 0))
        for daemon in (self.node, self.server):
            self.nation.ctl("audit", "verify", "--config", daemon.config)  # all of it is whole

    def test_a_store_is_set_aside_only_when_nobody_uses_it_and_the_log_stays_frozen_until_it_is_released(self):
        done = self.nation.ctl("recover", "--aside", "--config", self.node.config, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stop it first", done.stderr)
        self.fork(self.there, self.here)
        self.node.stop()
        self.nation.ctl("recover", "--aside", "--config", self.node.config)
        self.node.start()
        done = self.node.ctl("put", "entity", "pl26-kis-b", "place=Kielce", "--reason", "r", "--source", "s",
                             check=False)
        self.assertNotEqual(done.returncode, 0)
        self.release()
        self.node.await_open()
        self.put("pl26-kis-b", place="Kielce")
        self.until_server_has_it_all()
        self.assertEqual(self.state(), "live")

    def test_logs_that_an_act_froze_go_on_by_themselves_when_they_are_released(self):
        """One node holds what the server holds, the other one less: an old copy, put back meanwhile."""
        older = self.nation.add_node("24")
        self.server.trust(older)
        older.start()
        older.await_open()
        self.add(older, "pl24-kis-a")
        self.until_confirmed(older)
        older.stop()
        shutil.copytree(older.data, older.data + ".copy")
        older.start()
        older.await_open()
        self.add(older, "pl24-kis-b")
        self.until_confirmed(older)

        def peers():
            return {node.status()["servers"][0]["state"] for node in (self.node, older)}
        for log in (LOG, "24"):
            self.server.ctl("freeze", log, "--reason", "letter 15")
        older.stop()
        shutil.rmtree(older.data)
        os.rename(older.data + ".copy", older.data)
        older.start()
        n.wait_for("the nodes hear it", lambda: peers() == {"frozen"})
        done = self.node.ctl("put", "entity", "pl26-kis-b", "place=Kielce", "--reason", "r", "--source", "s",
                             check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("centrum froze this log (when it is released, that is taken up by itself", done.stderr)
        for log in (LOG, "24"):
            self.server.ctl("release", log, "--reason", "letter 16")
        n.wait_for("the nodes asked again", lambda: peers() == {"live"}, 100)  # 30 to 90 s
        self.put("pl26-kis-b", place="Kielce")
        self.until_server_has_it_all()
        self.assertEqual(self.record(older, "pl24-kis-b")["name"], self.record(self.server, "pl24-kis-b")["name"])
        self.add(older, "pl24-kis-c")
        self.until_confirmed(older)
        self.assertNotIn("fork", self.refusals(self.server, "24"))

    def test_what_cannot_come_back_is_named_and_the_rest_comes(self):
        self.put("pl26-kis-b", participants_per_year_min="10", participants_per_year_max="20")

        def there():
            self.node.ctl("retire", "pl26-kis-d", "--reason", "closed", "--source", "note 3")
            self.add(self.node, "pl26-kis-g", name="Klub serwera", place="Mostki")
            self.put("pl26-kis-b", participants_per_year_min="50", participants_per_year_max="60")

        def here():
            self.put("pl26-kis-d", place="Kielce")  # ended there
            self.add(self.node, "pl26-kis-g", name="Klub urzędu")  # new in both
            self.put("pl26-kis-b", participants_per_year_max="30")  # does not fit what is there now
            self.put("pl26-kis-a", place="Nowiny")
        self.fork(there, here)
        self.release()
        folder = self.set_aside()
        done = self.node.ctl("recover", "--rebase", folder, "--yes", "--mine", "--json", check=False)
        self.assertEqual(done.returncode, 3)  # the register's rules refused an event
        told = json.loads(done.stdout)
        self.assertEqual(self.fates(told), {
            (5, "pl26-kis-d"): "ended", (6, "pl26-kis-g"): "applies", (7, "pl26-kis-b"): "refused",
            (8, "pl26-kis-a"): "applies"})
        self.assertTrue(told["events"][2]["problems"][0]["column"].startswith("participants_per_year"))
        self.assertEqual((told["applies"], told["left_alone"], told["refused_events"]), (2, 1, 1))
        self.until_server_has_it_all()
        self.assertEqual(self.record(self.server, "pl26-kis-a")["place"], "Nowiny")
        both = self.record(self.server, "pl26-kis-g")
        self.assertEqual((both["name"], both["place"]), ("Klub urzędu", "Mostki"))  # field by field
        self.assertEqual(self.record(self.server, "pl26-kis-b")["participants_per_year_max"], "60")
        self.assertTrue(self.server.json("get", "pl26-kis-d")["retired"])

    def until_witnessed(self):
        def witnessed():
            status = self.server.status()
            return [row["size"] for row in status["witnesses"]] == [status["size"]]
        n.wait_for("the national log is witnessed as it is", witnessed)

    def test_what_a_node_witnessed_is_not_forgotten_with_its_store(self):
        self.until_witnessed()
        self.server.stop()
        shutil.copytree(self.server.data, self.server.data + ".copy")
        self.server.start()
        self.put("pl26-kis-a", place="Kielce")
        self.until_confirmed(self.node)
        self.until_witnessed()
        self.node.stop()
        self.nation.ctl("recover", "--aside", "--config", self.node.config)
        self.server.stop()
        shutil.rmtree(self.server.data)
        os.rename(self.server.data + ".copy", self.server.data)
        self.server.start()
        self.node.start()
        self.assertEqual(self.server.process.wait(30), 4)
        self.assertIn("rollback", self.server.log_tail())

    def test_a_store_that_holds_nothing_of_its_own_has_nothing_to_rebase(self):
        self.node.stop()
        shutil.copytree(self.node.data, self.node.data + ".copy")
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-e")
        told = self.node.json("recover", "--rebase", self.node.data + ".copy", "--yes")
        self.assertEqual((told["fork"], told["events"], told["applies"]), (4, [], 0))


if __name__ == "__main__":
    main()
