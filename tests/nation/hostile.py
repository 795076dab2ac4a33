"""A peer with valid keys that breaks the rules of docs/PROTOCOL.md, one by one.

CASES is the table: which rule, how it is broken, what the server says to it.  Each function breaks
its rule against `t`, the test, by a peer of the log that is named, in an anchored session unless said
otherwise; it returns how many refusals with `code` follow (None: one).  Rules that need other
programs than a peer are broken in the stories of ELSEWHERE, and those of servers in NODE_CASES."""
import base64
import os
import re
import time

import nacl.signing
import peer as p
import raw as raw_wire

# The order of Ed25519's group: a signature's second half plus this verifies with lax libraries.
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

CASES, ELSEWHERE, NODE_CASES = [], {
    "2.4": ("test_hostile.py", "test_keys_do_not_come_back_and_are_a_bounded_list"),
    "2.19": ("test_hostile.py", "test_what_a_key_says_while_it_owes_work_waits_and_more_than_may_wait_cuts_it_off"),
    "7.2": ("test_fork.py", "test_a_machine_put_back_from_an_old_copy_waits_for_the_servers_once_its_mark_is_removed"),
    "8.2": ("test_witness.py", "test_a_node_that_is_switched_to_the_other_history_catches_it"),
    "8.3": ("test_witness.py", "test_a_node_that_lost_its_store_stands_by_what_it_cosigned"),
    "8.6": ("test_witness.py", "test_a_server_put_back_from_an_older_copy_stops_at_the_next_contact_and_goes_on_with_the_newest"),
    "8.7": ("test_witness.py", "test_an_act_that_is_not_shown_to_be_one_for_this_log_erases_nothing"),
    "9.6": ("test_redact.py", "test_what_is_redacted_ahead_is_never_stored_though_it_comes_whole"),
    "11.1": ("test_feed.py", "test_an_unknown_key_hears_nothing"),
}, []


class Case:
    def __init__(self, rule, how, code, log, opens, of):
        self.rule, self.how, self.code, self.log, self.opens, self.of = rule, how, code, log, opens, of


def breaks(rule, how, code=None, log="26", opens=True):
    def keep(of):
        CASES.append(Case(rule, how, code, log, opens, of))
        return of
    return keep


def rules(path):
    """The numbers of the page."""
    with open(path, encoding="utf-8") as f:
        return set(re.findall(r"\[(\d+\.\d+)\]", f.read()))


def club(number, log="26"):
    return p.event([p.entity("pl%s-kis-club%d" % (log, number), log)])


def large(number, log):
    """An event of some 57,000 bytes, most of them in fields that this server does not know."""
    values = {1: "pl%s-kis-large%d" % (log, number), 2: log, 3: "KIS", 4: "Klub"}
    values.update({2000 + i: "x" * 8100 for i in range(7)})
    return p.event([p.change(values[1], values)])


def heavy(number, log):
    """An event of some 19,000 bytes that is as much work as two million: 1,024 changes, each of which
    a view keeps with the longest texts."""
    return p.event([p.field(1, "pl%s-%d" % (log, 1024 * number + i)) + b"\x42\x02\x08\x04" for i in range(1024)],
                   reason="r" * 1024, source="s" * 1024)


def try_commit(peer, events, **options):
    """A commit at the end of this peer's log that is not to be taken."""
    kept = list(peer.events)
    note = options.pop("note", None)
    at = options.pop("at", len(kept))
    peer.events = kept + events
    peer.commit(events, at=at, note=note if note is not None else peer.note(), **options)
    peer.events = kept


def root_with(peer, events):
    return p.root([p.leaf_hash(e) for e in peer.events + events])


def tampered_note(peer, change, size=None):
    """The honest note of the next commit, with its text changed before it is signed."""
    text, _ = peer.note(size).split(b"\n\n")
    text = change(text + b"\n")
    return text + b"\n" + p.signature_line(peer.keys.name, peer.keys.signing, text)


def wrongs(rule, how):
    """A case of NODE_CASES: a server, `t.hostile`, breaks the rule towards a running node."""
    def keep(of):
        NODE_CASES.append((rule, how, of))
        return of
    return keep


# ---- 2: limits ----

@breaks("2.1", "1,025 changes in an event", "limit")
def _(t, peer):
    try_commit(peer, [p.event([p.field(1, "pl26-kis-c%d" % i) + b"\x42\x02\x08\x04" for i in range(1025)])])


@breaks("2.2", "id, editor, reason, source and a field of a record, each a byte too long", "limit")
def _(t, peer):
    long_id = "pl26-kis-" + "x" * 120
    events = [p.event([p.entity(long_id, "26")]), p.event([p.entity("pl26-kis-x", "26")], editor="e" * 33),
              p.event([p.entity("pl26-kis-x", "26")], reason="r" * 1025),
              p.event([p.entity("pl26-kis-x", "26")], source="s" * 1025),
              p.event([p.entity("pl26-kis-x", "26", name="n" * 8193)])]
    for event in events:
        try_commit(peer, [event])
    return len(events)


@breaks("2.3", "a commit of 4,097 events, one of more than a megabyte, and one of too much work", "limit", "30")
def _(t, peer):
    small = [club(i, "30") for i in range(4097)]
    try_commit(peer, small, frames=[p.bundle(small[i:i + 1000]) for i in range(0, 4097, 1000)])
    big = [b"\x1a" + p.varint(60000) + b"r" * 60000 for _ in range(18)]
    try_commit(peer, big, frames=[p.bundle(big[i:i + 4]) for i in range(0, 18, 4)])
    much = [heavy(i, "30") for i in range(20)]
    try_commit(peer, much, frames=[p.bundle(much[i:i + 10]) for i in range(0, 20, 10)])
    return 3


@breaks("2.5", "nine frames of events", "limit")
def _(t, peer):
    events = [club(i) for i in range(11, 20)]
    try_commit(peer, events, frames=[p.bundle([e]) for e in events])


@breaks("2.5", "a header of more than 4,096 bytes", "limit")
def _(t, peer):
    peer.send(p.header("hello", 1, "26" * 2100, 3))


@breaks("2.5", "a note of more than 16,384 bytes", "limit")
def _(t, peer):
    events = [club(11)]
    peer.events += events
    note = peer.note() + b"".join(p.signature_line("x" * 100 + "%d" % i, peer.keys.signing, b"x\n") for i in range(90))
    del peer.events[-1:]
    try_commit(peer, events, note=note)


@breaks("2.5", "a frame of more than 262,144 bytes: the connection is closed", log="32")
def _(t, peer):
    with t.raw("32") as raw:
        raw.send(b"\xff" * 262145)
        t.assertTrue(raw.closed(5))
    return 0


@breaks("2.6", "101 signatures in a note", "limit")
def _(t, peer):
    events = [club(11)]
    peer.events += events
    note = peer.note() + b"".join(p.signature_line("x%d" % i, peer.keys.signing, b"x\n") for i in range(100))
    del peer.events[-1:]
    try_commit(peer, events, note=note)


@breaks("2.7", "as many messages as fit the line", "rate", "02")
def _(t, peer):
    beat = p.header("heartbeat", peer.session, 0)
    t.flood(peer, beat, "rate", 16000, unless_slow=True)  # the exact bound: session_server_limits_test
    return 1


@breaks("2.8", "HELLO again and again", "rate", "04")
def _(t, peer):
    t.flood(peer, p.header("hello", 1, "04"), "rate", 200)
    return 1


@breaks("2.9", "the same nonsense, though it was refused", "rate", "06")
def _(t, peer):
    t.flood(peer, b"\xff" * 10, "rate", 600)
    return 1


@breaks("2.9", "the same anchor, though it was acknowledged", "rate", "PL")
def _(t, peer):
    t.flood(peer, p.header("anchor", peer.session, 0), "rate", 200)
    return 1


@breaks("2.10", "FETCH again and again: most are never answered", log="22")
def _(t, peer):
    begun = time.monotonic()
    for _ in range(200):
        peer.send(p.header("fetch", peer.session, "22"))
    answers = t.count(peer, "range", 1.5)
    t.assertGreaterEqual(answers, 16)
    t.assertLessEqual(answers, 32 + 16 * (time.monotonic() - begun) + 1)
    return 0


@breaks("2.20", "commits larger than it asks for, one after the other", "busy", "28")
def _(t, peer):
    events = [club(i, "28") for i in range(257)]
    frames = [p.bundle(events)]
    # Whether it will be taken is not known before it was looked at, and that is the work.
    try_commit(peer, events, note=peer.keys.checkpoint(257, b"\0" * 32), frames=frames)
    peer.refused("root")
    try_commit(peer, events, frames=frames)
    try_commit(peer, [b"\x1a" + p.varint(60000) + b"r" * 60000 for _ in range(3)])
    return 2


@breaks("2.11", "handshakes again and again: the key is turned away", "rate", "10")
def _(t, peer):
    turned_away = 0
    for _ in range(70 + 100):
        try:
            raw = t.raw_unopened("10")
            raw.socket.settimeout(0.2)
            t.held.append(raw.open())
        except (raw_wire.Closed, OSError):
            turned_away += 1
            if turned_away == 2:
                break
    t.assertEqual(turned_away, 2)
    return 2


@breaks("2.12", "more event frames than the credit", "credit", "12")
def _(t, peer):
    big = [b"\x1a" + p.varint(60000) + b"r" * 60000 for _ in range(16)]
    frames = [p.bundle(big[i:i + 4]) for i in range(0, 16, 4)]
    note = peer.keys.checkpoint(16, p.root([p.leaf_hash(e) for e in big]))
    for _ in range(4):  # a gap: none of them is taken, so that no acknowledgement grants anew
        peer.commit(big, at=1, note=note, frames=frames)
    t.refused_among(peer, "credit")
    return 1


@breaks("2.13", "a message that never ends: the connection is closed", "rate", "14")
def _(t, peer):
    with t.raw("14") as raw:
        raw.send(p.header("hello", 1, "14"))
        raw.receive()  # it was heard: else this is a first message, which nobody is blamed for
        t.assertTrue(t.pours(raw, 64 << 20))
    return 1


@breaks("2.13", "a first message that never ends", log="32")
def _(t, peer):
    with t.raw("32") as raw:
        t.assertTrue(t.pours(raw, 64 << 20))
    return 0


@breaks("2.14", "answers that are asked for and not read", "rate", "08")
def _(t, peer):
    with t.raw("08", receive_bytes=4096) as raw:
        raw.send(p.header("hello", 1, "08"))
        session = p.read_header(raw.receive())[1][1]
        raw.receive()  # the newest checkpoint
        raw.send(p.header("anchor", session, 0))
        raw.receive()
        for _ in range(70):
            raw.send(p.header("fetch", session, "08"))
        try:
            for _ in range(40):
                time.sleep(0.2)
                raw.send(p.header("fetch", session, "08"))
        except raw_wire.Closed:
            return 1
    t.fail("it was not disconnected")


@breaks("2.15", "nine connections that all speak: the oldest is closed", "session", "16")
def _(t, peer):
    opened = [t.raw("16") for _ in range(9)]
    for raw in opened:
        raw.send(p.header("heartbeat", 1, 0))
        t.assertIn(b"session", raw.receive())
    t.assertTrue(opened[0].closed(5))
    t.assertFalse(opened[-1].closed(0.1))
    for raw in opened:
        raw.socket.close()
    return 0


@breaks("2.15", "an older session's connection goes on: it is closed", log="16")
def _(t, peer):
    with t.raw("16") as old, t.raw("16") as new:
        for raw in (old, new):
            raw.send(p.header("hello", 1, "16"))
            raw.receive()
        t.assertTrue(old.closed(5))
        t.assertFalse(new.closed(0.1))
    return 0


@breaks("2.16", "connections that only greet: the oldest is closed", log="32")
def _(t, peer):
    opened = [t.raw_unopened("32", source="127.0.0.3").greet() for _ in range(66)]
    t.assertTrue(opened[0].closed(2))
    t.assertFalse(opened[-1].closed(0.05))
    for raw in opened:
        raw.socket.close()
    return 0


@breaks("2.16", "a handshake a byte at a time: it ends after three seconds", log="32")
def _(t, peer):
    with t.raw_unopened("32", source="127.0.0.2") as raw:
        t.assertTrue(raw.closed(5))  # the first byte of the greeting is not even sent
    return 0


@breaks("2.17", "an address that connects again and again: the newest are closed at once", log="32")
def _(t, peer):
    for last in range(4, 12):  # a busy machine may be too slow to connect so often
        opened, ended, begun = [], 0, time.monotonic()
        for _ in range(350):
            try:
                opened.append(t.raw_unopened("32", source="127.0.0.%d" % last))
            except ConnectionError:
                ended += 1
        quick = 256 + 100 * (time.monotonic() - begun) < 330
        ended = ended or any(raw.closed(0.1) for raw in opened[-10:])
        for raw in opened:
            raw.socket.close()
        if quick:
            t.assertTrue(ended)
            return 0
    t.skipTest("this machine does not connect 100 times a second")


@breaks("2.18", "a reader of the feed that sends more than it subscribes to", log="32")
def _(t, peer):
    with t.raw_unopened("32", feed=True, kind=b"SUB").open() as raw:
        t.assertTrue(t.pours(raw, 1 << 20))
    return 0


# ---- 3: keys, notes, checkpoints ----

@breaks("3.1", "a signature that only a lax library takes", "signature")
def _(t, peer):
    events = [club(11)]
    peer.events += events
    text, line = peer.note().split(b"\n\n")
    del peer.events[-1:]
    prefix, blob = line.rsplit(b" ", 1)
    raw = base64.b64decode(blob)
    lax = (int.from_bytes(raw[36:], "little") + GROUP_ORDER).to_bytes(32, "little")
    try_commit(peer, events, note=text + b"\n\n" + prefix + b" " + base64.b64encode(raw[:36] + lax) + b"\n")


@breaks("3.2", "a checkpoint signed by another key under this name", "signature")
def _(t, peer):
    events = [club(11)]
    forged = peer.keys.checkpoint(len(peer.events) + 1, root_with(peer, events),
                                  signing=nacl.signing.SigningKey.generate())
    try_commit(peer, events, note=forged)


@breaks("3.2", "a checkpoint without a line by the log's key", "unknown-key")
def _(t, peer):
    events = [club(11)]
    peer.events += events
    text = peer.note().split(b"\n\n")[0] + b"\n"
    del peer.events[-1:]
    try_commit(peer, events, note=text + b"\n" + p.signature_line("somebody", nacl.signing.SigningKey.generate(), text))


@breaks("3.3", "notes of no form: no empty line, no signature, no end", "decode")
def _(t, peer):
    note = peer.keys.checkpoint(len(peer.events) + 1, root_with(peer, [club(11)]))
    bad = [note.replace(b"\n\n", b"\n"), note.split(b"\n\n")[0] + b"\n\n", note[:-1],
           b"\n", note.replace(b"\xe2\x80\x94", b"-")]
    for one in bad:
        try_commit(peer, [club(11)], note=one)
    return len(bad)


@breaks("3.3", "a control character in a note", "encoding")
def _(t, peer):
    try_commit(peer, [club(11)], note=peer.note(1).replace(b"/", b"\x01", 1))


@breaks("3.4", "checkpoints of no form: leading zeros, a sign, 2^63, a fourth line, a root of 31 bytes", "decode")
def _(t, peer):
    size = len(peer.events) + 1
    number = b"\n%d\n" % size
    changes = [lambda x: x.replace(number, b"\n0%d\n" % size), lambda x: x.replace(number, b"\n+%d\n" % size),
               lambda x: x.replace(number, b"\n%d\n" % 2**63), lambda x: x + b"more\n",
               lambda x: x[:x.rindex(b"\n", 0, -1) + 1] + base64.b64encode(bytes(31)) + b"\n"]
    for change in changes:
        peer.events.append(club(11))
        note = tampered_note(peer, change)
        peer.events.pop()
        try_commit(peer, [club(11)], note=note)
    return len(changes)


@breaks("3.5", "a checkpoint of another origin", "origin")
def _(t, peer):
    events = [club(11)]
    try_commit(peer, events, note=peer.keys.checkpoint(len(peer.events) + 1, root_with(peer, events),
                                                       origin="splot.example/region/24"))


# ---- 4: events ----

@breaks("4.1", "events that do not decode", "decode")
def _(t, peer):
    whole = club(11)
    bad = [b"\xff\xff\xff\xff", whole[:-1], whole + b"\x2a", b"\x08" + b"\xff" * 10]
    for one in bad:
        try_commit(peer, [one])
    return len(bad)


@breaks("4.2", "an event that changes nothing, one id twice, an id that is empty", "invalid")
def _(t, peer):
    bad = [p.message(1790000000000, "e01", "r"), p.event([p.entity("pl26-kis-x", "26")] * 2),
           p.event([p.change("", {1: "", 2: "26", 3: "KIS"})])]
    for one in bad:
        try_commit(peer, [one])
    return len(bad)


@breaks("4.3", "a record of another owner: by its id, its region, its network", "owner")
def _(t, peer):
    bad = [p.event([p.entity("pl24-kis-x", "24")]), p.event([p.entity("pl26-kis-x", "24")]),
           p.event([p.entity("pl-kis-x", "PL")])]
    for one in bad:
        try_commit(peer, [one])
    try_commit(peer, [club(11), p.event([p.entity("pl24-kis-x", "24")]), club(12)])
    return len(bad) + 1


@breaks("4.4", "torn and empty bundles", "decode")
def _(t, peer):
    events = [club(11)]
    whole = p.bundle(events)
    bad = [[whole[:-1]], [whole + b"\0"], [whole[:5], whole[5:]], [b""], [whole, b""], [b"\0"], [whole, whole]]
    for frames in bad:
        try_commit(peer, events, frames=frames)
    return len(bad)


# ---- 5: transport ----

@breaks("5.1", "a key that nobody enrolled", log="32")
def _(t, peer):
    with t.raw_unopened("32", secret=os.urandom(32)) as raw:
        raw.socket.settimeout(1)
        t.assertRaises((raw_wire.Closed, OSError), raw.open)
    return 0


@breaks("5.2", "a routing id of its own that is too long: nothing is heard", log="32")
def _(t, peer):
    with t.peer("32", routing_id=b"x" * 200) as other:
        other.hello()
        t.assertIsNone(other.receive(0.3))
    return 0


@breaks("5.3", "headers with no kind, with two kinds, with bytes behind, and none", "decode")
def _(t, peer):
    beat = p.header("heartbeat", peer.session, 0)
    bad = [b"", beat + p.header("fetch", peer.session, "26"), beat + b"\x01", os.urandom(64) + b"\xff"]
    for one in bad:
        peer.send(one)
    return len(bad)


# ---- 6: messages ----

@breaks("6.1", "another protocol", "version")
def _(t, peer):
    peer.hello(protocol=77)


@breaks("6.1", "another node's log", "owner")
def _(t, peer):
    peer.hello(log="24")


@breaks("6.1", "no checkpoint, and one of another size", "decode")
def _(t, peer):
    peer.send(p.header("hello", 1, "26", 3))
    peer.send(p.header("hello", 1, "26", 3), peer.note(2))
    return 2


@breaks("6.1", "a checkpoint of another origin", "origin")
def _(t, peer):
    peer.send(p.header("hello", 1, "26", 3), peer.keys.checkpoint(3, bytes(32), origin="splot.example/region/24"))


@breaks("6.1", "a checkpoint with a bad signature", "signature")
def _(t, peer):
    peer.send(p.header("hello", 1, "26", 3), peer.note(3, signing=nacl.signing.SigningKey.generate()))


@breaks("6.3", "an anchor at another size than the smaller", "argument")
def _(t, peer):
    peer.send(p.header("anchor", peer.session, 2), peer.note(2))


@breaks("6.4", "a commit and a FETCH before the anchor", "session", "22", opens=False)
def _(t, peer):
    peer.hello()
    session = peer.expect("welcome")[1]
    peer.commit([club(1, "22")], session=session)
    peer.send(p.header("fetch", session, "22"))
    peer.events = []
    return 2


@breaks("6.5", "a commit that begins after the end", "gap")
def _(t, peer):
    try_commit(peer, [club(11)], at=len(peer.events) + 1)


@breaks("6.5", "counts that are not those of the events", "decode")
def _(t, peer):
    for count in (0, 2):
        try_commit(peer, [club(11)], count=count)
    return 2


@breaks("6.5", "counts over the limit", "limit")
def _(t, peer):
    for count in (5000, 2**32 - 1):
        try_commit(peer, [club(11)], count=count)
    return 2


@breaks("6.5", "a checkpoint of another size than the commit's end", "gap")
def _(t, peer):
    try_commit(peer, [club(11)], note=peer.keys.checkpoint(9, root_with(peer, [club(11)])))


@breaks("6.6", "no sync, no acknowledgement: a replay is acknowledged at the size that is there", log="26")
def _(t, peer):
    for _ in range(3):
        peer.commit(peer.events[:2], at=0, note=peer.note(2))
        t.assertEqual(peer.expect("ack")[2], 3)
    return 0


@breaks("6.7", "a commit that begins before the size and goes beyond it", "old")
def _(t, peer):
    events = [peer.events[-1], club(11)]
    peer.events.append(club(11))
    note = peer.note()
    peer.events.pop()
    peer.commit(events, at=2, note=note)


@breaks("6.10", "more than was granted", "credit", "28")
def _(t, peer):
    big = [b"\x1a" + p.varint(60000) + b"r" * 60000 for _ in range(16)]
    frames = [p.bundle(big[i:i + 4]) for i in range(0, 16, 4)]
    for _ in range(4):
        peer.commit(big, at=1, note=peer.keys.checkpoint(16, bytes(32)), frames=frames)
    t.refused_among(peer, "credit")
    return 1


@breaks("6.9", "after that, what comes by the same connection", log="28")
def _(t, peer):
    with t.raw_after_penalty("28") as raw:  # it is let in again, and begins with the whole credit
        raw.send(p.header("hello", 1, "28"))
        t.assertEqual(p.read_header(raw.receive())[1].get(3), 2048 * 1024)
    return 0


@breaks("6.11", "sessions that are not open: none, another, one that ended", "session")
def _(t, peer):
    for session in (0, peer.session ^ 1, 2**64 - 1):
        peer.send(p.header("heartbeat", session, 3))
    return 3


@breaks("6.13", "the log of another region", "denied")
def _(t, peer):
    peer.send(p.header("fetch", peer.session, "24"))


@breaks("6.15", "messages that only a server says, and frames too many or too few", "decode")
def _(t, peer):
    bad = [[p.header(kind, peer.session, 1)] for kind in ("welcome", "ack", "refused", "range", "offer", "duty", "feed")]
    bad += [[p.header("commit", peer.session, 3, 1)], [p.header("commit", peer.session, 3, 1), peer.note(3)],
            [p.header("fetch", peer.session, "26"), b""], [p.header("heartbeat", peer.session, 3), b"x"],
            [p.header("cosigned", peer.session, 3)]]
    for frames in bad:
        peer.send(*frames)
    return len(bad)


@breaks("6.15", "a kind that nobody knows", "version")
def _(t, peer):
    peer.send(b"\xfa\x01\x00")


# ---- 7, 9: forks, keys, redaction ----

@breaks("7.1", "two roots for one size", "fork", "18")
def _(t, peer):
    other = club(9, "18")
    peer.commit([other], at=0, note=peer.keys.checkpoint(1, p.leaf_hash(other)))


@breaks("9.2", "a frozen log goes on", "frozen", "18", opens=False)
def _(t, peer):
    for _ in range(2):
        peer.hello()
    peer.commit([club(2, "18")])
    peer.events.pop()
    return 3


@breaks("9.1", "an anchor on another history", "fork", "20")
def _(t, peer):
    peer.events = [club(7, "20")]
    peer.hello()
    peer.refused("fork")
    return 0


@breaks("9.3", "events that do not give the root", "root")
def _(t, peer):
    try_commit(peer, [club(11)], frames=[p.bundle([club(19)])])


@breaks("9.4", "other keys with another transport key; not as the last event", "invalid")
def _(t, peer):
    key = nacl.signing.SigningKey.generate()
    card = peer.keys.enrolment(key).split(b"\n\n")[0] + b"\n"
    curve = re.sub(rb"curve-key .*\n", b"curve-key " + base64.b64encode(os.urandom(32)) + b"\n", card)
    bad = p.rotation(curve + b"\n" + p.signature_line(peer.keys.name, key, curve))
    both(peer, [bad], key)
    both(peer, [p.rotation(peer.keys.enrolment(key)), club(11)], key)
    return 2


@breaks("9.4", "other keys that do not sign the checkpoint", "unknown-key")
def _(t, peer):
    try_commit(peer, [p.rotation(peer.keys.enrolment(nacl.signing.SigningKey.generate()))])


@breaks("12.1", "an enrolment that its own key did not sign", "signature")
def _(t, peer):
    key = nacl.signing.SigningKey.generate()
    card = peer.keys.enrolment(key).split(b"\n\n")[0] + b"\n"
    forged = p.signature_line(peer.keys.name, key, card + b"x")
    both(peer, [p.rotation(card + b"\n" + forged)], key)


@breaks("9.5", "`continues` in a log that did not begin anew", "invalid")
def _(t, peer):
    try_commit(peer, [p.message(1790000000000, "e01", "r") + p.field(6, p.field(1, p.message("26", 1, peer.note(1))))])


@breaks("9.7", "an event without its bytes that no act erased", "redacted")
def _(t, peer):
    event = club(11)
    try_commit(peer, [event], frames=[b"\0\0" + p.leaf_hash(event)])


# ---- 8: witnesses ----

@breaks("8.4", "cosignatures that are none, counted and not answered", "decode")
def _(t, peer):
    size = peer.expect("offer", 10)[3]
    peer.send(p.header("cosigned", peer.session, size), b"nonsense")
    t.wait_refused(peer.log, "decode", 1)
    return 0


@breaks("8.5", "an offer declined with a code of its own: counted, and not made again at once", "proof")
def _(t, peer):
    peer.send(p.header("declined", peer.session, 0, "proof", "no"))
    t.wait_refused(peer.log, "proof", 1)
    return 0


# ---- a server towards its node ----

@wrongs("6.6", "an ACK of more than was sent, of less, and of another session")
def _(t):
    for session, size in ((t.session(), 99), (t.session(), 2**63), (t.session(), 0), (77, 99)):
        t.say(p.header("ack", session, size, 4 << 20))
    t.node_goes_on()


@wrongs("6.8", "a refusal with a code that nobody knows, a size that cannot be and a text that is too long")
def _(t):
    t.say(p.header("refused", t.session(), "nonsense", "x" * 3000, 2**64 - 1))
    t.node_goes_on()


@wrongs("6.16", "messages that are none, of no session, with frames too many or too few")
def _(t):
    session = t.session()
    for frames in ([b""], [b"\xff" * 100], [os.urandom(3000)], [b"\0"], [b"\xfa\x01\0"], [b"x"] * 40,
                   [p.header("range", session, "26", 0, 5)], [p.header("range", 7, "26", 0, 5), b"", b""],
                   [p.header("welcome", session, 3)], [p.header("hello", 1, "26", 3)], [p.header("offer", session, 0, 3)],
                   [p.header("duty", session, 0, 1), b"", b"", b"x" * 31], [p.header("commit", session, 0, 1), b"", b""],
                   [p.header("ack", session, 3), b"x"], [p.header("heartbeat", session, 2**64 - 1)]):
        t.say(*frames)
    t.node_goes_on()


@wrongs("6.2", "a larger size without a checkpoint by the node's own key")
def _(t):
    key = nacl.signing.SigningKey.generate()
    keys = p.Keys(t.node.keys)
    for note in (None, keys.checkpoint(50, bytes(32), signing=key), keys.checkpoint(1, bytes(32)), b"nonsense"):
        t.greets_with(50, note)
    t.node_goes_on()


@wrongs("6.14", "a RANGE that is not what was signed: altered, cut, from elsewhere, empty, foreign")
def _(t):
    t.node_lost_its_store()
    events, note = t.hostile.events, t.hostile.note
    altered = [events[0].replace(b"test", b"tost")] + events[1:]
    t.answers_fetch(0, len(events), [note, p.bundle(altered)])
    t.answers_fetch(0, len(events), [note, p.bundle(events[:-1])])
    t.answers_fetch(1, len(events) - 1, [note, p.bundle(events[1:])])
    t.answers_fetch(0, len(events), [p.Keys(t.node.keys).checkpoint(
        len(events), p.root([p.leaf_hash(e) for e in altered]), signing=nacl.signing.SigningKey.generate()), p.bundle(altered)])
    t.answers_fetch(0, len(events), [note, b"\0\0" + p.leaf_hash(events[0]) + p.bundle(events[1:])])
    t.answers_fetch(0, len(events), None)  # the truth
    t.node_goes_on()


def both(peer, events, key):
    """A commit whose checkpoint both keys sign."""
    kept = list(peer.events)
    peer.events = kept + events
    note = peer.note()
    text = note.split(b"\n\n")[0] + b"\n"
    peer.events = kept
    try_commit(peer, events, note=note + p.signature_line(peer.keys.name, key, text))
