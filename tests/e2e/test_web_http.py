"""splot-web against strangers: heads that two readers may read in two ways, paths that lead elsewhere, readers that
stall, a thousand that listen, and a view that goes away and comes back."""
import gzip
import json
import os
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import threading
import time

import nation as n
from story import SANITIZED, Story, main

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

    def until(self, event):
        while True:
            found = self.message()
            if found.get("event") == event:
                return found

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


class Heads(WebStory):
    def refused(self, head, status, body=b""):
        """One answer, of that status, and the end: a second request behind it is never seen."""
        got, closed = talk(self.web, head + body + SECOND)
        with self.subTest(head=head[:200]):
            self.assertEqual((statuses(got), closed), ([status], True), got[:2000])
            head_text = got.split(b"\r\n\r\n")[0]
            self.assertIn(b"Connection: close", head_text)
            self.assertIn(b"X-Content-Type-Options: nosniff", head_text)
            self.assertIn(b"Content-Type: application/problem+json", head_text)
            problem = json.loads(got.split(b"\r\n\r\n", 1)[1])
            self.assertEqual(problem["status"], status)
            self.assertTrue(problem["detail"] and problem["next"])

    def test_an_odd_head_is_one_answer_and_the_end_of_its_connection(self):
        get = b"GET /healthz HTTP/1.1\r\n"
        host = b"Host: a\r\n"
        for lines in [
                b"",                                                   # no Host
                b"Host: a\r\nHost: a\r\n", b"Host: a\r\nhost: b\r\n", b"Host:\r\n", b"Host: a b\r\n",
                b"Host : a\r\n", b" Host: a\r\n", host + b"X : y\r\n", host + b": y\r\n", host + b"X y: z\r\n",
                host + b"Content-Length: 0\r\nContent-Length: 0\r\n",
                host + b"Content-Length: 5\r\nContent-Length: 6\r\n",
                host + b"Content-Length: -1\r\n", host + b"Content-Length: +1\r\n", host + b"Content-Length: 1, 1\r\n",
                host + b"Content-Length: 0x1\r\n", host + b"Content-Length: abc\r\n", host + b"Content-Length:\r\n",
                host + b"Content-Length: 99999999999999999999999\r\n",
                host + b"Content-Length : 5\r\n",
                host + b"Transfer-Encoding: chunked\r\n", host + b"Transfer-Encoding: identity\r\n",
                host + b"Transfer-Encoding: xchunked\r\n", host + b"Transfer-Encoding: gzip, chunked\r\n",
                host + b"Transfer-Encoding:\r\n", host + b"Transfer-Encoding : chunked\r\n",
                host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                host + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                host + b"X: a\r\n folded\r\n", host + b"X: a\r\n\tfolded\r\nY: z\r\n",
                b"Host: a\r\n folded\r\n",
                host + b"X: a\0b\r\n", b"Host: a\0b\r\n", 
                host + b"X: a\rY: z\r\n", host + b"X: \x01\r\n", host + b"X: \x7f\r\n",
                b"Host: a\nX: y\r\n", host + b"X: y\nZ: 1\r\n", b"Host: a\n"]:
            self.refused(get + lines + b"\r\n", 400)
        self.refused(get + host + b"X: y\r\n\n", 400)
        self.refused(b"GET /healthz HTTP/1.1\nHost: a\r\n\r\n", 400)
        self.refused(b"GET /heal\0thz HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        for target in [b"http://a/healthz", b"*", b"a:80", b"healthz", b"?a=b"]:
            self.refused(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        self.refused(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        self.refused(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        self.refused(b"GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n", 400)
        self.assertGreater(self.metric("splot_web_refused_total"), 40)

    def test_a_body_is_refused_and_not_read_as_a_request(self):
        smuggled = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
        length = b"Content-Length: %d\r\n\r\n" % len(smuggled)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + length, 413, smuggled)
        self.refused(b"POST /healthz HTTP/1.1\r\nHost: a\r\n" + length, 413, smuggled)
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" + length, 413, smuggled)
        self.refused(b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
                     b"%x\r\n%s\r\n0\r\n\r\n" % (len(smuggled), smuggled))

    def test_what_is_only_read_is_not_written(self):
        for method in [b"POST", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"OPTIONS", b"BREW"]:
            got, closed = talk(self.web, method + b" /api/v1/summary HTTP/1.1\r\nHost: a\r\n\r\n" + SECOND)
            self.assertEqual((statuses(got), closed), ([405], True), method)
            self.assertIn(b"Allow: GET, HEAD\r\n", got)

    def test_too_much_has_its_status(self):
        get = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
        self.refused(get + b"X: y\r\n" * 100 + b"\r\n", 431)
        self.refused(get + b"X: " + b"y" * 14000 + b"\r\n\r\n", 431)
        self.refused(b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414)
        # What does not even fit libmicrohttpd's memory is answered by it, once.
        for head, status in [(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
                             (get + b"X: " + b"y" * 100000 + b"\r\n\r\n", 431),
                             (get + b"Cookie: " + b"a=b; " * 20000 + b"\r\n\r\n", 431)]:
            got, closed = talk(self.web, head)
            self.assertEqual((statuses(got), closed), ([status], True))
        status, _, body = self.web.ask("/api/v1/entities?" + "&".join("a%d=b" % i for i in range(200)))
        self.assertEqual((status, json.loads(body)["status"]), (414, 414))

    def test_what_is_no_http_ends_without_a_second_answer(self):
        for head in [b"GET /healthz\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost a\r\n\r\n",
                     b"GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n"]:
            got, closed = talk(self.web, head + SECOND)
            with self.subTest(head=head[:60]):
                self.assertTrue(closed)
                self.assertLessEqual(len(statuses(got)), 1, got)
                self.assertNotIn(200, statuses(got))

    def test_cookies_are_nobodys_business(self):
        for cookie in [b"a=b; c=d", b"=;;=\"", b"\"", b"a", b"=" * 500]:
            got, _ = talk(self.web, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: " + cookie +
                          b"\r\n\r\n")
            self.assertEqual(statuses(got), [200], cookie)

    def test_what_is_lawful_is_answered_in_order_on_one_connection(self):
        heads = [b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"\r\nGET /healthz HTTP/1.1\r\nhOsT:\ta:80  \r\nX:\r\nY:\t \r\nContent-Length: 0\r\n\r\n",
                 b"HEAD /healthz HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
                 b"GET /nothing.here HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"GET /api/v1/nothing?a HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 9000 + b"\r\nConnection: close\r\n\r\n"]
        got, closed = talk(self.web, b"".join(heads))
        self.assertEqual((statuses(got), closed), ([200, 200, 200, 404, 404, 200], True), got)
        got, closed = talk(self.web, b"GET /healthz HTTP/1.0\r\n\r\n")
        self.assertEqual((statuses(got), closed), ([200], True))

    def test_a_head_that_comes_in_single_bytes_is_judged_the_same(self):
        def drip(head):
            with connect(self.web) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for i in range(len(head)):
                    s.sendall(head[i:i + 1])
                got = b""
                while True:
                    more = s.recv(65536)
                    if not more:
                        return got
                    got += more
        self.assertEqual(statuses(drip(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")), [200])
        self.assertEqual(statuses(drip(b"GET /healthz HTTP/1.1\r\nHost: a\nConnection: close\r\n\r\n")), [400])

    def test_slow_heads_and_idle_connections_end(self):
        started = time.monotonic()
        slow, idle, quick = [], [], []
        for _ in range(10):
            slow.append(connect(self.web, timeout=60))
            slow[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
            idle.append(connect(self.web, timeout=60))

        def drip():
            while time.monotonic() < started + 15:
                for s in slow:
                    try:
                        s.sendall(b"X")
                    except OSError:
                        pass
                time.sleep(0.5)
        dripping = threading.Thread(target=drip)
        dripping.start()
        while time.monotonic() < started + 5:
            before = time.monotonic()
            self.assertEqual(self.web.ask("/healthz")[0], 200)
            quick.append(time.monotonic() - before)
        for s in slow:
            try:
                self.assertEqual(s.recv(100), b"")
            except ConnectionError:
                pass
        self.assertLess(time.monotonic() - started, 14 * PATIENCE)
        for s in idle:
            self.assertEqual(s.recv(100), b"")
        self.assertLess(time.monotonic() - started, 26 * PATIENCE)
        dripping.join()
        self.assertLess(sorted(quick)[len(quick) * 99 // 100], 0.1 * PATIENCE)
        self.assertEqual(self.metric("splot_web_dropped_total{reason=\"slow_head\"}"), 10)
        for s in slow + idle:
            s.close()


class Paths(WebStory):
    TRICKS = ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e%2fetc/passwd",
              "/.%00./x", "/a%00.js", "/%c0%ae%c0%ae/etc/passwd", "/%c0%af..", "/a//b", "/./index.html", "/a/.",
              "/a/..", "/..", "/%5c..%5cx", "/\\..\\x", "/%ff", "/%ed%a0%80", "/a%0d%0aX:%20y", "/a%", "/a%2", "/a%g0",
              "/%09"]

    def test_paths_that_hide_something_are_refused(self):
        for path in self.TRICKS:
            for begin in ("", "/api/v1", "/api/v1/logs/26", "/en"):
                got, _ = talk(self.web, ("GET %s%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" %
                                         (begin, path)).encode("latin-1"))
                with self.subTest(path=begin + path):
                    self.assertEqual(statuses(got), [400])
                    self.assertNotIn(b"root:", got)

    def test_the_page_answers_its_addresses_and_no_others(self):
        for path in ["/", "/en", "/en/", "/region/26", "/en/region/PL", "/entities?kind=CIS", "/entity/pl26-cis-a",
                     "/record/x", "/networks", "/network/x", "/changes", "/quality", "/trust", "/en/accessibility"]:
            status, headers, body = self.web.ask(path)
            self.assertEqual(status, 200, path)
            self.assertIn("script-src 'self'", headers["Content-Security-Policy"])
            self.assertIn(b'<html lang="%s"' % (b"en" if path.startswith("/en") and path[3:4] in ("", "/") else b"pl"), body)
        for path in ["/region", "/region/", "/region/26/x", "/x", "/en/x", "/index", "/entities/"]:
            status, headers, body = self.web.ask(path)
            self.assertEqual((status, headers["Content-Type"]), (404, "text/html; charset=utf-8"), path)
        for path in ["/index.pl.html", "/index.html", "/app.js", "/.git", "/favicon.ico"]:
            self.assertEqual(self.web.ask(path)[0], 404, path)
        for name in re.findall(r'(?:src|href)="(/[^"]+-[0-9a-f]{10}\.[a-z]+)"', self.web.ask("/")[2].decode()):
            status, headers, _ = self.web.ask(name)
            self.assertEqual((status, headers["Cache-Control"]), (200, "public, max-age=31536000, immutable"), name)

    def test_exported_files_are_served_and_nothing_beside_them(self):
        self.add(self.node, "pl26-cis-a")
        n.wait_for("the export", lambda: self.web.ask("/api/v1/logs/26/checkpoint")[0] == 200)
        n.wait_for("the export holds the event",
                   lambda: b"\n1\n" in self.web.ask("/api/v1/logs/26/checkpoint")[2])
        for name, kind in [("26/checkpoint", "text/plain; charset=utf-8"), ("26/log.vkey", "text/plain; charset=utf-8"),
                           ("national/checkpoint", "text/plain; charset=utf-8"), ("26/tile/0/000.p/1", "application/octet-stream"),
                           ("26/tile/entries/000.p/1", "application/octet-stream"),
                           ("witnesses.vkeys", "text/plain; charset=utf-8")]:
            status, headers, body = self.web.ask("/api/v1/logs/" + name)
            with open(os.path.join(self.export, name), "rb") as f:
                self.assertEqual((status, headers["Content-Type"], headers["Cache-Control"], body),
                                 (200, kind, "no-cache", f.read()), name)
            self.assertEqual(self.web.ask("/api/v1/logs/" + name, headers={"If-None-Match": headers["ETag"]})[0], 304)
        os.makedirs(os.path.join(self.export, "26", "tile", "0", "x001"))
        full = os.path.join(self.export, "26", "tile", "0", "x001", "234")
        with open(full, "wb") as f:
            f.write(b"h" * 8192)
        status, headers, body = self.web.ask("/api/v1/logs/26/tile/0/x001/234")
        self.assertEqual((status, headers["Cache-Control"], len(body)), (200, "public, max-age=31536000, immutable", 8192))
        secret = os.path.join(self.nation.folder, "secret")
        with open(secret, "w", encoding="utf-8") as f:
            f.write("secret")
        os.symlink(secret, os.path.join(self.export, "policy.link"))
        os.unlink(full)
        os.symlink(secret, full)
        os.mkfifo(os.path.join(self.export, "26", "tile", "0", "999"))
        os.symlink("/etc", os.path.join(self.export, "04"))
        for name in ["26/tile/0/x001/234", "policy.link", "26/tile/0/999", "README.md", "26", "26/", "", "26/tile",
                     "04/passwd", "04/checkpoint", "../secret", "26/checkpoint.tmp", "national/cosigned"]:
            status, _, body = self.web.ask("/api/v1/logs/" + name)
            self.assertIn(status, (400, 404), name)
            self.assertNotIn(b"secret", body)


class Answers(WebStory):
    web_options = {"cors_origin": "https://dane.example"}

    def setUp(self):
        super().setUp()
        self.add(self.node, "pl26-cis-a", name="Centrum A")
        self.until_shown(1)

    def test_an_answer_that_one_has_is_not_sent_again(self):
        for path in ["/api/v1/entities", "/api/v1/columns", "/", "/api/v1/records/pl26-cis-a"]:
            status, headers, body = self.web.ask(path)
            tag, size = headers["ETag"], headers["Content-Length"]
            self.assertRegex(tag, r'^"[0-9a-f-]+g?"$')
            for have in [tag, "W/" + tag, '"x", %s' % tag, "*", tag[:-1] + '-g"']:
                status, headers, body = self.web.ask(path, headers={"If-None-Match": have})
                self.assertEqual((status, body, headers["ETag"]), (304, b"", tag), have)
                self.assertIn(headers["Content-Length"], (None, size))
            for have in ['"x"', tag[1:-1], '"' + tag[2:], ""]:
                self.assertEqual(self.web.ask(path, headers={"If-None-Match": have})[0], 200, have)
        before = self.web.ask("/api/v1/entities")[1]["ETag"]
        self.add(self.node, "pl26-cis-b")
        self.until_shown(2)
        status, headers, _ = self.web.ask("/api/v1/entities", headers={"If-None-Match": before})
        self.assertEqual(status, 200)
        self.assertNotEqual(headers["ETag"], before)

    def test_head_says_what_get_would(self):
        for path in ["/", "/api/v1/entities.csv", "/api/v1/entities", "/healthz", "/nothing.js"]:
            status, headers, body = self.web.ask(path)
            again, other, nothing = self.web.ask(path, method="HEAD")
            self.assertEqual((again, nothing), (status, b""))
            for name in ["Content-Type", "Content-Length", "ETag", "Cache-Control", "Splot-Position"]:
                self.assertEqual(other[name], headers[name], path)

    def test_gzip_is_the_same_answer_packed(self):
        plain = self.web.ask("/api/v1/columns")
        for accept, packed in [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("identity", False),
                               ("xgzip", False), ("gzip; q=0.0, br", False), ("deflate, gzip", True)]:
            status, headers, body = self.web.ask("/api/v1/columns", headers={"Accept-Encoding": accept})
            self.assertEqual(headers["Content-Encoding"], "gzip" if packed else None, accept)
            self.assertEqual(gzip.decompress(body) if packed else body, plain[2])
            self.assertEqual(headers["Vary"], "Accept, Accept-Encoding")
            self.assertEqual(headers["ETag"] == plain[1]["ETag"], not packed)
        self.assertIsNone(self.web.ask("/healthz", headers={"Accept-Encoding": "gzip"})[1]["Content-Encoding"])

    def test_every_answer_has_the_headers_that_keep_browsers_safe(self):
        for path in ["/", "/nothing", "/nothing.js", "/api/v1/summary", "/api/v1/nothing", "/healthz", "/metrics", "/a/../b"]:
            _, headers, _ = self.web.ask(path)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
            self.assertEqual(headers["Referrer-Policy"], "no-referrer", path)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"], path)
            self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"], path)
            self.assertIn("Cache-Control", headers, path)
            self.assertNotIn("Server", headers, path)
            self.assertNotIn("Set-Cookie", headers, path)

    def test_other_origins_may_read_data_where_that_is_configured(self):
        _, headers, _ = self.web.ask("/api/v1/summary", headers={"Origin": "https://anybody.example"})
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://dane.example")
        self.assertNotIn("Access-Control-Allow-Origin", self.web.ask("/")[1])
        status, headers, body = self.web.ask("/api/v1/summary", method="OPTIONS",
                                             headers={"Origin": "https://dane.example",
                                                      "Access-Control-Request-Method": "GET"})
        self.assertEqual((status, body, headers["Access-Control-Allow-Methods"]), (204, b"", "GET, HEAD"))
        closed = self.nation.add_web(self.server, name="web-closed").start()
        _, headers, _ = closed.ask("/api/v1/summary", headers={"Origin": "https://dane.example"})
        self.assertNotIn("Access-Control-Allow-Origin", headers)
        self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")

    def test_the_past_is_asked_for_by_many_at_once(self):
        for i in range(30):
            self.add(self.node, "pl26-kis-%d" % i)
        self.until_shown(31)
        end = self.web.get("/api/v1/status")["position"]
        found, lock = {}, threading.Lock()

        def ask(position):
            for _ in range(100):
                status, headers, body = self.web.ask("/api/v1/summary?as_of=%d" % position)
                if status == 503:
                    self.assertIn("Retry-After", headers)
                    time.sleep(0.2)
                    continue
                with lock:
                    found[position] = (status, headers["Splot-Position"], json.loads(body)["totals"]["entities"],
                                       headers["Cache-Control"])
                return
        threads = [threading.Thread(target=ask, args=(p,)) for p in range(end)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), end)
        counts = [found[p][2] for p in sorted(found)]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(counts[0], 0)
        self.assertGreaterEqual(counts[-1], 29)
        for position, (status, said, _, cache) in found.items():
            self.assertEqual((status, said, cache), (200, str(position), "public, max-age=3600"))
        self.assertEqual(self.web.ask("/api/v1/summary?as_of=%d" % (end + 1000))[0], 404)

    def test_a_change_is_in_the_next_answer(self):
        """Nobody listens: the next who asks sees it."""
        for i in range(5):
            self.add(self.node, "pl26-kis-%d" % i)
            self.until_confirmed()
            self.until_folded(self.server)
            self.assertEqual(self.web.get("/api/v1/summary")["totals"]["entities"], 2 + i)

    def test_the_sites_texts_are_reread(self):
        self.assertIsNone(self.web.get("/api/v1/site")["texts"].get("body"))
        self.web.site = {"body": "Urząd Próby"}
        self.web.configure()
        self.web.process.send_signal(signal.SIGHUP)
        n.wait_for("the text", lambda: self.web.get("/api/v1/site")["texts"].get("body") == "Urząd Próby")


class Readers(WebStory):
    web_options = {"max_readers": 1200, "max_connections": 1500}

    def test_a_reader_is_told_of_each_change_within_a_moment(self):
        with_all, with_region = Events(self.web), Events(self.web, query="?region=26")
        other = Events(self.web, query="?region=24")
        self.addCleanup(with_all.close)
        self.addCleanup(with_region.close)
        self.addCleanup(other.close)
        for reader in (with_all, with_region, other):
            self.assertEqual((reader.status, reader.headers["content-type"]), (200, "text/event-stream"))
            self.assertEqual(json.loads(reader.until("hello")["data"])["identity"], "centrum")
        for i in range(5):
            self.add(self.node, "pl26-cis-%d" % i)
            done = time.monotonic()
            for reader in (with_all, with_region):
                found = reader.until("change")
                data = json.loads(found["data"])
                self.assertEqual([c["id"] for c in data["changes"]], ["pl26-cis-%d" % i])
                self.assertEqual(data["position"], int(found["id"]))
            self.assertLess(time.monotonic() - done, 1.0 * PATIENCE)
        # The other region's reader gets a heartbeat, or the status, but none of these.
        seen = []
        while not any("comment" in m for m in seen):
            seen.append(other.message())
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
            self.assertLess(last - done[0], 1.0 * PATIENCE)
            # Others are answered meanwhile.
            begun = time.monotonic()
            self.assertEqual(self.web.ask("/api/v1/summary")[0], 200)
            self.assertLess(time.monotonic() - begun, 0.5 * PATIENCE)
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
        for _ in range(10):
            begun = time.monotonic()
            self.assertEqual(self.web.ask("/healthz")[0], 200)
            self.assertLess(time.monotonic() - begun, 0.7 * PATIENCE)
        # And who wants to know is told what was, whole and in order.
        reader = Events(self.web, after=0, timeout=120)
        self.addCleanup(reader.close)
        told = []
        while not told or told[-1] < self.web.get("/api/v1/status")["position"] - 1:
            told.append(int(reader.until("change")["id"]))
        self.assertEqual(told, sorted(set(told)))
        self.assertEqual(told[0], 1)

    def test_heartbeats_come(self):
        reader = Events(self.web, timeout=40)
        started = time.monotonic()
        while reader.message().get("comment") != "heartbeat":
            self.assertLess(time.monotonic() - started, 20)
        reader.close()

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
        self.assertLess(time.monotonic() - started, 5)
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
    def test_readers_that_stall_are_dropped_and_others_do_not_notice(self):
        path = b"/api/v1/openapi.json"
        size = len(self.web.ask(path.decode())[2])
        self.assertGreater(size, 20000)
        stalled = []
        for _ in range(20):
            s = connect(self.web, receive=4096)
            # Much more than sockets hold, and none of it is taken.
            s.sendall((b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n") * 200)
            stalled.append(s)
        self.addCleanup(lambda: [s.close() for s in stalled])
        began, took = time.monotonic(), []
        before = self.metric("splot_web_dropped_total")
        while self.metric("splot_web_dropped_total") - before < 20:
            self.assertLess(time.monotonic() - began, 45)
            asked = time.monotonic()
            self.assertEqual(self.web.ask("/api/v1/summary")[0], 200)
            took.append(time.monotonic() - asked)
            time.sleep(0.02)
        self.assertLess(sorted(took)[len(took) * 99 // 100], 0.1 * PATIENCE)
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
        round_number = 0
        while self.metric("splot_web_dropped_total") < 20:
            self.assertLess(time.monotonic() - began, 120)
            round_number += 1
            self.add(self.node, "pl26-cis-more-%d" % round_number, name="Centrum " + "z" * 3000)
            asked = time.monotonic()
            healthy.until("change")
            self.assertLess(time.monotonic() - asked, 1.0 * PATIENCE)
        healthy.close()


class Away(WebStory):
    def test_the_page_lives_on_when_the_server_is_killed(self):
        self.add(self.node, "pl26-cis-a")
        self.until_shown(1)
        self.assertFalse(self.web.get("/api/v1/status")["stale"])
        reader = Events(self.web, timeout=60)
        reader.until("hello")
        self.server.kill()
        n.wait_for("it is known to be old", lambda: self.web.get("/api/v1/status")["stale"], 60)
        while not json.loads(reader.until("status")["data"])["stale"]:
            pass
        self.assertEqual(self.web.get("/api/v1/summary")["totals"]["entities"], 1)
        self.assertEqual(self.web.ask("/")[0], 200)
        self.assertTrue(self.web.is_ready())
        self.add(self.node, "pl26-cis-b")
        self.server.start()
        self.until_shown(2, seconds=60)
        n.wait_for("it is fresh again", lambda: not self.web.get("/api/v1/status")["stale"], 30)
        while json.loads(reader.until("status")["data"])["stale"]:
            pass
        reader.close()

    def test_it_waits_for_a_view_that_is_not_there_yet(self):
        late = self.nation.add_server("late")
        web = self.nation.add_web(late)
        web.start(wait=False)
        n.wait_for("it lives", lambda: self.quiet(web, "/healthz") == 200)
        self.assertEqual(self.quiet(web, "/readyz"), 503)
        status, headers, body = web.ask("/api/v1/summary")
        self.assertEqual((status, headers["Retry-After"]), (503, "1"))
        self.assertTrue(json.loads(body)["next"])
        self.assertEqual(web.ask("/")[0], 200)
        late.start()
        web.await_ready()

    @staticmethod
    def quiet(web, path):
        try:
            return web.ask(path)[0]
        except OSError:
            return None

    def test_beside_a_node_it_shows_that_regions_register(self):
        web = self.nation.add_web(self.node).start()
        reader = Events(web)
        self.assertEqual(json.loads(reader.until("hello")["data"])["identity"], "26")
        self.add(self.node, "pl26-cis-a")
        self.assertEqual(json.loads(reader.until("change")["data"])["changes"][0]["id"], "pl26-cis-a")
        self.assertEqual(web.get("/api/v1/summary")["totals"]["entities"], 1)
        self.assertEqual(web.get("/api/v1/status")["role"], "node")
        reader.close()

    def test_what_a_node_tells_those_who_run_it_is_not_told_to_everybody(self):
        web = self.nation.add_web(self.node).start()
        self.server.kill()
        n.wait_for("the node says what to do",
                   lambda: self.node.status()["servers"][0]["note"].startswith("no answer from tcp://"), 60)
        n.wait_for("its view says that the server is away",
                   lambda: web.get("/api/v1/status")["servers"][0]["state"] in ("away", "connecting"), 60)
        time.sleep(2)  # a status of now
        body = web.ask("/api/v1/status")[2].decode() + web.ask("/metrics")[2].decode()
        self.assertNotIn("tcp:", body)
        self.assertNotIn(self.nation.folder, body)

    def test_a_node_that_redacts_writes_its_store_anew_and_the_page_follows(self):
        web = self.nation.add_web(self.node).start()
        self.add(self.node, "pl26-cis-a", name="Nazwa do usuniecia")
        self.add(self.node, "pl26-cis-b")
        self.until_confirmed()
        self.until_shown(2, web)
        reader = Events(web, timeout=60)
        reader.until("hello")
        self.add_again(self.node, "pl26-cis-a", "Inna")
        self.until_confirmed()
        self.server.ctl("redact", "26", "0", "--reason", "personal data")
        reader.until("reset")
        web.await_ready()
        self.until_shown(2, web)
        self.assertNotIn("Nazwa do usuniecia", json.dumps(web.get("/api/v1/records/pl26-cis-a/history")))
        reader.close()

    def add_again(self, node, record_id, name):
        node.ctl("put", "entity", record_id, "--reason", "test", "--source", "note 2", "name=" + name)


class Program(Story):
    def run_web(self, *arguments):
        return subprocess.run([self.nation.program("splot-web"), *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=30)

    def test_options_and_configurations_that_do_not_fit_are_told(self):
        self.assertEqual(self.run_web("--version").returncode, 0)
        done = self.run_web("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Examples:", done.stdout)
        self.assertEqual(self.run_web().returncode, 2)
        self.assertEqual(self.run_web("--nothing").returncode, 2)
        server = self.nation.add_server().start()
        path = os.path.join(self.nation.folder, "web.ini")
        for text, said in [("[web]\n", "view"), ("[web]\nview = x\nlisten = 1:2\nother = 1\n", "other"),
                           ("[web]\nview = x\nlisten = 1:2\nlog-level = loud\n", "log-level"),
                           ("[web]\nview = x\nlisten = 127.0.0.1:1\ncors-origin = a/b\n", "cors-origin"),
                           ("[web]\nview = x\nlisten = 127.0.0.1:1\nmax-readers = 5000\n", "max-readers"),
                           ("[web]\nview = x\nlisten = 127.0.0.1:1\nterc = /nothing\n", "terc"),
                           ("[web]\nview = /nothing\nlisten = 127.0.0.1:1\n", "/nothing")]:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            done = self.run_web("--config", path, "--check")
            self.assertEqual(done.returncode, 3, text)
            self.assertIn(said, done.stderr)
        with open(path, "w", encoding="utf-8") as f:
            f.write("[web]\nview = %s/view\nlisten = 127.0.0.1:1\n" % server.data)
        done = self.run_web("--config", path, "--check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for listen in ["127.0.0.1", "localhost:80", "127.0.0.1:0", "127.0.0.1:99999", "::1:80", "[::1:80"]:
            with open(path, "w", encoding="utf-8") as f:
                f.write("[web]\nview = %s/view\nlisten = %s\n" % (server.data, listen))
            done = self.run_web("--config", path)
            self.assertEqual(done.returncode, 3, (listen, done.stderr))

    def test_it_listens_on_the_sixth_version_as_well(self):
        server = self.nation.add_server().start()
        web = self.nation.add_web(server)
        web.write_config([("web", {"view": web.view, "listen": "[::1]:%d" % web.port})])
        web.start(wait=False)

        def answered():
            try:
                with socket.create_connection(("::1", web.port), 5) as s:
                    s.sendall(SECOND.replace(b"Host: a", b"Host: a\r\nConnection: close"))
                    return statuses(s.recv(1000)) == [200]
            except OSError:
                return False
        n.wait_for("it answers", answered)


if __name__ == "__main__":
    main()
