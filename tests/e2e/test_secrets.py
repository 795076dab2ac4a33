"""Where secrets are in the memory of running programs, and what leaves it: they stand in guarded
memory only (locked, in no dump), no program leaves a core, and nobody else may look into one."""
import base64
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import nation as n
from story import SANITIZED, Story, main

PIECE = 1 << 20


def secrets(path):
    """{what it is: bytes} of a key file: everything that would let its finder sign, or speak as its holder."""
    found = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            word, *values = line.split()
            if word in ("log-seed", "witness-seed", "old-log-seed", "curve-secret"):
                raw = base64.b64decode(values[0])
                found[word] = raw
                found[word + " in base64"] = values[0].encode()
                if word != "curve-secret":  # what Ed25519 signs with is made of the seed
                    made = hashlib.sha512(raw).digest()
                    scalar = bytes([made[0] & 248]) + made[1:31] + bytes([made[31] & 127 | 64])
                    found[word + ", as scalar"] = scalar
                    found[word + ", as prefix"] = made[32:]
    return found


def regions(pid):
    """[(start, end, name, flags)] of all that is in memory."""
    found = []
    with open("/proc/%d/smaps" % pid, encoding="utf-8") as f:
        for line in f:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)", line)
            if head:
                now = (int(head[1], 16), int(head[2], 16), head[3].strip())
            elif line.startswith("Rss:"):
                resident = int(line.split()[1])
            elif line.startswith("VmFlags:") and resident and now[2] not in ("[vvar]", "[vsyscall]"):
                found.append(now + (set(line.split()[1:]),))
    return found


def search(pid, wanted):
    """({what: count} in guarded memory, [(what, region)] elsewhere)."""
    guarded, elsewhere = {}, []
    longest = max(len(value) for value in wanted.values())
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for start, end, name, flags in regions(pid):
            at, tail = start, b""
            while at < end:
                try:
                    memory.seek(at)
                    piece = memory.read(min(PIECE, end - at))
                except OSError:
                    break  # a page of a device, or a guard
                text = tail + piece
                for what, value in wanted.items():
                    for _ in range(text.count(value)):
                        if {"lo", "dd"} <= flags:
                            guarded[what] = guarded.get(what, 0) + 1
                        else:
                            elsewhere.append((what, name or "anonymous"))
                at += len(piece)
                tail = text[-(longest - 1):]
                if not piece:
                    break
    return guarded, elsewhere


@unittest.skipUnless(os.geteuid() == 0, "looking into a program's memory needs root")
@unittest.skipIf(SANITIZED, "the sanitizers' shadow is too large to be looked through")
class Memory(Story):
    def look(self, pid, keys, but=()):
        wanted = secrets(keys)
        guarded, elsewhere = search(pid, wanted)
        self.assertIn("log-seed", guarded, "the search does not find what is there")
        self.assertEqual([x for x in elsewhere if not x[0].startswith(tuple(but))], [])
        return elsewhere

    def test_the_seeds_of_node_and_server_stand_in_guarded_memory_only(self):
        server = self.nation.up(regions=["26"], server_config={"witness-interval-s": "1"})
        node = self.nation.nodes["26"]
        for i in range(20):
            self.add(node, "pl26-kis-a%d" % i)
        self.until_confirmed()
        self.nation.ctl("keygen", "--rotate", node.keys)
        node.ctl("rotate", "--reason", "yearly")
        self.add(node, "pl26-kis-b")
        self.until_confirmed()
        n.wait_for("the node witnessed", lambda: server.status()["witnesses"][0]["size"])
        for daemon in (server, node):
            # libzmq keeps copies of the transport secret of its own, in plain memory, as long as sockets live.
            self.look(daemon.process.pid, daemon.keys, but=("curve-secret",))
            self.assertEqual([x for x in search(daemon.process.pid, secrets(daemon.keys))[1] if "base64" in x[0]], [])

    def test_splotctl_that_makes_keys_has_them_in_guarded_memory_only(self):
        if not shutil.which("strace"):
            self.skipTest("needs strace, to hold the program where it has the keys")
        keys = os.path.join(self.nation.folder, "made")
        # Held at the write's sync, and once more at its end.
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync,exit_group:delay_enter=1500000",
             self.nation.program("splotctl"), "keygen", "--node", "splot.example/region/26", "--out", keys],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(tracer.wait)
        self.addCleanup(tracer.kill)

        def children():
            with open("/proc/%d/task/%d/children" % (tracer.pid, tracer.pid), encoding="ascii") as f:
                return [int(word) for word in f.read().split()]

        def held(call):
            def check():
                for pid in children():
                    with open("/proc/%d/syscall" % pid, encoding="ascii") as f:
                        if f.read().split()[0] == str(call):
                            return pid
                return None
            return check

        fsync, exit_group = 74, 231
        pid = n.wait_for("the keys are written", held(fsync), every=0.005)
        self.look(pid, keys)
        pid = n.wait_for("splotctl ends", held(exit_group), every=0.005)
        wanted = secrets(keys)
        self.assertEqual(search(pid, wanted), ({}, []))
        self.assertEqual(tracer.wait(30), 0)


class Cores(Story):
    def programs(self):
        """(name, pid) of all four, running."""
        server = self.nation.up(regions=["26"])
        node = self.nation.nodes["26"]
        self.add(node, "pl26-kis-a")
        self.until_confirmed()
        found = [("splot-server", server.process), ("splot-node", node.process)]
        if os.path.exists(self.nation.program("splot-web")):
            found.append(("splot-web", self.nation.add_web(server).start().process))
        command = [self.nation.program("splotctl"), "log", "--follow", "--socket", server.socket]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        follower.stdout.readline()
        found.append(("splotctl", follower))
        return found

    def test_no_program_may_leave_a_core_or_gain_rights(self):
        for name, process in self.programs():
            with open("/proc/%d/limits" % process.pid, encoding="ascii") as f:
                core = [line.split() for line in f if line.startswith("Max core file size")][0]
            self.assertEqual(core[4:6], ["0", "0"], name)
            with open("/proc/%d/status" % process.pid, encoding="ascii") as f:
                self.assertIn("NoNewPrivs:\t1", f.read(), name)

    def test_a_program_that_is_killed_by_a_fault_leaves_none(self):
        with tempfile.TemporaryDirectory(prefix="splot-") as folder:
            def dumped(pid):
                _, status = os.waitpid(pid, 0)
                return os.WCOREDUMP(status)

            def unlimited():
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY and os.geteuid() != 0:
                self.skipTest("cores are forbidden here anyhow")
            control = subprocess.Popen(["sleep", "60"], cwd=folder, preexec_fn=unlimited)
            control.send_signal(signal.SIGILL)
            if not dumped(control.pid):
                self.skipTest("this machine makes no cores of anything")
            control.returncode = -signal.SIGILL
            resource_before = resource.getrlimit(resource.RLIMIT_CORE)
            unlimited()
            try:
                found = self.programs()
            finally:
                resource.setrlimit(resource.RLIMIT_CORE, resource_before)
            for name, process in found:
                # A fault that no program takes for itself.
                process.send_signal(signal.SIGILL)
                self.assertFalse(dumped(process.pid), name)
                process.returncode = -signal.SIGILL

    @unittest.skipUnless(os.geteuid() == 0, "running as another account needs root")
    def test_another_program_of_the_same_account_cannot_look_into_one(self):
        with tempfile.TemporaryDirectory(prefix="splot-") as folder:
            os.chmod(folder, 0o777)
            program = shutil.copy(self.nation.program("splotctl"), folder)
            nobody = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": folder}
            keys = os.path.join(folder, "keys")
            subprocess.run([program, "keygen", "--server", "splot.example/national/x", "--out", keys],
                           check=True, stdout=subprocess.DEVNULL, **nobody)
            server = shutil.copy(self.nation.program("splot-server"), folder)
            config = os.path.join(folder, "server.ini")
            with open(config, "w", encoding="utf-8") as f:
                f.write("[server]\nkeys = %s\ndata = %s/data\ncontrol = %s/s\nlisten = tcp://127.0.0.1:%d\n"
                        % (keys, folder, folder, n.free_port()))
            process = subprocess.Popen([server, "--config", config], stderr=subprocess.DEVNULL, **nobody)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            n.wait_for("it runs", lambda: os.path.exists(folder + "/s"))
            for what in ("mem", "environ", "maps"):
                done = subprocess.run(["cat", "/proc/%d/%s" % (process.pid, what)], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, **nobody)
                self.assertIn(b"ermission denied", done.stderr, what)
            # Not so with a program that does not protect itself.
            other = subprocess.Popen(["sleep", "60"], **nobody)
            self.addCleanup(other.wait)
            self.addCleanup(other.kill)
            time.sleep(0.1)
            subprocess.run(["cat", "/proc/%d/environ" % other.pid], check=True, stdout=subprocess.DEVNULL, **nobody)


if __name__ == "__main__":
    main()
