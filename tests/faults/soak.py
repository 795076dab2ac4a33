"""Faults for as long as you like: ./dev soak MINUTES.

    soak.py --build BUILD --minutes N [--only NAME…] [--seed S]

Shares the time among all tests of tests/faults and the simulation ("sim"), each in slices with a new
seed each time, and writes the table of docs/RELIABILITY.md (with --only, or when the time was not
enough for each of them: prints it).  NAME is part of CLASS.TEST or of a file's name.  Ends at the first
loss, with its seed and how to repeat it, and without a table."""
import argparse
import glob
import importlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..")
TABLE = os.path.join(SOURCE, "docs", "RELIABILITY.md")
SLICE_S = (15, 120)     # least and most of one run
OVERTIME_S = 600        # after which a run that does not end is a failure
SIM_SEEDS = 25          # played at a time
# A story that said its seed meanwhile has the word on a line of its own.
SKIPPED = re.compile(r"""(?m)(?:^|\.\.\. )skipped ['"](.*)['"]$""")


def environment(build):
    build = os.path.abspath(build)
    path = [HERE, os.path.join(SOURCE, "tests", "nation"), os.path.join(SOURCE, "tests", "e2e")]
    sys.path[:0] = path
    os.environ.update(SPLOT_BUILD=build, SPLOT_BIN=os.path.join(build, "bin"), PYTHONPATH=os.pathsep.join(path))


class Test:
    """One test method; `once`: it makes no rounds, so that once is enough."""

    def __init__(self, file, case):
        from fault import Fault
        self.file, self.name = file, ".".join(case.id().split(".")[-2:])
        self.fault = getattr(case, "fault", None) or self.name
        self.once = not isinstance(case, Fault)
        self.ran = 0

    def run(self, seconds, seed, records):
        """What it printed, and whether all is well."""
        done = subprocess.run([sys.executable, "-B", self.file, self.name], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=seconds + OVERTIME_S,
                              env=dict(os.environ, SPLOT_SOAK_S=str(seconds), SPLOT_SEED=str(seed),
                                       SPLOT_RELIABILITY=records))
        return done.stdout, done.returncode == 0


class Simulation:
    name, fault, once, ran = "sim", "simulation: all faults", False, 0

    def run(self, seconds, seed, records):
        begun, at, out = time.monotonic(), seed, ""
        with tempfile.NamedTemporaryFile(mode="r+", encoding="utf-8") as own:
            while time.monotonic() - begun < seconds:
                done = subprocess.run([os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-sim"), "--seeds",
                                       str(SIM_SEEDS), "--from", str(at), "--record", own.name],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
                out += done.stdout
                if done.returncode != 0:
                    return out, False
                at += SIM_SEEDS
            lines = [json.loads(line) for line in own if line.strip()]
        with open(records, "a", encoding="utf-8") as f:
            for line in lines:
                f.write(json.dumps(dict(line, ran_s=(time.monotonic() - begun) / len(lines))) + "\n")
        return out, True


def all_tests(only):
    found = [Simulation()]
    for file in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(os.path.basename(file)[:-3]))
        found += [Test(file, case) for group in suite for case in group]
    return [t for t in found if not only or any(
        word in t.name or word in os.path.basename(getattr(t, "file", "")) for word in only)]


def clock(seconds):
    return "%d:%02d" % divmod(int(seconds), 60)


def repeat(test, seconds, seed, options):
    return "tests/faults/soak.py --build %s --minutes %.2f --only %s --seed %d" % (
        options.build, seconds / 60, test.name, seed)


def record_skipped(records, test, why):
    with open(records, "a", encoding="utf-8") as f:
        f.write(json.dumps({"fault": test.fault, "skipped": why, "at": int(time.time())}) + "\n")


def soak(tests, options, records):
    """True when nothing was lost."""
    begun, end = time.monotonic(), time.monotonic() + options.minutes * 60
    share = options.minutes * 60 / max(1, len([t for t in tests if not t.once]))
    slice_s = options.minutes * 60 if options.seed is not None else max(SLICE_S[0], min(SLICE_S[1], share))
    while time.monotonic() < end:
        # Those that ran least come next; each once in any case.
        due = [t for t in tests if not t.once or not t.ran]
        test = min(due, key=lambda t: t.ran) if due else None
        if not test or (options.seed is not None and test.ran):
            break
        seed = random.randrange(1 << 32) if options.seed is None else options.seed
        seconds = max(SLICE_S[0], min(slice_s, end - time.monotonic()))
        print("[%s of %s] %s, seed %d: " % (clock(time.monotonic() - begun), clock(options.minutes * 60), test.name,
                                          seed), end="", flush=True)
        before = time.monotonic()
        try:
            out, good = test.run(seconds, seed, records)
        except subprocess.TimeoutExpired as e:
            out, good = (e.stdout or b"").decode("utf-8", "replace") + "\nit did not end", False
        test.ran += time.monotonic() - before
        skipped = SKIPPED.findall(out)
        print("skipped, %s" % skipped[0] if skipped else "held" if good else "FAILED", flush=True)
        if not good:
            print("%s\nTo repeat it: %s" % (out, repeat(test, seconds, seed, options)))
            return False
        if skipped:
            test.once = True
            record_skipped(records, test, skipped[0])
    return True


def main():
    arguments = argparse.ArgumentParser(prog="./dev soak MINUTES", description=__doc__.split("\n\n", 2)[2],
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", default="build", help=argparse.SUPPRESS)
    arguments.add_argument("--minutes", type=float, required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--only", nargs="+", metavar="NAME", default=[], help="only these")
    arguments.add_argument("--seed", type=int, help="one slice of each, from this seed")
    arguments.add_argument("faults", nargs="*", metavar="FAULT", help="as --only")
    options = arguments.parse_args()
    environment(options.build)
    import table
    tests = all_tests(options.only + options.faults)
    if not tests:
        sys.exit("soak.py: no test of that name")
    records = os.path.join(os.path.abspath(options.build), "reliability.jsonl")
    open(records, "w", encoding="utf-8").close()
    good = soak(tests, options, records)
    lines = table.read([records])
    if not good or any(line["lost"] for line in lines):
        sys.exit(1)
    if not lines:
        print("Nothing was recorded.")
    elif options.only or options.faults:
        print(table.table(lines))
    elif not all(t.once or t.ran for t in tests):
        print("%s\n\nNot every fault had its turn: docs/RELIABILITY.md stays as it was; give it more minutes."
              % table.table(lines))
    else:
        table.write(TABLE, table.table(lines))
        print("The table of docs/RELIABILITY.md is written, from %s." % records)


if __name__ == "__main__":
    main()
