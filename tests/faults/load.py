"""Edits without end at running nodes, through their control sockets, and what became of each: one
thread, no process an edit.  What was answered "ok" was accepted; what was refused must be nowhere;
what got no answer, or one that the disk failed, may or may not be there, but once at most."""
import selectors
import socket
import struct
import threading
import time

import peer as p

OK = "ok"
ENTITY = 4  # its field in Change
EDIT, QUERY, STATUS, ROWS = 1, 2, 4, 9
PAUSE_S = 0.01  # until a dead or gated node is tried again
ASK_S = 20.0
UNSURE = ("sync", "io", "corrupt", "internal")  # errors after which nobody knows what is on the disk
NOTED = 20000   # edits of one load: more would make the comparing slow


def fields(raw):
    """[(number, value)] in order; lengths give bytes, varints give ints."""
    at, found = 0, []
    while at < len(raw):
        tag, at = p.read_varint(raw, at)
        if tag & 7 == 0:
            value, at = p.read_varint(raw, at)
        elif tag & 7 == 2:
            size, at = p.read_varint(raw, at)
            value, at = raw[at:at + size], at + size
        else:
            raise ValueError("wire type %d" % (tag & 7))
        found.append((tag >> 3, value))
    return found


def all_of(raw, number):
    return [value for n, value in fields(raw) if n == number]


def request(verb, **numbered):
    """numbered: _3=value is field 3."""
    return p.field(1, verb) + b"".join(p.field(int(name[1:]), value) for name, value in numbered.items())


def framed(body):
    return struct.pack(">I", len(body)) + body


class Control:
    """One connection to a control socket, which asks and waits."""

    def __init__(self, path, seconds=ASK_S):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exactly(self, size):
        parts = b""
        while len(parts) < size:
            part = self.socket.recv(size - len(parts))
            if not part:
                raise ConnectionError("the daemon closed the connection")
            parts += part
        return parts

    def ask(self, body):
        self.socket.sendall(framed(body))
        size, = struct.unpack(">I", self.exactly(4))
        reply = self.exactly(size)
        code = p.read_message(reply).get(1, b"").decode()
        if code != OK:
            raise Refused(code, p.read_message(reply).get(2, b"").decode())
        return reply

    def status(self):
        """(size of its log, entries in its view, state, {peer: size durable there or here})."""
        reply = self.ask(request(STATUS))
        one = p.read_message(reply)
        peers = [p.read_message(raw) for raw in all_of(reply, 16)]
        return (one.get(4, 0), one.get(5, 0), one.get(13, b"").decode(),
                {peer[1].decode(): peer.get(3, 0) for peer in peers})

    def witnesses(self):
        """{log: size of the newest national checkpoint that its node cosigned}, of a server."""
        rows = [p.read_message(raw) for raw in all_of(self.ask(request(STATUS)), 22)]
        return {row[1].decode(): row.get(3, 0) for row in rows}

    def events(self, log):
        """The log's events in order, exact bytes."""
        found, after = [], b""
        while True:
            reply = self.ask(request(ROWS, _12=log, _17="events", _18=after))
            for raw in all_of(reply, 19):
                row = p.read_message(raw)
                after = row[1]
                index, = struct.unpack(">Q", after)
                if index != len(found):
                    raise ValueError("log %s: event %d comes after %d others" % (log, index, len(found)))
                found.append(row.get(2, b""))
            if not p.read_message(reply).get(8):
                return found

    def entities(self):
        """[(id, name, log, index)] of the view, in its order."""
        found, after = [], ""
        while True:
            reply = self.ask(request(QUERY, _4=ENTITY, _6=after))
            for raw in all_of(reply, 7):
                version = p.read_message(raw)
                change = p.read_message(version[8])
                record = p.read_message(change[ENTITY])
                after = change[1].decode()
                found.append((after, record.get(4, b"").decode(), version[2].decode(), version.get(3, 0)))
            if not p.read_message(reply).get(8):
                return found


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__("%s: %s" % (code, text))
        self.code = code


class Edit:
    __slots__ = ("records", "index", "at")

    def __init__(self, records):
        self.records = records  # [(id, name, index superseded or None)]
        self.index = None       # in the log, once accepted
        self.at = None

    def draft(self, region):
        changes = [p.change(i, {1: i, 2: region, 3: "KIS", 4: name}, ENTITY, old) for i, name, old in self.records]
        return p.event(changes, recorded_ms=0, editor="", reason="test", source="note 1")


class Editor:
    """One connection with at most one edit under way."""

    def __init__(self, load, node, tag):
        self.load, self.node, self.tag = load, node, tag
        self.socket, self.open_edit, self.input = None, None, b""
        self.number, self.last, self.wait_until = 0, None, 0.0

    def next_edit(self):
        """New records, one to three at a time; each third edit changes one that stands."""
        self.number += 1
        k = self.number
        if self.last and k % 3 == 0:
            record_id, index = self.last
            return Edit([(record_id, "Klub %d" % k, index)])
        return Edit([("pl%s-kis-%sx%dy%d" % (self.node.log_name.lower(), self.tag, k, i), "Klub %d" % k, None)
                     for i in range(1 + k % 4 // 2)])

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            s.connect(self.node.socket)
        except OSError:
            s.close()
            return False
        self.socket, self.input = s, b""
        self.load.selector.register(s, selectors.EVENT_READ, self)
        return True

    def close(self):
        """What was under way stays unknown: it was noted when it was sent."""
        if self.socket:
            self.load.selector.unregister(self.socket)
            self.socket.close()
        self.socket = self.open_edit = self.last = None

    def send(self, now):
        if now < self.wait_until or (not self.socket and not self.connect()):
            return False
        edit = self.next_edit()
        self.load.sent[self.node.log_name].append(edit)
        try:
            self.socket.sendall(framed(request(EDIT, _2=edit.draft(self.node.log_name))))
        except OSError:
            self.close()
            self.wait_until = now + PAUSE_S
            return False
        self.open_edit = edit
        return True

    def receive(self, now):
        try:
            part = self.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            self.close()
            self.wait_until = now + PAUSE_S
            return
        self.input += part
        if len(self.input) < 4 or len(self.input) < 4 + struct.unpack(">I", self.input[:4])[0]:
            return
        reply, self.input = p.read_message(self.input[4:]), b""
        edit, self.open_edit = self.open_edit, None
        code = reply.get(1, b"").decode()
        if code == OK:
            edit.index, edit.at = reply.get(3, 0), now
            self.last = (edit.records[0][0], edit.index)
            self.load.accepted_count += 1
        else:
            self.load.refused_edit(self.node, edit, code, reply.get(2, b"").decode("utf-8", "replace"))
            self.last = None
            self.wait_until = now + PAUSE_S


class Load:
    """`with story.load(node, …) as load:` edits until the block ends, or stop()."""
    made = 0

    def __init__(self, nodes, servers, rate=300, editors=3):
        Load.made += 1
        self.nodes, self.servers, self.rate = list(nodes), list(servers), rate
        self.selector = selectors.DefaultSelector()
        self.sent = {node.log_name: [] for node in self.nodes}
        self.refused = {node.log_name: [] for node in self.nodes}
        self.confirmed = {}     # {(server's name, log): most that it ever said it holds}
        self.confirmed_at = {}  # {(server's name, log): [(monotonic, size)]}
        self.refusals = {}      # {code: (count, last text)}
        self.accepted_count = 0
        self.fault = None       # what ended a thread
        self.editors = [Editor(self, node, "t%de%d" % (Load.made, k)) for node in self.nodes for k in range(editors)]
        self.halt = threading.Event()
        self.resting = set()
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
                        for work in (self.edit, self.watch)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def guard(self, work):
        try:
            work()
        except Exception as e:  # shown by stop()
            self.fault = e

    def edit(self):
        started, begun, turn = 0, time.monotonic(), 0
        while not self.halt.is_set():
            now = time.monotonic()
            if now - begun > 1.0:  # a pause is not caught up with
                started, begun = 0, now
            for _ in range(len(self.editors)):
                editor = self.editors[turn % len(self.editors)]
                turn += 1
                if started > (now - begun) * self.rate or sum(map(len, self.sent.values())) >= NOTED:
                    break
                if not editor.open_edit and editor.node not in self.resting and editor.send(now):
                    started += 1
            for key, _ in self.selector.select(0.005) if self.selector.get_map() else ():
                key.data.receive(time.monotonic())
            if not self.selector.get_map():
                time.sleep(0.005)
        end = time.monotonic() + 1.0  # answers that are under way
        while any(e.open_edit for e in self.editors) and time.monotonic() < end:
            for key, _ in self.selector.select(0.05):
                key.data.receive(time.monotonic())
        for editor in self.editors:
            editor.close()

    def refused_edit(self, node, edit, code, text):
        """A refusal is an answer as well: nothing was changed, unless the disk failed."""
        if code not in UNSURE:
            self.sent[node.log_name].remove(edit)
            self.refused[node.log_name].append(edit)
        count, _ = self.refusals.get(code, (0, ""))
        self.refusals[code] = (count + 1, text)

    def watch(self):
        while not self.halt.wait(0.05):
            for daemon in self.nodes + self.servers:
                if self.halt.is_set():
                    return
                self.look(daemon)

    def look(self, daemon):
        """What this daemon says is confirmed, now."""
        try:
            with Control(daemon.socket, 1.0) as control:
                peers = control.status()[3]
        except (OSError, Refused, KeyError):
            return
        now = time.monotonic()
        for name, size in peers.items():
            key = (name, daemon.log_name) if daemon in self.nodes else (daemon.server_name, name)
            if size > self.confirmed.get(key, 0):
                self.confirmed[key] = size
                self.confirmed_at.setdefault(key, []).append((now, size))

    def pause(self, node):
        """No further edits there until go_on(); those under way are answered."""
        self.resting.add(node)
        end = time.monotonic() + ASK_S
        while any(e.node is node and e.open_edit for e in self.editors) and time.monotonic() < end:
            time.sleep(0.005)

    def go_on(self, node):
        self.resting.discard(node)

    def stop(self):
        self.halt.set()
        for thread in self.threads:
            thread.join()
        if self.fault:
            raise self.fault

    def accepted(self, log):
        return [edit for edit in self.sent[log] if edit.index is not None]

    def most_confirmed(self, log):
        """Events of this log that some server said it holds."""
        return max([size for (_, name), size in self.confirmed.items() if name == log], default=0)
