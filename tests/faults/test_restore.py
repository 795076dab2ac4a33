"""Old copies that are put back: of a node, with its mark and without it, and of the server, whether witnesses saw
more of it or nobody did.  Plain copies of the folder and backups alike."""
import os
import shutil
import time

import nation as n
from fault import Fault, main

UNTRUSTED = 4


class Restored(Fault):
    interval_s = 1

    def begin(self):
        servers, nodes = self.up(regions=("24", "26"), servers=("centrum",),
                                 server_config={"witness-interval-s": str(self.interval_s)})
        self.server, self.nodes = servers[0], nodes
        self.loads = []
        self.edit(30)

    def edit(self, more):
        with self.load(rate=120) as load:
            n.wait_for("some edits", lambda: load.accepted_count > more)
        self.loads.append(load)
        self.until_converged()

    def cosigned(self):
        n.wait_for("all is cosigned", lambda: (self.server.status()["cosigned"] or {}).get("size") ==
                   self.server.status()["size"])

    def copy(self, daemon, by_backup):
        """What is kept of a daemon: beside it as it runs, or as it stands still."""
        kept = daemon.data + ".kept"
        shutil.rmtree(kept, ignore_errors=True)
        if by_backup:
            self.nation.ctl("backup", "--to", kept, "--config", daemon.config)
        else:
            self.assertEqual(daemon.stop(), 0)
            shutil.copytree(daemon.data, kept)
            daemon.start()
        return kept

    def put_back(self, daemon, kept, by_backup):
        """The daemon is stopped."""
        shutil.rmtree(daemon.data)
        if by_backup:
            keys = os.path.join(self.nation.folder, "kept.vkeys")
            with open(keys, "w", encoding="utf-8") as f:
                f.writelines(key + "\n" for key in self.keys)
            self.nation.ctl("restore", "--from", kept, "--data", daemon.data, "--keys", keys)
        else:
            shutil.copytree(kept, daemon.data)

    def start(self, daemon):
        begun = time.monotonic()
        daemon.start()
        self.until_converged()
        return time.monotonic() - begun

    def judge_all(self):
        for load in self.loads:
            self.judge(load)
        self.loads = self.loads[-1:]

    def note_keys(self):
        self.keys = [daemon.status()["key"] for daemon in self.nodes + [self.server]]

    def server_rounds(self, put_back_and_start):
        """Rounds of one kind: the server is copied, more is confirmed, and the old copy takes its
        place, as `put_back_and_start(kept, by_backup)` does it.  That returns the seconds until
        all was there again."""
        self.begin()
        took = []
        for i in self.rounds(1):
            by_backup = (self.seed + i) % 2 == 0
            self.note_keys()
            kept = self.copy(self.server, by_backup)
            self.edit(15)
            took.append(put_back_and_start(kept, by_backup))
            self.edit(10)
            self.judge_all()
        self.record(self.fault, self.round, self.stake, 0, took)


class Node(Restored):
    fault = "old copy of a node"

    def test_a_node_put_back_fetches_what_it_had_confirmed(self):
        self.begin()
        took = []
        for i in self.rounds(2):
            node, by_backup, marked = self.random.choice(self.nodes), (self.seed + i) % 4 > 1, i % 2 == 1
            self.note_keys()
            kept = self.copy(node, by_backup)
            node.await_open()
            self.edit(15)
            size = node.status()["size"]
            if self.random.randrange(2):
                self.assertEqual(node.stop(), 0)
            node.kill()
            self.put_back(node, kept, by_backup)
            if not marked:
                os.unlink(node.keys + ".highwater")
            took.append(self.start(node))
            self.assertEqual(node.status()["size"], size, "seed %d, round %d" % (self.seed, i))
            self.edit(10)
            self.judge_all()
        self.record(self.fault, self.round, self.stake, 0, took)


class Witnessed(Restored):
    fault = "old copy of the server, seen through"

    def test_a_server_put_back_from_before_what_was_witnessed_stops(self):
        self.server_rounds(self.stops_until_the_newest_is_back)

    def stops_until_the_newest_is_back(self, kept, by_backup):
        self.cosigned()
        self.assertEqual(self.server.stop(), 0)
        newest = self.server.data + ".newest"
        shutil.rmtree(newest, ignore_errors=True)
        os.rename(self.server.data, newest)
        os.makedirs(self.server.data)
        self.put_back(self.server, kept, by_backup)
        self.server.start()
        n.wait_for("the server stops", lambda: not self.server.running(), 40)
        self.assertEqual(self.server.process.returncode, UNTRUSTED, self.server.log_tail())
        self.assertIn("rollback", self.server.log_tail(10))
        # And it stays so, until the newest copy is there again.
        with self.assertRaisesRegex(n.Failed, "ended with %d" % UNTRUSTED):
            self.server.start()
        shutil.rmtree(self.server.data)
        os.rename(newest, self.server.data)
        return self.start(self.server)


class Unseen(Restored):
    interval_s = 3600
    fault = "old copy of the server, nobody saw more"

    def test_nodes_send_again_what_the_old_copy_lacks(self):
        self.server_rounds(self.starts_from_the_old_copy)

    def starts_from_the_old_copy(self, kept, by_backup):
        self.server.kill()
        self.put_back(self.server, kept, by_backup)
        return self.start(self.server)


if __name__ == "__main__":
    main()
