"""The API as programs see it: every answer of splot-web held against the description that it serves,
and against what splotctl says of the same register."""
import base64
import csv
import gzip
import io
import json
import os
import re
import shutil
import threading
import time
import unittest
import urllib.parse

import nation as n
import story
from contract import API, Contract, Events

WHY = ("--reason", "test", "--source", "note 1")
LOGS = ["24", "26", "PL"]
PLURALS = {"operator": "operators", "entity": "entities", "network": "networks", "membership": "memberships",
           "statistic": "statistics"}
RANGES = ("date", "uint", "decimal")


def import_sample(node):
    node.ctl("import", "--own", *(os.path.join(story.SAMPLE, plural + ".csv") for plural in n.KINDS))


class Api(unittest.TestCase):
    """One nation with the sample register for all tests; each edits what is its own."""

    @classmethod
    def setUpClass(cls):
        cls.nation = n.Nation(story.BIN)
        cls.addClassCleanup(cls.nation.close)
        cls.export = os.path.join(cls.nation.folder, "export")
        cls.server = cls.nation.up(regions=LOGS, server_config={"export": cls.export})
        cls.nodes = cls.nation.nodes
        for node in cls.nodes.values():
            import_sample(node)
        cls.settle()
        terc = os.path.join(cls.nation.folder, "terc.csv")
        with open(terc, "w", encoding="utf-8") as f:
            f.write("teryt,name\n2604,kielecki\n2661,Kielce\n2405,gliwicki\n")
        cls.web = cls.nation.add_web(cls.server, export=cls.export, terc=terc, site={"body": "Urząd"}).start()
        cls.beside = cls.nation.add_web(cls.nodes["26"]).start()
        status, _, body = cls.web.ask(API + "/openapi.json")
        assert status == 200
        cls.contract = Contract(json.loads(body))
        cls.columns = {kind["name"]: kind["columns"] for kind in cls.web.get(API + "/columns")["kinds"]}

    @classmethod
    def settle(cls):
        """Every edit is confirmed and folded."""
        for node in cls.nodes.values():
            n.wait_for("%s confirmed" % node.name, node.confirmed)
        n.wait_for("the view caught up", lambda: (lambda s: s["position"] == s["size"])(cls.server.status()))

    @classmethod
    def caught_up(cls):
        """splot-web shows what the server has folded; the position."""
        cls.settle()
        size = cls.server.status()["size"]
        n.wait_for("splot-web caught up", lambda: cls.web.get(API + "/status")["position"] == size)
        return size

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print("\n".join("--- %s\n%s" % (d.name, d.log_tail(20)) for d in self.nation.daemons()))

    def ask(self, url, expected=200, web=None, headers=None, described=True):
        """An answer that is as described; its value."""
        status, got, body = (web or self.web).ask(url, headers=headers)
        self.assertEqual(status, expected, "%s: %s" % (url, body[:500]))
        return self.contract.check_exchange(url, status, got, body, described)

    def all_of(self, kind, query="", limit=1000):
        """Every record of a list, page by page."""
        url = "%s/%s?limit=%d%s" % (API, PLURALS[kind], limit, query)
        records = []
        while url:
            page = self.ask(url)
            records += page["records"]
            url = page["next"]
        self.assertEqual(len(records), page["total"])
        return records

    # ---- the description ----

    def test_the_description_holds_together_and_names_what_the_index_names(self):
        self.contract.check_document()
        described = {path for path in self.contract.document["paths"] if path.startswith(API)}
        self.assertEqual({row["path"] for row in self.ask(API)["endpoints"]}, described)
        self.assertNotIn('"@', json.dumps(self.contract.document))

    def test_every_endpoint_answers_as_described_at_a_server_and_beside_a_node(self):
        record = self.all_of("entity", "&region=26")[0]["id"]
        names = {"region": "26", "id": record, "log": "26", "index": "0", "tile": "0/000.p/%d"}
        n.wait_for("the export", lambda: self.web.ask(API + "/logs/26/proof/0?national=1")[0] == 200)
        size = int(self.ask(API + "/logs/26/checkpoint").split("\n")[1])
        names["tile"] = "0/000.p/%d" % size
        for web in (self.web, self.beside):
            logs = web is self.web
            for path in self.contract.document["paths"]:
                if path == API + "/events" or path.endswith("/redacted") or ("/logs/" in path and not logs):
                    continue
                self.ask(re.sub(r"{(\w+)}", lambda m: names[m.group(1)], path), web=web)
        self.assertEqual(self.ask(API + "/site")["texts"], {"body": "Urząd"})
        self.assertEqual(self.ask(API + "/site", web=self.beside)["region"], "26")
        self.assertTrue(self.ask(API + "/coverage")["configured"])
        self.assertFalse(self.ask(API + "/coverage", web=self.beside)["configured"])
        for path in (API + "/logs/26/checkpoint", API + "/logs/26/proof/0"):
            self.ask(path, 404, web=self.beside)

    def test_what_cannot_be_answered_is_a_problem_with_a_way_out(self):
        for url in ("/nothing", "/entities/x", "/records/pl26-kis-never", "/records/pl26-kis-never/history",
                    "/regions/33", "/logs/26/proof/999999", "/logs/26/proof/x", "/logs/98/proof/0",
                    "/logs/26/nothing", "/entities?as_of=999999999", "/summary?as_of=999999999"):
            self.ask(API + url, 404, described=False)
        for url in ("/entities?limit=0", "/entities?limit=1001", "/entities?sort=x", "/entities?cursor=x",
                    "/entities?nothing=1", "/entities?facets=nothing", "/entities?started_on.from=x",
                    "/entities?as_of=x", "/changes?kind=x", "/changes?from=2026", "/changes?before=x",
                    "/changes?limit=201", "/summary?x=1", "/status?as_of=1", "/events?x=1",
                    "/records/pl26-kis-bilcza/history?before=x", "/logs/26/proof/0?national=2",
                    "/logs/26/proof/0?size=1", "/logs/26/proof/0?national=1&size=0", "/logs/26/proof/5?national=1&size=5"):
            problem = self.ask(API + url, 400, described=False)
            self.assertGreater(len(problem["next"]), 10)
        for url in ("/entities", "/summary", "/records/x", "/openapi.json"):
            self.ask(API + url, 406, headers={"Accept": "image/png"}, described=False)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            status, headers, body = self.web.ask(API + "/entities", method=method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            self.contract.check_problem(status, headers, body, method)

    def test_before_there_is_a_register_it_says_so_and_when_to_ask_again(self):
        server = n.Server(self.nation, "nobody").make()
        web = self.nation.add_web(server, name="web-nothing").start(wait=False)
        n.wait_for("it answers", lambda: self.answers(web))
        for path in ("/summary", "/entities", "/records/x", "/events"):
            status, headers, body = web.ask(API + path)
            self.assertEqual(status, 503)
            self.assertGreater(int(headers["Retry-After"]), 0)
            self.contract.check_exchange(API + path, status, headers, body)
        self.assertEqual([web.ask(path)[0] for path in ("/healthz", "/readyz")], [200, 503])
        self.assertEqual(web.stop(), 0)

    @staticmethod
    def answers(web):
        try:
            return web.ask("/healthz")[0] == 200
        except OSError:
            return False

    # ---- lists ----

    def expect(self, kind, records, column, value, query, fits, at):
        """A filter leaves just those that fit."""
        url = "%s/%s?%s&limit=1000&as_of=%d" % (API, PLURALS[kind], urllib.parse.urlencode(query), at)
        found = [row["id"] for row in self.ask(url)["records"]]
        self.assertEqual(sorted(found), sorted(row["id"] for row in records if fits(row[column])), url)

    def test_each_filter_of_each_kind_leaves_what_it_says(self):
        at = self.caught_up()
        for kind, columns in self.columns.items():
            records = self.all_of(kind, "&as_of=%d" % at)
            self.assertTrue(records)
            for column in columns:
                name = column["name"]
                exact = name + ".is" if name == "as_of" else name
                known = sorted({row[name] for row in records if row[name] is not None})
                some = known[:1] + known[-1:]
                self.expect(kind, records, name, None, [(exact, "")], lambda x: x is None, at)
                if some:
                    self.expect(kind, records, name, None, [(exact, x) for x in some], lambda x: x in some, at)
                    start = some[0][:3]
                    self.expect(kind, records, name, None, [(name + ".starts", start)],
                                lambda x: (x or "").startswith(start), at)
                if some and column["type"] in RANGES:
                    self.check_ranges(kind, records, column, known, at)
                elif not some:
                    self.expect(kind, records, name, None, [(exact, "x")], lambda x: False, at)

    def check_ranges(self, kind, records, column, known, at):
        name, middle = column["name"], known[len(known) // 2]
        if column["type"] == "date":
            def first(x): return (x + "-01-01")[:10] if len(x) == 4 else (x + "-01")[:10]
            def last(x): return (x + "-12-31")[:10] if len(x) == 4 else (x + "-31")[:10]
        else:
            first = last = float
        self.expect(kind, records, name, None, [(name + ".from", middle)],
                    lambda x: x is not None and last(x) >= first(middle), at)
        self.expect(kind, records, name, None, [(name + ".to", middle)],
                    lambda x: x is not None and first(x) <= last(middle), at)
        self.expect(kind, records, name, None, [(name + ".from", middle), (name + ".to", middle)],
                    lambda x: x is not None and last(x) >= first(middle) and first(x) <= last(middle), at)

    def test_each_sort_goes_both_ways_with_what_is_unknown_at_the_end(self):
        at = self.caught_up()
        for kind, columns in self.columns.items():
            for column in columns:
                name = column["name"]
                up, down = (self.all_of(kind, "&as_of=%d&sort=%s%s" % (at, sign, name)) for sign in ("", "-"))
                self.assertEqual({row["id"] for row in up}, {row["id"] for row in down})
                values = [row[name] for row in up]
                known = [x for x in values if x is not None]
                self.assertEqual(values, known + [None] * (len(values) - len(known)), name)
                self.assertEqual([row[name] for row in down], known[::-1] + values[len(known):], name)
                if column["type"] in ("uint", "decimal"):
                    self.assertEqual([float(x) for x in known], sorted(float(x) for x in known))
                elif column["type"] in ("date", "bool", "teryt4", "teryt7"):
                    self.assertEqual(known, sorted(known), name)
        places = [row["place"] for row in self.all_of("entity", "&as_of=%d&sort=place&region=24" % at) if row["place"]]
        alphabet = "aąbcćdeęfghijklłmnńoóprsśtuwyzźż"
        self.assertEqual(places, sorted(places, key=lambda x: [alphabet.find(c) for c in x.lower()]))

    def test_a_search_finds_by_beginnings_of_words_without_polish_marks(self):
        at = self.caught_up()
        fold = str.maketrans("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", "acelnoszzACELNOSZZ")
        for row in self.all_of("entity", "&as_of=%d" % at):
            words = [w.translate(fold).lower() for w in re.findall(r"\w+", row["name"])][:8]
            url = "%s/entities?as_of=%d&q=%s" % (API, at, urllib.parse.quote(" ".join(w[:4] for w in words)))
            self.assertIn(row["id"], [found["id"] for found in self.ask(url)["records"]])
        self.assertEqual(self.ask(API + "/entities?q=xyzzyx")["total"], 0)

    def test_facets_sum_up_whatever_is_filtered_on_their_own_column(self):
        at = self.caught_up()
        for kind, columns in self.columns.items():
            records = self.all_of(kind, "&as_of=%d" % at)
            names = [c["name"] for c in columns if c["type"] in ("enum", "region", "bool")]
            for some in (names[i:i + 8] for i in range(0, len(names), 8)):
                url = "%s/%s?as_of=%d&limit=1&facets=%s" % (API, PLURALS[kind], at, ",".join(some))
                for facet in self.ask(url)["facets"]:
                    self.assertEqual({v["value"]: v["count"] for v in facet["values"]},
                                     self.counted(records, facet["field"]))
                    self.assertEqual(facet["distinct"], len(facet["values"]))
        page = self.ask("%s/entities?as_of=%d&facets=kind,status&kind=KIS" % (API, at))
        entities = self.all_of("entity", "&as_of=%d" % at)
        kinds, states = ({v["value"]: v["count"] for v in facet["values"]} for facet in page["facets"])
        self.assertEqual(kinds, self.counted(entities, "kind"))
        self.assertEqual(states, self.counted([e for e in entities if e["kind"] == "KIS"], "status"))
        self.assertEqual(sum(states.values()), page["total"])

    @staticmethod
    def counted(records, name):
        found = {}
        for row in records:
            found[row[name]] = found.get(row[name], 0) + 1
        return found

    def test_pages_neither_repeat_nor_skip_while_others_are_edited(self):
        quiet = {row["id"] for row in self.all_of("entity", "&region=24")}
        self.assertGreater(len(quiet), 5)
        node, stop, edits = self.nodes["26"], threading.Event(), []

        def edit():
            while not stop.is_set():
                number = len(edits)
                node.ctl("put", "entity", "pl26-kis-new-%d" % number, "--new", "kind=KIS", "region=26",
                         "name=%s" % "AŁŻCZ"[number % 5], *WHY)
                node.ctl("put", "entity", "pl26-kis-new-%d" % (number // 2), "name=%s" % "ŻAKŁM"[number % 5], *WHY)
                edits.append(number)
        thread = threading.Thread(target=edit)
        thread.start()
        try:
            for sort in ("name", "-status", "-id"):
                self.walk(sort, quiet, edits)
        finally:
            stop.set()
            thread.join()
        at = self.caught_up()
        whole = [row["id"] for row in self.all_of("entity", "&as_of=%d&sort=name" % at)]
        self.assertEqual([row["id"] for row in self.all_of("entity", "&as_of=%d&sort=name" % at, limit=3)], whole)

    def walk(self, sort, quiet, edits):
        """Page by page, with an edit between each two."""
        seen, positions, url = [], set(), "%s/entities?limit=4&sort=%s" % (API, sort)
        while url:
            page = self.ask(url)
            positions.add(page["position"])
            seen += [row["id"] for row in page["records"] if row["id"] in quiet]
            url, before = page["next"], len(edits)
            n.wait_for("an edit", lambda: len(edits) > before)
        self.assertEqual(sorted(seen), sorted(quiet), sort)
        self.assertGreater(len(positions), 4, "nothing was edited meanwhile")

    # ---- CSV ----

    def exported(self, daemon, *arguments):
        folder = os.path.join(self.nation.folder, "out")
        shutil.rmtree(folder, ignore_errors=True)
        daemon.ctl("export", "--dir", folder, *arguments)
        files = {}
        for plural in n.KINDS:
            with open(os.path.join(folder, plural + ".csv"), "rb") as f:
                files[plural] = f.read()
        return files

    def lists_as_csv(self, query, web=None):
        return {plural: (web or self.web).ask("%s/%s.csv?sort=id%s" % (API, plural, query))[2] for plural in n.KINDS}

    def test_csv_and_states_of_the_past_are_those_of_splotctl_export(self):
        node = self.nodes["24"]
        before = self.caught_up()
        then = self.ask(API + "/summary")["time"]
        node.ctl("put", "entity", "pl24-kis-later", "--new", "kind=KIS", "region=24", "name=Klub", *WHY)
        now = self.caught_up()
        for at in (before, now):
            files = self.exported(self.server, "--as-of", str(at))
            self.assertEqual(self.lists_as_csv("&as_of=%d" % at), files)
        files = self.exported(self.server, "--as-of", then)
        self.assertEqual(self.lists_as_csv("&as_of=" + then), files)
        self.assertNotIn(b"pl24-kis-later", files["entities"])
        self.assertEqual(self.lists_as_csv(""), self.exported(self.server))
        self.assertEqual(self.lists_as_csv("", web=self.beside), self.exported(self.nodes["26"]))
        # a day that is not over is now, one before the first entry is empty
        today = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400))
        self.assertEqual(self.ask(API + "/summary?as_of=" + today)["position"], now)
        empty = self.ask(API + "/entities?as_of=2020-02-29")
        self.assertEqual((empty["position"], empty["time"], empty["total"]), (0, None, 0))
        self.assertEqual(self.ask(API + "/summary?as_of=0")["totals"]["entities"], 0)

    def test_csv_has_the_rows_of_json_and_no_formulas(self):
        node = self.nodes["26"]
        cells = {"=1+1": "'=1+1", "+48 41 000": "'+48 41 000", "@SUM(A1)": "'@SUM(A1)", "-x": "'-x", "-5": "-5",
                 "a, \"b\"": "a, \"b\""}
        for number, cell in enumerate(cells):
            node.ctl("put", "operator", "pl26-op-cell-%d" % number, "--new", "name=Cell", "region=26",
                     "note=" + cell, *WHY)
        at = self.caught_up()
        for kind, columns in self.columns.items():
            status, headers, body = self.web.ask("%s/%s?as_of=%d&sort=-id" % (API, PLURALS[kind], at),
                                                 headers={"Accept": "text/csv"})
            text = self.contract.check_exchange("%s/%s?as_of=%d&sort=-id" % (API, PLURALS[kind], at), status, headers, body)
            rows = list(csv.reader(io.StringIO(text, newline="")))
            self.assertEqual(rows[0], [c["name"] for c in columns])
            expected = [[row[c["name"]] or "" for c in columns] for row in self.all_of(kind, "&as_of=%d&sort=-id" % at)]
            self.assertEqual([[cells.get(x, x) for x in row] for row in expected], rows[1:])
        body = self.ask("%s/operators.csv?q=cell&as_of=%d" % (API, at))
        for cell in ("\"'=1+1\"", "\"'+48 41 000\"", "\"'@SUM(A1)\"", "\"'-x\"", ",-5\r\n", "\"a, \"\"b\"\"\""):
            self.assertIn(cell, body)

    # ---- HTTP ----

    def test_what_is_unchanged_is_304_and_packed_bodies_are_the_same(self):
        url = API + "/entities?limit=1000&region=24"
        status, headers, plain = self.web.ask(url)
        self.contract.check_exchange(url, status, headers, plain)
        tag = headers["ETag"]
        for asked in (tag, "W/" + tag, '"x", %s' % tag, "*"):
            status, headers, body = self.web.ask(url, headers={"If-None-Match": asked})
            self.assertEqual((status, body, headers["ETag"]), (304, b"", tag))
            self.contract.check_exchange(url, status, headers, body)
        self.assertEqual(self.web.ask(url, headers={"If-None-Match": '"x"'})[0], 200)
        status, headers, packed = self.web.ask(url, headers={"Accept-Encoding": "gzip"})
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed), plain)
        self.assertNotEqual(headers["ETag"], tag)
        self.assertEqual(self.web.ask(url, headers={"If-None-Match": headers["ETag"], "Accept-Encoding": "gzip"})[0], 304)
        status, headers, body = self.web.ask(url, method="HEAD")
        self.assertEqual((status, body, headers["ETag"], int(headers["Content-Length"])), (200, b"", tag, len(plain)))
        self.nodes["24"].ctl("put", "entity", "pl24-kis-tag", "--new", "kind=KIS", "region=24", "name=Klub", *WHY)
        at = self.caught_up()
        status, headers, body = self.web.ask(url, headers={"If-None-Match": tag})
        self.assertEqual((status, headers["Splot-Position"]), (200, str(at)))
        self.assertEqual(self.web.ask("%s/summary?as_of=%d" % (API, at - 1))[1]["Cache-Control"], "public, max-age=3600")
        self.assertEqual(self.web.ask(API + "/summary")[1]["Cache-Control"], "no-cache")

    # ---- records ----

    def test_references_are_resolved_both_ways(self):
        at = self.caught_up()
        everything = {kind: self.all_of(kind, "&as_of=%d" % at) for kind in self.columns}
        ids = {kind: {row["id"] for row in records} for kind, records in everything.items()}
        refer = {}
        for kind, columns in self.columns.items():
            for column in (c for c in columns if c["type"] == "ref"):
                for row in everything[kind]:
                    if row[column["name"]]:
                        refer.setdefault((column["refers_to"], row[column["name"]]), set()).add(
                            (kind, column["name"], row["id"]))
        unresolved = 0
        for kind, records in everything.items():
            for row in records:
                answer = self.ask("%s/records/%s?as_of=%d" % (API, row["id"], at))
                self.assertEqual(answer["record"], row)
                for reference in answer["refers"]:
                    column, = (c for c in self.columns[kind] if c["name"] == reference["field"])
                    self.assertEqual(row[reference["field"]], reference["id"])
                    self.assertEqual(reference["resolved"], reference["id"] in ids[column["refers_to"]])
                    unresolved += not reference["resolved"]
                self.assertEqual({(r["kind"], r["field"], r["id"]) for r in answer["referred"]},
                                 refer.get((kind, row["id"]), set()))
        self.assertGreater(unresolved, 0)  # the sample's networks name entities of regions that are not here

    def test_a_history_is_that_of_splotctl_also_of_a_record_that_ended(self):
        node, name = self.nodes["26"], "pl26-kis-story"
        node.ctl("put", "entity", name, "--new", "kind=KIS", "region=26", "name=Klub", *WHY)
        for place in ("Busko", "", "Kielce"):
            node.ctl("put", "entity", name, "place=" + place, "--reason", "moved", "--source", "letter")
        node.ctl("retire", name, *WHY)
        self.caught_up()
        told = self.server.json("history", name)["versions"]
        self.assertEqual(len(told), 5)
        for limit in (1, 2, 200):
            found, url = [], "%s/records/%s/history?limit=%d" % (API, name, limit)
            while url:
                page = self.ask(url)
                self.assertEqual((page["title"], page["kind"]), ("Klub", "entity"))
                found += page["versions"]
                url = page["next"]
            record = {}
            for v, is_told in zip(reversed(found), reversed(told), strict=True):
                for member in ("log", "index", "position", "recorded", "editor", "reason", "source", "retired"):
                    self.assertEqual(v[member], is_told[member])
                for d in v["diff"]:
                    self.assertEqual(record.get(d["field"]), d["from"])
                    record[d["field"]] = d["to"]
                if not v["retired"]:
                    self.assertEqual({k: x for k, x in dict(record, id=name).items() if x is not None},
                                     {k: x for k, x in is_told["record"].items() if x is not None})
            self.assertEqual([v["created"] for v in found], [False] * 4 + [True])
        answer = self.ask("%s/records/%s" % (API, name))
        self.assertEqual((answer["title"], answer["retired"], answer["record"]), ("Klub", True, None))

    # ---- changes ----

    def told_changes(self, *arguments):
        """What splotctl log says, in the words of the API."""
        lines = self.server.ctl("log", "--json", *arguments).stdout.splitlines()
        found = []
        for entry in map(json.loads, lines):
            for change in reversed(entry["changes"]):
                fields = [{"field": f["field"], "from": f["from"] or None, "to": f["to"] or None}
                          for f in change["fields"]]
                found.append((entry["national"], entry["log"], entry["index"], entry["recorded"], entry["editor"],
                              entry["reason"], entry["source"], change["kind"], change["id"], fields))
        return found

    def found_changes(self, query, limit=200):
        found, url = [], "%s/changes?limit=%d%s" % (API, limit, query)
        while url:
            page = self.ask(url)
            found += page["changes"]
            url = page["next"]
        places = [tuple(map(int, c["place"].split("-"))) for c in found]
        self.assertEqual(places, sorted(set(places), reverse=True))
        return [(c["position"], c["log"], c["index"], c["recorded"], c["editor"], c["reason"], c["source"] or "",
                 c["kind"], c["id"], c["diff"]) for c in found]

    def test_changes_are_those_of_splotctl_log_by_every_filter(self):
        node = self.nodes["PL"]
        node.ctl("put", "operator", "pl-op-change", "--new", "name=A", "region=PL", *WHY)
        node.ctl("put", "operator", "pl-op-change", "name=B", *WHY)
        self.caught_up()
        told = self.told_changes()
        self.assertEqual(self.found_changes(""), told)
        self.assertEqual(self.found_changes("", limit=7), told)
        for query, arguments in (("&id=pl-op-change", ("--record", "pl-op-change")), ("&log=24", ("--region", "24")),
                                 ("&kind=network", ("--kind", "network")), ("&editor=e01", ("--editor", "e01")),
                                 ("&editor=e99", ("--editor", "e99")), ("&to=2020-01-01", ("--until", "2020-01-01")),
                                 ("&from=2020-01-01", ("--since", "2020-01-01"))):
            self.assertEqual(self.found_changes(query), self.told_changes(*arguments), query)
        self.assertEqual(self.found_changes("&field=operator_id"),
                         [c for c in told if any(f["field"] == "operator_id" for f in c[-1])])
        self.assertEqual(self.found_changes("&region=PL&kind=statistic"),
                         [c for c in told if c[8].startswith("st-pl-")])
        kinds = {row["id"]: row["kind"] for row in self.all_of("entity")}
        cis = [c for c in self.found_changes("&entity_kind=CIS") if c[8] in kinds]
        self.assertTrue(cis and all(kinds[c[8]] == "CIS" for c in cis))

    def saved(self, url, name):
        """A file that is offered under that name."""
        status, headers, body = self.web.ask(url)
        self.assertEqual(status, 200, body)
        self.contract.check_exchange(url, status, headers, body)
        self.assertEqual(headers["Content-Disposition"], 'attachment; filename="%s"' % name)
        path = os.path.join(self.nation.folder, name)
        with open(path, "wb") as f:
            f.write(body)
        return path

    def test_a_proof_is_one_that_splotctl_audit_check_accepts(self):
        at = self.caught_up()
        n.wait_for("the export", lambda: self.web.ask(API + "/logs/26/proof/0?national=1")[0] == 200)
        keys = os.path.join(self.nation.folder, "keys.txt")
        with open(keys, "w", encoding="utf-8") as f:
            f.write("".join(self.ask("%s/logs/%s/log.vkey" % (API, log)) for log in ("26", "national")))
        change = next(c for c in self.ask("%s/changes?log=26&limit=200&as_of=%d" % (API, at))["changes"] if c["index"] == 0)
        self.assertEqual(change["proof"], API + "/logs/26/proof/0")
        first = self.saved(change["proof"], "splot-26-0.tlog-proof")
        with open(first, encoding="utf-8") as f:
            size = int(f.read().split("\n\n")[1].split("\n")[1])
        # the log goes on before the second file is asked for
        self.nodes["26"].ctl("put", "entity", "pl26-kis-proof", "--new", "kind=KIS", "region=26", "name=Klub", *WHY)
        n.wait_for("the export", lambda: int(self.ask(API + "/logs/26/checkpoint").split("\n")[1]) > size)
        names = [first, self.saved("%s?national=1&size=%d" % (change["proof"], size), "splot-26-0.national.tlog-proof")]
        done = self.nation.ctl("audit", "check", *names, "--keys", keys)
        self.assertIn(change["id"], done.stdout)
        with open(first, "rb") as f:
            proof = f.read()
        event = re.search(rb"^extra (\S+)$", proof, re.M).group(1)
        other = base64.b64encode(base64.b64decode(event)[:-1] + b"x")
        with open(first, "wb") as f:
            f.write(proof.replace(event, other))
        self.assertEqual(self.nation.ctl("audit", "check", first, "--keys", keys, check=False).returncode, 3)

    # ---- events ----

    def test_edits_are_told_as_they_happen_and_again_to_who_was_away(self):
        node, name = self.nodes["26"], "pl26-kis-told"
        with Events(self.web, self.contract) as everything, Events(self.web, self.contract, "?region=24") as other:
            hello = everything.next("hello")
            other.next("hello")
            self.assertEqual(hello["identity"], "centrum")
            node.ctl("put", "entity", name, "--new", "kind=KIS", "region=26", "name=Klub", *WHY)
            told, number = everything.next_change(name)
            self.assertEqual((told["log"], told["more"]), ("26", 0))
            self.assertEqual(told["changes"], [{"kind": "entity", "id": name, "title": "Klub", "region": "26",
                                                "created": True, "retired": False, "fields": ["region", "kind", "name"]}])
            self.assertEqual(told["position"], number)
            self.assertGreaterEqual(number, hello["position"])
            node.ctl("put", "entity", name, "place=Busko", "status=active", *WHY)
            self.assertEqual(everything.next_change(name)[0]["changes"][0]["fields"], ["place", "status"])
            node.ctl("retire", name, *WHY)
            last, _ = everything.next_change(name)
            self.assertTrue(last["changes"][0]["retired"])
            self.nodes["24"].ctl("put", "entity", "pl24-kis-told", "--new", "kind=KIS", "region=24", "name=K", *WHY)
            self.assertEqual([c["region"] for c in other.next_change("pl24-kis-told")[0]["changes"]], ["24"])
            self.assertEqual(other.others, [])  # nothing of region 26 came before
        with Events(self.web, self.contract, headers={"Last-Event-ID": str(number)}) as again:
            for fields in (["place", "status"], []):
                self.assertEqual(again.next_change(name)[0]["changes"][0]["fields"], fields)
        with Events(self.web, self.contract, "?last_event_id=%d" % (number - 1)) as again:
            self.assertEqual(again.next_change(name), (told, number))
        with Events(self.web, self.contract, headers={"Last-Event-ID": "999999999"}) as again:
            again.next("reset")
        # what was told is what the changes say
        at = self.caught_up()
        found = self.ask("%s/changes?id=%s&as_of=%d" % (API, name, at))["changes"]
        self.assertEqual([c["position"] for c in found][-1], number)
        self.assertEqual([[d["field"] for d in c["diff"]] for c in found],
                         [[], ["place", "status"], ["region", "kind", "name"]])

    # ---- what docs/API.md says ----

    def test_every_question_in_the_documentation_is_described(self):
        with open(os.path.join(story.SOURCE, "docs", "API.md"), encoding="utf-8") as f:
            text = f.read()
        urls = re.findall(r"rejestr\.example(/[^\s'\"`]*)", text)
        self.assertGreater(len(urls), 20)
        for url in urls:
            path, _, query = url.partition("?")
            template, item = self.contract.find(urllib.parse.unquote(path))
            self.contract.check_parameters(item["get"], urllib.parse.parse_qsl(query, keep_blank_values=True), url)
        missing = {path for path in self.contract.document["paths"] if path not in text and
                   not path.endswith((".json", ".csv"))}
        self.assertEqual(missing, set())


if __name__ == "__main__":
    story.main()
