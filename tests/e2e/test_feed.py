"""The national feed: who may hear it, and that each message proves what it says."""
import base64
import hashlib
import os
import time

import nacl.signing
import zmq

import nation as n
import peer as p
from story import Story, main


class Reader:
    """A subscriber with a node's CURVE key."""

    def __init__(self, server, secret):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.linger = 0
        secret = p.z85.encode(secret)
        self.socket.curve_secretkey = secret
        self.socket.curve_publickey = zmq.curve_public(secret)
        self.socket.curve_serverkey = p.z85.encode(p.card_curve_key(server.card))
        self.socket.subscribe(b"")
        self.socket.connect(server.feed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.context.term()

    def next(self, seconds):
        return self.socket.recv_multipart() if self.socket.poll(int(seconds * 1000)) else None


def national_key(card):
    """The server's verifying key, from its card."""
    with open(card, encoding="utf-8") as f:
        line = next(line for line in f if line.startswith("log-key "))
    return nacl.signing.VerifyKey(base64.b64decode(line.split()[1].split("+", 2)[2])[1:])


class TheFeed(Story):
    def setUp(self):
        super().setUp()
        self.server = self.nation.up(regions=["26"])
        self.node = self.nation.nodes["26"]

    def listen(self, reader):
        """Adds records until the reader hears one (PUB forgets what was said before)."""
        for i in range(200):
            self.add(self.node, "pl26-kis-c%d" % i)
            frames = reader.next(0.1)
            if frames:
                return frames
        self.fail("nothing was heard")

    def test_an_enrolled_key_hears_entries_that_prove_themselves(self):
        with Reader(self.server, p.Keys(self.node.keys).curve_secret) as reader:
            frames = self.listen(reader)
            seen = {}
            while frames:
                kind, fields = p.read_header(frames[0])
                self.assertEqual(kind, "feed")
                text, signature = frames[1].split(b"\n\n")
                raw = base64.b64decode(signature.split()[-1])
                national_key(self.server.card).verify(text + b"\n", raw[4:])
                self.assertGreater(int(text.split(b"\n")[1]), fields.get(1, 0))
                entry = p.read_message(frames[2])
                accepted = p.read_message(entry[2])
                self.assertEqual(accepted[1], b"26")
                events = []
                for frame in frames[3:]:
                    while frame:
                        size = int.from_bytes(frame[:2], "big")
                        events.append(frame[2:2 + size])
                        frame = frame[2 + size:]
                self.assertEqual(len(events), fields[4])
                seen[fields.get(1, 0)] = (fields.get(3, 0), events)
                frames = reader.next(0.5)
            indexes = sorted(seen)
            self.assertEqual(indexes, list(range(indexes[0], indexes[-1] + 1)), "a gap in the numbers")
            self.assertTrue(all(b"pl26-kis-c" in event for _, events in seen.values() for event in events))

    def test_a_large_entry_comes_without_its_events(self):
        rows = os.path.join(self.nation.folder, "entities.csv")
        with open(rows, "w", encoding="utf-8") as f:
            f.write("id,region,kind,name,other_facts\n")
            for i in range(300):
                f.write("pl26-kis-big%d,26,KIS,Klub,%s\n" % (i, "x" * 400))
        with Reader(self.server, p.Keys(self.node.keys).curve_secret) as reader:
            self.listen(reader)
            while reader.next(0.5):
                pass
            self.node.ctl("import", rows)
            frames = reader.next(5)
            fields = p.read_header(frames[0])[1]
            self.assertEqual((len(frames), fields[2]), (3, b"26"))
            self.assertGreater(fields[4], 0)

    def test_an_unknown_key_hears_nothing(self):
        with Reader(self.server, hashlib.sha256(b"stranger").digest()) as reader:
            for i in range(5):
                self.add(self.node, "pl26-kis-c%d" % i)
            self.assertIsNone(reader.next(1.0))

    def test_a_revoked_key_stops_hearing(self):
        other = self.nation.add_node("24")
        self.server.trust(other)
        with Reader(self.server, p.Keys(other.keys).curve_secret) as reader:
            self.listen(reader)
            self.server.ctl("trust", "revoke", "24", "--reason", "agreement ended")
            time.sleep(0.2)
            while reader.next(0.1):
                pass
            for i in range(5):
                self.add(self.node, "pl26-kis-later%d" % i)
            self.assertIsNone(reader.next(1.0))


if __name__ == "__main__":
    main()
