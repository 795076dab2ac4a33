"""The register as it was: exports as of a size, a time and a day equal the exports that were taken
then, at nodes and at the server, while edits go on."""
import datetime
import os
import random
import shutil
import struct
import subprocess
import threading
import unittest

import nation as n
import story

WHY = ("--reason", "test", "--source", "note 1")
KINDS = ["operators", "entities", "networks", "memberships", "statistics"]
STEPS = 6

# The daemons' clock is what a file says: milliseconds since 1970.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	static int fd = -1;
	int64_t ms;

	if (!real)
		real = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd < 0)
		fd = open(getenv("STORY_CLOCK"), O_RDONLY | O_CLOEXEC);
	if (id != CLOCK_REALTIME || pread(fd, &ms, sizeof ms, 0) != sizeof ms)
		return real(id, t);
	t->tv_sec = ms / 1000;
	t->tv_nsec = ms % 1000 * 1000000;
	return 0;
}
"""


def ms_of(text):
    """Of a time in UTC as `log` prints it."""
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return round(at.timestamp() * 1000)


class AsOf(story.Story):
    logs = ["24", "26"]

    def exported(self, daemon, *arguments):
        """Every file of an export, and what it says that it stands for."""
        folder = os.path.join(self.nation.folder, "out", daemon.name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        told = daemon.json("export", "--dir", folder, *arguments)
        files = {}
        for kind in KINDS:
            with open(os.path.join(folder, kind + ".csv"), "rb") as f:
                files[kind] = f.read()
        return told, files

    def step(self, node, r, number):
        """A few edits, seeded: added, changed, emptied again, ended."""
        log = node.log_name
        self.add(node, "pl%s-kis-x%d" % (log, number), place="Busko")
        if number:
            old = "pl%s-kis-x%d" % (log, r.randrange(number))
            node.ctl("put", "entity", old, "place=%s" % r.choice(["", "Kielce", "Sandomierz"]),
                     "status=%s" % r.choice(["", "active", "closed"]), *WHY, check=False)  # it may have ended
        if number == 3:
            node.ctl("retire", "pl%s-kis-x1" % log, *WHY)

    def fails(self, daemon, what, *arguments, code=1):
        done = daemon.ctl(*arguments, check=False)
        self.assertEqual(done.returncode, code, arguments)
        self.assertIn(what, done.stderr)

    def daemons(self):
        return [self.nation.nodes["26"], self.nation.nodes["24"], self.server]

    def take(self, taken):
        """An export at every daemon, with the state that it stands for, and the time after it."""
        self.until_confirmed()
        self.until_folded(self.server)
        for daemon in self.daemons():
            told, files = self.exported(daemon)
            now = daemon.json("log", "--limit", "1", *(["--national"] if daemon is self.server else []))["recorded"]
            taken[daemon.name].append((told["position"], now, files))

    def test_exports_of_a_size_and_of_a_time_are_those_that_were_taken_then_while_edits_go_on(self):
        seed = int(os.environ.get("SPLOT_SEED", random.randrange(1 << 32)))
        print("seed %d (repeat with SPLOT_SEED=%d)" % (seed, seed))
        r = random.Random(seed)
        self.server = self.nation.up(regions=self.logs)
        taken = {daemon.name: [] for daemon in self.daemons()}
        for number in range(STEPS):
            for node in self.nation.nodes.values():
                self.step(node, r, number)
            self.take(taken)
        stop = threading.Event()

        def go_on():
            number = 0
            while not stop.is_set():
                for log, node in self.nation.nodes.items():
                    node.ctl("put", "entity", "pl%s-kis-x0" % log, "place=Place %d" % number, *WHY)
                number += 1
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            for daemon in self.daemons():
                for size, time, files in taken[daemon.name]:
                    for as_of in (str(size), time):
                        told, found = self.exported(daemon, "--as-of", as_of)
                        self.assertEqual((told["position"], told["as_of"]), (size, as_of))
                        self.assertEqual(found, files, "%s as of %s, seed %d" % (daemon.name, as_of, seed))
                    self.assertEqual(self.exported(daemon, "--at", str(size))[1], files)
        finally:
            stop.set()
            thread.join()
        # get and list go by the same state, and a record that came later is not there
        for daemon in self.daemons():
            log = "24" if daemon.name == "node-24" else "26"
            size = taken[daemon.name][0][0]
            listed = daemon.json("list", "entities", "--as-of", str(size))
            self.assertEqual(listed["position"], size)
            got = daemon.json("get", "pl%s-kis-x0" % log, "--as-of", str(size))
            self.assertIn(got, listed["records"])
            self.assertEqual(got["record"]["place"], "Busko")
            self.assertNotEqual(daemon.json("get", "pl%s-kis-x0" % log)["record"]["place"], "Busko")
            self.fails(daemon, "no record", "get", "pl%s-kis-x5" % log, "--as-of", str(size))

    def test_a_state_that_never_was_is_a_clear_error(self):
        self.server = self.nation.up(regions=self.logs)
        self.add(self.nation.nodes["26"], "pl26-kis-a")
        self.until_confirmed()
        self.until_folded(self.server)
        for daemon in (self.nation.nodes["26"], self.server):
            for command in (("get", "pl26-kis-a"), ("list", "entities"), ("export", "entities")):
                self.fails(daemon, "nothing was recorded up to the end of 2020-02-29", *command, "--as-of", "2020-02-29")
                self.fails(daemon, "has only", *command, "--as-of", "1000000")
                self.fails(daemon, "--as-of takes a day", *command, "--as-of", "2026-02-30", code=2)
                self.fails(daemon, "--as-of takes a day", *command, "--as-of", "0", code=2)
                self.fails(daemon, "give one of them", *command, "--as-of", "1", "--at", "1", code=2)
            done = daemon.ctl("export", "entities", "--as-of", "2999-12-31")
            self.assertIn("2999-12-31 is not over", done.stderr)
            self.assertEqual(done.stdout, daemon.ctl("export", "entities").stdout)
            self.assertIn("as of ", done.stderr)

    @unittest.skipIf(story.SANITIZED or not shutil.which("cc"), "a preloaded clock needs a plain build and cc")
    def test_exports_of_a_day_are_those_that_were_taken_at_its_end_in_Warsaw(self):
        clock = os.path.join(self.nation.folder, "clock")
        with open(clock + ".c", "w", encoding="utf-8") as f:
            f.write(CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", clock + ".so", clock + ".c", "-ldl"], check=True)

        def set_clock(text):
            with open(clock + ".new", "wb") as f:
                f.write(struct.pack("=q", ms_of(text)))
            with open(clock + ".new", "rb") as new, open(clock, "r+b" if os.path.exists(clock) else "wb") as f:
                f.write(new.read())
        set_clock("2026-03-27T12:00:00.000Z")
        self.server = self.nation.add_server()
        for log in self.logs:
            self.nation.add_node(log)
        for daemon in self.nation.daemons():
            daemon.environment.update(LD_PRELOAD=clock + ".so", STORY_CLOCK=clock)
        self.server.start()
        for node in self.nation.nodes.values():
            self.server.trust(node)
            node.start()
        for node in self.nation.nodes.values():
            node.await_open()
        # the last and the first moments of days: winter, the clock put forward, summer, put back
        moments = ["2026-03-27T22:59:59.999Z", "2026-03-27T23:00:00.000Z",
                   "2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00.000Z",
                   "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00.000Z",
                   "2026-10-24T21:59:59.999Z", "2026-10-24T22:00:00.000Z",
                   "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00.000Z"]
        days = ["2026-03-27", "2026-03-28", "2026-03-28", "2026-03-29", "2026-03-29", "2026-03-30",
                "2026-10-24", "2026-10-25", "2026-10-25", "2026-10-26"]
        taken = {}
        for number, (moment, day) in enumerate(zip(moments, days)):
            set_clock(moment)
            for node in self.nation.nodes.values():
                self.add(node, "pl%s-kis-d%d" % (node.log_name, number), place=moment[:10])
            self.until_confirmed()
            self.until_folded(self.server)
            for daemon in self.daemons():
                taken[daemon.name, day] = self.exported(daemon)  # the last one of a day stays
        set_clock("2026-12-31T12:00:00.000Z")
        self.add(self.nation.nodes["26"], "pl26-kis-later")
        self.until_confirmed()
        self.until_folded(self.server)
        for daemon in self.daemons():
            for day in sorted(set(days)):
                then, files = taken[daemon.name, day]
                told, found = self.exported(daemon, "--as-of", day)
                self.assertEqual(told["position"], then["position"], "%s, %s" % (daemon.name, day))
                self.assertEqual(found, files, "%s, %s" % (daemon.name, day))
            # a day on which nothing happened is as the day before it
            self.assertEqual(self.exported(daemon, "--as-of", "2026-07-01")[1], taken[daemon.name, "2026-03-30"][1])
            self.fails(daemon, "nothing was recorded up to the end of 2026-03-26", "list", "entities", "--as-of",
                       "2026-03-26")
        # log goes by the same days
        for day, count in (("2026-03-28", 2), ("2026-03-29", 2), ("2026-10-25", 2), ("2026-10-24", 1), ("2026-07-01", 0)):
            found = self.nation.nodes["26"].ctl("log", "--since", day, "--until", day, "--json").stdout.splitlines()
            self.assertEqual(len(found), count, day)


if __name__ == "__main__":
    story.main()
