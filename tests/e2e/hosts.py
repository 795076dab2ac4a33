"""Pages of docs/, executed: machines as shells in namespaces of their own, each with its own folders at the places
that the pages name, and the blocks of a page that they run."""
import os
import re
import subprocess
import unittest

import story

HERE = os.path.dirname(os.path.abspath(__file__))
# A marker in front of a block says what is done with it.
BLOCK = re.compile(r"<!-- (run|log|event): ([\w -]+) -->\n(?:```\w*\n(.*?)```\n)?|<!-- (out) -->\n```\w*\n(.*?)```\n", re.S)
HEADING = re.compile(r"(?m)^(##+) (.*)$")


def run(*words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options)


def page(name):
    """[(heading, [(kind, who, text)])] in order; "out" is what the block before it prints."""
    with open(os.path.join(story.SOURCE, "docs", name), encoding="utf-8") as f:
        text = f.read()
    marks = [(m.start(), m[2]) for m in HEADING.finditer(re.sub(r"(?s)```.*?```", lambda m: " " * len(m[0]), text))]
    found = [(heading, []) for _, heading in marks]
    for block in BLOCK.finditer(text):
        place = sum(1 for at, _ in marks if at < block.start()) - 1
        found[place][1].append((block[4], "", block[5]) if block[4] else (block[1], block[2], block[3] or ""))
    return found


def missing(text, promised):
    """Lines that are promised and not there; … stands for anything."""
    gone = []
    for line in promised.splitlines():
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        if line.strip() not in ("", "…") and not re.search(re.sub(r"(\\ )+", r"\\s+", pattern), text):
            gone.append(line)
    return gone


def install(prefix):
    """The programs, pages and units, as `cmake --install` puts them there."""
    done = run("cmake", "--install", os.environ["SPLOT_BUILD"], "--prefix", prefix)
    assert done.returncode == 0, done.stdout
    units = os.path.join(prefix, "lib", "systemd", "system")
    for name in os.listdir(units):  # the build was made for another prefix
        with open(os.path.join(units, name), encoding="utf-8") as f:
            text = re.sub(r"(?m)^ExecStart=\S*/(splot\S*)", "ExecStart=%s/bin/\\1" % prefix, f.read())
        with open(os.path.join(units, name), "w", encoding="utf-8") as f:
            f.write(text)
    for tool in ("systemctl", "journalctl"):
        path = os.path.join(prefix, "bin", tool)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexec /usr/bin/python3 -B %s %s %s \"$@\"\n" % (os.path.join(HERE, "services.py"), units, tool))
        os.chmod(path, 0o755)


class Host:
    """A shell in a network and mount namespace, fed block by block."""
    MARK = "== end of block"

    def __init__(self, net, name, medium, folder, bin_folder):
        self.name, self.block = name, folder + ".block"
        # Whatever the page makes outside these folders lands in layers that vanish with the shell.
        setup = "set -e\nmount --make-rprivate /\n"
        for path in ("/etc", "/var"):
            layer = os.path.join(folder, path.strip("/").replace("/", "-"))
            os.makedirs(layer + "/up")
            os.makedirs(layer + "/work")
            setup += "mount -t overlay overlay -o lowerdir=%s,upperdir=%s/up,workdir=%s/work %s\n" % (path, layer, layer, path)
        setup += "mount -t tmpfs tmpfs /media\nmkdir /media/splot\nmount --bind %s /media/splot\n" % medium
        setup += "mount -t tmpfs tmpfs /run\n"
        self.shell = subprocess.Popen(["ip", "netns", "exec", net, "unshare", "-m", "bash"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.shell.stdin.write("export PATH=%s:$PATH\n" % bin_folder)
        self.run(setup)

    def run(self, block):
        """The block's output; fails when a command of it failed."""
        # From a file, so that no command of the block eats the shell's own input.
        with open(self.block, "w", encoding="utf-8") as f:
            f.write(block)
        self.shell.stdin.write("(set -e; . %s) </dev/null; s=$?; echo; echo '%s' $s\n" % (self.block, self.MARK))
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.startswith(self.MARK):
                if line.split()[-1] == "0":
                    return "".join(lines)
                break
            lines.append(line)
        raise AssertionError("%s: a command failed:\n%s\n%s" % (self.name, block, "".join(lines)))

    def path(self, path):
        """A path of this host, as it is seen from outside."""
        return "/proc/%d/root%s" % (self.shell.pid, path)

    def close(self):
        self.shell.stdin.close()
        self.shell.wait()
        self.shell.stdout.close()


def network(name, cleanup):
    """A network namespace of our own; skipped where there are none."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("network namespaces need root")
    done = run("ip", "netns", "add", name)
    if done.returncode != 0:
        raise unittest.SkipTest("this machine does not let us make network namespaces: " + done.stdout)
    cleanup(run, "ip", "netns", "del", name)
    cleanup(run, "bash", "-c", "ip netns pids %s | xargs -r kill -9" % name)
    return name
