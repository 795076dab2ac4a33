"""A peer with valid keys, or without, breaks the rules of the wire one by one: nothing
changes, the refusal has its code, and the server goes on."""
import os
import struct

import nacl.signing
import zmq

import peer as p
from story import Story, main


class HostilePeer(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.add_server()
        self.server.start()
        # The keys of two nodes; the programs themselves are never started: the test speaks for them.
        for log in ("24", "26"):
            self.server.trust(self.nation.add_node(log))
        self.peers = []

    def tearDown(self):
        self.assertTrue(self.server.running(), self.server.log_tail())
        # Whatever was refused is counted where an administrator looks.
        shown = self.refusals(self.server)
        for code in {code for peer in self.peers for code in peer.codes}:
            self.assertGreater(shown.get(code, 0), 0, code)
        # An honest peer of another region is heard, whatever was tried.
        with self.peer("24") as honest:
            honest.open()
            honest.commit([p.event([p.entity("pl24-kis-honest", "24")])])
            self.assertEqual(honest.expect("ack")[2], 1)
        self.assertEqual(self.server.stop(), 0)

    def peer(self, log="26", **options):
        node = self.nation.nodes[log]
        self.peers.append(p.Peer(p.Keys(node.keys), log, self.server.address, self.server.card, **options))
        return self.peers[-1]

    def size(self, log="26"):
        return next(row["size"] for row in self.server.status()["logs"] if row["log"] == log)

    def event(self, number, log="26"):
        return p.event([p.entity("pl%s-kis-club%d" % (log, number), log)])

    def test_an_honest_commit_is_acknowledged_and_seen(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1), self.event(2)])
            self.assertEqual(peer.expect("ack")[2], 2)
            self.until_folded(self.server)
            self.assertEqual(self.ids(self.server), ["pl26-kis-club1", "pl26-kis-club2"])

    def test_keys_do_not_come_back_and_are_a_bounded_list(self):
        """Else nobody who comes later could say which key signs what."""
        with self.peer() as peer:
            first = peer.keys.signing
            peer.open()
            peer.commit([self.event(1)])
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
            peer_again.commit([self.event(2)])
            peer_again.expect("ack")
        self.assertEqual(self.size(), 33)
        self.nation.ctl("audit", "verify", "--config", self.server.config)

    def test_an_unknown_curve_key_gets_no_word_in(self):
        with self.peer(curve=os.urandom(32)) as stranger:
            stranger.hello()
            self.assertIsNone(stranger.receive(1.0))
        self.assertEqual(self.size(), 0)
        self.assertGreater(self.refusals(self.server).get("unknown-key", 0), 0)

    def test_a_key_revoked_in_an_open_session_is_not_heard(self):
        with self.peer() as peer:
            peer.open()
            self.server.ctl("trust", "revoke", "26", "--reason", "the office lost its key")
            peer.commit([self.event(1)])
            peer.refused("denied")
            self.assertEqual(self.size(), 0)
        # Nor may it connect again.
        with self.peer() as peer:
            peer.hello()
            self.assertIsNone(peer.receive(1.0))
        self.assertGreater(self.refusals(self.server).get("unknown-key", 0), 0)

    def test_another_nodes_log_is_refused(self):
        with self.peer() as peer:
            peer.hello(log="24")
            peer.refused("owner")

    def test_a_record_of_another_region_is_refused(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([p.event([p.entity("pl24-kis-foreign", "24")])])
            peer.refused("owner")
            self.assertEqual(self.size(), 0)

    def test_a_checkpoint_by_another_key_is_refused(self):
        with self.peer() as peer:
            peer.open()
            event = self.event(1)
            forged = peer.keys.checkpoint(1, p.leaf_hash(event), signing=nacl.signing.SigningKey.generate())
            peer.commit([event], note=forged)
            peer.refused("signature")
            self.assertEqual(self.size(), 0)

    def test_a_checkpoint_of_another_origin_is_refused(self):
        with self.peer() as peer:
            peer.open()
            event = self.event(1)
            peer.commit([event], note=peer.keys.checkpoint(1, p.leaf_hash(event), origin="splot.example/region/24"))
            peer.refused("origin")

    def test_an_altered_event_is_refused(self):
        with self.peer() as peer:
            peer.open()
            event = self.event(1)
            altered = event.replace(b"club1", b"club9")
            peer.commit([event], frames=[p.bundle([altered])])
            peer.refused("root")
            self.assertEqual(self.size(), 0)

    def test_a_gap_is_refused_with_the_size_expected(self):
        with self.peer() as peer:
            peer.open()
            peer.events = [self.event(1), self.event(2)]
            peer.commit([self.event(2)], at=1, note=peer.note())
            self.assertEqual(peer.refused("gap").get(4, 0), 0)

    def test_a_replay_changes_nothing(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1)])
            peer.expect("ack")
            for _ in range(3):
                peer.commit([self.event(1)], at=0, note=peer.note(1))
                peer.expect("ack")
            self.assertEqual(self.size(), 1)

    def test_an_old_session_id_is_refused(self):
        with self.peer() as first, self.peer() as second:
            first.open()
            second.open()
            first.commit([self.event(1)])
            first.refused("session")
            second.commit([self.event(1)], session=first.session)
            second.refused("session")
            self.assertEqual(self.size(), 0)

    def test_a_commit_without_hello_is_refused(self):
        with self.peer() as peer:
            peer.commit([self.event(1)], session=12345)
            peer.refused("session")

    def test_another_protocol_version_is_refused(self):
        with self.peer() as peer:
            peer.hello(protocol=77)
            peer.refused("version")

    def test_a_second_history_freezes_that_log_and_keeps_both_notes(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1), self.event(2), self.event(3)])
            peer.expect("ack")
        with self.peer() as other:
            other.events = [self.event(1), self.event(7), self.event(8), self.event(9)]
            other.hello()
            session = other.expect("welcome")[1]
            other.send(p.header("anchor", session, 3), other.note(3))
            other.refused("fork")
        row = next(row for row in self.server.status()["logs"] if row["log"] == "26")
        self.assertEqual((row["state"], row["size"]), ("frozen", 3))
        self.assertEqual(self.refusals(self.server, "26"), {"fork": 1})
        self.peers.remove(other)  # counts are those since the start
        # It stays frozen over a restart, and the one who is right is not heard either.
        self.assertEqual(self.server.stop(), 0)
        with open(os.path.join(self.server.data, "logs", "data.mdb"), "rb") as f:
            kept = f.read()
        for history in (peer, other):
            self.assertIn(history.note(3), kept)
        self.server.start()
        with self.peer() as peer:
            peer.events = [self.event(1), self.event(2), self.event(3)]
            peer.hello()
            peer.refused("frozen")

    def test_the_same_size_with_another_root_is_a_fork(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1)])
            peer.expect("ack")
            other = [self.event(2)]
            peer.commit(other, at=0, note=peer.keys.checkpoint(1, p.leaf_hash(other[0])))
            peer.refused("fork")
        self.assertEqual(self.refusals(self.server, "26").get("fork"), 1)

    def test_garbage_is_refused_and_the_session_of_others_goes_on(self):
        with self.peer() as peer:
            peer.open()
            for frames in ([b""], [b"\xff" * 100], [os.urandom(3000)], [b"\0"], [b"\x22\x02\x08"],
                           [b"\x7a\x00"], [p.header("commit", peer.session, 0, 1)],
                           [p.header("commit", peer.session, 0, 0), peer.note(0)]):
                peer.send(*frames)
                kind, _, _ = peer.receive(5.0)
                self.assertEqual(kind, "refused", frames)
            peer.commit([self.event(1)])
            self.assertEqual(peer.expect("ack")[2], 1)

    def test_a_frame_over_the_limit_closes_the_connection(self):
        with self.peer() as peer:
            peer.open()
            monitor = peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            peer.send(p.header("commit", peer.session, 0, 1), b"x" * (300 * 1024))
            self.assertTrue(monitor.poll(5000), "the connection was not closed")
            peer.socket.disable_monitor()
            monitor.close()
        self.assertEqual(self.size(), 0)

    def test_torn_bundles_and_wrong_counts_are_refused(self):
        with self.peer() as peer:
            peer.open()
            event = self.event(1)
            note = peer.keys.checkpoint(1, p.leaf_hash(event))
            whole = p.bundle([event])
            for count, frames in ((1, [whole[:-1]]), (1, [whole + b"\0"]), (2, [whole]), (1, [whole, whole]),
                                  (1, [b"\0\0"]), (5000, [whole]), (4294967295, [whole]), (1, [whole[:5], whole[5:]])):
                peer.commit([event], at=0, count=count, note=note, frames=frames)
                fields = peer.expect("refused")
                self.assertIn(fields[2], (b"decode", b"limit", b"gap"), (count, fields))
            self.assertEqual(self.size(), 0)

    def test_an_event_with_too_many_changes_is_refused(self):
        with self.peer() as peer:
            peer.open()
            changes = [p.field(1, "pl26-kis-c%d" % i) + b"\x42\x02\x08\x04" for i in range(1025)]
            peer.commit([p.event(changes)])
            peer.refused("limit")

    def test_an_undecodable_event_is_refused(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([b"\xff\xff\xff\xff"])
            peer.refused("decode")
            self.assertEqual(self.size(), 0)

    def test_one_bad_event_refuses_the_whole_commit(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1), p.event([p.entity("pl24-kis-foreign", "24")]), self.event(3)])
            peer.refused("owner")
            self.assertEqual(self.size(), 0)

    def test_a_peer_that_ignores_its_credit_is_cut_off(self):
        big = [b"\x1a" + p.varint(60000) + b"r" * 60000 for _ in range(16)]
        with self.peer() as peer:
            credit = peer.open()[3]
            hashes = [p.leaf_hash(e) for e in big]
            # The same megabyte again and again, never waiting for an acknowledgement.
            note = peer.keys.checkpoint(16, p.root(hashes))
            frames = [p.bundle(big[i:i + 4]) for i in range(0, 16, 4)]
            for _ in range(2 + 4 * credit // 960000):
                peer.commit(big, at=0, note=note, frames=frames)
            codes = set()
            while True:
                got = peer.receive(2.0)
                if got is None:
                    break
                if got[0] == "refused":
                    codes.add(got[1][2].decode())
            self.assertTrue(codes & {"credit", "session"}, codes)

    def test_the_servers_range_gives_back_what_was_committed(self):
        with self.peer() as peer:
            peer.open()
            peer.commit([self.event(1), self.event(2)])
            peer.expect("ack")
            peer.commit([self.event(3)])
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

    def test_the_log_of_another_region_is_not_given_out(self):
        with self.peer() as peer:
            peer.open()
            peer.send(p.header("fetch", peer.session, "24", 0))
            peer.refused("denied")


if __name__ == "__main__":
    main()
