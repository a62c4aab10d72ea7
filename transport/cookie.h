/*
 * tls_gnutls - the cookie exchange of DTLS: proves that a sender receives at its address, before anything is kept of it
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: one secret in shm, made before the forks; nothing for each sender.
 * Lock: none, the secret is constant.
 *
 * Keys are derived from the secret and the number of the current period, so that all processes have the same ones at
 * the same time. A cookie is good for the period in which it was made and for the next.
 */
#ifndef TLSG_TRANSPORT_COOKIE_H
#define TLSG_TRANSPORT_COOKIE_H

#include <stddef.h>
#include <time.h>

#include <gnutls/dtls.h>

#include "base/buf.h"
#include "base/err.h"
#include "profiles/addr.h"

/** Bytes of a HelloVerifyRequest; the shortest ClientHello is longer. */
#define TLSG_COOKIE_REPLY_BYTES 44

/** Seconds of a period. */
#define TLSG_COOKIE_PERIOD_S 60

/** Whom a cookie is for. */
struct tlsg_cookie_ends
{
	struct tlsg_addr peer;
	struct tlsg_addr local;
	uint16_t peer_port; /**< host byte order, as local_port */
	uint16_t local_port;
};

/** What a first datagram is. */
enum tlsg_cookie_result
{
	TLSG_COOKIE_NOT_HELLO, /**< not the beginning of a ClientHello: drop it */
	TLSG_COOKIE_ASK,	   /**< no cookie, or not a good one: send the reply, keep nothing */
	TLSG_COOKIE_GOOD	   /**< the sender receives at its address: make an association, give it this datagram */
};

/**
 * Makes the secret. Attendant, before the forks; a second call does nothing.
 * @return TLSG_OK; TLSG_E_RESOURCE: out of shared memory or of random bytes.
 */
enum tlsg_ret tlsg_cookie_global_init(void) TLSG_MUST_CHECK;

/** Wipes and frees the secret. Attendant, at shutdown. Idempotent. */
void tlsg_cookie_global_deinit(void);

/**
 * Looks at a datagram of a sender without an association. Allocates nothing.
 * @param datagram  received bytes, from rd to wr; not drained.
 * @param ends      whom it is from, and where it was received.
 * @param now       seconds; decides on the period.
 * @param reply     [out] ASK: TLSG_COOKIE_REPLY_BYTES to send back; never longer than the datagram.
 * @param start     [out] GOOD: for struct tlsg_conn_params.
 * Source: RFC 6347 section 4.2.1; GnuTLS manual, gnutls_dtls_cookie_send(), gnutls_dtls_cookie_verify().
 */
enum tlsg_cookie_result tlsg_cookie_check(const struct tlsg_buf *datagram, const struct tlsg_cookie_ends *ends,
		time_t now, unsigned char reply[TLSG_COOKIE_REPLY_BYTES], gnutls_dtls_prestate_st *start);

#endif
