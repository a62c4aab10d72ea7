/*
 * tls_gnutls - verifies the peer's certificate during a handshake
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process, inside a step.  Memory: the connection's arena (shm).
 * Lock: write_lock, held by the step's caller.
 *
 * The rules of verification are in profiles/verify; here is what a connection asks of them.
 */
#ifndef TLSG_TRANSPORT_CONN_VERIFY_H
#define TLSG_TRANSPORT_CONN_VERIFY_H

#include "base/err.h"

struct tlsg_conn;

/**
 * Verifies what the peer sent, as the profile wants it, and keeps the verdict in the connection.
 * @return 0: the handshake goes on; GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: refused, the verdict says with which
 *         alert; GNUTLS_E_MEMORY_ERROR.
 */
int tlsg_conn_verify_peer(struct tlsg_conn *c) TLSG_MUST_CHECK;

/**
 * Checks the size of the peer's key before it is used.
 * @return 0: the handshake goes on; GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR: refused, as tlsg_conn_verify_peer().
 */
int tlsg_conn_verify_leaf(struct tlsg_conn *c) TLSG_MUST_CHECK;

/**
 * Verifies the certificate that a resumed session contains. GnuTLS does not check again whether there must be one.
 * @return as tlsg_conn_verify_peer(); GNUTLS_E_NO_CERTIFICATE_FOUND: one is required and the session has none.
 */
int tlsg_conn_verify_resumed(struct tlsg_conn *c) TLSG_MUST_CHECK;

#endif
