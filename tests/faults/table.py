"""The table of docs/RELIABILITY.md, from what the fault tests recorded.

    table.py [--write docs/RELIABILITY.md] RECORDS…

RECORDS are files of JSON lines (SPLOT_RELIABILITY, splot-sim --record): fault, rounds, stake, lost,
seconds (or median and longest), ran_s, at; or fault, skipped (why), at.  Without --write the table is
printed."""
import argparse
import datetime
import json
import statistics
import sys

BEGIN = "<!-- table: made by ./dev soak -->"
END = "<!-- end of the table -->"
HEAD = ["fault", "rounds survived", "confirmed events at stake", "lost", "time to converge, median", "longest", "ran"]


def read(paths):
    lines = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            lines += [known(json.loads(line)) for line in f if line.strip()]
    return lines


def known(line):
    """The simulation plays many rounds a line, and says of them the median and the longest."""
    line.setdefault("ran_s", 0)
    if "skipped" in line:
        line["lost"] = 0
    line.setdefault("seconds", [line[name] for name in ("median", "longest") if name in line])
    line["median"] = [line["median"]] if "median" in line else line["seconds"]
    if isinstance(line["at"], int):
        line["at"] = datetime.datetime.fromtimestamp(line["at"], datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return line


def seconds_text(seconds):
    if seconds is None:
        return "–"
    return "%.2f s" % seconds if seconds < 9.95 else "%.0f s" % seconds


def ran_text(seconds):
    minutes, rest = divmod(round(seconds), 60)
    return "%d min %02d s" % (minutes, rest) if minutes else "%d s" % rest


def rows(lines):
    """One row a fault, in the order in which they came first; one for what was skipped, and why."""
    faults = {}
    for line in lines:
        faults.setdefault((line["fault"], line.get("skipped")), []).append(line)
    for (fault, skipped), runs in faults.items():
        if skipped is not None:
            yield [fault, "skipped: %s" % skipped.replace("|", "/")] + ["–"] * (len(HEAD) - 2)
            continue
        times = [s for run in runs for s in run["seconds"]]
        middle = [s for run in runs for s in run["median"]]
        median = statistics.median(middle) if middle else None
        yield [fault, "{:,}".format(sum(run["rounds"] for run in runs)),
               "{:,}".format(sum(run["stake"] for run in runs)), str(sum(run["lost"] for run in runs)),
               seconds_text(median), seconds_text(max(times, default=None)), ran_text(sum(run["ran_s"] for run in runs))]


def table(lines):
    days = sorted(line["at"][:10] for line in lines)
    out = ["| %s |" % " | ".join(HEAD), "|%s|" % "|".join([" --- "] + [" ---: "] * (len(HEAD) - 1))]
    out += ["| %s |" % " | ".join(row) for row in rows(lines)]
    when = days[0] if days[0] == days[-1] else "%s to %s" % (days[0], days[-1])
    kind = " Under the sanitizers." if all(line.get("sanitized", "skipped" in line) for line in lines) else ""
    return "\n".join(out + ["", "Made %s; %s of faults in all.%s" % (
        when, ran_text(sum(line["ran_s"] for line in lines)), kind)])


def write(path, text):
    with open(path, encoding="utf-8") as f:
        before, rest = f.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as f:
        f.write("%s%s\n%s\n%s%s" % (before, BEGIN, text, END, after))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--write", metavar="FILE", help="put it between the markers of this file")
    arguments.add_argument("records", nargs="+", metavar="RECORDS")
    options = arguments.parse_args()
    lines = read(options.records)
    if not lines:
        sys.exit("table.py: nothing was recorded")
    if options.write:
        write(options.write, table(lines))
    else:
        print(table(lines))


if __name__ == "__main__":
    main()
