/*
 * tls_gnutls - datagrams that are received on a socket of dtls_listen
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: receivers of UDP.  Memory: static buffers of this process.
 * Lock: that of the association, taken here; none while a message is processed.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_IN_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_IN_H

#include <stdbool.h>

#include "core/ip_addr.h"

/**
 * Takes one datagram. If it has several messages, all but the last are processed here.
 * @param socket  number of the socket it was received on.
 * @param buf     [in,out] the datagram, in the core's buffer; the message that it has, ended by a null byte.
 * @param len     [in,out] its bytes; the message is never longer than the datagram.
 * @param rcv     where it was received, and from whom.
 * @return true: buf has a SIP message for the core; false: nothing to go on with.
 */
bool tlsg_dtls_in_datagram(int socket, char *buf, unsigned *len, struct receive_info *rcv);

#endif
