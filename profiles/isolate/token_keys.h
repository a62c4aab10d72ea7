/*
 * tls_gnutls - key isolation: the keys that the token process holds, and their children; token_process.h has the design
 * Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
 * Runs in: the token process.  Memory: its heap; gates in memory shared with its children.  Lock: none.
 */
#ifndef TLSG_PROFILES_ISOLATE_TOKEN_KEYS_H
#define TLSG_PROFILES_ISOLATE_TOKEN_KEYS_H

#include <sys/types.h>

#include "pkcs11/p11_key.h"
#include "profiles/isolate/token_source.h"

/** A key, or certificates that are being fetched. */
struct tlsg_token_keys_entry
{
	struct tlsg_token_keys_entry *next;
	uint64_t id;
	uint32_t set_number;
	const struct tlsg_token_source *client; /**< that asked for it */
	bool was_alive;							/**< its snapshot was in use */
	enum tlsg_wire_look_kind what;
	bool is_by_hand; /**< as in the request */
	bool is_ready;	 /**< the key was found: it has a number, an object and a gate */
	struct tlsg_p11_query q;
	gnutls_datum_t cert;
	char token[TLSG_P11_URI_SIZE];
	struct tlsg_p11_object object;
	struct tlsg_token_source *child; /**< NULL: not running */
	pid_t pid;
	bool is_hung;			 /**< the child was killed because it did not reply */
	int64_t failed_ms;		 /**< when the key could last not be opened; 0: it could */
	char why[TLSG_ERR_TEXT]; /**< why not */
};

/**
 * Maps the gates. Before anything else.
 * @param is_alive  whether a snapshot is in use.
 * @return false: out of memory.
 */
bool tlsg_token_keys_init(tlsg_wire_is_alive is_alive);

/**
 * Makes an entry for a request. Its PIN is not found yet.
 * @param client  that sent it.
 * @param cert    certificate of the request, copied.
 * @return [heap], for tlsg_token_keys_free(); NULL: out of memory, or there are TLSG_WIRE_TOKEN_KEYS_MAX.
 */
struct tlsg_token_keys_entry *tlsg_token_keys_new(
		const struct tlsg_token_source *client, const struct tlsg_wire_look_request *r, const unsigned char *cert);

/** Ends the child (tlsg_token_keys_child_reap()), replies to pending requests, wipes and frees. */
void tlsg_token_keys_free(struct tlsg_token_keys_entry *e);

/**
 * Drops keys of snapshots that are gone.
 * @param client    that builds a snapshot.
 * @param building  its number.
 */
void tlsg_token_keys_collect(const struct tlsg_token_source *client, uint32_t building);

/** Drops all keys, and waits until their children have ended: TLSG_TIMEOUT_LEAVE_MS at most. */
void tlsg_token_keys_free_all(void);

/** A snapshot is in use: its tokens have accepted its PINs, and records of other PINs are removed. */
void tlsg_token_keys_in_use(uint32_t set_number);

/** @return the key with that number; NULL: there is none, or it was not found yet. */
struct tlsg_token_keys_entry *tlsg_token_keys_find(uint64_t id);

/** Finds the PIN of a key that is held. @param pin  [out] set if it is known. @return whether it is known. */
bool tlsg_token_keys_known(const char *uri, struct tlsg_p11_secret *pin);

/**
 * The key was found: gives it a number and a gate.
 * @return number of the gate, which keys with the same PIN on the same token share; -1: no gate is free.
 */
int tlsg_token_keys_settle(struct tlsg_token_keys_entry *e, const struct tlsg_p11_facts *f);

/** Forks a child that looks the object up, or opens the key if it was found before. @return false: errno says why. */
bool tlsg_token_keys_child_start(struct tlsg_token_keys_entry *e);

/** The child has closed its connection: waits for its end. @return status of waitpid(2). */
int tlsg_token_keys_child_wait(struct tlsg_token_keys_entry *e);

/**
 * Reaps children whose connection was closed by this process, as far as they have ended, without waiting. They end when
 * the module's call returns, and are killed after TLSG_TIMEOUT_LEAVE_MS (see tlsg_p11_probe_signals()).
 * @return whether some have not ended yet.
 */
bool tlsg_token_keys_child_reap(void);

#endif
