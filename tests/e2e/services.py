#!/usr/bin/python3
"""systemctl and journalctl where no systemd runs: start, stop, restart, reload, kill, show and is-active do what the
installed unit says (command, account, folders, readiness, restart; files of UNIT.d beside it), so that the pages'
commands can be run as they stand.  Walls (ProtectSystem= and so on) and timers are not its business; test_confined.py
puts up walls.

    services.py UNITS systemctl start splot-node
    services.py UNITS journalctl -u splot-node"""
import os
import pwd
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time

STATE = "/run/services"
RESTART_S = 0.3  # a test does not wait for RestartSec=
START_S, STOP_S = 120, 120


class Unit:
    def __init__(self, folder, name):
        name = name if "." in name else name + ".service"
        self.name = name
        stem, self.instance = re.match(r"([^@.]+@?)([^.]*)", name).groups()
        self.settings = {}
        drop_ins = "/etc/systemd/system/%s.d" % name
        files = [os.path.join(folder, "%s.%s" % (stem, name.rsplit(".", 1)[1]))]
        files += sorted(os.path.join(drop_ins, x) for x in os.listdir(drop_ins)) if os.path.isdir(drop_ins) else []
        for path in files:
            with open(path, encoding="utf-8") as f:
                for line in f:
                    if re.match(r"[A-Z]\w+=", line):
                        key, value = line.rstrip("\n").split("=", 1)
                        self.settings[key] = value.replace("%i", self.instance)
        os.makedirs(STATE, exist_ok=True)

    def get(self, key, fallback=""):
        return self.settings.get(key, fallback)

    def path(self, kind):
        return os.path.join(STATE, self.name + "." + kind)

    def say(self, state, pid=""):
        with open(self.path("new"), "w", encoding="ascii") as f:
            f.write("%s %s" % (state, pid))
        os.rename(self.path("new"), self.path("state"))

    def state(self):
        try:
            with open(self.path("state"), encoding="ascii") as f:
                words = f.read().split()
        except FileNotFoundError:
            return "inactive", 0
        return words[0], int(words[1]) if len(words) > 1 else 0

    def account(self):
        return pwd.getpwnam(self.get("User", "root")) if self.get("DynamicUser") != "true" else pwd.getpwnam("nobody")

    def folders(self):
        account = self.account()
        for setting, parent in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
            if self.get(setting):
                path = os.path.join(parent, self.get(setting))
                os.makedirs(path, exist_ok=True)
                os.chown(path, account.pw_uid, account.pw_gid)
                os.chmod(path, int(self.get(setting + "Mode", "0755"), 8))

    def spawn(self, notify):
        account = self.account()
        log = open(self.path("log"), "ab")

        def limits():
            os.umask(int(self.get("UMask", "0022"), 8))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if self.get("LimitNOFILE"):
                files = int(self.get("LimitNOFILE"))
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        groups = [account.pw_gid] + ([pwd.getpwnam("splot").pw_gid] if self.get("SupplementaryGroups") else [])
        environment = dict(word.split("=", 1) for word in shlex.split(self.get("Environment")))
        return subprocess.Popen(shlex.split(self.get("ExecStart")), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env=dict(os.environ, NOTIFY_SOCKET=notify, **environment), user=account.pw_uid, group=account.pw_gid,
                                extra_groups=groups, preexec_fn=limits, cwd="/")

    def await_ready(self, process, notify):
        while process.poll() is None:
            try:
                if b"READY=1" in notify.recv(4096):
                    return True
            except socket.timeout:
                pass
        return False

    def supervise(self):
        """Until it ends for good."""
        stops = set(int(word) for word in self.get("RestartPreventExitStatus").split())
        while True:
            if os.path.exists(self.path("notify")):
                os.unlink(self.path("notify"))
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.bind(self.path("notify"))
                os.chmod(self.path("notify"), 0o777)
                notify.settimeout(0.02)
                process = self.spawn(self.path("notify"))
                self.say("activating", process.pid)
                if self.await_ready(process, notify):
                    self.say("active", process.pid)
                status = process.wait()
            if status == 0 or os.path.exists(self.path("stop")):
                self.say("inactive")
                return
            if self.get("Restart") != "on-failure" or status in stops:
                self.say("failed")
                return
            self.say("activating")
            time.sleep(RESTART_S)

    def start(self):
        condition = self.get("ConditionPathExists")
        if (condition and not os.path.exists(condition)) or self.state()[0] in ("active", "activating"):
            return 0
        self.folders()
        if os.path.exists(self.path("stop")):
            os.unlink(self.path("stop"))
        if self.get("Type") == "oneshot":
            return 0 if self.spawn("").wait() == 0 else 1
        self.say("activating")
        if os.fork() == 0:
            os.setsid()
            null = os.open("/dev/null", os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            self.supervise()
            os._exit(0)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            state = self.state()[0]
            if state == "active":
                return 0
            if state in ("failed", "inactive"):
                break
            time.sleep(0.01)
        print("Job for %s failed; see: journalctl -u %s" % (self.name, self.name))
        return 1

    def stop(self):
        state, _ = self.state()
        open(self.path("stop"), "w", encoding="ascii").close()
        end = time.monotonic() + STOP_S
        while state in ("active", "activating") and time.monotonic() < end:
            state, pid = self.state()
            if pid:
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        return 0 if state in ("inactive", "failed") else 1

    def kill(self, number):
        os.kill(self.state()[1], number)
        return 0


def systemctl(folder, words):
    words = [word for word in words if word not in ("--now", "--quiet", "-q")]
    verb, number = words[0], signal.SIGTERM
    units = [word for word in words[1:] if not word.startswith("--") and word != "MainPID"]
    if verb == "kill" and units[0] in ("-s", "--signal"):
        number, units = signal.Signals["SIG" + units[1].removeprefix("SIG")], units[2:]
    status = 0
    for name in units:
        if name.endswith(".timer"):
            Unit(folder, name)  # it is there
            continue
        unit = Unit(folder, name)
        if verb in ("start", "enable"):
            status = unit.start() or status
        elif verb in ("stop", "disable"):
            status = unit.stop() or status
        elif verb == "restart":
            status = unit.stop() or unit.start() or status
        elif verb == "reload":
            status = unit.kill(signal.SIGHUP)
        elif verb == "kill":
            status = unit.kill(number)
        elif verb == "show":
            print(unit.state()[1])
        elif verb == "is-active":
            print(unit.state()[0])
            status = 0 if unit.state()[0] == "active" else 3
        else:
            sys.exit("systemctl %s: not known here" % verb)
    return status


def journalctl(folder, words):
    unit = Unit(folder, words[words.index("-u") + 1])
    if os.path.exists(unit.path("log")):
        with open(unit.path("log"), encoding="utf-8", errors="replace") as f:
            lines = f.readlines()
        count = int(words[words.index("-n") + 1]) if "-n" in words else len(lines)
        sys.stdout.writelines(re.sub(r"^<\d>", "", line) for line in lines[-count:])
    return 0


if __name__ == "__main__":
    sys.exit({"systemctl": systemctl, "journalctl": journalctl}[sys.argv[2]](sys.argv[1], sys.argv[3:]))
