/*
 * tls_gnutls - messages of an association over datagrams: one record each, with their boundaries in the queue
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: any process.  Memory: the queue's (shm), one buffer of this process.  Lock: the association's lock.
 */
#ifndef TLSG_TRANSPORT_CONN_MESSAGE_H
#define TLSG_TRANSPORT_CONN_MESSAGE_H

#include "base/err.h"
#include "transport/conn_types.h"

struct tlsg_conn;

/**
 * Whether a message can be sent in one record.
 * @param size  bytes of it.
 * @return TLSG_OK; TLSG_E_RESOURCE: too long; err says how long it may be.
 */
enum tlsg_ret tlsg_conn_message_fits(const struct tlsg_conn *c, size_t size, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Queues a message until the handshake is done. An empty one is not queued.
 * @param size  tlsg_conn_message_fits().
 * @return TLSG_OK; TLSG_E_RESOURCE: a limit of the queue, or out of shared memory.
 */
enum tlsg_ret tlsg_conn_message_queue(struct tlsg_conn *c, const char *data, size_t size,
		const struct tlsg_queue_limits *limits, struct tlsg_err *err) TLSG_MUST_CHECK;

/**
 * Encrypts a message. In a step.
 * @param size  tlsg_conn_message_fits().
 * @return TLSG_OK: it is in out; TLSG_FULL: out has no room; TLSG_E_*.
 */
enum tlsg_ret tlsg_conn_message_send(
		struct tlsg_conn *c, const char *data, size_t size, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Encrypts what was queued. In a step. @return as tlsg_conn_message_send(). */
enum tlsg_ret tlsg_conn_message_flush(struct tlsg_conn *c, struct tlsg_err *err) TLSG_MUST_CHECK;

/** Notes how long messages may be with the keys of this session. When the handshake is done, in a step. */
void tlsg_conn_message_settle(struct tlsg_conn *c);

#endif
