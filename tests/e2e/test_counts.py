"""The counts of the national view, kept as it folds, against a count of its own of what the
files say: random rows, references that nobody can resolve, changes, retirements."""
import csv
import os
import random

import nation as n
import recount
import story

FORMS = {"jst_gmina": "jst", "jst_powiat": "jst", "jst_ops": "jst", "stowarzyszenie": "ngo", "fundacja": "ngo",
         "koscielny": "koscielny", "spoldzielnia_socjalna": "spoldzielnia", "": ""}
STEPS = 4


class World:
    """Rows of the five files, by id, and the ids that were ever used."""

    def __init__(self, r, logs):
        self.r, self.logs = r, logs
        self.rows = {kind: {} for kind in n.KINDS}
        self.used = set()

    def some(self, kind):
        """The id of a record, or of none that there is."""
        if self.rows[kind] and self.r.random() < 0.8:
            return self.r.choice(list(self.rows[kind]))
        return {"operators": "pl%s-op-x%d", "entities": "pl%s-kis-x%d",
                "networks": "pl%s-net-x%d"}[kind] % (self.r.choice(self.logs[:-1]), self.r.randrange(5))

    def one_of(self, *values):
        return self.r.choice(values)

    def operators(self, number, old):
        region = old["region"] if old else self.r.choice(self.logs)
        form = self.r.choice(list(FORMS))
        return {"id": "pl%s-op-o%d" % (region.replace("PL", ""), number), "region": region, "name": "O",
                "form": form, "sector": FORMS[form], "note": str(self.r.random())[2:4]}

    def entities(self, number, old):
        region = old["region"] if old else self.r.choice(self.logs[:-1])
        kind = old["kind"] if old else self.r.choice(recount.KINDS)
        form = self.r.choice(list(FORMS))
        return {"id": "pl%s-%s-e%d" % (region, kind.lower(), number), "region": region, "kind": kind, "name": "E",
                "operator_id": self.one_of("", self.some("operators")), "operator_form": form,
                "operator_sector": FORMS[form], "street": self.one_of("", "Długa"), "powiat": self.one_of("", region + "01"),
                "postcode": self.one_of("", "25-001"), "status": self.one_of("", "active", "ceased", "planned"),
                "created_on": self.one_of("", "2009"), "started_on": self.one_of("", "2016-03"),
                "registered_on": self.one_of("", "2019-06-04"), "participants_total": self.one_of("", "0", "12")}

    def networks(self, number, old):
        region = old["region"] if old else self.r.choice(self.logs)
        return {"id": "pl%s-net-n%d" % (region.replace("PL", ""), number), "region": region, "name_pl": "N",
                "form": self.one_of("forum", "konwent", "siec"), "status": self.one_of("", "active", "dormant")}

    def memberships(self, number, old):
        if old:
            row = dict(old)
        else:
            network = self.some("networks")
            key = self.one_of("entity_id", "operator_id")
            member = self.some("entities" if key == "entity_id" else "operators")
            row = {"id": network + "--" + member, "network_id": network, key: member, "role": "member"}
        row["certainty"] = self.one_of("", "stated", "stated_all", "inferred")
        return row

    def statistics(self, number, old):
        region = old["region"] if old else self.r.choice(self.logs)
        return {"id": "st-%s-s%d" % (region.lower(), number), "region": region, "kind": self.one_of("", "CIS", "KIS"),
                "measure": self.one_of("active_count", "active_count", "persons"), "value": self.one_of("7", "7.0", "8"),
                "unit": "count", "reported_by": self.one_of("ROPS", "UW")}

    def step(self, count):
        for kind in n.KINDS:
            rows = self.rows[kind]
            for record_id in [i for i in rows if self.r.random() < 0.2]:
                del rows[record_id]
            for record_id in [i for i in rows if self.r.random() < 0.4]:
                new = getattr(self, kind)(0, rows[record_id])
                rows[record_id] = dict(new, id=record_id)
            for _ in range(count):
                new = getattr(self, kind)(len(self.used), None)
                if new["id"] not in self.used:
                    self.used.add(new["id"])
                    rows[new["id"]] = new

    def write(self, folder):
        for kind in n.KINDS:
            with open(os.path.join(story.SAMPLE, kind + ".csv"), encoding="utf-8", newline="") as f:
                columns = next(csv.reader(f))
            with open(os.path.join(folder, kind + ".csv"), "w", encoding="utf-8", newline="") as f:
                writer = csv.DictWriter(f, columns, restval="", lineterminator="\r\n")
                writer.writeheader()
                writer.writerows(self.rows[kind][i] for i in sorted(self.rows[kind]))


class Counts(story.Story):
    logs = ["02", "24", "26", "PL"]

    def rows(self, path):
        with open(path, encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    def exported(self, server):
        folder = os.path.join(self.nation.folder, "export")
        server.ctl("export", "--dir", folder)
        found = {}
        for kind in n.KINDS:
            with open(os.path.join(folder, kind + ".csv"), "rb") as f:
                found[kind] = f.read()
        return found

    def test_counts_are_those_of_the_rows_through_changes_and_retirements(self):
        seed = int(os.environ.get("SPLOT_SEED", random.randrange(1 << 32)))
        print("seed %d (repeat with SPLOT_SEED=%d)" % (seed, seed))
        server = self.nation.up(regions=self.logs)
        world = World(random.Random(seed), self.logs)
        files = [os.path.join(self.nation.folder, kind + ".csv") for kind in n.KINDS]
        for step in range(STEPS):
            world.step(60)
            world.write(self.nation.folder)
            for node in self.nation.nodes.values():
                node.ctl("import", *files, "--own", "--retire-missing")
            self.until_confirmed()
            self.until_folded(server)
            told = server.json("summary")
            counts = {(r["metric"], r["region"], r["kind"], r["key"]): r["value"] for r in told}
            self.assertEqual(len(counts), len(told), "a row stands twice")
            self.assertEqual({k: v for k, v in counts.items() if v},
                             recount.recount({kind: self.rows(path) for kind, path in zip(n.KINDS, files)}), "step %d, seed %d" % (step, seed))
            for path, kind in zip(files, n.KINDS):
                with open(path, "rb") as f:
                    self.assertEqual(self.exported(server)[kind], f.read(), "%s, seed %d" % (kind, seed))
            for node in self.nation.nodes.values():
                self.assertEqual(node.json("import", *files, "--own", "--retire-missing")["accepted"]["changes"], 0)


if __name__ == "__main__":
    story.main()
