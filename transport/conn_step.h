/*
 * tls_gnutls - a step of a connection: entering and leaving its session
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the connection's arena (shm).  Lock: the TCP connection's write_lock.
 *
 * Inside a step everything that GnuTLS allocates comes from the connection's arena. "In a step" at a function means:
 * between tlsg_conn_step_enter() and tlsg_conn_step_leave().
 */
#ifndef TLSG_TRANSPORT_CONN_STEP_H
#define TLSG_TRANSPORT_CONN_STEP_H

#include "base/err.h"
#include "transport/conn_types.h"

/*
 * Bytes that a step may allocate, measured on GnuTLS 3.7 and 3.8 with a margin (test_headroom() in
 * tests/transport/test_conn.c). Post-quantum hybrids add up to 9 KB to a handshake (tests/transport/test_hybrid.c).
 */
#define TLSG_HEADROOM_INIT (24 * 1024)
#define TLSG_HEADROOM_HANDSHAKE (160 * 1024)
#define TLSG_HEADROOM_RECORD (80 * 1024)

struct tlsg_arena;
struct tlsg_conn;

/**
 * Begins a step: reserves memory, enters the scope of the arena, binds this process's credentials during a handshake.
 * @param headroom  bytes that the step may allocate.
 * @param previous  [out] scope to restore.
 * @return TLSG_OK; TLSG_E_RESOURCE: nothing was entered; TLSG_E_INTERNAL: the connection has failed, or a step is
 *         running.
 */
enum tlsg_ret tlsg_conn_step_enter(struct tlsg_conn *c, struct tlsg_io *io, size_t headroom,
		struct tlsg_arena **previous, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Ends a step.
 * @param ret  result of the step.
 * @return ret; TLSG_E_RESOURCE when the arena had to give private memory: the connection has failed.
 */
enum tlsg_ret tlsg_conn_step_leave(
		struct tlsg_conn *c, struct tlsg_arena *previous, enum tlsg_ret ret, struct tlsg_err *err);

/**
 * Binds this process's credentials of the connection's profile. In the scope of the arena.
 * @return TLSG_OK, TLSG_E_RESOURCE.
 */
enum tlsg_ret tlsg_conn_step_bind(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * What GNUTLS_E_AGAIN means. In a step.
 * @param before  tlsg_carrier_left() before the call that returned it.
 * @return TLSG_OK: call again; TLSG_AGAIN: the rest of a record is missing, or no more input is allowed;
 *         TLSG_E_INTERNAL: the session takes nothing of what is there.
 */
enum tlsg_ret tlsg_conn_step_again(struct tlsg_conn *c, size_t before, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Updates the slot of the connection: memory held while its handshake is unfinished; given back when it is done. */
void tlsg_conn_step_slot(struct tlsg_conn *c);

#endif
