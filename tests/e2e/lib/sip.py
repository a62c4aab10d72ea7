# tls_gnutls - a minimal SIP for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import itertools
import os

_serial = itertools.count(1)
_run = f"{os.getpid():x}{os.urandom(3).hex()}"


def new_id():
    """An identifier that is unique among all processes of this run."""
    return f"{_run}-{next(_serial)}"


def request(method="OPTIONS", uri="sip:127.0.0.1", via="TLS", sent_by="127.0.0.1:9", body=b"",
            call_id=None, cseq=1, headers=()):
    """One SIP request as bytes; `headers` are further complete header lines."""
    call_id = call_id or new_id()
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{via} {sent_by};rport;branch=z9hG4bK{call_id}.{cseq}",
        "Max-Forwards: 70",
        f"From: <sip:tester@example.org>;tag={call_id}",
        "To: <sip:service@example.org>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def options(port, **more):
    """An OPTIONS addressed to the Kamailio that listens on that port."""
    return request(uri=f"sip:127.0.0.1:{port}", **more)


def reply(message, status=200, reason="OK", body=b""):
    """The reply of a user agent to a request."""
    copied = [f"{name}: {value}" for name, value in message.headers
              if name.lower() in ("via", "from", "call-id", "cseq")]
    lines = [f"SIP/2.0 {status} {reason}", *copied, f"To: {message['To']};tag=uas",
             f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Message:
    """One parsed request or reply; message["Name"] is the first value of a header, or None."""

    def __init__(self, head, body=b""):
        lines = head.decode(errors="replace").split("\r\n")
        self.first_line = lines[0]
        pairs = (line.partition(":") for line in lines[1:] if line)
        self.headers = [(name.strip(), value.strip()) for name, _, value in pairs]
        self.body = body

    def __getitem__(self, name):
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def status(self):
        """Status code of a reply; 0 for a request."""
        return int(self.first_line.split()[1]) if self.first_line.startswith("SIP/2.0 ") else 0

    @property
    def method(self):
        """Method of a request, or of the request a reply belongs to."""
        return self["CSeq"].split()[1]

    @property
    def cseq(self):
        return int(self["CSeq"].split()[0])

    def __repr__(self):
        return f"<{self.first_line} {self['Call-ID']} {self['CSeq']}>"


def parse(data):
    """The message in one datagram or frame."""
    head, _, body = data.partition(b"\r\n\r\n")
    return Message(head, body)


class Parser:
    """Cuts a byte stream into messages by Content-Length."""

    def __init__(self):
        self._data = bytearray()

    def feed(self, data):
        """Append bytes; returns the messages that are complete now."""
        self._data += data
        messages = []
        while True:
            while self._data.startswith(b"\r\n"):
                del self._data[:2]
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return messages
            message = Message(bytes(self._data[:end]))
            size = end + 4 + int(message["Content-Length"] or 0)
            if len(self._data) < size:
                return messages
            message.body = bytes(self._data[end + 4:size])
            del self._data[:size]
            messages.append(message)
