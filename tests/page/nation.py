#!/usr/bin/env python3
"""A nation with the sample register for the page's stories: a server, sixteen regional nodes and the ministry's,
one splot-web beside the server and one beside a node.  Says where they are as one line of JSON, then does what
each line of standard input asks, a line of JSON for each; ends with its input.

    {"do": "ctl", "at": "26" | "server" | null, "arguments": ["status"]}    null: no daemon is asked
    {"do": "start" | "stop" | "kill", "what": "server" | "web" | "26"}
    {"do": "settle"}    every log confirmed, the view caught up"""
import concurrent.futures
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "nation"))
import nation as n  # noqa: E402

SAMPLE = os.path.join(HERE, "..", "data", "register")
# What an administrator writes for the page beside the node; the server's stays blank.
SITE = {"body": "Regionalny Ośrodek Polityki Społecznej", "body-en": "Regional Centre of Social Policy",
        "body-address": "ul. Przykładowa 1, 00-000 Miejscowość", "body-email": "kancelaria@urzad.example",
        "url": "https://rejestr.urzad.example/", "site-published": "2026-01-15", "site-updated": "2026-11-20",
        "conformity": "partial", "not-accessible": "Mapa nie ma opisu dla każdej granicy.",
        "not-accessible-en": "The map has no description of each border.",
        "not-accessible-2": "Druga treść.", "statement-made": "2026-01-15", "statement-reviewed": "2026-03-20",
        "statement-basis": "self", "contact-unit": "Koordynator dostępności",
        "contact-email": "dostepnosc@urzad.example", "contact-phone": "+48 00 000 00 00",
        "architecture": "Wejście główne ma podjazd.", "communication": "Tłumacz online."}


def bring_up(nation):
    audit = os.path.join(nation.folder, "audit")
    server = nation.up(server_config={"export": audit, "witness-interval-s": 1})
    files = [os.path.join(SAMPLE, kind + ".csv") for kind in n.KINDS]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda node: node.ctl("import", *files, "--own", "--reason", "first filling of the register",
                                            "--source", "register of public documents"), nation.nodes.values()))
    settle(nation, server)
    web = nation.add_web(server, export=audit, terc=write_terc(nation)).start()
    own = nation.add_web(nation.nodes["26"], site=SITE).start()
    return server, web, own


def write_terc(nation):
    """Powiaty with and without centres, of the sample's regions."""
    path = os.path.join(nation.folder, "terc.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("teryt,name\n2601,buski\n2661,Kielce\n1465,Warszawa\n0264,Wrocław\n0202,dzierżoniowski\n")
    return path


def settle(nation, server):
    def settled():
        status = server.status()
        return (all(node.confirmed() for node in nation.nodes.values() if node.running()) and
                status["position"] == status["size"])
    n.wait_for("every log confirmed and folded", settled, 60)


def answer(nation, daemons, asked):
    verb = asked["do"]
    if verb == "settle":
        settle(nation, daemons["server"])
        return {}
    if verb == "ctl":
        at = daemons[asked["at"]] if asked["at"] else nation
        done = at.ctl(*asked["arguments"], check=False)
        return {"status": done.returncode, "out": done.stdout, "error": done.stderr}
    getattr(daemons[asked["what"]], verb)()
    return {}


def main():
    with n.Nation(os.environ["SPLOT_BIN"]) as nation:
        server, web, own = bring_up(nation)
        daemons = dict(nation.nodes, server=server, web=web, own=own)
        print(json.dumps({"url": web.url, "own": own.url, "folder": nation.folder}), flush=True)
        for line in sys.stdin:
            try:
                said = answer(nation, daemons, json.loads(line))
            except (n.Failed, KeyError) as failure:
                said = {"failed": str(failure)}
            print(json.dumps(said), flush=True)
        for daemon in (own, web):
            daemon.stop()
        nation.down()


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("nation.py: %s" % failure)
