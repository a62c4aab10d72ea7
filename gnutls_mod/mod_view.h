/*
 * tls_gnutls - the connection that a message came over, as scripts see it: a copy of its peer record in this process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that runs script code.  Memory: pkg and heap of this process.
 * Lock: TCPCONN_LOCK, taken here, held while bytes are copied.
 *
 * No reference on the TCP connection is taken: giving back the last one outside the core would leak the connection. The
 * connection is looked up under the core's lock and what scripts may ask for is copied, once per connection.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_VIEW_H
#define TLSG_GNUTLS_MOD_MOD_VIEW_H

#include <stdbool.h>

#include "base/host.h"
#include "profiles/verify/verify.h"
#include "profiles/cipher/suites.h"

struct sip_msg;
struct tlsg_cert;

/** What is known about a connection whose handshake has ended. Valid until the next tlsg_view_get() of this process. */
struct tlsg_view
{
	int id;							/**< of the TCP connection */
	const struct tlsg_suite *suite; /**< NULL: a suite without a name */
	int version;					/**< gnutls_protocol_t */
	enum tlsg_verify_code verify;
	str sni;					  /**< {NULL,0} none */
	bool has_peer;				  /**< the peer sent a certificate */
	bool has_own;				  /**< we presented a certificate, or would have */
	struct tlsg_der peer;		  /**< leaf */
	struct tlsg_der own;		  /**< leaf */
	const struct tlsg_der *built; /**< chain that verification built, leaf first */
	unsigned built_len;
};

/**
 * The connection that script code asks about: the one whose event route runs, otherwise the one that the message came over (TLS or
 * WSS). As with `tls`, asking makes the connection live for another connection_timeout unless a TCP reader has it.
 * @param msg  NULL: nothing is found outside an event route.
 * @return borrowed until the next call; NULL: not over TLS (a line at ERR), connection gone or handshake not ended (a line at INFO), out of
 *         memory (a line at ERR).
 */
const struct tlsg_view *tlsg_view_get(struct sip_msg *msg);

/**
 * A certificate of the connection last returned by tlsg_view_get(), parsed once.
 * @param own  true: ours; false: the peer's.
 * @return borrowed as the view; NULL: there is none, or it cannot be parsed.
 */
const struct tlsg_cert *tlsg_view_cert(bool own);

#endif
