"""What is exported holds before a check that shares no code with these programs (tests/foreign),
and before splotctl: logs at the edges of tiles, an export that was killed, a nation's logs and
their proofs.  Both refuse them once any one bit is another."""
import base64
import filecmp
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import nation as n
from story import BIN, SANITIZED, SOURCE, Story, main

BUILD = os.environ["SPLOT_BUILD"]
CHECK = os.path.join(BUILD, "tests", "foreign-check")
GROW = os.path.join(BUILD, "tests", "grow-log")
SIZES = [1, 255, 256, 257, 65535, 65536, 65537, 70000]
SEED = int(os.environ.get("SPLOT_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300, encoding="utf-8", errors="replace")


def ctl(*arguments):
    return run(os.path.join(BIN, "splotctl"), *arguments)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)


def first_line(path):
    return read(path).decode().splitlines()[0]


def log_key(card):
    """The log's verifier key of an enrolment or a server's card."""
    for line in read(card).decode().splitlines():
        if line.startswith("log-key "):
            return line.split(" ")[1]
    raise n.Failed("%s: no log-key" % card)


def files(folder):
    """Relative paths of all that an export shows."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names if not name.startswith(".")]
    return sorted(found)


def is_partial(path):
    return ".p/" in path


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flip_note(note, bit):
    """Of the signed text, then of the first signature's bytes behind the key's id; None past both."""
    end = note.index(b"\n\n") + 1
    if bit < 8 * end:
        return flipped(note, bit)
    lines = note.split(b"\n")
    at = lines.index(b"") + 1
    head, _, encoded = lines[at].rpartition(b" ")
    raw = base64.b64decode(encoded)
    bit += 8 * 4 - 8 * end
    if bit >= 8 * len(raw):
        return None
    lines[at] = head + b" " + base64.b64encode(flipped(raw, bit))
    return b"\n".join(lines)


def lengths(bundle):
    """Where in a bundle the entries' lengths stand."""
    found, at = [], 0
    while at < len(bundle):
        found.append(at)
        at += 2 + int.from_bytes(bundle[at:at + 2], "big")
    return found


def note_bits(note):
    return 8 * (note.index(b"\n\n") + 1 + 64)


WITH_GO = unittest.skipUnless(os.path.exists(CHECK),
                              "there is no Go with golang.org/x/mod (golang-go, golang-golang-x-mod-dev)")


class Verdicts:
    def good(self, done):
        self.assertEqual(done.returncode, 0, "%s\n%s" % (" ".join(done.args), done.stdout))
        return done.stdout

    def bad(self, done, what):
        """Refused for what it is, not for want of an argument."""
        told = "%s: %s\n%s" % (what, " ".join(done.args), done.stdout)
        expected = 1 if done.args[0] == CHECK else 3
        self.assertEqual(done.returncode, expected, told)


@WITH_GO
class Check(unittest.TestCase, Verdicts):
    """A log that is grown here."""
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="splot-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.random = random.Random(SEED)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def grow(self, size):
        self.key = self.good(run(GROW, self.path("store"), str(size))).strip()

    def export(self, to):
        return ctl("audit", "export", self.path(to), "--from", self.path("store"), "--key", self.key)

    def both(self, folder):
        """The two checks of an export."""
        return [run(CHECK, "export", folder), ctl("audit", "verify", folder, "--key", self.key)]


class Sizes(Check):
    def compare(self, old, fresh):
        """An export that grew holds all that a fresh one does, and besides partial tiles of before."""
        have = files(old)
        want = files(fresh)
        self.assertEqual([f for f in have if not is_partial(f)], [f for f in want if not is_partial(f)])
        self.assertLessEqual(set(want), set(have))
        _, different, missing = filecmp.cmpfiles(old, fresh, want, shallow=False)
        self.assertEqual((different, missing), ([], []))

    def test_a_log_holds_at_the_edges_of_its_tiles(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.grow(size)
                self.good(self.export("grown"))
                shutil.rmtree(self.path("fresh"), ignore_errors=True)
                self.good(self.export("fresh"))
                self.compare(self.path("grown"), self.path("fresh"))
                for done in self.both(self.path("grown")) + self.both(self.path("fresh")):
                    self.assertIn(str(size), self.good(done).replace(",", ""))
                self.proofs(size)
                shutil.copy(self.path("grown", "26", "checkpoint"), self.path("checkpoint-%d" % size))
        self.growth()

    def growth(self):
        """Every checkpoint of before stands in the log, and a proof shows it without the log."""
        newest = self.path("checkpoint-%d" % SIZES[-1])
        for size in SIZES:
            old, grew = self.path("checkpoint-%d" % size), self.path("grew-%d" % size)
            self.good(run(CHECK, "export", self.path("grown", "26"), "-old", old))
            self.good(ctl("audit", "consistency", old, newest, "--from", self.path("grown"), "--key", self.key,
                          "-o", grew))
            self.assertIn("grew from %d to %d" % (size, SIZES[-1]),
                          self.good(run(CHECK, "grown", grew, "-key", self.key, "-old", old)))
            self.good(ctl("audit", "consistency", old, newest, "--proof", grew, "--key", self.key))

    def proofs(self, size):
        chosen = {0, size - 1, 255, 256, 65535, 65536} | {self.random.randrange(size) for _ in range(2)}
        for index in sorted(i for i in chosen if i < size):
            name = self.path("p%d" % index)
            self.good(ctl("audit", "prove", "26", str(index), "--from", self.path("grown"), "-o", name))
            proof, event = name + ".tlog-proof", name + ".event"
            self.assertIn("%d of %d" % (index, size), self.good(run(CHECK, "proof", proof, "-key", self.key)))
            self.good(run(CHECK, "proof", proof, "-key", self.key, "-leaf", event))
            self.assertIn("pl26-kis-%d" % index, self.good(ctl("audit", "check", proof, "--key", self.key)))

    def test_an_export_that_was_killed_goes_on(self):
        self.grow(70000)
        command = [os.path.join(BIN, "splotctl"), "audit", "export", self.path("killed"), "--from",
                   self.path("store"), "--key", self.key]
        kills = 0
        while kills < 5:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(self.random.uniform(0.001, 0.15 if not SANITIZED else 0.6))
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            kills += 1
            if os.path.exists(self.path("killed", "26", "checkpoint")):
                self.good(run(CHECK, "export", self.path("killed")))
        print("killed %d times" % kills, flush=True)
        self.good(ctl(*command[1:]))
        self.good(self.export("fresh"))
        self.compare(self.path("killed"), self.path("fresh"))
        for done in self.both(self.path("killed")):
            self.good(done)
        before = {f: os.stat(self.path("killed", f)).st_mtime_ns for f in files(self.path("killed"))}
        self.good(ctl(*command[1:])) # nothing new: nothing is written
        self.assertEqual({f: os.stat(self.path("killed", f)).st_mtime_ns for f in files(self.path("killed"))}, before)


class Bits(Check):
    """One bit at a time, chosen by a seed that is told."""
    SAMPLES = 25 if not SANITIZED else 6

    def setUp(self):
        super().setUp()
        self.grow(700)
        self.good(self.export("export"))
        self.log = self.path("export", "26")
        for done in self.both(self.path("export")):
            self.good(done)

    def refused(self, path, changed, what):
        kept = read(path)
        write(path, changed)
        for done in self.both(self.path("export")):
            self.bad(done, what)
        write(path, kept)

    def files_below(self, folder):
        return [os.path.join(folder, f) for f in files(folder)]

    def test_of_an_entry_and_its_length(self):
        for sample in range(self.SAMPLES):
            path = self.random.choice(self.files_below(os.path.join(self.log, "tile", "entries")))
            content = read(path)
            bit = self.random.randrange(8 * len(content))
            if sample % 4 == 0:
                bit = 8 * self.random.choice(lengths(content)) + self.random.randrange(16)
            self.refused(path, flipped(content, bit), "%s, bit %d" % (path, bit))

    def test_of_a_tile(self):
        for _ in range(self.SAMPLES):
            level = self.random.choice(["0", "1"])
            path = self.random.choice(self.files_below(os.path.join(self.log, "tile", level)))
            content = read(path)
            bit = self.random.randrange(8 * len(content))
            self.refused(path, flipped(content, bit), "%s, bit %d" % (path, bit))

    def test_of_a_checkpoint_and_its_signature(self):
        path = os.path.join(self.log, "checkpoint")
        note = read(path)
        for _ in range(self.SAMPLES):
            bit = self.random.randrange(note_bits(note))
            self.refused(path, flip_note(note, bit), "the checkpoint, bit %d" % bit)

    def test_of_a_proof(self):
        index = self.random.randrange(700)
        name = self.path("proof")
        self.good(ctl("audit", "prove", "26", str(index), "--from", self.path("export"), "-o", name))
        path = name + ".tlog-proof"
        kept = read(path)
        head, note = kept[:kept.index(b"\n\n") + 2], kept[kept.index(b"\n\n") + 2:]
        for _ in range(4 * self.SAMPLES):
            bit = self.random.randrange(8 * len(head) + note_bits(note))
            changed = (flipped(head, bit) + note if bit < 8 * len(head) else
                       head + flip_note(note, bit - 8 * len(head)))
            write(path, changed)
            what = "the proof, bit %d" % bit
            self.bad(run(CHECK, "proof", path, "-key", self.key), what)
            self.bad(ctl("audit", "check", path, "--key", self.key), what)
        write(path, kept)
        self.good(run(CHECK, "proof", path, "-key", self.key))
        self.good(ctl("audit", "check", path, "--key", self.key))


@WITH_GO
class Register(Story, Verdicts):
    """A small nation with the real programs: witnesses, an export that the server keeps, proofs."""
    LOGS = ["26", "24", "14"]

    def setUp(self):
        super().setUp()
        self.kept = os.path.join(self.nation.folder, "kept")
        self.server = self.nation.up(self.LOGS, server_config={"witness-interval-s": 1, "export": self.kept})
        self.key = log_key(self.server.card)
        for log in self.LOGS:
            for i in range(3):
                self.add(self.nation.nodes[log], "pl%s-kis-%d" % (log, i))
        self.until_published()

    def until_published(self):
        """The server's own export holds all that it has, with the lines of two witnesses of three:
        a checkpoint is written as soon as it is there, and again when it is cosigned."""
        self.until_confirmed()
        size = self.server.status()["size"]
        path = os.path.join(self.kept, "national", "checkpoint")

        def published():
            if not os.path.exists(path):
                return False
            lines = read(path).split(b"\n")
            return int(lines[1]) >= size and sum(line.startswith("\u2014 ".encode()) for line in lines) >= 3
        n.wait_for("the server's own export holds all", published, 60)

    def fits(self):
        """What is said of the server's own export.  Policy and keys are files of their own: one may be a
        run of the exporter behind the other."""
        def fitted():
            done = run(CHECK, "export", self.kept)
            return done if done.returncode == 0 else None
        return n.wait_for("the export fits itself", fitted).stdout

    def test_logs_and_proofs_hold(self):
        self.assertIn("cosigned by", self.fits())
        self.good(ctl("audit", "verify", self.kept, "--key", self.key))
        taken = os.path.join(self.nation.folder, "taken") # while the server runs
        self.good(ctl("audit", "export", taken, "--from", self.server.data, "--key", self.key))
        self.assertIn("quorum", self.good(run(CHECK, "export", taken)))
        self.good(ctl("audit", "verify", taken, "--key", self.key))
        for log in self.LOGS:
            self.prove(log)
        self.one_nodes_export(self.nation.nodes["26"])
        self.too_few(taken)

    def prove(self, log):
        name = os.path.join(self.nation.folder, "proof-" + log)
        self.good(ctl("audit", "prove", log, "1", "--from", self.server.data, "-o", name))
        first, second = name + ".tlog-proof", name + ".national.tlog-proof"
        regional = first_line(os.path.join(self.kept, log, "log.vkey"))
        policy = os.path.join(self.kept, "policy")
        self.good(run(CHECK, "proof", first, "-key", regional, "-leaf", name + ".event"))
        self.good(run(CHECK, "proof", second, "-key", self.key, "-leaf", name + ".national.entry", "-policy", policy,
                      "-holds", first))
        self.assertIn("pl%s-kis-1" % log, self.good(ctl("audit", "check", first, "--key", regional)))
        keys = name + ".keys"
        write(keys, ("%s\n%s\n" % (regional, self.key)).encode())
        self.good(ctl("audit", "check", first, second, "--keys", keys, "--policy", policy))
        alone = ctl("audit", "check", first, "--keys", keys, "--policy", policy)
        self.assertEqual(alone.returncode, 2, "a policy that nothing is held against")

    def one_nodes_export(self, node):
        """A region's own log, by its own office."""
        folder = os.path.join(self.nation.folder, "office")
        key = log_key(node.enrolment)
        self.good(ctl("audit", "export", folder, "--from", node.data, "--key", key))
        self.good(run(CHECK, "export", folder))
        self.good(ctl("audit", "verify", folder, "--key", key))

    def too_few(self, folder):
        """Without the witnesses' lines the national log is signed, but nobody vouches for it."""
        path = os.path.join(folder, "national", "checkpoint")
        lines = read(path).split(b"\n")
        write(path, b"\n".join(lines[:lines.index(b"") + 2]) + b"\n")
        done = run(CHECK, "export", folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not the quorum", done.stdout)

    def test_logs_hold_that_were_redacted_and_have_other_keys(self):
        node = self.nation.nodes["26"]
        self.nation.ctl("keygen", "--rotate", node.keys)
        node.ctl("rotate", "--reason", "yearly")
        self.server.ctl("redact", "24", "1", "--reason", "it should not have been written")
        n.wait_for("the server answers again", lambda: self.server.ctl("status", check=False).returncode == 0)
        n.wait_for("the export names what was erased",
                   lambda: os.path.exists(os.path.join(self.kept, "24", "redacted")))
        node.await_open()
        self.add(node, "pl26-kis-3")
        self.until_published()
        told = self.fits()
        keys = read(os.path.join(self.kept, "26", "log.vkey")).decode().splitlines()
        self.assertEqual((len(keys), keys[-1]), (2, log_key(node.enrolment)))
        self.assertIn("/region/26: 5 entries (0 redacted)", told)
        self.assertIn("/region/24: 3 entries (1 redacted)", told)
        self.good(ctl("audit", "verify", self.kept, "--key", self.key))


@WITH_GO
class Demo(unittest.TestCase, Verdicts):
    """What the demo leaves for auditors."""
    def test_the_demos_logs_and_proofs_hold(self):
        folder = tempfile.mkdtemp(prefix="splot-")
        self.addCleanup(shutil.rmtree, folder)
        self.good(run("/usr/bin/python3", "-B", os.path.join(SOURCE, "tests", "nation", "demo.py"), "--bin", BIN,
                      "--once", "--dir", folder))
        audit = os.path.join(folder, "audit")
        self.assertRegex(self.good(run(CHECK, "export", audit)), r"cosigned by (9|1[0-5]) witnesses")
        with open(os.path.join(audit, "national", "checkpoint"), encoding="utf-8") as f:
            self.assertLessEqual(sum(line.startswith("\u2014 ") for line in f), 16)
        self.assertEqual(len(read(os.path.join(audit, "witnesses.vkeys")).splitlines()), 16)
        national = first_line(os.path.join(audit, "national", "log.vkey"))
        for log in n.REGIONS:
            name = os.path.join(folder, "proof")
            regional = first_line(os.path.join(audit, log, "log.vkey"))
            self.good(ctl("audit", "prove", log, "0", "--from", audit, "-o", name))
            self.good(run(CHECK, "proof", name + ".tlog-proof", "-key", regional))
            self.good(run(CHECK, "proof", name + ".national.tlog-proof", "-key", national, "-policy",
                          os.path.join(audit, "policy"), "-holds", name + ".tlog-proof"))


if __name__ == "__main__":
    print("SPLOT_SEED=%d" % SEED, flush=True)
    main()
