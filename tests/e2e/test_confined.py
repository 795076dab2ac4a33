"""The programs do all their work behind the walls that their units set: a read-only system, no capabilities, few
devices, another account, little locked memory; and they ask the kernel for nothing that the units' filters refuse.
The walls are put up here as systemd does it, since no systemd needs to run where the tests do; its filters of
system calls and address families are held against what strace saw instead."""
import os
import re
import shutil
import signal
import subprocess
import unittest

import nation as n
from story import BIN, SANITIZED, SOURCE, Story, main

ACCOUNT = 65534
# Arguments: folder, options of /proc, command.  What stands behind it is read-only but for the folder.
WALLS = r"""
set -e
folder=$1 proc=$2; shift 2
mount --make-rprivate /
mount --bind "$folder" "$folder"
for hidden in /home /root; do mount -t tmpfs -o ro,mode=000 tmpfs $hidden; done
mkdir -p "$folder/.dev"
mount -t tmpfs -o mode=755 tmpfs "$folder/.dev"
for device in null zero full random urandom; do
	touch "$folder/.dev/$device"; mount --bind /dev/$device "$folder/.dev/$device"
done
mount --move "$folder/.dev" /dev
mount -t proc -o "$proc" proc /proc
while read -r _ at _; do
	case $at in "$folder"|/dev|/dev/*|/proc) ;; *) mount -o remount,bind,ro "$at" 2>/dev/null || true ;; esac
done < /proc/self/mounts
if touch /usr/splot-wall 2>/dev/null; then echo "the system is not read-only" >&2; exit 99; fi
umask 0027
prlimit --pid $$ --core=0:0 --memlock=1048576:1048576
exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


def unit(name):
    """[(key, value)] of the unit's file."""
    with open(os.path.join(SOURCE, "deploy", name + ".service.in"), encoding="utf-8") as f:
        return [line.rstrip("\n").split("=", 1) for line in f if re.match(r"[A-Z]\w+=", line)]


def group(name):
    """The system calls of a group, as systemd of this machine has them."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], stdout=subprocess.PIPE, check=True, encoding="utf-8")
    found = set()
    for word in done.stdout.split("\n")[1:]:
        word = word.strip()
        if word.startswith("@"):
            found |= group(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def allowed(name):
    calls = group("@default")
    for key, value in unit(name):
        if key != "SystemCallFilter":
            continue
        for word in value.lstrip("~").split():
            these = group(word) if word.startswith("@") else {word}
            calls = calls - these if value.startswith("~") else calls | these
    return calls


def value(name, key):
    return " ".join(v for k, v in unit(name) if k == key)


class Trace:
    """What a program asked the kernel for, from its own execve on."""

    def __init__(self, path, program):
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
        text = text[text.index('execve("%s' % program):]
        self.calls = set(re.findall(r"(?m)^\d+ +([a-z0-9_]+)\(", text)) | {"execve"}
        self.families = set(re.findall(r"\bsocket(?:pair)?\((AF_\w+|PF_\w+)", text))
        self.writable_code = re.findall(r"(?m)^\d+ +m(?:map|protect)\(.*PROT_WRITE\|PROT_EXEC.*$", text)


@unittest.skipIf(SANITIZED, "the sanitizers' runtime asks for more than the programs do")
@unittest.skipUnless(os.geteuid() == 0, "walls are put up by root")
class Confined(Story):
    def setUp(self):
        for tool in ("strace", "systemd-analyze", "setpriv", "unshare"):
            if not shutil.which(tool):
                self.skipTest("needs " + tool)
        if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("this machine does not let us make mount namespaces")
        self.addCleanup(os.umask, os.umask(0))  # the daemons, of another account, reach our sockets
        super().setUp()
        os.chmod(self.nation.folder, 0o755)
        # The programs may lie where nobody else may go.
        self.nation.bin = shutil.copytree(BIN, os.path.join(self.nation.folder, "bin"))
        self.nation.wrap = lambda daemon: self.walls(daemon.program, daemon.name)

    def walls(self, program, name, service=None):
        folder = self.nation.folder
        subprocess.run(["chown", "-R", "%d:%d" % (ACCOUNT, ACCOUNT), folder], check=True)
        self.traced = getattr(self, "traced", 0) + 1
        # Private to the account, as long as the tracer is not root.
        trace = os.path.join(folder, "trace.%s.%d" % (name, self.traced))
        proc = "hidepid=invisible" + (",subset=pid" if value(service or program, "ProcSubset") == "pid" else "")
        return ["unshare", "-m", "sh", "-c", WALLS, "sh", folder, proc, "strace", "-D", "-f", "-qq", "-o", trace]

    def judge(self, program, name, service):
        traces = sorted(f for f in os.listdir(self.nation.folder) if f.startswith("trace." + name + "."))
        self.assertTrue(traces)
        may = allowed(service)
        for trace in traces:
            seen = Trace(os.path.join(self.nation.folder, trace), self.nation.program(program))
            self.assertGreater(len(seen.calls), 20, trace)
            self.assertEqual(seen.calls - may, set(), "%s: refused by the unit's SystemCallFilter" % trace)
            self.assertEqual(seen.families - set(value(service, "RestrictAddressFamilies").split()), set(), trace)
            self.assertEqual(seen.writable_code, [], trace)
        return len(traces)

    def test_node_and_server_live_their_lives_behind_walls(self):
        server = self.nation.up(regions=["26"], server_config={
            "witness-interval-s": "1", "export": os.path.join(self.nation.folder, "export")})
        node = self.nation.nodes["26"]
        for i in range(3):
            self.add(node, "pl26-kis-a%d" % i)
        self.until_confirmed()
        for daemon in (node, server):
            with open("/proc/%d/status" % daemon.process.pid, encoding="ascii") as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            self.assertEqual(status["Uid"].split()[0], str(ACCOUNT))
            self.assertEqual((status["CapBnd"], status["NoNewPrivs"]), ("0" * 16, "1"))
            # LimitMEMLOCK is enough: what is to be locked is.
            self.assertGreater(int(status["VmLck"].split()[0]), 0)
            with open("/proc/%d/smaps" % daemon.process.pid, encoding="utf-8") as f:
                flags = [set(line.split()[1:]) for line in f if line.startswith("VmFlags:")]
            self.assertEqual([x for x in flags if {"dd", "rd"} <= x and not {"lo", "pf"} & x], [])
            daemon.process.send_signal(signal.SIGHUP)
        # Other keys; an erasure, after which both begin themselves anew; a kill, after which the stores are walked.
        subprocess.run([self.nation.program("splotctl"), "keygen", "--rotate", node.keys], check=True,
                       user=ACCOUNT, group=ACCOUNT, extra_groups=[], stdout=subprocess.DEVNULL)
        node.ctl("rotate", "--reason", "yearly")
        self.until_confirmed()
        server.ctl("redact", "26", "1", "--reason", "personal data")
        n.wait_for("it is erased everywhere", lambda: "is erased" in node.log_tail(60) or "redact" in node.log_tail(60))
        for daemon in (node, server):
            self.until_answers(daemon)
            daemon.kill()
            daemon.start()
            self.until_answers(daemon)
        node.await_open()
        self.add(node, "pl26-kis-b")
        self.until_confirmed()
        n.wait_for("it is witnessed", lambda: server.status()["witnesses"][0]["size"])
        for daemon in (node, server):
            self.assertIn("walked", daemon.log_tail(60))
            self.assertEqual(daemon.stop(), 0)
            self.assertGreaterEqual(self.judge(daemon.program, daemon.name, daemon.program), 2)

    def until_answers(self, daemon):
        n.wait_for("%s answers" % daemon.name, lambda: daemon.ctl("status", check=False).returncode == 0)

    @unittest.skipUnless(os.path.exists(os.path.join(BIN, "splot-web")), "needs splot-web")
    def test_splot_web_answers_behind_walls(self):
        server = self.nation.up(regions=["26"])
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        self.until_confirmed()
        web = self.nation.add_web(server).start()
        n.wait_for("it is shown", lambda: web.get("/api/v1/summary"))
        self.assertEqual(web.ask("/")[0], 200)
        self.assertEqual(web.stop(), 0)
        self.judge("splot-web", web.name, "splot-web")

    def tool(self, name, service, *words):
        """What splotctl says behind the walls of that unit."""
        command = self.walls("splotctl", name, service) + [self.nation.program("splotctl"), *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.judge("splotctl", name, service)
        return done.stdout

    def test_the_nightly_check_and_backups_work_behind_walls(self):
        server = self.nation.up(regions=["26"])
        node = self.nation.nodes["26"]
        self.add(node, "pl26-kis-a")
        self.until_confirmed()
        self.until_folded(server)
        backup = os.path.join(self.nation.folder, "backup")
        for daemon in (server, node):
            self.assertIn("nothing is wrong", self.tool("verify-" + daemon.name, "splot-verify@", "audit", "verify",
                                                        "--config", daemon.config))
            self.assertIn("verified", self.tool("backup-" + daemon.name, "splot-backup@", "backup",
                                                "--config", daemon.config, "--to", backup + daemon.name))


if __name__ == "__main__":
    main()
