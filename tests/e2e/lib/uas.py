# tls_gnutls - far ends of the end-to-end tests: user agents on UDP and TLS, and servers that fail
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import socket
import threading
import time

from . import sip
from .ports import LOOPBACK, listener
from .tls import TIMEOUT_S, chain_of, reset

_UDP_BUFFER = 4 << 20


def udp_socket():
    """A UDP socket on a free loopback port, with a buffer for a burst."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)
    sock.bind((LOOPBACK, 0))
    return sock


class Service:
    """A thread that runs until the `with` block ends."""

    def __init__(self):
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._wake()
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive(), "a thread of the test does not end"

    def _run(self):
        raise NotImplementedError

    def _wake(self):
        raise NotImplementedError


class UdpAgent(Service):
    """Answers each request on UDP (status) and remembers it in .requests, in order."""

    def __init__(self, status=200):
        super().__init__()
        self._status = status
        self.sock = udp_socket()
        self.port = self.sock.getsockname()[1]
        self.requests = []

    def _run(self):
        while True:
            data, peer = self.sock.recvfrom(65536)
            if self._over.is_set():
                return
            message = sip.parse(data)
            if not message.status:
                self.requests.append(message)
                self.sock.sendto(sip.reply(message, self._status), peer)

    def _wake(self):
        self.sock.sendto(b"over", self.sock.getsockname())

    def __exit__(self, *_):
        super().__exit__()
        self.sock.close()


class UdpSender:
    """Sends requests through a Kamailio's UDP socket, up to `window` of them at once."""

    def __init__(self, proxy, window=1):
        self.sock = udp_socket()
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(proxy)
        self.window = window
        self.sent_by = "{}:{}".format(*self.sock.getsockname())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, **request):
        """Send one request; returns the final reply, or None."""
        return self.run([request])[0]

    def send(self, **request):
        """Send one request whose replies are not waited for."""
        self.sock.send(sip.request(via="UDP", sent_by=self.sent_by, **{"call_id": sip.new_id(), **request}))

    def run(self, requests):
        """Send requests (keywords of sip.request); returns the final replies in the same order."""
        waiting = {}
        replies = [None] * len(requests)
        todo = iter(enumerate(requests))
        exhausted = False
        while True:
            while not exhausted and len(waiting) < self.window:
                position, request = next(todo, (None, None))
                exhausted = request is None
                if not exhausted:
                    request = {"call_id": sip.new_id(), **request}
                    key = (request["call_id"], request.get("cseq", 1))
                    waiting[key] = position
                    self.sock.send(sip.request(via="UDP", sent_by=self.sent_by, **request))
            if not waiting:
                return replies
            try:
                reply = sip.parse(self.sock.recv(65536))
            except TimeoutError:
                return replies
            if reply.status >= 200:
                position = waiting.pop((reply["Call-ID"], reply.cseq), None)
                if position is not None:
                    replies[position] = reply


class TlsAgent(Service):
    """A TLS server that answers each request with 200.

    .requests   the requests, in order of arrival
    .peers      for each finished handshake the client's certificate (dict of ssl, or None)
    .chains     for each finished handshake the certificates that the client has sent
    .failures   for each failed handshake its exception
    .names      the server names (SNI) the clients sent, None without
    """

    def __init__(self, context, delay_s=0, host=LOOPBACK, port=0):
        """delay_s: how long it waits before it answers a ClientHello; port 0: a free one."""
        super().__init__()
        self._delay_s = delay_s
        self.names = []
        context.sni_callback = lambda _sock, name, _context: self.names.append(name)
        self._context = context
        self._listener = listener(host, port)
        self.port = self._listener.getsockname()[1]
        self.requests = []
        self.peers = []
        self.chains = []
        self.failures = []
        self._threads = []
        self._open = []

    def _run(self):
        while True:
            raw, _ = self._listener.accept()
            if self._over.is_set():
                raw.close()
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw):
        try:
            raw.settimeout(TIMEOUT_S)
            time.sleep(self._delay_s)
            sock = self._context.wrap_socket(raw, server_side=True)
        except OSError as failure:
            self.failures.append(failure)
            raw.close()
            return
        self._open.append(sock)
        with sock:
            sock.settimeout(None)
            self.peers.append(sock.getpeercert())
            self.chains.append(chain_of(sock))
            parser = sip.Parser()
            try:
                while data := sock.recv(65536):
                    for message in parser.feed(data):
                        if not message.status:
                            self.requests.append(message)
                            sock.sendall(sip.reply(message))
            except OSError as failure:
                if not self._over.is_set() and not self.requests:
                    self.failures.append(failure)

    def close_connections(self):
        """Close all open connections; new ones are accepted."""
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._open.clear()

    def _wake(self):
        socket.create_connection(self._listener.getsockname()[:2]).close()

    def __exit__(self, *_):
        super().__exit__()
        # Connections first: another server may get the port at once, and its requests would arrive here.
        self.close_connections()
        self._listener.close()
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive(), "a connection of the test does not end"


class SilentServer:
    """Accepts TCP (the kernel does) and never sends or reads a byte."""

    def __init__(self):
        self._listener = listener()
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the port and reset what the kernel accepted."""
        self._listener.close()


class FullServer:
    """Its queue is full: the kernel answers no further SYN, as a host that is gone does."""

    def __init__(self):
        self._listener = socket.create_server((LOOPBACK, 0), backlog=0)
        self.port = self._listener.getsockname()[1]
        self._waiting = []

    def __enter__(self):
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((LOOPBACK, self.port))
            self._waiting.append(sock)
        return self

    def __exit__(self, *_):
        for sock in (*self._waiting, self._listener):
            sock.close()


class RefusingServer:
    """Holds a port on which nobody listens: TCP connections are refused."""

    def __init__(self):
        self._sock = socket.socket()
        self._sock.bind((LOOPBACK, 0))
        self.port = self._sock.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()


class BreakingServer(Service):
    """Reads `after` bytes of each connection, sends `answer` and closes it.

    with_reset: close with RST instead of FIN.  .connections counts them.
    """

    def __init__(self, after=0, answer=b"", with_reset=False):
        super().__init__()
        self._after = after
        self._answer = answer
        self._with_reset = with_reset
        self._listener = listener()
        self.port = self._listener.getsockname()[1]
        self.connections = 0

    def _run(self):
        while True:
            sock, _ = self._listener.accept()
            if self._over.is_set():
                sock.close()
                return
            self.connections += 1
            try:
                self._break(sock)
            except OSError:
                pass
            finally:
                sock.close()

    def _break(self, sock):
        sock.settimeout(TIMEOUT_S)
        seen = 0
        while seen < self._after:
            data = sock.recv(self._after - seen)
            if not data:
                return
            seen += len(data)
        sock.sendall(self._answer)
        if self._with_reset:
            reset(sock)
            return
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    def _wake(self):
        socket.create_connection(self._listener.getsockname()[:2]).close()

    def __exit__(self, *_):
        super().__exit__()
        self._listener.close()


