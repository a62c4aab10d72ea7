# tls_gnutls - free loopback ports for the end-to-end tests
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
import socket

LOOPBACK = "127.0.0.1"


def free_port():
    """A port that is free at this moment for TCP and for UDP on the loopback address.

    Another process may take it before it is used: the caller must be ready to retry.
    """
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((LOOPBACK, 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
