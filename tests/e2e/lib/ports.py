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


def listener(host=LOOPBACK, port=0, backlog=64):
    """A TCP listener; with port 0 on one that no UDP socket of that address has.

    Kamailio takes a request for the number of any of its own ports, also that of its UDP socket, for one to itself.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        tcp = socket.create_server((host, port), backlog=backlog, family=family)
        if port:
            return tcp
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            try:
                udp.bind(tcp.getsockname()[:2])
                return tcp
            except OSError:
                tcp.close()
