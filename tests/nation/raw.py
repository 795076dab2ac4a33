"""A connection of ZMTP 3 with CURVE (RFC 23, 26) by hand, for what no library would send: half a
handshake, a message that never ends, bytes that are none."""
import os
import socket
import struct
import time

from nacl import bindings as b

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32)


class Closed(Exception):
    """The other side ended the connection."""


def frame(body, flags=0):
    if len(body) > 255:
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


class Raw:
    def __init__(self, address, server_key, secret, source=None, kind=b"DEALER", receive_bytes=None):
        host, port = address[len("tcp://"):].rsplit(":", 1)
        self.server_key, self.secret, self.kind = server_key, secret, kind
        self.public = b.crypto_scalarmult_base(secret)
        self.number, self.key = 0, None
        self.socket = socket.socket()
        self.socket.settimeout(5)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((host, int(port)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def write(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError as gone:
            raise Closed from gone

    def read(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionError as gone:
                raise Closed from gone
            if not more:
                raise Closed
            data += more
        return data

    def closed(self, seconds):
        """Whether the other side ends the connection within that time; what it says is dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self.socket.recv(65536):
                    return True
            except socket.timeout:
                return False
            except OSError:
                return True
        return False

    def next_number(self):
        self.number += 1
        return struct.pack(">Q", self.number)

    def command(self, body):
        self.write(frame(body, 4))

    def read_command(self):
        head = self.read(2)
        return self.read(head[1] if head[0] == 4 else struct.unpack(">Q", head[1:] + self.read(7))[0])

    def greet(self):
        self.write(GREETING)
        self.read(len(GREETING))
        return self

    def open(self):
        """The whole handshake; Closed or a timeout when the server does not want it."""
        self.greet()
        short_public, short_secret = b.crypto_box_keypair()
        number = self.next_number()
        self.command(b"\5HELLO\1\0" + bytes(72) + short_public + number + b.crypto_box(
            bytes(64), b"CurveZMQHELLO---" + number, self.server_key, short_secret))
        body = self.read_command()
        opened = b.crypto_box_open(body[24:], b"WELCOME-" + body[8:24], self.server_key, short_secret)
        server_short, cookie = opened[:32], opened[32:]
        salt, number = os.urandom(16), self.next_number()
        vouch = b.crypto_box(short_public + self.server_key, b"VOUCH---" + salt, server_short, self.secret)
        metadata = b"\x0bSocket-Type" + struct.pack(">I", len(self.kind)) + self.kind
        self.command(b"\x08INITIATE" + cookie + number + b.crypto_box(
            self.public + salt + vouch + metadata, b"CurveZMQINITIATE" + number, server_short, short_secret))
        if not self.read_command().startswith(b"\5READY"):
            raise Closed
        self.key = b.crypto_box_beforenm(server_short, short_secret)
        return self

    def send(self, payload, more=False):
        number = self.next_number()
        self.write(frame(b"\7MESSAGE" + number + b.crypto_box_afternm(
            (b"\1" if more else b"\0") + payload, b"CurveZMQMESSAGEC" + number, self.key)))

    def receive(self):
        """The next frame's payload."""
        head = self.read(2)
        body = self.read(struct.unpack(">Q", head[1:] + self.read(7))[0] if head[0] & 2 else head[1])
        return b.crypto_box_open_afternm(body[16:], b"CurveZMQMESSAGES" + body[8:16], self.key)[1:]
