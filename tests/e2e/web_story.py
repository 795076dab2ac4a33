"""What the stories of splot-web share: a server with one node and the page beside it, requests that are written byte
by byte, and readers of events."""
import json
import os
import re
import socket
import time

import nation as n
from story import SANITIZED, Story

PATIENCE = 4 if SANITIZED else 1
SECOND = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(web, receive=None, timeout=10.0):
    s = socket.socket()
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(timeout)
    s.connect(("127.0.0.1", web.port))
    return s


def talk(web, data, timeout=5.0):
    """All that is answered until the server closes: bytes, and whether it did close."""
    with connect(web, timeout=timeout) as s:
        got = b""
        try:
            s.sendall(data)
            while True:
                more = s.recv(65536)
                if not more:
                    return got, True
                got += more
        except ConnectionError:
            return got, True
        except socket.timeout:
            return got, False


def statuses(got):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


class Events:
    """A reader of /events, message by message."""

    def __init__(self, web, after=None, query="", timeout=20.0):
        self.patience = timeout
        self.socket = connect(web, timeout=timeout)
        head = "GET /api/v1/events%s HTTP/1.1\r\nHost: a\r\n" % query
        if after is not None:
            head += "Last-Event-ID: %d\r\n" % after
        self.socket.sendall(head.encode() + b"\r\n")
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.rest = b""

    def _line(self):
        while b"\n" not in self.rest:
            size = int(self.file.readline() or b"0", 16)
            if size == 0:
                raise EOFError
            self.rest += self.file.read(size)
            self.file.readline()
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode("utf-8")

    def message(self):
        """{"event", "id", "data"}, or {"comment"}."""
        found = {}
        while True:
            line = self._line()
            if not line:
                if "event" in found or "comment" in found:
                    return found
                continue
            name, _, value = line.partition(":")
            found[name or "comment"] = value.strip()

    def until(self, event, fits=lambda data: True):
        """The next one of that name whose data fit; heartbeats alone do not go on for ever."""
        deadline = time.monotonic() + self.patience
        while True:
            found = self.message()
            if found.get("event") == event and fits(json.loads(found["data"])):
                return found
            assert time.monotonic() < deadline, "no event %s that fits" % event

    def close(self):
        self.file.close()
        self.socket.close()


class WebStory(Story):
    web_options = {}

    def setUp(self):
        super().setUp()
        self.export = os.path.join(self.nation.folder, "export")
        self.server = self.nation.add_server(export=self.export)
        self.server.start()
        self.node = self.nation.add_node("26")
        self.server.trust(self.node)
        self.node.start()
        self.node.await_open()
        self.web = self.nation.add_web(self.server, export=self.export, **self.web_options).start()

    def until_shown(self, count, web=None, seconds=20):
        """Until so many entities are on the page."""
        web = web or self.web
        n.wait_for("%d entities are shown" % count,
                   lambda: web.get("/api/v1/summary")["totals"]["entities"] == count, seconds)

    def metric(self, name, web=None):
        body = (web or self.web).ask("/metrics")[2].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in body.splitlines()
                   if re.match(re.escape(name) + r"[{ ]", line))
