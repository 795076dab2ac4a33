"""What every end-to-end story shares."""
import os
import unittest

import nation as n
import peer as p

BIN = os.environ["SPLOT_BIN"]
SANITIZED = os.environ.get("SPLOT_SANITIZED") == "1"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SAMPLE = os.path.join(SOURCE, "tests", "data", "register")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


class Story(unittest.TestCase):
    """A nation of its own for each test; `logs` names its nodes."""
    logs = ["26"]

    def setUp(self):
        self.nation = n.Nation(BIN)
        self.addCleanup(self.nation.close)
        self.addCleanup(self.tell)

    def run(self, result=None):
        """As ever; a failure is followed by the ends of the daemons' logs."""
        before = len(result.failures) + len(result.errors)
        self.told = []
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print("\n".join(self.told))

    def tell(self):
        self.told = ["--- %s\n%s" % (d.name, d.log_tail(30)) for d in self.nation.daemons() if os.path.exists(d.log)]

    def add(self, node, record_id, name="Klub", **fields):
        kind = {"op": "operator", "net": "network"}.get(record_id.split("-")[1], "entity")
        values = {"name": name, "region": node.log_name}
        if kind == "entity":
            values["kind"] = record_id.split("-")[1].upper()
        if kind == "network":
            values["form"] = "forum"
            values["name_pl"] = values.pop("name")
        values.update(fields)
        return node.ctl("put", kind, record_id, "--new", "--reason", "test", "--source", "note 1",
                        *("%s=%s" % item for item in values.items()))

    def rotate(self, node, reason="yearly"):
        self.nation.ctl("keygen", "--rotate", node.keys)
        node.ctl("rotate", "--reason", reason)

    def ids(self, daemon, kind="entity"):
        return [row["id"] for row in daemon.json("list", kind)["records"]]

    def until_confirmed(self, *nodes, seconds=30):
        for node in nodes or self.nation.nodes.values():
            n.wait_for("%s confirmed" % node.name, node.confirmed, seconds)

    def until_folded(self, server, seconds=30):
        def folded():
            status = server.status()
            return status["position"] == status["size"]
        n.wait_for("the view caught up", folded, seconds)

    def refusals(self, server, log=None):
        """{code: count} as `status` shows them."""
        found = {}
        for row in server.status()["refusals"]:
            if log is None or row["log"] == log:
                found[row["code"]] = found.get(row["code"], 0) + row["count"]
        return found


def main():
    unittest.main(verbosity=2)
