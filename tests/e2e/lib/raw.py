# tls_gnutls - peers that put any record on the wire after a good handshake, encrypted as it must be
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""The handshake is Python's; the keys come from its key log (RFC 8446 section 7, RFC 5246 section 6.3)."""

import hashlib
import hmac
import os
import socket
import ssl
import struct
import tempfile
import threading

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import hostile
from .ports import listener
from .tls import TIMEOUT_S, BioClient, client_context, server_context

SERVER_HELLO, CERTIFICATE, KEY_UPDATE = 2, 11, 24
ENDLESS = 0xFFFFFF          # length that a message announces
PIECE = 16000               # bytes of it in one record
REPLY_BYTES = 100           # a SIP reply is longer, an alert is shorter


def _expand(secret, label, size, digest):
    """HKDF-Expand-Label of one block without context."""
    name = b"tls13 " + label
    info = struct.pack(">H", size) + bytes([len(name)]) + name + b"\0"
    return hmac.new(secret, info + b"\1", digest).digest()[:size]


def _prf(secret, label, seed, size, digest):
    out, a = b"", label + seed
    while len(out) < size:
        a = hmac.new(secret, a, digest).digest()
        out += hmac.new(secret, a + label + seed, digest).digest()
    return out[:size]


class Sealer:
    """Encrypts what one side sends, from its first record after the handshake on.

    With a label, from the first record under that TLS 1.3 secret of the key log on.
    """

    def __init__(self, tls, keys, server_random, is_server, label=None):
        name, version, bits = tls.cipher()
        assert "GCM" in name, name
        digest = hashlib.sha384 if name.endswith("SHA384") else hashlib.sha256
        size = bits // 8
        self._is_13 = version == "TLSv1.3"
        if self._is_13:
            _, self._secret = keys[label or ("SERVER_TRAFFIC_SECRET_0" if is_server else "CLIENT_TRAFFIC_SECRET_0")]
            self._digest, self._size = digest, size
            self._use_secret()
            return
        client_random, master = keys["CLIENT_RANDOM"]
        block = _prf(master, b"key expansion", server_random + client_random, 2 * size + 8, digest)
        self._key = AESGCM(block[size:2 * size] if is_server else block[:size])
        self._iv = block[2 * size + 4:] if is_server else block[2 * size:2 * size + 4]
        self._number = 1                    # Finished was 0

    def _use_secret(self):
        self._key = AESGCM(_expand(self._secret, b"key", self._size, self._digest))
        self._iv = _expand(self._secret, b"iv", 12, self._digest)
        self._number = 0

    def key_update(self):
        """One record with a KeyUpdate that asks for none; what follows has new keys (TLS 1.3)."""
        record = self.record(hostile.HANDSHAKE, hostile.message(KEY_UPDATE, b"\0"))
        self._secret = _expand(self._secret, b"traffic upd", len(self._secret), self._digest)
        self._use_secret()
        return record

    def record(self, content, payload):
        """One record."""
        number = struct.pack(">Q", self._number)
        self._number += 1
        if self._is_13:
            nonce = bytes(a ^ b for a, b in zip(self._iv, b"\0\0\0\0" + number))
            head = struct.pack(">BHH", 23, 0x0303, len(payload) + 17)
            return head + self._key.encrypt(nonce, payload + bytes([content]), head)
        head = struct.pack(">BHH", content, 0x0303, len(payload))
        sealed = self._key.encrypt(self._iv + number, payload, number + head)
        return hostile.record(content, number + sealed)


def _keys(path):
    with open(path, encoding="ascii") as lines:
        return {label: (bytes.fromhex(random), bytes.fromhex(secret))
                for label, random, secret in (line.split() for line in lines if line[0] != "#")}


class Peer:
    """Pushes pieces into an open connection.  push() gives False once the other side has closed it."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(TIMEOUT_S)

    def close(self):
        self.sock.close()

    def is_open(self):
        """Looks without waiting; what came is thrown away."""
        self.sock.setblocking(False)
        try:
            while self.sock.recv(65536):
                pass
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.sock.settimeout(TIMEOUT_S)

    def send(self, data):
        try:
            self.sock.sendall(data)
            return self.is_open()
        except OSError:
            return False


class HelloPeer(Peer):
    """A ClientHello of 16 MB, with split in records that do not tell its length at once."""

    def __init__(self, address, split=True):
        super().__init__(socket.create_connection(address, TIMEOUT_S))
        self._head = b"\1\xff\xff\xff"
        self._split = split

    def push(self):
        first = b""
        if self._head and self._split:
            first = hostile.record(hostile.HANDSHAKE, self._head[:2], version=hostile.TLS10)
            self._head = self._head[2:]
        payload = self._head + bytes(PIECE - len(self._head))
        self._head = b""
        return self.send(first + hostile.record(hostile.HANDSHAKE, payload, version=hostile.TLS10))


class _Sealed(Peer):
    """What comes after a handshake: an endless message, or records without data."""

    def __init__(self, sock, sealer, kind):
        super().__init__(sock)
        self._sealer = sealer
        self._kind = kind
        self._begun = False

    def push(self):
        head = b"" if self._begun else hostile.message(self._kind, b"", ENDLESS)
        self._begun = True
        return self.send(self._sealer.record(hostile.HANDSHAKE, head + bytes(PIECE - len(head))))

    def push_empty(self):
        return self.send(self._sealer.record(hostile.APPLICATION_DATA, b""))

    def sealed(self, content, payload):
        """The next record, to be sent by the caller."""
        return self._sealer.record(content, payload)

    def key_updates(self, count):
        """Records that change the keys so often."""
        return b"".join(self._sealer.key_update() for _ in range(count))

    def ask(self, request):
        """Send a SIP request; True: something as long as a reply came back."""
        self.sock.sendall(self.sealed(hostile.APPLICATION_DATA, request))
        received = b""
        while len(received) < REPLY_BYTES and (more := self.sock.recv(65536)):
            received += more
        return len(received) >= REPLY_BYTES

    def send_sealed(self, content, payload):
        return self.send(self.sealed(content, payload))

    def send_raw(self, content, payload, end=None):
        """Part of a record, up to `end`."""
        return self.send(self._sealer.record(content, payload)[:end])


def _logged(context):
    handle, path = tempfile.mkstemp(suffix=".keys")
    os.close(handle)
    context.keylog_filename = path
    return path


def sealed_client(address, version, kind):
    """A client of a Kamailio, its handshake done.  @param kind: message that never ends."""
    context = client_context(version=version)
    if version == "TLSv1.2":
        context.set_ciphers("ECDHE+AESGCM")
    path = _logged(context)
    try:
        client = BioClient(address, context)
        seen = b""
        while not client.step():
            client.sock.sendall(client.outgoing())
            data = client.sock.recv(65536)
            if not data:
                client.sock.close()
                raise EOFError("the peer closed the connection in the handshake")
            seen += data
            client._in.write(data)
        client.sock.sendall(client.outgoing())
        return _Sealed(client.sock, Sealer(client.tls, _keys(path), seen[11:43], False), kind)
    finally:
        os.unlink(path)


def answer_flight(address, kind, payload):
    """A TLS 1.3 client whose whole answer to the server's flight is one handshake message, encrypted as it must be.

    @return what the server sends after that, until it closes.
    """
    context = client_context(version="TLSv1.3")
    path = _logged(context)
    try:
        with BioClient(address, context) as client:
            client.step()
            client.sock.sendall(client.outgoing())
            while not client.step():
                assert client.pump(), "the peer closed the connection in the handshake"
            client.outgoing()
            sealer = Sealer(client.tls, _keys(path), b"", False, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
            client.sock.sendall(sealer.record(hostile.HANDSHAKE, hostile.message(kind, payload)))
            client.sock.settimeout(TIMEOUT_S)
            received = b""
            try:
                while data := client.sock.recv(65536):
                    received += data
            except ConnectionResetError:
                pass
            return received
    finally:
        os.unlink(path)


class CertificatePeer(Peer):
    """A TLS 1.2 server that has answered a ClientHello and begins a Certificate of 16 MB, in the clear."""

    def __init__(self, sock, hello):
        super().__init__(sock)
        offered = hello[44 + hello[43]:]            # record, message, version, random and session ID are before it
        offered = offered[2:2 + int.from_bytes(offered[:2], "big")]
        suite = next(pair for pair in (b"\xc0\x2b", b"\xc0\x2f")
                     if pair in (offered[i:i + 2] for i in range(0, len(offered), 2)))
        body = b"\3\3" + bytes(range(32)) + b"\0" + suite + b"\0" + struct.pack(">HHHB", 5, 0xFF01, 1, 0)
        self._head = hostile.message(SERVER_HELLO, body) + hostile.message(CERTIFICATE, b"", ENDLESS)

    def push(self):
        payload = self._head + bytes(PIECE - len(self._head))
        self._head = b""
        return self.send(hostile.record(hostile.HANDSHAKE, payload))


class SealedServer:
    """A server for one outgoing connection of a Kamailio.  .peer is set when the handshake is done; with kind
    CERTIFICATE when the ClientHello is there.
    """

    def __init__(self, cert, key, kind, version="TLSv1.3"):
        self._context = server_context(cert, key, version)
        if version == "TLSv1.2":
            self._context.set_ciphers("ECDHE+AESGCM")
            self._context.options |= ssl.OP_NO_TICKET
        self._context.num_tickets = 0
        self._kind = kind
        self._listener = listener()
        self._listener.settimeout(TIMEOUT_S)
        self.port = self._listener.getsockname()[1]
        self.peer = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def wait(self):
        """Until the handshake is done."""
        self._thread.join()
        return self.peer

    def _run(self):
        path = _logged(self._context)
        sock = self._listener.accept()[0]
        sock.settimeout(TIMEOUT_S)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        sent = b""
        try:
            if self._kind == CERTIFICATE:
                self.peer = CertificatePeer(sock, sock.recv(65536))
                return
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    data = outgoing.read()
                    sent += data
                    sock.sendall(data)
                    incoming.write(sock.recv(65536))
            sock.sendall(outgoing.read())
            self.peer = _Sealed(sock, Sealer(tls, _keys(path), sent[11:43], True), self._kind)
        finally:
            os.unlink(path)

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()
        if self.peer:
            self.peer.close()
