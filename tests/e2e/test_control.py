"""Who may do what over a control socket: whoever may open it reads; each account's name stands in the
configuration for what it may change; the socket's mode says who may open it at all."""
import os
import re
import socket
import struct
import unittest

import nation as n
import peer as p
from story import SOURCE, Story, main

# What anybody who may open the socket may ask: it changes nothing.
READS = {"QUERY", "SUMMARY", "STATUS", "TRUST", "ROWS", "EVIDENCE", "WITNESSED"}
STRANGER = 65534


def verbs():
    """[(name, number, who takes it: "node", "server" or "both")]"""
    with open(os.path.join(SOURCE, "proto", "control.proto"), encoding="utf-8") as f:
        text = f.read()
    found = re.findall(r"^  ([A-Z_]+) = ([0-9]+); +// (node|server|both)\b", re.search(r"enum Verb \{(.*?)\n\}", text, re.S)[1], re.M)
    return [(name, int(number), who) for name, number, who in found]


def ask(path, request, uid=0, gid=0, groups=()):
    """The reply's code, asked under another account; None when the socket could not be opened."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                try:
                    s.connect(path)
                except PermissionError:
                    os.write(writer, b"\0")
                    os._exit(0)
                s.sendall(struct.pack(">I", len(request)) + request)
                stream = s.makefile("rb")
                reply = stream.read(struct.unpack(">I", stream.read(4))[0])
            os.write(writer, p.read_message(reply).get(1, b"?"))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        code = f.read().decode()
    os.waitpid(child, 0)
    return None if code == "\0" else code


class OtherWays(Story):
    """What splotctl would not have sent."""
    def refused(self, daemon, request):
        """(code, text, [(column, code) of each problem])"""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(daemon.socket)
            s.sendall(struct.pack(">I", len(request)) + request)
            stream = s.makefile("rb")
            reply = p.read_message(stream.read(struct.unpack(">I", stream.read(4))[0]))
        problem = p.read_message(reply[6]) if 6 in reply else {}
        return reply[1].decode(), reply.get(2, b"").decode(), {value.decode() for value in problem.values() if isinstance(value, bytes)}

    def test_a_daemon_names_the_part_that_is_too_long_and_takes_no_reason_of_blanks(self):
        server = self.nation.up(regions=["26"])
        node = self.nation.nodes["26"]
        before = node.status()["size"], server.status()["size"]
        number = {name: at for name, at, _ in verbs()}
        long, blank = "x" * 1030, " \u00a0\u2003"
        for daemon, verb, name in ((server, "FREEZE", "26"), (server, "REVOKE", "26"), (node, "WAIVE", "centrum"), (node, "ROTATE", "")):
            with self.subTest(verb=verb):
                act = p.field(1, number[verb]) + p.field(12, name)
                code, text, _ = self.refused(daemon, act + p.field(13, long))
                self.assertEqual((code, text), ("limit", "the reason is 1030 bytes long and may have 1024: shorten it"))
                code, text, _ = self.refused(daemon, act + p.field(13, blank))
                self.assertIn(code, ("argument", "invalid"))
                self.assertIn("say why", text)
        for daemon in (server, node):
            code, text, _ = self.refused(daemon, p.field(1, number["QUERY"]) + p.field(4, 4) + p.field(5, "x" * 200))
            self.assertEqual((code, text), ("limit", "the id is 200 bytes long and may have 128: shorten it"))
        changes = [p.entity("pl26-kis-a", "26")]
        for what in ("reason", "source"):
            edit = p.field(1, number["EDIT"])
            code, text, _ = self.refused(node, edit + p.field(2, p.event(changes, 0, "", **{what: long})))
            self.assertEqual((code, text), ("limit", "the %s is 1030 bytes long and may have 1024: shorten it" % what))
            code, _, problem = self.refused(node, edit + p.field(2, p.event(changes, 0, "", **{what: blank})))
            self.assertEqual(code, "invalid")
            self.assertLessEqual({what, "required"}, problem)
        code, text, _ = self.refused(node, edit + p.field(2, b"x" * 65536))
        self.assertEqual((code, text), ("limit", "the edit is 65536 bytes long and may have 65535: send it in parts"))
        self.assertEqual((node.status()["size"], server.status()["size"]), before)


@unittest.skipUnless(os.geteuid() == 0, "acting as other accounts needs root")
class Rights(Story):
    def setUp(self):
        super().setUp()
        os.chmod(self.nation.folder, 0o755)
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()

    def request(self, verb):
        """Good in all but who asks, as far as one request fits all verbs."""
        return (p.field(1, verb) + p.field(2, b"\x1a\x03abc") + p.field(4, 4) + p.field(11, b"x") + p.field(12, "26") +
                p.field(13, "because") + p.field(17, "events") + p.field(23, "x"))

    def test_an_account_that_stands_nowhere_reads_and_changes_nothing(self):
        before = self.node.status()["size"], self.server.status()["size"]
        asked = 0
        for daemon, kind in ((self.node, "node"), (self.server, "server")):
            os.chmod(daemon.socket, 0o666)
            for name, number, who in verbs():
                with self.subTest(daemon=kind, verb=name):
                    code = ask(daemon.socket, self.request(number), STRANGER, STRANGER)
                    asked += 1
                    if name in READS:
                        self.assertNotEqual(code, "denied")
                    else:
                        self.assertEqual(code, "denied" if who in (kind, "both") else "argument")
        self.assertGreaterEqual(asked, 30)
        self.assertEqual((self.node.status()["size"], self.server.status()["size"]), before)
        # It is for the account: root stands there, and is told of the rest of each request.
        for daemon, kind in ((self.node, "node"), (self.server, "server")):
            for name, number, who in verbs():
                with self.subTest(daemon=kind, verb=name, account="root"):
                    self.assertNotEqual(ask(daemon.socket, self.request(number)), "denied")

    def test_the_sockets_mode_and_group_say_who_may_ask_at_all(self):
        for daemon in (self.node, self.server):
            status = p.field(1, 4)
            self.assertEqual(os.stat(daemon.socket).st_mode & 0o777, 0o660)
            self.assertIsNone(ask(daemon.socket, status, STRANGER, STRANGER))
            os.chown(daemon.socket, 0, 54321)
            self.assertIsNone(ask(daemon.socket, status, STRANGER, STRANGER))
            self.assertEqual(ask(daemon.socket, status, STRANGER, STRANGER, [54321]), "ok")
            daemon.stop()
            daemon.options["control-mode"] = "0600"
            daemon.configure()
            daemon.start()
            os.chown(daemon.socket, 0, 54321)
            self.assertIsNone(ask(daemon.socket, status, STRANGER, STRANGER, [54321]))
            self.assertEqual(ask(daemon.socket, status), "ok")

    def test_an_editor_of_a_node_is_no_administrator_of_a_server(self):
        """The two tables are apart: an account by its number, as one without a name stands there."""
        os.chmod(self.node.socket, 0o666)
        with open(self.node.config, encoding="utf-8") as f:
            text = f.read()
        with open(self.node.config, "w", encoding="utf-8") as f:
            f.write(text.replace("[editors]\n", "[editors]\n54321 = e02\n"))
        self.node.process.send_signal(1)
        names = {name: number for name, number, _ in verbs()}
        n.wait_for("the editor is heard", lambda: ask(
            self.node.socket, self.request(names["WAIVE"]), 54321, 54321) == "not-found")
        os.chmod(self.server.socket, 0o666)
        self.assertEqual(ask(self.server.socket, self.request(names["REVOKE"]), 54321, 54321), "denied")
        self.assertEqual(self.server.json("trust", "list")["trust"][0]["state"], "active")


if __name__ == "__main__":
    main()
