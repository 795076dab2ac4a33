"""docs/OPERATIONS.md, executed: a fault is made on machines of our own, the page's commands are run as they stand,
and what the page says will be seen is looked for.  Two servers, the node of region 26 and an empty machine, each with
its own folders at the places that the page names; systemctl and journalctl are those of services.py."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import hosts
import nation as n
import story

PAGE = dict(hosts.page("OPERATIONS.md"))
PREFIX = tempfile.mkdtemp(prefix="splot-")
FOLLOWED, LEFT_OUT = set(), set()
ADDRESSES = {"server": "10.77.0.1", "node": "10.77.0.2", "second": "10.77.0.3", "new": "10.77.0.4"}
SERVER_INI = """[server]
keys = /var/lib/splot/server.keys
data = /var/lib/splot/data
control = /run/splot/server.sock
listen = tcp://%s:7700
publish = tcp://%s:7701
witness-interval-s = 1

[admins]
root = a01
"""
NODE_INI = """[node]
keys = /var/lib/splot/node.keys
data = /var/lib/splot/data
control = /run/splot/node.sock

[editors]
root = e01

[server.centrum]
card = /etc/splot/centrum.card
address = tcp://10.77.0.1:7700

[server.zapas]
card = /etc/splot/zapas.card
address = tcp://10.77.0.3:7700
"""
ACCOUNT = """useradd --system --home-dir /var/lib/splot --shell /usr/sbin/nologin splot
install -d -m 0755 /etc/splot
install -d -m 0750 /var/lib/splot
mount -t tmpfs -o size=24M tmpfs /var/lib/splot
chown splot:splot /var/lib/splot
install -d -o splot -g splot -m 0700 /var/backups/splot
"""
# A disk that confirms nothing while a file says so.
BAD_DISK = r"""#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
static int bad(void)
{
	errno = EIO;
	return syscall(SYS_access, "/run/splot/bad-disk", F_OK) == 0;
}
int fdatasync(int fd) { return bad() ? -1 : (int)syscall(SYS_fdatasync, fd); }
int fsync(int fd) { return bad() ? -1 : (int)syscall(SYS_fsync, fd); }
int msync(void *at, size_t size, int flags) { return bad() ? -1 : (int)syscall(SYS_msync, at, size, flags); }
"""
LONG = "known " * 1300
# What an enrolled key may do at worst: say what no node says, again and again.
HOSTILE = """import sys
import peer as p
keys, address, card = sys.argv[1:]
for i in range(3):
    with p.Peer(p.Keys(keys), "24", address, card) as peer:
        peer.open()
        for j in range(5):
            peer.commit([p.event([p.entity("pl26-kis-x%d" % j, "26")])])
            peer.events.clear()
"""


class Deployment:
    """Two servers, the node of region 26 that publishes to both, and an empty machine."""

    def __init__(self, cleanup):
        self.net = hosts.network("splot-o-%d" % os.getpid(), cleanup)
        hosts.run("ip", "-n", self.net, "link", "set", "lo", "up")
        for address in ADDRESSES.values():
            done = hosts.run("ip", "-n", self.net, "addr", "add", address + "/32", "dev", "lo")
            if done.returncode != 0:
                raise unittest.SkipTest("this machine does not let us give addresses: " + done.stdout)
        temporary = tempfile.TemporaryDirectory(prefix="splot-")
        cleanup(temporary.cleanup)
        self.folder = temporary.name
        os.chmod(self.folder, 0o755)
        medium = os.path.join(self.folder, "medium")
        os.makedirs(os.path.join(medium, "safe"))
        self.hosts, self.edits = {}, 0
        for role in ADDRESSES:
            self.hosts[role] = host = hosts.Host(self.net, role, medium, os.path.join(self.folder, role), PREFIX + "/bin")
            cleanup(host.close)
            host.run(ACCOUNT)
            host.shell.stdin.write("export SPLOT_SOCKET=/run/splot/%s.sock\n" % ("node" if role == "node" else "server"))
        self.make()

    def make(self):
        for role, name in (("server", "centrum"), ("second", "zapas")):
            address = ADDRESSES[role]
            self.hosts[role].run("""cat > /etc/splot/server.ini <<'INI'
%sINI
runuser -u splot -- splotctl keygen --server splot.example/national/%s --out /var/lib/splot/server.keys
mkdir /media/splot/safe/%s
runuser -u splot -- splotctl server-card --keys /var/lib/splot/server.keys > /media/splot/safe/%s/server.card
cp -p /var/lib/splot/server.keys /media/splot/safe/%s/
systemctl start splot-server
""" % (SERVER_INI % (address, address), name, name, name, name))
        self.hosts["node"].run("""cp /media/splot/safe/centrum/server.card /etc/splot/centrum.card
cp /media/splot/safe/zapas/server.card /etc/splot/zapas.card
cat > /etc/splot/node.ini <<'INI'
%sINI
runuser -u splot -- splotctl keygen --node splot.example/region/26 --out /var/lib/splot/node.keys
mkdir /media/splot/safe/26
runuser -u splot -- splotctl enrol --keys /var/lib/splot/node.keys > /media/splot/safe/26/26.enrolment
cp -p /var/lib/splot/node.keys /media/splot/safe/26/
""" % NODE_INI)
        for role in ("server", "second"):
            self.hosts[role].run("splotctl trust add /media/splot/safe/26/26.enrolment --reason agreement")
        self.hosts["node"].run("systemctl start splot-node")
        self.until_whole()
        self.edit(2)
        self.until_whole(witnessed=True)

    def edit(self, count=1, check=True, facts=""):
        """New records at the node; what was said."""
        block = ""
        for _ in range(count):
            self.edits += 1
            block += "splotctl put entity pl26-kis-k%d --new name='Klub %d' kind=KIS region=26 %s --reason test --source note%s\n" % (
                self.edits, self.edits, "other_facts='%s'" % facts if facts else "", "" if check else " || true")
        return self.hosts["node"].run(block)

    def status(self, role):
        return json.loads(self.hosts[role].run("splotctl status --json"))

    def whole(self, log="26", witnessed=False):
        """The node takes edits, both servers confirmed everything (and it is witnessed), and their views are up to date."""
        try:
            node = self.status("node")
            if node["state"] != "open" or any(peer["state"] != "live" for peer in node["servers"]):
                return False
            for role in ("server", "second"):
                status = self.status(role)
                sizes = {row["log"]: row["size"] for row in status["logs"]}
                witness = [row["size"] for row in status["witnesses"] if row["log"] == log]
                if sizes.get(log) != node["size"] or status["position"] != status["size"]:
                    return False
                if witnessed and witness != [status["size"]]:
                    return False
            return True
        except AssertionError:
            return False

    def until_whole(self, seconds=90, **options):
        n.wait_for("all is confirmed", lambda: self.whole(**options), seconds, every=0.05)

    def journal(self, role):
        return self.hosts[role].run("journalctl -u " + ("splot-node" if role == "node" else "splot-server"))[:-1]

    def drop_in(self, role, line):
        """Puts a setting into the unit; None takes it away."""
        unit = "splot-node" if role == "node" else "splot-server"
        folder = "/etc/systemd/system/%s.service.d" % unit
        if line is None:
            self.hosts[role].run("rm -f %s/*" % folder)
        else:
            self.hosts[role].run("mkdir -p %s; printf '[Service]\\n%s\\n' > %s/a.conf" % (folder, line, folder))


class Runbooks(unittest.TestCase):
    deployment = None

    def setUp(self):
        self.d = self.deployment or Deployment(self.addCleanup)
        self.marks = {role: len(self.d.journal(role)) for role in ("server", "second", "node")}

    def run_on(self, role, block):
        return self.d.hosts[role].run(block)

    def log(self, role):
        """What the daemon of that machine said since this runbook began."""
        return self.d.journal(role)[self.marks[role]:]

    def follow(self, heading, until="", **events):
        """Runs the page's blocks under that heading; `events` happen where the page names them."""
        output = ""
        self.assertTrue(any(kind == "run" for kind, _, _ in PAGE[heading]), heading + " has no block to run")
        for kind, who, text in PAGE[heading]:
            if kind == "run":
                output = self.run_on(who, text)
            elif kind == "out":
                self.assertEqual(hosts.missing(output, text), [], output)
            elif kind == "event":
                events[who.replace(" ", "_")]()
            else:
                try:
                    n.wait_for("the line", lambda: not hosts.missing(self.log(who), text), 60)
                except n.Failed:
                    self.assertEqual(hosts.missing(self.log(who), text), [], self.log(who))
        FOLLOWED.add(heading)

    def leave_out(self, heading, why):
        LEFT_OUT.add(heading)
        self.skipTest(why)

    def damage(self, role, path):
        """All but the first two pages: those in use may be anywhere."""
        self.run_on(role, "f=/var/lib/splot/data/%s; head -c $(($(stat -c %%s $f) - 8192)) /dev/urandom | "
                          "dd of=$f bs=4096 seek=2 conv=notrunc status=none" % path)

    def whole(self, **options):
        """It is over: an edit goes everywhere."""
        n.wait_for("an edit is taken", lambda: "accepted" in self.d.edit(check=False), 60)
        self.d.until_whole(**options)


class Everyday(Runbooks):
    """After these the machines are as before: all on one deployment."""
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment(cls.addClassCleanup)

    def tearDown(self):
        self.whole()

    def test_a_kill(self):
        for role, unit in (("node", "splot-node"), ("server", "splot-server")):
            self.run_on(role, "systemctl kill -s KILL " + unit)
        n.wait_for("both are back", self.d.whole)
        self.follow("A program was killed or crashed")

    def test_a_power_cut(self):
        """The system fell: another start of it than the one that the markers name."""
        self.run_on("server", """systemctl stop splot-server
for marker in logs view; do
  echo 'running, or stopped uncleanly, since the start 00000000-0000-0000-0000-000000000000' > /var/lib/splot/data/$marker.running
done
chown splot:splot /var/lib/splot/data/*.running
systemctl start splot-server""")
        self.follow("The power failed")

    def test_a_full_disk(self):
        def fill(role):
            self.run_on(role, "head -c 24M /dev/zero > /var/lib/splot/ballast 2>/dev/null || true")

        def said():
            self.d.edit(5, facts=LONG)
            return "(disk-full)" in self.log("server")
        fill("server")
        n.wait_for("the server has no room", said, 60)
        fill("node")
        n.wait_for("the node has no room", lambda: "disk is full" in self.d.edit(5, check=False, facts=LONG), 60)
        self.follow("The disk is full")

    def test_a_failing_disk(self):
        if not shutil.which("cc"):
            self.leave_out("The disk fails", "needs cc, for a disk that fails when it is told to")
        source = os.path.join(self.d.folder, "bad.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(BAD_DISK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.d.folder + "/bad.so", source], check=True)

        def well():
            for role in ("node", "server"):
                self.run_on(role, "rm -f /run/splot/bad-disk")
                self.d.drop_in(role, None)

        def left_as_found():
            well()
            for role in ("node", "server"):
                self.run_on(role, "systemctl restart splot-" + role)
            self.d.until_whole()
        self.addCleanup(left_as_found)  # what fails here is not to fail the stories that follow
        for role in ("node", "server"):
            self.d.drop_in(role, "Environment=LD_PRELOAD=%s/bad.so" % self.d.folder)
            self.run_on(role, "systemctl restart splot-" + role)
        self.d.until_whole()
        self.run_on("server", "touch /run/splot/bad-disk")
        self.d.edit()
        n.wait_for("the server stops", lambda: "did not confirm" in self.log("server"))
        self.run_on("node", "touch /run/splot/bad-disk")
        self.d.edit(check=False)
        self.follow("The disk fails", the_disks_are_well_again=well)

    def test_too_few_descriptors(self):
        self.d.drop_in("server", "LimitNOFILE=24")
        self.run_on("server", "systemctl stop splot-server; timeout 1 systemctl start splot-server || true")
        self.follow("File descriptors run out")
        self.d.drop_in("server", None)

    def test_a_full_map(self):
        self.run_on("node", "sed -i 's/^control = .*/&\\nmap-size-mib = 1\\nmap-max-mib = 1/' /etc/splot/node.ini; systemctl restart splot-node")
        n.wait_for("the map is full", lambda: "map-max-mib" in self.d.edit(5, check=False, facts=LONG), 60)
        self.follow("The store's map is full")

    def test_a_wrong_clock(self):
        shim = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
        if not os.path.exists(shim):
            self.leave_out("The clock is wrong", "needs libfaketime")
        self.d.drop_in("node", "Environment=LD_PRELOAD=%s FAKETIME=+2h" % shim)
        self.run_on("node", "systemctl restart splot-node")
        n.wait_for("an edit is taken", lambda: "accepted" in self.d.edit(check=False))
        self.follow("The clock is wrong", the_clock_is_right=lambda: self.d.drop_in("node", None))

    def test_a_network_that_is_away(self):
        self.run_on("node", "ip link set lo down")
        try:
            self.d.edit()
            self.follow("The network is away", the_line_is_up=lambda: self.run_on("node", "ip link set lo up"))
        finally:
            self.run_on("node", "ip link set lo up")

    def test_a_damaged_node(self):
        self.run_on("node", "systemctl stop splot-node")
        self.damage("node", "data.mdb")
        self.run_on("node", "systemctl start splot-node || true")
        self.follow("A node's store is damaged")

    def test_a_damaged_view(self):
        self.run_on("server", "systemctl stop splot-server")
        self.damage("server", "view/data.mdb")
        self.run_on("server", "systemctl start splot-server")
        self.follow("A server's view is damaged")

    def test_damaged_logs(self):
        self.run_on("server", "systemctl start splot-backup@server; systemctl stop splot-server")
        self.damage("server", "logs/data.mdb")
        self.run_on("server", "systemctl start splot-server || true")
        self.follow("A server's logs are damaged")

    def test_an_old_copy_of_a_node(self):
        self.run_on("node", "systemctl stop splot-node; cp -a /var/lib/splot/data /var/lib/splot/data.copy; systemctl start splot-node")
        self.whole()
        self.run_on("node", """systemctl stop splot-node
rm -r /var/lib/splot/data
mv /var/lib/splot/data.copy /var/lib/splot/data
systemctl start splot-node""")
        self.follow("An old copy of a node's store was put back")

    def test_an_old_copy_of_a_server(self):
        self.run_on("server", "systemctl stop splot-server; cp -a /var/lib/splot/data /var/lib/splot/data.copy; systemctl start splot-server")
        self.whole(witnessed=True)
        self.run_on("server", """systemctl stop splot-server
mv /var/lib/splot/data /var/lib/splot/data.newest
mv /var/lib/splot/data.copy /var/lib/splot/data
systemctl start splot-server || true""")
        self.follow("An old copy of a server's store was put back")
        self.run_on("server", "rm -r /var/lib/splot/data.old")

    def test_a_damaged_backup(self):
        self.run_on("server", "rm -rf /var/backups/splot/server; systemctl start splot-backup@server")
        self.run_on("server", """at=$(grep -abo 'Klub 1' /var/backups/splot/server/logs/data.mdb | head -1 | cut -d: -f1)
printf X | dd of=/var/backups/splot/server/logs/data.mdb bs=1 seek=$at conv=notrunc status=none""")
        self.follow("A backup fails, or is damaged")

    def test_another_disk(self):
        self.run_on("server", "mkdir /media/new; mount -t tmpfs -o size=24M tmpfs /media/new; chown splot:splot /media/new; chmod 750 /media/new")
        self.follow("A disk is replaced")

    def test_an_upgrade(self):
        self.follow("An upgrade")

    def test_a_key_file_that_is_gone(self):
        self.run_on("node", "systemctl stop splot-node; rm /var/lib/splot/node.keys; systemctl start splot-node || true")
        self.follow("A node's or a server's key file is gone, and there is a copy")

    def test_a_lost_node(self):
        self.run_on("node", "systemctl stop splot-node; rm -r /var/lib/splot/*")
        self.follow("A node is lost")

    def test_a_hostile_peer(self):
        peer = os.path.join(self.d.folder, "hostile.py")
        with open(peer, "w", encoding="utf-8") as f:
            f.write(HOSTILE)
        self.run_on("server", """splotctl keygen --node splot.example/region/24 --out /media/splot/24.keys
splotctl enrol --keys /media/splot/24.keys > /media/splot/24.enrolment
splotctl trust add /media/splot/24.enrolment --reason agreement""")
        self.run_on("node", "PYTHONPATH=%s timeout 20 /usr/bin/python3 -B %s /media/splot/24.keys tcp://10.77.0.1:7700 "
                    "/media/splot/safe/centrum/server.card || true" % (os.path.join(story.SOURCE, "tests", "nation"), peer))
        self.follow("A peer floods or breaks the rules")


class Anew(Runbooks):
    """After these a log or a server is another one: a deployment for each."""

    def lose(self, role, *what):
        self.run_on(role, "systemctl stop splot-server; rm -r " + " ".join("/var/lib/splot/" + x for x in what))

    def test_a_server_on_another_machine(self):
        self.follow("A server moves to another machine")
        self.d.hosts["server"] = self.d.hosts["new"]
        self.whole()

    def test_lost_keys_of_a_node(self):
        self.run_on("node", "systemctl stop splot-node; rm /var/lib/splot/node.keys /media/splot/safe/26/node.keys; systemctl start splot-node || true")
        self.follow("A node's keys are lost for good")
        self.whole(log="26/2")
        self.assertIn("pl26-kis-k1", self.run_on("server", "splotctl list entity"))

    def test_stolen_keys_of_a_node(self):
        self.follow("A node's keys were stolen")
        after = PAGE["A node's keys are lost for good"]
        at = next(i for i, (kind, who, _) in enumerate(after) if (kind, who) == ("run", "node"))
        for _, who, text in after[at:]:
            self.run_on(who, text)
        self.whole(log="26/2")

    def test_stolen_keys_of_a_server(self):
        self.follow("A server's keys are lost or stolen")
        self.whole()

    def test_a_lost_server(self):
        self.run_on("server", "systemctl start splot-backup@server")
        self.lose("server", "data", "server.keys")
        self.follow("A server is lost")
        self.whole()

    def test_both_servers_lost(self):
        self.lose("server", "data", "server.keys")
        self.lose("second", "data", "server.keys")
        self.d.edit(3)
        self.follow("Both servers are lost")
        self.whole()

    def test_two_histories(self):
        self.run_on("node", "systemctl stop splot-node; cp -a /var/lib/splot /var/lib/copy; systemctl start splot-node")
        self.whole()
        for role in ("server", "second"):
            self.run_on(role, "systemctl stop splot-server")
        self.run_on("node", """systemctl stop splot-node
rm -r /var/lib/splot/*
cp -a /var/lib/copy/. /var/lib/splot/
rm /var/lib/splot/node.keys.highwater
systemctl start splot-node
splotctl waive centrum --reason 'thought to be gone'
splotctl waive zapas --reason 'thought to be gone'""")
        self.d.edit(2)
        for role in ("server", "second"):
            self.run_on(role, "systemctl start splot-server")
        n.wait_for("both froze it", lambda: all("FROZEN" in self.log(role) for role in ("server", "second")))
        self.follow("A log is frozen: two histories")
        self.whole()


class ZThePage(unittest.TestCase):
    def test_each_of_its_runbooks_was_run(self):
        """Last, when all of them ran."""
        named = {heading for heading, blocks in PAGE.items() if blocks}
        with open(os.path.join(story.SOURCE, "docs", "OPERATIONS.md"), encoding="utf-8") as f:
            every = {line[4:].strip() for line in f if line.startswith("### ")}
        self.assertEqual(every - named, set(), "nothing to run")
        self.assertEqual(every - FOLLOWED - LEFT_OUT, set(), "not run, or it failed")


def setUpModule():
    if story.SANITIZED:
        raise unittest.SkipTest("the pages are for programs as they are installed; preloaded disks and clocks need a plain build")
    os.chmod(PREFIX, 0o755)
    hosts.install(PREFIX)
    unittest.addModuleCleanup(shutil.rmtree, PREFIX)


if __name__ == "__main__":
    story.main()
