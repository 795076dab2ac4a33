"""How the daemons start, refuse to start, reread, and stop."""
import os
import pwd
import re
import shutil
import signal
import subprocess

import nation as n
from story import SOURCE, Story, main


class Configuration(Story):
    def check(self, daemon):
        return subprocess.run([self.nation.program(daemon.program), "--config", daemon.config, "--check"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")

    def setUp(self):
        super().setUp()
        self.server = self.nation.add_server()
        self.node = self.nation.add_node("26")

    def test_the_examples_and_ours_pass_the_check(self):
        for daemon in (self.server, self.node):
            done = self.check(daemon)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.nation.ctl("check-config", daemon.config)
        # The examples as they are, but for the places: every key in them, also those commented out.
        places = {"/var/lib/splot/node.keys": self.node.keys, "/var/lib/splot/server.keys": self.server.keys,
                  "/etc/splot/centrum.card": self.server.card, "/etc/splot/terc.csv": self.nation.folder + "/terc.csv",
                  "/etc/splot/policy": self.nation.folder + "/policy",
                  "/run/splot": self.nation.folder, "/var/lib/splot": self.nation.folder}
        with open(self.nation.folder + "/terc.csv", "w", encoding="utf-8") as f:
            f.write("teryt\n2601013\n")
        with open(self.nation.folder + "/policy", "w", encoding="utf-8") as f:
            f.write("# no witness is needed\nquorum none\n")
        for daemon, name in ((self.server, "server.ini"), (self.node, "node.ini")):
            with open(os.path.join(SOURCE, "docs", "examples", name), encoding="utf-8") as f:
                text = re.sub(r"^#([a-z-]+ = )", r"\1", f.read(), flags=re.MULTILINE)
            for place, ours in places.items():
                text = text.replace(place, ours)
            with open(daemon.config, "w", encoding="utf-8") as f:
                f.write(text)
            done = self.check(daemon)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_an_unknown_key_names_the_line_and_nothing_starts(self):
        for daemon in (self.server, self.node):
            with open(daemon.config, encoding="utf-8") as f:
                lines = f.read().split("\n")
            lines.insert(2, "kyes = x")
            with open(daemon.config, "w", encoding="utf-8") as f:
                f.write("\n".join(lines))
            done = self.check(daemon)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(":3:", done.stdout)
            self.assertIn("kyes", done.stdout)
            with self.assertRaises(n.Failed):
                daemon.start(seconds=20)
            self.assertFalse(os.path.exists(daemon.data))

    def test_a_value_that_does_not_fit_is_refused(self):
        self.node.options["map-size-mib"] = "much"
        self.node.configure()
        done = self.check(self.node)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("map-size-mib", done.stdout)

    def test_keys_of_a_server_do_not_start_a_node(self):
        self.node.options["keys"] = self.server.keys
        self.node.configure()
        with self.assertRaises(n.Failed):
            self.node.start(seconds=20)
        self.assertIn("region", self.node.log_tail())

    def test_a_store_of_other_keys_is_refused_with_what_to_do(self):
        self.server.start()
        self.server.trust(self.node)
        self.node.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-a")
        self.node.stop()
        os.rename(self.node.keys, self.node.keys + ".old")
        self.nation.ctl("keygen", "--node", "splot.example/region/26", "--out", self.node.keys)
        with self.assertRaises(n.Failed):
            self.node.start(seconds=20)
        self.assertIn("belong together", self.node.log_tail())


class AnOpenDoor(Story):
    def test_a_server_that_lets_a_stranger_in_does_not_start(self):
        server = self.nation.add_server()
        shim = os.path.join(os.environ["SPLOT_BUILD"], "tests", "libopendoor.so")
        server.environment.update({"LD_PRELOAD": shim, "ASAN_OPTIONS": "verify_asan_link_order=0:" +
                                   os.environ.get("ASAN_OPTIONS", "")})
        with self.assertRaisesRegex(n.Failed, "a key that nobody enrolled was let in"):
            server.start()
        server.environment.clear()
        server.start()


class Running(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]

    def put(self, record_id):
        return self.node.ctl("put", "entity", record_id, "--new", "name=Klub", "kind=KIS", "region=26",
                             "--reason", "test", "--source", "note 1", check=False)

    def test_sighup_rereads_the_editors(self):
        with open(self.node.config, encoding="utf-8") as f:
            text = f.read()
        with open(self.node.config, "w", encoding="utf-8") as f:
            f.write(text.replace("%s = e01" % n.ACCOUNT, "nobody = e01"))
        self.node.process.send_signal(signal.SIGHUP)
        n.wait_for("the editor is refused", lambda: "[editors]" in self.put("pl26-kis-x").stderr, 10)
        with open(self.node.config, "w", encoding="utf-8") as f:
            f.write(text.replace("%s = e01" % n.ACCOUNT, "%s = e77" % n.ACCOUNT))
        self.node.process.send_signal(signal.SIGHUP)
        n.wait_for("the editor is heard", lambda: self.put("pl26-kis-y").returncode == 0, 10)
        history = self.node.ctl("history", "pl26-kis-y").stdout
        self.assertIn("e77", history)

    def test_sighup_with_a_broken_file_changes_nothing(self):
        with open(self.node.config, "a", encoding="utf-8") as f:
            f.write("[nonsense]\nx = y\n")
        self.node.process.send_signal(signal.SIGHUP)
        n.wait_for("the fault is told", lambda: "[nonsense]" in self.node.log_tail(), 10)
        self.assertTrue(self.node.running())
        self.assertEqual(self.put("pl26-kis-a").returncode, 0)

    def test_sighup_with_a_card_of_another_log_key_changes_nothing(self):
        impostor = n.Server(self.nation, "impostor")
        impostor.server_name = self.server.server_name  # the same origin, by another key
        shutil.copy(impostor.make().card, self.server.card)
        self.node.process.send_signal(signal.SIGHUP)
        n.wait_for("it is told", lambda: "log keys of their cards are read at the start only" in self.node.log_tail(), 10)
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()

    def test_sigterm_stops_cleanly_and_the_next_start_knows_it(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        for daemon in (self.node, self.server):
            self.assertEqual(daemon.stop(), 0)
            os.truncate(daemon.log, 0)
            daemon.start()
            self.assertNotIn("walked", daemon.log_tail())

    def test_after_a_kill_the_store_is_walked(self):
        self.add(self.node, "pl26-kis-a")
        self.node.kill()
        os.truncate(self.node.log, 0)
        self.node.start()
        self.assertIn("walked", self.node.log_tail())

    def test_a_waived_server_lets_edits_go_on_and_the_waiver_is_recorded(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        self.node.stop()
        self.server.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        self.assertNotEqual(self.put("pl26-kis-b").returncode, 0)
        waived = self.node.json("waive", "centrum", "--reason", "the server burnt down")
        self.assertEqual(set(waived), {"done", "name", "reason", "size"})
        self.assertEqual(self.node.status()["state"], "open")
        self.assertIn("burnt down", self.node.log_tail())
        self.assertIn("waived already", self.waive().stderr)

    def waive(self):
        return self.node.ctl("waive", "centrum", "--reason", "the server burnt down", check=False)

    def test_a_server_that_nothing_waits_for_is_not_waived(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed(self.node)
        self.server.stop()  # what was open stays open
        done = self.waive()
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing waits for the server centrum; waive it when `splotctl status`", done.stderr)
        self.assertNotIn("burnt down", self.node.log_tail())
        # It lacks a rotation, which the next one waits for.
        self.rotate(self.node)
        self.assertEqual(self.waive().returncode, 0)
        self.rotate(self.node)

    def test_an_account_that_is_no_editor_or_admin_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("acting as another account needs root")
        nobody = pwd.getpwnam("nobody")
        # The programs may lie where nobody else may go.
        os.chmod(self.nation.folder, 0o755)
        program = shutil.copy(self.nation.program("splotctl"), self.nation.folder)
        self.add(self.node, "pl26-kis-a")
        for daemon, words, table in (
                (self.node, ["retire", "pl26-kis-a", "--reason", "x", "--source", "y"], "[editors]"),
                (self.server, ["trust", "revoke", "26", "--reason", "x"], "[admins]")):
            os.chmod(daemon.socket, 0o666)
            done = subprocess.run([program, *words, "--socket", daemon.socket],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                                  user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(table, done.stdout)
        self.assertEqual(self.ids(self.node), ["pl26-kis-a"])
        self.assertEqual(self.server.json("trust", "list")["trust"][0]["state"], "active")


class TwoServers(Story):
    def setUp(self):
        super().setUp()
        self.first, self.second = self.nation.add_server("centrum"), self.nation.add_server("zapas")
        self.node = self.nation.add_node("26")
        for server in (self.first, self.second):
            server.start()
            server.trust(self.node)
        self.node.start()
        self.node.await_open()

    def test_a_node_publishes_to_both_and_one_may_be_away(self):
        first, second, node = self.first, self.second, self.node
        self.add(node, "pl26-kis-a")
        self.until_confirmed(node)
        second.stop()
        self.add(node, "pl26-kis-b")
        n.wait_for("the first has both", lambda: first.status()["logs"][0]["size"] == 2)
        rows = {row["server"]: row["confirmed"] for row in node.status()["servers"]}
        self.assertEqual(rows, {"centrum": 2, "zapas": 1})
        second.start()
        self.until_confirmed(node)
        for server in (first, second):
            self.until_folded(server)
        self.assertEqual(first.json("summary"), second.json("summary"))
        self.assertEqual(self.ids(first), self.ids(second))

    def test_a_view_that_another_history_was_folded_into_is_folded_anew(self):
        for i in range(3):
            self.add(self.node, "pl26-kis-%d" % i)
            self.until_confirmed()
        for server in self.nation.servers:
            self.until_folded(server)
        one, other = sorted(self.nation.servers, key=lambda server: server.status()["size"])
        for server in (one, other):
            self.assertEqual(server.stop(), 0)
        shutil.rmtree(os.path.join(other.data, "view"))
        shutil.copytree(os.path.join(one.data, "view"), os.path.join(other.data, "view"))
        other.start()
        self.assertIn("did not fit the logs", other.log_tail())
        self.until_folded(other)
        self.assertEqual(len(self.ids(other)), 3)

    def test_a_lost_node_comes_back_from_whichever_server_holds_more(self):
        first, second, node = self.first, self.second, self.node
        for i in range(5):
            self.add(node, "pl26-kis-a%d" % i)
        self.until_confirmed(node)
        first.stop()
        for i in range(5):
            self.add(node, "pl26-kis-b%d" % i)
        n.wait_for("the second has all", lambda: second.status()["logs"][0]["size"] == 10)
        node.stop()
        shutil.rmtree(node.data)
        first.start()
        node.start()
        node.await_open()
        self.assertEqual(len(self.ids(node)), 10)
        self.until_confirmed(node)


if __name__ == "__main__":
    main()
