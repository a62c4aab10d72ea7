# tls_gnutls - a small WebSocket client (RFC 6455) for SIP (RFC 7118) in the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import base64
import hashlib
import os
import struct

from . import sip
from .tls import TIMEOUT_S, TlsClient

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"      # RFC 6455, section 1.3


class Refused(Exception):
    """The server did not switch protocols; the text is its status line."""


def frame(opcode, payload=b"", final=True):
    """One masked frame, as a client sends it."""
    head = bytes([(0x80 if final else 0) | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", size)
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
    return head + mask + masked


class WsClient:
    """A WebSocket over TLS whose opening handshake is done."""

    def __init__(self, address, context, path="/", protocol="sip"):
        self.tls = TlsClient(address, context)
        self.local = self.tls.local
        self.address = address
        self._data = b""
        try:
            self._open(path, protocol)
        except BaseException:
            self.tls.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def _open(self, path, protocol):
        key = base64.b64encode(os.urandom(16))
        self.tls.send(b"\r\n".join([
            b"GET %s HTTP/1.1" % path.encode(), b"Host: localhost", b"Upgrade: websocket",
            b"Connection: Upgrade", b"Sec-WebSocket-Key: " + key,
            b"Sec-WebSocket-Protocol: " + protocol.encode(), b"Sec-WebSocket-Version: 13",
            b"Origin: https://localhost", b"", b""]))
        self.tls.sock.settimeout(TIMEOUT_S)
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        answer = sip.Message(head)
        if " 101 " not in answer.first_line + " ":
            raise Refused(answer.first_line)
        accept = base64.b64encode(hashlib.sha1(key + _KEY_SUFFIX).digest()).decode()
        assert answer["Sec-WebSocket-Accept"] == accept, answer.headers

    def _more(self):
        data = self.tls.sock.recv(65536)
        if not data:
            raise EOFError("the peer closed the connection")
        self._data += data

    def _take(self, size):
        while len(self._data) < size:
            self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def send(self, opcode, payload=b""):
        self.tls.send(frame(opcode, payload))

    def receive_frame(self):
        """(opcode, payload) of the next frame; raises EOFError."""
        first, second = self._take(2)
        size = second & 0x7F
        assert not second & 0x80, "a server must not mask"
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
        return first & 0x0F, self._take(size)

    def receive(self, opcode):
        """Payload of the next frame, which must have that opcode."""
        got, payload = self.receive_frame()
        assert got == opcode, f"opcode {got}, {payload!r}"
        return payload

    def ask(self, request=None):
        """Send one SIP request in a text frame; returns the reply."""
        self.send(TEXT, request or sip.options(
            self.address[1], via="WSS", sent_by="client.invalid"))
        return sip.parse(self.receive(TEXT))
