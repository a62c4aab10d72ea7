# tls_gnutls - many clients at once, and clients that vanish, for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import asyncio
import random
import socket
import ssl
import time
from dataclasses import dataclass, field

from . import sip
from .tls import reset

HANDSHAKES_AT_ONCE = 50
TIMEOUT_S = 60

# stages at which a client may vanish
STAGES = (
    "connected", "half a ClientHello", "ClientHello sent", "server's flight half read",
    "server's flight read", "half of the second flight", "handshake done", "half a request",
    "request sent", "reply read",
)
REPLY_READ = STAGES.index("reply read")


class _Member:
    """One of the open connections."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self.port = writer.get_extra_info("sockname")[1]

    async def ask(self, request):
        """Send a request; returns the status code of the reply."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        message = sip.parse(head)
        await self._reader.readexactly(int(message["Content-Length"] or 0))
        return message.status

    async def close(self):
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (OSError, ssl.SSLError):
            pass


class Crowd:
    """Connections that are open at the same time; call its methods inside one event loop."""

    def __init__(self, address, context):
        self._address = address
        self._context = context
        self._gate = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
        self.members = []

    async def join(self):
        """Open one more connection; gives it."""
        async with self._gate:
            reader, writer = await asyncio.open_connection(
                *self._address, ssl=self._context, server_hostname="localhost",
                ssl_handshake_timeout=TIMEOUT_S)
            self.members.append(_Member(reader, writer))
            return self.members[-1]

    async def grow(self, count):
        """Open `count` more connections."""
        await asyncio.gather(*(self.join() for _ in range(count)))

    async def ask_all(self):
        """One OPTIONS on each, all at once; returns the status codes."""
        asking = asyncio.gather(*(member.ask(sip.options(self._address[1]))
                                  for member in self.members))
        return await asyncio.wait_for(asking, TIMEOUT_S)

    async def leave(self):
        await asyncio.gather(*(member.close() for member in self.members))
        self.members.clear()


@dataclass
class Tally:
    """Results of a storm."""

    started: int = 0
    by_stage: dict = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    answered: int = 0           # replies read by those that waited for one
    refused: int = 0            # ended by the server before the client wanted to vanish
    silent: list = field(default_factory=list)      # idle sockets that stay open
    seconds: float = 0.0


class Storm:
    """New connections at a steady rate, each vanishing at a random point (seeded)."""

    def __init__(self, address, context, seed, may_fall_silent):
        """may_fall_silent: some clients stay connected and send nothing more."""
        self._address = address
        self._context = context
        self._chance = random.Random(seed)
        self._endings = ("FIN", "RST", "silence") if may_fall_silent else ("FIN", "RST")
        self.tally = Tally()

    async def run(self, per_second, seconds):
        """Start clients for `seconds`; returns when all are gone."""
        begin = time.monotonic()
        tasks = []
        for number in range(per_second * seconds):
            await asyncio.sleep(max(0.0, begin + number / per_second - time.monotonic()))
            stage = self._chance.randrange(len(STAGES))
            ending = self._chance.choice(self._endings)
            tasks.append(asyncio.create_task(self._client(stage, ending)))
        await asyncio.wait_for(asyncio.gather(*tasks), TIMEOUT_S)
        self.tally.seconds = time.monotonic() - begin

    async def _client(self, stage, ending):
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        self.tally.started += 1
        self.tally.by_stage[STAGES[stage]] += 1
        try:
            await loop.sock_connect(sock, self._address)
            await self._until(loop, sock, stage)
        except (OSError, EOFError, ssl.SSLError):
            self.tally.refused += 1
        finally:
            if ending == "silence" and stage < STAGES.index("handshake done"):
                self.tally.silent.append(sock)
            elif ending == "RST":
                reset(sock)
            else:
                sock.close()

    async def _until(self, loop, sock, stage):
        """Proceed up to the given stage."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        if stage == 0:
            return
        _step(tls)
        hello = outgoing.read()
        await loop.sock_sendall(sock, hello[:len(hello) // 2] if stage == 1 else hello)
        if stage <= 2:
            return
        if stage == 3:
            await loop.sock_recv(sock, 100)
            return
        second = b""
        while not second:
            await _receive(loop, sock, incoming)
            _step(tls)
            second = outgoing.read()
        if stage == 4:
            return
        await loop.sock_sendall(sock, second[:len(second) // 2] if stage == 5 else second)
        if stage == 5:
            return
        while not _step(tls):
            await _receive(loop, sock, incoming)
        if stage == 6:
            return
        request = sip.options(self._address[1])
        tls.write(request[:len(request) // 2] if stage == 7 else request)
        await loop.sock_sendall(sock, outgoing.read())
        if stage < REPLY_READ:
            return
        reply = b""
        while b"\r\n\r\n" not in reply:
            try:
                reply += tls.read(65536)
            except ssl.SSLWantReadError:
                await _receive(loop, sock, incoming)
        self.tally.answered += reply.startswith(b"SIP/2.0 200 ")

    def close_silent(self):
        for sock in self.tally.silent:
            sock.close()
        self.tally.silent.clear()


def _step(tls):
    try:
        tls.do_handshake()
        return True
    except ssl.SSLWantReadError:
        return False


async def _receive(loop, sock, incoming):
    data = await loop.sock_recv(sock, 65536)
    if not data:
        raise EOFError
    incoming.write(data)
