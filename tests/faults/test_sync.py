"""Syncs and writes that fail.  Whose disk does not confirm ends, and says so; nothing that was not
synced was answered or confirmed; the next start is clean."""
import os
import signal
import time

import nation as n
from disks import OnDisks
from fault import answers, main

SAID = "did not confirm a write"


class AWriteThatFails(OnDisks):
    fault = "sync or write that fails (EIO, short)"

    NODE = [("sync", "data/data.mdb"), ("meta", "data/data.mdb"), ("write", "data/data.mdb"), ("sync", "keys.highwater"),
            ("sync", "witnessed"), ("sync", "folder")]
    SERVER = [("sync", "logs/data.mdb"), ("meta", "logs/data.mdb"), ("write", "logs/data.mdb"),
              ("write", "view/data.mdb")]

    def rule(self, daemon, op, name, what):
        after = self.random.randrange(8)
        if name == "witnessed":  # its temporary name has a number in it
            name, after = ".tmp", 0
        elif name == "folder":
            name, after = os.path.basename(daemon.folder), 0
        elif name == "keys.highwater":
            after = 0
        daemon.disk.rule("%s %s %s %d 1" % (op, name, what, after))

    def until_ended(self, daemon, case):
        try:
            n.wait_for("%s ends" % daemon.name, lambda: daemon.process.poll() is not None, 20)
        except n.Failed:
            self.fail("seed %d, round %d, %s: %s goes on\n%s" % (
                self.seed, self.round, case, daemon.name, daemon.log_tail()))
        where = "seed %d, round %d, %s\n%s" % (self.seed, self.round, case, daemon.log_tail())
        self.assertEqual(daemon.process.returncode, 1, where)
        self.assertIn(SAID, daemon.log_tail(), where)

    def test_ends_the_program_and_the_next_start_is_clean(self):
        took, stake = [], 0
        for rounds in self.worlds(12):
            servers, nodes = self.up(server_config={"witness-interval-s": "1"})
            with self.load(rate=300) as load:
                for _ in rounds:
                    self.pause()
                    victim = self.random.choice(servers + nodes)
                    op, name = self.random.choice(self.SERVER if victim in servers else self.NODE)
                    what = "short" if op == "write" and self.random.random() < 0.3 else "eio"
                    self.rule(victim, op, name, what)
                    self.until_ended(victim, (op, name, what))
                    victim.disk.rule()
                    if self.random.random() < 0.6:  # the system gave those pages up, and then the current fails
                        victim.disk.fall(self.random)
                    self.start([victim])
            took.append(self.judge(load))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)

    def pause(self):
        time.sleep(self.random.uniform(0.0, 0.2))

    def test_at_a_clean_stop_is_no_clean_stop(self):
        servers, nodes = self.up(servers=["centrum"], regions=["26"])
        with self.load() as load:
            time.sleep(0.3)
        for daemon, name in ((nodes[0], "data/data.mdb"), (nodes[0], "keys.highwater"), (servers[0], "view/data.mdb")):
            with self.load() as load:
                time.sleep(0.2)
                daemon.disk.rule("sync %s eio 0 1" % name)
                daemon.process.send_signal(signal.SIGTERM)
                self.until_ended(daemon, name)
                daemon.disk.rule()
                self.start([daemon])
            self.judge(load)


class ADiskWithoutRoom(OnDisks):
    fault = "write that finds no room (ENOSPC)"

    def test_is_said_and_passes(self):
        took, stake = [], 0
        for rounds in self.worlds(4):
            servers, nodes = self.up()
            with self.load(rate=300) as load:
                for _ in rounds:
                    victim = self.random.choice(servers + nodes)
                    name = "logs/data.mdb" if victim in servers else "data/data.mdb"
                    victim.disk.rule("write %s enospc %d 1000000" % (name, self.random.randrange(5)))
                    before = load.accepted_count
                    n.wait_for("it is met", victim.disk.failed)
                    time.sleep(self.random.uniform(0.1, 0.4))
                    self.assertTrue(answers(victim))  # it goes on and answers
                    victim.disk.rule()
                    n.wait_for("edits go on", lambda before=before: load.accepted_count > before + 20)
                    os.unlink(victim.disk.rules + ".done")
                self.assertLessEqual(set(load.refusals), {"disk-full"}, load.refusals)
            took.append(self.judge(load))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)

    def test_keys_that_were_rotated_meanwhile_are_taken_when_there_is_room(self):
        servers, nodes = self.up(servers=["centrum"], regions=["26"])
        server, node = servers[0], nodes[0]
        self.add(node, "pl26-kis-a")
        self.until_confirmed(node)
        server.disk.rule("write logs/data.mdb enospc 0 1000000")
        self.rotate(node)
        n.wait_for("it is met", lambda: self.refusals(server, "26").get("disk-full"))
        server.disk.rule()
        self.until_confirmed(node)
        self.assertNotIn("invalid", self.refusals(server, "26"))
        self.assertEqual(server.stop(), 0)
        server.start()
        self.add(node, "pl26-kis-b")
        self.until_confirmed(node)

    def test_does_not_end_a_node_that_only_wants_to_say_how_it_is(self):
        servers, nodes = self.up(servers=["centrum"], regions=["26"])
        node = nodes[0]
        with self.load() as load:
            time.sleep(0.3)
        self.until_confirmed(node)
        node.disk.rule("write data/data.mdb enospc 0 1000000")
        servers[0].stop()  # which is something to say
        n.wait_for("it wants to say so", node.disk.failed)
        time.sleep(0.5)
        self.assertEqual(node.status()["state"], "open")
        node.disk.rule()
        servers[0].start()
        self.assertEqual(node.stop(), 0)
        node.start()
        self.judge(load)


if __name__ == "__main__":
    main()
