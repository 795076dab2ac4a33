"""Every verb of splotctl as scripts use it: help, JSON with the documented keys, exit codes."""
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
import time

import nation as n
import peer as p
import story

VERBS = """status summary import export put retire confirm get list history log keygen enrol server-card trust
waive check-config freeze release redact rotate continue recover""".split()
FAMILIES = {"audit": "verify export prove check consistency evidence".split()}
WHY = ("--reason", "test", "--source", "note 1")
VERSION = {"kind", "id", "log", "index", "position", "recorded", "editor", "reason", "source", "retired",
           "supersedes", "record"}


def varint(number):
    raw = b""
    while number > 127:
        raw += bytes([number & 127 | 128])
        number >>= 7
    return raw + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def counts(position, keys, more):
    """A reply with counts, as a daemon would send it."""
    rows = b"".join(field(9, field(1, "networks") + field(4, key) + field(5, 1)) for key in keys)
    return field(1, "ok") + field(5, position) + field(8, int(more)) + rows


@contextlib.contextmanager
def daemon_that_says(path, replies):
    """Answers one connection with these replies, one after another; gives the list of requests."""
    requests = []

    def serve():
        peer = listener.accept()[0]
        with peer, peer.makefile("rb") as stream:
            for reply in replies:
                size = stream.read(4)
                if not size:
                    return
                requests.append(stream.read(struct.unpack(">I", size)[0]))
                peer.sendall(struct.pack(">I", len(reply)) + reply)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield requests
        thread.join(30)


class Pages(story.Story):
    """Long answers of a register that changes while it is read."""
    def setUp(self):
        super().setUp()
        self.path = self.nation.socket_path("play")

    def summary(self, *replies, code=0):
        with daemon_that_says(self.path, replies) as requests:
            done = self.nation.ctl("summary", "--json", socket=self.path, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout), requests

    def test_a_summary_asks_on_after_the_last_row(self):
        told, requests = self.summary(counts(7, "ab", True), counts(7, "c", True), counts(7, "d", False))
        self.assertEqual([row["key"] for row in told], list("abcd"))
        self.assertEqual(requests, [field(1, 3)] + [
            field(1, 3) + field(15, field(1, "networks") + field(4, last) + field(5, 1)) for last in "bc"])

    def test_a_summary_begins_again_when_the_register_has_changed(self):
        told, requests = self.summary(counts(7, "ab", True), counts(8, "d", False),
                                      counts(8, "ac", True), counts(8, "de", False))
        self.assertEqual([row["key"] for row in told], list("acde"))
        self.assertEqual(requests[2], requests[0])

    def test_a_summary_of_a_register_that_never_rests_is_busy(self):
        told, requests = self.summary(*(counts(i, "ab" if i % 2 else "c", i % 2) for i in range(1, 100)), code=1)
        self.assertEqual(told["error"]["code"], "busy")
        self.assertIn("again", told["error"]["text"])
        self.assertLess(len(requests), 50)

    def test_pages_that_go_round_are_an_error(self):
        told, _ = self.summary(counts(7, "ab", True), counts(7, "b", True), code=1)
        self.assertEqual(told["error"]["code"], "decode")

    def test_a_page_of_no_rows_that_promises_more_is_an_error(self):
        told, _ = self.summary(counts(7, "", True), code=1)
        self.assertEqual(told["error"]["code"], "decode")


class Verbs(story.Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=self.logs)
        self.node = self.nation.nodes["26"]

    def keys(self, daemon, *arguments, code=0):
        done = daemon.ctl(*arguments, "--json", check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return set(json.loads(done.stdout))

    def test_every_verb_has_help_with_examples(self):
        shown = self.nation.ctl("--help").stdout
        for verb in VERBS + ["%s %s" % (family, word) for family, words in FAMILIES.items() for word in words]:
            self.assertIn("\n  %s " % verb, shown)
            told = self.nation.ctl(*verb.split(), "--help").stdout
            self.assertIn("\n  splotctl %s" % verb, told.split("\nExamples:")[1])
        for family, words in FAMILIES.items():
            told = self.nation.ctl(family, "--help").stdout
            self.assertEqual([line.split()[1] for line in told.splitlines() if line.startswith("  " + family)], words)
            done = self.nation.ctl(family, "frob", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn('"%s frob" is no command; there are: %s verify' % (family, family), done.stderr)

    def test_documents_have_the_documented_keys(self):
        node, server = self.node, self.server
        edit = {"ids", "log", "events", "index"}
        self.add(node, "pl26-kis-a")
        self.assertEqual(self.keys(node, "put", "entity", "pl26-kis-a", "place=Kielce", *WHY), edit)
        self.assertEqual(self.keys(node, "confirm", "pl26-kis-a", *WHY), edit)
        self.assertEqual(self.keys(node, "get", "pl26-kis-a"), VERSION)
        self.assertEqual(self.keys(node, "list", "entities"), {"kind", "position", "records"})
        self.assertEqual(self.keys(node, "history", "pl26-kis-a"), {"id", "versions"})
        self.assertEqual(self.keys(node, "retire", "pl26-kis-a", *WHY), edit)
        self.assertEqual(self.keys(node, "export", "--dir", os.path.join(self.nation.folder, "out")),
                         {"log", "position", "as_of", "files"})
        self.assertEqual(self.keys(node, "status"), {"role", "log", "realm", "state", "note", "started", "size",
                                                     "position", "servers", "refusals", "checkpoint", "latencies",
                                                     "key", "verified", "evidence"})
        self.assertEqual(self.keys(server, "status"), {"role", "server", "realm", "state", "note", "started", "size",
                                                       "position", "logs", "refusals", "checkpoint", "latencies",
                                                       "key", "verified", "witnesses", "cosigned", "quorum",
                                                       "evidence"})
        self.assertEqual(self.keys(server, "trust", "list"), {"trust"})
        self.assertEqual(self.keys(server, "trust", "revoke", "26", "--reason", "r"), {"done", "name", "reason", "size"})
        event = {"log", "index", "national", "recorded", "editor", "reason", "source", "act", "changes", "others"}
        for daemon in (node, server):
            for line in daemon.ctl("log", "--json").stdout.splitlines():
                self.assertEqual(set(json.loads(line)), event)
                for change in json.loads(line)["changes"]:
                    self.assertEqual(set(change), {"kind", "id", "change", "supersedes", "before_known", "fields"})
        for line in server.ctl("log", "--national", "--json").stdout.splitlines():
            entry = json.loads(line)
            self.assertEqual(set(entry), {"log", "index", "recorded", "kind", "of"} |
                             ({"from", "size"} if entry["kind"] == "accepted" else {"by", "reason"}))
        row = {"metric", "region", "kind", "key", "value"}
        for told in node.json("summary"):
            self.assertEqual(set(told), row)
        card = json.loads(self.nation.ctl("server-card", "--keys", server.keys, "--json").stdout)
        with open(server.card, encoding="utf-8") as f:
            self.assertEqual(card["document"], f.read())
        checked = json.loads(self.nation.ctl("check-config", node.config, "--json").stdout)
        self.assertEqual((set(checked), checked["fine"]), ({"file", "program", "fine", "said"}, True))

    def test_a_freeze_says_how_much_of_the_log_stands(self):
        for i in range(3):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.until_confirmed(self.node)
        standing = os.path.join(self.nation.folder, "26.checkpoint")
        for at, stands, says in (((), 3, "all of it stands: 3 events"), (("--at", "2"), 2, "its first 2 events stand"),
                                 (("--at", "1"), 1, "its first 1 event stands")):
            told = self.server.json("freeze", "26", *at, "-o", standing, "--reason", "r")
            self.assertEqual(set(told), {"done", "name", "stands", "reason", "size"})
            self.assertEqual((told["stands"], told["size"]), (stands, self.server.status()["size"]))
            self.assertEqual(int(story.read(standing).splitlines()[1]), stands)
            self.assertIn(says, self.server.ctl("freeze", "26", *at, "--reason", "r").stdout)

    def test_a_history_of_which_one_entry_holds_more_than_a_reply_is_complete(self):
        # Larger than a server asks for, as a node sends what a key sealed that it has no more.
        count = 40
        other = self.nation.add_node("24")
        self.server.trust(other)
        facts, note = 35, 37
        events = [p.event([p.change("pl24-kis-a", {1: "pl24-kis-a", 2: "24", 3: "KIS", 4: "Klub", facts: "%05d" % i + "x" * 8000,
                                                   note: "y" * 8000})]) for i in range(count)]
        with p.Peer(p.Keys(other.keys), "24", self.server.address, self.server.card) as peer:
            peer.open()
            peer.commit(events, frames=[p.bundle(events[i:i + 10]) for i in range(0, count, 10)])
            peer.expect("ack")
        self.until_folded(self.server)
        versions = self.server.json("history", "pl24-kis-a")["versions"]
        self.assertEqual([v["index"] for v in versions], list(reversed(range(count))))
        self.assertEqual(len({v["position"] for v in versions}), 1)
        self.assertGreater(sum(len(json.dumps(v["record"])) for v in versions), 256 * 1024,
                           "no entry holds more than a reply: this shows nothing")

    def test_a_refusal_has_its_exit_code_and_a_document(self):
        self.add(self.node, "pl26-kis-a")
        for code, error, arguments in (
                (1, "not-found", ("get", "pl26-kis-none")),
                (1, "not-found", ("put", "entity", "pl26-kis-none", "name=K", *WHY)),
                (2, "argument", ("list", "clubs")),
                (2, "argument", ("put", "entity", "pl26-kis-a", "name=K")),
                (3, "invalid", ("put", "entity", "pl26-kis-a", "created_on=99", *WHY)),
                (3, "invalid", ("put", "entity", "pl24-kis-a", "--new", "region=24", "kind=KIS", "name=K", *WHY)),
                (4, "exists", ("put", "entity", "pl26-kis-a", "--new", "region=26", "kind=KIS", "name=K", *WHY))):
            done = self.node.ctl(*arguments, "--json", check=False)
            told = json.loads(done.stdout)["error"]
            self.assertEqual((done.returncode, told["code"]), (code, error), arguments)
            self.assertTrue(told["text"])
        self.assertEqual(self.nation.ctl("status", socket="/nowhere", check=False).returncode, 5)

    def test_what_is_too_long_or_says_nothing_is_named_before_anything_is_sent(self):
        self.add(self.node, "pl26-kis-a")
        before = self.node.status()["size"], self.server.status()["size"]
        file = os.path.join(self.nation.folder, "entities.csv")
        with open(file, "w", encoding="utf-8") as f:
            f.write("id,region,kind,name\npl26-kis-b,26,KIS,Klub\n")
        reasons = [(self.node, ("put", "entity", "pl26-kis-a", "name=K")), (self.node, ("retire", "pl26-kis-a")),
                   (self.node, ("confirm", "pl26-kis-a")), (self.node, ("import", file)), (self.node, ("rotate",)),
                   (self.node, ("waive", "centrum")), (self.node, ("follow", "centrum")), (self.server, ("freeze", "26")),
                   (self.server, ("release", "26")), (self.server, ("redact", "26", "0")),
                   (self.server, ("trust", "revoke", "26"))]
        for daemon, words in reasons:
            options = ("--reason", "--source") if daemon is self.node and words[0] in (
                "put", "retire", "confirm", "import") else ("--reason",)
            for bad in options:
                for text, code, says in (("x" * 1030, "limit", "%s is 1030 bytes long and may have 1024" % bad),
                                         (" \u00a0", "argument", "%s is empty" % bad)):
                    given = [part for o in options for part in (o, text if o == bad else "good")]
                    done = daemon.ctl(*words, *given, "--json", check=False)
                    told = json.loads(done.stdout)["error"]
                    self.assertEqual((done.returncode, told["code"]), (2, code), (words, bad))
                    self.assertIn(says, told["text"])
        for words in (("get", "x" * 200), ("history", "x" * 200), ("retire", "x" * 200, *WHY),
                      ("put", "entity", "x" * 200, "name=K", *WHY),
                      ("put", "entity", "x" * 200, "--new", "region=26", "kind=KIS", "name=K", *WHY)):
            done = self.node.ctl(*words, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("the id is 200 bytes long and may have 128", done.stderr)
            self.assertNotIn(self.node.socket, done.stderr)
        self.assertEqual((self.node.status()["size"], self.server.status()["size"]), before)

    def test_who_waits_for_a_daemon_that_hangs_is_told_so_and_gets_the_answer_when_it_goes_on(self):
        self.add(self.node, "pl26-kis-a")
        commands = [("status",), ("put", "entity", "pl26-kis-a", "place=Kielce", *WHY), ("status", "--json")]
        self.node.process.send_signal(n.signal.SIGSTOP)
        try:
            asking = [subprocess.Popen([self.nation.program("splotctl"), *words, "--socket", self.node.socket],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for words in commands]
            begun = time.monotonic()
            for process in asking[:2]:
                self.assertIn("%s: no answer for 5 s; waiting up to 120 s" % self.node.socket, process.stderr.readline())
            self.assertGreaterEqual(time.monotonic() - begun, 4.5)
        finally:
            self.node.process.send_signal(n.signal.SIGCONT)
        for process, words in zip(asking, commands):
            told, more = process.communicate(timeout=60)
            self.assertEqual((process.returncode, more), (0, ""), words)
            self.assertTrue(told)

    def test_codes_are_looked_up_in_a_terc_table_that_a_reload_brings(self):
        table = os.path.join(self.nation.folder, "terc.csv")
        with open(table, "w", encoding="utf-8") as f:
            f.write("teryt,name\r\n2604,a powiat\r\n2604042,a gmina\r\n")
        put = ("put", "entity", "pl26-kis-a", "powiat=2604")
        self.add(self.node, "pl26-kis-a", gmina="2604999")
        self.node.options["terc"] = table
        self.node.configure()
        self.node.process.send_signal(n.signal.SIGHUP)

        def refused():
            done = self.node.ctl(*put, "gmina=2604998", *WHY, "--json", check=False)
            return done.returncode == 3 and json.loads(done.stdout)["problems"]
        problems = n.wait_for("the table is read", refused)
        self.assertEqual([(p["column"], p["code"]) for p in problems], [("gmina", "unknown-teryt")])
        self.node.ctl(*put, "gmina=2604042", *WHY)


if __name__ == "__main__":
    story.main()
