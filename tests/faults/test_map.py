"""The map of a store grows while other processes read it, and is full one day: readers go on, nothing is lost, and
what is refused for want of room is refused by name until the bound is raised."""
import contextlib
import json
import os
import subprocess
import threading

import load as l
import nation as n
from fault import Fault, answers, main

TOLD = os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-told")
MIB = 1 << 20
SMALL = {"map-size-mib": "1"}


class Readers:
    """Programs that read a view while it grows: one that follows, one that opens it again and again."""

    def __init__(self, folder):
        self.folder, self.halt, self.failed = folder, threading.Event(), []
        self.positions = []
        self.process = subprocess.Popen([TOLD, folder, "follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        encoding="utf-8")
        self.threads = [threading.Thread(target=work) for work in (self.follow, self.open)]
        for thread in self.threads:
            thread.start()

    def follow(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "position" in told:
                self.positions.append(told["position"])

    def open(self):
        while not self.halt.wait(0.05):
            done = subprocess.run([TOLD, self.folder, "once"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  encoding="utf-8", timeout=30, check=False)
            if done.returncode != 0:
                self.failed.append((done.returncode, done.stderr))

    def end(self):
        self.halt.set()
        alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return alive


class Map(Fault):
    fault = "map growth under readers"

    def used(self, path):
        return os.path.getsize(os.path.join(path, "data.mdb"))

    def test_it_grows_while_others_read(self):
        servers, nodes = self.up(regions=("26",), servers=("centrum",), node_config=SMALL,
                                 server_config={"map-size-mib": "1", "view-map-size-mib": "1"})
        server, node, took = servers[0], nodes[0], []
        view = os.path.join(server.data, "view")
        web = self.nation.add_web(server).start()
        for i in self.rounds(1):
            readers = [Readers(view), Readers(node.data)]
            with contextlib.ExitStack() as stack:
                for reader in readers:
                    stack.callback(reader.end)
                with self.load(rate=2000, editors=24) as load:
                    n.wait_for("the stores grew", lambda i=i: all(
                        self.used(path) > (1.1 + 0.9 * i) * MIB
                        for path in (view, os.path.join(server.data, "logs"), node.data)), 60)
                self.until_converged()
                for reader, daemon in zip(readers, (server, node)):
                    position = daemon.status()["position"]
                    n.wait_for("who follows is told of the newest", lambda reader=reader, position=position:
                               reader.positions and reader.positions[-1] == position)
                    self.assertIsNone(reader.process.poll())
                    self.assertEqual(reader.failed, [])
            n.wait_for("splot-web has all", lambda: web.get("/api/v1/entities?limit=1")["total"] ==
                       len(self.entities(server)), 20)
            took.append(self.judge(load))
        self.record(self.fault, self.round, self.stake, 0, took)

    def entities(self, daemon):
        with l.Control(daemon.socket) as control:
            return control.entities()

    def test_a_full_map_refuses_by_name_until_it_is_raised(self):
        servers, nodes = self.up(regions=("26",), servers=("centrum",))
        server, node, took = servers[0], nodes[0], []
        for i in self.rounds(2):
            daemon = (node, server)[i % 2]
            self.assertEqual(daemon.stop(), 0)
            path = daemon.data if daemon is node else os.path.join(daemon.data, "logs")
            most = self.used(path) // MIB + 1
            daemon.options.update({"map-size-mib": "1", "map-max-mib": str(most)})
            if daemon is server:
                daemon.options["view-map-size-mib"] = "1"
            daemon.configure()
            daemon.start()
            node.await_open()
            with self.load(rate=2000, editors=24) as load:
                if daemon is node:
                    n.wait_for("edits are refused", lambda load=load: "map-full" in load.refusals, 60)
                    self.assertIn("map-max-mib", load.refusals["map-full"][1])
                else:
                    n.wait_for("the server says that it is full", lambda: "map-max-mib" in server.log_tail(40), 60)
                self.assertIsNotNone(answers(daemon))
            self.assertEqual(daemon.stop(), 0)
            daemon.options.update({"map-max-mib": "0"})
            daemon.configure()
            daemon.start()
            took.append(self.judge(load))
        self.record("map full", self.round, self.stake, 0, took)


if __name__ == "__main__":
    main()
