"""A peer with valid keys, or without, breaks every rule of docs/PROTOCOL.md (tests/nation/hostile.py),
one by one: nothing changes, the refusal has its code and is counted, and an honest peer is served."""
import hashlib
import json
import os
import re
import shutil
import struct
import time

import dishonest
import hostile
import nacl.signing
import nation as n
import peer as p
import raw as r
from story import SOURCE, Story, main

HONEST = "24"
PROTOCOL = os.path.join(SOURCE, "docs", "PROTOCOL.md")
REGIONS = [region for region in n.REGIONS if region != "PL"]


class Table(Story):
    def setUp(self):
        """No nation: the page and the table alone."""

    def tell(self):
        """Nothing ran."""

    def test_every_rule_of_the_page_is_broken_somewhere(self):
        rules = hostile.rules(PROTOCOL)
        broken = {case.rule for case in hostile.CASES} | {rule for rule, _, _ in hostile.NODE_CASES}
        self.assertEqual(rules - broken - set(hostile.ELSEWHERE), set())
        self.assertEqual((broken | set(hostile.ELSEWHERE)) - rules, set(), "rules that the page does not have")

    def test_the_stories_that_break_the_others_are_there(self):
        here = os.path.dirname(os.path.abspath(__file__))
        for rule, (file, name) in hostile.ELSEWHERE.items():
            with open(os.path.join(here, file), encoding="utf-8") as f:
                self.assertIn("def %s(" % name, f.read(), rule)


class HostileStory(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.add_server(**{"witness-interval-s": 1})
        self.server.start()
        self.held = []
        # The keys of nodes; the programs themselves are never started: the test speaks for them.
        for log in self.enrolled:
            self.server.trust(self.nation.add_node(log))

    def tearDown(self):
        for one in self.held:
            one.socket.close()
        self.assertTrue(self.server.running(), self.server.log_tail())
        self.assertEqual(self.server.stop(), 0)

    def peer(self, log="26", **options):
        node = self.nation.nodes[log]
        return p.Peer(p.Keys(node.keys), log, self.server.address, self.server.card, **options)

    # ---- what the cases use ----

    def raw_unopened(self, log, secret=None, feed=False, **options):
        address = self.server.feed if feed else self.server.address
        return r.Raw(address, p.card_curve_key(self.server.card),
                     secret or p.Keys(self.nation.nodes[log].keys).curve_secret, **options)

    def raw(self, log, **options):
        return self.raw_unopened(log, **options).open()

    def raw_after_penalty(self, log, seconds=10):
        end = time.monotonic() + seconds
        while True:
            try:
                one = self.raw_unopened(log)
                one.socket.settimeout(0.3)
                return one.open()
            except (r.Closed, OSError):
                one.socket.close()
                self.assertLess(time.monotonic(), end, "the key was not let in again")

    def flood(self, peer, frame, code, most, unless_slow=False):
        """Sends it, reading nothing, until the server has counted that refusal: its answer need not
        find its way past the others that wait."""
        for _ in range(0, most, 500):
            for _ in range(500):
                peer.send(frame)
            if self.refused_count(peer.log, code):
                return
        try:
            self.wait_refused(peer.log, code, 1)
        except n.Failed:
            if not unless_slow:
                raise
            self.skipTest("this machine does not take so many messages in a second")

    def refused_among(self, peer, code):
        """Answers until that refusal."""
        while True:
            got = peer.receive(5.0)
            self.assertIsNotNone(got, "no refusal with %s" % code)
            if got[0] == "refused" and got[1][2].decode() == code:
                return

    def count(self, peer, kind, seconds):
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            got = peer.receive(max(0.0, end - time.monotonic()))
            count += got is not None and got[0] == kind
        return count

    def pours(self, raw, most):
        """Pours frames of an unfinished message in; whether the connection was ended by then."""
        piece, sent = bytes(64 * 1024), 0
        raw.socket.settimeout(1)
        try:
            while sent < most:
                raw.send(piece, more=True)
                sent += len(piece)
        except r.Closed:
            return True
        except TimeoutError:  # nobody takes any more
            pass
        return raw.closed(5)

    def refused_count(self, log, code):
        return self.refusals(self.server, log).get(code, 0)

    def wait_refused(self, log, code, count):
        n.wait_for("%d refusals of %s with %s" % (count, log, code),
                   lambda: self.refused_count(log, code) >= count, 5)


class EveryRule(HostileStory):
    enrolled = n.REGIONS

    def digest(self):
        """Of all that the view shows but the honest log's."""
        rows = [row for kind in n.KINDS for row in self.server.json("list", kind[:-1] if kind != "entities" else "entity")
                ["records"] if not row["id"].startswith("pl%s-" % HONEST)]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()

    def state(self):
        """Sizes and roots of all logs but the honest one's."""
        status = self.server.status()
        return {row["log"]: (row["size"], re.split(r"\n\n", row.get("checkpoint") or "")[0])
                for row in status["logs"] if row["log"] != HONEST}, \
               {(row["log"], row["code"]): row["count"] for row in status["refusals"]}

    def opened(self, log, opens):
        """An anchored peer of that log, kept for the next case when it still is one."""
        peer = self.peers.pop(log, None)
        if peer is None or log != "26":
            if peer:
                peer.close()
            peer = self.peer(log)
            peer.events = list(self.history.get(log, []))
            if opens:
                peer.open()
        self.peers[log] = peer
        return peer

    def fill(self, log, events):
        """What is there before anything is tried."""
        with self.peer(log) as peer:
            peer.open()
            for event in events:
                peer.commit([event])
                peer.expect("ack")
        self.history[log] = events

    def serve_honest(self):
        number = len(self.honest.events) + 1
        self.honest.commit([hostile.club(number, HONEST)])
        self.assertEqual(self.honest.expect("ack")[2], number)

    def try_case(self, case):
        before, counted = self.state()
        peer = self.opened(case.log, case.opens)
        for _ in range(100):  # what it was told before
            if peer.receive(0) is None:
                break
        refused = case.of(self, peer)
        refused = 1 if refused is None else refused
        if case.code not in (None, "rate", "credit"):
            for _ in range(refused):
                peer.refused(case.code)
        self.serve_honest()
        if case.code:
            self.wait_refused(case.log, case.code, counted.get((case.log, case.code), 0) + max(refused, 1))
        after, _ = self.state()
        self.assertEqual(after, before, "something changed")
        if case.code in ("rate", "credit", "fork") or case.log != "26":
            self.peers.pop(case.log).close()

    def test_every_rule_that_a_peer_breaks_changes_nothing_and_is_counted(self):
        self.peers, self.history = {}, {}
        self.fill("26", [hostile.club(1), hostile.club(2), hostile.club(3)])
        self.fill("18", [hostile.club(1, "18")])
        self.fill("20", [hostile.club(1, "20")])
        self.fill("08", [hostile.large(i, "08") for i in range(17)])
        self.until_folded(self.server)
        seen = self.digest()
        with self.peer(HONEST) as self.honest:
            self.honest.open()
            for case in hostile.CASES:
                with self.subTest(rule=case.rule, how=case.how):
                    begun = time.monotonic()
                    try:
                        self.try_case(case)
                    except BaseException:
                        self.peers.pop(case.log, None)
                        raise
                    finally:
                        if os.environ.get("SPLOT_TIMES"):
                            print("%.2f s  %s %s" % (time.monotonic() - begun, case.rule, case.how))
            for peer in self.peers.values():
                peer.close()
        self.until_folded(self.server)
        self.assertEqual(self.digest(), seen)


class ByHand(HostileStory):
    """What takes more than one message to tell."""
    enrolled = [HONEST, "26"]

    def size(self, log="26"):
        return next(row["size"] for row in self.server.status()["logs"] if row["log"] == log)

    def test_what_a_key_says_while_it_owes_work_waits_and_more_than_may_wait_cuts_it_off(self):
        with self.peer() as peer:
            peer.open()
            beat = p.header("heartbeat", peer.session, 0)
            peer.commit([hostile.heavy(i, "26") for i in range(6)])  # some 15 MiB of work, of which 8 are paid a second
            for _ in range(200):
                peer.send(beat)
            begun, heard = time.monotonic(), []
            while "ack" not in heard:
                heard.append(peer.receive()[0])
            self.assertGreater(time.monotonic() - begun, 0.5)
            self.assertNotIn("heartbeat", heard)
            self.assertGreater(self.count(peer, "heartbeat", 0.5), 0)  # they waited; those that fit are answered
            self.assertEqual(self.refusals(self.server, "26"), {})
            peer.commit([hostile.heavy(i, "26") for i in range(6, 12)])
            for _ in range(300):  # fewer than messages may come at once, and more than may wait
                peer.send(beat)
                time.sleep(0.001)
            self.wait_refused("26", "rate", 1)
            with self.peer(HONEST) as honest:
                honest.open()
                honest.commit([hostile.club(1, HONEST)])
                honest.expect("ack")
        self.assertIn(self.size(), (6, 12))

    def test_an_honest_commit_is_acknowledged_and_seen(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([hostile.club(1), hostile.club(2)])
            self.assertEqual(peer.expect("ack")[2], 2)
            self.until_folded(self.server)
            self.assertEqual(self.ids(self.server), ["pl26-kis-club1", "pl26-kis-club2"])

    def test_keys_do_not_come_back_and_are_a_bounded_list(self):
        """Else nobody who comes later could say which key signs what."""
        with self.peer() as peer:
            first = peer.keys.signing
            peer.open()
            peer.commit([hostile.club(1)])
            peer.expect("ack")
            self.assertEqual(peer.rotate(nacl.signing.SigningKey.generate()), "")
            second = peer.keys.signing
            self.assertEqual(peer.rotate(first), "invalid")
        self.server.stop()
        self.server.start()
        with p.Peer(peer.keys, "26", self.server.address, self.server.card) as peer_again:
            peer_again.events = peer.events
            peer_again.open()
            self.assertEqual(peer_again.rotate(first), "invalid")
            for _ in range(30):
                self.assertEqual(peer_again.rotate(nacl.signing.SigningKey.generate()), "")
            self.assertEqual(peer_again.rotate(nacl.signing.SigningKey.generate()), "invalid")
            self.assertEqual(peer_again.rotate(second), "invalid")
            peer_again.commit([hostile.club(2)])
            peer_again.expect("ack")
        self.assertEqual(self.size(), 33)
        self.nation.ctl("audit", "verify", "--config", self.server.config)

    def test_a_key_revoked_in_an_open_session_is_not_heard(self):
        with self.peer() as peer:
            peer.open()
            self.server.ctl("trust", "revoke", "26", "--reason", "the office lost its key")
            peer.commit([hostile.club(1)])
            peer.refused("denied")
            self.assertEqual(self.size(), 0)
        # Nor may it connect again.
        with self.peer() as peer:
            peer.hello()
            self.assertIsNone(peer.receive(1.0))
        self.assertGreater(self.refusals(self.server).get("unknown-key", 0), 0)

    def test_a_second_history_freezes_that_log_and_keeps_both_notes(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([hostile.club(1), hostile.club(2), hostile.club(3)])
            peer.expect("ack")
        with self.peer() as other:
            other.events = [hostile.club(1), hostile.club(7), hostile.club(8), hostile.club(9)]
            other.hello()
            session = other.expect("welcome")[1]
            other.send(p.header("anchor", session, 3), other.note(3))
            other.refused("fork")
        row = next(row for row in self.server.status()["logs"] if row["log"] == "26")
        self.assertEqual((row["state"], row["size"]), ("frozen", 3))
        self.assertEqual(self.refusals(self.server, "26"), {"fork": 1})
        # It stays frozen over a restart, and the one who is right is not heard either.
        self.assertEqual(self.server.stop(), 0)
        with open(os.path.join(self.server.data, "logs", "data.mdb"), "rb") as f:
            kept = f.read()
        for history in (peer, other):
            self.assertIn(history.note(3), kept)
        self.server.start()
        with self.peer() as peer:
            peer.events = [hostile.club(1), hostile.club(2), hostile.club(3)]
            peer.hello()
            peer.refused("frozen")

    def test_the_servers_range_gives_back_what_was_committed(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([hostile.club(1), hostile.club(2)])
            peer.expect("ack")
            peer.commit([hostile.club(3)])
            peer.expect("ack")
            got, start = [], 0
            while start < 3:
                peer.send(p.header("fetch", peer.session, "26", start))
                kind, fields, frames = peer.receive()
                self.assertEqual((kind, fields.get(3, 0)), ("range", start))
                raw = b"".join(frames[1:])
                while raw:
                    size, = struct.unpack(">H", raw[:2])
                    got.append(raw[2:2 + size])
                    raw = raw[2 + size:]
                start += fields[4]
            self.assertEqual(got, peer.events)


class TowardsItsNode(Story):
    """A server that a node trusts breaks the rules: what the node holds stays, and it goes on."""

    def setUp(self):
        super().setUp()
        server = self.nation.add_server()
        self.hostile = dishonest.HostileServer(server.keys, server.address)
        self.addCleanup(self.hostile.close)
        self.node = self.nation.add_node("26")
        self.node.start()
        self.node.await_open()
        self.added = 0
        self.node_goes_on()

    def session(self):
        n.wait_for("a session", lambda: self.hostile.connected("26"), 30)
        return self.hostile.session("26")

    def say(self, *frames):
        self.session()
        self.hostile.say("26", *frames)

    def node_goes_on(self):
        """What it held is there; an edit is accepted, and confirmed no further than it was sent."""
        self.added += 1
        self.add(self.node, "pl26-kis-club%d" % self.added)
        n.wait_for("the commit came", lambda: len(self.hostile.events) == self.added, 60)
        n.wait_for("it is confirmed", self.node.confirmed, 60)
        status = self.node.status()
        self.assertEqual((status["size"], status["servers"][0]["confirmed"]), (self.added, self.added))

    def greets_with(self, size, note):
        """Asks for a HELLO and answers it with that."""
        self.session()
        said = self.hostile.welcomes
        self.hostile.false_welcome = (size, note)
        self.hostile.say("26", p.header("refused", self.hostile.session("26"), "session", "again", 0))
        n.wait_for("it was greeted", lambda: self.hostile.welcomes > said, 60)
        self.hostile.false_welcome = None
        self.assertEqual(self.node.status()["size"], self.added)
        self.assertFalse(self.hostile.fetched)
        # Whatever it thinks of that, it is greeted as it should be when it comes again.
        self.restart_node()

    def restart_node(self):
        self.node.stop()
        self.hostile.forget("26")
        self.node.start()

    def node_lost_its_store(self):
        self.node.stop()
        shutil.rmtree(self.node.data)
        self.assertGreater(len(self.hostile.events), 0)

    def answers_fetch(self, start, count, frames):
        """Starts the node, answers its FETCH so, and says that nothing of it was taken unless it is the truth."""
        fetched = self.hostile.fetched
        if frames is not None:
            self.hostile.ranges.put((start, count, frames))
        self.node.start()
        n.wait_for("it fetched", lambda: self.hostile.fetched > fetched, 30)
        if frames is None:
            n.wait_for("it has its log back", lambda: self.node.status()["size"] == self.added, 30)
            return
        time.sleep(0.05)
        status = self.node.status()
        self.assertEqual((status["size"], status["state"] == "open"), (0, False))
        self.node.stop()
        self.hostile.forget("26")

    def test_every_rule_that_a_server_breaks_takes_nothing_from_its_node(self):
        for rule, how, of in hostile.NODE_CASES:
            with self.subTest(rule=rule, how=how):
                begun = time.monotonic()
                of(self)
                if os.environ.get("SPLOT_TIMES"):
                    print("%.2f s  %s %s" % (time.monotonic() - begun, rule, how))
                self.assertTrue(self.node.running(), self.node.log_tail())


if __name__ == "__main__":
    main()
