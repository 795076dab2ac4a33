"""The current fails: what a program had not synced is on the disk, in part, or not at all.  What
was answered or confirmed is there all the same, and everything starts."""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unittest

import load as l
import nation as n
import power
import test_kill as kills
from disks import OnDisks
from fault import BIN, PLAIN_ONLY, SANITIZED, answers, ask_status, main

MARK_LAGS_S = 2.0  # docs/RELIABILITY.md: the mark beside the keys is synced once a second


@PLAIN_ONLY
class TheDiskThatForgets(unittest.TestCase):
    """A program of a few lines writes; which parts of it may be gone, and which may not?"""

    def setUp(self):
        self.seed = int(os.environ.get("SPLOT_SEED", 1))
        self.random = random.Random(self.seed)
        self.scratch = tempfile.TemporaryDirectory(prefix="splot-")
        self.addCleanup(self.scratch.cleanup)
        self.number = 0

    def after(self, program, lie=False, rules=(), folders=8):
        """Runs it in several folders of such a disk, lets the current fail; the folders."""
        self.number += 1
        folder = os.path.join(self.scratch.name, "d%d" % self.number)
        inside = [os.path.join(folder, str(i)) for i in range(folders)]
        for one in inside:
            os.makedirs(one)
        self.disk = power.Disk(folder, lie=lie)
        if rules:
            self.disk.rule(*rules)
        program = "import os\n" + "".join("os.chdir(%r)\n%s\n" % (one, program) for one in inside)
        done = subprocess.run([sys.executable, "-I", "-S", "-c", program], cwd=folder,
                              env=dict(os.environ, **self.disk.environment), stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.disk.fall(self.random)
        return inside

    def outcomes(self, program, times=8, **options):
        """What was left of the file "f", each way once."""
        found = set()
        for _ in range(times):
            for folder in self.after(program, **options):
                try:
                    with open(os.path.join(folder, "f"), "rb") as f:
                        found.add(f.read())
                except FileNotFoundError:
                    found.add(None)
        return found

    def expect(self, found, ways):
        """Nothing but these ways; and each was met, with the seed that is known to meet them."""
        self.assertLessEqual(found, ways, "seed %d" % self.seed)
        if self.seed == 1:
            self.assertEqual(found, ways)

    MADE = """
d = os.open(".", os.O_RDONLY)
f = os.open("f", os.O_RDWR | os.O_CREAT)
os.write(f, b"a" * 1024)
os.fsync(f)
os.fsync(d)
"""

    def test_what_was_synced_stays_and_what_was_not_goes_by_sectors(self):
        found = self.outcomes(self.MADE + "os.pwrite(f, b'b' * 1024, 0)")
        a, b = b"a" * 512, b"b" * 512
        self.expect(found, {a + a, b + b, a + b, b + a})

    def test_a_file_grows_by_what_is_there_or_by_zeros_or_not_at_all(self):
        found = self.outcomes(self.MADE + "os.pwrite(f, b'b' * 512, 1024)")
        a = b"a" * 1024
        self.expect(found, {a, a + b"b" * 512, a + bytes(512)})

    def test_a_second_sync_covers_all_that_was_written_before_it(self):
        found = self.outcomes(self.MADE + "os.pwrite(f, b'b' * 1024, 0); os.pwrite(f, b'c' * 9, 1); os.fdatasync(f)")
        self.assertEqual(found, {b"b" + b"c" * 9 + b"b" * 1014})

    def test_later_writes_may_be_there_without_earlier_ones(self):
        found = self.outcomes(self.MADE + "os.pwrite(f, b'b' * 512, 0); os.pwrite(f, b'c' * 512, 512)")
        self.assertIn(b"a" * 512 + b"c" * 512, found, "seed %d" % self.seed)

    def test_a_write_that_is_synced_at_once_stays_and_covers_nothing_else(self):
        found = self.outcomes(self.MADE + "os.pwrite(f, b'b' * 512, 0); g = os.open('f', os.O_WRONLY | os.O_DSYNC);"
                              "os.pwrite(g, b'c' * 512, 512)")
        self.expect(found, {b"a" * 512 + b"c" * 512, b"b" * 512 + b"c" * 512})

    def test_a_file_whose_folder_was_not_synced_may_be_gone(self):
        self.expect(self.outcomes(self.MADE.replace("os.fsync(d)", "")), {None, b"a" * 1024})

    def test_a_file_cut_short_may_be_long_again(self):
        found = self.outcomes(self.MADE + "os.ftruncate(f, 512)")
        self.expect(found, {b"a" * 512, b"a" * 1024, b"a" * 512 + bytes(512)})

    REPLACED = MADE + """
g = os.open("new", os.O_RDWR | os.O_CREAT)
os.write(g, b"b" * 10)
os.fsync(g)
os.rename("new", "f")
"""

    def test_a_file_replaced_is_the_old_or_the_new_one_until_the_folder_is_synced(self):
        self.expect(self.outcomes(self.REPLACED), {b"a" * 1024, b"b" * 10})
        self.expect(self.outcomes(self.REPLACED + "os.fsync(d)", times=3), {b"b" * 10})

    def test_a_file_removed_may_be_back(self):
        self.expect(self.outcomes(self.MADE + "os.unlink('f')"), {None, b"a" * 1024})
        self.expect(self.outcomes(self.MADE + "os.unlink('f'); os.fsync(d)", times=3), {None})

    def test_a_folder_whose_parent_was_not_synced_goes_with_all_in_it(self):
        program = "os.mkdir('x'); os.chdir('x')" + self.MADE
        gone = [not os.path.exists(os.path.join(f, "x")) for _ in range(3) for f in self.after(program)]
        self.expect(set(gone), {True, False})

    def test_a_disk_that_lies_keeps_nothing_for_sure(self):
        found = self.outcomes(self.MADE, lie=True)
        self.assertTrue({None, b"a" * 1024, b""} <= found, "seed %d: %s" % (self.seed, found))

    def test_calls_fail_as_the_rules_say(self):
        program = self.MADE + """
def fails(number, call):
    try:
        call()
    except OSError as e:
        assert e.errno == number, e
        return
    raise SystemExit("it did not fail")
os.pwrite(f, b"b", 0)
fails(28, lambda: os.pwrite(f, b"b" * 10, 0))
assert os.pwrite(f, b"c" * 10, 0) == 5
fails(5, lambda: os.fdatasync(f))
os.fdatasync(f)
fails(5, lambda: os.rename("f", "other"))
fails(28, lambda: os.open("g", os.O_RDWR | os.O_CREAT))
"""
        found = self.outcomes(program, times=1, folders=1, rules=["write f enospc 2 1", "write f short 3 1", "sync f eio 1 1",
                                                       "rename other eio 0 1", "create g enospc 0 9"])
        self.assertEqual(found, {b"ccccc" + b"a" * 1019})
        self.assertEqual([line.split()[0] for line in self.disk.failed()], ["enospc", "short", "eio", "eio", "enospc"])


class OnDisksThatFall(OnDisks):
    def fall(self, daemons, how=None):
        """The current fails for all of these; what they left is looked at, then they start."""
        for daemon in daemons:
            daemon.kill()
        moment = time.monotonic()
        for daemon in daemons:
            there, lost = daemon.disk.fall(how or self.random)
            self.unsynced += there
            self.dropped += lost
            if isinstance(daemon, n.Node):
                self.check_beside_keys(daemon, moment)
        self.start(daemons)

    def check_beside_keys(self, node, moment):
        """The mark lags by little, and is whole; what was cosigned is remembered."""
        with open(node.keys + ".highwater", "rb") as f:
            mark = int(f.read())
        said = [edit.index + 1 for edit in self.running.accepted(node.log_name) if edit.at < moment - MARK_LAGS_S]
        self.assertGreaterEqual(mark, max(said, default=0), "seed %d, round %d" % (self.seed, self.round))
        cosigned = {server: size for (server, log), size in self.cosigned.items() if log == node.log_name}
        for server, size in cosigned.items():
            self.assertGreaterEqual(witnessed(node).get(server, 0), size, "seed %d, round %d: %s" % (
                self.seed, self.round, server))

    def ask_witnesses(self):
        for server in self.nation.servers:
            try:
                with l.Control(server.socket) as control:
                    for log, size in control.witnesses().items():
                        key = (server.server_name, log)
                        self.cosigned[key] = max(size, self.cosigned.get(key, 0))
            except (OSError, l.Refused):
                pass


def witnessed(node):
    """{server: size} in the file beside the keys."""
    found = {}
    try:
        with open(node.keys + ".witnessed", encoding="utf-8") as f:
            lines = f.read().split("\n")
    except FileNotFoundError:
        return {}
    for line, following in zip(lines, lines[1:]):
        if "/national/" in line and not line.startswith("\u2014"):
            found[line.split("/")[-1]] = int(following)
    return found


class TheCurrentFails(OnDisksThatFall):
    fault = "power loss, of any of two servers and three nodes"

    def test_whoever_falls_starts_again_and_nothing_accepted_is_gone(self):
        took, stake, self.unsynced, self.dropped = [], 0, 0, 0
        for rounds in self.worlds(12):
            self.cosigned = {}
            servers, nodes = self.up(regions=["12", "24", "26"], server_config={"witness-interval-s": "1"})
            with self.load(rate=400) as self.running:
                for _ in rounds:
                    time.sleep(self.random.uniform(0.02, 0.3))
                    self.ask_witnesses()
                    if self.random.random() < 0.2:  # first killed, and on with what the system still knew
                        victim = self.random.choice(servers + nodes)
                        victim.kill()
                        self.start([victim])
                        time.sleep(self.random.uniform(0.0, 0.02))
                    self.fall(self.random.choice([[victim] for victim in servers + nodes] + [
                        servers, nodes, servers + nodes]))
            took.append(self.judge(self.running))
            stake += self.stake
        self.assertGreater(self.dropped, 0)
        self.record(self.fault, self.round, stake, 0, took)


@PLAIN_ONLY
class EachKillIsAFall(OnDisks):
    """Over a story of kills."""
    short = 2

    def kill(self, daemon):
        super().kill(daemon)
        daemon.disk.fall(self.random)


class WhileItFetchesBack(EachKillIsAFall, kills.KilledWhileItFetchesBack):
    fault = "power loss while a lost store is fetched back"


class WhileItErases(EachKillIsAFall, kills.KilledWhileItErases):
    fault = "power loss while stores are written anew after a redaction"


class WhileKeysChange(EachKillIsAFall, kills.KilledWhileKeysChange):
    fault = "power loss while the keys of a log are replaced"


class Worst:
    """A fall that takes every byte that was not synced, and of the names that were not all or none."""

    def __init__(self, names):
        self.names = names

    def random(self):
        return 1.0

    def choice(self, some):
        return some[0]

    def randrange(self, start, stop=None):
        return 0 if self.names else (start if stop is None else stop) - 1


class WrittenAnew(OnDisks):
    """A store that is written anew after a redaction."""

    def begin(self):
        servers, nodes = self.up(regions=["26"], servers=["centrum"])
        self.server, self.node = servers[0], nodes[0]
        for i in range(3):
            self.add(self.node, "pl26-kis-a%d" % i, name="Klub " + ("Lipa" if i else "Sosna"))
        self.until_confirmed()

    def redact(self):
        self.server.ctl("redact", "26", "0", "--reason", "case 4/2026")

    def test_who_is_killed_before_it_is_done_does_it_at_the_next_start(self):
        self.begin()
        for daemon in (self.server, self.node):
            daemon.disk.rule("write compact.mdb die 0 1")
        self.redact()
        for daemon in (self.server, self.node):
            n.wait_for("%s dies in the middle" % daemon.name, lambda d=daemon: d.process.poll() is not None)
            daemon.disk.rule()
            self.assertEqual(self.holds(daemon), ["data.mdb"])  # the search can find it
            self.start([daemon])
            n.wait_for("%s erased it" % daemon.name, lambda d=daemon: not self.holds(d))

    def holds(self, daemon):
        """Names of the files of a daemon's data that hold what is redacted."""
        done = subprocess.run(["grep", "-rlF", "Klub Sosna", daemon.data], stdout=subprocess.PIPE, encoding="utf-8")
        return sorted({os.path.basename(path) for path in done.stdout.split()} - {"compact.mdb"})

    def test_it_is_on_the_disk_before_it_takes_the_place_of_the_old_one(self):
        self.begin()
        self.node.disk.rule("rename data/data.mdb die 0 1")
        self.redact()
        n.wait_for("it dies in the middle", lambda: self.node.process.poll() is not None)
        self.node.disk.rule()
        self.server.kill()  # nothing is fetched back
        self.node.disk.fall(Worst(names=False))
        self.start([self.node])
        self.assertEqual(self.node.status()["size"], 3)

    def test_what_is_written_there_is_not_in_a_file_without_a_name(self):
        self.begin()
        self.redact()
        n.wait_for("it is written anew", lambda: "is erased from the files" in self.node.log_tail(50))
        n.wait_for("it answers", lambda: answers(self.node))
        self.node.await_open()
        self.server.kill()  # only the node has it
        self.add(self.node, "pl26-kis-b")
        self.node.kill()
        self.node.disk.fall(Worst(names=True))
        self.start([self.node])
        self.assertEqual(self.node.status()["size"], 4)


class AtRest(OnDisks):
    def test_the_mark_is_on_the_disk_a_moment_after_the_last_edit(self):
        _, nodes = self.up(regions=["26"], servers=["centrum"])
        node = nodes[0]
        with self.load(rate=100) as load:
            n.wait_for("some edits", lambda: load.accepted_count > 150)
        size = node.status()["size"]
        time.sleep(MARK_LAGS_S)
        node.kill()
        node.disk.fall(Worst(names=False))
        with open(node.keys + ".highwater", "rb") as f:
            self.assertEqual(int(f.read()), size)


class ABackup(OnDisks):
    def on(self, disk, *arguments):
        """The command on a disk that forgets, which then forgets all that it may."""
        done = subprocess.run([self.nation.program("splotctl"), *arguments], env=dict(os.environ, **disk.environment),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual(done.returncode, 0, done.stdout)
        disk.fall(Worst(names=True))

    def test_what_is_said_to_be_copied_or_put_back_is_on_the_disk(self):
        server = self.nation.up(regions=["26"])
        node = self.nation.nodes["26"]
        copy = os.path.join(self.nation.folder, "copy")
        os.mkdir(copy)
        disk = power.Disk(copy)
        for size, more in enumerate(((), (), ("--full",)), 1):  # made, brought up to date, and replaced
            self.add(node, "pl26-kis-%d" % size)
            self.on(disk, "backup", "--to", copy, "--config", node.config, *more)
            self.assertEqual(self.size(copy, node), size)
        server.stop()  # nothing is fetched back
        node.stop()
        os.rename(node.data, node.data + ".lost")
        self.on(power.Disk(node.folder), "restore", "--from", copy, "--config", node.config)
        self.assertEqual(self.size(node.data, node), 3)

    def size(self, folder, node):
        done = self.nation.ctl("audit", "verify", folder, "--config", node.config, "--json")
        return json.loads(done.stdout)["logs"][0]["size"]


class KilledBeforeItSynced(OnDisksThatFall):
    fault = "kill -9 between a write and its sync, then power loss"

    def test_what_the_next_start_tells_of_is_on_the_disk(self):
        """The system still shows what the killed program wrote; the disk does not have it."""
        took, stake, self.unsynced, self.dropped = [], 0, 0, 0
        for rounds in self.worlds(4):
            self.cosigned = {}
            servers, nodes = self.up(regions=["26"], servers=["centrum"])
            with self.load(rate=200) as self.running:
                for _ in rounds:
                    self.once(servers[0], nodes[0])
            took.append(self.judge(self.running))
            stake += self.stake
        self.record(self.fault, self.round, stake, 0, took)

    def once(self, server, node):
        # A node writes, and so syncs, at its start: only a server's fall is certain to show what was not.
        certain = self.round % 2
        victim, other = (server, node) if certain else self.random.choice([(server, node), (node, server)])
        name = "logs/data.mdb" if victim is server else "data/data.mdb"
        victim.disk.rule("meta %s die %d 1" % (name, self.random.randrange(10)))
        n.wait_for("%s dies" % victim.name, lambda: victim.process.poll() is not None, 20)
        victim.disk.rule()
        other.kill()  # so that nothing new is synced
        self.running.pause(node)
        self.start([victim])
        told = ask_status(victim)[0]
        self.fall([victim], Worst(names=False) if certain else None)
        self.assertGreaterEqual(ask_status(victim)[0], told, "seed %d, round %d: %s" % (
            self.seed, self.round, victim.name))
        self.start([other])
        self.running.go_on(node)


@PLAIN_ONLY
class TheDiskLies(OnDisksThatFall):
    lie = True

    def test_programs_whose_syncs_do_nothing_lose_something_or_are_refused(self):
        """Else the stories above could not fail."""
        self.unsynced = self.dropped = 0
        for _ in range(6):
            self.cosigned = {}
            _, nodes = self.up(regions=["26"], servers=["centrum"])
            daemons = self.nation.servers + nodes
            with self.load() as self.running:
                time.sleep(0.4)
                for daemon in daemons:
                    daemon.kill()
            found = self.lost(nodes[0], daemons)
            if found:
                return
            self.nation.close()
            self.nation = n.Nation(BIN)
            self.addCleanup(self.nation.close)
        self.fail("seed %d: nothing was lost" % self.seed)

    def lost(self, node, daemons):
        for daemon in daemons:
            daemon.disk.fall(self.random)
        try:
            self.start(daemons)
        except n.Failed as e:
            return str(e)
        with l.Control(node.socket) as control:
            return self.wrong_log(self.running, node, control.events("26"), False, ())


class TheFirstStart(OnDisksThatFall):
    fault = "power loss while a store is made"

    def test_a_store_that_was_not_finished_is_no_obstacle(self):
        self.unsynced = self.dropped = 0
        server = self.nation.add_server()
        node = self.nation.add_node("26")
        self.prepare(server)
        self.prepare(node)
        for _ in self.rounds(14):
            daemon = self.random.choice([server, node])
            daemon.start(wait=False)
            time.sleep(self.random.uniform(0.0, 0.2 if SANITIZED else 0.05))
            daemon.kill()
            daemon.disk.fall(self.random)
        self.start([server])
        server.trust(node)
        self.start([node])
        node.await_open()
        with self.load() as load:
            time.sleep(0.3)
        took = self.judge(load)
        self.record(self.fault, self.round, self.stake, 0, took)


if __name__ == "__main__":
    main()
