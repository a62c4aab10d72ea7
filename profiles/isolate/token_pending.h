/*
 * tls_gnutls - key isolation: requests that the token process has not replied to yet
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_PENDING_H
#define TLSG_PROFILES_ISOLATE_TOKEN_PENDING_H

#include "profiles/isolate/token_source.h"

/** A client waits for a reply that a child makes. */
struct tlsg_token_pending
{
	struct tlsg_token_pending *next;
	uint32_t serial; /**< of the request to the child */
	struct tlsg_token_source *client;
	struct tlsg_token_keys_entry *entry;
	struct tlsg_wire_head head; /**< of the client's request */
	int64_t since_ms;
};

/** Adds a request. @param head  copied. @return [heap], for tlsg_token_pending_remove(); NULL: out of memory. */
struct tlsg_token_pending *tlsg_token_pending_add(
		struct tlsg_token_source *client, struct tlsg_token_keys_entry *entry, const struct tlsg_wire_head *head);

/** Forgets a request and frees it. */
void tlsg_token_pending_remove(struct tlsg_token_pending *p);

/** @param serial  of the request to the child; 0: any. @return the request; NULL: none. */
struct tlsg_token_pending *tlsg_token_pending_find(const struct tlsg_token_keys_entry *entry, uint32_t serial);

/** @return the first of all requests; NULL: none is pending. */
const struct tlsg_token_pending *tlsg_token_pending_first(void);

/**
 * Replies with an error to a request about an object.
 * @param uri   names the object; in front of the text in a reply to OP, where it is what a worker logs.
 * @param code  GnuTLS's for OP, enum tlsg_ret for LOOK.
 * @param text  sentence without the object's name.
 */
void tlsg_token_pending_refuse(struct tlsg_token_source *client, const struct tlsg_wire_head *head, const char *uri,
		int code, const char *text);

/**
 * Replies with an error to all requests about an object and forgets them.
 * @param uri, text  as tlsg_token_pending_refuse().
 */
void tlsg_token_pending_refuse_all(const struct tlsg_token_keys_entry *entry, const char *uri, const char *text);

#endif
