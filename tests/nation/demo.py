#!/usr/bin/env python3
"""The whole nation on this machine: one server, sixteen regional nodes and the ministry's.

Each node imports its rows of the register, commits them to its signed log and replicates by
itself; the national view is exported again from the server."""
import argparse
import concurrent.futures
import csv
import os
import signal
import sys
import threading
import time

import nation as n

HERE = os.path.dirname(os.path.abspath(__file__))
QUORUM = 9
SAMPLE = os.path.normpath(os.path.join(HERE, "..", "data", "register"))


def say(text):
    print(text, flush=True)


def arguments():
    p = argparse.ArgumentParser(prog="./dev demo", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--once", action="store_true", help="exit when all is confirmed (0) instead of staying up")
    p.add_argument("--data", default=SAMPLE, metavar="DIR",
                   help="CSV files operators, entities, networks, memberships, statistics (default: the sample)")
    p.add_argument("--dir", metavar="DIR", help="working folder (default: a temporary one); that of an earlier run goes on")
    p.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    return p.parse_args()


def import_own(node, files):
    """Imports a node's rows of every file, as one act; how many records it then holds."""
    node.ctl("import", *files, "--own", "--reason", "pierwsze wypełnienie rejestru",
             "--source", "rejestr z dokumentów publicznych", timeout=1800)
    return node.status()["size"]


def all_confirmed(nation, server):
    if not all(node.confirmed() for node in nation.nodes.values()):
        return False
    status = server.status()
    return status["position"] == status["size"]


def exported_checkpoint(nation, log):
    """Size and number of signature lines of a log's exported checkpoint."""
    try:
        with open(os.path.join(nation.folder, "audit", log, "checkpoint"), encoding="utf-8") as f:
            lines = f.read().split("\n")
    except FileNotFoundError:
        return 0, 0
    return int(lines[1]), sum(line.startswith("\u2014 ") for line in lines)


def all_witnessed(nation, server):
    """True when every log is exported whole, the national one with its witnesses' quorum."""
    status = server.status()
    size, lines = exported_checkpoint(nation, "national")
    return (size == status["size"] and lines > QUORUM and
            all(exported_checkpoint(nation, log)[0] == node.status()["size"]
                for log, node in nation.nodes.items()))


def write_powiats(nation, data):
    """The table of powiaty that lies beside the register, as splot-web reads it; None where there is none."""
    try:
        with open(os.path.join(data, "reference", "teryt_powiaty.csv"), encoding="utf-8", newline="") as f:
            rows = [(row["teryt"], row["name_pl"]) for row in csv.DictReader(f)]
    except FileNotFoundError:
        return None
    path = os.path.join(nation.folder, "terc.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("teryt", "name"), *rows])
    return path


def start_page(nation, server, audit, options):
    """The page over the national view; None where it was not built."""
    if not os.path.exists(nation.program("splot-web")):
        return None
    powiats = write_powiats(nation, options.data)
    web = nation.add_web(server, export=audit, **({"terc": powiats} if powiats else {})).start()
    say("The page: %s" % web.url)
    return web


def check_page(web, server):
    """What the page shows is the server's present position."""
    def shown():
        summary = web.get("/api/v1/summary")
        return summary if summary["position"] == server.status()["size"] else None
    summary = n.wait_for("the page at the server's position", shown, 30)
    if not summary["totals"]["entities"]:
        raise n.Failed("%s/api/v1/summary counts no entity" % web.url)
    say("The page answers with %d entities as of national entry %d" % (
        summary["totals"]["entities"], summary["position"]))


def run(nation, options):
    files = [os.path.join(options.data, kind + ".csv") for kind in n.KINDS]
    files = [f for f in files if os.path.exists(f)]
    if not files:
        raise n.Failed("%s: none of operators.csv, entities.csv, networks.csv, memberships.csv, "
                       "statistics.csv is there" % options.data)
    started = time.monotonic()
    say("Making keys, enrolling, starting one server and %d nodes in %s" % (len(nation.regions), nation.folder))
    audit = os.path.join(nation.folder, "audit")
    server = nation.up(server_config={"export": audit, "witness-interval-s": 1})
    web = start_page(nation, server, audit, options)
    say("Importing %s" % options.data)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda node: import_own(node, files), nation.nodes.values()))
    n.wait_for("confirmation of every log", lambda: all_confirmed(nation, server), 1800, 0.05)
    say("All %d logs are confirmed: %d change events, %.1f s after the start\n"
        % (len(sizes), sum(sizes), time.monotonic() - started))

    server.ctl("export", "--dir", os.path.join(nation.folder, "export"), timeout=1800)
    summary = server.ctl("summary", "--json").stdout
    with open(os.path.join(nation.folder, "summary.json"), "w", encoding="utf-8") as f:
        f.write(summary)
    say(server.ctl("summary").stdout)
    say("Exported by the server: %s/export/*.csv, %s/summary.json" % (nation.folder, nation.folder))
    n.wait_for("the witnesses' signatures", lambda: all_witnessed(nation, server), 120, 0.1)
    say("The logs for auditors: %s, the national one cosigned by %d witnesses"
        % (audit, exported_checkpoint(nation, "national")[1] - 1))
    say(nation.ctl("audit", "verify", audit, timeout=1800).stdout)
    if web:
        check_page(web, server)
    if not options.dir:
        say("This folder is a temporary one and goes with the demo; --dir DIR keeps it.")
    return server, web


def stay(nation, server, web):
    ctl = os.path.relpath(nation.program("splotctl"))
    node = nation.nodes["26"]
    say("""
The nation runs until Ctrl-C.  Look around%(page)s in another terminal:

  %(ctl)s status  --socket %(server)s
  %(ctl)s status  --socket %(node)s
  %(ctl)s get pl26-kis-kielce-pestka --socket %(server)s
  %(ctl)s confirm pl26-kis-kielce-pestka --reason 'call with the club' --source 'note 1/2026' --socket %(node)s
  %(ctl)s history pl26-kis-kielce-pestka --socket %(server)s
  %(ctl)s list entity kind=KIS region=26 --socket %(server)s
  %(ctl)s log --region 26 --limit 3 --socket %(server)s
  %(ctl)s audit prove 26 0 -o /tmp/26-0 --from %(audit)s

Configurations, keys and logs: %(folder)s""" % {
        "page": ":\n\n  %s\n\nor" % web.url if web else "",
        "ctl": ctl, "audit": os.path.join(nation.folder, "audit"), "server": server.socket, "node": node.socket, "folder": nation.folder})
    done = threading.Event()
    for s in (signal.SIGINT, signal.SIGTERM):
        signal.signal(s, lambda *_: done.set())
    while not done.wait(1):
        for daemon in nation.daemons():
            if not daemon.running():
                raise n.Failed("%s ended:\n%s" % (daemon.name, daemon.log_tail()))
    say("\nStopping")


def main():
    options = arguments()
    with n.Nation(options.bin, options.dir) as nation:
        server, web = run(nation, options)
        if not options.once:
            stay(nation, server, web)
        nation.down()


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("demo: %s" % failure)
    except KeyboardInterrupt:
        sys.exit(130)
