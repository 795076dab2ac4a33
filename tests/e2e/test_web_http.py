"""splot-web against strangers: heads that two readers may read in two ways, paths that lead elsewhere; what its
answers say beside their bodies; its options."""
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import nation as n
from story import Story, main
from web_story import PATIENCE, SECOND, WebStory, connect, statuses, talk


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
        self.refused(get + host + b"X: y\0b\n\n", 400)  # as many bytes as CR LF CR LF
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
        self.assertLess(time.monotonic() - started, 20 * PATIENCE)
        for s in idle:
            self.assertEqual(s.recv(100), b"")
        self.assertLess(time.monotonic() - started, 35 * PATIENCE)
        dripping.join()
        self.assertLess(sorted(quick)[len(quick) * 9 // 10], 0.1 * PATIENCE)
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
            for have in ['"x"', tag[1:-1], '"' + tag[2:], '"x' + tag[1:], ""]:
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

    def test_a_day_is_answered_while_others_ask_for_other_days_all_the_time(self):
        path = os.path.join(self.nation.folder, "many.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,region,kind,name\n")
            f.writelines("pl26-kis-%d,26,KIS,Klub %d\n" % (i, i) for i in range(4000))
        self.node.ctl("import", "--kind", "entity", path, "--reason", "test", "--source", "note 1", timeout=120)
        for i in range(10):
            self.add(self.node, "pl26-cis-%d" % i)
            self.until_confirmed()
        self.until_shown(4011, seconds=60)
        end = self.web.get("/api/v1/status")["position"]
        stop = threading.Event()

        def keep_asking(position):
            for i in range(1, 10 ** 6):  # none of these answers is kept already
                if stop.is_set():
                    return
                self.web.ask("/api/v1/networks?as_of=%d&limit=%d&name_pl=%d" % (position, i % 500 + 1, i))
        threads = [threading.Thread(target=keep_asking, args=(end - 2 - i,)) for i in range(4)]
        for t in threads:
            t.start()
        try:
            time.sleep(1)
            for i in range(6, 9):
                self.assertEqual(self.web.ask("/api/v1/summary?as_of=%d" % (end - i), timeout=30)[0], 200)
                # Made once, and not gone before it was read; of the others, each may have to be made again.
                self.assertLessEqual(self.metric("splot_web_snapshots_total"), 4 + (i - 5) * 5)
        finally:
            stop.set()
            for t in threads:
                t.join()

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
