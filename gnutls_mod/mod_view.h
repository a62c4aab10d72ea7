/*
 * tls_gnutls - the connection of the current message, as scripts see it: a copy of its peer record
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: pkg and heap of this process.
 * Lock: TCPCONN_LOCK, or that of a DTLS association, taken here, held while bytes are copied.
 *
 * No reference to the TCP connection is kept: dropping the last one outside the core would leak the connection. So what
 * scripts may ask for is copied under the core's lock, once for each connection.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_VIEW_H
#define TLSG_GNUTLS_MOD_MOD_VIEW_H

#include <stdbool.h>

#include "base/host.h"
#include "profiles/verify/verify.h"
#include "profiles/cipher/suites.h"

struct sip_msg;
struct tlsg_cert;

/** A connection whose handshake has finished. Valid until the next tlsg_view_get() of this process. */
struct tlsg_view
{
	int id;							/**< of the TCP connection, or of the DTLS association */
	const struct tlsg_suite *suite; /**< NULL: unknown suite */
	const char *group;				/**< static; NULL: the key exchange had none */
	int version;					/**< gnutls_protocol_t */
	enum tlsg_verify_code verify;
	str sni;					  /**< {NULL,0}: none */
	bool has_peer;				  /**< the peer sent a certificate */
	bool has_own;				  /**< we presented a certificate, or would have */
	struct tlsg_der peer;		  /**< leaf */
	struct tlsg_der own;		  /**< leaf */
	const struct tlsg_der *built; /**< chain that verification built, leaf first */
	unsigned built_len;
};

/**
 * Finds the connection of script code: the one whose event route runs, otherwise the one that the message was received
 * on (TLS, WSS, DTLS). As with tls.so, this extends its lifetime by connection_timeout unless a TCP reader has it.
 * @param msg  NULL: nothing is found outside an event route.
 * @return borrowed until the next call; NULL: not received over TLS (a line at ERR), connection closed or handshake not
 *         finished (a line at INFO), out of memory (a line at ERR).
 */
const struct tlsg_view *tlsg_view_get(struct sip_msg *msg);

/**
 * A certificate of the connection last returned by tlsg_view_get(), parsed once.
 * @param own  true: ours; false: the peer's.
 * @return borrowed as the view; NULL: there is none, or it is malformed.
 */
const struct tlsg_cert *tlsg_view_cert(bool own);

#endif
