# tls_gnutls - everything at once, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Good clients beside scanners, broken and vanishing clients, reloads, tls.kill and changes of the log level.

A part is a function that is called again and again in a thread of its own until the time is over. What a good client
does not get is a failure, with the place, the local port and what the log says about that port.
"""

import asyncio
import os
import random
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections import Counter

from . import hostile, sip
from .load import REPLY_READ, STAGES, Storm
from .tls import BioClient, TlsClient, client_context, reset
from .tlscfg import pair, section
from .uas import TlsAgent, UdpSender

SEED = 20260101
STAYING = 10
STORM_PER_SECOND, STORM_S = 40, 3
TICKETS = 100
BROKEN_EVERY = 10
DEBUG_S = 0.05                  # how long everything is logged
JOIN_S = 180


def missing_scanners():
    """Names of scanners that are not installed."""
    return [name for name in ("testssl", "sslscan") if not shutil.which(name)]


class Chaos:
    """Call run(); .counts says how often each part did what, .failures what good clients did not get, .slowest how many
    seconds the slowest handshake and the slowest reply of a good client took.
    """

    def __init__(self, kam, files, pki, ticket_storm, has_list=True):
        """@param files  the configuration that is reloaded.
        @param has_list  tls.list and tickets are as this module has them.
        """
        self._kam, self._files, self._pki, self._ticket_storm = kam, files, pki, ticket_storm
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._staying = []
        self._relayed = None
        self._storms = self._reloads = 0
        self._chance = random.Random(SEED)
        self.counts = Counter()
        self.failures = []
        self.slowest = {"handshake": 0.0, "reply": 0.0}
        self._parts = [self._visits, self._visits, self._resumptions, self._stay, self._slow, self._relay,
                       self._mutate_hello, self._mutate_later, self._wrong, self._storm, self._reload, self._levels]
        if has_list:
            self._parts += [self._kill, self._tickets]
        self._parts += [lambda name=name: self._scan(name) for name in ("testssl", "sslscan") if shutil.which(name)]

    # -- the frame ------------------------------------------------------------------------------

    def run(self, seconds):
        """All parts for that long."""
        with TlsAgent(_server_context(self._pki)) as agent, UdpSender(self._kam.address("udp")) as sender:
            self._relayed = agent.port, sender
            threads = [threading.Thread(target=self._repeat, args=(part,)) for part in self._parts]
            for thread in threads:
                thread.start()
            self._over.wait(seconds)
            self._over.set()
            for thread in threads:
                thread.join(JOIN_S)
                assert not thread.is_alive(), "a part does not end"
            for client in self._staying:
                client.close()
            self._staying.clear()

    def _repeat(self, part):
        while not self._over.is_set():
            try:
                part()
            except Exception as problem:        # what a part does not expect is a failure too
                self._fail(getattr(part, "__name__", "scan"), repr(problem))
                self._over.wait(0.5)

    def _count(self, name, number=1):
        with self._lock:
            self.counts[name] += number

    def _fail(self, place, text, port=None):
        told = self._kam.log.find(rf":{port}\b") if port else []
        with self._lock:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {place}, port {port}: {text}; log: {told[-5:]}")

    # -- good clients ---------------------------------------------------------------------------

    def _contexts(self):
        return [client_context(version=version, cert=cert, key=key) for version in ("TLSv1.2", "TLSv1.3")
                for cert, key in ((None, None), (self._pki.cert("client-ok"), self._pki.key("client-ok")))]

    def _visit(self, place, context, requests=1, session=None):
        """One client. @return its session, None after a failure."""
        step, port, begin = "connect and handshake", None, time.monotonic()
        try:
            with TlsClient(self._kam.address(), context, session=session) as client:
                port, step = client.local[1], "read"
                begin = self._time("handshake", begin)
                for _ in range(requests):
                    assert client.ask().status == 200
                    begin = self._time("reply", begin)
                    self._count("requests answered")
                self._count("good clients")
                return client.session
        except (OSError, EOFError, AssertionError) as failure:
            self._fail(f"{place}: {step}", repr(failure), port)
            return None

    def _time(self, what, begin):
        """@return the time now."""
        now = time.monotonic()
        with self._lock:
            self.slowest[what] = max(self.slowest[what], now - begin)
        return now

    def _visits(self):
        for context in self._contexts():
            self._visit("visit", context, requests=2)
            self._over.wait(0.02)

    def _resumptions(self):
        context = client_context()
        session = None
        for _ in range(5):
            session = self._visit("resumption", context, session=session)

    def _stay(self):
        while len(self._staying) < STAYING:
            self._staying.append(TlsClient(self._kam.address(), client_context()))
        for client in self._staying:
            try:
                assert client.ask().status == 200
                self._count("requests on connections that stay")
            except (OSError, EOFError, AssertionError) as failure:
                self._fail("stay: read", repr(failure), client.local[1])
                client.close()
                self._staying.remove(client)
                return
        self._over.wait(0.2)

    def _slow(self):
        """Every piece comes late, and the handshake is done within its time nevertheless."""
        client = BioClient(self._kam.address(), client_context())
        with client:
            def pieces(data):
                for start in range(0, len(data), 60):
                    client.sock.sendall(data[start:start + 60])
                    time.sleep(0.02)
            try:
                client.handshake(pieces)
                pieces(client.seal(sip.options(self._kam.port())))
                assert client.receive().status == 200
                self._count("slow clients")
            except (OSError, EOFError, AssertionError) as failure:
                self._fail("slow", repr(failure), client.local[1])

    def _relay(self):
        port, sender = self._relayed
        reply = sender.ask(uri=f"sip:far@127.0.0.1:{port};transport=tls")
        if reply is None or reply.status != 200:
            self._fail("relay", repr(reply))
        else:
            self._count("relayed to a TLS server")
        self._over.wait(0.05)

    # -- others ---------------------------------------------------------------------------------

    def _mutate(self, data, most=4):
        changed = bytearray(data)
        for _ in range(self._chance.randint(1, most)):
            changed[self._chance.randrange(len(changed))] = self._chance.randrange(256)
        return bytes(changed)

    def _leave(self, client):
        """In one of the ways in which clients go away."""
        try:
            if self._chance.random() < 0.3:
                client.sock.settimeout(0.2)
                client.sock.recv(65536)
        except OSError:
            pass
        if self._chance.random() < 0.5:
            reset(client.sock)

    def _mutate_hello(self):
        with BioClient(self._kam.address(), client_context()) as client:
            client.step()
            try:
                client.sock.sendall(self._mutate(client.outgoing()))
            except OSError:
                pass
            self._leave(client)
        self._count("mutated ClientHellos")

    def _mutate_later(self):
        """The second flight, or a record after it."""
        context = client_context(version=self._chance.choice(("TLSv1.2", "TLSv1.3")))
        after = self._chance.random() < 0.5
        with BioClient(self._kam.address(), context) as client:
            try:
                if after:
                    client.handshake()
                    client.sock.sendall(self._mutate(client.seal(sip.options(self._kam.port()))))
                else:
                    client.step()
                    client.sock.sendall(client.outgoing())
                    client.pump()
                    client.step()
                    client.sock.sendall(self._mutate(client.outgoing() or b"\x16\x03\x03\x00\x05hello"))
            except (OSError, EOFError):
                pass
            self._leave(client)
        self._count("mutated records" if after else "mutated second flights")

    def _wrong(self):
        what = {**hostile.WRONG, **hostile.UNFINISHED, **hostile.RANDOM}
        with BioClient(self._kam.address(), client_context()) as client:
            try:
                client.sock.sendall(what[self._chance.choice(list(what))])
            except OSError:
                pass
            self._leave(client)
        self._count("wrong openings")

    def _storm(self):
        """Clients that do everything right until they vanish or fall silent."""
        self._storms += 1
        storm = Storm(self._kam.address(), client_context(), SEED + self._storms, True)
        asyncio.run(storm.run(STORM_PER_SECOND, STORM_S))
        storm.close_silent()
        tally = storm.tally
        waited = tally.by_stage[STAGES[REPLY_READ]]
        self._count("clients that vanished", tally.started)
        if tally.refused or tally.answered != waited:
            self._fail("storm", f"{tally.refused} cut off, {tally.answered} of {waited} answered")

    def _tickets(self):
        """A changed ticket costs a full handshake.  After a reload the good ticket may too."""
        command = [self._ticket_storm, str(self._kam.port()), self._chance.choice(("TLSv1.2", "TLSv1.3")), str(TICKETS),
                   str(self._chance.randrange(1000))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=JOIN_S, check=False)
        if "handshake:" in done.stderr:
            self._fail("tickets", done.stderr.strip())
        words = done.stdout.split()
        if len(words) == 6:
            self._count("changed tickets", int(words[1]))

    def _kill(self):
        try:
            with TlsClient(self._kam.address(), client_context()) as victim:
                numbers = [entry["id"] for entry in self._kam.rpc("tls.list")
                           if int(entry["src_port"]) == victim.local[1]]
                for number in numbers:
                    self._kam.rpc("tls.kill", number)
                assert numbers and not victim.sock.recv(1)
        except ConnectionResetError:
            pass
        self._count("connections killed")
        self._over.wait(0.1)

    # -- the operator ---------------------------------------------------------------------------

    def write(self, number):
        """The files of reload `number`; they differ from those before."""
        row = ("server-ec", "server-rsa")[number % 2]
        self._files.show(row)
        self._files.put("ca.pem", self._pki.path(("ca.pem", "ca-both.pem")[number % 2]))
        server = section("server:default", verify_certificate="yes", require_certificate="no", method="TLSv1.2+",
                         crl=self._pki.path("all.crl"), **self._files.keys())
        named = [section("server:any", server_name=f"n{n}.example", **pair(self._pki, row)) for n in range(number % 5)]
        self._files.write("tls.cfg", "".join((server, section("client:default", method="TLSv1.2+"), *named)))

    def rest(self):
        """Loads the same files each time, so that memory can be compared."""
        self.write(0)
        self._kam.rpc("tls.reload")

    def _reload(self):
        self._reloads += 1
        if self._reloads % BROKEN_EVERY == 0:
            self._files.write("tls.cfg", "[server:default]\nmethod = TLSv9\n")
            try:
                self._kam.rpc("tls.reload")
                self._fail("reload", "a broken configuration was taken")
            except RuntimeError:
                self._count("reloads refused")
        self.write(self._reloads)
        self._kam.rpc("tls.reload")
        self._count("reloads")
        self._over.wait(0.05)

    def _levels(self):
        for level, seconds in ((1, 0.2), (3, DEBUG_S), (-1, 0.2), (0, 3)):
            self._kam.rpc("corex.debug", level)
            self._over.wait(seconds)
        self._count("changes of the log level", 4)

    def _scan(self, name):
        target = "127.0.0.1:%d" % self._kam.port()
        command = {"testssl": ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "one", target],
                   "sslscan": ["sslscan", "--no-colour", target]}[name]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and not self._over.is_set():
            self._over.wait(0.2)
        self._count(f"scans by {name}" + (" cut short" if process.poll() is None else ""))
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def _server_context(pki):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.cert("server-rsa"), pki.key("server-rsa"))
    return context
