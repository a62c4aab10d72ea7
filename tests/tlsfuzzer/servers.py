# tls_gnutls - the servers that the scripts of tlsfuzzer talk to
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""A Kamailio that answers HTTP over TLS, as the scripts want it, with any TLS module, and gnutls-serv.

All of them show the same certificates, take TLS 1.2 and 1.3 and send a close_notify. A kind of server is one of KINDS:
with an RSA certificate, with an ECDSA one, or with an RSA one and a request for a client certificate.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from e2e.lib.kamailio import STOCK_MODULES, Kamailio, Settings    # noqa: E402
from e2e.lib.ports import LOOPBACK, free_port                      # noqa: E402

KINDS = ("rsa", "ecdsa", "asking")
STOCK, OURS, GNUTLS = NAMES = ("tls.so", "tls_gnutls", "gnutls-serv")
UP_S = 10

_SCRIPT = r"""
request_route { sl_send_reply("200", "OK"); }
event_route[xhttp:request] { xhttp_reply("200", "OK", "text/plain", "served\r\n"); }
"""
_PRIORITY = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"


def _pair(certs, kind):
    algorithm = "ecdsa" if kind == "ecdsa" else "rsa"
    return certs.cert(algorithm, "server"), certs.key(algorithm, "server")


class KamailioServer:
    """One Kamailio; died() says whether one of its processes did."""

    def __init__(self, module, kind, certs, ours):
        cert, key = _pair(certs, kind)
        params = {"tls_method": "TLSv1.2+", "certificate": cert, "private_key": key, "ca_list": certs.ca,
                  "send_close_notify": 1, "session_cache": 1, "verify_certificate": int(kind == "asking"),
                  "cipher_list": "DEFAULT:@SECLEVEL=0"}
        if ours:
            params["handshake_timeout"] = 60            # a slow machine is no difference
        self._kam = Kamailio(Settings(module=module, modparams=params, modules=("xhttp",), tcp_children=4, shm_mb=256,
                                      core="tcp_accept_no_cl=yes", script=_SCRIPT, debug=0))
        self._kam.start()
        self.port = self._kam.port()

    def died(self):
        """@return a sentence if the process table or the log tells of a crash, else None."""
        try:
            self._kam.assert_healthy()
        except AssertionError as failure:
            return str(failure)
        return None

    def close(self):
        """@return as died(), also for the way it ends."""
        try:
            self._kam.assert_healthy()
            self._kam.stop()
        except AssertionError as failure:
            return str(failure)
        finally:
            self._kam.kill()
            self._kam.remove()
        return None


class GnutlsServer:
    """gnutls-serv --http."""

    def __init__(self, kind, certs):
        cert, key = _pair(certs, kind)
        self.port = free_port()
        command = ["gnutls-serv", "--http", "--quiet", "--port", str(self.port), "--priority", _PRIORITY,
                   "--x509certfile", cert, "--x509keyfile", key, "--x509cafile", certs.ca]
        if kind != "asking":
            command.append("--disable-client-cert")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + UP_S
        while True:
            try:
                socket.create_connection((LOOPBACK, self.port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError("gnutls-serv does not start") from None
                time.sleep(0.05)

    def died(self):
        return None if self._process.poll() is None else f"gnutls-serv ended with status {self._process.returncode}"

    def close(self):
        problem = self.died()
        if problem is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        return problem


def begin(name, kind, certs, module):
    """@param name  one of NAMES. @param module  path of our module. @return the server, running."""
    if name == GNUTLS:
        return GnutlsServer(kind, certs)
    return KamailioServer(module if name == OURS else f"{STOCK_MODULES}/tls.so", kind, certs, name == OURS)
