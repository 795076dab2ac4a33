"""splotctl log tells who changed what, when, on whose word and why: the same at a node, at the
server, from their stores and from an export; with filters, followed, and with what was erased."""
import json
import os
import signal
import subprocess
import threading

import nation as n
import story

WHY = ("--reason", "test", "--source", "note 1")


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def places(found):
    return [(e["log"], e["index"]) for e in found]


def bare(found):
    """Events without the national entry, which only a server knows."""
    return [dict(e, national=None) for e in found]


class Log(story.Story):
    logs = ["24", "26"]

    def setUp(self):
        super().setUp()
        self.export = os.path.join(self.nation.folder, "export")
        self.server = self.nation.up(regions=self.logs, server_config={"export": self.export})
        self.node = self.nation.nodes["26"]

    def log(self, daemon, *arguments):
        return lines(daemon.ctl("log", "--json", *arguments))

    def stored(self, folder, *arguments):
        return lines(self.nation.ctl("log", "--json", "--from", folder, *arguments))

    def edit(self):
        """Of each region: one event of many changes, changes of single fields, an end."""
        for log, node in self.nation.nodes.items():
            names = ["pl%s-kis-x%d" % (log, i) for i in range(5)]
            table = os.path.join(self.nation.folder, "entities.csv")
            with open(table, "w", encoding="utf-8") as f:
                f.write("id,region,kind,name,place\n" + "".join("%s,%s,KIS,Klub,Busko\n" % (i, log) for i in names))
            node.ctl("import", table, *WHY)
            node.ctl("put", "entity", names[0], "place=Kielce", "--reason", "moved", "--source", "letter 7")
            node.ctl("put", "entity", names[0], "place=", "status=active", *WHY)
            self.add(node, "pl%s-net-x" % log, name="Forum")
            node.ctl("retire", names[4], "--reason", "closed", "--source", "resolution 2")
        self.until_confirmed()
        self.until_folded(self.server)

    def until_exported(self, daemon_log, size):
        path = os.path.join(self.export, daemon_log, "checkpoint")

        def there():
            if not os.path.exists(path):
                return False
            with open(path, encoding="utf-8") as f:
                return int(f.read().split("\n")[1]) >= size
        n.wait_for("the export has %s up to %d" % (daemon_log, size), there, 60)

    def test_node_server_store_and_export_tell_the_same(self):
        self.edit()
        told = self.log(self.node)
        self.assertEqual(places(told), [("26", i) for i in reversed(range(5))])
        size = self.server.status()["size"]
        for log in self.logs:
            self.until_exported(log, 5)
        self.until_exported("national", size)
        for daemon in (self.server, self.node):
            self.assertEqual(bare(self.log(daemon, "--log", "26")), told)
            self.assertEqual(bare(self.stored(daemon.data, "--log", "26")), told)
        self.assertEqual(bare(self.stored(self.export, "--log", "26")), told)
        self.assertEqual(bare(self.stored(os.path.join(self.export, "26"))), told)
        whole = self.log(self.server)
        self.assertEqual(self.stored(self.server.data), whole)
        self.assertEqual(self.stored(self.export), whole)
        # the order is the national one: what was accepted last comes first
        entries = [e["national"] for e in whole]
        self.assertEqual(entries, sorted(entries, reverse=True))
        self.assertEqual(sorted(places(whole)), [(log, i) for log in self.logs for i in range(5)])
        national = self.log(self.server, "--national")
        self.assertEqual([e["index"] for e in national], list(reversed(range(size))))
        for source in (self.server.data, self.export, os.path.join(self.export, "national")):
            self.assertEqual(self.stored(source, "--national"), national)
        accepted = {(e["of"], i) for e in national if e["kind"] == "accepted" for i in range(e["from"], e["size"])}
        self.assertEqual(accepted, set(places(whole)))
        self.assertEqual([(e["of"], e["by"], e["reason"]) for e in national if e["kind"] == "enrol"],
                         [(log, "a01", "agreement with the office") for log in reversed(self.logs)])

    def test_each_change_is_told_from_and_to_with_who_and_why(self):
        self.edit()
        cleared, moved, imported = self.log(self.node, "--record", "pl26-kis-x0")
        self.assertEqual(cleared["changes"][0]["fields"],
                         [{"field": "place", "from": "Kielce", "to": ""},
                          {"field": "status", "from": "", "to": "active"}])
        self.assertEqual((moved["editor"], moved["reason"], moved["source"]), ("e01", "moved", "letter 7"))
        change, = moved["changes"]
        self.assertEqual((change["change"], change["supersedes"], change["fields"]),
                         ("changed", imported["index"], [{"field": "place", "from": "Busko", "to": "Kielce"}]))
        self.assertEqual((imported["changes"][0]["change"], imported["others"]), ("added", 4))
        ended = self.log(self.node, "--record", "pl26-kis-x4", "--limit", "1")[0]
        self.assertEqual((ended["changes"][0]["change"], ended["reason"]), ("retired", "closed"))
        text = self.node.ctl("log", "--record", "pl26-kis-x0", "--field", "place").stdout
        self.assertIn('  ~ pl26-kis-x0 (entity)\n      place: "Busko" -> "Kielce"\n', text)
        self.assertIn(", e01: moved (letter 7)\n", text)

    def test_filters_leave_what_they_name(self):
        self.edit()
        for daemon in (self.node, self.server):
            whole = self.log(daemon)

            def those(passes):
                return [(e["log"], e["index"]) for e in whole if any(passes(c) for c in e["changes"])]
            middle = whole[len(whole) // 2]["recorded"]
            for arguments, expected in (
                    (("--record", "pl26-kis-x0"), those(lambda c: c["id"] == "pl26-kis-x0")),
                    (("--kind", "networks"), those(lambda c: c["kind"] == "network")),
                    (("--field", "place"), those(lambda c: any(f["field"] == "place" for f in c["fields"]))),
                    (("--field", "form", "--kind", "entity"), None),
                    (("--editor", "e01"), places(whole)),
                    (("--editor", "e02"), []),
                    (("--region", "26"), [p for p in places(whole) if p[0] == "26"]),
                    (("--region", "24", "--log", "26"), []),
                    (("--since", middle), [(e["log"], e["index"]) for e in whole if e["recorded"] >= middle]),
                    (("--until", middle), [(e["log"], e["index"]) for e in whole if e["recorded"] <= middle]),
                    (("--since", "2020-01-01", "--until", "2020-12-31"), []),
                    (("--since", "2020-01-01", "--limit", "3"), places(whole)[:3])):
                if expected is None:
                    self.assertEqual(daemon.ctl("log", *arguments, check=False).returncode, 2)
                else:
                    self.assertEqual(places(self.log(daemon, *arguments)), expected, arguments)
                    self.assertTrue(expected or "e02" in arguments or "2020-12-31" in arguments or "--log" in arguments)
            none = daemon.ctl("log", "--editor", "e02")
            self.assertEqual(none.stdout, "")
            self.assertIn("nothing in it is what the options ask for", none.stderr)
            self.assertEqual(daemon.ctl("log", "--editor", "e02", "--json").stderr, "")
            self.assertEqual(daemon.ctl("log", "--editor", "e01").stderr, "")
        self.assertEqual(self.node.ctl("log", "--national", check=False).returncode, 1)
        self.assertEqual(self.server.ctl("log", "--log", "30", check=False).returncode, 1)
        self.assertEqual(self.server.ctl("log", "--since", "yesterday", check=False).returncode, 2)
        self.assertEqual(self.server.ctl("log", "--follow", "--until", "2030-01-01", check=False).returncode, 2)

    def follow(self, daemon, *arguments):
        """A running --follow: the process, and the events it has told, which grow."""
        process = subprocess.Popen([self.nation.program("splotctl"), "log", "--follow", "--json", *arguments,
                                    "--socket", daemon.socket],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        told = []

        def read():
            for line in process.stdout:
                told.append(json.loads(line))
        thread = threading.Thread(target=read)
        thread.start()

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            thread.join(10)
            process.stdout.close()
            process.stderr.close()
        self.addCleanup(end)
        return process, told

    def test_a_log_is_followed_through_a_restart_until_a_signal(self):
        self.add(self.node, "pl26-kis-a")
        self.until_confirmed()
        followed = [self.follow(daemon) for daemon in (self.node, self.server)]
        for _, told in followed:
            n.wait_for("what was there is told", lambda t=told: len(t) == 1)
        self.add(self.node, "pl26-kis-b")
        for _, told in followed:
            n.wait_for("what came is told", lambda t=told: len(t) == 2)
        for daemon in (self.server, self.node):
            daemon.stop()
            daemon.start()
        self.node.await_open()
        self.node.ctl("put", "entity", "pl26-kis-a", "place=Busko", *WHY)
        for process, told in followed:
            n.wait_for("what came after the restart is told", lambda t=told: len(t) == 3)
            self.assertEqual(places(told), [("26", 0), ("26", 1), ("26", 2)])
            self.assertEqual(told[2]["changes"][0]["fields"], [{"field": "place", "from": "", "to": "Busko"}])
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(10), 0)

    def test_a_limit_ends_following(self):
        self.edit()
        done = self.server.ctl("log", "--follow", "--json", "--limit", "4")
        self.assertEqual(places(lines(done)), places(self.log(self.server))[::-1][:4])

    def test_what_was_erased_and_what_a_log_says_of_itself_is_named(self):
        self.edit()
        erased, index = "pl26-kis-x0", 1
        self.server.ctl("redact", "26", str(index), "--reason", "a name stood in it")
        self.nation.ctl("keygen", "--rotate", self.node.keys)

        def rotated():  # both begin anew to erase: no edits are taken for a moment
            return self.node.ctl("rotate", "--reason", "yearly", check=False).returncode == 0
        n.wait_for("the key is another", rotated)

        def done():
            found = [lines(d.ctl("log", "--json", "--log", "26", check=False)) for d in (self.server, self.node)]
            return all(len(f) == 6 and "redacted" in f[-1 - index] for f in found) and found
        seen = n.wait_for("both have erased it and know the new key", done, 60)
        self.until_folded(self.server)
        for daemon, whole in zip((self.server, self.node), seen):
            act, gone, after = whole[0], whole[-1 - index], whole[-2 - index]
            self.assertEqual(act["act"]["kind"], "rotates")
            self.assertEqual((act["changes"], act["reason"]), ([], "yearly"))
            self.assertIn("splot.example/region/26+", act["act"]["log_key"])
            self.assertTrue(gone["redacted"])
            # what came after it is told with all that it says, and that what was before is not known
            self.assertFalse(after["changes"][0]["before_known"])
            self.assertIn(" redacted", daemon.ctl("log", "--log", "26").stdout)
            self.assertNotIn(("26", index), places(self.log(daemon, "--record", erased)))
            self.assertEqual(self.stored(daemon.data, "--log", "26")[0], act)
        for daemon in (self.server, self.node):
            for found in (self.log(daemon, "--log", "26"), self.stored(daemon.data, "--log", "26")):
                told = found[-1 - index]["redaction"]
                self.assertEqual((told["by"], told["reason"]), ("a01", "a name stood in it"))
        acts = {e["kind"]: e for e in self.log(self.server, "--national", "--limit", "4") if e["kind"] != "accepted"}
        self.assertEqual([acts["redact"][key] for key in ("of", "event", "by")], ["26", index, "a01"])
        self.assertEqual([acts["rotate"][key] for key in ("of", "event", "by")], ["26", 5, "e01"])
        self.assertEqual(seen[0][-1 - index]["redaction"]["national"], acts["redact"]["index"])


if __name__ == "__main__":
    story.main()
