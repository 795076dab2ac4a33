"""Backups made beside running daemons, brought up to date, killed, restored; and what `compare` says
of two servers."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import load as l
import nation as n
from story import SANITIZED, Story, main
from test_redact import holders
from test_tamper import Table, number

FAST = {"witness-interval-s": "1"}
FAILED, BAD_DATA, ROLLED_BACK = 1, 3, 4
PART_BYTES = 32 << 20  # BACKUP_PART_BYTES
SMALL_TABLES = 100  # rows: trust, what witnesses cosigned (64 at most) and the like


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Backups(Story):
    servers = ("centrum",)

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SPLOT_SEED", random.randrange(1 << 32)))
        self.random = random.Random(self.seed)
        print("%s: seed %d (repeat with SPLOT_SEED=%d)" % (self.id(), self.seed, self.seed), file=sys.stderr)

    def begin(self, logs=("26",), servers=("centrum",)):
        for name in servers:
            self.nation.add_server(name, **FAST).start()
        for log in logs:
            self.enrol(log)
        self.server, self.node = self.nation.servers[0], self.nation.nodes["26"]
        self.keys = {d.name: d.status()["key"] for d in self.nation.daemons()}

    def enrol(self, log):
        node = self.nation.add_node(log)
        for server in self.nation.servers:
            server.trust(node)
        node.start()
        node.await_open()
        return node

    def folder(self, name):
        return os.path.join(self.nation.folder, name)

    def store(self, folder):
        logs = os.path.join(folder, "logs")
        return logs if os.path.exists(logs) else folder

    def load(self, rate=300):
        return l.Load(self.nation.nodes.values(), self.nation.servers, rate)

    def backup(self, daemon, to, *more, fails=None):
        """What it tells; `fails`: the exit code expected, then its words."""
        done = self.nation.ctl("backup", "--to", to, "--config", daemon.config, "--json", *more, check=False)
        if fails is None:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return json.loads(done.stdout)
        self.assertEqual(done.returncode, fails, done.stdout + done.stderr)
        return json.loads(done.stdout)["error"]["text"]

    def restore(self, daemon, folder, *more, fails=None):
        done = self.nation.ctl("restore", "--from", folder, "--config", daemon.config, "--json", *more, check=False)
        self.assertEqual(done.returncode, fails or 0, done.stdout + done.stderr)
        return json.loads(done.stdout) if fails is None else json.loads(done.stdout)["error"]["text"]

    def verify(self, daemon, folder):
        """{log: size} of a backup that is whole; that it is older than the daemon's mark is no damage."""
        done = self.nation.ctl("audit", "verify", folder, "--config", daemon.config, "--json", check=False)
        self.assertEqual(done.returncode, 0, "seed %d: %s%s" % (self.seed, done.stdout, done.stderr))
        return {row["log"]: row["size"] for row in json.loads(done.stdout)["logs"]}

    def compare(self, a, b):
        """(equal, what it says)"""
        done = self.nation.ctl("compare", a, b, "--json", check=False)
        self.assertIn(done.returncode, (0, BAD_DATA), done.stdout + done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual(said["equal"], done.returncode == 0)
        return said["equal"], said

    def sizes(self, told):
        return {row["log"]: row["size"] for row in told["logs"]}

    def lose(self, daemon):
        daemon.stop()
        shutil.rmtree(daemon.data)

    def until_converged(self, *nodes):
        self.until_confirmed(*nodes)
        for server in self.nation.servers:
            self.until_folded(server)


class BesideRunningDaemons(Backups):
    def test_what_is_new_is_added_while_all_go_on(self):
        self.begin(logs=("24", "26"))
        of_server, of_node = self.folder("b-server"), self.folder("b-node")
        with self.load() as load:
            n.wait_for("some edits", lambda: load.accepted_count > 300, 60)
            first = self.backup(self.server, of_server)
            self.backup(self.node, of_node)
            for daemon, folder, told in ((self.server, of_server, first), (self.node, of_node, None)):
                for _ in range(3):
                    before, told = told, self.backup(daemon, folder)
                    self.assertFalse(told["anew"])
                    self.assertEqual(told["unknown_tables"], [])
                    self.assertEqual(self.verify(daemon, folder), self.sizes(told))
                    if before:
                        self.assertGreater(sum(self.sizes(told).values()), sum(self.sizes(before).values()))
        self.assertGreater(load.accepted_count, 300)
        self.until_converged()
        self.check_increments(of_server)
        self.check_files(of_server, of_node)

    def check_increments(self, folder):
        """What is read is what is new, however much is there."""
        self.backup(self.server, folder)
        idle = self.backup(self.server, folder)
        self.assertLess(idle["rows_read"], SMALL_TABLES)
        self.assertEqual([row["added"] for row in idle["logs"]], [0, 0, 0])
        for i in range(5):
            self.add(self.node, "pl26-kis-new%d" % i)
        self.until_converged()
        told = self.backup(self.server, folder)
        added = {row["log"]: row["added"] for row in told["logs"]}
        self.assertEqual((added["24"], added["26"]), (0, 5))
        self.assertLess(told["rows_read"], idle["rows_read"] + 4 * 5 + 10)
        equal, said = self.compare(self.server.socket, folder)  # its logs are folded for that
        self.assertTrue(equal, said)
        self.assertEqual([row["state"] for row in said["logs"]], ["equal"] * 3)
        self.assertEqual(len(set(said["records"]["digests"])), 1)

    def check_files(self, of_server, of_node):
        """Nobody else may read them, and no key is in them."""
        for folder, daemon in ((of_server, self.server), (of_node, self.node)):
            for path, folders, names in os.walk(folder):
                for name in folders:
                    self.assertEqual(os.stat(os.path.join(path, name)).st_mode & 0o077, 0)
                for name in set(names) - {"verified.json"}:
                    self.assertEqual(os.stat(os.path.join(path, name)).st_mode & 0o077, 0)
            with open(daemon.keys, encoding="ascii") as f:
                secrets = [line.split()[1] for line in f if "seed" in line.split()[0] or "secret" in line.split()[0]]
            self.assertTrue(secrets)
            for secret in secrets:
                self.assertEqual(holders(folder, secret), [])
            with open(os.path.join(folder, "backup.txt"), encoding="utf-8") as f:
                self.assertIn("origin " + self.nation.realm, f.read())

    def test_a_kill_leaves_the_backup_before_or_the_new_one(self):
        self.begin()
        folder = self.folder("b")
        sizes, found, finished = {}, 0, 0
        with self.load(rate=200):
            for i in range(4 if SANITIZED else 14):
                if i == 7:
                    self.enrol("24")  # a log that the backup does not know yet
                more = ["--full"] if i % 3 == 2 else []
                process = subprocess.Popen([self.nation.program("splotctl"), "backup", "--to", folder, "--config",
                                            self.server.config, *more], stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
                time.sleep(self.random.random() * (0.4 if SANITIZED else 0.035))
                process.send_signal(signal.SIGKILL)
                finished += process.wait() == 0
                if not os.path.exists(os.path.join(folder, "logs", "data.mdb")):
                    self.assertEqual(sizes, {})
                    self.restore(self.server, folder, fails=FAILED)
                    continue
                now = self.verify(self.server, folder)
                found += 1
                for log, size in sizes.items():
                    self.assertGreaterEqual(now[log], size, "seed %d, round %d" % (self.seed, i))
                sizes = now
            self.backup(self.server, folder)
        print("killed: %d of them finished, %d left a backup" % (finished, found), file=sys.stderr)
        told = self.backup(self.server, folder)
        self.assertEqual(self.verify(self.server, folder), self.sizes(told))
        self.assertFalse(os.path.exists(os.path.join(folder, "logs", "new")))


class WhatIsNotTaken(Backups):
    def test_a_redacted_text_leaves_the_backups_files(self):
        self.begin()
        of_server, of_node = self.folder("b-server"), self.folder("b-node")
        marker = "znacznik" + "".join("abcdefghij"[int(c)] for c in str(self.seed))
        self.add(self.node, "pl26-kis-a")
        self.add(self.node, "pl26-kis-b", name="Klub " + marker)
        for i in range(3):
            self.add(self.node, "pl26-kis-c%d" % i)
        self.until_converged()
        self.backup(self.server, of_server)
        self.backup(self.node, of_node)
        self.assertEqual(holders(of_server, marker), ["logs/data.mdb"])  # the search can find it
        self.assertEqual(holders(of_node, marker), ["data.mdb"])
        self.server.ctl("redact", "26", "1", "--reason", "case 4/2026")
        n.wait_for("the text is gone", lambda: not holders(self.server.data, marker) and
                   not holders(self.node.data, marker), 40, every=0.1)
        for daemon in (self.server, self.node):
            n.wait_for("it answers", lambda d=daemon: d.ctl("status", check=False).returncode == 0)
        for daemon, folder in ((self.server, of_server), (self.node, of_node)):
            self.assertEqual(self.backup(daemon, folder)["erased"], 1)
            self.assertEqual(holders(folder, marker), [])
            self.verify(daemon, folder)
            self.assertEqual(self.backup(daemon, folder)["erased"], 0)
        self.lose(self.node)
        self.restore(self.node, of_node)
        self.node.start()
        self.node.await_open()
        self.assertEqual(self.ids(self.node), ["pl26-kis-a", "pl26-kis-c0", "pl26-kis-c1", "pl26-kis-c2"])

    def fill(self, node, events):
        """Of some 60 KB each: a log that is more than a backup writes in one transaction."""
        with l.Control(node.socket) as control:
            for k in range(events):
                edit = l.Edit([("pl26-kis-f%dx%d" % (k, i), "Klub " + "abcdefgh"[i] * 7900, None) for i in range(7)])
                control.ask(l.request(l.EDIT, _2=edit.draft("26")))

    @unittest.skipIf(SANITIZED, "it takes half a minute")
    def test_what_is_redacted_while_a_large_backup_is_made_is_not_in_it(self):
        self.begin()
        marker = "znacznik" + "".join("abcdefghij"[int(c)] for c in str(self.seed))
        self.add(self.node, "pl26-kis-b", name="Klub " + marker)
        self.fill(self.node, 900)  # while the second part is written it is stopped
        self.until_confirmed()
        folder = self.folder("b")
        fresh = os.path.join(folder, "new", "data.mdb")
        process = subprocess.Popen([self.nation.program("splotctl"), "backup", "--to", folder, "--config",
                                    self.node.config, "--json"], stdout=subprocess.PIPE, text=True)
        n.wait_for("a part is written", lambda: os.path.exists(fresh) and os.path.getsize(fresh) > PART_BYTES or
                   process.poll() is not None, 60, every=0.001)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGSTOP)
        self.assertTrue(os.path.exists(fresh), "it was done before it could be stopped")
        self.server.ctl("redact", "26", "0", "--reason", "case 4/2026")
        n.wait_for("the node was told", lambda: "is redacted by an act" in self.node.log_tail(50), 40)
        self.assertEqual(holders(folder, marker), ["new/data.mdb"])
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, told)
        self.assertEqual(holders(folder, marker), [])
        n.wait_for("it answers", lambda: self.node.ctl("status", check=False).returncode == 0)
        self.verify(self.node, folder)

    def test_a_damaged_or_another_source_is_refused_by_name_and_the_backup_stays(self):
        self.begin(logs=("24", "26"))
        folder = self.folder("b")
        for i in range(4):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.until_converged()
        self.backup(self.node, folder)
        before = digest(os.path.join(folder, "data.mdb"))
        other = self.nation.nodes["24"]
        self.add(other, "pl24-kis-a")
        self.assertIn("another", self.backup(other, folder, fails=FAILED))
        self.assertIn("node-26", self.backup(other, folder, "--full", fails=FAILED).replace("region/26", "node-26"))
        self.assertIn("own folder", self.backup(self.node, self.node.data, fails=2))
        self.check_places_inside()
        self.assertIn("something else", self.backup(self.node, self.node.folder, fails=FAILED))
        self.assertIn("a server", self.backup(self.server, folder, fails=FAILED))

        for i in range(4, 8):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.node.stop()
        events = Table(self.node.data, "26.events")
        events.flip(number(6))
        said = self.backup(self.node, folder, fails=BAD_DATA)
        self.assertIn("log 26 at 6", said)
        self.assertEqual(digest(os.path.join(folder, "data.mdb")), before)
        self.assertEqual(self.verify(self.node, folder), {"26": 4})
        events.flip(number(6))
        checkpoints = Table(self.node.data, "26.checkpoints")
        checkpoints.flip(number(8), at=-10)  # in its signature
        self.assertIn("not signed", self.backup(self.node, folder, fails=FAILED))
        checkpoints.flip(number(8), at=-10)
        self.assertEqual(digest(os.path.join(folder, "data.mdb")), before)
        self.assertEqual(self.sizes(self.backup(self.node, folder)), {"26": 8})

        whole = self.folder("whole")
        n.wait_for("something is cosigned", lambda: self.server.status()["cosigned"])
        self.backup(self.server, whole)
        before = digest(os.path.join(whole, "logs", "data.mdb"))
        self.server.stop()
        cosigned = Table(os.path.join(self.server.data, "logs"), "national.cosigned")
        cosigned.flip(cosigned.keys()[-1], at=-10)
        self.assertIn("not as they were signed", self.backup(self.server, whole, "--full", fails=BAD_DATA))
        self.assertEqual(digest(os.path.join(whole, "logs", "data.mdb")), before)

        self.lose(self.node)  # and the backup itself
        for table, key in (("26.events", 2), ("26.checkpoints", 3)):
            store = Table(folder, table)
            store.flip(number(key), at=-10)
            self.assertEqual(self.nation.ctl("audit", "verify", folder, "--config", self.node.config, check=False).returncode,
                             BAD_DATA)
            self.restore(self.node, folder, fails=BAD_DATA)
            self.assertFalse(os.path.exists(os.path.join(self.node.data, "data.mdb")))
            store.flip(number(key), at=-10)
        self.assertEqual(self.sizes(self.restore(self.node, folder)), {"26": 8})


    def test_keys_that_are_named_and_cannot_be_used_are_not_done_without(self):
        self.begin()
        self.add(self.node, "pl26-kis-a")
        self.until_converged()
        folder, keys, trusted = self.folder("b"), self.node.keys, ("--key", self.keys[self.node.name])
        os.chmod(keys, 0o644)
        self.addCleanup(os.chmod, keys, 0o600)
        for fails in (self.backup(self.node, folder, fails=FAILED),
                      self.nation.ctl("audit", "verify", "--config", self.node.config, check=False).stderr):
            self.assertIn("%s: the key file has mode 0644, so that others may get at it; chmod 600 it" % keys, fails)
        self.assertTrue(self.backup(self.node, folder, *trusted)["signatures"])
        if os.geteuid() == 0:
            os.chmod(keys, 0o600)
            os.chown(keys, 65534, -1)
            self.assertIn("the keys file of --config is another account's", self.backup(self.node, folder, fails=FAILED))
            os.chown(keys, 0, -1)
            os.chmod(keys, 0o644)
        self.lose(self.node)
        self.assertIn("has mode 0644", self.restore(self.node, folder, fails=FAILED))
        os.chmod(keys, 0o600)
        self.assertTrue(self.restore(self.node, folder)["signatures"])

    def test_without_keys_it_is_said_that_no_signature_was_looked_at(self):
        self.begin()
        self.add(self.node, "pl26-kis-a")
        self.until_converged()
        but = ", verified but for the signatures (give --config FILE or --key VKEY)"
        key = ("--key", self.keys[self.node.name])
        for i, (more, says) in enumerate((([], but), (key, ", verified\n"))):
            folder, data = self.folder("b%d" % i), self.folder("data%d" % i)
            done = self.nation.ctl("backup", "--to", folder, "--data", self.node.data, *more)
            self.assertIn(says, done.stdout)
            done = self.nation.ctl("restore", "--from", folder, "--data", data, *more)
            self.assertIn(says, done.stdout)

    def test_a_backup_that_fails_leaves_nothing_that_it_made_and_makes_no_folder_above_its_own(self):
        self.begin()
        self.add(self.node, "pl26-kis-a")
        self.until_converged()
        top, empty = self.folder("disk"), self.folder("empty")
        for to in (os.path.join(top, "b"), os.path.join(top, "a", "b/")):
            said = self.backup(self.server, to, fails=FAILED)
            self.assertIn("is not there: mount the disk", said)
            self.assertFalse(os.path.exists(top))
        os.makedirs(top)
        os.makedirs(empty)
        events = Table(os.path.join(self.server.data, "logs"), "26.events")
        for daemon in (self.server, self.node):
            os.chmod(daemon.keys, 0o644)
            for to in (os.path.join(top, "b"), os.path.join(top, "c/"), empty):
                self.backup(daemon, to, fails=FAILED)
            os.chmod(daemon.keys, 0o600)
        self.server.stop()
        events.flip(number(0))
        for to in (os.path.join(top, "b"), empty):
            self.assertIn("log 26 at 0", self.backup(self.server, to, fails=BAD_DATA))
        events.flip(number(0))
        self.assertEqual((os.listdir(top), os.listdir(empty)), ([], []))
        whole = os.path.join(top, "b/")
        self.backup(self.server, whole)
        os.chmod(self.server.keys, 0o644)
        self.backup(self.server, whole, fails=FAILED)
        os.chmod(self.server.keys, 0o600)
        self.verify(self.server, whole)

    def check_places_inside(self):
        """No backup lies in the data folder, where it would be lost with it."""
        link, deep = self.folder("link"), os.path.join(self.server.data, "logs", "deep")
        os.makedirs(deep)
        os.symlink(deep, link)
        before = sorted(os.listdir(self.server.data)), sorted(os.listdir(os.path.join(self.server.data, "logs")))
        for to in (self.server.data + "/", os.path.join(self.server.data, "b"), os.path.join(self.server.data, "logs", "bk/"),
                   os.path.join(deep, "b"), deep, link, os.path.join(link, "b"), os.path.join(link, "..", "..", "b")):
            self.assertIn("lies in it", self.backup(self.server, to, fails=2), to)
        self.assertEqual((sorted(os.listdir(self.server.data)), sorted(os.listdir(os.path.join(self.server.data, "logs")))), before)
        self.assertEqual(os.listdir(deep), [])
        os.rmdir(deep)
        beside = self.server.data + "-b"  # the name begins alike
        self.backup(self.server, beside)
        shutil.rmtree(beside)

    def test_a_full_disk_leaves_what_was_there(self):
        self.begin()
        small = self.folder("small")
        os.makedirs(small)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small],
                                               stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("a small file system of its own needs root and mount(8)")
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        folder = os.path.join(small, "b")
        with open(os.path.join(small, "other"), "wb") as f:
            f.write(bytes(os.statvfs(small).f_bavail * os.statvfs(small).f_bsize - 20 * 1024))
        for i in range(3):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.assertIn("no room", self.backup(self.server, folder, fails=FAILED))
        self.assertEqual(os.listdir(small), ["other"])
        os.unlink(os.path.join(small, "other"))
        self.until_converged()
        first = self.sizes(self.backup(self.server, folder))
        self.assertEqual(first["26"], 3)
        self.verify(self.server, folder)
        room = os.statvfs(small)
        with open(os.path.join(small, "other"), "wb") as f:
            f.write(bytes(room.f_bavail * room.f_bsize - 40 * 1024))
        with self.load(rate=2000) as load:
            n.wait_for("many edits", lambda: load.accepted_count > 700, 60)
        self.until_converged()
        for more in ([], ["--full"], []):
            self.assertIn("no room", self.backup(self.server, folder, *more, fails=FAILED))
            self.assertEqual(self.verify(self.server, folder), first)
            self.assertFalse(os.path.exists(os.path.join(folder, "logs", "new")))
        whole = self.folder("whole")
        self.backup(self.server, whole)
        done = self.nation.ctl("restore", "--from", whole, "--data", os.path.join(small, "data"), check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("no room", done.stderr)
        self.assertEqual(os.listdir(os.path.join(small, "data", "logs")), [])


class PutBack(Backups):
    def test_a_restored_server_goes_on_and_an_older_copy_is_named_a_rollback(self):
        self.begin(logs=("24", "26"), servers=("centrum", "zapas"))
        second = self.nation.servers[1]
        early, late = self.folder("early"), self.folder("late")
        with self.load() as load:
            n.wait_for("some edits", lambda: load.accepted_count > 150, 60)
            self.backup(self.server, early)
            n.wait_for("more edits", lambda: load.accepted_count > 300, 60)
        self.until_converged()
        equal, said = self.compare(self.server.socket, second.socket)
        self.assertTrue(equal, said)
        self.assertGreater(said["records"]["counts"][0], 100)
        self.assertEqual({row["region"] for row in said["counts"]}, {"24", "26", "PL"})
        n.wait_for("all is witnessed", lambda: (self.server.status()["cosigned"] or {}).get("size") ==
                   self.server.status()["size"])
        self.backup(self.server, late)
        self.assertIn("runs", self.restore(self.server, late, fails=FAILED))
        self.lose(self.server)
        self.check_behind(second)
        self.check_stale(early, late)

        self.assertEqual(self.nation.ctl("compare", self.server.data, self.server.config, check=False).returncode, 2)

        self.lose(self.server)
        self.check_killed(late)
        self.restore(self.server, late)
        for place in (os.path.join(self.server.data, "logs"), os.path.join(late, "logs")):
            self.assertGreater(os.path.getsize(os.path.join(place, "writer.lock")), 0, "it says that it was made")
        self.server.start()
        self.until_converged()
        equal, said = self.compare(self.server.config, second.config)
        self.assertTrue(equal, said)
        held = {edit.records[0][0] for node in self.nation.nodes.values() for edit in load.accepted(node.log_name)}
        self.assertLessEqual(held, set(self.ids_at(self.server)))
        self.nation.ctl("audit", "verify", "--config", self.server.config)

    def ids_at(self, server):
        with l.Control(server.socket) as control:
            return [row[0] for row in control.entities()]

    def check_behind(self, second):
        """The lost server's twin took more; from the newest backup it is behind."""
        for i in range(3):
            self.add(self.node, "pl26-kis-while%d" % i)
        n.wait_for("the other server has them", lambda: self.node.confirmed() or
                   [p["confirmed"] for p in self.node.status()["servers"] if p["server"] == "zapas"] ==
                   [self.node.status()["size"]])
        self.until_folded(second)

    def check_killed(self, late):
        """All of it or nothing."""
        sizes = self.verify(self.server, late)
        for _ in range(4):
            process = subprocess.Popen([self.nation.program("splotctl"), "restore", "--from", late, "--config",
                                        self.server.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.random.random() * (0.4 if SANITIZED else 0.05))
            process.kill()
            process.wait()
            if os.path.exists(os.path.join(self.server.data, "logs", "data.mdb")):
                self.assertEqual(self.verify(self.server, self.server.data), sizes)
                shutil.rmtree(self.server.data)

    def check_stale(self, early, late):
        self.restore(self.server, early)
        self.assertIn("holds a store", self.restore(self.server, late, fails=FAILED))
        self.server.start()  # alone: its view is folded, no node shows it what they know
        status = n.wait_for("it stops", lambda: None if self.server.running() else [self.server.process.poll()], 60)
        self.assertEqual(status, [ROLLED_BACK], self.server.log_tail())
        self.assertIn("rollback", self.server.log_tail(40))
        # What is older must not take the place of what is newer.
        before = digest(os.path.join(late, "logs", "data.mdb"))
        self.assertIn("ends before its backup", self.backup(self.server, late, fails=FAILED))
        self.assertEqual(digest(os.path.join(late, "logs", "data.mdb")), before)
        equal, said = self.compare(self.server.data, self.nation.servers[1].socket)
        self.assertFalse(equal)
        states = {row["log"]: row["state"] for row in said["logs"]}
        self.assertEqual((states["26"], states["national"]), ("b-ahead", "own"))
        self.assertGreater(said["records"]["differing"], 0)
        self.assertTrue(said["records"]["first"])
        self.assertIn("26", [row["region"] for row in said["counts"] if not row["equal"]])


if __name__ == "__main__":
    main()
