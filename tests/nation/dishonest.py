"""A server that speaks the wire well and lies about its national log: it confirms whatever nodes
send, keeps nothing of it, and shows each node the history that the test wants."""
import queue
import threading

import peer as p
import zmq
from zmq.utils import z85

CREDIT, COMMIT_EVENTS, COMMIT_BYTES = 4 << 20, 4096, 1 << 20


class Branch:
    """One of the histories that it tells."""

    def __init__(self, keys, entries):
        self.keys = keys
        self.hashes = [p.leaf_hash(e) for e in entries]

    def note(self, size):
        return self.keys.checkpoint(size, p.root(self.hashes[:size]))

    def proof(self, old, size):
        return b"".join(p.consistency(self.hashes[:size], old))


class DishonestServer:
    """Runs in a thread of its own; answers to offers wait in `answers`."""

    def __init__(self, keys_path, address):
        self.keys = p.Keys(keys_path)
        self.answers = queue.Queue()  # (log, kind, fields, further frames)
        self.greetings = []           # (log, the note of our log that it showed or None)
        self._offers = queue.Queue()
        self._duties = queue.Queue()
        self._sessions = {}  # log: (peer, session), once anchored
        self._greeted = {}   # peer: (log, its note)
        self._over = threading.Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        secret = z85.encode(self.keys.curve_secret)
        self._socket.curve_server = True
        self._socket.curve_secretkey = secret
        self._socket.curve_publickey = zmq.curve_public(secret)
        self._socket.bind(address)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._over.set()
        self._thread.join(10)
        self._socket.close()
        self._context.term()

    def branch(self, entries):
        return Branch(self.keys, entries)

    def connected(self, log):
        return log in self._sessions

    def forget(self, log):
        """Of a node that was stopped: it is connected again when it has greeted and anchored anew."""
        self._sessions.pop(log, None)

    def offer(self, log, branch, old, size, cosigned=b""):
        """Offers and waits for what the node says to it: (kind, fields, frames)."""
        self._offers.put((log, branch, old, size, cosigned))
        answer = self.answers.get(timeout=20)
        if answer[0] != log:
            raise AssertionError("log %s was asked, %s answered" % (log, answer[0]))
        return answer[1:]

    def duty(self, log, note, index, size, entry, proof=b""):
        """An act for that log; a node does not answer it."""
        self._duties.put((log, note, index, size, entry, proof))

    def duties_sent(self):
        return self._duties.empty()

    # ---- the thread ----

    def _run(self):
        while not self._over.is_set():
            if self._socket.poll(20):
                sender, *frames = self._socket.recv_multipart()
                kind, fields = p.read_header(frames[0])
                getattr(self, "_on_" + kind)(sender, fields, frames[1:])
            while not self._offers.empty():
                self._send_offer(*self._offers.get())
            while not self._duties.empty():
                log, note, index, size, *rest = self._duties.get()
                sender, session = self._sessions[log]
                self._send(sender, p.header("duty", session, index, size), note, *rest)
            self._besides()

    def _besides(self):
        """What a heir says of its own accord."""

    def _send(self, sender, *frames):
        self._socket.send_multipart([sender, *frames])

    def _send_offer(self, log, branch, old, size, cosigned):
        sender, session = self._sessions[log]
        self._send(sender, p.header("offer", session, old, size), branch.note(size),
                   branch.proof(old, size), cosigned)

    def _on_hello(self, sender, fields, frames):
        log, size = fields[2].decode(), fields.get(3, 0)
        session = len(self.greetings) + 1
        self.greetings.append((log, frames[1] if len(frames) > 1 else None))
        self._greeted[sender] = (log, session)
        more = [frames[0]] if size else []
        self._send(sender, p.header("welcome", session, size, CREDIT, COMMIT_EVENTS, COMMIT_BYTES), *more)

    def _on_anchor(self, sender, fields, frames):
        log, session = self._greeted[sender]
        self._sessions[log] = (sender, session)
        self._send(sender, p.header("ack", fields[1], fields.get(2, 0), CREDIT))

    def _on_commit(self, sender, fields, frames):
        self._send(sender, p.header("ack", fields[1], fields.get(2, 0) + fields[3], CREDIT))

    def _on_heartbeat(self, sender, fields, frames):
        self._send(sender, p.header("heartbeat", fields[1], fields.get(2, 0)))

    def _on_fetch(self, sender, fields, frames):
        raise AssertionError("it never claims more than a node has")

    def _on_cosigned(self, sender, fields, frames):
        self.answers.put((self._greeted[sender][0], "cosigned", fields, frames))

    def _on_declined(self, sender, fields, frames):
        self.answers.put((self._greeted[sender][0], "declined", fields, frames))


class HostileServer(DishonestServer):
    """Keeps what it is sent, as an honest server does, and says besides whatever the test wants."""

    def __init__(self, keys_path, address):
        self.events, self.note = [], None  # of its one node
        self.false_welcome = None          # (size, note) in place of the truth
        self.welcomes = 0                  # false ones that were said
        self.ranges = queue.Queue()        # (from, count, further frames), in place of the truth
        self.fetched = 0
        self._says = queue.Queue()
        super().__init__(keys_path, address)

    def session(self, log):
        return self._sessions[log][1]

    def say(self, log, *frames):
        self._says.put((log, frames))

    def _besides(self):
        while not self._says.empty():
            log, frames = self._says.get()
            self._send(self._sessions[log][0], *frames)

    def _on_hello(self, sender, fields, frames):
        size, note = self.false_welcome or (len(self.events), self.note)
        session = 1000 + len(self.greetings)
        self.greetings.append((fields[2].decode(), None))
        self._greeted[sender] = (fields[2].decode(), session)
        self.welcomes += self.false_welcome is not None
        self._send(sender, p.header("welcome", session, size, CREDIT, COMMIT_EVENTS, COMMIT_BYTES),
                   *([note] if note is not None else []))

    def _on_commit(self, sender, fields, frames):
        if fields.get(2, 0) == len(self.events):
            self.events += p.unbundle(b"".join(frames[1:]))
            self.note = frames[0]
        self._send(sender, p.header("ack", fields[1], len(self.events), CREDIT))

    def _on_fetch(self, sender, fields, frames):
        start, count, more = fields.get(3, 0), len(self.events), None
        if not self.ranges.empty():
            start, count, more = self.ranges.get()
        if more is None:
            count -= start
            more = [self.note, p.bundle(self.events[start:])] if count else []
        self._send(sender, p.header("range", fields[1], fields[2], start, count), *more)
        self.fetched += 1

    def _on_cosigned(self, sender, fields, frames):
        """It offers nothing."""

    def _on_declined(self, sender, fields, frames):
        """It offers nothing."""
