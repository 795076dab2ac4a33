"""A node that means well never signs two histories: neither without servers, nor twice at once,
nor when its mark cannot be written."""
import os
import shutil
import subprocess
import unittest

import nation as n
from story import SANITIZED, Story, main

# The mark's file refuses every write; what else is written is let through.
UNWRITABLE_MARK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at);
static ssize_t checked(int fd, const void *data, size_t size, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);
	char link[64], path[4096] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof path - 1) > 0 && strstr(path, "keys.highwater")) {
		errno = ENOSPC;
		return -1;
	}
	if (!real)
		real = dlsym(RTLD_NEXT, "pwrite64");
	return real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return checked(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return checked(fd, data, size, at);
}
"""


class NeverTwoHistories(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]
        for i in range(3):
            self.add(self.node, "pl26-kis-a%d" % i)
        self.until_confirmed(self.node)

    def refused(self, node, record_id):
        done = node.ctl("put", "entity", record_id, "--new", "name=Klub", "kind=KIS", "region=26",
                        "--reason", "test", "--source", "note 1", check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stdout + done.stderr

    def test_a_lost_store_takes_no_edits_when_the_servers_were_taken_out_of_the_configuration(self):
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.node.servers = []
        self.node.configure()
        self.node.start()
        self.assertIn("name the servers", self.refused(self.node, "pl26-kis-b"))
        self.assertEqual(self.node.status()["state"], "gated")
        self.node.stop()
        self.node.servers = [self.server]
        self.node.configure()
        self.node.start()
        self.node.await_open()
        self.assertEqual(len(self.ids(self.node)), 3)

    def test_a_machine_put_back_from_an_old_copy_waits_for_the_servers_once_its_mark_is_removed(self):
        self.node.stop()
        shutil.copytree(self.node.data, self.node.data + ".old")
        self.node.start()
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)
        self.node.stop()
        self.server.stop()
        shutil.rmtree(self.node.data)
        os.rename(self.node.data + ".old", self.node.data)
        os.unlink(self.node.keys + ".highwater")
        self.node.start()
        self.assertIn("centrum", self.refused(self.node, "pl26-kis-c"))
        self.server.start()
        self.node.await_open()
        self.add(self.node, "pl26-kis-c")
        self.until_confirmed(self.node)
        self.assertEqual(self.server.status()["logs"][0]["size"], 5)

    def test_a_second_log_of_a_region_is_enrolled_only_in_the_place_of_the_first(self):
        second = n.Node(self.nation, "26/2", name="node-26-2").make([self.server])
        arguments = ["trust", "add", second.enrolment, "--reason", "begins anew"]
        done = self.server.ctl(*arguments, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("log 26 writes the records of this region", done.stderr)
        self.server.ctl("trust", "revoke", "26", "--reason", "its keys are lost")
        self.server.ctl(*arguments)

    def test_a_second_node_with_the_same_keys_does_not_start(self):
        twin = n.Node(self.nation, "26", name="twin")
        twin.keys, twin.servers = self.node.keys, [self.server]
        twin.configure()
        with self.assertRaises(n.Failed) as failed:
            twin.start()
        self.assertIn("another node runs with these keys", str(failed.exception))
        self.add(self.node, "pl26-kis-b")
        self.until_confirmed(self.node)

    @unittest.skipIf(SANITIZED or not shutil.which("cc"), "a preloaded library needs a plain build and cc")
    def test_what_was_stored_is_not_denied_when_the_mark_cannot_follow(self):
        shim = os.path.join(self.nation.folder, "shim")
        with open(shim + ".c", "w", encoding="utf-8") as f:
            f.write(UNWRITABLE_MARK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim + ".so", shim + ".c", "-ldl"], check=True)
        self.node.stop()
        self.node.environment["LD_PRELOAD"] = shim + ".so"
        self.node.start()
        self.add(self.node, "pl26-kis-b")  # accepted: it is on the disk
        self.node.process.wait(30)
        self.assertIn("highwater", self.node.log_tail())
        self.assertEqual(self.server.status()["logs"][0]["size"], 3)  # and it did not leave
        del self.node.environment["LD_PRELOAD"]
        self.node.start()
        self.assertIn("pl26-kis-b", self.ids(self.node))
        self.until_confirmed(self.node)


if __name__ == "__main__":
    main()
