"""Stores are lost, old, damaged or full: what was confirmed comes back, once, and all goes on.
tests/faults has the stories of programs that are killed, of disks that fail or are full."""
import os
import shutil

import nation as n
from story import Story, main


class LostAndRestored(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]

    def open_again(self):
        self.node.await_open()

    def fill(self, start, count):
        for i in range(start, start + count):
            self.add(self.node, "pl26-kis-c%d" % i)

    def test_a_lost_data_folder_comes_back_from_the_server(self):
        self.fill(0, 20)
        self.until_confirmed(self.node)
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        self.open_again()
        self.assertEqual(len(self.ids(self.node)), 20)
        self.fill(20, 3)
        self.until_confirmed(self.node)
        self.until_folded(self.server)
        self.assertEqual(len(self.ids(self.server)), 23)

    def test_no_edit_is_taken_until_the_log_is_back(self):
        self.fill(0, 5)
        self.until_confirmed(self.node)
        self.node.stop()
        self.server.stop()
        shutil.rmtree(self.node.data)
        self.node.start()
        done = self.node.ctl("put", "entity", "pl26-kis-new", "--new", "name=Klub", "kind=KIS", "region=26",
                             "--reason", "test", "--source", "note 1", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("centrum", done.stdout + done.stderr)
        self.assertEqual(self.node.status()["state"], "gated")
        self.server.start()
        self.open_again()
        self.assertEqual(len(self.ids(self.node)), 5)

    def test_an_old_backup_put_back_goes_on_without_a_fork(self):
        self.fill(0, 5)
        self.until_confirmed(self.node)
        self.node.stop()
        backup = self.node.data + ".backup"
        shutil.copytree(self.node.data, backup)
        self.node.start()
        self.fill(5, 10)
        self.until_confirmed(self.node)
        self.node.stop()
        shutil.rmtree(self.node.data)
        os.rename(backup, self.node.data)
        self.node.start()
        self.open_again()
        self.assertEqual(len(self.ids(self.node)), 15)
        self.fill(15, 1)
        self.until_confirmed(self.node)
        row = self.server.status()["logs"][0]
        self.assertEqual((row["state"], row["size"]), ("live", 16))

    def test_a_copied_node_that_went_its_own_way_is_noticed_and_only_its_log_frozen(self):
        other = self.nation.add_node("24")
        self.server.trust(other)
        other.start()
        self.fill(0, 5)
        self.until_confirmed(self.node)
        self.node.stop()
        copy = self.node.folder + ".copy"
        shutil.copytree(self.node.folder, copy)
        self.node.start()
        self.fill(5, 5)
        self.until_confirmed(self.node)
        self.node.stop()
        # The copy has keys, data and mark of size 5, and takes edits while no server is there.
        self.server.stop()
        shutil.rmtree(self.node.folder)
        os.rename(copy, self.node.folder)
        self.node.start()
        self.fill(100, 3)
        self.server.start()
        n.wait_for("the fork is noticed",
                   lambda: any(row["log"] == "26" and row["state"] == "frozen" for row in self.server.status()["logs"]))
        n.wait_for("the node says so", lambda: self.node.status()["servers"][0]["state"] == "frozen")
        self.add(other, "pl24-kis-goes-on")
        self.until_confirmed(other)
        self.until_folded(self.server)
        self.assertEqual(len(self.ids(self.server)), 11)

    def test_a_lost_view_is_folded_anew(self):
        self.fill(0, 10)
        self.until_confirmed(self.node)
        self.until_folded(self.server)
        before = self.server.json("summary")
        self.server.stop()
        shutil.rmtree(os.path.join(self.server.data, "view"))
        self.server.start()
        self.until_folded(self.server)
        self.assertEqual(self.server.json("summary"), before)

    def test_an_old_backup_of_the_server_gets_from_the_node_what_it_lacks(self):
        self.fill(0, 5)
        self.until_confirmed(self.node)
        self.server.stop()
        backup = self.server.data + ".backup"
        shutil.copytree(self.server.data, backup)
        self.server.start()
        self.fill(5, 10)
        self.until_confirmed(self.node)
        self.server.stop()
        shutil.rmtree(self.server.data)
        os.rename(backup, self.server.data)
        self.server.start()
        n.wait_for("all is confirmed again", lambda: self.server.status()["logs"][0]["size"] == 15)
        self.until_folded(self.server)
        self.assertEqual(self.ids(self.server), self.ids(self.node))

    def test_a_server_absent_for_long_gets_all_when_it_is_back(self):
        self.server.stop()
        self.fill(0, 30)
        self.server.start()
        self.until_confirmed(self.node)
        self.until_folded(self.server)
        self.assertEqual(len(self.ids(self.server)), 30)

    def test_a_truncated_store_is_refused_at_start_with_a_reason(self):
        self.fill(0, 10)
        self.node.kill()
        path = os.path.join(self.node.data, "data.mdb")
        os.truncate(path, 8 * 4096)  # what is in use; room behind it may be reserved
        with self.assertRaises(n.Failed) as failed:
            self.node.start(seconds=20)
        self.assertIn("ended with", str(failed.exception))
        self.assertIn(self.node.data, self.node.log_tail())

    def test_damaged_logs_of_the_server_are_refused_with_a_status_of_their_own(self):
        self.fill(0, 10)
        self.until_confirmed(self.node)
        self.server.kill()
        path = os.path.join(self.server.data, "logs", "data.mdb")
        with open(path, "r+b") as f:
            f.write(os.urandom(65536))
        with self.assertRaises(n.Failed):
            self.server.start(seconds=20)
        self.assertEqual(self.server.process.returncode, 4, self.server.log_tail())

    def test_keys_that_others_may_read_are_refused(self):
        self.node.stop()
        os.chmod(self.node.keys, 0o644)
        with self.assertRaises(n.Failed):
            self.node.start(seconds=20)
        self.assertIn("600", self.node.log_tail())
        os.chmod(self.node.keys, 0o600)
        self.node.start()

    def test_a_second_daemon_on_the_same_store_is_refused(self):
        # Its keys are a copy, so that the lock of the keys' mark does not come first.
        twin = n.Node(self.nation, "26", name="twin", data=self.node.data)
        shutil.copy2(self.node.keys, twin.keys)
        twin.configure()
        with self.assertRaises(n.Failed):
            twin.start(seconds=20)
        self.assertIn("another program", twin.log_tail())
        self.assertTrue(self.node.running())


class FullMap(Story):
    def test_a_full_map_grows_by_itself(self):
        server = self.nation.add_server(**{"map-size-mib": 1, "view-map-size-mib": 1})
        server.start()
        node = self.nation.add_node("26", **{"map-size-mib": 1})
        server.trust(node)
        node.start()
        node.await_open()
        for i in range(300):
            node.ctl("put", "entity", "pl26-kis-c%d" % i, "--new", "name=Klub", "kind=KIS", "region=26",
                     "other_facts=" + "x" * 7000, "--reason", "test", "--source", "note 1")
        self.until_confirmed(node, seconds=60)
        self.until_folded(server)
        self.assertEqual(len(self.ids(server)), 300)


if __name__ == "__main__":
    main()
