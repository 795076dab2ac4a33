"""The units for systemd are installed, name the installed program, and give away nothing that the programs
do not need."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from story import main

BUILD = os.environ.get("SPLOT_BUILD", "")
# What each unit leaves open, as systemd-analyze counts it, and why.
DAEMON = {
    "RestrictAddressFamilies_AF_INET_INET6", "PrivateNetwork",  # it speaks over the network,
    "IPAddressDeny",                                    # with addresses that only its owner knows
    "RestrictAddressFamilies_AF_UNIX",                  # its control socket
    "PrivateUsers",                                     # accounts are known by their uids there
    "SystemCallFilter_resources",                       # sched_setscheduler, see the unit
    "ProcSubset",                                       # boot_id, see the unit
    "UMask",                                            # the group reads the register
    "DeviceAllow",                                      # the clock, read-only: ProtectClock says so
    "RootDirectoryOrRootImage",
}
TOOL = {"RestrictAddressFamilies_AF_UNIX", "SystemCallFilter_resources", "DeviceAllow", "RootDirectoryOrRootImage"}
# Unit: program, exposure, what is open.
SERVICES = {
    "splot-node.service": ("splot-node", 1.4, DAEMON),
    "splot-server.service": ("splot-server", 1.4, DAEMON | {"RestrictAddressFamilies_AF_NETLINK"}),
    "splot-web.service": ("splot-web", 1.1, TOOL | {
        "RestrictAddressFamilies_AF_INET_INET6", "PrivateNetwork", "IPAddressDeny", "SupplementaryGroups"}),
    "splot-verify@.service": ("splotctl", 0.3, TOOL),
    "splot-backup@.service": ("splotctl", 0.3, TOOL),
}
TIMERS = ["splot-verify@.timer", "splot-backup@.timer"]
# Settings that systemd-analyze does not count: how the unit works, and bounds.
WORKS = {
    "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus", "TimeoutStartSec",
    "TimeoutStopSec", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve", "ReadWritePaths", "LimitNOFILE", "LimitCORE", "LimitMEMLOCK", "MemoryMax",
    "MemorySwapMax", "TasksMax", "OOMPolicy", "CPUWeight", "Nice", "CPUSchedulingPolicy", "IOSchedulingClass",
    "SocketBindDeny", "SocketBindAllow", "SystemCallErrorNumber", "Group", "UMask",
    "PrivateIPC", "AmbientCapabilities", "KeyringMode",
}


def there(name):
    return os.path.exists(os.path.join(BUILD, "bin", SERVICES[name][0]))


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="splot-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.folder],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        cls.units = os.path.join(cls.folder, "lib", "systemd", "system")

    def read(self, name):
        with open(os.path.join(self.units, name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text):
        with open(os.path.join(self.units, name), "w", encoding="utf-8") as f:
            f.write(text)

    def analyze(self, *arguments):
        if not shutil.which("systemd-analyze"):
            self.skipTest("needs systemd-analyze")
        return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")

    def security(self, path):
        """(exposure, {what is open})"""
        done = self.analyze("security", "--offline=true", "--no-pager", path)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        self.assertTrue(found, done.stdout)
        table = json.loads(self.analyze("security", "--offline=true", "--json=short", path).stdout)
        return float(found[1]), {row["json_field"] for row in table if row["exposure"]}

    def test_they_are_where_systemd_looks_and_start_what_is_installed(self):
        for name in SERVICES:
            if not there(name):
                continue
            text = self.read(name)
            self.assertNotIn("@CMAKE", text)
            command = [line.split()[0] for line in text.splitlines() if line.startswith("ExecStart=")]
            self.assertEqual([os.path.basename(word) for word in command], [SERVICES[name][0]])
        for name in TIMERS:
            self.assertIn("OnCalendar=", self.read(name))

    def test_systemd_finds_nothing_wrong_with_them_and_each_ones_exposure_is_what_is_said(self):
        for name, (program, exposure, left_open) in SERVICES.items():
            if not there(name):
                continue
            # The command is the one of the prefix that the build was made for; here it is elsewhere.
            text = re.sub(r"(?m)^ExecStart=\S*/(\S+)", "ExecStart=%s/bin/\\1" % self.folder, self.read(name))
            self.write(name, text)
            path = os.path.join(self.units, name)
            done = self.analyze("verify", "--man=no", path.replace("@.", "@node."))
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertEqual(self.security(path), (exposure, left_open), name)
            self.assertLessEqual(exposure, 1.5)
        for name in TIMERS:
            done = self.analyze("verify", "--man=no", os.path.join(self.units, name.replace("@.", "@node.")))
            self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_no_line_of_their_walls_may_go_without_notice(self):
        for name in ("splot-server.service", "splot-backup@.service"):
            text = self.read(name)
            whole = self.security(os.path.join(self.units, name))
            lines = [line for line in text.split("[Service]")[1].split("[Install]")[0].splitlines() if re.match(r"[A-Z]\w+=", line)]
            walls = [line for line in lines if line.split("=")[0] not in WORKS]
            self.assertGreaterEqual(len(walls), 18)
            for line in walls:
                cut = "cut@.service" if "@" in name else "cut.service"
                self.write(cut, text.replace(line + "\n", "", 1))
                self.assertNotEqual(self.security(os.path.join(self.units, cut)), whole, "%s without %s" % (name, line))

    def test_a_person_is_waited_for_where_starting_again_would_not_help(self):
        for name in ("splot-node.service", "splot-server.service"):
            text = self.read(name)
            self.assertIn("\nType=notify\n", text)
            self.assertIn("\nRestart=on-failure\n", text)
            self.assertIn("\nRestartPreventExitStatus=2 3 4\n", text)
            self.assertIn("\nLimitCORE=0\n", text)
            self.assertRegex(text, r"\nMemoryMax=[0-9]+[MG]\n")


if __name__ == "__main__":
    main()
