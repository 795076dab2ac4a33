"""The units for systemd are installed, name the installed program, and give away nothing."""
import os
import shutil
import subprocess
import tempfile
import unittest

from story import main

BUILD = os.environ.get("SPLOT_BUILD", "")
UNITS = ["splot-verify@.service", "splot-verify@.timer"]


class Units(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="splot-")
        self.addCleanup(shutil.rmtree, self.folder)
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", self.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.units = os.path.join(self.folder, "lib", "systemd", "system")

    def read(self, name):
        with open(os.path.join(self.units, name), encoding="utf-8") as f:
            return f.read()

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")

    def test_they_are_where_systemd_looks_and_whole(self):
        for name in UNITS:
            self.assertNotIn("@CMAKE", self.read(name))
        command = [line for line in self.read(UNITS[0]).splitlines() if line.startswith("ExecStart=")]
        self.assertEqual(len(command), 1)
        self.assertTrue(command[0].split()[0].endswith("/bin/splotctl"), command)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_systemd_finds_nothing_wrong_with_them(self):
        # The command is the one of the prefix that the build was made for; here it is elsewhere.
        path = os.path.join(self.units, UNITS[0])
        command = os.path.join(self.folder, "bin", "splotctl")
        lines = ["ExecStart=%s %s" % (command, line.split(" ", 1)[1]) if line.startswith("ExecStart=") else line
                 for line in self.read(UNITS[0]).splitlines()]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        for kind in ("service", "timer"):
            done = self.analyze("verify", "--man=no", os.path.join(self.units, "splot-verify@node." + kind))
            self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = self.analyze("security", "--offline=true", "--threshold=20", path)  # 2.0 of 10
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(os.path.exists(os.path.join(BUILD, "bin", "splot-web")), "needs splot-web")
    def test_the_public_door_is_installed_and_shut_in(self):
        command = [line for line in self.read("splot-web.service").splitlines() if line.startswith("ExecStart=")]
        self.assertTrue(command[0].split()[0].endswith("/bin/splot-web"), command)
        if not shutil.which("systemd-analyze"):
            self.skipTest("needs systemd-analyze")
        path = os.path.join(self.units, "splot-web.service")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(command[0].split()[0], "ExecStart=" + os.path.join(self.folder, "bin", "splot-web")))
        done = self.analyze("verify", "--man=no", path)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = self.analyze("security", "--offline=true", "--threshold=15", path)  # 1.5 of 10
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    main()
