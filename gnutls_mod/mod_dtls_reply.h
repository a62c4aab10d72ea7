/*
 * tls_gnutls - replies without a transaction to clients that use DTLS
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that receives SIP.  Memory: none.  Lock: none.
 *
 * The core forwards a reply that matches no transaction from the socket on which it came in, in clear text if that is a
 * UDP socket.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_DTLS_REPLY_H
#define TLSG_GNUTLS_MOD_MOD_DTLS_REPLY_H

struct sip_msg;

/**
 * The core calls this before it forwards a reply without a transaction. If the client, which the second Via names, has
 * an association, the reply is sent from the socket of that; a socket that the script has set stays.
 * @return 1: the core goes on.
 * Source: forward_reply(), update_sock_struct_from_via() of the core.
 */
int tlsg_dtls_reply_route(struct sip_msg *msg);

#endif
