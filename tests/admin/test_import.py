"""What a clerk does, with the real programs: Excel's files, repairs, conflicts, faults half-way."""
import csv
import io
import json
import os
import pty
import subprocess
import threading

import nation as n
import story


class Import(story.Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=self.logs)
        self.node = self.nation.nodes["26"]
        n.wait_for("open", lambda: self.node.status()["state"] == "open")
        self.folder = self.nation.folder

    def write(self, name, rows, encoding="utf-8", delimiter=",", end="\r\n"):
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(text.getvalue().encode(encoding))
        return path

    def load(self, *arguments, code=0):
        done = self.node.ctl("import", *arguments, "--json", check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def field(self, record_id, column):
        return self.node.json("get", record_id)["record"][column]

    def clubs(self, count=3, **fields):
        """Header and rows of clubs with Polish letters in every encoding's own places."""
        names = ["region", "kind", "name", "place", "other_facts"]
        rows = [["id"] + names]
        for i in range(count):
            values = {"region": "26", "kind": "KIS", "name": "Klub „Łąka” %d" % i, "place": "Śniadków-Źrebce",
                      "other_facts": "wiersz\r\ndrugi; \"cytat\", przecinek; średnik"}
            values.update(fields)
            rows.append(["pl26-kis-c%d" % i] + [values[c] for c in names])
        return rows


class Files(Import):
    def test_every_encoding_delimiter_and_line_end_means_the_same(self):
        rows = self.clubs()
        latin = [[cell.replace("„", '"').replace("”", '"') for cell in row] for row in rows]
        self.assertEqual(self.load(self.write("entities.csv", latin))["accepted"]["changes"], 3)
        for encoding in ("utf-8", "utf-8-sig", "cp1250", "iso8859-2"):
            for delimiter in ",;\t":
                for end in ("\r\n", "\n"):
                    path = self.write("entities.csv", latin, encoding, delimiter, end)
                    told = self.load(path)
                    self.assertEqual(told["accepted"]["changes"], 0, (encoding, delimiter, end, told["changed"]))
                    self.assertEqual(told["kinds"][0]["same"], 3)
        self.assertEqual(self.node.status()["size"], 1)
        self.assertEqual(self.field("pl26-kis-c1", "other_facts"), rows[2][5])

    def test_polish_labels_in_any_order_and_a_minted_id(self):
        rows = [["MIEJSCOWOŚĆ", "Rodzaj", "województwo", "nazwa", "kod pocztowy"],
                ["Busko-Zdrój", "KIS", "26", "Klub „Ponidzie”", "28100"]]
        path = self.write("jednostki.csv", rows, "cp1250", ";")
        told = self.load(path)
        self.assertEqual(told["added"][0]["id"], "pl26-kis-busko-zdroj")
        self.assertTrue(told["added"][0]["minted"])
        self.assertEqual(told["repairs"][0]["to"], "28-100")
        self.assertEqual(self.field("pl26-kis-busko-zdroj", "name"), "Klub „Ponidzie”")
        self.assertEqual(self.load(path)["accepted"]["changes"], 0)

    def test_a_bad_row_refuses_all_and_every_problem_is_listed(self):
        rows = self.clubs(4)
        rows[2][1] = "99"
        rows[3][2] = "KLUB"
        rows[4][3] = "zgubione \ufffd"
        told = self.load(self.write("entities.csv", rows), code=3)
        self.assertEqual(sorted({p["row"] for p in told["problems"]}), [3, 4, 5])
        self.assertEqual(self.node.status()["size"], 0)
        told = self.load(self.write("entities.csv", rows), "--skip-bad", code=3)
        self.assertEqual(self.ids(self.node), ["pl26-kis-c0"])
        done = self.node.ctl("import", self.write("entities.csv", rows), "--lang", "pl", check=False)
        self.assertIn("wiersz 3", done.stdout)

    def test_what_is_no_table_is_refused_by_row_and_column(self):
        path = os.path.join(self.folder, "entities.csv")
        for raw, row, column, code in ((b'id,name\r\npl26-kis-a,a"b\r\n', 2, "name", "quote"),
                                       (b'id,name\r\npl26-kis-a,"ab\r\n', 2, "name", "quote"),
                                       (b"", 0, "", "empty-file"),
                                       (b"id,phone\r\n", 1, "phone", "unknown-column"),
                                       (b"id,name,nazwa\r\n", 1, "nazwa", "repeated-column"),
                                       (b"id,name\r\npl26-kis-a\r\n", 2, "", "cells"),
                                       (b"id,name\r\na,\xb9\xb1\r\n", 2, "", "encoding"),
                                       (b"id,name\r\na,\x00\r\n", 2, "", "encoding")):
            with open(path, "wb") as f:
                f.write(raw)
            problem = self.load(path, code=3)["problems"][0]
            self.assertEqual((problem["row"], problem["column"], problem["code"]), (row, column, code), raw)
        self.assertEqual(self.node.status()["size"], 0)

    def test_a_quote_too_many_is_one_bad_row_and_hides_no_other(self):
        self.load(self.write("entities.csv", self.clubs()))
        path = os.path.join(self.folder, "entities.csv")
        with open(path, "wb") as f:
            f.write(b'id;region;kind;name;place;;\r\n'
                    b'pl26-kis-d0;26;KIS;Klub "Most" Kielce;Kielce;;\r\n'
                    b'pl26-kis-d1;26;KIS;Klub;Kielce;;\r\n'
                    b'pl26-kis-d2;99;KIS;Klub;Kielce;;\r\n'
                    b'pl26-kis-d3;26;KIS;Klub" Kielce;Kielce;;\r\n')
        told = self.load(path, code=3)
        self.assertEqual([(p["row"], p["column"], p["code"]) for p in told["problems"]],
                         [(2, "name", "quote"), (4, "region", "bad-region"), (5, "name", "quote")])
        self.load(path, "--skip-bad", "--retire-missing", code=3)
        self.assertEqual(self.ids(self.node), ["pl26-kis-c0", "pl26-kis-c1", "pl26-kis-c2", "pl26-kis-d1"])

    def test_a_file_that_cannot_be_read_says_nothing_about_what_is_missing(self):
        self.load(self.write("entities.csv", self.clubs()))
        path = self.write("entities.csv", [["id", "region", "kind", "name", "phone"]])
        self.assertEqual(self.load(path, "--retire-missing", code=3)["missing"], [])
        path = self.write("entities.csv", [["id", "region", "kind", "name"]])
        self.assertEqual(len(self.load(path, "--dry-run")["missing"]), 3)

    def test_a_dry_run_touches_nothing_and_retiring_needs_to_be_asked_for(self):
        self.load(self.write("entities.csv", self.clubs()))
        fewer = self.clubs(2, place="Kielce")
        told = self.load(self.write("entities.csv", fewer), "--dry-run", "--retire-missing")
        self.assertEqual([m["id"] for m in told["missing"]], ["pl26-kis-c2"])
        self.assertEqual(told["changed"][0]["fields"],
                         [{"field": "place", "from": "Śniadków-Źrebce", "to": "Kielce"}])
        self.assertEqual(self.node.status()["size"], 1)
        self.load(self.write("entities.csv", fewer))
        self.assertEqual(len(self.ids(self.node)), 3)
        self.load(self.write("entities.csv", fewer), "--retire-missing")
        self.assertEqual(self.ids(self.node), ["pl26-kis-c0", "pl26-kis-c1"])
        told = self.load(self.write("entities.csv", self.clubs()), code=3)
        self.assertEqual(told["problems"][0]["code"], "retired-id")


class Many(Import):
    def test_a_summary_longer_than_a_reply_is_complete(self):
        networks = ["pl26-net-%05d" % i for i in range(6000)]
        rows = [["id", "network_id", "entity_id", "role", "certainty"]]
        rows += [["%s--pl26-kis-a" % network, network, "pl26-kis-a", "member", "stated"]
                 for network in networks]
        self.load(self.write("memberships.csv", rows))
        self.until_confirmed()
        self.until_folded(self.server)
        for daemon in (self.node, self.server):
            told = daemon.json("summary")
            keys = [(row["metric"], row["region"], row["kind"], row["key"]) for row in told]
            self.assertEqual(keys, sorted(set(keys)))
            self.assertEqual([row["key"] for row in told if row["metric"] == "memberships_by_network"], networks)
        row = next(line for line in self.server.ctl("summary").stdout.splitlines() if line.startswith("Poland"))
        self.assertIn("6000", row.split())


class Excel(Import):
    def exported(self):
        path = os.path.join(self.folder, "entities.csv")
        self.node.ctl("export", "entities", "--excel", "-o", path)
        with open(path, encoding="utf-8-sig", newline="") as f:
            rows = list(csv.reader(f, delimiter=";"))
        self.assertEqual(rows[0][-1], "splot_state")
        return rows

    def edit(self, rows, record_id, column, value):
        next(r for r in rows if r[0] == record_id)[rows[0].index(column)] = value

    def test_what_comes_back_never_reverts_what_was_changed_meanwhile(self):
        self.load(self.write("entities.csv", self.clubs()))
        rows = self.exported()
        self.node.ctl("put", "entity", "pl26-kis-c0", "status=suspended", "--reason", "r", "--source", "s")
        self.add(self.node, "pl26-kis-c9")
        self.edit(rows, "pl26-kis-c0", "place", "Kielce")
        path = self.write("entities.csv", rows, "cp1250", ";")
        told = self.load(path, "--retire-missing")
        self.assertEqual(told["missing"], [])
        self.assertEqual(self.field("pl26-kis-c0", "place"), "Kielce")
        self.assertEqual(self.field("pl26-kis-c0", "status"), "suspended")
        self.assertEqual(self.load(path)["accepted"]["changes"], 0)

    def test_what_a_spreadsheet_rewrites_is_no_change(self):
        rows = self.clubs(3, kind="KIS")
        for name, value in (("created_on", "2019-06-04"), ("started_on", "2016-03"), ("ksr_pilot", "true"),
                            ("powiat", "2604"), ("postcode", "26-001")):
            for row in rows:
                row.append(name if row is rows[0] else value)
        self.load(self.write("entities.csv", rows))
        rows = self.exported()
        shown = {"2019-06-04": "4.06.2019", "2016-03": "mar.16", "true": "PRAWDA"}
        rows = [[shown.get(cell, cell).replace("\r\n", "\n") for cell in row] for row in rows]
        self.node.ctl("put", "entity", "pl26-kis-c0", "other_facts=nowe", "--reason", "r", "--source", "s")
        told = self.load(self.write("entities.csv", rows, "cp1250", ";"))
        self.assertEqual((told["changed"], told["conflicts"], len(told["repairs"])), ([], [], 9))
        self.assertEqual(self.field("pl26-kis-c0", "other_facts"), "nowe")

    def test_a_conflict_is_shown_and_refused_unless_overwritten(self):
        self.load(self.write("entities.csv", self.clubs()))
        rows = self.exported()
        self.node.ctl("put", "entity", "pl26-kis-c0", "place=Morawica", "--reason", "r", "--source", "s")
        self.edit(rows, "pl26-kis-c0", "place", "Kielce")
        path = self.write("entities.csv", rows, "utf-8-sig", ";")
        told = self.load(path, code=4)
        self.assertEqual([(c["exported"], c["register"], c["in_file"]) for c in told["conflicts"]],
                         [("Śniadków-Źrebce", "Morawica", "Kielce")])
        self.assertEqual(self.field("pl26-kis-c0", "place"), "Morawica")
        self.load(path, "--overwrite")
        self.assertEqual(self.field("pl26-kis-c0", "place"), "Kielce")

    def test_an_export_of_another_register_is_refused(self):
        self.load(self.write("entities.csv", self.clubs()))
        self.until_confirmed()
        self.until_folded(self.server)
        path = os.path.join(self.folder, "entities.csv")
        self.server.ctl("export", "entities", "--excel", "-o", path)
        self.assertIn("national/centrum", self.load(path, code=1)["error"]["text"])


class Terminal(Import):
    def test_long_work_shows_progress_on_a_terminal_and_nowhere_else(self):
        path = self.write("entities.csv", self.clubs(3000))
        words = [self.nation.program("splotctl"), "import", path, "--socket", self.node.socket]
        master, slave = pty.openpty()
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave, timeout=60)
        os.close(slave)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(os.read(master, 65536).decode(), r"sending \d+/3000")
        os.close(master)
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


class Faults(Import):
    def test_a_node_that_dies_half_way_and_the_same_import_again(self):
        count = 400 if story.SANITIZED else 6000
        path = self.write("entities.csv", self.clubs(count, other_facts="x" * 1000))
        command = [self.nation.program("splotctl"), "import", path, "--socket", self.node.socket]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        killer = threading.Thread(target=lambda: (n.wait_for("the first event", self.some_event, 60, 0.001),
                                                  self.node.kill()))
        killer.start()
        out, err = run.communicate(timeout=120)
        killer.join()
        self.assertIn(run.returncode, (0, 5), out + err)  # 0: it was faster than the kill
        if run.returncode == 5:
            self.assertIn("do the same again", err)
        self.node.start()
        n.wait_for("open", lambda: self.node.status()["state"] == "open")
        self.load(path)
        self.assertEqual(self.load(path)["accepted"]["changes"], 0)
        self.assertEqual(len(self.ids(self.node)), count)

    def some_event(self):
        try:
            return self.node.status()["size"] > 0
        except n.Failed:
            return True

    def test_no_daemon_and_a_server_are_told_apart(self):
        path = self.write("entities.csv", self.clubs())
        done = self.nation.ctl("import", path, "--json", socket="/nowhere", check=False)
        self.assertEqual(done.returncode, 5)
        self.assertIn("error", json.loads(done.stdout))
        done = self.server.ctl("import", path, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("server", done.stderr)

    def test_two_imports_at_once_lose_nothing(self):
        one = self.write("one.csv", self.clubs(50, place="Kielce"))
        two = self.write("two.csv", self.clubs(50, place="Busko"))
        runs = [subprocess.Popen([self.nation.program("splotctl"), "import", path, "--kind", "entity",
                                  "--socket", self.node.socket], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, encoding="utf-8") for path in (one, two)]
        for run in runs:
            out = run.communicate(timeout=120)[0]
            self.assertIn(run.returncode, (0, 4), out)
        places = {self.field("pl26-kis-c%d" % i, "place") for i in range(50)}
        self.assertEqual(len(places), 1)  # one event each: all or nothing


if __name__ == "__main__":
    story.main()
