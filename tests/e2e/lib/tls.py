# tls_gnutls - SIP over TLS clients of the end-to-end tests, on Python's ssl module
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import socket
import ssl
import struct

from cryptography import x509
from cryptography.x509.oid import NameOID

from . import sip

TIMEOUT_S = 20
VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def client_context(trust=None, version=None, cert=None, key=None):
    """A client context; trust None: the server's certificate is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _limit(context, version)
    if trust:
        context.load_verify_locations(trust)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        context.load_cert_chain(cert, key)
    return context


def server_context(cert, key, version=None, client_trust=None):
    """A server context; with client_trust, a client certificate issued from there is required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _limit(context, version)
    context.load_cert_chain(cert, key)
    if client_trust:
        context.load_verify_locations(client_trust)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _limit(context, version):
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]


def reset(sock):
    """Close a TCP socket with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def chain_of(sock):
    """The certificates that the other end has sent, in DER, leaf first."""
    if sock.getpeercert(binary_form=True) is None:
        return []
    chain = sock._sslobj.get_unverified_chain()     # pylint: disable=protected-access
    return [ssl.PEM_cert_to_DER_cert(cert.public_bytes()) for cert in chain or ()]


class TlsClient:
    """A connection whose handshake is done: the constructor raises ssl.SSLError or OSError."""

    def __init__(self, address, context, session=None, name="localhost"):
        self.address = address
        raw = socket.create_connection(address, TIMEOUT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = raw.getsockname()
        try:
            self.sock = context.wrap_socket(raw, server_hostname=name, session=session)
        except BaseException:
            raw.close()
            raise
        self._parser = sip.Parser()
        self._ready = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def version(self):
        return self.sock.version()

    @property
    def cipher(self):
        return self.sock.cipher()[0]

    @property
    def reused(self):
        """True when the handshake resumed a session."""
        return self.sock.session_reused

    @property
    def session(self):
        """The session to resume; with TLS 1.3 only after something was read."""
        return self.sock.session

    def send(self, data):
        self.sock.sendall(data)

    def send_records(self, data, size):
        """Send data in records of `size` bytes of clear text each."""
        for start in range(0, len(data), size):
            self.sock.sendall(data[start:start + size])

    def receive(self, timeout_s=TIMEOUT_S):
        """The next SIP message; raises EOFError when the peer closed, TimeoutError."""
        self.sock.settimeout(timeout_s)
        while not self._ready:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the peer closed the connection")
            self._ready += self._parser.feed(data)
        return self._ready.pop(0)

    def receive_many(self, count):
        return [self.receive() for _ in range(count)]

    def ask(self, data=None):
        """Send a request (by default an OPTIONS) and return the reply."""
        self.send(data or sip.options(self.address[1]))
        return self.receive()

    def shown(self):
        """Common name in the certificate that the server presented."""
        cert = x509.load_der_x509_certificate(self.sock.getpeercert(binary_form=True))
        return cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value

    def close(self):
        self.sock.close()

    def reset(self):
        reset(self.sock)


class BioClient:
    """A client that exposes every byte between TLS and TCP.

    step() runs TLS as far as it gets without the network; outgoing() returns the bytes to be sent,
    which only the caller puts on the network.
    """

    def __init__(self, address, context, name="localhost"):
        self.address = address
        self.sock = socket.create_connection(address, TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = self.sock.getsockname()
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._parser = sip.Parser()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def step(self):
        """Advance the handshake; True when it is done."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def outgoing(self):
        """The bytes that TLS wants to send."""
        return self._out.read()

    def pump(self):
        """Receive once from the network into TLS; False at the end of the connection."""
        data = self.sock.recv(65536)
        if not data:
            self._in.write_eof()
            return False
        self._in.write(data)
        return True

    def handshake(self, send=None):
        """The whole handshake; `send` replaces socket.sendall."""
        send = send or self.sock.sendall
        while not self.step():
            send(self.outgoing())
            if not self.pump():
                raise EOFError("the peer closed the connection in the handshake")
        send(self.outgoing())

    def seal(self, data):
        """Encrypt data; returns the records."""
        self.tls.write(data)
        return self.outgoing()

    def receive(self):
        """The next SIP message (one at a time is in flight)."""
        while True:
            try:
                messages = self._parser.feed(self.tls.read(65536))
                if messages:
                    return messages[0]
            except ssl.SSLWantReadError:
                if not self.pump():
                    raise EOFError("the peer closed the connection") from None

    def receive_rest(self):
        """All SIP messages until the end of the connection."""
        messages = []
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                if not self.pump():
                    return messages
                continue
            if not data:
                return messages
            messages += self._parser.feed(data)

    def wait_end(self):
        """Wait until the peer closes TCP: "close_notify" if TLS was closed before, or "TCP only"."""
        while data := self.sock.recv(65536):
            self._in.write(data)
        try:
            data = self.tls.read(65536)
        except ssl.SSLWantReadError:
            return "TCP only"
        assert not data, f"more data: {data!r}"
        return "close_notify"
