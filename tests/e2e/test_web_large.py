"""Answers of splot-web that are large: whoever takes them slowly leaves room for others."""
import os

import nation as n
from story import main
from web_story import WebStory, connect

SLOW = 36  # tables of 8 MB: sockets alone hold up to 4
TEXT = "x" * 8000


class Large(WebStory):
    def test_large_tables_that_are_taken_slowly_leave_room_for_answers(self):
        path = os.path.join(self.nation.folder, "large.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,region,kind,name,other_facts\n")
            f.writelines("pl26-kis-%d,26,KIS,Klub %d,%s\n" % (i, i, TEXT) for i in range(1000))
        self.node.ctl("import", "--kind", "entity", path, "--reason", "test", "--source", "note 1", timeout=120)
        self.until_shown(1000, seconds=60)
        size = len(self.web.ask("/api/v1/entities.csv")[2])
        self.assertGreater(size * SLOW, 256 * 1024 * 1024)
        slow = []
        self.addCleanup(lambda: [s.close() for s in slow])
        for i in range(SLOW):  # all of it, and each time asked for in another way
            s = connect(self.web, receive=4096)
            s.sendall(b"GET /api/v1/entities.csv?place=&place=%d HTTP/1.1\r\nHost: a\r\n\r\n" % i)
            slow.append(s)
        n.wait_for("no more of them is made",
                   lambda: self.web.ask("/api/v1/entities.csv?place=&place=again")[0] == 503, 10)
        held = self.metric("splot_web_bodies_bytes")
        self.assertGreater(held, 96 * 1024 * 1024)
        self.assertLess(held, 176 * 1024 * 1024)
        # Answers that nobody asked for before.
        self.assertEqual(self.web.ask("/api/v1/entities?name=nobody")[0], 200)
        self.assertEqual(self.web.ask("/api/v1/entities?limit=100")[0], 200)


if __name__ == "__main__":
    main()
