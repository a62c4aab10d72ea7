/*
 * tls_gnutls - key isolation: the parts of the token process; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_KEYS_H
#define TLSG_PROFILES_ISOLATE_TOKEN_KEYS_H

#include <sys/types.h>

#include "pkcs11/p11_key.h"
#include "profiles/isolate/wire.h"

/** What a source is. */
enum tlsg_token_source_kind
{
	TLSG_TOKEN_SOURCE_SOCKET,
	TLSG_TOKEN_SOURCE_CLIENT, /**< another process of Kamailio */
	TLSG_TOKEN_SOURCE_CHILD
};

/** Something that can be read from. */
struct tlsg_token_source
{
	struct tlsg_token_source *next;
	enum tlsg_token_source_kind kind;
	int fd;
	struct tlsg_token_keys_entry *entry; /**< of a child */
	unsigned waiting;					 /**< of a client: questions without an answer */
	bool gone;							 /**< freed when all events of this turn are done */
};

/** A key, or certificates that are being fetched. */
struct tlsg_token_keys_entry
{
	struct tlsg_token_keys_entry *next;
	uint64_t id;
	uint32_t set_number;
	enum tlsg_wire_look_kind what;
	bool ready; /**< the key was looked at */
	struct tlsg_p11_query q;
	gnutls_datum_t cert;
	char token[TLSG_P11_URI_SIZE];
	struct tlsg_p11_object object;
	struct tlsg_token_source *child; /**< NULL: none now */
	pid_t pid;
	bool hung;
	int64_t failed_ms;
	char why[TLSG_ERR_TEXT]; /**< it could not be opened */
};

/** Watches something. @return [heap], for tlsg_token_process_source_close(); NULL: not watched, fd is the caller's. */
struct tlsg_token_source *tlsg_token_process_source_add(
		int fd, enum tlsg_token_source_kind kind, struct tlsg_token_keys_entry *entry);

/** Closes it; the object itself goes when all events of this turn are done. */
void tlsg_token_process_source_close(struct tlsg_token_source *s);

/** Answers all who wait for a key. @param text  sentence, without the key's name. */
void tlsg_token_process_fail_all(const struct tlsg_token_keys_entry *e, const char *text);

/** In a new child: closes what the token process listens to, forgets the question that it has. */
void tlsg_token_process_detach(void);

/** Maps the gates. Before anything else. @param is_alive  whether a snapshot is in use. @return false: no memory. */
bool tlsg_token_keys_init(tlsg_wire_is_alive is_alive);

/**
 * Makes an entry for a question. Its PIN is not found yet.
 * @param cert  certificate of the question.
 * @return [heap], for tlsg_token_keys_free(); NULL no memory.
 */
struct tlsg_token_keys_entry *tlsg_token_keys_new(const struct tlsg_wire_look_request *t, const unsigned char *cert);

/** Ends the child, answers who waits, wipes. */
void tlsg_token_keys_free(struct tlsg_token_keys_entry *e);

/** Drops what belongs to no snapshot any more. @param building  number of the one that is being built. */
void tlsg_token_keys_collect(uint32_t building);

/** Drops all. */
void tlsg_token_keys_free_all(void);

/** @return the key with that number; NULL: none, or it was not looked at yet. */
struct tlsg_token_keys_entry *tlsg_token_keys_find(uint64_t id);

/** The PIN of a key that is held. @param pin  [out] set when it is known. @return whether it is. */
bool tlsg_token_keys_known(const char *uri, struct tlsg_p11_secret *pin);

/**
 * Makes a key that was looked at one of the snapshot: gives it a number and a gate.
 * @return number of the gate, which keys with the same PIN on the same token share; -1: there are too many.
 */
int tlsg_token_keys_settle(struct tlsg_token_keys_entry *e, const struct tlsg_p11_facts *f);

/** Forks a child that looks, or that opens the key if it was looked at. @return false: errno says why. */
bool tlsg_token_keys_child_start(struct tlsg_token_keys_entry *e);

/** Waits for children that were killed, without waiting. */
void tlsg_token_keys_child_reap(void);

#endif
