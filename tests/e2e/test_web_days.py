"""The API of days that are over, by a clock that was put back for the daemons: what `as_of` shows of them
is what splotctl exports of them."""
import json
import os
import shutil
import subprocess
import sys
import unittest

import nation as n
import story
import test_asof
from contract import API

WHY = ("--reason", "test", "--source", "note 1")


class OldDays(story.Story):
    @unittest.skipIf(story.SANITIZED or not shutil.which("cc"), "a preloaded clock needs a plain build and cc")
    def test_a_day_that_is_over_is_what_splotctl_exports_of_it(self):
        clock = os.path.join(self.nation.folder, "clock")
        with open(clock + ".c", "w", encoding="utf-8") as f:
            f.write(test_asof.CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", clock + ".so", clock + ".c", "-ldl"], check=True)

        def set_clock(text):
            with open(clock, "r+b" if os.path.exists(clock) else "wb") as f:
                f.write(test_asof.ms_of(text).to_bytes(8, sys.byteorder))
        set_clock("2026-03-28T22:59:59.999Z")
        server, node = self.nation.add_server(), self.nation.add_node("26")
        for daemon in (server, node):
            daemon.environment.update(LD_PRELOAD=clock + ".so", STORY_CLOCK=clock)
        server.start()
        server.trust(node)
        node.start().await_open()
        node.ctl("import", "--own", *(os.path.join(story.SAMPLE, plural + ".csv") for plural in n.KINDS))
        self.until_confirmed(node)
        set_clock("2026-03-29T21:59:59.999Z")  # the clock was put forward that night
        node.ctl("put", "entity", "pl26-kis-bilcza", "status=ceased", *WHY)
        self.until_confirmed(node)  # by then the server has recorded it
        set_clock("2026-03-29T22:00:00.000Z")
        node.ctl("retire", "pl26-kis-bilcza", *WHY)
        self.until_confirmed(node)
        self.until_folded(server)
        web = self.nation.add_web(server).start()
        bodies = {}
        for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-07-01"):
            folder = os.path.join(self.nation.folder, day)
            server.ctl("export", "--dir", folder, "--as-of", day)
            for plural in n.KINDS:
                with open(os.path.join(folder, plural + ".csv"), "rb") as f:
                    bodies[day] = web.ask("%s/%s.csv?sort=id&as_of=%s" % (API, plural, day))[2]
                    self.assertEqual(bodies[day], f.read(), (day, plural))
        states = [web.ask("%s/records/pl26-kis-bilcza?as_of=%s" % (API, day)) for day in sorted(bodies)]
        answers = [json.loads(body) for _, _, body in states]
        self.assertEqual([a["retired"] for a in answers], [False, False, True, True])
        self.assertEqual([a["record"] and a["record"]["status"] for a in answers], ["registered", "ceased", None, None])
        # what can still come makes an answer one that is asked for again
        self.assertEqual([headers["Cache-Control"] for _, headers, _ in states],
                         ["public, max-age=3600"] * 2 + ["no-cache"] * 2)
        empty = web.get(API + "/entities?as_of=2026-03-27")
        self.assertEqual((empty["position"], empty["total"]), (0, 0))


if __name__ == "__main__":
    story.main()
