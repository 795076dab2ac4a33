"""Programs are killed by kill -9 at any moment, also while they start, fetch back, erase or change
keys: what was accepted and what was confirmed is there, once, and all goes on."""
import os
import secrets
import shutil
import subprocess
import threading
import time

import nation as n
from fault import Fault, answers, main


class Killing(Fault):
    def kill(self, daemon):
        """Nobody ends by himself meanwhile."""
        if daemon.process.poll() is not None:
            self.fail("seed %d, round %d: %s ended with %s:\n%s" % (
                self.seed, self.round, daemon.name, daemon.process.returncode, daemon.log_tail()))
        daemon.kill()

    def pause(self, most):
        time.sleep(self.random.uniform(0.0, most))

    def restart(self, daemon):
        """Sometimes it is killed again while it starts."""
        self.pause(0.03)
        daemon.start(wait=False)
        while self.random.random() < 0.25:
            self.pause(0.35 if isinstance(daemon, n.Server) else 0.02)
            self.kill(daemon)
            daemon.start(wait=False)

    def until_answers(self, *daemons):
        for daemon in daemons:
            n.wait_for("%s answers" % daemon.name, lambda daemon=daemon: answers(daemon), 60)


class KilledAtAnyMoment(Killing):
    fault = "kill -9 of any of two servers and three nodes"

    def test_nothing_accepted_is_lost_doubled_or_changed(self):
        took, stake = [], 0
        for rounds in self.worlds(15, each=40):
            servers, nodes = self.up(regions=["12", "24", "26"], server_config={"witness-interval-s": "1"})
            everybody = servers + nodes
            with self.load(rate=600) as load:
                for _ in rounds:
                    self.pause(0.3)
                    victims = self.random.sample(everybody, self.random.choice([1, 1, 1, 2, 3, 5]))
                    for victim in victims:
                        self.kill(victim)
                    for victim in victims:
                        self.restart(victim)
            self.until_answers(*everybody)
            took.append(self.judge(load))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)


class KilledWhileItFetchesBack(Killing):
    fault = "kill -9 while a lost store is fetched back"
    short = 3

    def test_a_lost_store_comes_back_whole_however_often_that_is_cut_off(self):
        took, stake = [], 0
        for rounds in self.worlds(self.short, each=10):
            servers, nodes = self.up()
            node = nodes[0]
            with self.load(rate=1500, editors=8) as load:
                for _ in rounds:
                    time.sleep(0.4)
                    load.pause(node)
                    self.until_confirmed(node)
                    self.kill(node)
                    shutil.rmtree(node.data)
                    node.start(wait=False)
                    for _ in range(self.random.randrange(1, 5)):
                        self.pause(0.08)
                        victim = self.random.choice([node, node, servers[0], servers[1]])
                        self.kill(victim)
                        self.restart(victim)
                    self.until_answers(*servers, node)
                    node.await_open()
                    load.go_on(node)
            took.append(self.judge(load))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)


class KilledWhileItErases(Killing):
    fault = "kill -9 while stores are written anew after a redaction"
    short = 3

    def holders(self, text):
        """Files of the nation that hold this text."""
        done = subprocess.run(["grep", "-rlF", "--exclude=*.sock", "--exclude-dir=*.power", text, self.nation.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
        return done.stdout.split()

    def test_what_is_erased_goes_and_nothing_else_does(self):
        took, stake = [], 0
        for rounds in self.worlds(self.short, each=10):
            servers, nodes = self.up(servers=["centrum"])
            server, node = servers[0], nodes[0]
            markers, redacted = [], set()
            with self.load(rate=200) as load:
                for _ in rounds:
                    markers.append("znacznik" + secrets.token_hex(12))
                    record = "pl24-kis-erased%d" % self.round
                    self.patiently(lambda record=record: self.add(node, record, name="Klub " + markers[-1]))
                    index = self.patiently(lambda record=record: self.json_index(node, record))
                    self.patiently(lambda: self.until_confirmed(node))
                    server.ctl("redact", "24", str(index), "--reason", "case 4/2026")
                    redacted.add(("24", index))
                    for _ in range(self.random.randrange(1, 5)):
                        self.pause(0.3)
                        victim = self.random.choice([server, node])
                        self.kill(victim)
                        self.restart(victim)
                    self.until_answers(server, node)
            took.append(self.judge(load, redacted=redacted))
            stake += self.stake
            for marker in markers:
                try:
                    n.wait_for("it is gone", lambda marker=marker: not self.holders(marker), 30, every=0.2)
                except n.Failed:
                    self.fail("seed %d: %s still hold what was redacted" % (self.seed, self.holders(marker)))
        self.record(self.fault, self.round, stake, 0, took)

    def patiently(self, call):
        """Once more when the program began itself anew just then, to erase."""
        try:
            return call()
        except n.Failed as error:
            if "exit 5" not in str(error):  # nobody answered
                raise
        time.sleep(1)
        try:
            return call()
        except n.Failed as error:
            if "exists" not in str(error):  # it was taken before
                raise

    def json_index(self, node, record_id):
        return node.json("get", record_id)["index"]


class KilledWhileKeysChange(Killing):
    fault = "kill -9 while the keys of a log are replaced"
    short = 4

    def test_either_the_old_keys_sign_or_the_new_ones_and_the_log_goes_on(self):
        took, stake = [], 0
        for rounds in self.worlds(self.short, each=15):
            _, nodes = self.up()
            with self.load(rate=300) as load:
                for _ in rounds:
                    node = self.random.choice(nodes)
                    if not os.path.exists(node.keys + ".next"):
                        self.nation.ctl("keygen", "--rotate", node.keys)
                    asked = threading.Thread(target=node.ctl, args=("rotate", "--reason", "yearly"),
                                             kwargs={"check": False})
                    asked.start()
                    self.pause(0.04)
                    self.kill(node)
                    asked.join()
                    self.restart(node)
                    self.until_answers(node)
            took.append(self.judge(load))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)


if __name__ == "__main__":
    main()
