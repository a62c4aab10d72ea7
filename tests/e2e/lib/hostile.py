# tls_gnutls - bytes that no honest client sends
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""First bytes of a connection that are not TLS, or are malformed TLS; all constant or seeded."""

import random
import struct

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
TLS10, TLS12 = 0x0301, 0x0303
CLIENT_HELLO = 1
WARNING, FATAL = 1, 2
SEED = 20260101

# every alert description of RFC 8446 and of the versions before it, and three undefined ones
ALERTS = (0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80,
          86, 90, 100, 109, 110, 111, 112, 113, 114, 115, 116, 120, 1, 200, 255)


def record(content, payload, version=TLS12, length=None):
    """One record; `length` overrides the length of the payload."""
    return struct.pack(">BHH", content, version,
                       len(payload) if length is None else length) + payload


def message(kind, payload, length=None):
    """One handshake message; `length` as in record()."""
    size = len(payload) if length is None else length
    return bytes([kind]) + size.to_bytes(3, "big") + payload


def alert(level, description):
    return record(ALERT, bytes([level, description]))


def noise(seed, size):
    return random.Random(SEED + seed).randbytes(size)


def client_hello(suites=b"\xc0\x2b\xc0\x2f\x13\x01", version=TLS12, extensions=b"",
                 session_id=b"", compressions=b"\0"):
    """A ClientHello message (no record around it) with exactly these parts."""
    body = (struct.pack(">H", version) + bytes(range(32))
            + bytes([len(session_id)]) + session_id
            + struct.pack(">H", len(suites)) + suites
            + bytes([len(compressions)]) + compressions)
    if extensions is not None:
        body += struct.pack(">H", len(extensions)) + extensions
    return message(CLIENT_HELLO, body)


def server_name(name):
    """The extension server_name."""
    entry = b"\0" + struct.pack(">H", len(name)) + name
    return struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry


_SSLV2_HELLO = (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"
                b"\x07\x00\xc0\x05\x00\x80\x03\x00\x80\x01\x00\x80\x06\x00\x40\x04\x00\x80\x02\x00\x80"
                + bytes(range(16)))

# Input that is already wrong: the server closes without waiting for more.
WRONG = {
    "plain SIP": b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx"
                 b"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n"
                 b"Content-Length: 0\r\n\r\n",
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "SSLv2 hello": _SSLV2_HELLO,
    "newlines": b"\r\n\r\n" * 8,
    "zero bytes": bytes(64),
    "record longer than allowed": record(HANDSHAKE, noise(1, 20000), length=0x4900)[:18000],
    "record of 64 KB": record(HANDSHAKE, noise(2, 1000), length=0xFFFF),
    "unknown record type": record(99, b"hello"),
    "heartbeat": record(HEARTBEAT, b"\x01\x40\x00"),
    "application data first": record(APPLICATION_DATA, noise(3, 100)),
    "change cipher spec of two bytes first": record(CHANGE_CIPHER_SPEC, b"\x01\x01"),
    "fatal alert first": alert(FATAL, 40),
    "alert of one byte": record(ALERT, b"\x02"),
    "finished first": record(HANDSHAKE, message(20, bytes(12))),
    "server hello first": record(HANDSHAKE, message(2, noise(4, 70))),
    "unknown handshake message": record(HANDSHAKE, message(77, noise(5, 30))),
    "no common cipher suite": record(HANDSHAKE, client_hello(suites=b"\x00\x00\x00\x01")),
    "no cipher suite at all": record(HANDSHAKE, client_hello(suites=b"")),
    "odd length of suites": record(HANDSHAKE, client_hello(suites=b"\xc0\x2b\xc0")),
    "old version only": record(HANDSHAKE, client_hello(version=0x0300)),
    "extensions cut off": record(HANDSHAKE, client_hello(extensions=b"\x00\x0a\x00\xff\x01")),
    "session id too long": record(HANDSHAKE, client_hello(session_id=bytes(33))),
    "server name with a newline": record(HANDSHAKE, client_hello(
        extensions=server_name(b"a\n 0(1) WARNING: tls [x.c:1]: forged(): line"))),
    "no compression": record(HANDSHAKE, client_hello(compressions=b"")),
    "empty client hello": record(HANDSHAKE, message(CLIENT_HELLO, b"")),
}

# Input that may be the start of something valid: the server waits for the rest, or a deadline.
UNFINISHED = {
    "nothing": b"",
    "one byte": b"\x16",
    "half a record head": b"\x16\x03\x01",
    "record head only": record(HANDSHAKE, b"", length=200),
    "half a client hello": record(HANDSHAKE, client_hello(), version=TLS10)[:40],
    "handshake message of 16 MB": record(HANDSHAKE, message(CLIENT_HELLO, noise(6, 500),
                                                            length=0xFFFFFF)),
    "empty handshake records": record(HANDSHAKE, b"") * 20,
    "warning alerts": alert(WARNING, 90) * 3,
}

RANDOM = {f"noise {seed}": noise(seed, size)
          for seed, size in enumerate((1, 5, 64, 300, 2000, 20000), start=10)}
