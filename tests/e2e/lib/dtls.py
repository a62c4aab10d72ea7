# tls_gnutls - SIP over DTLS ends of the end-to-end tests, on OpenSSL's session with datagrams sent here
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Each record is sent in a datagram of its own, so that a test can see, drop or repeat any of them."""

import random
import select
import socket
import threading
import time

from OpenSSL import SSL

from . import sip
from .ports import LOOPBACK
from .tls import TIMEOUT_S
from .uas import Service, udp_socket

HEAD = 13           # type, version, epoch, sequence number, length: RFC 6347 section 4.1
HELLO_VERIFY = 3    # type of a handshake message
_MTU = 1200
_RETRANSMIT_S = 1

RELAY = r"""
# "X-Next" is where a request goes, "X-Socket" the socket that it leaves from; all others are answered.
request_route {
	if (is_present_hf("X-Next")) {
		$du = $hdr(X-Next);
		$fs = $hdr(X-Socket);
		remove_hf("X-Next");
		if (!t_relay()) {
			sl_reply_error();
		}
		exit;
	}
	append_to_reply("X-Worker: $pp\r\n");
	sl_send_reply("200", "OK");
}
"""


def records(data):
    """The records in a string of bytes."""
    while data:
        size = HEAD + int.from_bytes(data[11:13], "big")
        yield data[:size]
        data = data[size:]


def is_dtls(datagram):
    """True when a datagram is made of records of DTLS, to its last byte."""
    while len(datagram) >= HEAD and 20 <= datagram[0] <= 25 and datagram[1] == 0xfe:
        datagram = datagram[HEAD + int.from_bytes(datagram[11:13], "big"):]
    return not datagram


def _context(cert=None, key=None, trust=None, demand=False, suites=None):
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_QUERY_MTU)
    if cert:
        context.use_certificate_chain_file(str(cert))
        context.use_privatekey_file(str(key))
    if trust:
        context.load_verify_locations(str(trust))
        flags = SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if demand else 0)
        context.set_verify(flags, lambda *seen: seen[-1])
    if suites:
        context.set_cipher_list(suites)
    return context


class Session:
    """A DTLS session; what it sends is passed to a function, record by record."""

    def __init__(self, context, send, is_client, sni=None):
        self._send = send
        self.ssl = SSL.Connection(context, None)
        self.ssl.set_ciphertext_mtu(_MTU)
        if is_client:
            if sni:
                self.ssl.set_tlsext_host_name(sni.encode())
            self.ssl.set_connect_state()
        else:
            self.ssl.set_accept_state()
        self.is_done = False

    def _flush(self):
        try:
            while True:
                for record in records(self.ssl.bio_read(1 << 16)):
                    self._send(record)
        except SSL.WantReadError:
            pass

    def step(self):
        """Go on with the handshake, sending a flight again when its time is over."""
        try:
            if not self.is_done:
                self.ssl.do_handshake()
                self.is_done = True
        except SSL.WantReadError:
            pass
        finally:
            self._flush()

    def take(self, datagram):
        """One received datagram; returns the texts that it had."""
        texts = []
        self.ssl.bio_write(datagram)
        self.step()
        try:
            while self.is_done:
                texts.append(self.ssl.recv(1 << 16))
        except (SSL.WantReadError, SSL.ZeroReturnError):
            pass
        finally:
            self._flush()
        return texts

    def write(self, text):
        self.ssl.send(text)
        self._flush()

    def close(self):
        """Send a close_notify."""
        try:
            self.ssl.shutdown()
        except SSL.Error:
            pass
        self._flush()


class DtlsClient:
    """A SIP client over DTLS. `.sent` and `.received` are the datagrams on the wire."""

    def __init__(self, address, cert=None, key=None, trust=None, sni=None, suites=None, port=0,
                 host=LOOPBACK):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.sock.connect(address)
        self.sip_port = address[1]      # of the request URI: not that of a relay
        self.sent = []
        self.received = []
        self._context = _context(cert, key, trust, suites=suites)
        self._sni = sni
        self.restart()

    def restart(self):
        """Forget the session and begin a new one from the same address."""
        self.session = Session(self._context, self.send_raw, True, self._sni)
        self._texts = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.session.is_done:
            self.close()
        self.sock.close()

    @property
    def port(self):
        return self.sock.getsockname()[1]

    def send_raw(self, datagram):
        self.sent.append(datagram)
        try:
            self.sock.send(datagram)
        except ConnectionRefusedError:
            pass

    def recv_raw(self, timeout_s=0.2):
        """The next datagram; None after the time."""
        if not select.select([self.sock], [], [], timeout_s)[0]:
            return None
        try:
            self.received.append(self.sock.recv(1 << 16))
        except ConnectionRefusedError:
            return None
        return self.received[-1]

    def handshake(self, timeout_s=TIMEOUT_S):
        """Until the handshake is done; raises SSL.Error when it fails, AssertionError when it does not end."""
        deadline = time.monotonic() + timeout_s
        self.session.step()
        while not self.session.is_done:
            assert time.monotonic() < deadline, "the handshake does not end"
            datagram = self.recv_raw()
            if datagram is None:
                self.session.step()
            else:
                self._texts += self.session.take(datagram)
        return self

    def write(self, text):
        self.session.write(text)

    def read(self, timeout_s=TIMEOUT_S):
        """The next text, or None after the time."""
        deadline = time.monotonic() + timeout_s
        while not self._texts and time.monotonic() < deadline:
            datagram = self.recv_raw()
            if datagram is not None:
                self._texts += self.session.take(datagram)
        return self._texts.pop(0) if self._texts else None

    def ask(self, timeout_s=TIMEOUT_S, **more):
        """Send one OPTIONS, again after each second; returns the final reply, or None."""
        request = sip.options(self.sip_port, via="UDP", sent_by=f"{LOOPBACK}:{self.port}", **more)
        call_id = sip.parse(request)["Call-ID"]
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.write(request)
            text = self.read(_RETRANSMIT_S)
            while text is not None:
                message = sip.parse(text)
                if message.status >= 200 and message["Call-ID"] == call_id:
                    return message
                text = self.read(_RETRANSMIT_S)
        return None

    def close(self):
        self.session.close()


class DtlsAgent(Service):
    """A SIP server over DTLS: replies to requests; `.requests`, `.received` (datagrams), `.peers` (addresses)."""

    def __init__(self, cert, key, trust=None, demand=False, status=200, deaf=False):
        super().__init__()
        self._context = _context(cert, key, trust, demand)
        self._status = status
        self.deaf = deaf            # receives, never answers
        self.sock = udp_socket()
        self.port = self.sock.getsockname()[1]
        self.requests = []
        self.received = []
        self.errors = []
        self._sessions = {}

    @property
    def uri(self):
        return f"sip:far@{LOOPBACK}:{self.port}"

    @property
    def peers(self):
        return list(self._sessions)

    def forget(self):
        """As if it had been started again."""
        self._sessions.clear()

    def close_all(self):
        """Send a close_notify to each peer, and forget it."""
        for session in list(self._sessions.values()):
            session.close()
        self.forget()

    def _session(self, peer):
        if peer not in self._sessions:
            self._sessions[peer] = Session(self._context, lambda data: self.sock.sendto(data, peer), False)
        return self._sessions[peer]

    def send(self, peer, text):
        self._sessions[peer].write(text)

    def _run(self):
        while True:
            if not select.select([self.sock], [], [], 0.2)[0]:
                for session in list(self._sessions.values()):
                    session.step()      # sends a flight again when its time is over
                continue
            data, peer = self.sock.recvfrom(1 << 16)
            if self._over.is_set():
                return
            self.received.append(data)
            if self.deaf or not is_dtls(data):
                continue
            try:
                texts = self._session(peer).take(data)
            except SSL.Error as error:
                self.errors.append(error)
                self._sessions.pop(peer, None)
                continue
            for text in texts:
                message = sip.parse(text)
                if message.status:
                    continue
                self.requests.append(message)
                if message.method != "ACK":
                    self.send(peer, sip.reply(message, self._status))

    def _wake(self):
        self.sock.sendto(b"over", self.sock.getsockname())

    def __exit__(self, *_):
        super().__exit__()
        self.sock.close()


class Relay(Service):
    """Passes datagrams between one client side and a server, and loses, repeats and delays some by a seed.

    `.seen` has all of them, in both directions.
    """

    def __init__(self, server, loss=0.0, repeat=0.0, swap=0.0, seed=1):
        super().__init__()
        self._server = server
        self._rates = loss, repeat, swap
        self._random = random.Random(seed)
        self.front = udp_socket()
        self.port = self.front.getsockname()[1]
        self._backs = {}
        self._held = None
        self.lost = 0
        self.seen = []
        self._lock = threading.Lock()

    def _pass(self, sock, data, to):
        loss, repeat, swap = self._rates
        if self._random.random() < loss:
            self.lost += 1
            return
        if self._random.random() < swap and self._held is None:
            self._held = sock, data, to
            return
        sock.sendto(data, to)
        if self._random.random() < repeat:
            sock.sendto(data, to)
        if self._held is not None:
            (sock, data, to), self._held = self._held, None
            sock.sendto(data, to)

    def _run(self):
        while not self._over.is_set():
            for sock in select.select([self.front, *self._backs], [], [], 0.2)[0]:
                data, peer = sock.recvfrom(1 << 16)
                self.seen.append(data)
                if sock is not self.front:
                    self._pass(self.front, data, self._backs[sock])
                    continue
                back = next((back for back, client in self._backs.items() if client == peer), None)
                if back is None:
                    back = udp_socket()
                    self._backs[back] = peer
                self._pass(back, data, self._server)

    def _wake(self):
        pass

    def __exit__(self, *_):
        super().__exit__()
        for sock in (self.front, *self._backs):
            sock.close()
