"""Another client of the wire, written from docs/PROTOCOL.md alone: its own protobuf, Merkle
tree, notes and CURVE keys.  Tests use it to say what an honest node would never say."""
import base64
import hashlib
import struct

import nacl.signing
import zmq
from zmq.utils import z85

KINDS = ["", "hello", "welcome", "anchor", "commit", "ack", "refused", "fetch", "range", "heartbeat", "feed",
         "offer", "cosigned", "declined", "duty"]


# ---- protobuf, as far as the wire needs it ----

def varint(x):
    out = bytearray()
    while True:
        out.append(x & 0x7F | (0x80 if x > 0x7F else 0))
        x >>= 7
        if not x:
            return bytes(out)


def field(number, value):
    if value in (0, "", b"", None):
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def message(*values):
    """Fields numbered from 1; empty ones are left out as proto3 does."""
    return b"".join(field(i, v) for i, v in enumerate(values, 1))


def header(kind, *values):
    body = message(*values)
    return varint(KINDS.index(kind) << 3 | 2) + varint(len(body)) + body


def read_varint(raw, at):
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def read_message(raw):
    """{field number: last value}; lengths give bytes, varints give ints."""
    at, found = 0, {}
    while at < len(raw):
        tag, at = read_varint(raw, at)
        if tag & 7 == 0:
            found[tag >> 3], at = read_varint(raw, at)
        elif tag & 7 == 2:
            size, at = read_varint(raw, at)
            found[tag >> 3] = raw[at:at + size]
            at += size
        else:
            raise ValueError("wire type %d" % (tag & 7))
    return found


def read_header(raw):
    (number, body), = read_message(raw).items()
    return KINDS[number], read_message(body)


# ---- RFC 6962 ----

def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    level = list(hashes)
    if len(level) == 1:
        return level[0]
    split = 1
    while split * 2 < len(level):
        split *= 2
    return hashlib.sha256(b"\1" + root(level[:split]) + root(level[split:])).digest()


def consistency(hashes, old):
    """The proof that the tree of the first `old` leaves grew into that of all."""
    def part(m, leaves, whole):
        if m == len(leaves):
            return [] if whole else [root(leaves)]
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        if m <= split:
            return part(m, leaves[:split], whole) + [root(leaves[split:])]
        return part(m - split, leaves[split:], False) + [root(leaves[:split])]
    return part(old, hashes, True) if 0 < old < len(hashes) else []


# ---- events ----

def change(record_id, fields, kind=4, supersedes=None):
    """fields: {field number: text} of the record; kind: its field in Change."""
    record = b"".join(field(number, text) for number, text in sorted(fields.items()))
    replaces = b"" if supersedes is None else varint(2 << 3) + varint(supersedes)
    return field(1, record_id) + replaces + varint(kind << 3 | 2) + varint(len(record)) + record


def event(changes, recorded_ms=1790000000000, editor="e01", reason="test", source="note 1"):
    head = message(recorded_ms, editor, reason, source)
    return head + b"".join(varint(5 << 3 | 2) + varint(len(c)) + c for c in changes)


def rotation(enrolment, recorded_ms=1790000000000, editor="e01", reason="other keys"):
    """The event that names other keys."""
    return message(recorded_ms, editor, reason) + field(6, field(2, field(1, enrolment)))


def entity(record_id, region, name="Klub"):
    kind = record_id.split("-")[1].upper()
    return change(record_id, {1: record_id, 2: region, 3: kind, 4: name})


def bundle(events):
    return b"".join(struct.pack(">H", len(e)) + e for e in events)


def unbundle(raw):
    """The events of whole bundles, one after the other; none is redacted."""
    events, at = [], 0
    while at < len(raw):
        size, = struct.unpack(">H", raw[at:at + 2])
        events.append(raw[at + 2:at + 2 + size])
        at += 2 + size
    return events


# ---- keys ----

def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_key(name, kind, public):
    return "%s+%s+%s" % (name, key_id(name, kind, public).hex(),
                         base64.b64encode(bytes([kind]) + public).decode())


def signature_line(name, signing, text):
    signature = key_id(name, 1, bytes(signing.verify_key)) + signing.sign(text).signature
    return b"\xe2\x80\x94 " + name.encode() + b" " + base64.b64encode(signature) + b"\n"


class Keys:
    def __init__(self, path):
        found = {}
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    name, value = line.split(None, 1)
                    found[name] = value.strip()
        self.name = found["name"]
        self.signing = nacl.signing.SigningKey(base64.b64decode(found["log-seed"]))
        self.curve_secret = base64.b64decode(found["curve-secret"])

    def checkpoint(self, size, root_hash, origin=None, signing=None):
        origin = origin or self.name
        signing = signing or self.signing
        text = ("%s\n%d\n%s\n" % (origin, size, base64.b64encode(root_hash).decode())).encode()
        public = bytes(self.signing.verify_key)
        key_id = hashlib.sha256(self.name.encode() + b"\n\x01" + public).digest()[:4]
        signature = signing.sign(text).signature
        return text + b"\n\xe2\x80\x94 " + self.name.encode() + b" " + \
            base64.b64encode(key_id + signature) + b"\n"


    def enrolment(self, signing):
        """Of other log and witness keys, beside the same transport key."""
        public = bytes(signing.verify_key)
        curve = z85.decode(zmq.curve_public(z85.encode(self.curve_secret)))
        text = ("splot enrolment v1\nlog %s\nlog-key %s\nwitness-key %s\ncurve-key %s\n" % (
            self.name, verifier_key(self.name, 1, public),
            verifier_key(self.name.replace("/region/", "/witness/"), 4, public),
            base64.b64encode(curve).decode())).encode()
        return text + b"\n" + signature_line(self.name, signing, text)


def card_curve_key(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("curve-key "):
                return base64.b64decode(line.split()[1])
    raise ValueError("no curve-key in " + path)


class Peer:
    """A node that the test drives by hand."""

    def __init__(self, keys, log, address, server_card, curve=None, routing_id=None):
        self.keys, self.log, self.events = keys, log, []
        self.session = 0
        self.codes = set()  # of every refusal that came
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        if routing_id:
            self.socket.routing_id = routing_id
        secret = z85.encode(curve or keys.curve_secret)
        self.socket.curve_secretkey = secret
        self.socket.curve_publickey = zmq.curve_public(secret)
        self.socket.curve_serverkey = z85.encode(card_curve_key(server_card))
        self.socket.connect(address)

    def close(self):
        self.socket.close()
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *frames):
        self.socket.send_multipart(frames)

    def receive(self, seconds=5.0):
        """(kind, fields, further frames), or None when nothing comes."""
        if not self.socket.poll(int(seconds * 1000)):
            return None
        frames = self.socket.recv_multipart()
        kind, fields = read_header(frames[0])
        if kind == "refused":
            self.codes.add(fields[2].decode())
        return kind, fields, frames[1:]

    def expect(self, kind, seconds=5.0):
        while True:
            got = self.receive(seconds)
            if got is None:
                raise AssertionError("no %s came" % kind)
            if got[0] in ("heartbeat", "offer", "duty") and kind != got[0]:
                continue  # what a server says of its own accord
            if got[0] != kind:
                raise AssertionError("%s came, not %s" % (got[:2], kind))
            return got[1]

    def refused(self, code, seconds=5.0):
        fields = self.expect("refused", seconds)
        if fields.get(2, b"").decode() != code:
            raise AssertionError("refused with %r, not %r" % (fields, code))
        return fields

    def note(self, size=None, **options):
        size = len(self.events) if size is None else size
        return self.keys.checkpoint(size, root([leaf_hash(e) for e in self.events[:size]]), **options)

    def hello(self, log=None, protocol=1):
        frames = [header("hello", protocol, log or self.log, len(self.events))]
        if self.events:
            frames.append(self.note())
        self.send(*frames)

    def open(self):
        """Greets and anchors, as an honest node does."""
        self.hello()
        fields = self.expect("welcome")
        self.session = fields[1]
        size = min(len(self.events), fields.get(2, 0))
        frames = [header("anchor", self.session, size)]
        if size:
            frames.append(self.note(size))
        self.send(*frames)
        self.expect("ack")
        return fields

    def commit(self, events, session=None, at=None, count=None, note=None, frames=None):
        """Sends a commit; honest unless told otherwise.  The events join this peer's log."""
        start = len(self.events) if at is None else at
        if at is None:
            self.events += events
        self.send(header("commit", session or self.session, start, len(events) if count is None else count),
                  note if note is not None else self.note(),
                  *(frames if frames is not None else [bundle(events)]))

    def rotate(self, signing):
        """Sends a rotation to that key; it is this peer's when the server took it, which is told."""
        event = rotation(self.keys.enrolment(signing))
        self.events.append(event)
        note = self.note()
        text = note[:note.index(b"\n\n") + 1]
        self.commit([event], at=len(self.events) - 1, note=note + signature_line(self.keys.name, signing, text))
        kind, fields, _ = self.receive()
        while kind not in ("ack", "refused"):
            kind, fields, _ = self.receive()
        if kind == "ack":
            self.keys.signing = signing
            return ""
        self.events.pop()
        return fields[2].decode()
