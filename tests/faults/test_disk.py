"""Disks that are full: small file systems of their own, filled and emptied while edits go on.  Who has
no room says so, answers, loses nothing and goes on when room is made."""
import os
import subprocess
import time

import nation as n
from fault import Fault, answers, ask_status, main

SMALL_BYTES = 64 << 20


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")


class SmallDisk:
    """A file with ext4 in it, mounted at `folder`."""

    def __init__(self, story, folder):
        self.folder, self.image = folder, folder.rstrip("/") + ".ext4"
        self.ballast = os.path.join(folder, "ballast")
        os.makedirs(folder)
        with open(self.image, "wb") as f:
            f.truncate(SMALL_BYTES)
        for command in (["mkfs.ext4", "-q", "-m", "0", self.image], ["mount", "-o", "loop", self.image, folder]):
            try:
                done = run(*command)
            except FileNotFoundError:
                story.skipTest("%s is not installed (e2fsprogs, mount)" % command[0])
            if done.returncode != 0:
                story.skipTest("this machine does not let us mount a small file system: %s" % done.stdout.strip())
        story.addCleanup(run, "umount", "-l", folder)

    def fill(self):
        with open(self.ballast, "wb") as f:
            for step in (1 << 20, 4096):
                while True:
                    try:
                        os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, step)
                    except OSError:
                        break

    def empty(self):
        os.unlink(self.ballast)


class FullDisks(Fault):
    fault = "full disk: of a node, of a server, of a server's view"

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")

    def close(self):
        """The nation's folder cannot go while something is mounted in it."""
        for daemon in self.nation.daemons():
            daemon.kill()
        for disk in self.disks.values():
            run("umount", "-l", disk.folder)

    def begin(self):
        """Three small disks: a node's with its keys, a server's, another server's view."""
        self.disks = {}
        for name in ("centrum", "zapas"):
            server = self.nation.add_server(name)
            self.disks[server] = SmallDisk(self, server.data if name == "centrum" else server.data + "/view")
            server.start(wait=False)
        for log in ("24", "26"):
            node = n.Node(self.nation, log)
            if log == "26":
                self.disks[node] = SmallDisk(self, os.path.join(node.folder, "disk"))
                node.keys, node.data = node.folder + "/disk/keys", node.folder + "/disk/data"
            self.nation.nodes[log] = node.make(self.nation.servers)
        for server in self.nation.servers:
            self.until_up(server)
            for node in self.nation.nodes.values():
                server.trust(node)
        for node in self.nation.nodes.values():
            node.start(wait=False)
            self.until_up(node)
            node.await_open()
        self.centrum, self.zapas = self.nation.servers
        self.node = self.nation.nodes["26"]

    def until_up(self, daemon):
        n.wait_for("%s answers" % daemon.name, lambda: answers(daemon), 60)

    def until_honest(self, victim, load, log_from):
        """It is up, and says that there is no room."""
        def said():
            with open(victim.log, encoding="utf-8", errors="replace") as f:
                f.seek(log_from)
                return "room on the disk" in f.read()
        n.wait_for("%s says that its disk is full" % victim.name, said, 30)
        status = answers(victim)
        if victim is self.node:
            before = load.refusals.get("disk-full", (0, ""))[0]
            n.wait_for("edits are refused", lambda: load.refusals.get("disk-full", (0, ""))[0] > before)
            self.assertIn("makes room", load.refusals["disk-full"][1])
        elif victim is self.centrum:
            n.wait_for("it lags", lambda: ask_status(self.node)[3]["centrum"] < ask_status(self.node)[0])
        else:
            n.wait_for("its view lags", lambda: ask_status(victim)[1] < ask_status(victim)[0])
        self.assertTrue(status)

    def kill_on_full(self, victim):
        """It starts, or says why it does not."""
        victim.kill()
        victim.start(wait=False)
        end = time.monotonic() + 20
        while victim.process.poll() is None and time.monotonic() < end:
            try:
                return ask_status(victim)
            except OSError:
                time.sleep(0.02)
        self.assertEqual(victim.process.poll(), 1, "seed %d: %s" % (self.seed, victim.log_tail()))
        self.assertRegex(victim.log_tail(5), "room", "seed %d" % self.seed)
        return None

    def test_is_said_loses_nothing_and_passes_when_room_is_made(self):
        took, stake = [], 0
        for rounds in self.worlds(4, each=6):  # of a small disk that edits fill as well
            self.begin()
            with self.load(rate=200) as load:
                for _ in rounds:
                    victim = [self.node, self.centrum, self.zapas][self.round % 3]
                    log_from = os.path.getsize(victim.log)
                    self.disks[victim].fill()
                    self.until_honest(victim, load, log_from)
                    if self.random.random() < 0.5:
                        self.kill_on_full(victim)
                    time.sleep(self.random.uniform(0.0, 0.3))
                    self.disks[victim].empty()
                    if victim.process.poll() is not None:
                        victim.start(wait=False)
                        self.until_up(victim)
                    before = load.accepted_count
                    n.wait_for("edits go on", lambda before=before: load.accepted_count > before + 20)
            self.assertLessEqual(set(load.refusals), {"disk-full", "gated"}, load.refusals)
            took.append(self.judge(load))
            stake += self.stake
            self.close()
        self.record(self.fault, self.round, stake, 0, took)


if __name__ == "__main__":
    main()
