#!/usr/bin/env python3
"""The table of docs/RELIABILITY.md: what was skipped stands in it, and there is none when something was lost."""
import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

import soak
import table
from fault import main

LINE = {"fault": "a fault", "rounds": 3, "stake": 40, "lost": 0, "seconds": [1.0], "ran_s": 5, "at": "2026-11-22T00:00:00Z"}


class Played:
    """A story as soak.py knows it."""
    fault, name, once, ran = "full disk", "Story.test", False, 0

    def __init__(self, out, good=True):
        self.out, self.good = out, good

    def run(self, seconds, seed, records):
        return self.out, self.good


class Table(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.records = os.path.join(self.folder, "reliability.jsonl")
        with open(self.records, "w", encoding="utf-8") as f:
            f.write(json.dumps(LINE) + "\n")

    def test_what_was_skipped_stands_in_the_table_and_why(self):
        options = argparse.Namespace(minutes=0.001, seed=1, build=self.folder)
        self.assertTrue(soak.soak([Played("test (Story) ... skipped 'needs root'\n")], options, self.records))
        text = table.table(table.read([self.records]))
        self.assertIn("| a fault | 3 | 40 | 0 | 1.00 s | 1.00 s | 5 s |", text)
        self.assertIn("| full disk | skipped: needs root | – | – | – | – | – |", text)
        self.assertNotIn("sanitizers", text)

    def soak_with(self, program):
        """soak.py with such a simulation."""
        os.mkdir(os.path.join(self.folder, "tests"))
        path = os.path.join(self.folder, "tests", "splot-sim")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n%s\n" % program)
        os.chmod(path, 0o755)
        arguments = ["soak.py", "--build", self.folder, "--minutes", "0.01", "--only", "sim", "--seed", "7"]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), mock.patch.dict(os.environ), mock.patch.object(sys, "argv", arguments), \
                mock.patch.object(soak, "SLICE_S", (0.1, 0.1)), self.assertRaises(SystemExit) as ended:
            soak.main()
        self.assertEqual(ended.exception.code, 1, said.getvalue())
        self.assertNotIn("| fault |", said.getvalue())
        return said.getvalue()

    def test_a_seed_that_fails_ends_the_soak_without_a_table(self):
        said = self.soak_with("echo seed 7 did not hold; exit 1")
        self.assertIn("seed 7 did not hold", said)
        self.assertIn("To repeat it: ", said)

    def test_a_loss_that_is_only_recorded_is_one_as_well(self):
        line = json.dumps(dict(LINE, lost=1, fault="simulation: all faults"))
        self.soak_with("shift 5; echo '%s' >> $1" % line)


if __name__ == "__main__":
    main()
