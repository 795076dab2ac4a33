"""docs/INSTALL.md, executed: its blocks run in two network namespaces of our own, each with
folders of its own at the places that the page names."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import story

PAGE = os.path.join(story.SOURCE, "docs", "INSTALL.md")
BLOCK = re.compile(r"<!-- run: (server|node) -->\n```sh\n(.*?)```", re.S)


def run(*words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options)


class Host:
    """A shell in a network and mount namespace, fed block by block."""
    MARK = "== end of block"

    def __init__(self, name, address, medium, folder, bin_folder):
        self.name, self.block = name, folder + ".block"
        # Whatever the page makes outside these folders lands in layers that vanish with the shell.
        setup = "set -e\nmount --make-rprivate /\n"
        for path in ("/etc", "/var/lib"):
            layer = os.path.join(folder, path.strip("/").replace("/", "-"))
            os.makedirs(layer + "/up")
            os.makedirs(layer + "/work")
            setup += "mount -t overlay overlay -o lowerdir=%s,upperdir=%s/up,workdir=%s/work %s\n" % (path, layer, layer, path)
        setup += "mount -t tmpfs tmpfs /media\nmkdir /media/splot\nmount --bind %s /media/splot\n" % medium
        setup += "mount -t tmpfs tmpfs /run\n"
        self.shell = subprocess.Popen(["ip", "netns", "exec", name, "unshare", "-m", "bash"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.shell.stdin.write("export PATH=%s:$PATH\n" % bin_folder)
        self.run(setup)

    def run(self, block):
        """The block's output; fails when a command of it failed."""
        # From a file, so that no command of the block eats the shell's own input.
        with open(self.block, "w", encoding="utf-8") as f:
            f.write(block)
        self.shell.stdin.write("(set -e; . %s) </dev/null; s=$?; echo; echo '%s' $s\n" % (self.block, self.MARK))
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.startswith(self.MARK):
                if line.split()[-1] == "0":
                    return "".join(lines)
                break
            lines.append(line)
        raise AssertionError("%s: a command failed:\n%s\n%s" % (self.name, block, "".join(lines)))

    def close(self):
        self.shell.stdin.close()
        self.shell.wait()
        self.shell.stdout.close()


class TheInstallationPage(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        temporary = tempfile.TemporaryDirectory(prefix="splot-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        os.chmod(self.folder, 0o755)
        names = ["splot-a-%d" % os.getpid(), "splot-b-%d" % os.getpid()]
        for name in names:
            done = run("ip", "netns", "add", name)
            if done.returncode != 0:
                self.skipTest("this machine does not let us make network namespaces: " + done.stdout)
            self.addCleanup(run, "ip", "netns", "del", name)
            self.addCleanup(run, "bash", "-c", "ip netns pids %s | xargs -r kill -9" % name)
        self.names = names
        for words in (("ip", "link", "add", "va", "netns", names[0], "type", "veth", "peer", "name", "vb", "netns", names[1]),
                      ("ip", "-n", names[0], "addr", "add", "10.77.0.1/24", "dev", "va"),
                      ("ip", "-n", names[1], "addr", "add", "10.77.0.2/24", "dev", "vb"),
                      ("ip", "-n", names[0], "link", "set", "va", "up"), ("ip", "-n", names[1], "link", "set", "vb", "up"),
                      ("ip", "-n", names[0], "link", "set", "lo", "up"), ("ip", "-n", names[1], "link", "set", "lo", "up")):
            done = run(*words)
            if done.returncode != 0:
                self.skipTest("this machine does not let us join network namespaces: " + done.stdout)

    def test_a_server_here_and_a_node_on_another_machine(self):
        medium = os.path.join(self.folder, "medium")
        os.makedirs(medium)
        shutil.copy(os.path.join(story.SAMPLE, "entities.csv"), medium)
        programs = os.path.join(self.folder, "prefix")
        done = run("cmake", "--install", os.environ["SPLOT_BUILD"], "--prefix", programs)
        self.assertEqual(done.returncode, 0, done.stdout)
        for path in ("share/man/man8/splot-node.8", "share/man/man8/splot-server.8", "share/man/man1/splotctl.1",
                     "share/man/man8/splot-web.8", "share/doc/splot/examples/node.ini", "share/doc/splot/examples/server.ini",
                     "share/doc/splot/examples/web.ini"):
            self.assertTrue(os.path.exists(os.path.join(programs, path)), path + " is not installed")
        hosts = {}
        for role, name in zip(("server", "node"), self.names):
            hosts[role] = Host(name, None, medium, os.path.join(self.folder, role), os.path.join(programs, "bin"))
            self.addCleanup(hosts[role].close)
        with open(PAGE, encoding="utf-8") as f:
            blocks = BLOCK.findall(f.read())
        self.assertGreaterEqual(len(blocks), 6)
        output = [hosts[role].run(block) for role, block in blocks]
        self.assertIn("pl26-kis-kielce-pestka", output[-2])
        self.assertIn("26", output[-2])
        self.assertIn("the register is in memory", output[-1])


if __name__ == "__main__":
    story.main()
