"""splot-web when what stands behind it goes away, comes back, or is made anew."""
import json
import time

import nation as n
from story import main
from web_story import Events, WebStory


class Away(WebStory):
    def test_the_page_lives_on_when_the_server_is_killed(self):
        self.add(self.node, "pl26-cis-a")
        self.until_shown(1)
        self.assertFalse(self.web.get("/api/v1/status")["stale"])
        reader = Events(self.web, timeout=60)
        reader.until("hello")
        self.server.kill()
        n.wait_for("it is known to be old", lambda: self.web.get("/api/v1/status")["stale"], 60)
        reader.until("status", lambda data: data["stale"])
        self.assertEqual(self.web.get("/api/v1/summary")["totals"]["entities"], 1)
        self.assertEqual(self.web.ask("/")[0], 200)
        self.assertTrue(self.web.is_ready())
        self.add(self.node, "pl26-cis-b")
        self.server.start()
        self.until_shown(2, seconds=60)
        n.wait_for("it is fresh again", lambda: not self.web.get("/api/v1/status")["stale"], 30)
        reader.until("status", lambda data: not data["stale"])
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


if __name__ == "__main__":
    main()
