# tls_gnutls - ClientHellos that are malformed, and the alert that answers them
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""RFC 8446 section 6.2, RFC 5246 section 7.2.2: decode_error where parsing fails, illegal_parameter for values."""

import socket
import struct

from . import hostile
from .tls import TIMEOUT_S

ILLEGAL_PARAMETER, DECODE_ERROR = 47, 50


def _extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


SERVER_NAME, GROUPS, SIGNATURES, PROTOCOLS, VERSIONS, SHARES, RENEGOTIATION = 0, 10, 13, 16, 43, 51, 0xff01
BODIES = {
    "TLS 1.2": {
        SERVER_NAME: hostile.server_name(b"localhost")[4:],
        GROUPS: bytes.fromhex("0004 0017 001d"),
        SIGNATURES: bytes.fromhex("0008 0403 0804 0401 0503"),
        RENEGOTIATION: b"\0",
    },
}
BODIES["TLS 1.3"] = {**BODIES["TLS 1.2"], VERSIONS: b"\2\3\4",
                     SHARES: struct.pack(">HHH", 36, 29, 32) + bytes(range(1, 33))}
HEAD = 4                                    # of a handshake message
FIXED = 2 + 32 + 1 + 2 + 6 + 2              # of a ClientHello without extensions


def hello(version, bodies=None, **parts):
    """A ClientHello; `bodies` replaces, or adds, extensions."""
    extensions = b"".join(_extension(kind, body) for kind, body in {**BODIES[version], **(bodies or {})}.items())
    return hostile.client_hello(extensions=extensions, **parts)


def _resized(message, size):
    """The message cut to, or filled up to, a body of `size` bytes, with the length in its header right."""
    body = message[HEAD:HEAD + size]
    return hostile.message(message[0], body + bytes(size - len(body)))


def records(message):
    return b"".join(hostile.record(hostile.HANDSHAKE, message[at:at + 16384], version=hostile.TLS10)
                    for at in range(0, len(message), 16384))


def alert(kam, data):
    """Send records; returns the fatal alert that is the answer, None: the connection ends without one."""
    with socket.create_connection(kam.address(), TIMEOUT_S) as sock:
        received = b""
        try:
            sock.sendall(data)
        except OSError:
            pass
        try:
            while more := sock.recv(65536):
                received += more
        except (ConnectionResetError, BrokenPipeError):
            pass
    if not received:
        return None
    assert len(received) == 7 and received[0] == hostile.ALERT and received[5] == hostile.FATAL, received
    return received[6]


def malformed(version):
    """What cannot be parsed: name -> message."""
    whole = hello(version)
    size = len(whole) - HEAD
    cases = {f"{cut} bytes cut off": _resized(whole, size - cut)
             for cut in range(1, size + 1) if size - cut != FIXED}
    cases.update({f"{more} bytes too many": _resized(whole, size + more) for more in (1, 2, 3, 256, 4096, 65536)})
    cases.update({
        "odd length of suites": hello(version, suites=b"\x13\x01\xc0\x2b\xc0"),
        "session id too long": hello(version, session_id=bytes(33)),
        "no compression": hello(version, compressions=b""),
    })
    cases.update({name: hello(version, {kind: body}) for name, (kind, body) in {
        "empty extension server_name": (SERVER_NAME, b""),
        "empty server name": (SERVER_NAME, hostile.server_name(b"")[4:]),
        "list of names too long": (SERVER_NAME, b"\0\x0a\0\0\1x"),
        "groups of an odd length": (GROUPS, b"\0\3\0\x17\0"),
        "list of groups too short": (GROUPS, b"\0\2\0\x17\0\x1d"),
        "signature algorithms of an odd length": (SIGNATURES, b"\0\3\4\3\4"),
        "versions of an odd length": (VERSIONS, b"\3\3\4\3"),
        "empty versions": (VERSIONS, b""),
        "no groups": (GROUPS, b"\0\0"),
        "no signature algorithms": (SIGNATURES, b"\0\0"),
        "no versions": (VERSIONS, b"\0"),
        "no protocols": (PROTOCOLS, b"\0\0"),
        "a protocol without a name": (PROTOCOLS, b"\0\5\3sip\0"),
        "a protocol longer than the list": (PROTOCOLS, b"\0\4\4sip"),
    }.items()})
    return cases


UNRECOGNIZED_NAME = 112

# what can be parsed: name -> one extension, the alert
NOT_ALLOWED = {
    "server name with a newline": (SERVER_NAME, hostile.server_name(b"a\nb")[4:], UNRECOGNIZED_NAME),
    "server name of 256 bytes": (SERVER_NAME, hostile.server_name(b"a" * 256)[4:], ILLEGAL_PARAMETER),
    "two server names": (SERVER_NAME, b"\0\x08\0\0\1x\0\0\1y", ILLEGAL_PARAMETER),
}
