# tls_gnutls - two Kamailios that differ only in their TLS module, and the answers of both
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import ssl
from contextlib import ExitStack
from dataclasses import dataclass, field

from e2e.lib import sip
from e2e.lib.kamailio import STOCK_MODULES, Kamailio, Settings
from e2e.lib.tls import TlsClient
from e2e.lib.uas import UdpSender
from e2e.lib.wait import until

from . import probes

STOCK = f"{STOCK_MODULES}/tls.so"
XLOG_BUFFER = 'modparam("xlog", "buf_size", 65535)\n'
REFUSED = (ssl.SSLError, ConnectionResetError, EOFError)


@dataclass(frozen=True)
class Answer:
    """The answer of one Kamailio to a client: refused, or the value of each probe."""

    refused: bool
    values: dict = field(default_factory=dict)


class Pair:
    """`theirs` runs tls.so, `ours` the module of this project; everything else is the same."""

    def __init__(self, our_module, **settings):
        settings.setdefault("script", probes.script())
        settings["config"] = XLOG_BUFFER + settings.get("config", "")
        self.settings = {
            "theirs": Settings(module=STOCK, **settings),
            "ours": Settings(module=our_module, **settings),
        }
        self._stack = ExitStack()
        self.theirs = self.ours = None

    def __enter__(self):
        with ExitStack() as stack:
            self.theirs = stack.enter_context(Kamailio(self.settings["theirs"]))
            self.ours = stack.enter_context(Kamailio(self.settings["ours"]))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def both(self, question):
        """question(kamailio) asked of both; returns (their answer, our answer)."""
        return question(self.theirs), question(self.ours)


def ask(kam, context, name="localhost", listen="tls"):
    """Send one OPTIONS and return what the script saw of the connection."""
    mark = kam.log.mark()
    call = sip.new_id()
    try:
        with TlsClient(kam.address(listen), context, name=name) as client:
            client.ask(sip.options(kam.port(listen), call_id=call))
    except REFUSED:
        return Answer(refused=True)
    values = probes.values(kam.log.lines(mark), call)
    assert len(values) == len(probes.PROBES), "not every probe was logged"
    return Answer(refused=False, values=values)


def _reply(sender):
    """The status of the next final reply, or None if none arrives soon."""
    try:
        status = sip.parse(sender.sock.recv(65536)).status
    except TimeoutError:
        return None
    return status if status >= 200 else None


def relay(kam, agent):
    """Send one MESSAGE that Kamailio relays to a TlsAgent; returns what the route of the reply saw."""
    mark = kam.log.mark()
    call = sip.new_id()
    failed = len(agent.failures)
    with UdpSender(kam.address("udp")) as sender:
        sender.sock.settimeout(0.1)
        sender.sock.send(sip.request(
            "MESSAGE", f"sip:far@127.0.0.1:{agent.port};transport=tls", via="UDP",
            sent_by=sender.sent_by, call_id=call))
        status = until(lambda: _reply(sender) or len(agent.failures) > failed, "a reply, or a failure")
    values = probes.values(kam.log.lines(mark), call)
    if status != 200:
        assert not values
        return Answer(refused=True)
    assert len(values) == len(probes.PROBES) - len(probes.FUNCTIONS), "not every probe was logged"
    return Answer(refused=False, values=values)
