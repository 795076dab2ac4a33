"""Every verb of splotctl as scripts use it: help, JSON with the documented keys, exit codes."""
import json
import os

import nation as n
import story

VERBS = """status summary import export put retire confirm get list history keygen enrol server-card trust
waive check-config""".split()
WHY = ("--reason", "test", "--source", "note 1")
VERSION = {"kind", "id", "log", "index", "position", "recorded", "editor", "reason", "source", "retired",
           "supersedes", "record"}


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
        for verb in VERBS:
            self.assertIn("\n  %s " % verb, shown)
            told = self.nation.ctl(verb, "--help").stdout
            self.assertIn("Examples:\n  splotctl %s" % verb, told)

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
                         {"log", "position", "files"})
        self.assertEqual(self.keys(node, "status"), {"role", "log", "realm", "state", "note", "started", "size",
                                                     "position", "servers", "refusals"})
        self.assertEqual(self.keys(server, "status"), {"role", "server", "realm", "state", "note", "started", "size",
                                                       "position", "logs", "refusals"})
        self.assertEqual(self.keys(server, "trust", "list"), {"trust"})
        self.assertEqual(self.keys(server, "trust", "revoke", "26", "--reason", "r"), {"done", "name", "reason", "size"})
        self.assertEqual(self.keys(node, "waive", "centrum", "--reason", "r"), {"done", "name", "reason", "size"})
        row = {"metric", "region", "kind", "key", "value"}
        for told in node.json("summary"):
            self.assertEqual(set(told), row)
        card = json.loads(self.nation.ctl("server-card", "--keys", server.keys, "--json").stdout)
        with open(server.card, encoding="utf-8") as f:
            self.assertEqual(card["document"], f.read())
        checked = json.loads(self.nation.ctl("check-config", node.config, "--json").stdout)
        self.assertEqual((set(checked), checked["fine"]), ({"file", "program", "fine", "said"}, True))

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
