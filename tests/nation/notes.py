"""Signed notes and cosignatures as their public formats say (C2SP signed-note, tlog-checkpoint,
tlog-cosignature), over PyNaCl: none of this project's code."""
import base64
import hashlib
import struct

import nacl.exceptions
import nacl.signing

ED25519, COSIGNATURE = 1, 4


class Key:
    """A verifier key: NAME+HASH+BASE64."""

    def __init__(self, text):
        self.text = text.strip()
        self.name, self.hash, rest = self.text.split("+", 2)
        raw = base64.b64decode(rest)
        self.type, self.public = raw[0], raw[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if self.id.hex() != self.hash:
            raise ValueError("a key whose hash does not fit: " + text)


def card_key(path, word="log-key"):
    """A key line of an enrolment or a server card."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith(word + " "):
                return Key(line.split(None, 1)[1])
    raise ValueError("no %s in %s" % (word, path))


class Note:
    def __init__(self, raw):
        text, lines = raw.rsplit(b"\n\n", 1)
        self.raw, self.text = raw, text + b"\n"
        self.signatures = []  # (name, key id, body)
        for line in lines.decode().splitlines():
            dash, name, body = line.split(" ")
            body = base64.b64decode(body)
            if dash != "\u2014":
                raise ValueError("no signature line: " + line)
            self.signatures.append((name, body[:4], body[4:]))
        origin, size, root = self.text.decode().splitlines()
        self.origin, self.size, self.root = origin, int(size), base64.b64decode(root)

    def signed_by(self, key):
        """Whether it carries a good line by the key; a bad one is an error."""
        good = False
        for name, key_id, body in self.signatures:
            if name != key.name or key_id != key.id:
                continue
            message = self.text
            if key.type == COSIGNATURE:
                at, body = struct.unpack(">Q", body[:8])[0], body[8:]
                message = b"cosignature/v1\ntime %d\n" % at + self.text
            try:
                nacl.signing.VerifyKey(key.public).verify(message, body)
            except nacl.exceptions.BadSignatureError:
                raise AssertionError("a bad signature by " + name)
            good = True
        return good


def cosign(text, name, signing, at):
    """A witness's line on a note's text."""
    public = bytes(signing.verify_key)
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([COSIGNATURE]) + public).digest()[:4]
    body = struct.pack(">Q", at) + signing.sign(b"cosignature/v1\ntime %d\n" % at + text).signature
    return b"\xe2\x80\x94 " + name.encode() + b" " + base64.b64encode(key_id + body) + b"\n"


def secret(path, word):
    """A secret line of a key file."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith(word + " "):
                return base64.b64decode(line.split()[1])
    raise ValueError("no %s in %s" % (word, path))
