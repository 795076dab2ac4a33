"""docs/INSTALL.md, executed: its blocks run in two network namespaces of our own, each with
folders of its own at the places that the page names."""
import os
import shutil
import tempfile
import unittest

import hosts
import story

ROLES = ("server", "node")


class TheInstallationPage(unittest.TestCase):
    def setUp(self):
        names = [hosts.network("splot-%s-%d" % (side, os.getpid()), self.addCleanup) for side in "ab"]
        for words in (("link", "add", "va", "netns", names[0], "type", "veth", "peer", "name", "vb", "netns", names[1]),
                      ("-n", names[0], "addr", "add", "10.77.0.1/24", "dev", "va"),
                      ("-n", names[1], "addr", "add", "10.77.0.2/24", "dev", "vb"),
                      ("-n", names[0], "link", "set", "va", "up"), ("-n", names[1], "link", "set", "vb", "up"),
                      ("-n", names[0], "link", "set", "lo", "up"), ("-n", names[1], "link", "set", "lo", "up")):
            done = hosts.run("ip", *words)
            if done.returncode != 0:
                self.skipTest("this machine does not let us join network namespaces: " + done.stdout)
        temporary = tempfile.TemporaryDirectory(prefix="splot-")
        self.addCleanup(temporary.cleanup)
        os.chmod(temporary.name, 0o755)
        self.programs = os.path.join(temporary.name, "prefix")
        hosts.install(self.programs)
        medium = os.path.join(temporary.name, "medium")
        os.makedirs(medium)
        shutil.copy(os.path.join(story.SAMPLE, "entities.csv"), medium)
        self.hosts = {}
        for role, name in zip(ROLES, names):
            folder = os.path.join(temporary.name, role)
            self.hosts[role] = hosts.Host(name, role, medium, folder, os.path.join(self.programs, "bin"))
            self.addCleanup(self.hosts[role].close)

    def walk(self, way):
        """The blocks for this way ("by hand", "with systemd"), and those for both; their output."""
        output = []
        for _, blocks in hosts.page("INSTALL.md"):
            for kind, who, text in blocks:
                role, _, only = who.partition(" ")
                if kind == "run" and only in ("", way):
                    output.append(self.hosts[role].run(text))
        return output

    def test_a_server_here_and_a_node_on_another_machine(self):
        for path in ("share/man/man8/splot-node.8", "share/man/man8/splot-server.8", "share/man/man1/splotctl.1",
                     "share/man/man8/splot-web.8", "share/doc/splot/examples/node.ini", "share/doc/splot/examples/server.ini",
                     "share/doc/splot/examples/web.ini"):
            self.assertTrue(os.path.exists(os.path.join(self.programs, path)), path + " is not installed")
        output = self.walk("by hand")
        self.assertGreaterEqual(len(output), 8)
        self.assertIn("pl26-kis-kielce-pestka", "".join(output))
        self.assertIn("the register is in memory", "".join(output))

    def test_the_same_by_the_units(self):
        output = self.walk("with systemd")
        self.assertGreaterEqual(len(output), 9)
        self.assertEqual("".join(output).count("a whole backup of"), 2)
        self.assertIn("pl26-kis-kielce-pestka", "".join(output))
        for role, host in self.hosts.items():
            self.assertEqual(host.run("systemctl is-active splot-" + role).strip(), "active")

if __name__ == "__main__":
    story.main()
