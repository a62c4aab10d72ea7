/*
 * tls_gnutls - limits that TLS connections and DTLS associations share: of a step, of memory
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: none.  Lock: see mod_low_mem.h.
 */
#ifndef TLSG_GNUTLS_MOD_MOD_LIMITS_H
#define TLSG_GNUTLS_MOD_MOD_LIMITS_H

#include "base/err.h"

struct tlsg_conn;
struct tlsg_conn_limits;

/** Fills the limits of a step from the runtime configuration. */
void tlsg_limits_step(struct tlsg_conn_limits *l);

/**
 * Whether enough memory is free for a new connection; a refusal is counted.
 * @param is_datagram  a DTLS association: TLSG_LOW_MEM_DTLS.
 * @return TLSG_OK; TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_limits_allow_new(bool is_datagram, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Whether enough memory is free to go on with a connection. @return as tlsg_limits_allow_new(). */
enum tlsg_ret tlsg_limits_allow(struct tlsg_conn *conn, struct tlsg_err *err) TLSG_MUST_CHECK;

#endif
