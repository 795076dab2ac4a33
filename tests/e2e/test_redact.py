"""An event that must go: its bytes are in no file afterwards, and everything goes on verifying."""
import glob
import json
import os
import secrets
import shutil
import subprocess
import time

import load as l
import nation as n
import peer as p
from story import SANITIZED, Story, main, read

FAST = {"witness-interval-s": "1"}


def holders(folder, text):
    """The files below `folder` that hold this text."""
    found, wanted = [], text.encode()
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            try:
                with open(file, "rb") as f:
                    if wanted in f.read():
                        found.append(os.path.relpath(file, folder))
            except OSError:  # a socket, or replaced meanwhile
                pass
    return sorted(found)


class Redacting(Story):
    def setUp(self):
        super().setUp()
        self.export = os.path.join(self.nation.folder, "export")
        self.server = self.nation.up(regions=["26"], server_config=dict(FAST, export=self.export))
        self.node = self.nation.nodes["26"]
        self.marker = "znacznik" + secrets.token_hex(12)

    def redact(self, index, *more, server=None, check=True):
        return (server or self.server).ctl("redact", "26", str(index), *more, "--reason",
                                           "case 4/2026: it should not have been written", check=check)

    def tell_it(self):
        """Five events; the second and the fourth say what must not be said."""
        self.add(self.node, "pl26-kis-a")
        self.add(self.node, "pl26-kis-b", name="Klub " + self.marker)
        self.add(self.node, "pl26-kis-c")
        self.node.ctl("put", "entity", "pl26-kis-c", "name=Klub " + self.marker, "--reason", "test", "--source", "x")
        self.node.ctl("put", "entity", "pl26-kis-c", "name=Klub C", "--reason", "test", "--source", "x")
        self.until_confirmed()
        self.until_folded(self.server)

    def exported(self):
        """Leaf hashes of log 26 as the export has them."""
        tiles = glob.glob(os.path.join(self.export, "26", "tile", "0", "000.p", "*"))
        if not tiles:
            return []
        with open(max(tiles, key=lambda p: int(os.path.basename(p))), "rb") as f:
            data = f.read()
        return [data[i:i + 32].hex() for i in range(0, len(data), 32)]

    def until_exported(self, size):
        n.wait_for("the export has %d events" % size, lambda: len(self.exported()) == size)

    def until_acts_exported(self):
        """The export's national log, which waits for its witnesses, holds the acts that it names."""
        def told():
            with open(os.path.join(self.export, "26", "redacted"), encoding="utf-8") as f:
                acts = [line.split()[2] for line in f]
            with open(os.path.join(self.export, "national", "checkpoint"), encoding="utf-8") as f:
                size = int(f.read().split("\n")[1])
            return all(act != "-" and int(act) < size for act in acts)
        n.wait_for("the export's national log holds the acts", told)

    def held(self):
        return holders(self.nation.folder, self.marker)

    def until_gone(self, seconds=40):
        def gone():
            return not self.held()
        try:
            n.wait_for("the text is gone", gone, seconds, every=0.1)
        except n.Failed:
            self.fail("still held by %s" % self.held())

    def until_answers(self, *daemons):
        for daemon in daemons:
            n.wait_for("%s answers" % daemon.name, lambda d=daemon: d.ctl("status", check=False).returncode == 0)

    def until_begun_anew(self):
        """The server that was told to redact has written its files anew: the one before it still
        answers for a moment, and hangs up on whoever asks it last."""
        n.wait_for("a new start", lambda: "written anew" in self.server.log_tail(40))
        self.until_answers(self.server)

    def await_whole(self, records):
        """Both sides answer, agree, and have as many entities."""
        self.until_answers(self.server, self.node)
        self.node.await_open()
        self.until_confirmed()
        self.until_folded(self.server)
        self.assertEqual(self.ids(self.server), records)
        self.assertEqual(self.ids(self.node), records)


class ErasedEverywhere(Redacting):
    def test_the_text_is_in_no_file_and_everything_goes_on(self):
        self.tell_it()
        self.until_exported(5)
        before, pids = self.exported(), [d.process.pid for d in self.nation.daemons()]
        old = os.path.join(self.nation.folder, "old")
        self.nation.ctl("audit", "prove", "26", "2", "-o", old, "--from", self.server.data)
        places = {path.split(os.sep)[0] for path in self.held()}
        self.assertEqual(places, {"export", "node-26", "server-centrum"})  # the search can find it

        self.redact(1)
        self.until_begun_anew()
        self.redact(3)
        self.until_gone()
        self.await_whole(["pl26-kis-a", "pl26-kis-c"])
        self.assertEqual([d.process.pid for d in self.nation.daemons()], pids)
        for daemon, name in ((self.server, "splot-server"), (self.node, "splot-node")):
            self.assertEqual(read("/proc/%d/comm" % daemon.process.pid), name + "\n")

        self.add(self.node, "pl26-kis-d")
        self.await_whole(["pl26-kis-a", "pl26-kis-c", "pl26-kis-d"])
        self.until_exported(6)
        self.until_acts_exported()
        self.assertEqual(self.exported()[:5], before)  # the leaf hashes stay
        self.check_logs()
        self.check_audits(old)
        self.assertEqual(self.held(), [])

    def check_logs(self):
        for arguments in (["--socket", self.server.socket], ["--socket", self.node.socket],
                          ["--from", self.server.data], ["--from", self.export]):
            text = self.nation.ctl("log", *arguments).stdout
            self.assertEqual(text.count("redacted"), 2, text)
        for daemon in (self.server, self.node):
            erased = [row["value"] for row in daemon.json("summary") if row["metric"] == "redacted_events"]
            self.assertEqual(erased, [2])
        out = os.path.join(self.nation.folder, "csv")
        self.node.ctl("export", "--dir", out)
        with open(os.path.join(out, "entities.csv"), encoding="utf-8") as f:
            self.assertIn("pl26-kis-c", f.read())
        before = self.node.status()["size"]
        self.node.ctl("import", os.path.join(out, "entities.csv"), "--reason", "what was exported", "--source", "itself")
        self.assertEqual(self.node.status()["size"], before)

    def check_audits(self, old):
        trusted = os.path.join(self.nation.folder, "trusted.vkeys")
        with open(trusted, "w", encoding="utf-8") as f:
            f.writelines(daemon.status()["key"] + "\n" for daemon in self.nation.daemons())
        keys = ["--keys", trusted]
        for folder in (self.server.data, self.node.data, self.export):
            done = self.nation.ctl("audit", "verify", folder, "--json", *keys, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            logs = {log["log"]: log for log in json.loads(done.stdout)["logs"]}
            self.assertEqual((logs["26"]["size"], logs["26"]["redacted"]), (6, 2))
        self.nation.ctl("audit", "check", old + ".tlog-proof", *keys)
        new = os.path.join(self.nation.folder, "new")
        done = self.nation.ctl("audit", "prove", "26", "1", "-o", new, "--from", self.server.data, check=False)
        self.assertIn("redacted", done.stdout + done.stderr)
        leaves = self.exported()
        for leaf, good in ((leaves[1], True), (leaves[2], False)):
            done = self.nation.ctl("audit", "check", new + ".tlog-proof", "--leaf", leaf, *keys, check=False)
            self.assertEqual(done.returncode == 0, good, done.stdout + done.stderr)


class WhoDoesNotHaveIt(Redacting):
    def test_a_node_that_recovers_from_nothing_fetches_the_log_with_its_gap(self):
        self.tell_it()
        self.redact(1)
        self.until_begun_anew()
        self.redact(3)
        self.until_gone()
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        self.await_whole(["pl26-kis-a", "pl26-kis-c"])
        self.assertEqual(self.node.status()["size"], 5)
        self.add(self.node, "pl26-kis-d")
        self.await_whole(["pl26-kis-a", "pl26-kis-c", "pl26-kis-d"])

    def test_the_node_of_a_frozen_log_erases_it_as_well(self):
        self.tell_it()
        self.server.ctl("freeze", "26", "--reason", "the laptop was stolen")
        n.wait_for("the node knows", lambda: self.node.status()["servers"][0]["state"] == "frozen")
        self.redact(1)
        # At once: by itself such a node asks every 30 to 90 seconds only.
        n.wait_for("the node is told", lambda: "redacted by an act" in self.node.log_tail(50), 10)
        self.until_answers(self.server, self.node)
        self.until_begun_anew()
        self.node.stop()  # the other act is told when it comes back
        self.redact(3)
        self.until_answers(self.server)
        self.node.start(wait=False)
        self.until_gone()
        self.until_answers(self.server, self.node)

    def second(self):
        """Another server, and the node publishes to it as well."""
        server = self.nation.add_server("zapas", **FAST)
        server.start()
        server.trust(self.node)
        return server

    def publish_to_both(self):
        self.node.stop()
        self.node.servers = self.nation.servers
        self.node.configure()
        self.node.start()

    def test_a_server_that_never_had_it_wants_an_act_of_its_own_about_that_very_event(self):
        self.tell_it()
        self.until_exported(5)
        leaf = self.exported()[1]
        self.redact(1)
        self.until_answers(self.server)
        second = self.second()
        self.publish_to_both()
        n.wait_for("the refusal", lambda: self.refusals(second).get("redacted"))
        self.assertEqual(self.ids(second), [])
        self.assertIn("redact", json.dumps(self.node.status()))
        self.redact(1, "--leaf", self.exported()[2], server=second)  # of another event
        before = self.refusals(second)["redacted"]
        self.publish_to_both()
        n.wait_for("the next refusal", lambda: self.refusals(second)["redacted"] > before)
        self.assertEqual(self.ids(second), [])
        self.redact(1, "--leaf", leaf, server=second)
        self.publish_to_both()  # it would try again within a minute by itself
        n.wait_for("all events there", lambda: second.status()["logs"][0]["size"] == 5)
        self.until_folded(second)
        self.assertEqual(self.ids(second), ["pl26-kis-a", "pl26-kis-c"])

    def test_what_is_redacted_ahead_is_never_stored_though_it_comes_whole(self):
        self.tell_it()
        self.until_exported(5)
        second = self.second()
        for index in (1, 3):
            self.redact(index, "--leaf", self.exported()[index], server=second)
        self.publish_to_both()
        n.wait_for("all events there", lambda: second.status()["logs"][0]["size"] == 5)
        self.until_folded(second)
        self.assertEqual(holders(second.folder, self.marker), [])
        self.assertEqual(self.ids(second), ["pl26-kis-a", "pl26-kis-c"])

    def test_what_does_not_fit_is_refused_and_changes_nothing(self):
        self.tell_it()
        self.until_exported(5)
        size = self.server.status()["size"]
        for arguments, code in ((["26", "5"], "--leaf"), (["14", "1"], "no log"),
                                (["26", "1", "--leaf", self.exported()[2]], "another leaf hash")):
            done = self.server.ctl("redact", *arguments, "--reason", "case 4", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(code, done.stderr)
        self.assertEqual(self.server.status()["size"], size)
        self.redact(1)
        self.until_begun_anew()
        self.assertIn("already", self.redact(1, check=False).stderr)


    def test_a_leaf_named_ahead_by_mistake_stands_in_nobodys_way(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()
        self.redact(1, "--leaf", "ab" * 32)
        self.redact(2, "--leaf", "cd" * 32)
        self.add(self.node, "pl26-kis-b", name="Klub " + self.marker)
        self.add(self.node, "pl26-kis-c")
        self.await_whole(["pl26-kis-a", "pl26-kis-b", "pl26-kis-c"])
        self.until_exported(3)
        self.redact(1)
        self.until_gone()
        self.await_whole(["pl26-kis-a", "pl26-kis-c"])
        exported = self.nation.ctl("log", "--from", self.export).stdout
        self.assertEqual(exported.count("redacted"), 1, exported)
        self.assertIn("pl26-kis-c", exported)
        self.nation.ctl("audit", "verify", "--config", self.server.config)
        self.nation.ctl("audit", "verify", "--config", self.node.config)

    def test_what_the_log_says_of_its_keys_stays(self):
        self.add(self.node, "pl26-kis-a")
        self.nation.ctl("keygen", "--rotate", self.node.keys)
        self.node.ctl("rotate", "--reason", "as every year")
        self.until_confirmed()
        size = self.server.status()["size"]
        self.assertIn("which keys sign", self.redact(1, check=False).stderr)
        self.assertEqual(self.server.status()["size"], size)

    def test_what_the_log_says_of_its_keys_stays_also_when_an_act_came_ahead_of_it_and_its_node_lost_its_store(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()
        self.server.stop()
        self.rotate(self.node)
        said = self.events()
        self.node.stop()
        self.server.start()
        self.redact(1, "--leaf", p.leaf_hash(said[1]).hex())
        self.node.start()
        self.node.await_open()
        self.until_confirmed()
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        self.node.await_open()
        self.assertEqual(self.events(), said)
        self.add(self.node, "pl26-kis-b")
        self.await_whole(["pl26-kis-a", "pl26-kis-b"])

    def events(self):
        with l.Control(self.node.socket) as control:
            return control.events("26")


class CutOff(Redacting):
    def test_kills_between_the_act_and_the_scrubbing_are_mended(self):
        records = ["pl26-kis-z"]
        self.add(self.node, "pl26-kis-z")
        for i, delay in enumerate((0, 0.1, 0.2, 0.3, 0.4)):
            self.marker = "znacznik" + secrets.token_hex(12)
            self.add(self.node, "pl26-kis-b%d" % i, name="Klub " + self.marker)
            self.until_confirmed()
            self.until_folded(self.server)
            self.assertTrue(self.held())
            self.redact(i + 1)
            time.sleep(delay)
            self.server.kill()
            self.node.kill()
            self.server.start()
            self.node.start()
            self.until_gone()
            self.await_whole(records)

    def test_a_stop_before_the_scrubbing_leaves_it_to_the_next_start(self):
        self.tell_it()
        for index in (1, 3):
            self.redact(index)
            self.assertEqual(self.server.stop(), 0)
            self.server.start()
        self.until_gone()
        self.await_whole(["pl26-kis-a", "pl26-kis-c"])

    def reader(self, daemon):
        """Somebody who reads that store."""
        reader = subprocess.Popen([self.nation.program("splotctl"), "log", "--follow", "--from", daemon.data],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(self.end, reader)
        self.assertTrue(reader.stdout.readline())
        return reader

    def end(self, reader):
        reader.kill()
        reader.wait()
        reader.stdout.close()

    def test_as_long_as_somebody_reads_the_store_status_says_what_waits(self):
        self.tell_it()
        reader = self.reader(self.server)
        self.redact(1)
        n.wait_for("a start that could not scrub", lambda: "then restart" in self.server.log_tail(40))
        self.until_answers(self.server)
        self.assertIn("erased bytes", self.server.status()["note"])
        self.assertEqual(self.ids(self.server), ["pl26-kis-a", "pl26-kis-c"])
        self.end(reader)
        self.redact(3)  # and begins anew, which scrubs both
        self.until_gone()
        self.await_whole(["pl26-kis-a", "pl26-kis-c"])
        self.assertEqual(self.server.status()["note"], "")

    def test_a_node_whose_store_somebody_reads_scrubs_it_at_the_next_start(self):
        self.add(self.node, "pl26-kis-a")
        self.add(self.node, "pl26-kis-b", name="Klub " + self.marker)
        self.until_confirmed()
        reader = self.reader(self.node)
        self.redact(1)
        n.wait_for("a start that could not scrub", lambda: "then restart" in self.node.log_tail(40))
        self.until_answers(self.node)
        self.assertIn("node-26", {path.split(os.sep)[0] for path in self.held()})
        self.end(reader)
        self.node.stop()
        self.node.start()
        self.until_gone()
        self.await_whole(["pl26-kis-a"])


class Many(Story):
    COUNT = 40 if SANITIZED else 150  # far more than wait in a queue

    def test_more_acts_than_wait_in_a_queue_all_reach_their_node_also_one_that_comes_back_empty(self):
        server = self.nation.up(regions=["26"], server_config=FAST)
        node = self.nation.nodes["26"]
        server.stop()
        with l.Control(node.socket) as control:
            for k in range(self.COUNT):
                edit = l.Edit([("pl26-kis-x%d" % k, "Klub %d" % k, None)])
                control.ask(l.request(l.EDIT, _2=edit.draft("26")))
            leaves = [p.leaf_hash(event) for event in control.events("26")]
        node.stop()
        server.start()
        for index, leaf in enumerate(leaves):
            server.ctl("redact", "26", str(index), "--leaf", leaf.hex(), "--reason", "case 4/2026")

        def erased():
            with l.Control(node.socket) as control:
                return [len(event) for event in control.events("26")] == [0] * self.COUNT

        def all_of_it():
            try:
                return erased()
            except (OSError, l.Refused):  # it begins anew
                return False

        node.start()
        n.wait_for("all of them are erased", all_of_it, 60)
        self.until_confirmed()
        node.stop()
        shutil.rmtree(node.data)
        node.start()
        node.await_open()
        self.assertTrue(erased())


if __name__ == "__main__":
    main()
