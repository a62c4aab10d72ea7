/*
 * tls_gnutls - the peer record: what scripts and commands may know about a connection, at any time, in any process
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: written once by the process that ends the handshake; read by any process that holds a reference on the TCP
 * connection.
 * Memory: the connection's arena (shm).  Lock: write_lock when written; none when read (immutable, published by a
 * release store).
 */
#ifndef TLSG_TRANSPORT_PEER_H
#define TLSG_TRANSPORT_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "profiles/prof.h"
#include "profiles/verify/verify.h"
#include "profiles/cipher/suites.h"

/** Immutable once published. All pointers stay valid as long as the connection. */
struct tlsg_peer
{
	const struct tlsg_prof *prof;	/**< the profile that the handshake ended with */
	const struct tlsg_suite *suite; /**< static row; NULL: a suite that the table does not have */
	const char *group;				/**< static, tlsg_kx_group_name() of the key exchange; NULL: it had none (RSA) */
	const struct tlsg_pair *own;	/**< certificate that this host presented; NULL none */
	int version;					/**< gnutls_protocol_t */
	bool resumed;
	bool is_client;				  /**< this host opened the connection */
	str sni;					  /**< server: received; client: sent; {NULL,0} none; zero-terminated */
	time_t since;				  /**< when the handshake ended */
	enum tlsg_verify_code verify; /**< TLSG_V_OK when the peer sent no certificate */
	unsigned chain_len;			  /**< certificates the peer sent; 0 none */
	struct tlsg_der *chain;		  /**< the first of them only, the peer's own */
	unsigned built_len;			  /**< certificates of the chain that verification built; 0 none */
	struct tlsg_der *built;		  /**< leaf first */
};

struct tlsg_arena;
struct tlsg_conn;

/**
 * @return the record, valid as long as the caller's reference on the connection; NULL before the handshake has ended or
 *         c is NULL.
 */
const struct tlsg_peer *tlsg_peer_get(const struct tlsg_conn *c);

/** Builds and publishes the record of a finished handshake. In a step. @return TLSG_OK, TLSG_E_RESOURCE. */
enum tlsg_ret tlsg_peer_publish(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** The suite that was negotiated. In a step. @return static row; NULL for a suite that the table does not have. */
const struct tlsg_suite *tlsg_peer_suite(const struct tlsg_conn *c);

/** Copies certificates to the keep zone of an arena. @param n  at least 1. @return the copies; NULL: out of memory. */
struct tlsg_der *tlsg_peer_chain_copy(struct tlsg_arena *a, const struct tlsg_der *list, unsigned n);

#endif
