# tls_gnutls - openssl s_client and gnutls-cli as SIP clients of the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import re
import selectors
import subprocess
import time
from dataclasses import dataclass

from . import sip

TIMEOUT_S = 30
_REPLY = re.compile(rb"(SIP/2\.0 \d{3} .*?\r?\n\r?\n)", re.DOTALL)
_OPENSSL_SESSION = re.compile(r"^(New|Reused), (TLSv[\d.]+), Cipher is (\S+)", re.MULTILINE)
_GNUTLS_SESSION = re.compile(r"^- Description: \((TLS[\d.]+)(?:-X\.509)?\)-(\S+)", re.MULTILINE)
_OPENSSL_VERSION = {"TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
_GNUTLS_VERSION = {"TLSv1.2": "VERS-TLS1.2", "TLSv1.3": "VERS-TLS1.3"}


@dataclass
class Run:
    """Result of one run of a command line client."""

    output: str             # everything it printed
    reply: object           # the SIP reply as sip.Message, or None
    status: int             # exit status; negative when killed after the reply
    version: str = ""       # as the client prints it, in OpenSSL's spelling
    cipher: str = ""        # as the client prints it
    reused: bool = False    # the handshake resumed a session


def _converse(command, request):
    """Run a client, send the request, read until the reply arrives or the client exits."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, bufsize=0)
    output = b""
    try:
        try:
            process.stdin.write(request)
        except BrokenPipeError:
            pass
        deadline = time.monotonic() + TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not _REPLY.search(output):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise AssertionError(f"{command[0]}: neither a reply nor an exit:\n{_text(output)}")
                data = process.stdout.read(65536)
                if not data:
                    break
                output += data
        if _REPLY.search(output):
            process.terminate()
        status = process.wait(TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    found = _REPLY.search(output)
    reply = sip.parse(found.group(1).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) if found else None
    return Run(output=_text(output), reply=reply, status=status)


def _text(output):
    return output.decode(errors="replace")


def names(output):
    """Output of the openssl command with names as 3.2 and later print them, CN=x; before it was CN = x."""
    return re.sub(r"\b(CN?|O) = ", r"\1=", output)


def openssl(address, *args, trust, version=None, request=None, verify=None):
    """Send one OPTIONS (or `request`) with `openssl s_client`, which verifies certificate and name.

    verify: other options than those for the address as the name.
    """
    host, port = address
    name = ("-verify_ip", host) if verify is None else verify
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-ign_eof", "-nocommands",
               "-CAfile", trust, "-verify_return_error", *name, *args]
    if version:
        command.append(_OPENSSL_VERSION[version])
    run = _converse(command, request or sip.options(port))
    found = _OPENSSL_SESSION.search(run.output)
    if found:
        run.reused = found.group(1) == "Reused"
        run.version, run.cipher = found.group(2), found.group(3)
    return run


def gnutls_cli(address, *args, trust, version=None, request=None):
    """Send one OPTIONS (or `request`) with `gnutls-cli`, which verifies certificate and name."""
    host, port = address
    command = ["gnutls-cli", "--x509cafile", trust, "--port", str(port), *args]
    if version:
        command += ["--priority", f"NORMAL:-VERS-ALL:+{_GNUTLS_VERSION[version]}"]
    run = _converse([*command, host], request or sip.options(port))
    found = _GNUTLS_SESSION.search(run.output)
    if found:
        run.version = found.group(1).replace("TLS", "TLSv")
        run.cipher = found.group(2)
    run.reused = "This is a resumed session" in run.output
    return run
