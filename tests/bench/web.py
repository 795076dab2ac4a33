#!/usr/bin/env python3
"""Answers a second and their times, of splot-web and of nginx (one worker), which serves the same bytes as static
files: the summary and a page of filtered entities, over 400 and 100,000 entities, by wrk over 64 connections
that are kept. Both run side by side and are asked in turn, in short rounds; medians, the ratio's too. Nothing is
packed, in either. CPU is that of the server alone, for each answer: it may be compared when others use the machine.

Then what nginx cannot be asked: the same while a commit comes every 100 ms (each makes every kept answer void), and
answers that nobody asked for before, so that each is made."""
import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "nation"))
import nation as n  # noqa: E402

CONNECTIONS = 64
PLACES = ["Kielce", "Łódź", "Ostrów", "Żary", "Śrem", "Gdynia", "Nowy Sącz", "Ełk", "Piła", "Brzeg", "Lublin", "Opole"]
HEADERS = """
            add_header Cache-Control "no-cache";
            add_header X-Content-Type-Options "nosniff";
            add_header Referrer-Policy "no-referrer";
            add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'";
            add_header Vary "Accept, Accept-Encoding";
            add_header Cross-Origin-Resource-Policy "same-origin";
            add_header Splot-Position "12345";"""


def row(log, i, chance):
    kind = "CIS" if chance.random() < 0.45 else "KIS"
    place = chance.choice(PLACES)
    return {"id": "pl%s-%s-%d" % (log, kind.lower(), i), "region": log, "kind": kind,
            "name": "%s w miejscowości %s nr %d" % ("Centrum Integracji Społecznej" if kind == "CIS" else
                                                  "Klub Integracji Społecznej", place, i),
            "operator_name": "Ośrodek Pomocy Społecznej %s" % place, "operator_form": chance.choice(["jst_ops", ""]),
            "place": place, "street": "ul. Długa", "building": str(chance.randrange(1, 99)),
            "created_on": "20%02d-%02d-01" % (chance.randrange(4, 26), chance.randrange(1, 13)),
            "status": chance.choice(["active", "active", "active", ""]), "source": "report-2025"}


def fill(nation, count):
    chance = random.Random(count)
    nodes = [node for log, node in nation.nodes.items() if log != "PL"]
    for node in nodes:
        path = os.path.join(nation.folder, node.name + ".csv")
        rows = [row(node.log_name, i, chance) for i in range(count // len(nodes))]
        with open(path, "w", encoding="utf-8") as f:
            f.write(",".join(rows[0]) + "\n")
            for r in rows:
                f.write(",".join(r.values()) + "\n")
        node.ctl("import", "--kind", "entity", path, "--reason", "measuring", "--source", "made up", timeout=600)
    for node in nodes:
        n.wait_for("%s confirmed" % node.name, node.confirmed, 600)


class Nginx:
    """One worker over a folder of files."""

    def __init__(self, folder):
        self.folder, self.port = folder, n.free_port()
        os.makedirs(os.path.join(folder, "www"))
        self.config = os.path.join(folder, "nginx.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("""
daemon off; worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/error.log;
events { worker_connections 4096; }
http {
    access_log off; sendfile on; tcp_nopush on; gzip off; etag on; keepalive_requests 100000000;
    client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2; fastcgi_temp_path %(folder)s/t3;
    uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
    open_file_cache max=100; default_type application/json;
    server {
        listen 127.0.0.1:%(port)d;
        root %(folder)s/www;
        location / {%(headers)s
        }
    }
}
""" % {"folder": folder, "port": self.port, "headers": HEADERS})
        command = ["nginx", "-p", folder, "-c", self.config]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def workers(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def put(self, name, body):
        with open(os.path.join(self.folder, "www", name), "wb") as f:
            f.write(body)
        return "http://127.0.0.1:%d/%s" % (self.port, name)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def milliseconds(text):
    value, unit = re.match(r"([\d.]+)(us|ms|s|m)$", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, seconds, script=None):
    command = ["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % seconds, "--latency"]
    if script:
        command += ["-s", script]
    done = subprocess.run(command + [url], stdout=subprocess.PIPE, encoding="utf-8", check=True, timeout=600)
    if not re.search(r"\n\s+99%\s+[\d.]+[mu]?s", done.stdout):
        raise n.Failed("%s: nothing was measured\n%s" % (url, done.stdout))
    found = {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)),
             "p50": milliseconds(re.search(r"\n\s+50%\s+(\S+)", done.stdout).group(1)),
             "p99": milliseconds(re.search(r"\n\s+99%\s+(\S+)", done.stdout).group(1)),
             "count": int(re.search(r"(\d+) requests in", done.stdout).group(1))}
    bad = re.search(r"Non-2xx.*?(\d+)", done.stdout)
    if bad:
        raise n.Failed("%s: %s answers that are none\n%s" % (url, bad.group(1), done.stdout))
    return found


def cpu(pids):
    """Seconds that these processes have used."""
    ticks = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            words = f.read().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def asked(pids, *arguments):
    before = cpu(pids)
    found = wrk(*arguments)
    found["cpu_us"] = (cpu(pids) - before) * 1e6 / max(found["count"], 1)
    return found


def median(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def show(name, found):
    print("  %-46s %8.0f/s   p50 %6.2f ms   p99 %7.2f ms   CPU %7.1f us" %
          (name, found["rate"], found["p50"], found["p99"], found["cpu_us"]), flush=True)


def compare(options, web, nginx, name, path):
    status, headers, body = web.ask(path)
    if status != 200:
        raise n.Failed("%s: %d" % (path, status))
    ours, theirs = [], []
    fixed = nginx.put(name + ".json", body)
    for _ in range(options.repeat):
        ours.append(asked([web.process.pid], web.url + path, options.seconds))
        theirs.append(asked(nginx.workers(), fixed, options.seconds))
    ratio = statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs))
    print(" %s, %d bytes" % (path, len(body)))
    show("splot-web", median(ours))
    show("nginx, static file", median(theirs))
    print("  %-46s %8.2f" % ("ratio", ratio), flush=True)


def while_commits_come(options, nation, web, name, path):
    node = next(iter(nation.nodes.values()))
    stop, done = threading.Event(), []

    def commit():
        while not stop.is_set():
            began = time.monotonic()
            node.ctl("put", "entity", "pl%s-kis-%s-%d" % (node.log_name, name, len(done)), "--new", "--reason", "x",
                     "--source", "x", "name=Klub", "region=" + node.log_name, "kind=KIS")
            done.append(1)
            stop.wait(max(0.0, 0.1 - (time.monotonic() - began)))
    thread = threading.Thread(target=commit)
    thread.start()
    found = asked([web.process.pid], web.url + path, options.seconds)
    stop.set()
    thread.join()
    show("%d commits meanwhile" % len(done), found)


def each_made(options, folder, web, name, question):
    script = os.path.join(folder, name + ".lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write('local i = 0\nrequest = function()\n  i = i + 1\n  return wrk.format("GET", string.format("%s", i))\nend\n' %
                question)
    print(" %s, each made" % question.replace("%d", "N"))
    show("splot-web", asked([web.process.pid], web.url + "/", options.seconds, script))


def memory(daemon):
    with open("/proc/%d/smaps_rollup" % daemon.process.pid, encoding="ascii") as f:
        return round(int(re.search(r"Anonymous:\s+(\d+)", f.read()).group(1)) / 1024, 1)


def measure(options, count):
    with n.Nation(os.path.join(options.build, "bin")) as nation, tempfile.TemporaryDirectory(prefix="splot-nginx-") as own:
        os.chmod(own, 0o755)
        server = nation.up(regions=n.REGIONS[:-1])
        fill(nation, count)
        began = time.monotonic()
        web = nation.add_web(server).start()
        print("== %d entities; splot-web answers %.2f s after its start" % (count, time.monotonic() - began), flush=True)
        nginx = Nginx(own)
        try:
            n.wait_for("nginx", lambda: os.path.exists(os.path.join(own, "pid")))
            page = "/api/v1/entities?region=26&kind=CIS&sort=name"
            compare(options, web, nginx, "summary", "/api/v1/summary")
            while_commits_come(options, nation, web, "summary", "/api/v1/summary")
            compare(options, web, nginx, "entities", page)
            while_commits_come(options, nation, web, "entities", page)
            each_made(options, own, web, "entities", page + "&place=Kielce&place=Brzeg&place=%d")
            each_made(options, own, web, "search", "/api/v1/entities?q=kielce+centrum&place=Kielce&place=%d")
            print(" anonymous memory of splot-web afterwards: %s MiB" % memory(web), flush=True)
        finally:
            nginx.stop()
        nation.down()


def main():
    p = argparse.ArgumentParser(prog="./dev bench web", description=__doc__)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--quick", action="store_true", help="short runs: a look, not a figure")
    p.add_argument("--repeat", type=int, default=9, help="rounds; the median is printed")
    options = p.parse_args()
    options.seconds = 2
    if options.quick:
        options.repeat = 1
    for count in [400, 4000] if options.quick else [400, 100000]:
        measure(options, count)
    print("load average at the end: %.1f" % os.getloadavg()[0])


if __name__ == "__main__":
    try:
        main()
    except n.Failed as failure:
        sys.exit("bench: %s" % failure)
