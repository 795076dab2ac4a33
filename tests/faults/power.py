"""The fall of the current, played on what a killed program left: what it had not synced may be on
the disk, in part or not at all, in any order.  powerloss.c keeps the notes that this undoes."""
import collections
import os
import shutil
import struct
import uuid

SECTOR = 512  # what a disk writes whole
HEAD = struct.Struct("=QQQQ")
SYNCED = (1 << 64) - 1
SHIM = os.path.join(os.environ["SPLOT_BUILD"], "tests", "libpowerloss.so")

Write = collections.namedtuple("Write", "at covered size before")


class Disk:
    """The disk below `folder`, as the programs with `environment` use it."""

    def __init__(self, folder, linger_us=0, lie=False):
        self.folder = os.path.realpath(folder)
        self.journal = self.folder + ".power"
        self.boot = self.folder + ".boot"
        self.rules = self.folder + ".rules"
        os.makedirs(self.journal)
        self.environment = {
            "LD_PRELOAD": SHIM, "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", ""),
            "SPLOT_POWER_DISK": self.folder, "SPLOT_POWER_JOURNAL": self.journal, "SPLOT_POWER_BOOT": self.boot,
            "SPLOT_POWER_RULES": self.rules, "SPLOT_POWER_LINGER_US": str(linger_us)}
        if lie:
            self.environment["SPLOT_POWER_LIE"] = "1"
        self.new_boot()

    def new_boot(self):
        with open(self.boot, "w", encoding="utf-8") as f:
            f.write(str(uuid.uuid4()) + "\n")

    # ---- calls that fail ----

    def rule(self, *lines):
        """See powerloss.c; none: nothing fails any more."""
        with open(self.rules + ".new", "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in lines))
        os.rename(self.rules + ".new", self.rules)

    def failed(self):
        """What was made to fail, one word and path each."""
        try:
            with open(self.rules + ".done", encoding="utf-8") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    # ---- the fall ----

    def fall(self, random):
        """After every program of this disk was killed.  Returns how many writes and names there
        were to lose, and how many were lost, wholly or in part."""
        kept_share = random.choice([0.0, 0.0, 0.3, 0.7, 0.95, 1.0])
        torn_share = random.choice([0.0, 0.3, 1.0])
        paths = {}
        for root in (self.journal, self.folder):
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    paths[os.lstat(path).st_ino] = path
        there = lost = 0
        for name in sorted(os.listdir(self.journal)):
            path = paths.get(int(name[2:])) if name.startswith("w-") else None
            if path and os.path.basename(path) != "lock.mdb":
                some, gone = undo_writes(path, *read_notes(os.path.join(self.journal, name)),
                                         random, kept_share, torn_share)
                there, lost = there + some, lost + gone
        some, gone = self.undo_names(random)
        self.spoil_locks(random)
        shutil.rmtree(self.journal)
        os.makedirs(self.journal)
        self.new_boot()
        return there + some, lost + gone

    def spoil_locks(self, random):
        """LMDB's lock file is written through a map and never synced: anything may be left."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                fate = random.randrange(3)
                if name == "lock.mdb" and fate > 0:
                    path = os.path.join(folder, name)
                    size = os.path.getsize(path)
                    with open(path, "r+b") as f:
                        f.truncate(0)
                        if fate == 2:
                            f.truncate(size)

    def undo_names(self, random):
        """Of each folder's changes the first few are on the disk, then none."""
        pending = collections.OrderedDict()  # folder -> [(offset, fields)]
        offset = 0
        try:
            with open(os.path.join(self.journal, "names"), "rb") as f:
                lines = f.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return 0, 0
        for line in lines:
            fields = line.decode().split("\t")
            if fields[0] == "D":
                pending[fields[1]] = [op for op in pending.get(fields[1], []) if op[0] >= int(fields[2])]
            else:
                pending.setdefault(fields[1], []).append((offset, fields))
            offset += len(line) + 1
        undone = []
        for ops in pending.values():
            undone += ops[random.randrange(len(ops) + 1):]
        for _, fields in sorted(undone, reverse=True):
            self.undo_name(*fields)
        return sum(map(len, pending.values())), len(undone)

    def undo_name(self, what, folder, name, *more):
        path = os.path.join(folder, name)
        if what == "C" and os.path.lexists(path):
            os.unlink(path)
        elif what == "M":
            shutil.rmtree(path, ignore_errors=True)
        elif what == "U" and not os.path.lexists(path) and os.path.isdir(folder):
            os.link(os.path.join(self.journal, more[0]), path)
        elif what == "R":
            target = os.path.join(folder, more[0])
            if os.path.lexists(target) and os.lstat(target).st_ino == int(more[2]):
                if os.path.isdir(os.path.dirname(path)):
                    os.rename(target, path)
                else:  # the folder that it came from was removed since
                    os.unlink(target)
                if more[1] != "-":
                    os.link(os.path.join(self.journal, more[1]), target)


def read_notes(path):
    """The writes noted, and which of them are synced all the same."""
    with open(path, "rb") as f:
        raw = f.read()
    writes, starts, synced, at = [], [], set(), 0
    while at + HEAD.size <= len(raw):
        a, b, c, d = HEAD.unpack_from(raw, at)
        if a == SYNCED:
            synced.update(i for i, start in enumerate(starts) if b <= start < c)
        elif at + HEAD.size + d > len(raw):
            break  # killed while it was noted: what it tells of was not done
        else:
            writes.append(Write(a, b, c, raw[at + HEAD.size:at + HEAD.size + d]))
            starts.append(at)
        at += HEAD.size + (0 if a == SYNCED else d)
    return writes, synced


def sectors(write):
    return range(write.at // SECTOR, (write.at + write.covered + SECTOR - 1) // SECTOR)


def undo_writes(path, writes, synced, random, kept_share, torn_share):
    """Each sector becomes what it was after some one of the writes to it, or before them all; not
    before the last that was synced."""
    reached, lost = {}, 0  # sector -> number of the newest write that the disk got
    for number, write in enumerate(writes):
        kept = number in synced or random.random() < kept_share
        torn = not kept and random.random() < torn_share
        lost += not kept
        for s in sectors(write):
            if kept or (torn and random.random() < 0.5):
                reached[s] = number
    sizes = [write.size for write in writes[1:]] + [os.path.getsize(path)]
    least = max(synced, default=-1)
    last = random.choice([len(writes) - 1, random.randrange(least, len(writes))]) if writes else -1
    with open(path, "r+b") as f:
        for number in range(len(writes) - 1, -1, -1):
            write = writes[number]
            before = write.before + bytes(write.covered - len(write.before))
            for s in sectors(write):
                if reached.get(s, -1) < number:
                    start = max(s * SECTOR, write.at)
                    end = min((s + 1) * SECTOR, write.at + write.covered)
                    f.seek(start)
                    f.write(before[start - write.at:end - write.at])
        if writes:
            f.truncate(sizes[last] if last >= 0 else writes[0].size)
    return len(writes), lost
