"""Brings up servers and nodes on this machine: used by the demo, the end-to-end tests and
the measurements.  Standard library only."""
import contextlib
import http.client
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REGIONS = ["%02d" % i for i in range(2, 33, 2)] + ["PL"]
KINDS = ["operators", "entities", "networks", "memberships", "statistics"]
REALM = "splot.example"
ACCOUNT = pwd.getpwuid(os.getuid()).pw_name


class Failed(Exception):
    pass


PORTS_HELD = []


def free_port():
    """Below the ports that outgoing connections get: a daemon that is away for a moment finds its own again.
    No other story beside this one takes it meanwhile: a name among the sockets is held for it, until this process ends."""
    for _ in range(100):
        port = random.randrange(10000, 32000)
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind("\0splot-port-%d" % port)
            with contextlib.closing(socket.socket()) as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        PORTS_HELD.append(held)
        return port
    raise Failed("no free port between 10000 and 32000")


def wait_for(what, check, seconds=30.0, every=0.02):
    """Asks check() until it gives something true; that is returned."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed("%s: not within %.0f s" % (what, seconds))
        time.sleep(every)


class Daemon:
    """One program with a configuration file, a log file and a control socket."""

    def __init__(self, nation, name, program, config):
        self.nation, self.name, self.program = nation, name, program
        self.folder = os.path.join(nation.folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.socket = nation.socket_path(name)
        self.config = os.path.join(self.folder, "config.ini")
        self.keys = os.path.join(self.folder, "keys")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.environment = {}
        self.options = config

    def write_config(self, sections):
        with open(self.config, "w", encoding="utf-8") as f:
            for section, entries in sections:
                f.write("[%s]\n" % section)
                for key, value in entries.items():
                    f.write("%s = %s\n" % (key, value))
                f.write("\n")

    def start(self, wait=True, seconds=60.0):
        notify_path = self.nation.socket_path(self.name + ".ready")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(notify_path)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(notify_path)
        notify.settimeout(0.05)
        environment = dict(os.environ, NOTIFY_SOCKET=notify_path, **self.environment)
        command = self.nation.wrap(self) + [self.nation.program(self.program), "--config", self.config]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, cwd=self.folder)
        try:
            if wait:
                self._await_ready(notify, seconds)
        finally:
            notify.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(notify_path)
        return self

    def _await_ready(self, notify, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if b"READY=1" in notify.recv(4096):
                    return
            except socket.timeout:
                pass
            if self.process.poll() is not None:
                raise Failed("%s ended with %s:\n%s" % (self.name, self.process.returncode, self.log_tail()))
        raise Failed("%s is not ready within %.0f s:\n%s" % (self.name, seconds, self.log_tail()))

    def log_tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=30.0):
        """SIGTERM; the exit status."""
        if not self.running():
            return None if self.process is None else self.process.returncode
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed("%s did not stop within %.0f s:\n%s" % (self.name, seconds, self.log_tail()))

    def kill(self):
        if self.running():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def ctl(self, *arguments, **options):
        return self.nation.ctl(*arguments, socket=self.socket, **options)

    def json(self, *arguments, **options):
        return json.loads(self.ctl(*arguments, "--json", **options).stdout)

    def status(self):
        return self.json("status")


class Server(Daemon):
    def __init__(self, nation, name, **config):
        super().__init__(nation, "server-" + name, "splot-server", config)
        self.server_name = name
        self.address = "tcp://127.0.0.1:%d" % free_port()
        self.feed = "tcp://127.0.0.1:%d" % free_port()
        self.card = os.path.join(self.folder, "server.card")

    def make(self):
        if not os.path.exists(self.keys):
            self.nation.ctl("keygen", "--server", "%s/national/%s" % (self.nation.realm, self.server_name),
                            "--out", self.keys)
        card = self.nation.ctl("server-card", "--keys", self.keys).stdout
        with open(self.card, "w", encoding="utf-8") as f:
            f.write(card)
        self.configure()
        return self

    def configure(self):
        entries = {"keys": self.keys, "data": self.data, "control": self.socket,
                   "listen": self.address, "publish": self.feed}
        entries.update(self.options)
        self.write_config([("server", entries), ("admins", {ACCOUNT: "a01"})])

    def log_key(self):
        """The verifier key of the national log, as the card tells it."""
        with open(self.card, encoding="utf-8") as f:
            return [line.split()[1] for line in f if line.startswith("log-key ")][0]

    def lose(self):
        """The machine burns: its data and its keys are gone.  The card stays where the nodes have it."""
        self.kill()
        shutil.rmtree(self.data)
        os.unlink(self.keys)

    def begin_anew(self, generation=2):
        """Keys for the national log's next generation, and another card."""
        self.nation.ctl("keygen", "--server", "%s/national/%s/%d" % (self.nation.realm, self.server_name, generation),
                        "--out", self.keys)
        return self.make()

    def trust(self, node):
        self.ctl("trust", "add", node.enrolment, "--reason", "agreement with the office")


class Node(Daemon):
    def __init__(self, nation, log, name=None, **config):
        super().__init__(nation, name or "node-" + log.lower(), "splot-node", config)
        self.log_name = log
        self.enrolment = os.path.join(self.folder, "enrolment")
        self.servers = []

    def make(self, servers):
        if not os.path.exists(self.keys):
            self.nation.ctl("keygen", "--node", "%s/region/%s" % (self.nation.realm, self.log_name),
                            "--out", self.keys)
        text = self.nation.ctl("enrol", "--keys", self.keys).stdout
        with open(self.enrolment, "w", encoding="utf-8") as f:
            f.write(text)
        self.servers = servers
        self.configure()
        return self

    def configure(self):
        entries = {"keys": self.keys, "data": self.data, "control": self.socket}
        entries.update(self.options)
        sections = [("node", entries), ("editors", {ACCOUNT: "e01"})]
        for server in self.servers:
            sections.append(("server." + server.server_name, {"card": server.card, "address": server.address}))
        self.write_config(sections)

    def await_open(self, seconds=30.0):
        """Until the node takes edits: every server has said what it holds."""
        wait_for("%s takes edits" % self.name, lambda: self.status()["state"] == "open", seconds)

    def confirmed(self):
        """True when every server has confirmed all that this node holds."""
        status = self.status()
        return all(peer["confirmed"] == status["size"] for peer in status["servers"])


class Web(Daemon):
    """splot-web over a server's view or a node's register."""

    def __init__(self, nation, of, name=None, site=None, **config):
        super().__init__(nation, name or "web-" + of.name, "splot-web", config)
        self.view = os.path.join(of.data, "view") if isinstance(of, Server) else of.data
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.site = site or {}

    def make(self):
        self.configure()
        return self

    def configure(self):
        entries = {"view": self.view, "listen": "127.0.0.1:%d" % self.port}
        entries.update({key.replace("_", "-"): value for key, value in self.options.items()})
        self.write_config([("web", entries), ("site", self.site)])

    def start(self, wait=True, seconds=60.0):
        super().start(wait, seconds)
        if wait:
            self.await_ready(seconds)
        return self

    def ask(self, path, method="GET", headers=None, timeout=30.0):
        """Status, headers and body, whatever the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **options):
        """The JSON of an answer that must be a good one."""
        status, _, body = self.ask(path, **options)
        if status != 200:
            raise Failed("%s%s: %d\n%s" % (self.url, path, status, body.decode("utf-8", "replace")))
        return json.loads(body)

    def is_ready(self):
        try:
            return self.ask("/readyz")[0] == 200
        except OSError:
            return False

    def await_ready(self, seconds=30.0):
        wait_for("%s answers" % self.name, self.is_ready, seconds)


class Nation:
    def __init__(self, bin_folder, folder=None, realm=REALM, regions=REGIONS):
        self.bin = os.path.abspath(bin_folder)
        self._own = tempfile.TemporaryDirectory(prefix="splot-") if folder is None else None
        self.folder = os.path.abspath(folder or self._own.name)
        os.makedirs(self.folder, exist_ok=True)
        # A Unix socket's path has room for 107 bytes: a long folder gets short sockets elsewhere.
        self._sockets = None
        if len(self.folder) > 60:
            self._sockets = tempfile.TemporaryDirectory(prefix="splot-")
        self.realm, self.regions = realm, regions
        self.servers, self.nodes, self.webs = [], {}, []

    def program(self, name):
        return os.path.join(self.bin, name)

    def wrap(self, daemon):
        """Words before a daemon's command line; a test may run it in a network namespace."""
        return []

    def socket_path(self, name):
        return os.path.join(self._sockets.name if self._sockets else self.folder, name + ".sock")

    def ctl(self, *arguments, socket=None, check=True, input=None, timeout=120):
        command = [self.program("splotctl"), *arguments]
        if socket:
            command += ["--socket", socket]
        done = subprocess.run(command, stdin=subprocess.DEVNULL if input is None else None, input=input,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              encoding="utf-8", errors="replace")
        if check and done.returncode != 0:
            raise Failed("%s: exit %d\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
        return done

    def add_server(self, name="centrum", **config):
        server = Server(self, name, **config).make()
        self.servers.append(server)
        return server

    def add_node(self, log, servers=None, **config):
        node = Node(self, log, **config).make(self.servers if servers is None else servers)
        self.nodes[log] = node
        return node

    def add_web(self, of, name=None, site=None, **config):
        web = Web(self, of, name, site, **config).make()
        self.webs.append(web)
        return web

    def up(self, regions=None, server_config=None, node_config=None):
        """One server, one node for each region, all enrolled and started.  In the folder of an
        earlier run the same keys and logs go on."""
        server = self.add_server(**(server_config or {}))
        server.start()
        known = {row["log"] for row in server.json("trust", "list")["trust"]}
        for log in regions or self.regions:
            node = self.add_node(log, **(node_config or {}))
            if log not in known:
                server.trust(node)
        for node in self.nodes.values():
            node.start()
        for node in self.nodes.values():
            node.await_open()
        return server

    def daemons(self):
        return self.webs + list(self.nodes.values()) + self.servers

    def down(self):
        for daemon in self.daemons():
            if daemon.running():
                daemon.process.terminate()
        for daemon in self.daemons():
            daemon.stop()

    def close(self):
        for daemon in self.daemons():
            daemon.kill()
        for folder in (self._sockets, self._own):
            if folder:
                folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            for daemon in self.daemons():
                if os.path.exists(daemon.log):
                    sys.stderr.write("--- %s\n%s" % (daemon.name, daemon.log_tail()))
        self.close()
