# tls_gnutls - end to end: WebSocket over TLS
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
from concurrent.futures import ThreadPoolExecutor

import pytest

from .lib import sip, ws
from .lib.kamailio import DEFAULT_SCRIPT, Kamailio
from .lib.tls import TlsClient, client_context
from .lib.uas import UdpSender

VERSIONS = ("TLSv1.2", "TLSv1.3")

UPGRADE = r"""
event_route[xhttp:request] {
	set_reply_close();
	set_reply_no_connect();
	if ($hdr(Upgrade) =~ "websocket" && $hu =~ "^/ws") {
		ws_handle_handshake();
		exit;
	}
	xhttp_reply("404", "Not Found", "", "");
}
"""


@pytest.fixture(scope="module")
def kam(settings):
    with Kamailio(settings.but(
            listen=("tls", "udp"), modules=("xhttp", "websocket"),
            core="tcp_accept_no_cl=yes\ntcp_rd_buf_size=65536",
            config='modparam("websocket", "keepalive_mechanism", 0)',
            script=DEFAULT_SCRIPT + UPGRADE)) as kamailio:
        yield kamailio


@pytest.fixture(params=VERSIONS)
def context(request):
    return client_context(version=request.param)


@pytest.fixture
def client(kam, context):
    with ws.WsClient(kam.address(), context, path="/ws") as connected:
        yield connected


def _id(kam, client):
    """Kamailio's number of the client's connection, by its port."""
    listed = kam.kamcmd("ws.dump")
    for line in listed.splitlines():
        if f":{client.local[1]} " in line:
            return int(line.split()[0].rstrip(":"))
    raise AssertionError(f"connection not listed:\n{listed}")


def test_request_from_the_client(client):
    reply = client.ask()
    assert reply.status == 200
    assert reply["X-Proto"] == "wss"


def test_wrong_path_is_refused(kam, context):
    with pytest.raises(ws.Refused, match="404"):
        ws.WsClient(kam.address(), context, path="/other")


def test_wrong_subprotocol_is_refused(kam, context):
    with pytest.raises(ws.Refused):
        ws.WsClient(kam.address(), context, path="/ws", protocol="chat")


def test_request_to_the_client(kam, client):
    """UDP -> Kamailio -> WebSocket client, and the reply back."""
    def call():
        with UdpSender(kam.address("udp")) as sender:
            return sender.ask(method="MESSAGE", body=b"hello", headers=(
                f"X-Next: sip:127.0.0.1:{client.local[1]};transport=ws",))
    with ThreadPoolExecutor(1) as pool:
        call_run = pool.submit(call)
        request = sip.parse(client.receive(ws.TEXT))
        assert request.first_line.startswith("MESSAGE ") and request.body == b"hello"
        client.send(ws.TEXT, sip.reply(request, 202, "Accepted"))
        assert call_run.result().status == 202


def test_frame_of_one_byte_records(kam, client):
    request = sip.options(kam.port(), via="WSS", sent_by="client.invalid")
    client.tls.send_records(ws.frame(ws.TEXT, request), 1)
    assert sip.parse(client.receive(ws.TEXT)).status == 200


def test_frame_of_two_records(kam, client):
    """20 KB: more than one record carries, with the 16-bit length of a frame."""
    request = sip.options(kam.port(), via="WSS", sent_by="client.invalid", body=b"x" * 20000)
    client.send(ws.TEXT, request)
    assert sip.parse(client.receive(ws.TEXT)).status == 200


def test_several_frames_in_one_record(kam, client):
    requests = [sip.options(kam.port(), via="WSS", sent_by="client.invalid", cseq=n)
                for n in range(1, 11)]
    client.tls.send(b"".join(ws.frame(ws.TEXT, request) for request in requests))
    replies = [sip.parse(client.receive(ws.TEXT)) for _ in requests]
    assert [reply.cseq for reply in replies] == list(range(1, 11))


def test_ping_of_the_client(client):
    client.send(ws.PING, b"are you there")
    assert client.receive(ws.PONG) == b"are you there"


def test_ping_of_the_server(kam, client):
    """Sent by another process than the one that reads the connection."""
    assert client.ask().status == 200
    kam.kamcmd("ws.ping", str(_id(kam, client)))
    payload = client.receive(ws.PING)
    client.send(ws.PONG, payload)
    assert client.ask().status == 200


def test_close_of_the_client(kam, client):
    code = (1000).to_bytes(2, "big")
    client.send(ws.CLOSE, code)
    assert client.receive(ws.CLOSE).startswith(code)
    with pytest.raises(EOFError):
        client.receive_frame()


def test_close_of_the_server(kam):
    with ws.WsClient(kam.address(), client_context(), path="/ws") as client:
        kam.kamcmd("ws.close", str(_id(kam, client)))
        payload = client.receive(ws.CLOSE)
        client.send(ws.CLOSE, payload)
        with pytest.raises(EOFError):
            client.receive_frame()


def test_client_that_vanishes(kam, context):
    vanished = ws.WsClient(kam.address(), context, path="/ws")
    assert vanished.ask().status == 200
    vanished.tls.reset()
    kam.wait_connections(0)


def test_sip_over_plain_tls_beside_it(kam, client, context):
    with TlsClient(kam.address(), context) as plain:
        assert plain.ask()["X-Proto"] == "tls"
    assert client.ask()["X-Proto"] == "wss"
