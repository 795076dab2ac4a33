"""An auditor's work with the real programs: the commands of an export's README as they stand
there, two checkpoints of one log, and the evidence that a server keeps of a fork."""
import json
import os
import random
import re
import shutil
import subprocess

import nation as n
from story import Story, main

LOG = "26"
SEED = int(os.environ.get("SPLOT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Auditor(Story):
    def path(self, *parts):
        return os.path.join(self.nation.folder, *parts)

    def audit(self, *arguments, expected=0):
        done = self.nation.ctl("audit", *arguments, check=False)
        self.assertEqual(done.returncode, expected, "%s\n%s%s" % (" ".join(arguments), done.stdout, done.stderr))
        return done.stdout + done.stderr


class Readme(Auditor):
    """What an outsider is told to type works, and refuses what was changed."""

    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=[LOG, "24", "PL"], server_config={"witness-interval-s": "1"})
        self.node = self.nation.nodes[LOG]
        for i in range(5):
            self.add(self.node, "pl26-kis-%d" % i)
        self.until_confirmed()
        n.wait_for("a quorum for all", lambda: self.cosigned() == self.server.status()["size"])
        self.folder = self.path("audit")
        self.export()
        text = read(os.path.join(self.folder, "README.md")).decode()
        blocks = re.findall(r"^```(sh|python)\n(.*?)^```", text, re.S | re.M)
        self.commands = {block.split("\n", 1)[0].split()[1].strip(":"): block for _, block in blocks}
        write(self.path("check-entries.py"), self.commands["check-entries.py"].encode())

    def cosigned(self):
        status = self.server.status()
        return status["cosigned"]["size"] if status["quorum"] else None

    def export(self):
        self.audit("export", self.folder, "--config", self.server.config)

    def run_in(self, folder, name):
        return subprocess.run(["sh", "-c", self.commands[name]], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, encoding="utf-8")

    def signature(self, log):
        return self.run_in(os.path.join(self.folder, log), "check-signature")

    def entries(self, log):
        return subprocess.run(["/usr/bin/python3", self.path("check-entries.py"), os.path.join(self.folder, log)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, encoding="utf-8")

    def test_its_commands_check_every_log_and_the_witnesses(self):
        for log, size in ((LOG, 5), ("national", self.server.status()["size"])):
            done = self.signature(log)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("Verified Successfully", done.stdout)
            done = self.entries(log)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(": %d entries, the root is right, 0 erased" % size, done.stdout)
        done = self.run_in(self.folder, "check-witnesses")
        self.assertEqual(done.stdout.count(": cosigned at "), 2, done.stdout) # the ministry is no witness
        self.assertNotIn("BAD", done.stdout)

    def test_its_commands_refuse_one_bit(self):
        checkpoint = os.path.join(self.folder, LOG, "checkpoint")
        note = read(checkpoint)
        write(checkpoint, note.replace(b"\n5\n", b"\n4\n"))
        self.assertNotEqual(self.signature(LOG).returncode, 0)
        write(checkpoint, note)
        bundle = os.path.join(self.folder, LOG, "tile", "entries", "000.p", "5")
        content = read(bundle)
        write(bundle, flipped(content, 8 * 40))
        self.assertNotEqual(self.entries(LOG).returncode, 0)
        write(bundle, content)
        national = os.path.join(self.folder, "national", "checkpoint")
        note = read(national)
        lines = note.split(b"\n")
        write(national, b"\n".join(lines[:1] + [b"1"] + lines[2:]))
        done = self.run_in(self.folder, "check-witnesses")
        self.assertEqual(done.stdout.count(": BAD"), 2, done.stdout)

    def test_its_commands_count_an_erased_event(self):
        self.server.ctl("redact", LOG, "2", "--reason", "letter 5")
        n.wait_for("the server is back", lambda: self.server.ctl("status", check=False).returncode == 0)
        shown = os.path.join(self.folder, LOG, "redacted")

        def erased():
            self.export()
            return os.path.exists(shown)
        n.wait_for("the export names it", erased, every=0.5)
        self.assertTrue(read(shown).startswith(b"2 "))
        done = self.entries(LOG)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("the root is right, 1 erased", done.stdout)
        # Its proof is of its hash alone.
        told = self.audit("prove", LOG, "2", "--from", self.folder, "-o", self.path("gone"))
        leaf = read(shown).split()[1].decode()
        self.assertIn(leaf, told)
        self.assertFalse(os.path.exists(self.path("gone.event")))
        keys = os.path.join(self.folder, LOG, "log.vkey")
        self.audit("check", self.path("gone.tlog-proof"), "--keys", keys, expected=2)
        self.audit("check", self.path("gone.tlog-proof"), "--keys", keys, "--leaf", leaf)
        other = read(os.path.join(self.folder, LOG, "tile", "0", "000.p", "5"))[:32].hex()
        self.assertIn("NOT PROVED", self.audit("check", self.path("gone.tlog-proof"), "--keys", keys,
                                               "--leaf", other, expected=3))

    def damage(self, *arguments):
        """Kinds of damage in an export, and the report."""
        done = self.nation.ctl("audit", "verify", *arguments, "--json", check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 3 if lines[:-1] else 0, done.stdout)
        return {line["damage"] for line in lines[:-1]}, lines[-1]

    def test_keys_beside_the_logs_are_the_national_logs(self):
        keys = ("--keys", os.path.join(self.folder, "national", "log.vkey"))
        self.assertEqual(self.damage(self.folder, *keys)[0], set())
        witnesses, policy = (os.path.join(self.folder, name) for name in ("witnesses.vkeys", "policy"))
        content = read(witnesses)
        print("SPLOT_SEED=%d" % SEED, flush=True)
        write(witnesses, flipped(content, random.Random(SEED).randrange(8 * len(content))))
        self.assertEqual(self.damage(self.folder, *keys)[0], {"keys"})
        write(witnesses, content)
        content = read(policy)
        os.unlink(policy)
        self.assertEqual(self.damage(self.folder, *keys)[0], {"keys"})
        write(policy, re.sub(rb"group regions \d+", b"group regions any", content)) # an administrator's own
        self.assertEqual(self.damage(self.folder, *keys)[0], set())

    def test_a_national_log_alone_is_said_to_be_alone(self):
        national = os.path.join(self.folder, "national")
        found, report = self.damage(national)
        self.assertEqual((found, report["unmatched"]), (set(), True))
        self.assertIn("not matched", self.audit("verify", national))
        self.assertFalse(self.damage(self.folder)[1]["unmatched"])
        self.assertNotIn("not matched", self.audit("verify", self.folder))
        how = ("--log", "national", "--config", self.server.config)
        self.assertNotIn("folders of other logs", self.audit("export", self.path("alone"), *how))
        self.assertIn("folders of other logs", self.audit("export", self.folder, *how))

    def test_what_is_no_audit_is_told_with_the_next_step(self):
        empty = self.path("empty")
        os.mkdir(empty)
        keys = ("--keys", os.path.join(self.folder, LOG, "log.vkey"))
        for arguments, expected, said in (
                (("verify", "/etc/passwd"), 1, "/etc/passwd: a file, not a folder; name"),
                (("verify", empty), 1, "empty: an empty folder; name"),
                (("verify", self.path("none")), 1, "there is nothing of this name; name"),
                (("check", "/dev/zero", *keys), 1, "/dev/zero: more than"),
                (("check", empty, *keys), 1, "empty: a folder, not a file"),
                (("evidence", "--from", self.folder), 2, "an export, which has no evidence"),
                (("prove", LOG, str(2**64 - 1), "--from", self.folder), 2, "%d at most" % (2**63 - 1)),
                (("prove", LOG, str(2**64), "--from", self.folder), 2, "%d at most" % (2**63 - 1)),
                (("prove", LOG, str(2**63 - 1), "--from", self.folder), 1, "there is no event"),
                (("prove", LOG, str(2**63 - 1), "--config", self.server.config), 1, "there is no event")):
            self.assertIn(said, self.audit(*arguments, expected=expected), arguments)

    def test_a_changed_record_is_shown_as_it_is_from_there_on(self):
        self.node.ctl("put", "entity", "pl26-kis-0", "place=Kielce", "--reason", "moved", "--source", "letter 7")
        self.until_confirmed(self.node)
        name = self.path("moved")
        self.audit("prove", LOG, "5", "--config", self.node.config, "-o", name)
        check = ("check", name + ".tlog-proof", "--keys", os.path.join(self.folder, LOG, "log.vkey"))
        told = self.audit(*check)
        self.assertIn("as it is from here on; the version before is not here: 26@0\n", told)
        self.assertIn('      place: "Kielce"\n', told)
        change, = json.loads(self.audit(*check, "--json"))["says"]["changes"]
        self.assertIn({"field": "place", "from": None, "to": "Kielce"}, change["fields"])

    def test_two_checkpoints_of_one_log(self):
        old, new = self.path("old"), os.path.join(self.folder, LOG, "checkpoint")
        shutil.copy(new, old)
        for i in range(5, 8):
            self.add(self.node, "pl26-kis-%d" % i)
        self.until_confirmed(self.node)
        self.export()
        keys = os.path.join(self.folder, LOG, "log.vkey")
        proof = self.path("grew")
        self.assertIn("size 8 grew from size 5", self.audit("consistency", old, new, "--from", self.folder,
                                                            "--keys", keys, "-o", proof))
        self.audit("consistency", old, new, "--config", self.server.config)
        self.audit("consistency", old, new, "--config", self.node.config)
        self.audit("consistency", old, new, "--proof", proof, "--keys", keys)
        self.audit("consistency", new, old, "--from", self.folder, expected=2)
        self.audit("consistency", old, new, "--proof", proof, expected=2) # whose keys?
        self.audit("consistency", old, new, "--proof", proof, "--keys",
                   os.path.join(self.folder, "national", "log.vkey"), expected=3)
        self.audit("consistency", old, os.path.join(self.folder, "national", "checkpoint"), "--from", self.folder,
                   expected=3)
        chance = random.Random(SEED)
        print("SPLOT_SEED=%d" % SEED, flush=True)
        content = read(proof)
        end = content.index(b"\n\n") + 1 # its hashes; behind them stands the note, which is compared as it is
        for _ in range(12):
            bit = chance.randrange(8 * end)
            write(proof, flipped(content, bit))
            self.audit("consistency", old, new, "--proof", proof, "--keys", keys, expected=3)

    def test_proofs_that_do_not_belong_together_are_refused(self):
        self.add(self.nation.nodes["24"], "pl24-kis-1")
        self.until_confirmed()
        for log in (LOG, "24"):
            self.audit("prove", log, "0", "--config", self.server.config, "-o", self.path(log))
        keys = self.path("keys")
        self.export()
        write(keys, b"".join(read(os.path.join(self.folder, log, "log.vkey")) for log in (LOG, "24", "national")))
        first, second = self.path(LOG + ".tlog-proof"), self.path(LOG + ".national.tlog-proof")
        other = self.path("24.national.tlog-proof")
        self.assertIn("pl26-kis-0", self.audit("check", first, second, "--keys", keys))
        self.audit("check", other, "--keys", keys)
        self.assertIn("another checkpoint", self.audit("check", first, other, "--keys", keys, expected=3))
        self.assertIn("none of the keys", self.audit("check", first, "--keys",
                                                     os.path.join(self.folder, "national", "log.vkey"), expected=3))


class Evidence(Auditor):
    """A region signed two histories; what the server kept convinces whoever has the region's key."""

    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=[LOG])
        self.node = self.nation.nodes[LOG]
        for i in range(3):
            self.add(self.node, "pl26-kis-%d" % i)
        self.until_confirmed(self.node)

    def fork(self, there, here):
        """The server is told `there` events more; then an old copy of the node goes on with `here`."""
        self.node.stop()
        shutil.copytree(self.node.data, self.path("copy"))
        self.node.start()
        self.node.await_open()
        for i in range(there):
            self.add(self.node, "pl26-kis-there-%d" % i)
        self.until_confirmed(self.node)
        self.node.stop()
        self.server.stop()
        shutil.rmtree(self.node.data)
        os.rename(self.path("copy"), self.node.data)
        os.unlink(self.node.keys + ".highwater")
        self.node.start()
        self.node.ctl("waive", "centrum", "--reason", "the line is down")
        self.node.await_open()
        for i in range(here):
            self.add(self.node, "pl26-kis-here-%d" % i)
        self.server.start()
        n.wait_for("the log is frozen", lambda: self.server.status()["logs"][0]["state"] == "frozen")

    def written(self):
        folder = self.path("evidence")
        item, = self.server.json("audit", "evidence", "--dir", folder)["evidence"]
        self.assertEqual((item["log"], item["shown"]), (LOG, True))
        stopped = self.path("stopped") # from the store alone, as while the server is down
        self.audit("evidence", "--from", self.server.data, "--dir", stopped)
        self.assertEqual(os.listdir(folder), os.listdir(stopped))
        for name in os.listdir(item["folder"]):
            self.assertEqual(read(os.path.join(item["folder"], name)),
                             read(os.path.join(stopped, os.path.basename(item["folder"]), name)), name)
        return item

    def convinces(self, item):
        folder = item["folder"]
        keys = os.path.join(folder, "log.vkey")
        trusted = self.path("trusted.vkey") # got another way: from the office's enrolment
        write(trusted, read(self.node.enrolment))
        self.assertIn("PROVED: two histories of splot.example/region/26",
                      self.audit("evidence", "--check", folder, "--keys", trusted))
        self.assertIn(read(keys).strip(), read(trusted))
        self.audit("evidence", "--check", folder, expected=2)
        chance = random.Random(SEED)
        print("SPLOT_SEED=%d" % SEED, flush=True)
        for name in ("note-1", "note-2"):
            path = os.path.join(folder, name)
            content = read(path)
            for _ in range(6):
                write(path, flipped(content, chance.randrange(8 * (content.index(b"\n\n") + 1))))
                self.audit("evidence", "--check", folder, "--keys", trusted, expected=3)
            write(path, content)
        self.audit("evidence", "--check", folder, "--keys", trusted)
        return trusted

    def test_two_roots_of_one_size(self):
        self.fork(2, 2)
        item = self.written()
        self.assertEqual([note["size"] for note in item["notes"]], [5, 5])
        self.convinces(item)

    def test_the_larger_note_is_led_back_to_the_smaller_size(self):
        self.fork(4, 1)
        item = self.written()
        sizes = [note["size"] for note in item["notes"]]
        self.assertEqual(sizes, [4, 7])
        trusted = self.convinces(item)
        # The proof is what shows it: one bit of it, and nothing is shown.
        for name in ("consistency", "root"):
            path = os.path.join(item["folder"], name)
            content = read(path)
            write(path, content.replace(b"\n%d\n" % sizes[0], b"\n%d\n" % (sizes[0] + 1)) if name == "root" else
                  flipped(content, 8 * (content.index(b"\n") + 5)))
            self.audit("evidence", "--check", item["folder"], "--keys", trusted, expected=3)
            write(path, content)
        self.audit("evidence", "--check", item["folder"], "--keys", trusted)


if __name__ == "__main__":
    main()
