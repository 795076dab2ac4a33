"""docs/SECURITY.md: every test that it names is there, and every promise names one."""
import os
import re
import unittest

import story

TESTS = re.compile(r"`(tests/[\w/.-]+)`(?:: ((?:`\w+`(?:, )?)+))?")


class TheSecurityPage(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(story.SOURCE, "docs", "SECURITY.md"), encoding="utf-8") as f:
            text = f.read()
        table = re.search(r"(?m)^\| promise \|.*\n(?:\|.*\n)+", text)[0]
        self.rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]

    def test_every_promise_names_tests_that_are_there(self):
        self.assertGreaterEqual(len(self.rows), 25)
        named = 0
        for row in self.rows:
            self.assertEqual(len(row), 4, row)
            found = TESTS.findall(row[3])
            self.assertTrue(found, row)
            for path, names in found:
                with open(os.path.join(story.SOURCE, path), encoding="utf-8") as f:
                    text = f.read()
                for name in re.findall(r"`(\w+)`", names):
                    named += 1
                    with self.subTest(file=path, test=name):
                        self.assertRegex(text, r"(?m)^(    def %s\(|static void %s\()" % (name, name))
        self.assertGreaterEqual(named, 30)

    def test_units_and_limits_are_as_the_page_says(self):
        with open(os.path.join(story.SOURCE, "docs", "SECURITY.md"), encoding="utf-8") as f:
            page = f.read()
        for unit, most in (("splot-node", "512M"), ("splot-server", "2G"), ("splot-web", "2G")):
            with open(os.path.join(story.SOURCE, "deploy", unit + ".service.in"), encoding="utf-8") as f:
                self.assertIn("\nMemoryMax=%s\n" % most, f.read())
        with open(os.path.join(story.SOURCE, "common", "base", "limits.h"), encoding="utf-8") as f:
            limits = {name: value for name, value in re.findall(r"\b([A-Z_]+) = ([^,]+),", f.read())}
        for name, what in (("PEER_MESSAGES_PER_S", "messages"), ("PEER_HELLOS_PER_S", "greetings"),
                           ("PEER_HANDSHAKES_PER_S", "handshakes"), ("PEER_FETCHES_PER_S", "fetches"),
                           ("PEER_REFUSALS_PER_S", "refusals"), ("EVENT_BYTES_MAX", "bytes"),
                           ("EVENT_CHANGES_MAX", "records"), ("COMMIT_EVENTS_MAX", "events")):
            self.assertRegex(page, r"\b%s %s\b" % (format(int(limits[name]), ","), what), name)


if __name__ == "__main__":
    story.main()
