#!/usr/bin/env python3
"""The simulation itself: a seed repeats exactly, and what must not happen is seen and told."""
import os
import subprocess
import unittest

PROGRAM = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-sim")


def play(*arguments):
    done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return done.returncode, done.stdout


class Story(unittest.TestCase):
    def test_a_seed_repeats_to_the_letter(self):
        first, again = (play("--seeds", "1", "--from", "9", "--verbose") for _ in range(2))
        self.assertEqual(first, again)
        self.assertEqual(first[0], 0)
        self.assertGreater(len(first[1].splitlines()), 200)
        self.assertNotEqual(first, play("--seeds", "1", "--from", "10", "--verbose"))

    def test_a_disk_that_loses_what_it_confirmed_is_noticed_and_its_story_told(self):
        # A node's loss may be made good by a server before anybody sees it.
        told = {seed: play("--lying-disks", "--seeds", "1", "--from", str(seed)) for seed in range(2, 8)}
        failed = {seed: text for seed, (status, text) in told.items() if status == 1}
        self.assertGreaterEqual(len(failed), 4)
        for seed, text in failed.items():
            self.assertIn("BROKEN", text)
            again = "--seeds 1 --from %d --lying-disks" % seed
            self.assertIn("seed %d FAILED; again: splot-sim %s --verbose" % (seed, again), text)
        self.assertEqual(play("--lying-disks", "--seeds", "1", "--from", str(seed)), (1, text))

    def test_of_many_seeds_the_one_that_fails_is_told(self):
        status, text = play("--lying-disks", "--seeds", "6", "--from", "2", "--jobs", "2")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"seed [2-7] FAILED; again: ")


if __name__ == "__main__":
    unittest.main()
