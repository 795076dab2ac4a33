"""The main job: what goes in at seventeen nodes comes out of the server, to the byte."""
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import unittest

import nation as n
import story

HERE = os.path.dirname(os.path.abspath(__file__))
METRICS = """entities entities_by_operator_form entities_by_operator_sector entities_by_status
entities_with_field entities_in_a_regional_network networks networks_by_form networks_by_status operators
memberships memberships_by_certainty memberships_by_network statistics statistics_in_conflict""".split()


def sorted_csv(path):
    """The file with its rows sorted by id bytewise, header first, CRLF."""
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.reader(f))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows[0])
    writer.writerows(sorted(rows[1:], key=lambda row: row[0].encode()))
    return out.getvalue().encode()


def demo(folder, *arguments):
    return subprocess.run([sys.executable, os.path.join(HERE, "..", "nation", "demo.py"), "--bin", story.BIN,
                           "--once", "--dir", folder, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=500)


class TheWholeNation(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="splot-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def assert_exported_as_imported(self, data, folder):
        for kind in n.KINDS:
            with open(os.path.join(folder, "export", kind + ".csv"), "rb") as f:
                self.assertEqual(f.read(), sorted_csv(os.path.join(data, kind + ".csv")), kind)

    def summary(self, folder):
        with open(os.path.join(folder, "summary.json"), encoding="utf-8") as f:
            rows = json.load(f)
        found = {(r["metric"], r["region"], r["kind"], r["key"]): r["value"] for r in rows}
        self.assertEqual(len(found), len(rows), "a row stands twice")
        return found

    def test_the_real_register(self):
        done = demo(self.folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_exported_as_imported(story.SAMPLE, self.folder)
        found = self.summary(self.folder)
        checked = 0
        with open(os.path.join(story.SAMPLE, "expectations.csv"), encoding="utf-8", newline="") as f:
            for row in csv.DictReader(f):
                if row["metric"] in METRICS:
                    key = (row["metric"], row["region"], row["kind"], row["key"])
                    self.assertEqual(found.pop(key, 0), int(row["value"]), key)
                    checked += 1
        self.assertGreater(checked, 300)
        self.assertEqual({k: v for k, v in found.items() if v and k[0] in METRICS}, {},
                         "counts that nobody expects")
        again = demo(self.folder)
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertIn("17 change events", again.stdout, "the same rows were committed twice")
        self.assert_exported_as_imported(story.SAMPLE, self.folder)

    def test_the_demo_stays_up_until_ctrl_c_and_stops_cleanly(self):
        command = [sys.executable, "-B", os.path.join(HERE, "..", "nation", "demo.py"), "--bin", story.BIN, "--dir", self.folder]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        told = []
        for line in running.stdout:
            told.append(line)
            if line.startswith("Configurations, keys and logs"):
                break
        self.assertIn("until Ctrl-C", "".join(told))
        status = subprocess.run([os.path.join(story.BIN, "splotctl"), "status", "--socket",
                                 os.path.join(self.folder, "node-26.sock")], stdout=subprocess.PIPE, encoding="utf-8")
        self.assertIn("open", status.stdout)
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
        self.assertEqual(running.wait(30), 0, "".join(told) + rest)
        running.stdout.close()

    def test_generated_records_with_awkward_text(self):
        seed = int(os.environ.get("SPLOT_SEED", random.randrange(1 << 32)))
        count = 20000 if not story.SANITIZED else 2000
        print("seed %d (repeat with SPLOT_SEED=%d)" % (seed, seed))
        data = os.path.join(self.folder, "data")
        os.makedirs(data)
        generate(random.Random(seed), data, count)
        done = demo(os.path.join(self.folder, "nation"), "--data", data)
        self.assertEqual(done.returncode, 0, "seed %d\n%s" % (seed, done.stdout[-5000:]))
        self.assert_exported_as_imported(data, os.path.join(self.folder, "nation"))


AWKWARD = ["", "zażółć gęślą jaźń", "a,b;c|d", 'say "hello"', '"', "line\nbreak", "line\r\nbreak\r\n", "\n", " leading",
           "trailing ", "'=1+1", "=1+1", "@x", "-5", "ŁÓDŹ", "漢字 🌳", "a\u0301b"[:1] + "é", "…„”–—", "0", "007", "1.50",
           "NULL", "null", "''", '""""', ",,,", ";", "\\n", "%s%n", "<b>&amp;</b>", "x" * 3000, "ß ẞ ﬁ".replace("ﬁ", "fi")]


def generate(r, folder, count):
    """About `count` records over all regions, valid but awkward."""
    regions = n.REGIONS[:-1]

    def columns(kind):
        with open(os.path.join(story.SAMPLE, kind + ".csv"), encoding="utf-8", newline="") as f:
            return next(csv.reader(f))

    def text():
        return r.choice(AWKWARD) + (" %d" % r.randrange(1000) if r.random() < 0.3 else "")

    def write(kind, rows):
        r.shuffle(rows)
        with open(os.path.join(folder, kind + ".csv"), "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, columns(kind), restval="", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(rows)

    forms = {"jst_gmina": "jst", "stowarzyszenie": "ngo", "fundacja": "ngo", "spoldzielnia_socjalna": "spoldzielnia"}
    operators, entities, networks, memberships, statistics = [], [], [], [], []
    for i in range(count // 5):
        region = r.choice(regions)
        form = r.choice(list(forms))
        operators.append({"id": "pl%s-op-o%d" % (region, i), "name": (text().strip() or "x"), "form": form, "sector": forms[form],
                          "region": region, "note": text()})
    for i in range(count // 2):
        region = r.choice(regions)
        kind = r.choice(["CIS", "KIS", "WTZ", "ZAZ"])
        row = {"id": "pl%s-%s-e%d" % (region, kind.lower(), i), "region": region, "kind": kind, "name": (text().strip() or "x"),
               "place": text(), "other_facts": text(), "source_note": text(), "status": r.choice(["active", "planned", ""]),
               "created_on": r.choice(["", "2009", "2016-03", "2019-06-04"]), "ksr_pilot": r.choice(["", "true", "false"])}
        if r.random() < 0.5:
            operator = r.choice(operators)
            row.update(operator_id=operator["id"], operator_form=operator["form"], operator_sector=operator["sector"])
        entities.append(row)
    for i in range(64):
        region = r.choice(regions + ["PL"])
        networks.append({"id": "pl%s-net-n%d" % ("" if region == "PL" else region, i), "region": region, "name_pl": (text().strip() or "x"),
                         "form": r.choice(["forum", "konwent", "siec"]), "note": text(), "status": r.choice(["active", ""])})
    seen = set()
    for _ in range(count // 5):
        network, entity = r.choice(networks), r.choice(entities)
        key = network["id"] + "--" + entity["id"]
        if network["region"] in ("PL", entity["region"]) and key not in seen:
            seen.add(key)
            memberships.append({"id": key, "network_id": network["id"], "entity_id": entity["id"], "role": "member",
                                "certainty": r.choice(["stated", "stated_all", "inferred"]), "note": text()})
    for i in range(count // 10):
        region = r.choice(regions)
        statistics.append({"id": "st-%s-2019-kis-active-count-r%d" % (region, i), "region": region, "as_of": "2019",
                           "kind": "KIS", "measure": "active_count", "value": r.choice(["0", "49.0", "49", "7"]),
                           "unit": "count", "reported_by": "R%d" % i, "note": text()})
    for kind, rows in zip(n.KINDS, (operators, entities, networks, memberships, statistics)):
        write(kind, rows)


if __name__ == "__main__":
    story.main()
