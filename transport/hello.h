/*
 * tls_gnutls - reads the ClientHello before GnuTLS does: server name, versions, suites, what it offers
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process that steps a server handshake.  Memory: none; results point into the message.  Lock: none.
 */
#ifndef TLSG_TRANSPORT_HELLO_H
#define TLSG_TRANSPORT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "profiles/cipher/cipher_list.h"
#include "profiles/verify/der.h"

/** Tickets of a ClientHello that are looked at. Clients send one, GnuTLS and OpenSSL never more. */
#define TLSG_HELLO_TICKETS 4

/** Borrowed from the message. */
struct tlsg_hello
{
	uint16_t version;			 /**< legacy_version */
	bool datagram;				 /**< of DTLS */
	const unsigned char *suites; /**< two bytes each, in the client's order */
	size_t suites_len;			 /**< number of suites */
	const unsigned char *name;	 /**< host_name of server_name; NULL none */
	size_t name_len;			 /**< 1 to 255 */
	bool name_is_visible; /**< all bytes are visible ASCII; otherwise it is no host name and must not be logged */
	const unsigned char *versions;			  /**< supported_versions, two bytes each; NULL none */
	size_t versions_len;					  /**< number of versions */
	const unsigned char *groups;			  /**< supported_groups, two bytes each; NULL none */
	size_t groups_len;						  /**< number of groups */
	const unsigned char *sigs;				  /**< signature_algorithms, two bytes each; NULL none */
	size_t sigs_len;						  /**< number of algorithms */
	struct tlsg_der ticket;					  /**< of TLS 1.2: session_ticket; size 0 none */
	struct tlsg_der psks[TLSG_HELLO_TICKETS]; /**< of TLS 1.3: the first identities of pre_shared_key */
	unsigned psks_len;
	bool illegal; /**< not read because of a value that is not allowed, in a message that can be parsed */
};

/**
 * Reads the body of a ClientHello (without the handshake header).
 * @param data   message body.
 * @param size   bytes of it.
 * @param datagram  it is of DTLS, and has a cookie, which is passed over.
 * @param hello  [out]
 * @return TLSG_OK; TLSG_E_PEER: malformed, for which the alert is decode_error; or, with hello->illegal, two names, or
 *         one that is longer than 255 bytes: illegal_parameter.
 * Source: RFC 8446 sections 4.1.2 and 6.2, RFC 5246 sections 7.4.1.2 and 7.2.2, RFC 6066 section 3, RFC 7301 section
 *         3.1, RFC 6347 section 4.2.1.
 */
enum tlsg_ret tlsg_hello_read(
		const unsigned char *data, size_t size, bool datagram, struct tlsg_hello *hello) TLSG_MUST_CHECK;

/**
 * What a ClientHello offers, for tlsg_priority_for_offer().
 * @param h        tlsg_hello_read(); the offer borrows from the message too.
 * @param allowed  OR of TLSG_VERSION_BIT() of the server. If TLS 1.3 can be negotiated, groups is 0.
 * @param offer    [out] all but usable and without, which are 0.
 * Source: RFC 8422 section 5.1, RFC 7919 section 4, RFC 8446 section 4.2.3.
 */
void tlsg_hello_offer(const struct tlsg_hello *h, unsigned allowed, struct tlsg_cipher_offer *offer);

/**
 * The tickets that GnuTLS will look at: those of TLS 1.3 if it can be negotiated, else that of TLS 1.2.
 * @param h        tlsg_hello_read().
 * @param allowed  OR of TLSG_VERSION_BIT() of the server.
 * @param len      [out] how many.
 * @return the first of them; borrowed from h and from the message.
 */
const struct tlsg_der *tlsg_hello_tickets(const struct tlsg_hello *h, unsigned allowed, unsigned *len);

#endif
