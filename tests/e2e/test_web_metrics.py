"""What monitoring reads of splot-web: accepted by Prometheus's own tool, true, and what the dashboard and the alerts
ask for."""
import json
import os
import re
import shutil
import subprocess
import unittest

import nation as n
import story

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "grafana")
REGIONS = ["24", "26"]
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
NAME = re.compile(r"\bsplot_\w+\b")


def promtool(*args, text=None):
    return subprocess.run(["promtool", *args], input=text, capture_output=True, text=True, timeout=60)


def families(text):
    return {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE ")}


def samples(text):
    """Name and labels to number."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        labels = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert (name, labels) not in found, line
        found[name, labels] = float(value)
    return found


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nation = n.Nation(story.BIN)
        cls.addClassCleanup(cls.nation.close)
        cls.server = cls.nation.up(regions=REGIONS)
        for node in cls.nation.nodes.values():
            node.ctl("import", "--own", *(os.path.join(story.SAMPLE, kind + ".csv") for kind in n.KINDS))
        cls.web = cls.nation.add_web(cls.server).start()
        cls.beside = cls.nation.add_web(cls.nation.nodes["26"]).start()
        for node in cls.nation.nodes.values():
            n.wait_for("%s confirmed" % node.name, node.confirmed)
        cls.size = cls.server.status()["size"]
        n.wait_for("the metrics stand for all of it", lambda: cls.number(cls.read(cls.web), "splot_register_entries") ==
                   cls.number(cls.read(cls.web), "splot_followed_log_entries_total") >= cls.size)

    @staticmethod
    def read(web):
        status, headers, body = web.ask("/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers
        return body.decode()

    @staticmethod
    def number(text, name, **labels):
        return samples(text)[name, tuple(sorted(labels.items()))]

    def setUp(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")

    def test_promtool_accepts_the_metrics_of_a_server_and_of_a_node(self):
        for web in (self.web, self.beside):
            told = promtool("check", "metrics", text=self.read(web))
            self.assertEqual((told.returncode, told.stdout, told.stderr), (0, "", ""))

    def test_the_numbers_are_those_of_the_api(self):
        text = self.read(self.web)
        summary = self.web.get("/api/v1/summary")
        for region in summary["regions"]:
            for kind in ("CIS", "KIS", "WTZ", "ZAZ"):
                self.assertEqual(self.number(text, "splot_entities", region=region["region"], kind=kind),
                                 region["entities"][kind])
            self.assertEqual(self.number(text, "splot_statistics_in_conflict", region=region["region"]),
                             region["conflicts"])
        status = self.web.get("/api/v1/status")
        self.assertEqual({log["log"] for log in status["logs"]}, set(REGIONS))
        for log in status["logs"]:
            self.assertEqual(self.number(text, "splot_log_events_total", log=log["log"]), log["size"])
            self.assertEqual(self.number(text, "splot_log_lag_events", log=log["log"]), 0)
            self.assertEqual(log["checkpoint"]["size"], log["size"])
        events = sum(self.nation.nodes[log].status()["size"] for log in REGIONS)
        self.assertEqual(self.number(text, "splot_arrival_seconds_count"), events)
        self.assertGreater(self.number(text, "splot_store_seconds_count"), 0)

    def test_what_is_refused_is_counted_by_reason(self):
        stranger = self.nation.add_node("22")
        stranger.start()
        n.wait_for("the refusal is counted", lambda: samples(self.read(self.web)).get(
            ("splot_refusals_total", (("log", ""), ("reason", "unknown-key"))), 0) > 0)
        stranger.stop()

    def test_the_dashboard_and_the_alerts_ask_for_metrics_that_are_there(self):
        kinds = families(self.read(self.web))
        known = set(kinds)
        for name, kind in kinds.items():
            if kind == "histogram":
                known |= {name + "_bucket", name + "_sum", name + "_count"}
        with open(os.path.join(DEPLOY, "splot.json"), encoding="utf-8") as f:
            dashboard = json.load(f)
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
        self.assertGreater(len(asked), 30)
        with open(os.path.join(DEPLOY, "alerts.yml"), encoding="utf-8") as f:
            asked += re.findall(r"expr: (.*)", f.read())
        # told only once there is something to tell
        later = {"splot_verified_timestamp_seconds", "splot_verified_damages"}
        for expr in asked:
            self.assertLessEqual(set(NAME.findall(expr)) - later, known, expr)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_the_rules_and_the_questions_of_the_dashboard_are_accepted(self):
        told = promtool("check", "rules", os.path.join(DEPLOY, "alerts.yml"))
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        with open(os.path.join(DEPLOY, "splot.json"), encoding="utf-8") as f:
            dashboard = json.load(f)
        rules = ["groups:", "  - name: dashboard", "    rules:"]
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"].replace("$__rate_interval", "5m").replace("$job", "splot")
                rules += ["      - record: one:two:x%d" % len(rules), "        expr: %s" % json.dumps(expr)]
        path = os.path.join(self.nation.folder, "rules.yml")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(rules) + "\n")
        told = promtool("check", "rules", "--lint=none", path)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)


class Silence(story.Story):
    def test_what_a_server_said_that_is_gone_is_stale(self):
        server = self.nation.up(regions=self.logs)
        web = self.nation.add_web(server).start()
        number = Metrics.number
        n.wait_for("it is told", lambda: number(Metrics.read(web), "splot_stale") == 0)
        server.stop()
        n.wait_for("it is stale", lambda: number(Metrics.read(web), "splot_stale") == 1)
        self.assertTrue(web.get("/api/v1/status")["stale"])
        server.start()
        n.wait_for("it is told again", lambda: number(Metrics.read(web), "splot_stale") == 0)


if __name__ == "__main__":
    story.main()
