/*
 * tls_gnutls - key isolation: the sockets that the token process reads from
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_SOURCE_H
#define TLSG_PROFILES_ISOLATE_TOKEN_SOURCE_H

#include "profiles/isolate/wire.h"

enum tlsg_token_source_kind
{
	TLSG_TOKEN_SOURCE_CLIENT, /**< another process of Kamailio */
	TLSG_TOKEN_SOURCE_CHILD
};

struct tlsg_token_source
{
	struct tlsg_token_source *next;
	enum tlsg_token_source_kind kind;
	int fd;
	struct tlsg_token_keys_entry *entry; /**< of a child */
	unsigned waiting;					 /**< of a client: requests without a reply; token_pending.c counts */
	bool is_closed;						 /**< of a child: freed by tlsg_token_source_sweep() */
};

/** Makes the epoll descriptor. @return false: errno says why. */
bool tlsg_token_source_init(void);

/**
 * Watches a socket.
 * @param fd  owned by the source.
 * @return [heap]; NULL: not watched, fd is still the caller's; errno says why.
 */
struct tlsg_token_source *tlsg_token_source_add(
		int fd, enum tlsg_token_source_kind kind, struct tlsg_token_keys_entry *entry);

/** Closes the socket of a child, and shuts that of a client down (tlsg_wire_end_shutdown()). Idempotent. */
void tlsg_token_source_close(struct tlsg_token_source *s);

/** Frees closed sources of children. Not while events are handled. */
void tlsg_token_source_sweep(void);

/**
 * Waits for events and calls handle for each source that has one and is open.
 * @param timeout_ms  -1: no limit.
 * @return TLSG_OK; TLSG_E_RESOURCE: errno says why.
 */
enum tlsg_ret tlsg_token_source_wait(int timeout_ms, void (*handle)(struct tlsg_token_source *s));

/** @return whether a client has a connection. */
bool tlsg_token_source_has_clients(void);

/**
 * Receives a message into the one buffer that all sources share, without waiting.
 * @param m  [out] the buffer, valid until the next call.
 * @return as tlsg_wire_recv().
 */
enum tlsg_ret tlsg_token_source_recv(struct tlsg_token_source *s, struct tlsg_wire_message **m);

/**
 * Sends a message without waiting; a source that does not take it is closed. Nothing if it is closed.
 * @param head     size is set here.
 * @param payload  NULL with size 0.
 */
void tlsg_token_source_send(
		struct tlsg_token_source *s, const struct tlsg_wire_head *head, const void *payload, size_t size);

/** In a new child: closes all sources and wipes the received message. */
void tlsg_token_source_detach(void);

#endif
