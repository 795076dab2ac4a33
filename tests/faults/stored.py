"""Where the rows of an LMDB file stand: damage is to hit what a program reads, and half of such a file is pages
that were freed."""
import collections
import struct

PAGE_HEADER, NODE_HEADER, DB = 16, 8, 48
BRANCH, OVERFLOW_VALUE, TABLE = 0x01, 0x01, 0x02
META_AT = PAGE_HEADER + 24  # of its two descriptions of trees: the free pages, the tables
ROOT_AT = DB - 8
NONE = (1 << 64) - 1

# `at`: of the value in the file.
Row = collections.namedtuple("Row", "table key at size")


def metas(raw):
    """[(transaction, size of a page, root)] of both meta pages."""
    size, = struct.unpack_from("<I", raw, META_AT)
    found = []
    for at in (0, size):
        root, _, transaction = struct.unpack_from("<QQQ", raw, at + META_AT + DB + ROOT_AT)
        found.append((transaction, size, root))
    return found


def nodes(raw, page_at):
    """[(place, low word, flags, size of the key)] of a page, and whether it is a branch."""
    flags, lower = struct.unpack_from("<HH", raw, page_at + 10)
    found = []
    for i in range((lower - PAGE_HEADER) // 2):
        at = page_at + struct.unpack_from("<H", raw, page_at + PAGE_HEADER + 2 * i)[0]
        low, high, node_flags, key_size = struct.unpack_from("<HHHH", raw, at)
        found.append((at, low | high << 16, node_flags, key_size))
    return found, bool(flags & BRANCH)


def tree(raw, size, root):
    """(key, flags, place of the value, its size) of every row below a root."""
    pages = [root] if root != NONE else []
    while pages:
        found, branch = nodes(raw, pages.pop() * size)
        for at, low, flags, key_size in found:
            value_at = at + NODE_HEADER + key_size
            if branch:
                pages.append(low | flags << 32)
            elif flags & OVERFLOW_VALUE:
                page, = struct.unpack_from("<Q", raw, value_at)
                yield raw[at + NODE_HEADER:value_at], 0, page * size + PAGE_HEADER, low
            else:
                yield raw[at + NODE_HEADER:value_at], flags, value_at, low


def rows(path):
    """Every row that stands in the file, of the newest transaction."""
    with open(path, "rb") as f:
        raw = f.read()
    _, size, root = max(metas(raw))
    found = []
    for name, flags, at, _ in tree(raw, size, root):
        if flags & TABLE:
            below, = struct.unpack_from("<Q", raw, at + ROOT_AT)
            found += [Row(name.decode(), key, value_at, value_size)
                      for key, _, value_at, value_size in tree(raw, size, below)]
    return found
