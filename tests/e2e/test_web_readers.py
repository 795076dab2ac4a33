"""Readers of splot-web's events and of its answers: a thousand that listen, some that are cut and come back, some
that stall, more than there is room for."""
import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import threading
import time
from statistics import median

import nation as n
from story import main
from web_story import PATIENCE, SECOND, Events, WebStory, connect, statuses, talk


class Readers(WebStory):
    web_options = {"max_readers": 1200, "max_connections": 1500}

    def test_a_reader_is_told_of_each_change_within_a_moment_and_gets_heartbeats(self):
        with_all, with_region = Events(self.web), Events(self.web, query="?region=26")
        other = Events(self.web, query="?region=24", timeout=40)
        self.addCleanup(with_all.close)
        self.addCleanup(with_region.close)
        self.addCleanup(other.close)
        for reader in (with_all, with_region, other):
            self.assertEqual((reader.status, reader.headers["content-type"]), (200, "text/event-stream"))
            self.assertEqual(json.loads(reader.until("hello")["data"])["identity"], "centrum")
        took = []
        for i in range(5):
            self.add(self.node, "pl26-cis-%d" % i)
            done = time.monotonic()
            for reader in (with_all, with_region):
                found = reader.until("change")
                data = json.loads(found["data"])
                self.assertEqual([c["id"] for c in data["changes"]], ["pl26-cis-%d" % i])
                self.assertEqual(data["position"], int(found["id"]))
            took.append(time.monotonic() - done)
        self.assertLess(median(took), 1.0 * PATIENCE)
        # The other region's reader gets the status, and heartbeats, but none of these.
        seen, started = [], time.monotonic()
        while not any(m.get("comment") == "heartbeat" for m in seen):
            seen.append(other.message())
            self.assertLess(time.monotonic() - started, 30)
        self.assertNotIn("change", [m.get("event") for m in seen])

    def ids_until(self, reader, last):
        found = []
        while not found or found[-1] < last:
            found.append(int(reader.until("change")["id"]))
        return found

    def test_a_cut_reader_misses_nothing_and_gets_nothing_twice(self):
        whole = Events(self.web)
        whole.until("hello")
        ids, after = [], None
        reader = Events(self.web)
        reader.until("hello")
        for i in range(40):
            self.add(self.node, "pl26-cis-%d" % i)
            if i % 4 == 1:  # some come while it is away
                ids.append(int(reader.until("change")["id"]))
                reader.close()
                after = ids[-1]
            if i % 4 == 3:
                reader = Events(self.web, after=after)
                while len(ids) < i + 1:
                    ids.append(int(reader.until("change")["id"]))
            if i % 4 == 0:
                ids.append(int(reader.until("change")["id"]))
        expected = self.ids_until(whole, ids[-1])
        self.assertEqual(ids, expected)
        self.assertEqual(len(ids), 40)
        # From the beginning, out of the view: the same; of a region, and by the parameter.
        for query in ("?region=26", "?last_event_id=0", "?region=26&last_event_id=0"):
            again = Events(self.web, after=0 if "last" not in query else None, query=query)
            self.assertEqual(self.ids_until(again, ids[-1]), expected)
            again.close()
        whole.close()
        reader.close()

    def test_an_id_that_is_not_reached_begins_anew(self):
        reader = Events(self.web, after=10 ** 9)
        found = reader.message()
        self.assertEqual(found["event"], "reset")
        self.assertLess(json.loads(found["data"])["position"], 100)
        self.add(self.node, "pl26-cis-a")
        reader.until("change")
        reader.close()
        for query in ("?last_event_id=x", "?region=99", "?other=1"):
            self.assertEqual(self.web.ask("/api/v1/events" + query)[0], 400)

    def test_readers_are_told_when_the_view_was_made_anew(self):
        for i in range(5):
            self.add(self.node, "pl26-cis-%d" % i)
        self.until_shown(5)
        reader = Events(self.web, timeout=60)
        reader.until("hello")
        before = self.web.get("/api/v1/entities")["records"]
        self.server.stop()
        shutil.rmtree(os.path.join(self.server.data, "view"))
        self.server.start()
        self.assertEqual(json.loads(reader.until("reset")["data"])["identity"], "centrum")
        self.web.await_ready()
        self.assertEqual(self.web.get("/api/v1/entities")["records"], before)
        self.node.await_open()
        self.until_confirmed()
        self.add(self.node, "pl26-cis-later")
        reader.until("change")
        reader.close()
        self.assertEqual(self.metric("splot_web_views_opened_total"), 2)

    def test_a_thousand_readers_get_a_change_within_a_second(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        sockets, chooser = [], selectors.DefaultSelector()
        for _ in range(1000):
            s = connect(self.web, timeout=30)
            s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
            sockets.append(s)
        self.addCleanup(lambda: [s.close() for s in sockets])
        for s in sockets:
            got = b""
            while b"event: hello" not in got:
                got += s.recv(4096)
            s.setblocking(False)
            chooser.register(s, selectors.EVENT_READ, bytearray())
        self.assertEqual(self.metric("splot_web_event_readers"), 1000)
        took, waited = [], []
        for i in range(3):
            done = []
            adding = threading.Thread(target=lambda: (self.add(self.node, "pl26-cis-%d" % i),
                                                      done.append(time.monotonic())))
            adding.start()
            told, deadline = 0, time.monotonic() + 30
            want = b'"id":"pl26-cis-%d"' % i
            while told < 1000 and time.monotonic() < deadline:
                for key, _ in chooser.select(1):
                    before = want in key.data
                    key.data.extend(key.fileobj.recv(65536))
                    told += want in key.data and not before
            last = time.monotonic()
            adding.join()
            self.assertEqual(told, 1000)
            took.append(last - done[0])
            # Others are answered meanwhile.
            begun = time.monotonic()
            self.assertEqual(self.web.ask("/api/v1/summary")[0], 200)
            waited.append(time.monotonic() - begun)
        self.assertLess(median(took), 1.0 * PATIENCE)
        self.assertLess(median(waited), 0.5 * PATIENCE)
        for s in sockets:
            chooser.unregister(s)
            s.close()
        n.wait_for("they are gone", lambda: self.metric("splot_web_event_readers") == 0, 30)

    def test_many_who_ask_for_what_was_do_not_keep_others_waiting(self):
        path = os.path.join(self.nation.folder, "many.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,region,kind,name\n")
            f.writelines("pl26-kis-%d,26,KIS,Klub %d\n" % (i, i) for i in range(6000))
        self.node.ctl("import", "--kind", "entity", path, "--reason", "test", "--source", "note 1", timeout=120)
        self.until_shown(6000, seconds=60)
        # Nothing of that region's ever changed: for each of them all there is has to be looked through.
        asking = [connect(self.web, timeout=60) for _ in range(600)]
        self.addCleanup(lambda: [s.close() for s in asking])
        for s in asking:
            s.sendall(b"GET /api/v1/events?region=24&last_event_id=0 HTTP/1.1\r\nHost: a\r\n\r\n")
        took = []
        for _ in range(10):
            begun = time.monotonic()
            self.assertEqual(self.web.ask("/healthz")[0], 200)
            took.append(time.monotonic() - begun)
        self.assertLess(max(took), 1.5 * PATIENCE)  # the first one waits longest
        # And who wants to know is told what was, whole and in order.
        reader = Events(self.web, after=0, timeout=120)
        self.addCleanup(reader.close)
        told, last = [], self.web.get("/api/v1/status")["position"] - 1
        while not told or told[-1] < last:
            told.append(int(reader.until("change")["id"]))
        self.assertEqual(told, sorted(set(told)))
        self.assertEqual(told[0], 1)

    def test_who_listens_misses_nothing_of_what_came_while_the_program_stood_still(self):
        reader = Events(self.web, timeout=60)
        self.addCleanup(reader.close)
        reader.until("hello")
        self.add(self.node, "pl26-cis-a")
        first = int(reader.until("change")["id"])
        self.web.process.send_signal(signal.SIGSTOP)
        try:
            while self.server.status()["position"] < 700:  # more than the program notes for its readers at once
                subprocess.run([os.path.join(os.environ["SPLOT_BUILD"], "tests", "splot-load"), "rate",
                                self.server.socket, "1", "1", "2",
                                "26=" + self.node.socket], stdout=subprocess.DEVNULL, check=True, timeout=120)
                self.until_confirmed(seconds=60)
                self.until_folded(self.server, seconds=60)
        finally:
            self.web.process.send_signal(signal.SIGCONT)
        end = self.server.status()["position"]
        self.assertEqual([int(reader.until("change")["id"]) for _ in range(first + 1, end)],
                         list(range(first + 1, end)))

    def test_it_ends_in_good_order_under_load(self):
        stop = threading.Event()
        bad = []

        def load():
            while not stop.is_set():
                try:
                    status = self.web.ask("/api/v1/summary", timeout=10)[0]
                    if status not in (200, 503):
                        bad.append(status)
                except OSError:
                    pass
                except Exception as e:  # an answer cut short
                    bad.append(e)
        threads = [threading.Thread(target=load) for _ in range(8)]
        readers = [Events(self.web) for _ in range(50)]
        for t in threads:
            t.start()
        time.sleep(1)
        started = time.monotonic()
        self.assertEqual(self.web.stop(), 0)
        self.assertLess(time.monotonic() - started, 5 + PATIENCE)  # for answers under way it waits 5 s at most
        stop.set()
        for t in threads:
            t.join()
        ended = 0
        for reader in readers:
            try:
                while True:
                    reader.message()
            except (EOFError, ConnectionError, ValueError):
                ended += 1
            reader.close()
        self.assertEqual(ended, 50)
        self.assertEqual([b for b in bad if "RemoteDisconnected" not in repr(b) and "reset" not in repr(b)], [])


class Few(WebStory):
    web_options = {"max_readers": 3, "max_connections": 16, "max_connections_per_ip": 0}

    def test_readers_and_connections_beyond_the_bound_are_told_so(self):
        readers = [Events(self.web) for _ in range(3)]
        over = Events(self.web)
        self.assertEqual((over.status, over.headers["retry-after"]), (503, "5"))
        over.close()
        idle = [connect(self.web) for _ in range(30)]
        n.wait_for("they are counted", lambda: b" 503 " in talk(self.web, SECOND.replace(
            b"Host: a", b"Host: a\r\nConnection: close"))[0], 10)
        for s in idle:
            s.close()
        n.wait_for("others are answered again", self.web.is_ready, 10)
        readers[0].close()
        n.wait_for("a place is free", lambda: self.metric("splot_web_event_readers") == 2, 20)
        again = Events(self.web)
        self.assertEqual(again.status, 200)
        for reader in readers[1:] + [again]:
            reader.close()


    def test_one_address_may_be_bounded(self):
        web = self.nation.add_web(self.server, name="web-bounded", max_connections_per_ip=4).start()
        taken = []

        def take():
            """Those who asked before may not be gone yet."""
            s = connect(web)
            try:
                s.sendall(SECOND)
                if statuses(s.recv(4096)) == [200]:
                    taken.append(s)
                    return True
            except ConnectionError:
                pass
            s.close()
            return False
        for _ in range(4):
            n.wait_for("a connection", take)
        self.assertEqual(talk(web, SECOND), (b"", True))
        taken.pop().close()
        n.wait_for("a place is free", lambda: statuses(talk(web, SECOND.replace(
            b"Host: a", b"Host: a\r\nConnection: close"))[0]) == [200])
        for s in taken:
            s.close()


class Stalled(WebStory):
    def stall(self, path):
        """Asks for much more than sockets hold, and takes none of it."""
        s = connect(self.web, receive=4096)
        self.addCleanup(s.close)
        s.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path * 200)

    def test_to_be_told_to_reread_while_it_ends_is_passed_over(self):
        self.stall(b"/api/v1/openapi.json")
        n.wait_for("it is answered", lambda: self.metric("splot_web_connections") == 2)
        self.web.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # it waits five seconds for what is under way
        self.web.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.web.stop(), 0)

    def test_readers_that_stall_are_dropped_and_others_do_not_notice(self):
        path = b"/api/v1/openapi.json"
        size = len(self.web.ask(path.decode())[2])
        self.assertGreater(size, 20000)
        for _ in range(20):
            self.stall(path)
        began, took = time.monotonic(), []
        before = self.metric("splot_web_dropped_total")
        while self.metric("splot_web_dropped_total") - before < 20:
            self.assertLess(time.monotonic() - began, 45)
            asked = time.monotonic()
            self.assertEqual(self.web.ask("/api/v1/summary")[0], 200)
            took.append(time.monotonic() - asked)
            time.sleep(0.02)
        self.assertLess(sorted(took)[len(took) * 9 // 10], 0.1 * PATIENCE)
        n.wait_for("they are gone", lambda: self.metric("splot_web_connections") <= 1, 10)

    def test_readers_of_events_that_stall_are_dropped_and_others_go_on(self):
        for i in range(20):
            self.add(self.node, "pl26-cis-%d" % i, name="Centrum " + "x" * 200)
        stalled = []
        for _ in range(20):
            s = connect(self.web, receive=2048)
            s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 0\r\n\r\n")
            stalled.append(s)
        self.addCleanup(lambda: [s.close() for s in stalled])
        healthy = Events(self.web)
        healthy.until("hello")
        began = time.monotonic()
        took = []
        while self.metric('splot_web_dropped_total{reason="stalled_events"}') < 20:
            self.assertLess(time.monotonic() - began, 120)
            self.add(self.node, "pl26-cis-more-%d" % len(took), name="Centrum " + "z" * 3000)
            asked = time.monotonic()
            healthy.until("change")
            took.append(time.monotonic() - asked)
        self.assertLess(median(took), 1.0 * PATIENCE)
        healthy.close()


if __name__ == "__main__":
    main()
